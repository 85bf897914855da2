//! What shoppers are told, how, and when: the rules are data of the brand.

mod keyword;
mod policy;
mod quiet;
mod rules;
pub mod template;
mod words;

pub use keyword::{Keyword, keyword};
pub use policy::{
    NotificationPolicy, NotificationRule, QuietHours, Sender, SendingLimits, TemplateText,
};
pub use quiet::loud_at_ms;
pub use rules::{News, supersedes, told};
