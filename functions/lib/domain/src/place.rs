//! Where something is or goes: what people write of a country and its region, as codes, and
//! what has to be asked before it can be taxed.

use aisle_places::{Country, Region};

use crate::notice::Notice;
use crate::tax::{TaxPlace, TaxRate};

pub use aisle_places::country;

/// The most of what somebody wrote that is repeated to them, in characters.
const MAX_QUOTED_CHARS: usize = 60;

/// Why a place cannot be taxed yet. Whoever wrote it can say better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    CountryMissing,
    /// No country has this code or name.
    CountryUnknown(String),
    /// Tax differs by region there. In English: the country.
    RegionMissing(&'static str),
    /// The country, and what was written of its region.
    RegionUnknown(&'static str, String),
}

impl Unclear {
    /// UCP's name of the field that would make it clear.
    pub fn field(&self) -> &'static str {
        match self {
            Self::CountryMissing | Self::CountryUnknown(_) => "address_country",
            Self::RegionMissing(_) | Self::RegionUnknown(..) => "address_region",
        }
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CountryMissing | Self::RegionMissing(_) => "missing",
            Self::CountryUnknown(_) => "country_unknown",
            Self::RegionUnknown(..) => "region_unknown",
        }
    }

    /// For people.
    pub fn detail(&self) -> String {
        match self {
            Self::CountryMissing => "The address lacks its country.".into(),
            Self::CountryUnknown(text) => format!(
                "There is no country {}; send its ISO 3166-1 code, such as US, or its name.",
                quoted(text)
            ),
            Self::RegionMissing(country) => format!(
                "Tax in {country} depends on the state or region; say which, as in US-CA or California."
            ),
            Self::RegionUnknown(country, text) => format!(
                "{} is not clearly a state or region of {country}; send its ISO 3166-2 code, such as US-CA.",
                quoted(text)
            ),
        }
    }

    /// As a question about the address that stands at `path` in the document.
    pub fn notice(&self, path: &str) -> Notice {
        Notice::error(
            self.code(),
            format!("{path}.{}", self.field()),
            self.detail(),
        )
    }
}

fn quoted(text: &str) -> String {
    let short: String = text.trim().chars().take(MAX_QUOTED_CHARS).collect();
    format!("\"{short}\"")
}

/// Where `rates` tax something in a country and a region as people write them, by code or by
/// name: the one reading of a place, whoever asks. Where the rates have any for regions of
/// the country, a region that is not understood is a question and never the country's rate.
pub fn find(rates: &[TaxRate], country: &str, region: &str) -> Result<TaxPlace, Unclear> {
    let Some(known) = aisle_places::country(country) else {
        return Err(match country.trim() {
            "" => Unclear::CountryMissing,
            text => Unclear::CountryUnknown(text.to_owned()),
        });
    };
    let regional = || {
        let own = rates.iter().filter(|rate| rate.country == known.code);
        own.filter(|rate| !rate.region.is_empty())
    };
    let place = |region: &str| TaxPlace {
        country: known.code.to_owned(),
        region: region.to_owned(),
    };
    if regional().next().is_none() {
        return Ok(place(only(known, region).unwrap_or_default()));
    }
    if region.trim().is_empty() {
        return Err(Unclear::RegionMissing(known.name));
    }
    let listed = regional().find(|rate| rate.region.eq_ignore_ascii_case(region.trim()));
    if let Some(rate) = listed {
        return Ok(place(&rate.region));
    }
    let meant = known.regions_named(region);
    let unknown = || Unclear::RegionUnknown(known.name, region.to_owned());
    let first = meant.first().ok_or_else(unknown)?;
    let rows = |code: &str| {
        let own = regional().filter(move |rate| rate.region == code);
        let mut rows: Vec<_> = own
            .map(|rate| (&rate.category, &rate.name, rate.rate_ppm))
            .collect();
        rows.sort_unstable();
        rows
    };
    let same = |other: &Region| rows(other.code) == rows(first.code);
    meant
        .iter()
        .all(same)
        .then(|| place(first.code))
        .ok_or_else(unknown)
}

/// A country and region as codes, where they are understood without doubt; otherwise as they
/// were written.
pub fn as_codes(country: &mut String, region: &mut String) {
    let Some(known) = aisle_places::country(country) else {
        return;
    };
    known.code.clone_into(country);
    if let Some(code) = only(known, region) {
        code.clone_into(region);
    }
}

/// [`as_codes`] of what may be absent.
pub fn as_codes_opt(country: &mut Option<String>, region: &mut Option<String>) {
    let Some(country) = country else {
        return;
    };
    match region {
        Some(region) => as_codes(country, region),
        None => as_codes(country, &mut String::new()),
    }
}

