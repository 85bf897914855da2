//! What people type and paste: one plain form, whatever keyboard, script or program it came
//! through. Everything that is compared with what somebody typed goes through here first:
//! phone numbers, mail addresses, codes, words like STOP, numbers under a barcode.

use unicode_normalization::UnicodeNormalization;

/// The zeros of the scripts whose digits people type; the other nine follow each of them
/// (Unicode Standard, section 22.3, general category Nd). Full-width digits are compatibility
/// forms and need no row here.
const ZEROS: [u32; 18] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810,
];

/// The text without marks that nobody sees, in compatibility composition (Unicode Standard
/// Annex #15, NFKC), with digits of any script as ASCII digits, every dash as `-`, every blank
/// as a space, and nothing around it. The caller bounds the length.
pub fn plain(text: &str) -> String {
    let seen = text.chars().filter(|typed| !is_unseen(*typed));
    let plain: String = seen.nfkc().map(as_ascii).collect();
    plain.trim().to_owned()
}

/// Marks that steer how text is shown, and what copying leaves between letters: soft hyphen,
/// joiners, direction marks, byte order mark.
fn is_unseen(typed: char) -> bool {
    matches!(
        typed,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

fn as_ascii(typed: char) -> char {
    match typed {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{30fc}' => '-',
        blank if blank.is_whitespace() => ' ',
        other => digit(other).unwrap_or(other),
    }
}

/// The ASCII digit of the same value, for a decimal digit of another script.
pub(crate) fn digit(typed: char) -> Option<char> {
    let code = u32::from(typed);
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    char::from_digit(code - zero, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_script_are_digits() {
        for text in [
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "０１２３４５６７８９",
            "०१२३४५६७८९",
            "๐๑๒๓๔๕๖๗๘๙",
        ] {
            assert_eq!(plain(text), "0123456789", "{text}");
        }
    }

    #[test]
    fn what_nobody_sees_is_not_there() {
        assert_eq!(
            plain("\u{202d}+49\u{ad}151\u{200b}1\u{202c}\u{feff}"),
            "+491511"
        );
        assert_eq!(plain("\u{200e} \u{a0}A\u{2011}B\u{3000}"), "A-B");
        assert_eq!(plain("\u{2212}5"), "-5");
    }

    #[test]
    fn compositions_and_compatibility_forms_are_one() {
        assert_eq!(plain("ARRE\u{302}T"), "ARRÊT");
        assert_eq!(plain("ＳＴＯＰ"), "STOP");
    }

    proptest::proptest! {
        #[test]
        fn plain_text_stays_as_it_is(text in ".{0,40}") {
            let once = plain(&text);
            proptest::prop_assert_eq!(plain(&once), once);
        }
    }
}
