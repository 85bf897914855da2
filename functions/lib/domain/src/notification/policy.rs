//! The policy `notification`: who sends, what is told by what channel, in which words, and
//! how much of it at what time.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::{rules, template};
use crate::contact::{self, Channel};

const MAX_RULES: usize = 100;
const MAX_TEMPLATES: usize = 200;
const MAX_COUNTRIES: usize = 250;

/// What shoppers are told, how, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationPolicy {
    pub sender: Sender,
    /// The buyer's own address is told what happens to the order, without asking for it.
    pub email_buyer: bool,
    pub rules: Vec<NotificationRule>,
    /// Words of the brand's own, instead of the built-in ones.
    pub templates: Vec<TemplateText>,
    /// What happens to an order within so many seconds is told in one message.
    pub collapse_seconds: i64,
    pub quiet_hours: QuietHours,
    /// ISO 3166-1 alpha-2 codes of countries that texts may go to; empty: the brand's own and
    /// those that it ships to.
    pub countries: Vec<String>,
    pub limits: SendingLimits,
}

/// Who a message comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sender {
    /// The number (E.164), or up to 11 letters and digits, that texts come from.
    pub sms_from: String,
    /// A Twilio messaging service (`MG…`), which knows its numbers, instead of `sms_from`.
    pub messaging_service_sid: String,
    pub email_from: String,
    /// Empty: the brand's name.
    pub email_name: String,
}

/// An event of an order, and who is told of it by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotificationRule {
    /// `order.confirmed`, or a kind of the order's timeline such as `moved_earlier`.
    pub event: String,
    pub channels: Vec<Channel>,
    /// Names the words, such as `order_earlier`.
    pub template: String,
    #[serde(default)]
    pub to: Recipients,
    /// Does not wait for what may follow.
    #[serde(default)]
    pub at_once: bool,
}

/// Which of those who want news of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Recipients {
    #[default]
    Everybody,
    /// The address or number that the buyer gave.
    Buyer,
}

/// Words of a template in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateText {
    pub name: String,
    /// BCP 47 language, such as `de`.
    pub locale: String,
    /// Only for this channel; absent: for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Of a mail; empty: the built-in one.
    #[serde(default)]
    pub subject: String,
    /// `{name}` is filled in; `[…]` is left away where a text would not fit otherwise. Words
    /// for texts have `{brand}`.
    pub text: String,
}

/// When no text is sent but codes: from the first time on the wall (`21:00`) to the second, by
/// the clocks of the number's country. Equal: never quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuietHours {
    pub from: String,
    pub until: String,
}

/// How many texts may be sent; those beyond wait, as long as they are of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendingLimits {
    pub number_per_hour: i64,
    pub number_per_day: i64,
    pub brand_per_minute: i64,
    /// To each country but the brand's own: numbers abroad are where toll fraud pays.
    pub foreign_country_per_day: i64,
}

impl SendingLimits {
    /// Texts abroad that any one network or account may have sent in a day: so few that it
    /// takes many of them to use up [`foreign_country_per_day`](Self::foreign_country_per_day).
    pub fn abroad_of_one_per_day(&self) -> i64 {
        const ASKERS: i64 = 50;
        self.foreign_country_per_day.saturating_add(ASKERS - 1) / ASKERS
    }
}

impl Default for NotificationPolicy {
    fn default() -> Self {
        Self {
            sender: Sender::default(),
            email_buyer: true,
            rules: rules::standard(),
            templates: Vec::new(),
            collapse_seconds: 60,
            quiet_hours: QuietHours::default(),
            countries: Vec::new(),
            limits: SendingLimits::default(),
        }
    }
}

impl Default for QuietHours {
    fn default() -> Self {
        Self {
            from: "21:00".into(),
            until: "08:00".into(),
        }
    }
}

impl Default for SendingLimits {
    fn default() -> Self {
        Self {
            number_per_hour: 10,
            number_per_day: 30,
            brand_per_minute: 300,
            foreign_country_per_day: 500,
        }
    }
}

