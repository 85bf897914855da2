//! The store: where it is, when it is open, and how to get there.

use aisle_domain::hours::{DoorDay, TimeOfDay, is_open_at};
use aisle_domain::location::{Geo, Location};
use aisle_words as words;
use maud::{Markup, html};

use super::Page;

impl Page<'_> {
    pub(super) fn place(&self) -> Markup {
        let Some(store) = &self.store else {
            return html! {};
        };
        let text = self.text;
        let address = &store.address;
        let open = is_open_at(store, self.facts.now_ms);
        let days = self.days();
        html! {
            section.card aria-labelledby="store-title" {
                h2 #store-title { (text.store) }
                address {
                    strong { (store.name) } br;
                    (address.street_address) br;
                    @if let Some(more) = &address.extended_address { (more) br; }
                    (address.postal_code) " " (address.address_locality)
                }
                @if !days.is_empty() {
                    details #hours open[self.waits()] {
                        summary {
                            span { (text.hours) " · " (if open { text.open_now } else { text.closed_now }) }
                        }
                        (self.week(&days))
                    }
                }
                div.row {
                    a.button.plain href=(directions(store)) rel="noreferrer" { (text.directions) }
                    @if let Some(phone) = &store.phone {
                        a.button.plain href={ "tel:" (phone) } { (text.call_store) }
                    }
                }
            }
        }
    }

    fn week(&self, days: &[DoorDay]) -> Markup {
        let text = self.text;
        html! {
            table.hours {
                caption.unseen { (text.hours) }
                @for (index, day) in days.iter().enumerate() {
                    tr class=(if index == 0 { "now" } else { "" }) {
                        th scope="row" {
                            (self.day_name(day, index))
                            @if day.is_exception {
                                span.tag { (day.title.as_deref().unwrap_or(text.special_hours)) }
                            }
                        }
                        td { (self.open_hours(day)) }
                    }
                }
            }
        }
    }

    /// Other hours than usual belong to a date; the others to a day of the week.
    fn day_name(&self, day: &DoorDay, index: usize) -> String {
        let name = match day.is_exception {
            true => words::day_of(day.date, self.locale),
            false => words::weekday(day.date.weekday(), self.locale),
        };
        match index {
            0 => format!("{name} ({})", self.text.today),
            _ => name,
        }
    }

    fn open_hours(&self, day: &DoorDay) -> String {
        let time = |time: TimeOfDay| words::time_of(time.civil(), self.locale);
        let span = |(opens, closes): &(TimeOfDay, TimeOfDay)| {
            let whole = String::from(*opens) == "00:00" && String::from(*closes) == "23:59";
            match whole {
                true => self.text.all_day.to_owned(),
                false => format!("{} – {}", time(*opens), time(*closes)),
            }
        };
        match day.open.is_empty() {
            true => self.text.closed.to_owned(),
            false => day.open.iter().map(span).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Opens the maps of whatever device it is followed on.
fn directions(store: &Location) -> String {
    let Geo {
        latitude_e7,
        longitude_e7,
    } = store.geo;
    let degrees = |e7: i64| {
        let sign = if e7 < 0 { "-" } else { "" };
        let e7 = e7.unsigned_abs();
        format!("{sign}{}.{:07}", e7 / 10_000_000, e7 % 10_000_000)
    };
    format!(
        "https://www.google.com/maps/dir/?api=1&destination={},{}",
        degrees(latitude_e7),
        degrees(longitude_e7)
    )
}
