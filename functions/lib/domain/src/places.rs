//! An index of locations by place: cells of the earth, what lies in each, and the order in
//! which to look into them so that the nearest places are found without looking at all.

use serde::{Deserialize, Serialize};

use crate::geo::{Degrees, Geo};
use crate::location::Location;
use crate::search::words::{self, Piece};

/// Metres that a radian measures nowhere less on the WGS 84 ellipsoid, with geodetic
/// latitudes: the meridian's radius of curvature at the equator, rounded down.
const LEAST_RADIUS_M: f64 = 6_335_439.0;

/// A rectangle of latitudes and longitudes, in ten-millionths of a degree, that does not
/// cross the antimeridian: south, west, north, east.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent(pub i64, pub i64, pub i64, pub i64);

impl Extent {
    /// Metres that everything in the rectangle is at least away, along any way on the
    /// ellipsoid; 0 inside.
    pub fn at_least_m(&self, from: impl Into<Degrees>) -> f64 {
        let Self(south, west, north, east) = *self;
        let corner = |latitude_e7, longitude_e7| {
            let corner = Degrees::from(Geo {
                latitude_e7,
                longitude_e7,
            });
            (corner.latitude.to_radians(), corner.longitude.to_radians())
        };
        let ((south, west), (north, east)) = (corner(south, west), corner(north, east));
        let from = from.into();
        let (latitude, longitude) = (from.latitude.to_radians(), from.longitude.to_radians());
        let turned = |edge: f64| (edge - longitude).rem_euclid(std::f64::consts::TAU);
        // Eastwards from west to east, the point's meridian comes first when it is inside.
        let inside = turned(east) < turned(west) || west <= longitude && longitude <= east;
        let angle = if inside {
            (latitude - latitude.clamp(south, north)).abs()
        } else {
            let apart = |edge: f64| turned(edge).min(std::f64::consts::TAU - turned(edge));
            to_meridian(latitude, apart(west).min(apart(east)), south, north)
        };
        // A hair less, for what is lost in rounding.
        (LEAST_RADIUS_M * angle - 0.01).max(0.0)
    }
}

/// The angle on the sphere from a point of `latitude` to the arc of a meridian that is
/// `apart` from its own, between two latitudes. All in radians.
fn to_meridian(latitude: f64, apart: f64, south: f64, north: f64) -> f64 {
    let (sin, cos) = latitude.sin_cos();
    let closest = sin.atan2(cos * apart.cos());
    let at = if (south..=north).contains(&closest) {
        closest
    } else {
        let far = |edge: f64| (edge - closest).cos();
        if far(south) > far(north) {
            south
        } else {
            north
        }
    };
    (sin * at.sin() + cos * at.cos() * apart.cos())
        .clamp(-1.0, 1.0)
        .acos()
}

/// A cell of a brand's index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Geohash of three characters, some 150 km across. A place that moves stays in the
    /// cell it was put into: only the extent decides about distances.
    pub cell: String,
    /// Of the brand's places in it.
    pub extent: Extent,
    /// Places that shoppers see.
    pub visible: i64,
    /// Places where they can collect.
    pub hands_over: i64,
}

/// What is known of a location without its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub id: String,
    pub code: String,
    pub name: String,
    pub address_locality: String,
    pub geo: Geo,
    pub visible: bool,
    /// A shopper can collect an order here.
    pub hands_over: bool,
    /// It sells at a till, or hands over.
    pub sells: bool,
    pub ships: bool,
    /// The cell of the index that has it.
    pub cell: String,
    /// Words by which it can be found, folded as those of the catalogue are, each after a space.
    pub words: String,
}

impl Place {
    pub fn new(location: &Location, cell: &str) -> Self {
        Self {
            id: location.id.clone(),
            code: location.code.clone(),
            name: location.name.clone(),
            address_locality: location.address.address_locality.clone(),
            geo: location.geo,
            visible: location.visible,
            hands_over: location.hands_over(),
            sells: location.services.sell || location.services.pickup,
            ships: location.services.ship,
            cell: cell.to_owned(),
            words: words_of(location),
        }
    }

    /// Whether one of its words begins with `word`, which is folded.
    pub fn is_called(&self, word: &str) -> bool {
        let begins = |at: usize| {
            self.words
                .get(at..)
                .is_some_and(|rest| rest.starts_with(word))
        };
        self.words.match_indices(' ').any(|(at, _)| begins(at + 1))
    }
}

fn words_of(location: &Location) -> String {
    let address = &location.address;
    let parts = [
        &location.name,
        &location.code,
        &address.street_address,
        &address.address_locality,
        &address.address_region,
        &address.postal_code,
        &address.address_country,
    ];
    // `SW1A 1AA` is also `SW1A1AA`.
    let postal_code = words::letters(&address.postal_code);
    let pieces = parts.into_iter().flat_map(|part| words::pieces(part));
    let mut all: Vec<String> = pieces
        .map(|piece| match piece {
            Piece::Word(text) | Piece::Gram(text) => text,
        })
        .chain(Some(postal_code).filter(|code| !code.is_empty()))
        .collect();
    all.sort_unstable();
    all.dedup();
    all.iter().map(|word| format!(" {word}")).collect()
}

