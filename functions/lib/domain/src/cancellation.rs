//! Whether a shopper can still call an order off.

use serde::{Deserialize, Serialize};

use crate::order::Order;
use crate::pass::PickupStatus;
use crate::transfer::Status;

/// What a brand allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancellationPolicy {
    /// Whether shoppers can cancel orders at all.
    pub allowed: bool,
    /// Whether they still can when the goods lie ready to be collected.
    pub when_ready: bool,
}

impl Default for CancellationPolicy {
    fn default() -> Self {
        Self {
            allowed: true,
            when_ready: true,
        }
    }
}

/// The order as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub order: &'a Order,
    /// It was called off before.
    pub cancelled: bool,
    pub pickup: Option<PickupStatus>,
    /// Of each of its transfers.
    pub transfers: &'a [Status],
    /// It is paid in parts, and not all of them are.
    pub in_instalments: bool,
    /// A payment was begun whose verdict is not known.
    pub payment_open: bool,
}

/// Why it cannot be called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    AlreadyCancelled,
    NotAllowed,
    HandedOver,
    InTransit,
    Ready,
    InInstalments,
    PaymentOpen,
}

impl Hindrance {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AlreadyCancelled => "cancelled",
            Self::NotAllowed => "cancellation_not_allowed",
            Self::HandedOver => "already_handed_over",
            Self::InTransit => "in_transit",
            Self::Ready => "already_ready",
            Self::InInstalments => "paid_in_parts",
            Self::PaymentOpen => "payment_in_progress",
        }
    }

    /// For people.
    pub fn detail(self) -> &'static str {
        match self {
            Self::AlreadyCancelled => "the order was cancelled before",
            Self::NotAllowed => "the shop does not let orders be cancelled this way",
            Self::HandedOver => "something of it was handed over; start a return instead",
            Self::InTransit => "something of it is on its way from one place to another",
            Self::Ready => "it lies ready; ask the store",
            Self::InInstalments => "it is paid in parts: end the layaway instead",
            Self::PaymentOpen => "a payment of it is under way; try again in a moment",
        }
    }
}

impl CancellationPolicy {
    /// Goods on the road cannot be called back, whatever the brand allows, and what was
    /// handed over is returned instead.
    pub fn hindrance(&self, facts: &Facts<'_>) -> Option<Hindrance> {
        let handed_over = facts.order.lines.iter().any(|line| line.fulfilled > 0);
        let on_the_road = facts.transfers.contains(&Status::InTransit);
        let reasons = [
            (
                facts.cancelled || facts.pickup == Some(PickupStatus::Cancelled),
                Hindrance::AlreadyCancelled,
            ),
            (
                handed_over || facts.pickup == Some(PickupStatus::Collected),
                Hindrance::HandedOver,
            ),
            (facts.in_instalments, Hindrance::InInstalments),
            (!self.allowed, Hindrance::NotAllowed),
            (on_the_road, Hindrance::InTransit),
            (
                !self.when_ready && facts.pickup == Some(PickupStatus::Ready),
                Hindrance::Ready,
            ),
            (facts.payment_open, Hindrance::PaymentOpen),
        ];
        let mut reasons = reasons.into_iter();
        reasons.find(|(holds, _)| *holds).map(|(_, reason)| reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::three_of_one_article as order;

    #[test]
    fn an_order_is_called_off_until_its_goods_move() {
        let (untouched, begun) = (order(0), order(1));
        let free = Facts {
            order: &untouched,
            cancelled: false,
            pickup: Some(PickupStatus::AwaitingTransfer),
            transfers: &[Status::Picking, Status::Received],
            in_instalments: false,
            payment_open: false,
        };
        let policy = CancellationPolicy::default();
        assert_eq!(policy.hindrance(&free), None);
        let why = |facts: Facts| policy.hindrance(&facts).map(Hindrance::code);
        let on_the_road = [Status::Picking, Status::InTransit];
        for (facts, code) in [
            (
                Facts {
                    order: &begun,
                    ..free
                },
                "already_handed_over",
            ),
            (
                Facts {
                    transfers: &on_the_road,
                    ..free
                },
                "in_transit",
            ),
            (
                Facts {
                    cancelled: true,
                    ..free
                },
                "cancelled",
            ),
            (
                Facts {
                    in_instalments: true,
                    ..free
                },
                "paid_in_parts",
            ),
            (
                Facts {
                    payment_open: true,
                    ..free
                },
                "payment_in_progress",
            ),
        ] {
            assert_eq!(why(facts), Some(code));
        }
    }

    #[test]
    fn the_brand_decides_how_long() {
        let order = order(0);
        let ready = Facts {
            order: &order,
            cancelled: false,
            pickup: Some(PickupStatus::Ready),
            transfers: &[],
            in_instalments: false,
            payment_open: false,
        };
        let policy = |allowed, when_ready| CancellationPolicy {
            allowed,
            when_ready,
        };
        assert_eq!(policy(true, true).hindrance(&ready), None);
        assert_eq!(
            policy(true, false).hindrance(&ready),
            Some(Hindrance::Ready)
        );
        assert_eq!(
            policy(false, true).hindrance(&ready),
            Some(Hindrance::NotAllowed)
        );
    }
}
