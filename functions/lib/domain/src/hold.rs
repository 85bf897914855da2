//! Goods kept at a store for somebody who has not paid: what, for whom, and what became of it.

use serde::{Deserialize, Serialize};

use crate::contact::{self, is_e164};
use crate::notice::Refusal;
use crate::plan::{Allocation, Demand};
use crate::policy::HoldPolicy;

/// Different SKUs of one hold, at most.
pub const MAX_LINES: usize = 20;
/// Characters of a contact's name, at most.
const MAX_NAME_CHARS: usize = 100;
/// Changes that a hold remembers, at most: staff can replace what was replaced.
const MAX_CHANGES: usize = 50;

/// Column `hold.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The units are set aside in the books, not yet on the shelf behind the till.
    Requested,
    /// Somebody has taken them off the shelf.
    Pulled,
    /// Sold to the person they were kept for.
    Converted,
    /// Given back, by whoever asked for it.
    Released,
    /// Given back because nobody came.
    Expired,
}

impl Status {
    const ALL: [Self; 5] = [
        Self::Requested,
        Self::Pulled,
        Self::Converted,
        Self::Released,
        Self::Expired,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Pulled => "pulled",
            Self::Converted => "converted",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether it holds units.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Pulled)
    }

    /// What it is at the instant `now_ms`: past its end an open hold is expired, whether or
    /// not anybody has tidied up yet.
    pub fn at(self, expires_at_ms: i64, now_ms: i64) -> Self {
        if self.is_open() && expires_at_ms <= now_ms {
            return Self::Expired;
        }
        self
    }
}

/// The document of table `hold`. The only place where its contact is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Each SKU once, in order; what is kept now.
    pub lines: Vec<HoldLine>,
    pub contact: Contact,
    /// By these the open holds are counted that one asker has for one contact, …
    pub contact_keys: Vec<String>,
    /// … and by this all that the asker has: an account's or a network's.
    #[serde(default)]
    pub asker_key: String,
    /// By when the store means to have it pulled.
    pub ready_at_ms: i64,
    /// What was not found, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLine {
    pub sku: String,
    pub title: String,
    /// Units, at least 1.
    pub quantity: i64,
}

/// Who asked. A phone number, an email address, or both.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub name: String,
    /// E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A person's name and number belong in no log.
impl std::fmt::Debug for Contact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Contact").finish_non_exhaustive()
    }
}

/// Units that staff did not find, and what they took instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub missing: HoldLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substitute: Option<HoldLine>,
    pub at_ms: i64,
}

impl Contact {
    /// Trims the name, brings number and address to one form, and refuses what is neither.
    pub fn checked(self) -> Result<Self, Refusal> {
        let refused = |path: &str, detail: &str| {
            Err(Refusal::new(
                "invalid_contact",
                format!("$.contact.{path}"),
                detail,
            ))
        };
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            return refused("name", "must have 1 to 100 characters");
        }
        let phone_number = self.phone_number.map(|number| contact::dialled(&number));
        if phone_number
            .as_deref()
            .is_some_and(|number| !is_e164(number))
        {
            return refused("phone_number", "not in E.164 form, such as +14155550123");
        }
        let email = self.email.map(|email| contact::email(&email)).transpose();
        let Ok(email) = email else {
            return refused("email", "no email address");
        };
        if phone_number.is_none() && email.is_none() {
            return refused(
                "phone_number",
                "a phone number or an email address is needed",
            );
        }
        Ok(Self {
            name,
            phone_number,
            email,
        })
    }
}

/// What is wanted, each SKU once. Refused: nothing, too many SKUs, impossible quantities,
/// more units than the policy allows.
pub fn wanted(items: &[(String, i64)], policy: &HoldPolicy) -> Result<Demand, Refusal> {
    if items.is_empty() || items.len() > MAX_LINES {
        let detail = format!("must have 1 to {MAX_LINES} items");
        return Err(Refusal::new("invalid_items", "$.items", detail));
    }
    if let Some(index) = items.iter().position(|(_, quantity)| *quantity < 1) {
        let path = format!("$.items[{index}].quantity");
        return Err(Refusal::new("invalid_quantity", path, "must be at least 1"));
    }
    let units = items
        .iter()
        .fold(0_i64, |sum, (_, quantity)| sum.saturating_add(*quantity));
    if units > policy.max_units {
        let detail = format!("a hold has {} units at most", policy.max_units);
        return Err(Refusal::new("too_many_units", "$.items", detail));
    }
    Ok(Demand::sum(
        items
            .iter()
            .map(|(sku, quantity)| (sku.as_str(), *quantity)),
    ))
}

