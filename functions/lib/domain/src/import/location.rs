//! Locations from a CSV file with Aisle's own columns (docs/IMPORT.md), one row each.

use std::collections::HashSet;

use crate::brand::{Brand, TaxRate};
use crate::contact;
use crate::hours::{DailyHours, Weekday, WeeklyHours};
use crate::location::{Address, Geo, Location, LocationKind, Services};

use super::header::{Header, Lacking, Names};
use super::report::{Finding, Report};
use super::table::Row;
use super::{Format, cell, fingerprint, schedule};

/// The most locations of a file, so that what is remembered of their codes stays small.
pub const MAX_LOCATIONS: usize = 10_000;
const MAX_AMENITIES: usize = 50;

const REQUIRED: &[Names] = &[
    &["code"],
    &["name"],
    &["kind"],
    &["street_address"],
    &["address_locality"],
    &["address_country"],
    &["latitude"],
    &["longitude"],
    &["time_zone"],
];

const HOURS: [(&str, Weekday); 7] = [
    ("hours_mon", Weekday::Monday),
    ("hours_tue", Weekday::Tuesday),
    ("hours_wed", Weekday::Wednesday),
    ("hours_thu", Weekday::Thursday),
    ("hours_fri", Weekday::Friday),
    ("hours_sat", Weekday::Saturday),
    ("hours_sun", Weekday::Sunday),
];

/// Columns that are used if they are there, beside the hours.
const OPTIONAL: &[Names] = &[
    &["visible"],
    &["extended_address"],
    &["address_region"],
    &["postal_code"],
    &["exception_hours"],
    &["amenities"],
    &["preparation_minutes"],
    &["phone"],
];

/// What a location can do, and whether stores and warehouses do it where a file has no such column.
const SERVICES: [(Names, bool, bool); 4] = [
    (&["sell"], true, false),
    (&["pickup"], true, false),
    (&["ship"], false, true),
    (&["transfer"], false, true),
];

/// A location as a file describes it: without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationDraft {
    pub line: u64,
    pub location: Location,
}

/// Tells whether a location differs from what is stored; its id does not count.
pub fn fingerprint_of(location: &Location) -> String {
    fingerprint::of(&Location {
        id: String::new(),
        ..location.clone()
    })
}

/// Reads a file of locations.
pub struct LocationFile {
    header: Header,
    preparation_minutes: i64,
    rates: Vec<TaxRate>,
    seen: HashSet<String>,
}

impl LocationFile {
    /// For locations of `brand`, whose preparation time applies where the file says nothing.
    /// Fails with the columns that the file lacks.
    pub fn new(header: &Header, brand: &Brand) -> Result<Self, Lacking> {
        header.require(REQUIRED)?;
        Ok(Self {
            header: header.clone(),
            preparation_minutes: brand.preparation_minutes,
            rates: brand.tax_rates.clone(),
            seen: HashSet::new(),
        })
    }

    /// Whether a header is that of a file of locations.
    pub fn is(header: &Header) -> bool {
        header.has(&["code"]) && header.has(&["time_zone"])
    }

    fn location(&mut self, row: &Row) -> Result<Location, Finding> {
        let cells = Cells {
            header: &self.header,
            row,
        };
        let kind = cells.read("kind", kind)?;
        let location = Location {
            id: String::new(),
            code: cells.read("code", cell::required)?,
            name: cells.read("name", cell::required)?,
            kind,
            visible: cells.flag("visible", kind == LocationKind::Store)?,
            address: cells.address()?,
            geo: Geo {
                latitude_e7: cells.read("latitude", cell::degrees_e7)?,
                longitude_e7: cells.read("longitude", cell::degrees_e7)?,
            },
            time_zone: cells.read("time_zone", cell::required)?,
            hours: cells.hours()?,
            exception_hours: cells.read("exception_hours", schedule::exceptions)?,
            amenities: cells.read("amenities", amenities)?,
            services: cells.services(kind)?,
            phone: cells.read("phone", phone)?,
            preparation_minutes: match cells.get("preparation_minutes") {
                "" => self.preparation_minutes,
                _ => cells.read("preparation_minutes", |cell| cell::count(cell, i64::MAX))?,
            },
        };
        let invalid = |path: &str| column_of(&location, path);
        location
            .validate()
            .and_then(|()| location.is_taxed_by(&self.rates))
            .map_err(|error| Finding::new(row.line, invalid(&error.path), error.detail))?;
        self.new_code(row, &location.code)?;
        Ok(location)
    }

    fn new_code(&mut self, row: &Row, code: &str) -> Result<(), Finding> {
        let fault = |reason: String| Err(Finding::new(row.line, "code", reason));
        if self.seen.len() >= MAX_LOCATIONS {
            return fault(format!("more than {MAX_LOCATIONS} locations in one file"));
        }
        if !self.seen.insert(code.to_owned()) {
            return fault(format!("location {code} is on an earlier row already"));
        }
        Ok(())
    }
}

impl Format for LocationFile {
    type Item = LocationDraft;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<LocationDraft> {
        report.rows += 1;
        match self.location(&row) {
            Ok(location) => Some(LocationDraft {
                line: row.line,
                location,
            }),
            Err(finding) => {
                report.refuse(finding);
                None
            }
        }
    }