/// The region's code, if the text means just one.
fn only(country: &Country, region: &str) -> Option<&'static str> {
    match country.regions_named(region)[..] {
        [one] => Some(one.code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(country: &str, region: &str, rate_ppm: i64) -> TaxRate {
        TaxRate {
            country: country.into(),
            region: region.into(),
            category: String::new(),
            name: String::new(),
            rate_ppm,
        }
    }

    fn found(rates: &[TaxRate], country: &str, region: &str) -> (String, String) {
        let place = find(rates, country, region).expect("a place");
        (place.country, place.region)
    }

    fn of(country: &str, region: &str) -> (String, String) {
        (country.into(), region.into())
    }

    #[test]
    fn a_region_with_its_own_rate_is_found_by_any_of_its_names() {
        let rates = [rate("US", "", 0), rate("US", "NY", 80_000)];
        for text in ["NY", "ny", "US-NY", "New York", "N.Y.", " new york "] {
            assert_eq!(found(&rates, "US", text), of("US", "NY"), "{text}");
        }
        assert_eq!(found(&rates, "United States", "Oregon"), of("US", "OR"));
    }

    #[test]
    fn a_region_that_is_not_understood_is_asked_for_where_it_matters() {
        let rates = [rate("US", "NY", 80_000), rate("DE", "", 190_000)];
        let question = |country, region| find(&rates, country, region).expect_err("a question");
        assert_eq!(
            question("US", ""),
            Unclear::RegionMissing("United States of America")
        );
        let unknown = question("USA", "Gotham");
        assert_eq!(
            (unknown.code(), unknown.field()),
            ("region_unknown", "address_region")
        );
        for (country, code) in [
            ("ZZ", "country_unknown"),
            ("", "missing"),
            ("  ", "missing"),
        ] {
            let unclear = question(country, "");
            assert_eq!((unclear.code(), unclear.field()), (code, "address_country"));
        }
        assert_eq!(found(&rates, "Germany", "Gotham"), of("DE", ""));
        assert_eq!(found(&rates, "DEU", "Bavaria"), of("DE", "BY"));
    }

    #[test]
    fn regions_of_one_name_are_one_where_they_cost_the_same() {
        let rates = [rate("ES", "", 210_000), rate("ES", "CN", 70_000)];
        assert_eq!(found(&rates, "ES", "La Rioja").0, "ES");
        let differing = [rate("ES", "RI", 1), rate("ES", "", 2)];
        assert!(find(&differing, "ES", "La Rioja").is_err());
        assert_eq!(found(&differing, "ES", "ES-RI"), of("ES", "RI"));
    }

    #[test]
    fn a_code_that_only_the_brand_knows_is_its_own() {
        let rates = [rate("HK", "KLN", 1)];
        assert_eq!(found(&rates, "HK", "kln"), of("HK", "KLN"));
        assert!(find(&rates, "HK", "Kowloon").is_err());
    }

    /// For every country: whatever its regions cost, a name costs what its code costs, or is
    /// asked about, and nothing is never taken for the country's rate.
    #[test]
    fn name_and_code_of_a_region_cost_the_same_or_are_asked_about() {
        for country in aisle_places::countries() {
            let mut rates = vec![rate(country.code, "", 0)];
            let rows = country.regions().enumerate();
            rates.extend(rows.map(|(at, region)| rate(country.code, region.code, at as i64 + 1)));
            let price = |region: &str| {
                let place = find(&rates, country.code, region).ok()?;
                Some(crate::tax::rate_ppm(&rates, &place, ""))
            };
            if rates.len() > 1 {
                assert_eq!(price(""), None, "{}", country.name);
            }
            for region in country.regions() {
                let by_code = price(region.code);
                assert!(by_code.is_some_and(|ppm| ppm > 0), "{region:?}");
                assert_eq!(price(&format!("{}-{}", country.code, region.code)), by_code);
                assert_eq!(price(&region.code.to_lowercase()), by_code);
                for text in [region.name.to_owned(), region.name.to_uppercase()] {
                    let by_name = price(&text);
                    let is_code = country
                        .regions_named(&text)
                        .iter()
                        .any(|one| *one != region);
                    assert!(by_name.is_none() || by_name == by_code || is_code, "{text}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_untaxed_or_a_trap(country in ".{0,30}", region in ".{0,30}") {
            let rates = [rate("US", "NY", 1), rate("US", "", 0)];
            if let Ok(place) = find(&rates, "US", &region) {
                proptest::prop_assert!(!place.region.is_empty());
            }
            let _ = find(&rates, &country, &region);
        }
    }
}
