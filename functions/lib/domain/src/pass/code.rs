//! The six characters that stand for a pass when the screen is broken.

use crate::typed::plain;

/// Characters of a code.
pub const CODE_CHARS: usize = 6;

/// Crockford's base 32 without B, S and Z, which are mistaken for 8, 5 and 2 in handwriting.
const ALPHABET: &[u8; 29] = b"0123456789ACDEFGHJKMNPQRTVWXY";

/// A code of 594 million possible ones, each as likely as any other to within 2⁻⁵⁰.
pub fn code(random: [u8; 10]) -> String {
    let base = ALPHABET.len() as u128;
    let mut left = random
        .iter()
        .fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    let digits = (0..CODE_CHARS).map(|_| {
        let digit = (left % base) as usize;
        left /= base;
        char::from(ALPHABET[digit])
    });
    digits.collect()
}

/// The code that somebody typed, as it is written in the database: blanks and hyphens go,
/// small letters grow, and a character that looks like another counts as that one. `None`
/// when it cannot be a code.
pub fn normalise_code(text: &str) -> Option<String> {
    const MAX_BYTES: usize = 100;
    let typed = (text.len() <= MAX_BYTES).then(|| plain(text))?;
    let code: String = typed
        .chars()
        .filter(|typed| !matches!(typed, ' ' | '-'))
        .map(|typed| match typed.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            'B' => '8',
            'S' => '5',
            'Z' => '2',
            'U' => 'V',
            other => other,
        })
        .collect();
    let known = |digit: u8| ALPHABET.contains(&digit);
    (code.len() == CODE_CHARS && code.bytes().all(known)).then_some(code)
}
