//! The grammar of a template: `{name}` is filled in, and what stands in `[…]` is left away,
//! the last one first, until a text fits one segment.

use std::collections::BTreeMap;

use super::words::{LANGUAGES, TEMPLATES, Template};
use crate::sms;

/// Characters of a template, and of what comes of it, at most.
pub const MAX_CHARS: usize = 1_000;

/// Values by name.
pub type Values = BTreeMap<String, String>;

/// A template that there is.
#[derive(Clone, Copy)]
pub struct Known(&'static Template);

/// The template of this name.
pub fn known(name: &str) -> Option<Known> {
    TEMPLATES.iter().find(|one| one.name == name).map(Known)
}

/// The language of a BCP 47 tag.
pub fn language(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

impl Known {
    /// The names that its words may use.
    pub fn values(self) -> &'static [&'static str] {
        self.0.values
    }

    pub(super) fn is_of_an_order(self) -> bool {
        self.0.name.starts_with("order_")
    }

    /// Built-in subject and text.
    pub(super) fn in_language(self, language: &str) -> Option<(&'static str, &'static str)> {
        let index = LANGUAGES.iter().position(|known| *known == language)?;
        let words = self.0.words.get(index)?;
        Some((words.subject, words.text))
    }

    /// The subject in English.
    pub(super) fn subject(self) -> &'static str {
        self.in_language("en").map_or("", |(subject, _)| subject)
    }
}

/// What is wrong with a template, for whoever wrote it; `None`: nothing. `known` are the
/// names that it may use.
pub fn fault(text: &str, known: &[&str]) -> Option<&'static str> {
    if text.trim().is_empty() || text.chars().count() > MAX_CHARS {
        return Some("not 1 to 1000 characters");
    }
    let mut inside = false;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', '[', ']']) {
        let after = &rest[at + 1..];
        rest = match &rest[at..=at] {
            "[" if !inside => {
                inside = true;
                after
            }
            "]" if inside => {
                inside = false;
                after
            }
            "{" => match after.split_once('}') {
                Some((name, after)) if known.contains(&name) => after,
                _ => return Some("a placeholder that this template does not have"),
            },
            _ => return Some("brackets that do not match"),
        };
    }
    inside.then_some("brackets that do not match")
}

/// Whether this value is part of whatever comes of the template, however short it must be.
pub fn always_says(template: &str, name: &str) -> bool {
    pieces(template)
        .iter()
        .any(|piece| !piece.optional && piece.names().any(|own| own == name))
}

/// The template filled in, whole. An optional part with a value that is missing is left
/// away; elsewhere a missing value is nothing.
pub fn fill(template: &str, values: &Values) -> String {
    pieces(template)
        .iter()
        .filter(|piece| !piece.optional || piece.has_all(values))
        .map(|piece| piece.fill(values))
        .collect()
}

/// The template as a text message: in plain characters, and without as many of its optional
/// parts as it takes to fit one segment.
pub fn text(template: &str, values: &Values) -> String {
    let mut pieces = pieces(template);
    pieces.retain(|piece| !piece.optional || piece.has_all(values));
    loop {
        let filled: String = pieces.iter().map(|piece| piece.fill(values)).collect();
        let filled = sms::plain(filled.trim());
        if sms::size(&filled).segments <= 1 {
            return filled;
        }
        match pieces.iter().rposition(|piece| piece.optional) {
            Some(last) => drop(pieces.remove(last)),
            None => return filled,
        }
    }
}

struct Piece<'a> {
    text: &'a str,
    optional: bool,
}

fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut optional = false;
    for text in template.split(['[', ']']) {
        pieces.push(Piece { text, optional });
        optional = !optional;
    }
    pieces
}

impl Piece<'_> {
    fn has_all(&self, values: &Values) -> bool {
        let has = |name: &str| values.get(name).is_some_and(|value| !value.is_empty());
        self.names().all(has)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.text
            .split('{')
            .skip(1)
            .filter_map(|part| Some(part.split_once('}')?.0))
    }

    fn fill(&self, values: &Values) -> String {
        let mut filled = String::new();
        for (index, part) in self.text.split('{').enumerate() {
            match part.split_once('}').filter(|_| index > 0) {
                Some((name, after)) => {
                    filled.push_str(values.get(name).map_or("", String::as_str));
                    filled.push_str(after);
                }
                None => filled.push_str(part),
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        owned.collect()
    }

    #[test]
    fn a_template_says_what_is_wrong_with_it() {
        let fault = |text| fault(text, &["brand", "link"]);
        assert_eq!(fault("{brand}: see {link}[ or call]"), None);
        for bad in [
            "",
            " ",
            "{brand",
            "{who}",
            "a [b",
            "a]",
            "[a [b]]",
            "a } b",
            &"x".repeat(1_001),
        ] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn the_built_in_words_are_in_order() {
        for one in &TEMPLATES {
            for words in &one.words {
                assert_eq!(fault(words.text, one.values), None, "{}", words.text);
                assert_eq!(fault(words.subject, one.values), None, "{}", words.subject);
                assert!(words.text.contains("{brand}"), "{}", words.text);
            }
        }
    }

    #[test]
    fn the_built_in_texts_fit_one_segment() {
        let given = values(&[
            ("brand", "Northfell"),
            ("code", "123456"),
            ("link", "https://north.example/i/7Q4ZKM0TCX7Q4Z"),
            ("number", "7Q4ZK-M0TCX"),
            ("store", "Northfell Berlin"),
            ("when", "Donnerstag, 24. September um 14:05"),
            ("until", "Donnerstag, 24. September um 14:05"),
        ]);
        for one in &TEMPLATES {
            for words in &one.words {
                let text = text(words.text, &given);
                assert_eq!(sms::size(&text).segments, 1, "{text}");
            }
        }
    }

    #[test]
    fn values_are_filled_in_and_never_read_as_a_template() {
        let given = values(&[("brand", "{link} [A]"), ("link", "https://a.example")]);
        assert_eq!(
            fill("{brand}: {link}{gone}.", &given),
            "{link} [A]: https://a.example."
        );
        assert_eq!(fill("x[ {gone}][ {link}]", &given), "x https://a.example");
    }

    #[test]
    fn optional_parts_go_until_it_fits() {
        let long = "a".repeat(100);
        let given = values(&[("long", &long)]);
        assert_eq!(text("{long}[ 1 {long}][ 2]", &given).len(), 100);
        assert_eq!(text("{long}[ 1][ 2]", &given), format!("{long} 1 2"));
        assert_eq!(text("{long}{long}[ 1]", &given).len(), 200);
    }
}
