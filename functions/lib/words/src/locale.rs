//! The languages that shoppers are spoken to in, and which of them somebody wants.

use icu_locale_core::{Locale as Icu, locale};

/// Languages of one header that are looked at, at most.
const MAX_RANGES: usize = 32;

/// A language that pages and messages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locale {
    #[default]
    En,
    Es,
    De,
}

impl Locale {
    pub const ALL: [Self; 3] = [Self::En, Self::Es, Self::De];

    /// BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::De => "de",
        }
    }

    /// The language of a BCP 47 tag, such as `de` or `es-MX`: by its language alone.
    pub fn parse(tag: &str) -> Option<Self> {
        let language = tag.trim().split(['-', '_']).next()?;
        Self::ALL
            .into_iter()
            .find(|known| known.tag().eq_ignore_ascii_case(language))
    }

    /// The best of what an `Accept-Language` header asks for (RFC 9110, section 12.5.4),
    /// the earlier one of two that are liked as much; `None` when there is nothing to please.
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let ranges = accept_language.split(',').take(MAX_RANGES);
        let wanted = ranges.filter_map(|range| {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let locale = Self::parse(tag)?;
            let quality: f32 = weight
                .trim()
                .strip_prefix(['q', 'Q'])?
                .trim_start()
                .strip_prefix('=')?
                .trim()
                .parse()
                .ok()?;
            (quality > 0.0).then_some((locale, quality))
        });
        let best = wanted.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(locale, _)| locale)
    }

    pub(crate) fn icu(self) -> Icu {
        match self {
            Self::En => locale!("en"),
            Self::Es => locale!("es"),
            Self::De => locale!("de"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_language_gets_it() {
        for (header, wanted) in [
            ("de", Some(Locale::De)),
            ("es-MX,es;q=0.9,en;q=0.8", Some(Locale::Es)),
            ("fr, de;q=0.7, en;q=0.8", Some(Locale::En)),
            ("de;Q=0.7, en;Q=0.8", Some(Locale::En)),
            ("EN-us", Some(Locale::En)),
            ("en;q=0, de;q=0.1", Some(Locale::De)),
            ("fr", None),
            ("", None),
            ("*", None),
            ("de;q=x, ;;, es ; q=0.5", Some(Locale::Es)),
        ] {
            assert_eq!(Locale::negotiate(header), wanted, "{header}");
        }
    }

    #[test]
    fn a_tag_is_read_by_its_language() {
        assert_eq!(Locale::parse("de-AT"), Some(Locale::De));
        assert_eq!(Locale::parse("deu"), None);
        assert_eq!(Locale::parse(""), None);
        for locale in Locale::ALL {
            assert_eq!(Locale::parse(locale.tag()), Some(locale));
            assert_eq!(locale.icu().to_string(), locale.tag());
        }
    }
}
