//! How products are found: the tokens of a product, the tokens of a question, and the order
//! of the answer. Both databases are given these tokens and cut nothing by themselves, so
//! that they agree on what is found and in which order.
//!
//! A token is a mark of the brand, a letter for its kind and what it says, made of small
//! letters, digits and characters beyond ASCII only: databases take it as it is. The mark
//! keeps brands apart in one index; whoever reads a hit looks at its brand as well.

pub mod price;
mod question;
mod tokens;
pub mod words;

#[cfg(test)]
mod tests;

pub use question::{Question, Stream, Terms, Tier};
pub use tokens::{VERSION, tokens};

use words::Piece;

/// Letters of the shortest and the longest beginning that a word is found by; what is longer
/// in a question counts by so many.
const BEGINNINGS: std::ops::RangeInclusive<usize> = 2..=12;

/// Words of so many letters are found with one letter wrong, missing or too many.
const FORGIVEN: std::ops::RangeInclusive<usize> = 5..=12;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Any product that shoppers see.
    All,
    /// The whole title, a SKU, a GTIN or the handle.
    Exact,
    /// A word of the title.
    Title,
    /// How a word of the title begins.
    TitleBeginning,
    /// A word of anything else.
    Word,
    /// How a word of vendor, type, tags, categories or variants begins.
    Beginning,
    /// A word of the title, or what is left of it without one of its letters.
    Similar,
    /// A category.
    Category,
    /// A bucket of prices.
    Price,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::All => 'a',
            Self::Exact => 'x',
            Self::Title => 't',
            Self::TitleBeginning => 'b',
            Self::Word => 'w',
            Self::Beginning => 'p',
            Self::Similar => 'd',
            Self::Category => 'c',
            Self::Price => 'm',
        }
    }
}

/// Makes a brand's tokens.
struct Mint(String);

impl Mint {
    fn new(brand_id: &str) -> Self {
        Self(mark(brand_id))
    }

    fn all(&self) -> String {
        self.token(Kind::All, "")
    }

    /// By name, SKU, GTIN or handle; `None` for what has neither letter nor digit.
    fn exact(&self, text: &str) -> Option<String> {
        let letters = words::letters(text);
        (!letters.is_empty()).then(|| self.token(Kind::Exact, &hash(&letters)))
    }

    fn category(&self, category: &str) -> String {
        self.token(Kind::Category, &hash(category))
    }

    fn price(&self, (level, bucket): (u32, u32)) -> String {
        self.token(Kind::Price, &format!("{level}x{bucket}"))
    }

    fn word(&self, kind: Kind, piece: &Piece) -> String {
        match piece {
            Piece::Word(word) => self.token(kind, &words::stem(word)),
            Piece::Gram(gram) => self.token(kind, gram),
        }
    }

    fn token(&self, kind: Kind, what: &str) -> String {
        format!("{}{}{what}", self.0, kind.letter())
    }
}

/// What the tokens of a brand begin with: five letters and digits.
pub fn mark(brand_id: &str) -> String {
    let letters: Vec<char> = brand_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let last = letters.len().saturating_sub(5);
    letters.iter().skip(last).collect()
}

/// The word and what is left of it without one of its letters, where it is long enough.
fn forgiving(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if !FORGIVEN.contains(&letters.len()) {
        return Vec::new();
    }
    let without = |left_out: usize| -> String {
        let others = letters.iter().enumerate().filter(|(at, _)| *at != left_out);
        others.map(|(_, letter)| letter).collect()
    };
    let mut forms: Vec<String> = (0..letters.len()).map(without).collect();
    forms.push(word.to_owned());
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// FNV-1a, in hexadecimal.
fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:x}")
}
