//! Numbers, and the words that go with them.

use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_plurals::{PluralCategory, PluralRules};

use crate::Locale;

/// Which form of a noun a number takes. Spanish has a third one, for whole millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plural {
    One,
    Many,
    Other,
}

/// The form that goes with this many.
pub fn plural(count: i64, locale: Locale) -> Plural {
    let rules = PluralRules::try_new_cardinal((&locale.icu()).into());
    match rules.map(|rules| rules.category_for(count.unsigned_abs())) {
        Ok(PluralCategory::One) => Plural::One,
        Ok(PluralCategory::Many) => Plural::Many,
        _ => Plural::Other,
    }
}

/// A whole number with the separators of the language: `1,234`.
pub fn number(value: i64, locale: Locale) -> String {
    decimal(Decimal::from(value), locale)
}

/// So many pieces: `1 item`, `3 items`.
pub fn items(count: i64, locale: Locale) -> String {
    let noun = match (locale, plural(count, locale)) {
        (Locale::En, Plural::One) => "item",
        (Locale::En, _) => "items",
        (Locale::Es, Plural::One) => "artículo",
        (Locale::Es, Plural::Many) => "de artículos",
        (Locale::Es, Plural::Other) => "artículos",
        (Locale::De, _) => "Artikel",
    };
    format!("{} {noun}", number(count, locale))
}

pub(crate) fn decimal(value: Decimal, locale: Locale) -> String {
    // The data of the three languages is compiled in.
    match DecimalFormatter::try_new((&locale.icu()).into(), Default::default()) {
        Ok(formatter) => formatter.format(&value).to_string(),
        Err(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_agree_with_their_number() {
        let said = |count| Locale::ALL.map(|locale| items(count, locale));
        assert_eq!(said(1), ["1 item", "1 artículo", "1 Artikel"]);
        assert_eq!(said(0), ["0 items", "0 artículos", "0 Artikel"]);
        assert_eq!(said(2), ["2 items", "2 artículos", "2 Artikel"]);
        assert_eq!(
            said(1_000_000),
            [
                "1,000,000 items",
                "1.000.000 de artículos",
                "1.000.000 Artikel"
            ]
        );
    }

    #[test]
    fn numbers_have_the_separators_of_the_language() {
        let said = |value| Locale::ALL.map(|locale| number(value, locale));
        assert_eq!(said(1_234), ["1,234", "1234", "1.234"]);
        assert_eq!(said(12_345), ["12,345", "12.345", "12.345"]);
    }
}
