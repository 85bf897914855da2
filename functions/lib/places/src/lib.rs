//! Countries, their regions and what their addresses need, by code and by name: ISO 3166-1 and
//! -2 with CLDR's names, from the crate `keshvar` at build time.

mod fold;

pub use fold::fold;

include!(concat!(env!("OUT_DIR"), "/countries.rs"));

/// The longest name that is looked up, in bytes: none of the table's is as long.
const MAX_NAME_BYTES: usize = 255;

/// Codes that ISO 3166-1 reserves because the European Union and others use them.
const RESERVED: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// ISO 3166-1 alpha-3.
    pub alpha_3: &'static str,
    /// In English.
    pub name: &'static str,
    /// Whether mail does not arrive without a postal code.
    pub needs_postal_code: bool,
    /// Whether its addresses name a town.
    pub needs_locality: bool,
    /// Folded, separated by tabs.
    names: &'static str,
}

/// A subdivision of ISO 3166-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Without the country's.
    pub code: &'static str,
    /// In English.
    pub name: &'static str,
}

/// The country that `text` names: a code of two or three letters, or a name in English, in a
/// language of the country or in one of the world's large ones. Case, accents and punctuation
/// do not matter. `None`: no country.
pub fn country(text: &str) -> Option<&'static Country> {
    if text.len() > MAX_NAME_BYTES {
        return None;
    }
    let folded = fold(text);
    let code = folded.to_ascii_uppercase();
    let reserved = RESERVED.iter().find(|(reserved, _)| *reserved == code);
    let code = reserved.map_or(code.as_str(), |(_, code)| code);
    let by_code = match code.len() {
        2 => COUNTRIES.iter().find(|country| country.code == code),
        3 => COUNTRIES.iter().find(|country| country.alpha_3 == code),
        _ => None,
    };
    let named = |country: &&Country| country.names.split('\t').any(|name| name == folded);
    by_code.or_else(|| COUNTRIES.iter().filter(|_| !folded.is_empty()).find(named))
}

/// All countries, by code.
pub fn countries() -> impl Iterator<Item = &'static Country> {
    COUNTRIES.iter()
}

impl Country {
    /// By code; empty for a country that has none.
    pub fn regions(&self) -> impl Iterator<Item = Region> + use<> {
        self.region_lines().filter_map(|line| {
            let mut parts = line.split('\t');
            Some(Region {
                code: parts.next()?,
                name: parts.next()?,
            })
        })
    }

    /// Code, English name and folded names, separated by tabs. The regions are a table of
    /// their own so that who asks for countries alone does not carry them.
    fn region_lines(&self) -> std::str::Lines<'static> {
        let own = REGIONS.iter().find(|(country, _)| *country == self.code);
        own.map_or("", |(_, lines)| lines).lines()
    }

    /// The regions that `text` may mean: by code, with or without the country's (`CA`,
    /// `US-CA`), otherwise by a name in English or a language of the country. Several where
    /// regions of two levels share their name.
    pub fn regions_named(&self, text: &str) -> Vec<Region> {
        if text.len() > MAX_NAME_BYTES {
            return Vec::new();
        }
        let folded = fold(text);
        let code = folded.to_ascii_uppercase();
        let bare = text
            .trim_start()
            .split_at_checked(2)
            .filter(|(country, rest)| {
                country.eq_ignore_ascii_case(self.code) && rest.starts_with(is_separator)
            });
        let by_code = |wanted: &str| self.regions().find(|region| region.code == wanted);
        let within = || by_code(&fold(bare?.1).to_ascii_uppercase());
        if let Some(region) = by_code(&code).or_else(within) {
            return vec![region];
        }
        let named = self.region_lines().filter_map(|line| {
            let mut parts = line.split('\t');
            let region = Region {
                code: parts.next()?,
                name: parts.next()?,
            };
            parts.any(|name| name == folded).then_some(region)
        });
        named.collect()
    }
}

