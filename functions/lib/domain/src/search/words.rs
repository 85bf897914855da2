//! What people write, cut into the words that it is found by.
//!
//! Texts and questions go through the same functions, so that what is spelled differently
//! and means the same is the same: case, accents, ligatures, full-width letters, digits of
//! other scripts, compositions. Scripts that put no spaces between words are cut into pairs
//! of characters, and into single ones.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::typed;

/// A word counts by its first so many letters.
const MAX_LETTERS: usize = 32;

/// A piece of text that can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// A word between spaces or punctuation, folded.
    Word(String),
    /// One or two neighbouring characters of a script without spaces.
    Gram(String),
}

/// Words that a hyphen, a full stop, a slash or an underscore connects, such as `t-shirt` or
/// a SKU. A run of a script without spaces, and a word alone, are groups of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// At least one, in order.
    Words(Vec<String>),
    /// The characters of the run, in order.
    Unspaced(Vec<char>),
}

/// `text` in the form in which texts are compared: compatibility forms resolved (NFKD), small
/// letters, without the marks of Latin, Greek, Cyrillic, Arabic and Hebrew letters, composed
/// (NFC). Folding twice changes nothing.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Some capitals only show what they are made of once they are small.
    let small: String = text
        .chars()
        .map(|c| if is_sign(c) { ' ' } else { c })
        .nfkd()
        .flat_map(char::to_lowercase)
        .collect();
    let mut plain = String::with_capacity(small.len());
    for c in small.nfkd().filter(|c| !is_dropped(*c)) {
        match expansion(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(typed::digit(c).unwrap_or(c)),
        }
    }
    plain.nfc().collect()
}

/// The groups of words of `text`, folded, in order. Punctuation alone gives none.
pub fn groups(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    // The words so far of a group that a connector may continue.
    let mut open: Vec<String> = Vec::new();
    let mut before = ' ';
    let folded = fold(text);
    let mut rest = folded.as_str();
    while let Some(first) = rest.chars().next() {
        let kind = Kind::of(first);
        let end = rest
            .char_indices()
            .find(|(_, c)| Kind::of(*c) != kind && !(kind != Kind::Other && is_combining_mark(*c)))
            .map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at(end);
        match kind {
            Kind::Other => {
                if !(run.chars().count() == 1 && is_connector(first)) {
                    close(&mut open, &mut groups);
                }
            }
            Kind::Unspaced => {
                close(&mut open, &mut groups);
                groups.push(Group::Unspaced(run.chars().collect()));
            }
            // What is left of a possessive is no word.
            Kind::Spaced if run == "s" && is_apostrophe(before) => {}
            Kind::Spaced => open.push(run.chars().take(MAX_LETTERS).collect()),
        }
        before = run.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    close(&mut open, &mut groups);
    groups
}

fn close(open: &mut Vec<String>, groups: &mut Vec<Group>) {
    if !open.is_empty() {
        groups.push(Group::Words(std::mem::take(open)));
    }
}

/// All that a text is found by: its words, connected words also as one, a single letter also
/// together with the word after it (`T Shirt`), and the grams of what has no spaces.
pub fn pieces(text: &str) -> Vec<Piece> {
    let groups = groups(text);
    let mut pieces = Vec::new();
    let mut letter: Option<String> = None;
    for group in groups {
        match group {
            Group::Unspaced(run) => {
                letter = None;
                pieces.extend(run.iter().map(|c| Piece::Gram(c.to_string())));
                pieces.extend(pairs(&run).map(Piece::Gram));
            }
            Group::Words(words) => {
                if words.len() > 1 {
                    pieces.push(Piece::Word(joined(&words)));
                }
                if let (Some(letter), Some(word)) = (&letter, words.first()) {
                    pieces.push(Piece::Word(joined(&[letter.clone(), word.clone()])));
                }
                letter = words
                    .first()
                    .filter(|word| words.len() == 1 && is_letter(word))
                    .cloned();
                pieces.extend(words.into_iter().map(Piece::Word));
            }
        }
    }
    pieces
}

/// The words that somebody asks for one by one, folded, and the pairs of what has no spaces
/// (a character alone where there is no more).
pub fn asked(text: &str) -> Vec<String> {
    let asked = |group: Group| match group {
        Group::Words(words) => words,
        Group::Unspaced(run) if run.len() == 1 => vec![run.iter().collect()],
        Group::Unspaced(run) => pairs(&run).collect(),
    };
    groups(text).into_iter().flat_map(asked).collect()
}

fn pairs(run: &[char]) -> impl Iterator<Item = String> {
    run.windows(2).map(|pair| pair.iter().collect())
}

/// Connected words as one.
pub fn joined(words: &[String]) -> String {
    words.concat().chars().take(MAX_LETTERS).collect()
}

/// The letters and digits of `text`, folded, without anything between them: what two ways to
/// write the same name or number have in common.
pub fn letters(text: &str) -> String {
    let folded = fold(text);
    folded
        .chars()
        .filter(|c| Kind::of(*c) != Kind::Other)
        .collect()
}

/// Whether a word is a single letter, such as the `t` of `t-shirt`.
pub fn is_letter(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
}

/// What a word, folded, has in common with its plural. English, Spanish, French, Portuguese
/// and Dutch build plurals by the same few endings; a word of other letters stays as it is.
pub fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return stem;
    }
    if stem.ends_with('s') && !["ss", "us", "is"].iter().any(|end| stem.ends_with(end)) {
        stem.pop();
    }
    if stem.ends_with('e') && stem.len() > 3 {
        stem.pop();
    }
    match stem.pop() {
        // `lady` and `ladies`, `knife` and `knives`.
        Some('y') if stem.len() > 2 => stem.push('i'),
        Some('v') => stem.push('f'),
        Some(last) => stem.push(last),
        None => {}
    }
    stem
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a script whose words stand between spaces.
    Spaced,
    /// Of a script that has no spaces between words.
    Unspaced,
    Other,
}

