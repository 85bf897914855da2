//! Stores spread over a country as its people are, warehouses, and the lanes between them.

use aisle_domain::geo::Geo;
use aisle_domain::hours::{DailyHours, TimeOfDay, Weekday, WeeklyHours};
use aisle_domain::lane::Lane;
use aisle_domain::location::{Address, Location, LocationKind, Services};
use anyhow::{Context, bail};

use crate::chance::{Chance, Kind};
use crate::words;

/// Stores that one warehouse serves, about.
const STORES_OF_WAREHOUSE: u64 = 500;
/// Neighbours that send goods to a store, beside its warehouse.
const NEIGHBOURS: u64 = 2;

/// A town: its name, region, the beginning of its postal codes, where it is, and how many
/// thousand people live around it.
struct Town(&'static str, &'static str, &'static str, f64, f64, u64);

const GERMANY: [Town; 40] = [
    Town("Berlin", "BE", "10", 52.520, 13.405, 3_700),
    Town("Hamburg", "HH", "20", 53.551, 9.994, 1_850),
    Town("München", "BY", "80", 48.137, 11.575, 1_490),
    Town("Köln", "NW", "50", 50.938, 6.960, 1_080),
    Town("Frankfurt am Main", "HE", "60", 50.110, 8.682, 760),
    Town("Stuttgart", "BW", "70", 48.776, 9.183, 630),
    Town("Düsseldorf", "NW", "40", 51.227, 6.774, 620),
    Town("Leipzig", "SN", "04", 51.340, 12.375, 600),
    Town("Dortmund", "NW", "44", 51.514, 7.465, 590),
    Town("Essen", "NW", "45", 51.456, 7.012, 580),
    Town("Bremen", "HB", "28", 53.079, 8.802, 570),
    Town("Dresden", "SN", "01", 51.050, 13.738, 555),
    Town("Hannover", "NI", "30", 52.376, 9.732, 535),
    Town("Nürnberg", "BY", "90", 49.452, 11.077, 515),
    Town("Duisburg", "NW", "47", 51.434, 6.762, 500),
    Town("Bielefeld", "NW", "33", 52.030, 8.532, 335),
    Town("Bonn", "NW", "53", 50.737, 7.098, 330),
    Town("Münster", "NW", "48", 51.962, 7.626, 315),
    Town("Karlsruhe", "BW", "76", 49.007, 8.404, 310),
    Town("Mannheim", "BW", "68", 49.487, 8.466, 310),
    Town("Augsburg", "BY", "86", 48.371, 10.898, 295),
    Town("Wiesbaden", "HE", "65", 50.078, 8.240, 280),
    Town("Braunschweig", "NI", "38", 52.269, 10.521, 250),
    Town("Kiel", "SH", "24", 54.323, 10.123, 247),
    Town("Chemnitz", "SN", "09", 50.828, 12.921, 243),
    Town("Aachen", "NW", "52", 50.776, 6.084, 250),
    Town("Magdeburg", "ST", "39", 52.121, 11.628, 237),
    Town("Freiburg", "BW", "79", 47.999, 7.842, 231),
    Town("Erfurt", "TH", "99", 50.978, 11.029, 213),
    Town("Rostock", "MV", "18", 54.092, 12.099, 208),
    Town("Kassel", "HE", "34", 51.313, 9.481, 201),
    Town("Saarbrücken", "SL", "66", 49.240, 6.997, 180),
    Town("Osnabrück", "NI", "49", 52.280, 8.047, 165),
    Town("Oldenburg", "NI", "26", 53.144, 8.214, 170),
    Town("Regensburg", "BY", "93", 49.013, 12.102, 153),
    Town("Würzburg", "BY", "97", 49.791, 9.953, 127),
    Town("Ulm", "BW", "89", 48.401, 9.987, 126),
    Town("Cottbus", "BB", "03", 51.756, 14.333, 99),
    Town("Trier", "RP", "54", 49.750, 6.637, 110),
    Town("Flensburg", "SH", "24", 54.784, 9.437, 92),
];

const AMENITIES: [&str; 4] = [
    "dev.ucp.amenity.shopping.in_store_pickup",
    "dev.ucp.amenity.wi_fi",
    "dev.ucp.amenity.parking",
    "com.example.amenity.repair_workshop",
];

/// Warehouses first, then stores.
#[derive(Debug, Clone)]
pub struct Places {
    seed: u64,
    at_ms: i64,
    pub all: Vec<Location>,
    pub warehouses: u64,
}

/// A till and who works at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Till {
    pub device_id: String,
    pub staff_id: String,
    /// What is kept of the device's token, which nobody knows.
    pub token_hash: String,
}