/// What is wrong: the path below `notification`, and how.
type Fault = (String, &'static str);

impl NotificationPolicy {
    /// Checks what the shape alone cannot.
    pub fn validate(&self) -> Result<(), Fault> {
        self.sender.validate()?;
        let bounds = [
            ("collapse_seconds", self.collapse_seconds, 3_600),
            ("limits.number_per_hour", self.limits.number_per_hour, 1_000),
            ("limits.number_per_day", self.limits.number_per_day, 10_000),
            (
                "limits.brand_per_minute",
                self.limits.brand_per_minute,
                1_000_000,
            ),
            (
                "limits.foreign_country_per_day",
                self.limits.foreign_country_per_day,
                1_000_000,
            ),
        ];
        for (path, value, most) in bounds {
            check((0..=most).contains(&value), path, "negative or too high")?;
        }
        check(
            self.quiet_hours.parsed().is_some(),
            "quiet_hours",
            "no times such as 21:00",
        )?;
        let is_country =
            |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
        check(
            self.countries.len() <= MAX_COUNTRIES && self.countries.iter().all(is_country),
            "countries",
            "no ISO 3166-1 alpha-2 codes",
        )?;
        check(
            self.rules.len() <= MAX_RULES,
            "rules",
            "more than 100 rules",
        )?;
        for (index, rule) in self.rules.iter().enumerate() {
            rule.validate(&format!("rules[{index}]"))?;
        }
        check(
            self.templates.len() <= MAX_TEMPLATES,
            "templates",
            "more than 200 templates",
        )?;
        for (index, words) in self.templates.iter().enumerate() {
            words.validate(&format!("templates[{index}]"))?;
        }
        Ok(())
    }

    /// The words of a template: subject and text. Those of the language, else of the fallback
    /// language, else English; `None` for an unknown template.
    pub fn words(
        &self,
        name: &str,
        channel: Channel,
        locale: &str,
        fallback: &str,
    ) -> Option<(String, String)> {
        let known = template::known(name)?;
        let wanted = [locale, fallback, "en"];
        wanted.into_iter().find_map(|tag| {
            let language = template::language(tag);
            let (subject, text) = known.in_language(language).unzip();
            let own = self.own(name, channel, language);
            let text = own.map(|own| own.text.as_str()).or(text)?;
            let of_own = own
                .map(|own| own.subject.as_str())
                .filter(|own| !own.is_empty());
            let subject = of_own.or(subject).unwrap_or(known.subject());
            Some((subject.to_owned(), text.to_owned()))
        })
    }

    fn own(&self, name: &str, channel: Channel, language: &str) -> Option<&TemplateText> {
        let mut own = self.templates.iter().filter(|one| {
            one.name == name
                && template::language(&one.locale) == language
                && one.channel.is_none_or(|only| only == channel)
        });
        // Words for this channel alone come before those for both.
        own.clone()
            .find(|one| one.channel.is_some())
            .or_else(|| own.next())
    }
}

impl Sender {
    fn validate(&self) -> Result<(), Fault> {
        let is_number = contact::is_e164(&self.sms_from);
        let is_name = (1..=11).contains(&self.sms_from.len())
            && self
                .sms_from
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b' ')
            && self.sms_from.bytes().any(|b| b.is_ascii_alphabetic());
        check(
            self.sms_from.is_empty() || is_number || is_name,
            "sender.sms_from",
            "no E.164 number, nor a name of up to 11 letters and digits",
        )?;
        let is_service = self
            .messaging_service_sid
            .strip_prefix("MG")
            .is_some_and(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
        check(
            self.messaging_service_sid.is_empty() || is_service,
            "sender.messaging_service_sid",
            "no MG and 32 hexadecimal digits",
        )?;
        check(
            self.email_from.is_empty() || contact::email(&self.email_from).is_ok(),
            "sender.email_from",
            "no email address",
        )?;
        check(
            self.email_name.chars().count() <= 100 && !self.email_name.contains(char::is_control),
            "sender.email_name",
            "longer than 100 characters",
        )
    }
}

impl NotificationRule {
    fn validate(&self, path: &str) -> Result<(), Fault> {
        check(
            rules::EVENTS.contains(&self.event.as_str()),
            &format!("{path}.event"),
            "no event of an order",
        )?;
        check(
            template::known(&self.template).is_some_and(|known| known.is_of_an_order()),
            &format!("{path}.template"),
            "no template of an order",
        )?;
        check(
            self.channels.len() <= 2,
            &format!("{path}.channels"),
            "a channel more than once",
        )
    }
}

impl TemplateText {
    fn validate(&self, path: &str) -> Result<(), Fault> {
        let known = template::known(&self.name);
        let Some(known) = known else {
            return Err((format!("{path}.name"), "no template"));
        };
        check(
            (2..=35).contains(&self.locale.len()) && self.locale.is_ascii(),
            &format!("{path}.locale"),
            "no BCP 47 language",
        )?;
        if let Some(fault) = template::fault(&self.text, known.values()) {
            return Err((format!("{path}.text"), fault));
        }
        // A number says nothing to people: the text itself has to say who sends it.
        check(
            self.channel == Some(Channel::Email) || template::always_says(&self.text, "brand"),
            &format!("{path}.text"),
            "a text without {brand} outside of brackets",
        )?;
        match template::fault(&self.subject, known.values()) {
            Some(fault) if !self.subject.is_empty() => Err((format!("{path}.subject"), fault)),
            _ if self.subject.contains(char::is_control) => {
                Err((format!("{path}.subject"), "more than one line"))
            }
            _ => Ok(()),
        }
    }
}

impl QuietHours {
    /// `None` when it is never quiet, or no times.
    pub(super) fn parsed(&self) -> Option<(Time, Time)> {
        Some((time(&self.from)?, time(&self.until)?))
    }
}

/// `HH:MM`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse().ok())?;
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn check(fits: bool, path: &str, detail: &'static str) -> Result<(), Fault> {
    fits.then_some(()).ok_or_else(|| (path.to_owned(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_after(change: impl Fn(&mut NotificationPolicy)) -> String {
        let mut policy = NotificationPolicy::default();
        change(&mut policy);
        policy.validate().expect_err("a fault").0
    }

    fn words(name: &str, locale: &str, text: &str) -> TemplateText {
        TemplateText {
            name: name.into(),
            locale: locale.into(),
            channel: None,
            subject: String::new(),
            text: text.into(),
        }
    }

    #[test]
    fn the_standard_policy_is_in_order() {
        assert_eq!(NotificationPolicy::default().validate(), Ok(()));
    }

    #[test]
    fn a_fault_names_its_field() {
        assert_eq!(
            fault_after(|policy| policy.collapse_seconds = -1),
            "collapse_seconds"
        );
        assert_eq!(
            fault_after(|policy| policy.limits.brand_per_minute = -1),
            "limits.brand_per_minute"
        );
        assert_eq!(
            fault_after(|policy| policy.quiet_hours.from = "9pm".into()),
            "quiet_hours"
        );
        assert_eq!(
            fault_after(|policy| policy.countries = vec!["de".into()]),
            "countries"
        );
        assert_eq!(
            fault_after(|policy| policy.sender.sms_from = "+0".into()),
            "sender.sms_from"
        );
        assert_eq!(
            fault_after(|policy| policy.sender.sms_from = "much too long a name".into()),
            "sender.sms_from"
        );
        assert_eq!(
            fault_after(|policy| policy.sender.messaging_service_sid = "MG1".into()),
            "sender.messaging_service_sid"
        );
        assert_eq!(
            fault_after(|policy| policy.sender.email_from = "shop".into()),
            "sender.email_from"
        );
        assert_eq!(
            fault_after(|policy| policy.rules[1].event = "order.unheard".into()),
            "rules[1].event"
        );
        assert_eq!(
            fault_after(|policy| policy.rules[0].template = "code".into()),
            "rules[0].template"
        );
        assert_eq!(
            fault_after(|policy| policy.templates = vec![words("no", "de", "x")]),
            "templates[0].name"
        );
        assert_eq!(
            fault_after(|policy| policy.templates = vec![words("code", "de", "{link}")]),
            "templates[0].text"
        );
    }

    #[test]
    fn a_text_names_the_brand() {
        let validated = |channel, text: &str| {
            let own = TemplateText {
                channel,
                ..words("order_ready", "de", text)
            };
            let policy = NotificationPolicy {
                templates: vec![own],
                ..NotificationPolicy::default()
            };
            policy.validate().map_err(|(path, _)| path)
        };
        for channel in [None, Some(Channel::Sms)] {
            let named = "{brand}: {number} liegt bereit.";
            assert_eq!(validated(channel, named), Ok(()));
            for nameless in ["{number} liegt bereit.", "{number} liegt bereit.[ {brand}]"] {
                let fault = Err("templates[0].text".to_owned());
                assert_eq!(validated(channel, nameless), fault, "{nameless}");
            }
        }
        // A mail has a sender with a name.
        let mail = validated(Some(Channel::Email), "{number} liegt bereit.");
        assert_eq!(mail, Ok(()));
    }

    #[test]
    fn a_brands_own_words_come_first_and_languages_fall_back() {
        let text = |policy: &NotificationPolicy, locale: &str| {
            policy
                .words("code", Channel::Sms, locale, "de")
                .map(|(_, text)| text)
        };
        let mut policy = NotificationPolicy::default();
        assert!(text(&policy, "es-MX").unwrap().contains("código"));
        assert!(text(&policy, "fr").unwrap().contains("Dein Code"));
        policy.templates = vec![
            words("code", "fr", "{brand} : votre code est {code}."),
            TemplateText {
                channel: Some(Channel::Email),
                ..words("code", "fr", "par courriel : {code}")
            },
        ];
        assert_eq!(policy.validate(), Ok(()));
        assert_eq!(
            text(&policy, "fr-CA").unwrap(),
            "{brand} : votre code est {code}."
        );
        assert_eq!(
            policy.words("code", Channel::Email, "fr", "en"),
            Some((
                "Your {brand} code: {code}".into(),
                "par courriel : {code}".into()
            ))
        );
        assert_eq!(policy.words("unheard", Channel::Sms, "en", "en"), None);
    }
}
