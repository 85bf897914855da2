//! What shoppers are told, how, and when: the rules are data of the brand.

mod gate;
mod keyword;
mod policy;
mod quiet;
mod rules;
pub mod template;
mod words;

pub use gate::{Standing, Verdict};
pub use keyword::{Keyword, keyword};
pub use policy::{
    NotificationPolicy, NotificationRule, QuietHours, Recipients, Sender, SendingLimits,
    TemplateText,
};
pub use quiet::loud_at_ms;
pub use rules::{News, outdated_by, told};
