//! Reduces the data set to what is asked of it: a table of countries, each with its names and
//! the names of its regions, folded as what people type is folded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::{env, error::Error, fs, path::Path};

use keshvar::{Alpha2, Country, SUPPORTED_ALPHA2_LIST};

#[path = "src/fold.rs"]
mod fold;
use fold::fold;

/// The languages in which a country is likely to be named, beside its own.
const LANGUAGES: [&str; 28] = [
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "nb", "no", "fi", "cs", "sk", "hu",
    "ro", "el", "bg", "tr", "ru", "uk", "ja", "zh", "ko", "ar", "he", "hi",
];

/// Where mail is not delivered without a postal code: countries that have `Z` among the
/// required fields of Google's address metadata (libaddressinput). In others that have codes,
/// such as Ireland or Chile, an address is whole without one.
const POSTAL_CODE_NEEDED: &str = "AS AT AU AX BE BL BR CA CH CN CZ DE DK EE ES FI FK FM FR GB GF \
    GG GL GP GR GS GU HU IM IN IO IT JE JP KR LI LT LU LV MF MH MP MQ MX MY NC NL NO NZ PF PL PM PN \
    PR PT PW RE RO RU SE SG SH SJ SK SM TC TR TW UA US VI WF YT ZA";

/// City states and others whose addresses have no locality (the same data, no `C`).
const NO_LOCALITY: &str = "AE AG CO GI HK ID JP KY MO NR SG SM VG";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/fold.rs");
    let mut countries: BTreeMap<String, Row> = SUPPORTED_ALPHA2_LIST
        .iter()
        .map(|code: &Alpha2| (code.to_string(), Row::of(&code.to_country())))
        .collect();
    // The one country of CLDR that ISO 3166-1 has no code for; everybody uses this one.
    countries.insert(
        "XK".into(),
        Row {
            alpha_3: "XKX".into(),
            name: "Kosovo".into(),
            names: ["kosovo".to_owned(), "kosova".to_owned()].into(),
            has_postal_code: true,
            regions: Vec::new(),
        },
    );
    let table = table(&countries)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("countries.rs"), table)?;
    Ok(())
}

struct Row {
    alpha_3: String,
    name: String,
    names: BTreeSet<String>,
    has_postal_code: bool,
    /// Code, name, folded names.
    regions: Vec<(String, String, BTreeSet<String>)>,
}

impl Row {
    fn of(country: &Country) -> Self {
        let own = [
            country.maybe_official_language_list(),
            country.maybe_spoken_language_list(),
        ];
        let own: BTreeSet<&str> = own.into_iter().flatten().flatten().copied().collect();
        let named = |language: &str| LANGUAGES.contains(&language) || own.contains(language);
        let translated = country.translations().iter();
        let translated = translated.filter(|(language, _)| named(base(language)));
        let names = [country.iso_short_name(), country.iso_long_name()].into_iter();
        let names = names
            .chain(country.unofficial_name_list().iter().copied())
            .chain(translated.map(|(_, name)| *name));
        let mut regions: Vec<_> = country
            .subdivisions()
            .iter()
            .filter(|(code, _)| code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .map(|(code, region)| {
                let translated = region.translations().iter();
                let translated = translated
                    .filter(|(language, _)| base(language) == "en" || own.contains(base(language)));
                let names = region.unofficial_name_list().iter().copied();
                let names = std::iter::once(region.name())
                    .chain(names)
                    .chain(translated.map(|(_, name)| *name));
                let shown = region.translations().get("en").copied();
                let shown = plain(shown.unwrap_or(region.name()));
                (code.to_string(), shown.to_owned(), folded(names))
            })
            .collect();
        regions.sort();
        Self {
            alpha_3: country.alpha3().to_string(),
            name: country.iso_short_name().to_owned(),
            names: folded(names),
            has_postal_code: country.postal_code(),
            regions,
        }
    }
}

fn base(language: &str) -> &str {
    language.split('_').next().unwrap_or(language)
}

/// Without the mark by which CLDR tells regions of one name apart.
fn plain(name: &str) -> &str {
    name.trim_end_matches(['²', '³', '¹'])
}

/// Also without what stands in brackets.
fn folded<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut folded = BTreeSet::new();
    for name in names.map(plain) {
        folded.insert(fold(name));
        folded.insert(fold(name.split(" (").next().unwrap_or(name)));
    }
    folded.remove("");
    folded
}

fn table(countries: &BTreeMap<String, Row>) -> Result<String, Box<dyn Error>> {
    // A name that two countries have says nothing.
    let mut bearers = BTreeMap::<&str, usize>::new();
    for name in countries.values().flat_map(|row| &row.names) {
        *bearers.entry(name).or_default() += 1;
    }
    let (needed, no_locality) = (list(POSTAL_CODE_NEEDED), list(NO_LOCALITY));
    let mut table = String::from("static COUNTRIES: &[Country] = &[\n");
    let mut all_regions = String::from("static REGIONS: &[(&str, &str)] = &[\n");
    for (code, row) in countries {
        let own = row.names.iter().filter(|name| bearers[name.as_str()] == 1);
        let names: Vec<&str> = own.map(String::as_str).collect();
        let mut regions = String::new();
        for (code, shown, names) in &row.regions {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            writeln!(regions, "{code}\t{shown}\t{}", names.join("\t"))?;
        }
        writeln!(
            table,
            "Country {{ code: {code:?}, alpha_3: {:?}, name: {:?}, names: {:?}, \
             needs_postal_code: {}, needs_locality: {} }},",
            row.alpha_3,
            row.name,
            names.join("\t"),
            row.has_postal_code && needed.contains(code.as_str()),
            !no_locality.contains(code.as_str()),
        )?;
        writeln!(all_regions, "({code:?}, {:?}),", regions.trim_end())?;
    }
    Ok(format!("{table}];\n{all_regions}];\n"))
}

fn list(codes: &str) -> BTreeSet<&str> {
    codes.split_whitespace().collect()
}
