//! Words that somebody texts back (CTIA Messaging Principles, section 5.1.3, and their like
//! in Spanish, German and French). Whoever wants no more texts may say so in any reasonable
//! way (47 CFR 64.1200(a)(10)), so that a polite or a garbled STOP is one.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::typed::plain;

/// What a shopper wants who answers with one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    Stop,
    Start,
    Help,
}

/// Texts longer than this are letters, not words; in bytes.
const MAX_BYTES: usize = 1_000;

/// What ends texts when it is all that somebody says.
const STOP: [&str; 16] = [
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "REMOVE ME",
    "NO MORE",
    "NO MORE TEXTS",
    "NO MORE MESSAGES",
    "DO NOT TEXT ME",
    "DONT TEXT ME",
    "KEINE SMS MEHR",
    "KEINE NACHRICHTEN MEHR",
    "NO MAS",
    "NO MAS MENSAJES",
    "PLUS DE SMS",
    "PLUS DE MESSAGES",
];
/// What ends texts also with [`POLITE`] words around it.
const STOP_WORDS: [&str; 13] = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "OPTOUT",
    "OPT OUT",
    "ALTO",
    "BAJA",
    "PARAR",
    "STOPP",
    "ABMELDEN",
    "ABBESTELLEN",
    "ARRET",
    "DESABONNER",
];
/// Words that take nothing from a word that ends texts.
const POLITE: [&str; 30] = [
    "PLEASE",
    "PLS",
    "PLZ",
    "NOW",
    "ALL",
    "IT",
    "THIS",
    "THESE",
    "THE",
    "ME",
    "MY",
    "TEXT",
    "TEXTS",
    "TEXTING",
    "MESSAGE",
    "MESSAGES",
    "MESSAGING",
    "SENDING",
    "SMS",
    "THANKS",
    "THANK",
    "YOU",
    "BITTE",
    "DANKE",
    "POR",
    "FAVOR",
    "GRACIAS",
    "SVP",
    "MERCI",
    "ALLE",
];
const START: [&str; 7] = [
    "START", "UNSTOP", "YES", "ALTA", "INICIAR", "STARTEN", "ANMELDEN",
];
const HELP: [&str; 5] = ["HELP", "INFO", "AYUDA", "HILFE", "AIDE"];

/// The keyword that a whole text is, whatever its case, its accents, the marks around and in
/// it. A sentence that says something else is none, whatever words occur in it.
pub fn keyword(text: &str) -> Option<Keyword> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let said = words(text);
    let among = |known: &[&str]| known.contains(&said.as_str());
    if among(&STOP) || is_stop(&said) {
        Some(Keyword::Stop)
    } else if among(&START) {
        Some(Keyword::Start)
    } else if among(&HELP) || (said.is_empty() && text.contains('?')) {
        Some(Keyword::Help)
    } else {
        None
    }
}

/// The words in capitals without accents, a space between them; no mark is part of a word.
fn words(text: &str) -> String {
    let letters = plain(text).to_uppercase().replace(['\'', '\u{2019}'], "");
    let bare: String = letters.nfd().filter(|c| !is_combining_mark(*c)).collect();
    let words = bare.split(|c: char| !c.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_stop(said: &str) -> bool {
    let joined = said.replace("OPT OUT", "OPTOUT");
    let mut words = joined.split(' ').peekable();
    let ends = |word: &str| STOP_WORDS.contains(&word);
    joined.split(' ').any(ends) && words.all(|word| ends(word) || POLITE.contains(&word))
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
            "ARRE\u{302}T",
            "unsubscribe",
            "OPT-OUT",
            "opt out",
            "“STOP”",
            "Stop…",
            "stop  all",
            "\u{200e}STOP",
            "ＳＴＯＰ",
            "[STOP]",
            "stop it",
            "Please stop!",
            "STOP texting me",
            "stop.stop",
            "end",
            "*STOP*",
            "Stop\n",
            "don't text me",
            "No más",
            "Stop 🛑",
        ] {
            assert_eq!(keyword(text), Some(Keyword::Stop), "{text}");
        }
        for text in ["start", "Yes", "ALTA"] {
            assert_eq!(keyword(text), Some(Keyword::Start), "{text}");
        }
        for text in ["help", "Hilfe!", "ayuda", "?", "??"] {
            assert_eq!(keyword(text), Some(Keyword::Help), "{text}");
        }
        for text in [
            "",
            "please do not stop",
            "when does it start",
            "cancel it",
            "please",
            "!",
            "does the bus stop there",
            "all",
        ] {
            assert_eq!(keyword(text), None, "{text}");
        }
    }
}
