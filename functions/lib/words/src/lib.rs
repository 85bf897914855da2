//! Dates, amounts and numbers as people of a language write them, by the Unicode CLDR's
//! data (ICU4X): for pages and messages. Pure, as the domain is.

mod locale;
mod money;
mod number;
mod when;

pub use locale::Locale;
pub use money::money;
pub use number::{Plural, items, number, plural};
pub use when::{date, date_time, day, day_of, time, time_of, weekday};