    fn finish(&mut self, _report: &mut Report) -> Option<LocationDraft> {
        None
    }

    fn warnings(&self) -> Vec<Finding> {
        let mut warnings = self.header.warnings(OPTIONAL, &[]);
        let default = |(names, store, warehouse): (Names, bool, bool)| {
            let name = names.first().filter(|_| !self.header.has(names))?;
            let word = |does| if does { "yes" } else { "no" };
            let reason = format!(
                "no such column: {} for stores, {} for warehouses",
                word(store),
                word(warehouse)
            );
            Some(Finding::new(1, name, reason))
        };
        warnings.extend(services(&self.header).into_iter().filter_map(default));
        warnings
    }
}

/// [`SERVICES`], but that stores ship as well where a file does not say who sells or ships
/// anything: otherwise all would be sold out to who wants it sent.
fn services(header: &Header) -> [(Names, bool, bool); SERVICES.len()] {
    let says_nothing = !header.has(&["sell"]) && !header.has(&["ship"]);
    SERVICES.map(|(names, store, warehouse)| {
        let ships = says_nothing && names == ["ship"];
        (names, store || ships, warehouse)
    })
}

/// The cells of a row by column name.
struct Cells<'a> {
    header: &'a Header,
    row: &'a Row,
}

impl Cells<'_> {
    fn get(&self, column: &str) -> &str {
        self.row.get(self.header.position(&[column]))
    }

    fn read<T>(
        &self,
        column: &str,
        meaning: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Finding> {
        meaning(self.get(column)).map_err(|reason| Finding::new(self.row.line, column, reason))
    }

    fn flag(&self, column: &str, default: bool) -> Result<bool, Finding> {
        self.read(column, |cell| cell::flag(cell, default))
    }

    fn address(&self) -> Result<Address, Finding> {
        let extended = self.read("extended_address", cell::text)?;
        let address = Address {
            street_address: self.read("street_address", cell::required)?,
            extended_address: (!extended.is_empty()).then_some(extended),
            address_locality: self.read("address_locality", cell::text)?,
            address_region: self.read("address_region", cell::text)?,
            postal_code: self.read("postal_code", cell::text)?,
            address_country: self.read("address_country", cell::required)?,
        };
        Ok(address.in_codes())
    }

    fn hours(&self) -> Result<WeeklyHours, Finding> {
        let days: Vec<Vec<DailyHours>> = HOURS
            .iter()
            .map(|(column, day)| self.read(column, |cell| schedule::daily(*day, cell)))
            .collect::<Result<_, _>>()?;
        Ok(WeeklyHours(days.into_iter().flatten().collect()))
    }

    fn services(&self, kind: LocationKind) -> Result<Services, Finding> {
        let [sell, pickup, ship, transfer] =
            services(self.header).map(|(names, store, warehouse)| {
                let name = names.first().copied().unwrap_or_default();
                match (self.header.has(names), kind) {
                    (true, _) => self.flag(name, false),
                    (false, LocationKind::Store) => Ok(store),
                    (false, LocationKind::Warehouse) => Ok(warehouse),
                }
            });
        Ok(Services {
            sell: sell?,
            pickup: pickup?,
            ship: ship?,
            transfer: transfer?,
        })
    }
}

/// The column that holds what a path in the document, such as `hours[2]`, names.
fn column_of(location: &Location, path: &str) -> &'static str {
    let hours = || {
        let index = path
            .strip_prefix("hours[")?
            .strip_suffix(']')?
            .parse::<usize>()
            .ok()?;
        let day = location.hours.0.get(index)?.day;
        HOURS
            .iter()
            .find(|(_, own)| *own == day)
            .map(|(column, _)| *column)
    };
    match path {
        "code" => "code",
        "name" => "name",
        "geo.latitude_e7" => "latitude",
        "geo.longitude_e7" => "longitude",
        "time_zone" => "time_zone",
        "address.address_country" => "address_country",
        "address.address_region" => "address_region",
        "address.address_locality" => "address_locality",
        "address.postal_code" => "postal_code",
        "address.street_address" => "street_address",
        "preparation_minutes" => "preparation_minutes",
        "visible" => "visible",
        path if path.starts_with("exception_hours") => "exception_hours",
        _ => hours().unwrap_or(""),
    }
}

fn kind(cell: &str) -> Result<LocationKind, String> {
    match cell.to_ascii_lowercase().as_str() {
        "store" => Ok(LocationKind::Store),
        "warehouse" => Ok(LocationKind::Warehouse),
        _ => Err("neither store nor warehouse".into()),
    }
}

fn amenities(cell: &str) -> Result<Vec<String>, String> {
    let names = cell
        .split([';', ',', ' '])
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(cell::text).collect::<Result<_, _>>()?;
    if names.len() > MAX_AMENITIES {
        return Err(format!("more than {MAX_AMENITIES} amenities"));
    }
    Ok(names)
}

/// E.164; what people put between the digits is dropped.
fn phone(cell: &str) -> Result<Option<String>, String> {
    match contact::dialled(cell) {
        none if none.is_empty() => Ok(None),
        number if contact::is_e164(&number) => Ok(Some(number)),
        _ => Err("not an E.164 number such as +442079460000".into()),
    }
}