impl Hold {
    pub fn units(&self) -> i64 {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// What the hold has set aside at its location.
    pub fn allocations(&self, location_id: &str) -> Vec<Allocation> {
        self.lines.iter().map(|line| line.at(location_id)).collect()
    }

    /// Takes `missing` units off the hold, and puts as many of the substitute (SKU, title) in
    /// their place. Refused: units that are not held, a substitute that is itself missing.
    /// Answers the changes that it noted.
    pub fn not_found(
        &mut self,
        missing: &[(String, i64)],
        substitute: Option<(&str, &str)>,
        at_ms: i64,
    ) -> Result<Vec<Change>, Refusal> {
        let refused = |index: usize, member: &str, detail: &str| {
            let path = format!("$.lines[{index}].{member}");
            Err(Refusal::new("invalid_lines", path, detail))
        };
        if missing.is_empty() || self.changes.len() + missing.len() > MAX_CHANGES {
            let detail = "must name what is missing, and not more than a hold can note";
            return Err(Refusal::new("invalid_lines", "$.lines", detail));
        }
        let mut lines = self.lines.clone();
        let mut changes = Vec::new();
        for (index, (sku, quantity)) in missing.iter().enumerate() {
            let Some(held) = lines.iter_mut().find(|line| line.sku == *sku) else {
                return refused(index, "sku", "the hold has no such SKU");
            };
            if !(1..=held.quantity).contains(quantity) {
                return refused(index, "quantity", "not within 1 and what is held");
            }
            if substitute.is_some_and(|(instead, _)| missing.iter().any(|(sku, _)| sku == instead))
            {
                let detail = "what is missing cannot replace itself";
                return Err(Refusal::new(
                    "invalid_substitute",
                    "$.substitute_sku",
                    detail,
                ));
            }
            held.quantity -= quantity;
            changes.push(Change {
                missing: HoldLine {
                    quantity: *quantity,
                    ..held.clone()
                },
                substitute: substitute.map(|(sku, title)| HoldLine {
                    sku: sku.to_owned(),
                    title: title.to_owned(),
                    quantity: *quantity,
                }),
                at_ms,
            });
        }
        for instead in changes
            .iter()
            .filter_map(|change| change.substitute.as_ref())
        {
            match lines.iter_mut().find(|line| line.sku == instead.sku) {
                Some(line) => line.quantity += instead.quantity,
                None => lines.push(instead.clone()),
            }
        }
        lines.retain(|line| line.quantity > 0);
        lines.sort_by(|a, b| a.sku.cmp(&b.sku));
        self.lines = lines;
        self.changes.extend_from_slice(&changes);
        Ok(changes)
    }
}

impl HoldLine {
    pub fn at(&self, location_id: &str) -> Allocation {
        Allocation {
            sku: self.sku.clone(),
            location_id: location_id.to_owned(),
            quantity: self.quantity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(sku: &str, quantity: i64) -> HoldLine {
        HoldLine {
            sku: sku.into(),
            title: format!("Title {sku}"),
            quantity,
        }
    }

    fn contact(phone: Option<&str>, email: Option<&str>) -> Contact {
        Contact {
            name: " Ada ".into(),
            phone_number: phone.map(Into::into),
            email: email.map(Into::into),
        }
    }

    fn hold(lines: Vec<HoldLine>) -> Hold {
        Hold {
            lines,
            contact: contact(Some("+12025550143"), None),
            contact_keys: vec!["k".into()],
            asker_key: "a".into(),
            ready_at_ms: 0,
            changes: Vec::new(),
        }
    }

    #[test]
    fn an_open_hold_ends_with_its_time_and_no_other_does() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.name()), Some(status));
            assert_eq!(status.at(10, 9), status);
            let past = if status.is_open() {
                Status::Expired
            } else {
                status
            };
            assert_eq!(status.at(10, 10), past);
        }
        assert_eq!(Status::parse("kept"), None);
    }

    #[test]
    fn one_contact_is_one_however_it_is_typed() {
        let typed = contact(Some("+1 (202) 555-0143"), Some(" ADA@Example.com "))
            .checked()
            .unwrap();
        let plain = contact(Some("+12025550143"), Some("ada@example.com"))
            .checked()
            .unwrap();
        assert_eq!(typed, plain);
        assert_eq!(typed.name, "Ada");
        assert!(!format!("{typed:?}").contains("ada"));
    }

    #[test]
    fn a_contact_that_nobody_could_reach_is_refused() {
        for (contact, path) in [
            (contact(None, None), "$.contact.phone_number"),
            (contact(Some("0301234"), None), "$.contact.phone_number"),
            (contact(None, Some("ada")), "$.contact.email"),
            (
                Contact {
                    name: " ".into(),
                    ..contact(None, Some("a@b"))
                },
                "$.contact.name",
            ),
            (
                Contact {
                    name: "x".repeat(101),
                    ..contact(None, Some("a@b"))
                },
                "$.contact.name",
            ),
        ] {
            assert_eq!(contact.checked().unwrap_err().path, path);
        }
    }

    #[test]
    fn a_hold_has_its_limits() {
        let policy = HoldPolicy::default();
        let wanted = |items: &[(&str, i64)]| {
            let items: Vec<_> = items.iter().map(|(sku, n)| (sku.to_string(), *n)).collect();
            super::wanted(&items, &policy).map_err(|refusal| refusal.path)
        };
        assert_eq!(wanted(&[("A", 2), ("A", 3)]).unwrap().units("A"), 5);
        assert_eq!(wanted(&[]).unwrap_err(), "$.items");
        assert_eq!(wanted(&[("A", 3), ("B", 3)]).unwrap_err(), "$.items");
        assert_eq!(
            wanted(&[("A", i64::MAX), ("B", i64::MAX)]).unwrap_err(),
            "$.items"
        );
        assert_eq!(
            wanted(&[("A", 1), ("B", 0)]).unwrap_err(),
            "$.items[1].quantity"
        );
        assert_eq!(wanted(&[("A", 1); 21]).unwrap_err(), "$.items");
    }

    #[test]
    fn what_is_not_found_is_replaced_or_let_go() {
        let mut kept = hold(vec![line("A", 2), line("B", 1)]);
        let changes = kept
            .not_found(&[("A".into(), 1)], Some(("C", "Title C")), 7)
            .unwrap();
        assert_eq!(kept.lines, [line("A", 1), line("B", 1), line("C", 1)]);
        assert_eq!(changes, kept.changes);
        assert_eq!(changes[0].missing, line("A", 1));
        kept.not_found(&[("B".into(), 1), ("A".into(), 1)], None, 8)
            .unwrap();
        assert_eq!(kept.lines, [line("C", 1)]);
        let before = kept.clone();
        for (missing, substitute) in [
            (vec![("C".to_owned(), 2)], None),
            (vec![("C".to_owned(), 0)], None),
            (vec![("A".to_owned(), 1)], None),
            (vec![], None),
            (vec![("C".to_owned(), 1)], Some(("C", ""))),
        ] {
            assert!(kept.not_found(&missing, substitute, 9).is_err());
        }
        assert_eq!(kept, before);
    }

    proptest! {
        #[test]
        fn with_a_substitute_no_unit_gets_lost(held in 1_i64..9, also in 1_i64..9, missing in 0_i64..12) {
            let mut kept = hold(vec![line("A", held), line("B", also)]);
            let before = kept.units();
            let found = kept.not_found(&[("A".into(), missing)], Some(("B", "")), 1);
            prop_assert_eq!(found.is_ok(), (1..=held).contains(&missing));
            prop_assert_eq!(kept.units(), before);
            prop_assert!(kept.lines.iter().all(|line| line.quantity > 0));
            prop_assert!(kept.lines.is_sorted_by(|a, b| a.sku < b.sku));
        }
    }
}
