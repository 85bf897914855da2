//! Points on the earth and the distance between them (WGS 84).

use geographiclib_rs::{Geodesic, InverseGeodesic};
use serde::{Deserialize, Serialize};

/// One degree in the unit of [`Geo`].
const DEGREE_E7: f64 = 1e7;

/// A point in ten-millionths of a degree (about a centimetre): integers, so that it
/// survives every database and every round trip unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Geo {
    pub latitude_e7: i64,
    pub longitude_e7: i64,
}

/// A point in decimal degrees as a client gave it, not rounded: UCP forbids to
/// replace the centre of a radius by another, however near.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degrees {
    pub latitude: f64,
    pub longitude: f64,
}

/// A latitude beyond ±90°, a longitude beyond ±180°, or no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

impl Degrees {
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, OutOfRange> {
        let inside = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        inside
            .then_some(Self {
                latitude,
                longitude,
            })
            .ok_or(OutOfRange)
    }

    /// Reads `lat,lon`, as in `near=40.74,-73.99`.
    pub fn parse(text: &str) -> Result<Self, OutOfRange> {
        let (latitude, longitude) = text.split_once(',').ok_or(OutOfRange)?;
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| OutOfRange);
        Self::new(number(latitude)?, number(longitude)?)
    }
}

impl From<Geo> for Degrees {
    fn from(point: Geo) -> Self {
        Self {
            latitude: point.latitude_e7 as f64 / DEGREE_E7,
            longitude: point.longitude_e7 as f64 / DEGREE_E7,
        }
    }
}

impl From<Degrees> for Geo {
    fn from(point: Degrees) -> Self {
        Self {
            latitude_e7: (point.latitude * DEGREE_E7).round() as i64,
            longitude_e7: (point.longitude * DEGREE_E7).round() as i64,
        }
    }
}

/// Length in metres of the shortest geodesic on the WGS 84 ellipsoid, not rounded.
pub fn geodesic_m(a: impl Into<Degrees>, b: impl Into<Degrees>) -> f64 {
    let (a, b) = (a.into(), b.into());
    Geodesic::wgs84().inverse(a.latitude, a.longitude, b.latitude, b.longitude)
}

/// [`geodesic_m`] in whole metres, for people.
pub fn distance_m(a: impl Into<Degrees>, b: impl Into<Degrees>) -> i64 {
    geodesic_m(a, b).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(latitude: f64, longitude: f64) -> Degrees {
        Degrees::new(latitude, longitude).unwrap()
    }

    #[test]
    fn a_known_distance() {
        // JFK to LHR: the worked example of GeographicLib's own documentation.
        let (jfk, lhr) = (point(40.6, -73.8), point(51.6, -0.5));
        assert_eq!(distance_m(jfk, lhr), 5_551_759);
    }

    #[test]
    fn the_antimeridian_is_no_border() {
        assert!(distance_m(point(0.0, 179.9), point(0.0, -179.9)) < 22_300);
    }

    #[test]
    fn bad_points_are_refused() {
        for text in [
            "", "1", "91,0", "-90.1,0", "0,180.1", "a,b", "NaN,0", "inf,0", "1,2,3",
        ] {
            assert_eq!(Degrees::parse(text), Err(OutOfRange), "{text}");
        }
        assert_eq!(Degrees::parse("40.74, -73.99"), Ok(point(40.74, -73.99)));
    }

    fn anywhere() -> impl Strategy<Value = Degrees> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| point(latitude, longitude))
    }

    proptest! {
        #[test]
        fn a_distance_is_symmetric_and_bounded(a in anywhere(), b in anywhere()) {
            let there = geodesic_m(a, b);
            prop_assert!((there - geodesic_m(b, a)).abs() < 1e-6);
            prop_assert!((0.0..=20_003_932.0).contains(&there));
        }

        #[test]
        fn storing_a_point_moves_it_less_than_a_centimetre(a in anywhere()) {
            prop_assert!(geodesic_m(a, Geo::from(a)) < 0.01);
        }
    }
}
