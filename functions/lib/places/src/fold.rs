//! Names as they are compared: no case, no accents, no punctuation, no blanks.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// `São Paulo`, `sao paulo` and `SAO-PAULO` are one name; `N.Y.` is `ny`.
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.nfkd().flat_map(char::to_lowercase) {
        match letter {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            '&' => folded.push_str("and"),
            letter if canonical_combining_class(letter) == 0 && letter.is_alphanumeric() => {
                folded.push(letter);
            }
            _ => {}
        }
    }
    folded
}