/// The cells around a point, nearest first.
#[derive(Debug)]
pub struct Walk {
    /// Metres to each cell, at least; its index; how many places it has.
    cells: Vec<(f64, usize, i64)>,
    next: usize,
}

impl Walk {
    /// A walk through `cells`, each with the number of places in it that count.
    pub fn new<'c>(from: Degrees, cells: impl IntoIterator<Item = (&'c Extent, i64)>) -> Self {
        let cells = cells.into_iter().enumerate();
        let mut cells: Vec<_> = cells
            .filter(|(_, (_, places))| *places > 0)
            .map(|(index, (extent, places))| (extent.at_least_m(from), index, places))
            .collect();
        cells.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Self { cells, next: 0 }
    }

    /// Metres that everything in the cells not yet visited is at least away; `None`: all are
    /// visited.
    pub fn bound_m(&self) -> Option<f64> {
        self.cells.get(self.next).map(|(bound_m, ..)| *bound_m)
    }

    /// The next cells, by index, with at least `places` places together, as far as there are.
    pub fn with(&mut self, places: i64) -> Vec<usize> {
        let mut found = 0;
        self.take(|(_, _, places_here)| {
            let more = found < places;
            found += places_here;
            more
        })
    }

    /// The next cells in which something can be within `distance_m`.
    pub fn within(&mut self, distance_m: f64) -> Vec<usize> {
        self.take(|(bound_m, ..)| bound_m <= distance_m)
    }

    fn take(&mut self, mut goes_on: impl FnMut((f64, usize, i64)) -> bool) -> Vec<usize> {
        let rest = self.cells.get(self.next..).unwrap_or_default();
        let taken: Vec<usize> = rest
            .iter()
            .take_while(|cell| goes_on(**cell))
            .map(|(_, index, _)| *index)
            .collect();
        self.next += taken.len();
        taken
    }
}

/// What was found on a [`Walk`], nearest first: the first `most` after a position.
#[derive(Debug)]
pub struct Nearest<T> {
    most: usize,
    within_m: f64,
    after: Option<(f64, String)>,
    found: Vec<Near<T>>,
}

/// Something at a place, and how far that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Near<T> {
    pub distance_m: f64,
    /// The place's.
    pub id: String,
    pub what: T,
}

impl<T> Nearest<T> {
    /// For a page of `most` places after the one at a distance with an id.
    pub fn new(most: usize, after: Option<(f64, String)>) -> Self {
        Self {
            most,
            within_m: f64::INFINITY,
            after,
            found: Vec::new(),
        }
    }

    /// Nothing further away than so many metres.
    pub fn within(self, within_m: f64) -> Self {
        Self { within_m, ..self }
    }

    pub fn add(&mut self, distance_m: f64, id: &str, what: T) {
        let is_after = |(far, last): &(f64, String)| (distance_m, id) > (*far, last.as_str());
        if distance_m <= self.within_m && self.after.as_ref().is_none_or(is_after) {
            self.found.push(Near {
                distance_m,
                id: id.to_owned(),
                what,
            });
        }
    }

    /// The cells to look into next, by index; none when the page is complete.
    pub fn look(&mut self, walk: &mut Walk) -> Vec<usize> {
        self.found.sort_by(|a, b| {
            a.distance_m
                .total_cmp(&b.distance_m)
                .then_with(|| a.id.cmp(&b.id))
        });
        if walk.bound_m().is_none_or(|bound_m| bound_m > self.within_m) {
            return Vec::new();
        }
        // One more, to know whether there is another page.
        let wanted = self.most + 1;
        match self.found.get(wanted - 1) {
            Some(last) => walk.within(last.distance_m),
            None => walk.with((wanted - self.found.len()) as i64),
        }
    }

