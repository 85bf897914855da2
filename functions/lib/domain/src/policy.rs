//! A brand's policies: rules that are data. What a brand does not set has the default.

use serde::{Deserialize, Serialize};

use crate::barcode::MeasureRule;
use crate::cancellation::CancellationPolicy;
use crate::notification::NotificationPolicy;
use crate::returns::ReturnPolicy;

const WHOLE_PPM: i64 = 1_000_000;

/// The policies of a brand, one for each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Policies {
    pub sourcing: SourcingPolicy,
    pub transfers: TransferPolicy,
    pub holds: HoldPolicy,
    pub layaway: LayawayPolicy,
    pub pickup: PickupPolicy,
    pub presence: PresencePolicy,
    pub counting: CountingPolicy,
    pub cancellation: CancellationPolicy,
    pub returns: ReturnPolicy,
    pub notification: NotificationPolicy,
    pub retention: RetentionPolicy,
    pub invites: InvitePolicy,
    pub payments: PaymentPolicy,
    pub scanning: ScanningPolicy,
}

/// How the places that goods come from are put in order: the first rule that tells two
/// places apart decides, then their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourcingPolicy {
    pub shipping: Vec<SourcingRule>,
    pub transfer: Vec<SourcingRule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SourcingRule {
    /// The shortest way to the destination.
    Nearest,
    /// A place that has everything before one that has a part.
    FewestPackages,
    /// The place that keeps the most units afterwards.
    ProtectLowStock,
    /// Warehouses before stores.
    PreferWarehouse,
    /// Where the goods are ready at the destination first.
    Earliest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferPolicy {
    /// Whether shoppers may ask for goods from another store.
    pub for_shoppers: bool,
    pub approval: Approval,
    /// A request that nobody has approved by then expires.
    pub approval_minutes: i64,
    /// Working minutes at the source until the goods can leave.
    pub picking_minutes: i64,
    /// Working minutes at the destination from arrival until the goods lie ready.
    pub receiving_minutes: i64,
    /// How long goods stay set aside for a cart or checkout that is not completed.
    pub reservation_minutes: i64,
    /// The most sources of one request.
    pub max_sources: i64,
    /// How long a departure or an arrival is awaited beyond its time before the promise is
    /// computed anew.
    pub late_minutes: i64,
    /// Goods that have not left, and come by so many hours later than they were first
    /// promised, are asked of another source, if one is earlier.
    pub max_slip_hours: i64,
    /// The part of what a source can promise of a SKU that may be set aside for carts and
    /// checkouts that are not paid, all together, in parts per million; one unit at least,
    /// unless it is 0.
    pub unpaid_share_ppm: i64,
    /// Transfers to one store that may be set aside for unpaid carts and checkouts at a time.
    pub max_unpaid_per_store: i64,
    /// The same of one contact, within the time for which goods stay set aside.
    pub max_unpaid_per_contact: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Approval {
    /// The sending store need not be asked.
    Automatic,
    /// Somebody at the sending store says yes or no.
    Manual,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldPolicy {
    pub allowed: bool,
    /// How long goods are kept, counted from the request.
    pub keep_minutes: i64,
    /// Units of one hold, at most.
    pub max_units: i64,
    /// Open holds that one account, or one network without an account, has for one contact at
    /// a time, at most, …
    pub max_open: i64,
    /// … and for all contacts.
    pub max_open_of_asker: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LayawayPolicy {
    pub allowed: bool,
    /// Part of the total that is paid at once, in parts per million.
    pub deposit_ppm: i64,
    /// Equal parts in which the rest is paid.
    pub instalments: i64,
    /// Days from one part to the next.
    pub interval_days: i64,
    /// Days after the last part was due in which it can still be paid.
    pub grace_days: i64,
    /// Days before a part is due when its payer is reminded.
    pub reminder_days: i64,
    /// What a cancellation costs of what was paid, in parts per million, …
    pub cancellation_fee_ppm: i64,
    /// … and at most, in minor units.
    pub cancellation_fee_max_minor: i64,
    /// The smallest total that can be paid in parts.
    pub minimum_total_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PickupPolicy {
    /// How long a pass is valid; the page asks for the next one in time.
    pub pass_lifetime_s: i64,
    /// What a person must show beside the pass.
    pub identification: Identification,
    /// Whether a till that is offline may hand over, and up to what worth of the order.
    pub offline_hand_over: bool,
    pub offline_limit_minor: i64,
    /// How long after it was made a till may settle such a hand-over; a later one is
    /// looked into.
    pub offline_settle_minutes: i64,
    /// Days after the promised end of collection in which the goods are still kept; then
    /// the collection is given up and what was paid for it goes back.
    pub keep_days: i64,
    /// Days before the promised end of collection when the shopper is reminded; 0: never.
    pub reminder_days: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Identification {
    /// The pass is enough.
    None,
    /// Staff note the kind of document that they saw; never its number.
    Document,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PresencePolicy {
    /// After this long a report is forgotten.
    pub on_my_way_minutes: i64,
    pub arrived_minutes: i64,
}

/// How long personal data is kept, in days. The relay sees to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetentionPolicy {
    /// An account that nobody has used for this long is erased.
    pub unused_account_days: i64,
    /// Codes to sign in with, after they are over.
    pub code_days: i64,
    /// Devices that are signed out, with their names.
    pub session_days: i64,
    /// Addresses of messages and of links, and what they said, after they were sent or over.
    pub message_days: i64,
    /// Carts, after they were last changed.
    pub cart_days: i64,
    /// Who a checkout was for, after it was completed, given up or forgotten.
    pub checkout_days: i64,
    /// Who an order was for; what was bought stays.
    pub order_days: i64,
    /// Whom goods were kept for, after the hold is over.
    pub hold_days: i64,
    /// Addresses that agreed to messages or refused them, after their last word and once no
    /// account or order knows them. That they refused is known on, by a digest.
    pub consent_days: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountingPolicy {
    /// A variance of more units for one SKU needs somebody with the scope `approve`.
    pub free_variance_units: i64,
}

/// What a till makes of numbers that the brand makes up itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanningPolicy {
    /// Labels of goods that are weighed or priced in the store, at most 20; the first rule with
    /// the number's prefix decides.
    pub measures: Vec<MeasureRule>,
}

/// Links that are texted to shoppers: how long they lead anywhere, and how many there may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitePolicy {
    /// How long a link leads to its order, …
    pub order_hours: i64,
    /// … its cart, …
    pub cart_hours: i64,
    /// … or its account.
    pub account_hours: i64,
    /// Links to one number or mail address within 24 hours, at most.
    pub per_address_per_day: i64,
    /// Links that one account, link, order or cart asks for within an hour, at most.
    pub per_caller_per_hour: i64,
    /// The same for a till, …
    pub per_device_per_hour: i64,
    /// … and for a network address, of those who show no token.
    pub per_network_per_hour: i64,
    /// Links of the brand within a minute, at most, and …
    pub per_minute: i64,
    /// … within 24 hours.
    pub per_day: i64,
}

/// How money is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PaymentPolicy {
    /// Cash is rounded to multiples of so many minor units; 1: it is not. Absent: as is usual
    /// for the currency where the store is, such as 5 for Swiss francs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cash_rounding_minor: Option<i64>,
}

impl Default for InvitePolicy {
    fn default() -> Self {
        Self {
            order_hours: 30 * 24,
            cart_hours: 72,
            account_hours: 24,
            per_address_per_day: 5,
            per_caller_per_hour: 10,
            per_device_per_hour: 60,
            per_network_per_hour: 60,
            per_minute: 60,
            per_day: 5_000,
        }
    }
}

impl Default for SourcingPolicy {
    fn default() -> Self {
        Self {
            shipping: vec![SourcingRule::FewestPackages, SourcingRule::PreferWarehouse],
            transfer: vec![
                SourcingRule::FewestPackages,
                SourcingRule::Earliest,
                SourcingRule::Nearest,
            ],
        }
    }
}

impl Default for TransferPolicy {
    fn default() -> Self {
        Self {
            for_shoppers: true,
            approval: Approval::Automatic,
            approval_minutes: 240,
            picking_minutes: 60,
            receiving_minutes: 60,
            reservation_minutes: 60,
            max_sources: 3,
            late_minutes: 60,
            max_slip_hours: 24,
            unpaid_share_ppm: 500_000,
            max_unpaid_per_store: 100,
            max_unpaid_per_contact: 10,
        }
    }
}

impl Default for HoldPolicy {
    fn default() -> Self {
        Self {
            allowed: true,
            keep_minutes: 24 * 60,
            max_units: 5,
            max_open: 3,
            max_open_of_asker: 100,
        }
    }
}

impl Default for LayawayPolicy {
    fn default() -> Self {
        Self {
            allowed: false,
            deposit_ppm: 200_000,
            instalments: 3,
            interval_days: 30,
            grace_days: 7,
            reminder_days: 3,
            cancellation_fee_ppm: 100_000,
            cancellation_fee_max_minor: 2_500,
            minimum_total_minor: 5_000,
        }
    }
}

impl Default for PickupPolicy {
    fn default() -> Self {
        Self {
            pass_lifetime_s: 300,
            identification: Identification::None,
            offline_hand_over: true,
            offline_limit_minor: 50_000,
            offline_settle_minutes: 24 * 60,
            keep_days: 3,
            reminder_days: 1,
        }
    }
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            unused_account_days: 1_095,
            code_days: 1,
            session_days: 30,
            message_days: 90,
            cart_days: 90,
            checkout_days: 90,
            order_days: 3_650,
            hold_days: 30,
            consent_days: 1_095,
        }
    }
}

impl Default for PresencePolicy {
    fn default() -> Self {
        Self {
            on_my_way_minutes: 120,
            arrived_minutes: 45,
        }
    }
}

impl Policies {
    /// Checks what the shape alone cannot: the first value that is out of bounds, by its
    /// path below the policies, and the bounds.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        const MINUTES: (i64, i64, &str) = (0, 43_200, "not within 0 and 43200");
        const DAYS: (i64, i64, &str) = (0, 365, "not within 0 and 365");
        const PPM: (i64, i64, &str) = (0, WHOLE_PPM, "not within 0 and 1000000");
        const MINOR: (i64, i64, &str) = (0, crate::money::MAX_MINOR, "negative or too high");
        const KEPT: (i64, i64, &str) = (1, 36_500, "not within 1 and 36500");
        const RULES: (i64, i64, &str) = (0, 5, "more than 5 rules");
        let (transfers, layaway, retention) = (&self.transfers, &self.layaway, &self.retention);
        const HOURS: (i64, i64, &str) = (1, 8_760, "not within 1 and 8760");
        const TIMES: (i64, i64, &str) = (0, 1_000_000, "not within 0 and 1000000");
        let invites = &self.invites;
        let measures = &self.scanning.measures;
        if !measures.iter().all(MeasureRule::is_valid) {
            return Err((
                "scanning.measures",
                "a rule has a prefix of 02 or 20 to 29, names an article, and leaves digits for a value",
            ));
        }
        let bounds = [
            (
                "scanning.measures",
                measures.len() as i64,
                (0, 20, "more than 20 rules"),
            ),
            (
                "sourcing.shipping",
                self.sourcing.shipping.len() as i64,
                RULES,
            ),
            (
                "sourcing.transfer",
                self.sourcing.transfer.len() as i64,
                RULES,
            ),
            (
                "transfers.approval_minutes",
                transfers.approval_minutes,
                MINUTES,
            ),
            (
                "transfers.picking_minutes",
                transfers.picking_minutes,
                MINUTES,
            ),
            (
                "transfers.receiving_minutes",
                transfers.receiving_minutes,
                MINUTES,
            ),
            (
                "transfers.reservation_minutes",
                transfers.reservation_minutes,
                MINUTES,
            ),
            (
                "transfers.max_sources",
                transfers.max_sources,
                (1, 10, "not within 1 and 10"),
            ),
            ("transfers.late_minutes", transfers.late_minutes, MINUTES),
            (
                "transfers.max_slip_hours",
                transfers.max_slip_hours,
                (0, 8_760, "not within 0 and 8760"),
            ),
            (
                "transfers.unpaid_share_ppm",
                transfers.unpaid_share_ppm,
                PPM,
            ),
            (
                "transfers.max_unpaid_per_store",
                transfers.max_unpaid_per_store,
                (0, 100_000, "not within 0 and 100000"),
            ),
            (
                "transfers.max_unpaid_per_contact",
                transfers.max_unpaid_per_contact,
                (1, 1_000, "not within 1 and 1000"),
            ),
            ("holds.keep_minutes", self.holds.keep_minutes, MINUTES),
            (
                "holds.max_units",
                self.holds.max_units,
                (1, 1_000, "not within 1 and 1000"),
            ),
            (
                "holds.max_open",
                self.holds.max_open,
                (1, 100, "not within 1 and 100"),
            ),
            (
                "holds.max_open_of_asker",
                self.holds.max_open_of_asker,
                (1, 10_000, "not within 1 and 10000"),
            ),
            ("layaway.deposit_ppm", layaway.deposit_ppm, PPM),
            (
                "layaway.instalments",
                layaway.instalments,
                (1, 36, "not within 1 and 36"),
            ),
            (
                "layaway.interval_days",
                layaway.interval_days,
                (1, 365, "not within 1 and 365"),
            ),
            ("layaway.grace_days", layaway.grace_days, DAYS),
            ("layaway.reminder_days", layaway.reminder_days, DAYS),
            (
                "layaway.cancellation_fee_ppm",
                layaway.cancellation_fee_ppm,
                PPM,
            ),
            (
                "layaway.cancellation_fee_max_minor",
                layaway.cancellation_fee_max_minor,
                MINOR,
            ),
            (
                "layaway.minimum_total_minor",
                layaway.minimum_total_minor,
                MINOR,
            ),
            (
                "pickup.pass_lifetime_s",
                self.pickup.pass_lifetime_s,
                (30, 86_400, "not within 30 and 86400"),
            ),
            (
                "pickup.offline_limit_minor",
                self.pickup.offline_limit_minor,
                MINOR,
            ),
            (
                "pickup.offline_settle_minutes",
                self.pickup.offline_settle_minutes,
                MINUTES,
            ),
            ("pickup.keep_days", self.pickup.keep_days, DAYS),
            ("pickup.reminder_days", self.pickup.reminder_days, DAYS),
            (
                "presence.on_my_way_minutes",
                self.presence.on_my_way_minutes,
                (1, 1_440, "not within 1 and 1440"),
            ),
            (
                "presence.arrived_minutes",
                self.presence.arrived_minutes,
                (1, 1_440, "not within 1 and 1440"),
            ),
            ("returns.window_days", self.returns.window_days, DAYS),
            (
                "returns.reasons",
                self.returns.reasons.len() as i64,
                (0, 6, "more than 6 reasons"),
            ),
            (
                "counting.free_variance_units",
                self.counting.free_variance_units,
                (0, 1_000_000, "not within 0 and 1000000"),
            ),
            (
                "retention.unused_account_days",
                retention.unused_account_days,
                KEPT,
            ),
            ("retention.code_days", retention.code_days, KEPT),
            ("retention.session_days", retention.session_days, KEPT),
            ("retention.message_days", retention.message_days, KEPT),
            ("retention.cart_days", retention.cart_days, KEPT),
            ("retention.checkout_days", retention.checkout_days, KEPT),
            ("retention.order_days", retention.order_days, KEPT),
            ("retention.hold_days", retention.hold_days, KEPT),
            ("retention.consent_days", retention.consent_days, KEPT),
            ("invites.order_hours", invites.order_hours, HOURS),
            ("invites.cart_hours", invites.cart_hours, HOURS),
            ("invites.account_hours", invites.account_hours, HOURS),
            (
                "invites.per_address_per_day",
                invites.per_address_per_day,
                TIMES,
            ),
            (
                "invites.per_caller_per_hour",
                invites.per_caller_per_hour,
                TIMES,
            ),
            (
                "invites.per_device_per_hour",
                invites.per_device_per_hour,
                TIMES,
            ),
            (
                "invites.per_network_per_hour",
                invites.per_network_per_hour,
                TIMES,
            ),
            (
                "payments.cash_rounding_minor",
                self.payments.cash_rounding_minor.unwrap_or(1),
                (1, 100_000, "not within 1 and 100000"),
            ),
            ("invites.per_minute", invites.per_minute, TIMES),
            ("invites.per_day", invites.per_day, TIMES),
        ];
        bounds
            .into_iter()
            .find(|(_, value, (least, most, _))| !(least..=most).contains(&value))
            .map_or(Ok(()), |(path, _, (_, _, detail))| Err((path, detail)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_has_its_default_and_bounds_are_named() {
        let set: Policies =
            serde_json::from_str(r#"{"transfers": {"approval": "manual"}}"#).unwrap();
        assert_eq!(set.transfers.approval, Approval::Manual);
        assert_eq!(set.holds, HoldPolicy::default());
        assert_eq!(set.validate(), Ok(()));
        assert!(serde_json::from_str::<Policies>(r#"{"transfer": {}}"#).is_err());
        let mut bad = set;
        bad.layaway.deposit_ppm = WHOLE_PPM + 1;
        assert_eq!(bad.validate().unwrap_err().0, "layaway.deposit_ppm");
    }
}