impl Places {
    /// # Errors
    /// No map of the country is at hand.
    pub fn new(
        seed: u64,
        stores: u64,
        brand: &aisle_domain::brand::Brand,
        at_ms: i64,
    ) -> anyhow::Result<Self> {
        if brand.country != "DE" {
            bail!(
                "stores can be spread over DE only, the brand trades in {}: fill another brand",
                brand.country
            );
        }
        let warehouses = 1 + stores / STORES_OF_WAREHOUSE;
        let all = (0..warehouses + stores)
            .map(|number| place(seed, number, warehouses, brand, at_ms))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            seed,
            at_ms,
            all,
            warehouses,
        })
    }

    pub fn stores(&self) -> u64 {
        self.all.len() as u64 - self.warehouses
    }

    /// The till of a place.
    pub fn till(&self, place: u64) -> Till {
        let mut chance = Chance::of(self.seed, Kind::Place, place).branch(1);
        Till {
            device_id: chance.id(self.at_ms),
            staff_id: chance.id(self.at_ms),
            token_hash: (0..4).map(|_| format!("{:016x}", chance.next())).collect(),
        }
    }

    /// To each store from its warehouse and from some other stores.
    pub fn lanes(&self) -> anyhow::Result<Vec<Lane>> {
        let stores = self.stores();
        let mut lanes = Vec::new();
        for store in 0..stores {
            let neighbours = (1..=NEIGHBOURS.min(stores - 1))
                .map(|step| self.warehouses + (store + step) % stores);
            for from in std::iter::once(store % self.warehouses).chain(neighbours) {
                lanes.push(self.lane(from, self.warehouses + store)?);
            }
        }
        Ok(lanes)
    }

    fn lane(&self, from: u64, to: u64) -> anyhow::Result<Lane> {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        let every_day = vec![Monday, Tuesday, Wednesday, Thursday, Friday];
        let is_warehouse = from < self.warehouses;
        Ok(Lane {
            from_location_id: self.all[from as usize].id.clone(),
            to_location_id: self.all[to as usize].id.clone(),
            days: if is_warehouse {
                every_day
            } else {
                vec![Tuesday, Thursday]
            },
            cut_off: time(15, 0)?,
            transit_minutes: if is_warehouse { 1_140 } else { 1_500 },
        })
    }
}

fn place(
    seed: u64,
    number: u64,
    warehouses: u64,
    brand: &aisle_domain::brand::Brand,
    at_ms: i64,
) -> anyhow::Result<Location> {
    let mut chance = Chance::of(seed, Kind::Place, number);
    let is_store = number >= warehouses;
    let town = town(&mut chance);
    let Town(name, region, postal, latitude, longitude, _) = town;
    // A tenth of a degree is about 10 km.
    let mut around = |centre: &f64| ((centre + 0.08 * chance.normal()) * 1e7) as i64;
    let geo = Geo {
        latitude_e7: around(latitude),
        longitude_e7: around(longitude),
    };
    let prefix = brand.handle.to_uppercase();
    let location = Location {
        id: chance.id(at_ms + number as i64),
        code: format!("{prefix}-{number:05}"),
        name: match is_store {
            true => format!("{} {name} {number}", brand.name),
            false => format!("{} Warehouse {name} {number}", brand.name),
        },
        kind: if is_store {
            LocationKind::Store
        } else {
            LocationKind::Warehouse
        },
        visible: is_store,
        address: Address {
            street_address: words::street_address(&mut chance),
            extended_address: None,
            address_locality: (*name).to_owned(),
            address_region: (*region).to_owned(),
            postal_code: format!("{postal}{:03}", chance.below(1_000)),
            address_country: "DE".to_owned(),
        },
        geo,
        time_zone: "Europe/Berlin".to_owned(),
        hours: hours(&mut chance, is_store)?,
        exception_hours: Vec::new(),
        amenities: match is_store {
            true => AMENITIES
                .iter()
                .filter(|_| chance.happens(60))
                .map(|name| (*name).to_owned())
                .collect(),
            false => Vec::new(),
        },
        services: Services {
            sell: is_store,
            pickup: is_store && !chance.happens(4),
            ship: !is_store || chance.happens(30),
            transfer: true,
        },
        phone: is_store.then(|| format!("+4930{:07}", number)),
        preparation_minutes: if is_store {
            60 + 15 * chance.below(5) as i64
        } else {
            120
        },
    };
    location
        .validate()
        .map_err(|wrong| anyhow::anyhow!("{}: {}", wrong.path, wrong.detail))?;
    Ok(location)
}

/// The more people the likelier.
fn town(chance: &mut Chance) -> &'static Town {
    let people: u64 = GERMANY.iter().map(|town| town.5).sum();
    let mut left = chance.below(people);
    for town in &GERMANY {
        if left < town.5 {
            return town;
        }
        left -= town.5;
    }
    &GERMANY[0]
}

fn hours(chance: &mut Chance, is_store: bool) -> anyhow::Result<WeeklyHours> {
    use Weekday::{Friday, Monday, Saturday, Thursday, Tuesday, Wednesday};
    let (opens, closes) = match is_store {
        true => (
            time(9 + chance.below(2) as u8, 0)?,
            time(18 + chance.below(3) as u8, 0)?,
        ),
        false => (time(6, 0)?, time(20, 0)?),
    };
    let days = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday];
    Ok(WeeklyHours(
        days.map(|day| DailyHours { day, opens, closes }).to_vec(),
    ))
}

fn time(hour: u8, minute: u8) -> anyhow::Result<TimeOfDay> {
    TimeOfDay::new(hour, minute).context("no time of day")
}
