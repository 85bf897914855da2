//! How a brand's own pages look: its colours, which people must be able to read, and a logo.

use serde::{Deserialize, Serialize};

/// What text needs against its ground (WCAG 2.2, success criterion 1.4.3), in hundredths.
const MIN_CONTRAST_PERCENT: i64 = 450;
/// A logo travels inside each page: its data URL has so many characters, at most.
const MAX_LOGO_CHARS: usize = 12_000;

/// The look of the brand's pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Theme {
    /// Buttons and links: `#rrggbb`. Must be readable on white.
    #[cfg_attr(feature = "openapi", schema(example = "#1f4f8f"))]
    pub accent: String,
    /// Text on buttons: `#rrggbb`. Must be readable on `accent`.
    #[cfg_attr(feature = "openapi", schema(example = "#ffffff"))]
    pub on_accent: String,
    /// A `data:` URL of a PNG, WebP or SVG image in Base64, at most 12,000 characters: pages
    /// load nothing from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            accent: "#1f4f8f".into(),
            on_accent: "#ffffff".into(),
            logo: None,
        }
    }
}

impl Theme {
    /// The first field that is wrong, and why.
    pub(super) fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        const COLOUR: &str = "no colour such as #1f4f8f";
        const WHITE: Colour = Colour([255; 3]);
        let accent = Colour::parse(&self.accent).ok_or(("theme.accent", COLOUR))?;
        let on_accent = Colour::parse(&self.on_accent).ok_or(("theme.on_accent", COLOUR))?;
        if contrast_percent(accent, WHITE) < MIN_CONTRAST_PERCENT {
            return Err(("theme.accent", "hard to read on white: contrast below 4.5"));
        }
        if contrast_percent(accent, on_accent) < MIN_CONTRAST_PERCENT {
            let detail = "hard to read on the accent: contrast below 4.5";
            return Err(("theme.on_accent", detail));
        }
        match self.logo.as_deref().is_none_or(is_logo) {
            true => Ok(()),
            false => Err((
                "theme.logo",
                "no data URL of a PNG, WebP or SVG image in Base64 of at most 12000 characters",
            )),
        }
    }
}

fn is_logo(url: &str) -> bool {
    let data = ["image/png", "image/webp", "image/svg+xml"]
        .iter()
        .find_map(|kind| {
            url.strip_prefix("data:")?
                .strip_prefix(kind)?
                .strip_prefix(";base64,")
        });
    let is_base64 = |data: &str| {
        data.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    url.len() <= MAX_LOGO_CHARS && data.is_some_and(|data| !data.is_empty() && is_base64(data))
}

/// Red, green and blue of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Colour([u8; 3]);

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let channel = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Self([channel(0)?, channel(2)?, channel(4)?]))
    }

    /// Relative luminance (WCAG 2.2), 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            match value <= 0.040_45 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// Contrast ratio (WCAG 2.2), in hundredths: 100 to 2100.
fn contrast_percent(one: Colour, other: Colour) -> i64 {
    let (one, other) = (one.luminance() + 0.05, other.luminance() + 0.05);
    (one.max(other) / one.min(other) * 100.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(accent: &str, on_accent: &str, logo: Option<&str>) -> Option<&'static str> {
        let theme = Theme {
            accent: accent.into(),
            on_accent: on_accent.into(),
            logo: logo.map(str::to_owned),
        };
        theme.validate().err().map(|(field, _)| field)
    }

    #[test]
    fn colours_must_be_readable() {
        assert_eq!(Theme::default().validate(), Ok(()));
        assert_eq!(fault("#767676", "#ffffff", None), None);
        assert_eq!(fault("#777777", "#ffffff", None), Some("theme.accent"));
        assert_eq!(fault("#1f4f8f", "#000000", None), Some("theme.on_accent"));
        for bad in ["", "red", "#fff", "1f4f8f", "#1f4f8", "#1f4f8ff", "#ééé"] {
            assert_eq!(fault(bad, "#ffffff", None), Some("theme.accent"), "{bad}");
        }
        let colour = |text| Colour::parse(text).unwrap();
        assert_eq!(contrast_percent(colour("#000000"), colour("#ffffff")), 2100);
    }

    #[test]
    fn a_logo_comes_with_the_page() {
        let logo = |url| fault("#1f4f8f", "#ffffff", Some(url));
        assert_eq!(logo("data:image/svg+xml;base64,PHN2Zy8+"), None);
        for bad in [
            "https://cdn.example/logo.png",
            "data:text/html;base64,PHN2Zy8+",
            "data:image/png;base64,",
            "data:image/png;base64,\"onerror",
            "data:image/png,abc",
        ] {
            assert_eq!(logo(bad), Some("theme.logo"), "{bad}");
        }
        let long = format!("data:image/png;base64,{}", "A".repeat(MAX_LOGO_CHARS));
        assert_eq!(logo(&long), Some("theme.logo"));
    }
}
