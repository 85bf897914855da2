//! What a text message can hold: the GSM 7-bit alphabet (3GPP TS 23.038, section 6.2.1) and
//! how many segments a text takes (TS 23.040, section 9.2.3.24.1).

/// The default alphabet but for the escape to the extension table.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// What takes the escape and a second septet.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Septets of a text that is alone, and of each part of a longer one, whose header takes seven.
const ALONE_SEPTETS: usize = 160;
const PART_SEPTETS: usize = 153;
/// The same in units of UCS-2.
const ALONE_UNITS: usize = 70;
const PART_UNITS: usize = 67;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }
}

/// How a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub encoding: Encoding,
    /// What the provider counts and charges.
    pub segments: usize,
}

pub fn size(text: &str) -> Size {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    match septets {
        Some(lengths) => Size {
            encoding: Encoding::Gsm7,
            segments: segments(&lengths, ALONE_SEPTETS, PART_SEPTETS),
        },
        None => {
            let lengths: Vec<usize> = text.chars().map(char::len_utf16).collect();
            Size {
                encoding: Encoding::Ucs2,
                segments: segments(&lengths, ALONE_UNITS, PART_UNITS),
            }
        }
    }
}

/// The text with marks of typography and odd blanks replaced by their plain forms, which
/// reads the same; and accents that the alphabet lacks left away where that, and nothing
/// less, saves the whole text from travelling at 70 characters a segment.
pub fn plain(text: &str) -> String {
    let typed: String = text.chars().map(as_typed).collect();
    let typed = typed.replace('\u{2026}', "...");
    let folded: String = typed.chars().map(without_accent).collect();
    if size(&typed).encoding == Encoding::Ucs2 && size(&folded).encoding == Encoding::Gsm7 {
        folded
    } else {
        typed
    }
}

fn as_typed(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\t' => ' ',
        '\u{2022}' | '\u{b7}' => '*',
        _ => c,
    }
}

fn without_accent(c: char) -> char {
    match c {
        'á' | 'â' | 'ã' => 'a',
        'ê' | 'ë' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' | 'û' => 'u',
        'ç' => 'Ç',
        'Á' | 'À' | 'Â' | 'Ã' => 'A',
        'È' | 'Ê' | 'Ë' => 'E',
        'Í' | 'Ì' | 'Î' | 'Ï' => 'I',
        'Ó' | 'Ò' | 'Ô' | 'Õ' => 'O',
        'Ú' | 'Ù' | 'Û' => 'U',
        _ => c,
    }
}

fn septets(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else {
        EXTENDED.contains(c).then_some(2)
    }
}

/// A character is never split between two segments.
fn segments(lengths: &[usize], alone: usize, part: usize) -> usize {
    if lengths.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (full, _) = lengths.iter().fold((1, 0), |(parts, used), length| {
        if used + length > part {
            (parts + 1, *length)
        } else {
            (parts, used + length)
        }
    });
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Encoding, usize) {
        let size = size(text);
        (size.encoding, size.segments)
    }

    #[test]
    fn a_segment_holds_what_the_standard_says() {
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(of(""), (Encoding::Gsm7, 1));
        assert_eq!(of(&"a".repeat(160)), (Encoding::Gsm7, 1));
        assert_eq!(of(&"a".repeat(161)), (Encoding::Gsm7, 2));
        assert_eq!(of(&"a".repeat(306)), (Encoding::Gsm7, 2));
        assert_eq!(of(&"a".repeat(307)), (Encoding::Gsm7, 3));
        assert_eq!(of(&"€".repeat(80)), (Encoding::Gsm7, 1));
        assert_eq!(of(&"€".repeat(81)), (Encoding::Gsm7, 2));
        // 76 of two septets fill 152 of 153: the next begins another segment.
        assert_eq!(of(&"€".repeat(153)), (Encoding::Gsm7, 3));
        assert_eq!(of(&"ж".repeat(70)), (Encoding::Ucs2, 1));
        assert_eq!(of(&"ж".repeat(71)), (Encoding::Ucs2, 2));
        assert_eq!(of(&"🧥".repeat(36)), (Encoding::Ucs2, 2));
    }

    #[test]
    fn typography_is_made_plain_and_letters_stay() {
        assert_eq!(plain("2:05\u{202f}PM – “ready”…"), "2:05 PM - \"ready\"...");
        assert_eq!(plain("Größe ñ é à"), "Größe ñ é à");
    }

    #[test]
    fn accents_go_only_where_that_saves_the_text() {
        assert_eq!(plain("tu código"), "tu codigo");
        assert_eq!(plain("código для Ивана"), "código для Ивана");
    }
}