impl Kind {
    fn of(c: char) -> Self {
        match c {
            _ if !(c.is_alphanumeric() || is_combining_mark(c)) => Self::Other,
            '0'..='9' => Self::Spaced,
            // Thai, Lao, Myanmar, Khmer; kana and Han with their marks of repetition.
            '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3005}'..='\u{3007}'
            | '\u{3041}'..='\u{312f}'
            | '\u{31a0}'..='\u{31bf}'
            | '\u{31f0}'..='\u{31ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}' => Self::Unspaced,
            _ => Self::Spaced,
        }
    }
}

fn is_connector(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2013}' | '.' | '/' | '_')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '`')
}

/// Signs after a name that would become letters of it.
fn is_sign(c: char) -> bool {
    matches!(c, '\u{2122}' | '\u{2120}' | '\u{ae}' | '\u{a9}')
}

/// Marks that people leave out when they type, and what cannot be seen at all. Marks of other
/// scripts are vowels and tones: without them the word is another one.
fn is_dropped(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{ad}' | '\u{2bc}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The plain letters for one that is made of a letter and a stroke, hook or the like, which
/// Unicode does not decompose; as CLDR's `Latin-ASCII` has them.
fn expansion(c: char) -> Option<&'static str> {
    const LETTERS: [(&str, &str); 31] = [
        ("a", "ɐɑɒⱥ"),
        ("ae", "æ"),
        ("b", "ƀɓƃ"),
        ("c", "ƈȼɕ"),
        ("d", "đðƌɖɗȡ"),
        ("e", "əɘɛǝɇ"),
        ("f", "ƒ"),
        ("g", "ǥɠɡɢ"),
        ("h", "ħɦⱨ"),
        ("i", "ıɨɩɪᵻ"),
        ("j", "ȷɉʝ"),
        ("k", "ƙⱪ"),
        ("l", "łƚɫɬɭȴⱡ"),
        ("m", "ɱ"),
        ("n", "ŋɲƞɳȵ"),
        ("o", "øɵɔⱺ"),
        ("oe", "œɶ"),
        ("p", "ƥᵽ"),
        ("q", "ĸʠɋ"),
        ("r", "ɍɽɼ"),
        ("s", "ʂȿ"),
        ("ss", "ß"),
        ("t", "ŧƭʈⱦȶ"),
        ("th", "þ"),
        ("u", "ʉʊ"),
        ("v", "ʋⱱ"),
        ("w", "ⱳ"),
        ("y", "ƴɏ"),
        ("z", "ƶȥɀʐʑⱬʒ"),
        ("σ", "ς"),
        ("ي", "ى"),
    ];
    if c.is_ascii() {
        return None;
    }
    LETTERS
        .iter()
        .find(|(_, strange)| strange.contains(c))
        .map(|(plain, _)| *plain)
}
