//! Words that somebody texts back (CTIA Messaging Principles, section 5.1.3, and their like
//! in Spanish, German and French).

/// What a shopper wants who answers with one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    Stop,
    Start,
    Help,
}

const STOP: [&str; 16] = [
    "STOP",
    "STOPALL",
    "STOP ALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "OPT OUT",
    "ALTO",
    "BAJA",
    "PARAR",
    "STOPP",
    "ABMELDEN",
    "ARRET",
];
const START: [&str; 7] = [
    "START", "UNSTOP", "YES", "ALTA", "INICIAR", "STARTEN", "ANMELDEN",
];
const HELP: [&str; 6] = ["HELP", "INFO", "AYUDA", "HILFE", "AIDE", "?"];

/// The keyword that a whole text is, whatever its case and the marks around it. A sentence
/// in which such a word occurs is none.
pub fn keyword(text: &str) -> Option<Keyword> {
    let around = |c: char| c.is_whitespace() || "\"'.,!:;()*".contains(c);
    let word = text.trim_matches(around).to_uppercase().replace('Ê', "E");
    let among = |words: &[&str]| words.contains(&word.as_str());
    if among(&STOP) {
        Some(Keyword::Stop)
    } else if among(&START) {
        Some(Keyword::Start)
    } else if among(&HELP) {
        Some(Keyword::Help)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_is_obeyed_and_a_sentence_is_not() {
        for text in [
            "STOP",
            " stop. ",
            "Stopp!",
            "alto",
            "\"Baja\"",
            "ARRÊT",
            "unsubscribe",
        ] {
            assert_eq!(keyword(text), Some(Keyword::Stop), "{text}");
        }
        for text in ["start", "Yes", "ALTA"] {
            assert_eq!(keyword(text), Some(Keyword::Start), "{text}");
        }
        for text in ["help", "Hilfe!", "ayuda", "?"] {
            assert_eq!(keyword(text), Some(Keyword::Help), "{text}");
        }
        for text in ["", "please do not stop", "when does it start", "stop it"] {
            assert_eq!(keyword(text), None, "{text}");
        }
    }
}