/// What stands between a country's code and its region's.
fn is_separator(letter: char) -> bool {
    !letter.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<&'static str> {
        country(text).map(|country| country.code)
    }

    fn regions(country_code: &str, text: &str) -> Vec<&'static str> {
        let found = country(country_code)
            .expect("a country")
            .regions_named(text);
        found.iter().map(|region| region.code).collect()
    }

    #[test]
    fn a_country_goes_by_many_names() {
        for (text, known) in [
            ("DE", "DE"),
            ("de", "DE"),
            ("DEU", "DE"),
            ("Germany", "DE"),
            ("Deutschland", "DE"),
            ("Allemagne", "DE"),
            ("UK", "GB"),
            ("U.K.", "GB"),
            ("united kingdom", "GB"),
            ("EL", "GR"),
            ("Ελλάδα", "GR"),
            ("U.S.A.", "US"),
            ("Türkiye", "TR"),
            ("Turkiye", "TR"),
            ("日本", "JP"),
            ("Côte d'Ivoire", "CI"),
            ("XK", "XK"),
        ] {
            assert_eq!(code(text), Some(known), "{text}");
        }
        for text in ["", "ZZ", "XX", "ZZZ", "Atlantis", "--", &"a".repeat(5_000)] {
            assert_eq!(code(text), None, "{text}");
        }
    }

    #[test]
    fn a_region_goes_by_code_and_by_names() {
        for (country, text, known) in [
            ("US", "CA", "CA"),
            ("US", "us-ca", "CA"),
            ("US", "California", "CA"),
            ("US", "N.Y.", "NY"),
            ("US", "new  york", "NY"),
            ("CA", "Québec", "QC"),
            ("CA", "Quebec", "QC"),
            ("CA", "Nouvelle-Écosse", "NS"),
            ("DE", "Bavaria", "BY"),
            ("DE", "bayern", "BY"),
            ("DE", "Lower Saxony", "NI"),
            ("ES", "Canarias", "CN"),
            ("IN", "Tamil Nadu", "TN"),
            ("IN", "महाराष्ट्र", "MH"),
            ("JP", "東京都", "13"),
            ("CH", "Aargau", "AG"),
            ("BR", "Sao Paulo", "SP"),
        ] {
            assert_eq!(regions(country, text), [known], "{text}");
        }
        assert!(regions("US", "Bavaria").is_empty());
        assert!(regions("US", "").is_empty());
        assert_eq!(regions("ES", "La Rioja").len(), 2);
    }

    #[test]
    fn an_address_needs_what_its_country_has() {
        let needs = |text| country(text).map(|country| country.needs_postal_code);
        for text in ["US", "DE", "GB", "CA", "JP"] {
            assert_eq!(needs(text), Some(true), "{text}");
        }
        for text in ["HK", "AE", "PA", "IE", "QA"] {
            assert_eq!(needs(text), Some(false), "{text}");
        }
        assert!(country("FR").is_some_and(|country| country.needs_locality));
        assert!(country("SG").is_some_and(|country| !country.needs_locality));
    }

    /// Every name of the table leads to its row, unless others have it too.
    #[test]
    fn every_name_and_code_leads_home() {
        for country in countries() {
            assert_eq!(code(country.code), Some(country.code));
            assert_eq!(code(country.alpha_3), Some(country.code));
            for region in country.regions() {
                assert_eq!(country.regions_named(region.code), [region]);
                let prefixed = format!("{}-{}", country.code, region.code);
                assert_eq!(country.regions_named(&prefixed), [region], "{prefixed}");
                let named = country.regions_named(region.name);
                let is_a_code = country
                    .regions()
                    .any(|other| other.code.eq_ignore_ascii_case(region.name));
                assert!(
                    named.contains(&region) || is_a_code,
                    "{country:?} {region:?}"
                );
            }
        }
    }
}
