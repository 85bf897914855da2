//! When a text may ring somebody's phone: by the clocks of the number's country.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::QuietHours;

const STEP_MS: i64 = 15 * 60_000;
/// Two days: a loud quarter of an hour is found long before.
const STEPS: i64 = 192;

/// Countries with more than one clock: those that most of their people live by. It is quiet
/// as long as it is quiet by one of them, for a number does not tell where its owner is.
const CLOCKS: [(&str, &[&str]); 14] = [
    (
        "AU",
        &[
            "Australia/Sydney",
            "Australia/Brisbane",
            "Australia/Adelaide",
            "Australia/Perth",
        ],
    ),
    (
        "BR",
        &[
            "America/Noronha",
            "America/Sao_Paulo",
            "America/Manaus",
            "America/Rio_Branco",
        ],
    ),
    (
        "CA",
        &[
            "America/St_Johns",
            "America/Halifax",
            "America/Toronto",
            "America/Winnipeg",
            "America/Edmonton",
            "America/Vancouver",
        ],
    ),
    ("CD", &["Africa/Kinshasa", "Africa/Lubumbashi"]),
    ("CL", &["America/Santiago", "Pacific/Easter"]),
    ("EC", &["America/Guayaquil", "Pacific/Galapagos"]),
    ("ES", &["Europe/Madrid", "Atlantic/Canary"]),
    ("ID", &["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]),
    ("KZ", &["Asia/Almaty"]),
    ("MN", &["Asia/Ulaanbaatar", "Asia/Hovd"]),
    (
        "MX",
        &[
            "America/Cancun",
            "America/Mexico_City",
            "America/Mazatlan",
            "America/Tijuana",
        ],
    ),
    ("PT", &["Europe/Lisbon", "Atlantic/Azores"]),
    (
        "RU",
        &[
            "Europe/Kaliningrad",
            "Europe/Moscow",
            "Asia/Yekaterinburg",
            "Asia/Novosibirsk",
            "Asia/Krasnoyarsk",
            "Asia/Vladivostok",
            "Asia/Kamchatka",
        ],
    ),
    (
        "US",
        &[
            "America/New_York",
            "America/Chicago",
            "America/Denver",
            "America/Los_Angeles",
            "America/Anchorage",
            "Pacific/Honolulu",
        ],
    ),
];

/// Countries with one clock.
const CLOCK: [(&str, &str); 83] = [
    ("AD", "Europe/Andorra"),
    ("AE", "Asia/Dubai"),
    ("AL", "Europe/Tirane"),
    ("AM", "Asia/Yerevan"),
    ("AR", "America/Argentina/Buenos_Aires"),
    ("AT", "Europe/Vienna"),
    ("BA", "Europe/Sarajevo"),
    ("BD", "Asia/Dhaka"),
    ("BE", "Europe/Brussels"),
    ("BG", "Europe/Sofia"),
    ("BH", "Asia/Bahrain"),
    ("BO", "America/La_Paz"),
    ("BY", "Europe/Minsk"),
    ("CH", "Europe/Zurich"),
    ("CN", "Asia/Shanghai"),
    ("CO", "America/Bogota"),
    ("CR", "America/Costa_Rica"),
    ("CY", "Asia/Nicosia"),
    ("CZ", "Europe/Prague"),
    ("DE", "Europe/Berlin"),
    ("DK", "Europe/Copenhagen"),
    ("DO", "America/Santo_Domingo"),
    ("DZ", "Africa/Algiers"),
    ("EE", "Europe/Tallinn"),
    ("EG", "Africa/Cairo"),
    ("ET", "Africa/Addis_Ababa"),
    ("FI", "Europe/Helsinki"),
    ("FR", "Europe/Paris"),
    ("GB", "Europe/London"),
    ("GE", "Asia/Tbilisi"),
    ("GH", "Africa/Accra"),
    ("GI", "Europe/Gibraltar"),
    ("GR", "Europe/Athens"),
    ("GT", "America/Guatemala"),
    ("HK", "Asia/Hong_Kong"),
    ("HR", "Europe/Zagreb"),
    ("HU", "Europe/Budapest"),
    ("IE", "Europe/Dublin"),
    ("IL", "Asia/Jerusalem"),
    ("IN", "Asia/Kolkata"),
    ("IS", "Atlantic/Reykjavik"),
    ("IT", "Europe/Rome"),
    ("JO", "Asia/Amman"),
    ("JP", "Asia/Tokyo"),
    ("KE", "Africa/Nairobi"),
    ("KR", "Asia/Seoul"),
    ("KW", "Asia/Kuwait"),
    ("LI", "Europe/Vaduz"),
    ("LK", "Asia/Colombo"),
    ("LT", "Europe/Vilnius"),
    ("LU", "Europe/Luxembourg"),
    ("LV", "Europe/Riga"),
    ("MA", "Africa/Casablanca"),
    ("MC", "Europe/Monaco"),
    ("MD", "Europe/Chisinau"),
    ("ME", "Europe/Podgorica"),
    ("MK", "Europe/Skopje"),
    ("MT", "Europe/Malta"),
    ("MY", "Asia/Kuala_Lumpur"),
    ("NG", "Africa/Lagos"),
    ("NL", "Europe/Amsterdam"),
    ("NO", "Europe/Oslo"),
    ("NZ", "Pacific/Auckland"),
    ("PA", "America/Panama"),
    ("PE", "America/Lima"),
    ("PH", "Asia/Manila"),
    ("PK", "Asia/Karachi"),
    ("PL", "Europe/Warsaw"),
    ("PY", "America/Asuncion"),
    ("QA", "Asia/Qatar"),
    ("RO", "Europe/Bucharest"),
    ("RS", "Europe/Belgrade"),
    ("SA", "Asia/Riyadh"),
    ("SE", "Europe/Stockholm"),
    ("SG", "Asia/Singapore"),
    ("SI", "Europe/Ljubljana"),
    ("SK", "Europe/Bratislava"),
    ("TH", "Asia/Bangkok"),
    ("TR", "Europe/Istanbul"),
    ("TW", "Asia/Taipei"),
    ("UA", "Europe/Kyiv"),
    ("UY", "America/Montevideo"),
    ("ZA", "Africa/Johannesburg"),
];

/// Where we do not know a country's clocks: from the earliest to the latest of the earth's
/// that a phone is likely to be at.
const ANYWHERE: &[&str] = &["America/Sao_Paulo", "UTC", "Asia/Dubai"];

/// From when on it is not quiet for a number of this country: `now_ms` itself, or the next
/// quarter of an hour at which it is day by all of the country's clocks.
pub fn loud_at_ms(hours: &QuietHours, country: &str, now_ms: i64) -> i64 {
    let Some((from, until)) = hours.parsed() else {
        return now_ms;
    };
    let zones: Vec<TimeZone> = clocks(country)
        .into_iter()
        .filter_map(|name| TimeZone::get(name).ok())
        .collect();
    let loud = |at_ms: i64| zones.iter().all(|zone| !is_quiet(from, until, zone, at_ms));
    if loud(now_ms) {
        return now_ms;
    }
    let next_quarter = now_ms - now_ms.rem_euclid(STEP_MS) + STEP_MS;
    let quarters = (0..STEPS).map(|step| next_quarter + step * STEP_MS);
    quarters
        .into_iter()
        .find(|at_ms| loud(*at_ms))
        .unwrap_or(now_ms)
}

fn clocks(country: &str) -> Vec<&'static str> {
    if let Some((_, zones)) = CLOCKS.iter().find(|(known, _)| *known == country) {
        return zones.to_vec();
    }
    let one = CLOCK.iter().find(|(known, _)| *known == country);
    one.map_or(ANYWHERE.to_vec(), |(_, zone)| vec![*zone])
}

fn is_quiet(from: Time, until: Time, zone: &TimeZone, at_ms: i64) -> bool {
    let local = zone.to_datetime(Timestamp::from_millisecond(at_ms).unwrap_or_default());
    let time = local.time();
    if from <= until {
        (from..until).contains(&time)
    } else {
        time >= from || time < until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    /// 2 July 2026, 00:00 UTC.
    const MIDNIGHT_MS: i64 = 1_782_950_400_000;

    fn loud(country: &str, utc_hour: i64) -> i64 {
        let at_ms = MIDNIGHT_MS + utc_hour * HOUR_MS;
        (loud_at_ms(&QuietHours::default(), country, at_ms) - MIDNIGHT_MS) / HOUR_MS
    }

    #[test]
    fn every_clock_is_in_the_database() {
        let all = CLOCKS.iter().flat_map(|(_, zones)| zones.iter().copied());
        for zone in all
            .chain(CLOCK.iter().map(|(_, zone)| *zone))
            .chain(ANYWHERE.iter().copied())
        {
            assert!(TimeZone::get(zone).is_ok(), "{zone}");
        }
    }

    #[test]
    fn a_night_is_waited_for_by_the_numbers_own_clock() {
        // Berlin is at UTC+2: quiet from 21:00, that is 19:00 UTC, until 8:00, that is 6:00.
        assert_eq!(loud("DE", 12), 12);
        assert_eq!(loud("DE", 18), 18);
        assert_eq!(loud("DE", 19), 30);
        assert_eq!(loud("DE", 2), 6);
    }

    #[test]
    fn where_there_are_several_clocks_all_must_say_day() {
        // 8:00 in Honolulu is 18:00 UTC; 21:00 in New York is 1:00 UTC.
        assert_eq!(loud("US", 14), 18);
        assert_eq!(loud("US", 20), 20);
        assert_eq!(loud("US", 2), 18);
    }

    #[test]
    fn an_unknown_country_is_told_at_a_likely_day() {
        assert_eq!(loud("XX", 13), 13);
        assert_eq!(loud("XX", 22), 35);
    }
}