    /// The page, and whether there is more beyond it.
    pub fn page(mut self) -> (Vec<Near<T>>, bool) {
        let more = self.found.len() > self.most;
        self.found.truncate(self.most);
        (self.found, more)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::geo::geodesic_m;
    use proptest::prelude::*;

    fn anywhere() -> impl Strategy<Value = Geo> {
        let edges = prop::sample::select(vec![-1_800_000_000_i64, 1_799_999_999, 1_800_000_000, 0]);
        let longitude = prop_oneof![4 => -1_800_000_000..=1_800_000_000_i64, 1 => edges];
        let poles = prop::sample::select(vec![-900_000_000_i64, 900_000_000, 899_999_999, 0]);
        let latitude = prop_oneof![4 => -900_000_000..=900_000_000_i64, 1 => poles];
        (latitude, longitude).prop_map(|(latitude_e7, longitude_e7)| Geo {
            latitude_e7,
            longitude_e7,
        })
    }

    /// As the databases do it, but for the name.
    fn grid(point: &Geo) -> (i64, i64) {
        let step = 14_062_500;
        (
            ((point.latitude_e7 + 900_000_000) / step).min(127),
            ((point.longitude_e7 + 1_800_000_000) / step).min(255),
        )
    }

    fn extent(points: &[Geo]) -> Extent {
        let of = |part: fn(&Geo) -> i64| {
            let all = points.iter().map(part);
            (
                all.clone().min().unwrap_or_default(),
                all.max().unwrap_or_default(),
            )
        };
        let (south, north) = of(|point| point.latitude_e7);
        let (west, east) = of(|point| point.longitude_e7);
        Extent(south, west, north, east)
    }

    proptest! {
        #[test]
        fn nothing_in_an_extent_is_nearer_than_it_says(from in anywhere(), a in anywhere(), b in anywhere(), at in (0.0..=1.0, 0.0..=1.0)) {
            let extent = extent(&[a, b]);
            let between = |from: i64, to: i64, part: f64| from + ((to - from) as f64 * part) as i64;
            let inside = Geo {
                latitude_e7: between(extent.0, extent.2, at.0),
                longitude_e7: between(extent.1, extent.3, at.1),
            };
            for point in [a, b, inside] {
                let distance_m = geodesic_m(from, point);
                prop_assert!(extent.at_least_m(from) <= distance_m, "{} > {distance_m}", extent.at_least_m(from));
            }
        }

        #[test]
        fn pages_of_the_nearest_are_as_brute_force_has_them(from in anywhere(), points in prop::collection::vec(anywhere(), 0..120), most in 1_usize..20) {
            let mut cells = BTreeMap::<_, Vec<(usize, Geo)>>::new();
            for (id, point) in points.iter().enumerate() {
                cells.entry(grid(point)).or_default().push((id, *point));
            }
            let cells: Vec<(Extent, Vec<(usize, Geo)>)> = cells
                .into_values()
                .map(|all| (extent(&all.iter().map(|(_, point)| *point).collect::<Vec<_>>()), all))
                .collect();
            let name = |id: usize| format!("{id:04}");
            let mut all: Vec<(f64, String)> = points
                .iter()
                .enumerate()
                .map(|(id, point)| (geodesic_m(from, *point), name(id)))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
            let mut paged: Vec<(f64, String)> = Vec::new();
            loop {
                let counted = cells.iter().map(|(extent, all)| (extent, all.len() as i64));
                let mut walk = Walk::new(from.into(), counted);
                let mut nearest = Nearest::new(most, paged.last().cloned());
                loop {
                    let next = nearest.look(&mut walk);
                    if next.is_empty() {
                        break;
                    }
                    for (id, point) in next.into_iter().flat_map(|index| &cells[index].1) {
                        nearest.add(geodesic_m(from, *point), &name(*id), ());
                    }
                }
                let (page, more) = nearest.page();
                paged.extend(page.into_iter().map(|near| (near.distance_m, near.id)));
                if !more {
                    break;
                }
            }
            prop_assert_eq!(paged, all);
        }
    }

    #[test]
    fn only_the_cells_around_are_visited() {
        let at = |latitude_e7, longitude_e7| {
            Extent(latitude_e7, longitude_e7, latitude_e7, longitude_e7)
        };
        let cells = [at(0, 1_799_000_000), at(0, 0), at(500_000_000, 0)];
        let from = Degrees::new(0.0, -179.9).unwrap();
        let mut walk = Walk::new(from, cells.iter().map(|extent| (extent, 3)));
        assert_eq!(walk.with(3), [0]);
        let bound_m = walk.bound_m();
        assert!(
            bound_m.is_some_and(|bound_m| bound_m > 10_000_000.0),
            "{bound_m:?}"
        );
        assert_eq!(walk.within(1_000.0), [0; 0]);
        assert_eq!(walk.with(4), [2, 1]);
        assert_eq!(walk.bound_m(), None);
    }

    #[test]
    fn a_place_is_called_by_the_beginnings_of_its_words() {
        let place = Place {
            id: "1".into(),
            code: "BER-01".into(),
            name: "Berlin".into(),
            address_locality: "Berlin".into(),
            geo: Geo {
                latitude_e7: 0,
                longitude_e7: 0,
            },
            visible: true,
            hands_over: true,
            sells: true,
            ships: false,
            cell: "u33".into(),
            words: " berlin ber 01 torstraße".into(),
        };
        for (word, is) in [
            ("ber", true),
            ("01", true),
            ("torst", true),
            ("lin", false),
            ("x", false),
        ] {
            assert_eq!(place.is_called(word), is, "{word}");
        }
    }
}
