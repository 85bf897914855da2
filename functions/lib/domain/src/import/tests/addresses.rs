//! Where the locations of a file are.

use super::*;

#[test]
fn a_location_is_where_its_country_and_region_say_by_any_name() {
    let row = |code: &str, town: &str, region: &str, postal: &str, country: &str| {
        format!(
            "{code},Shop,store,,1 High St,{town},{region},{postal},{country},1,1,Europe/Berlin,,,,,,,,\n"
        )
    };
    let file = LOCATIONS.to_string()
        + &row("A", "Albany", "New York", "12207", "USA")
        + &row("B", "Hong Kong", "", "", "Hong Kong")
        + &row("C", "Dubai", "Dubai", "", "AE")
        + &row("D", "Dublin", "The Liberties", "", "Ireland")
        + &row("E", "", "", "238801", "SG")
        + &row("F", "Leipzig", "Sachsen", "", "DE")
        + &row("G", "Albany", "", "12207", "US")
        + &row("H", "Albany", "Gotham", "12207", "US")
        + &row("I", "Town", "", "1", "ZZ");
    let (drafts, report) = read(&file, |header| LocationFile::new(header, &brand()));
    let places: Vec<_> = drafts
        .iter()
        .map(|draft| &draft.location.address)
        .map(|address| {
            (
                address.address_country.as_str(),
                address.address_region.as_str(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("US", "NY"),
            ("HK", ""),
            ("AE", "DU"),
            ("IE", "The Liberties"),
            ("SG", "")
        ]
    );
    let refused: Vec<_> = report
        .errors
        .iter()
        .map(|finding| (finding.line, finding.column.as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (7, "postal_code"),
            (8, "address_region"),
            (9, "address_region"),
            (10, "address_country")
        ]
    );
}
