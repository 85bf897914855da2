//! How the stock of one SKU reaches a shopper: collected at a store, or shipped.

/// Units of one SKU that can be promised, by how they reach a shopper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Supply {
    /// At all locations that ship, shown as one figure: it tells nothing about any one warehouse.
    pub shippable: i64,
    /// At all stores that hand over orders.
    pub collectable: i64,
    /// At the store that the shopper has in mind; 0 without one.
    pub at_store: i64,
    /// The store nearest to that one that hands over and has one, when it was looked for.
    pub nearest: Option<OtherStore>,
}

/// A store, seen from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherStore {
    pub id: String,
    pub name: String,
    pub distance_m: i64,
}

/// From where something must reach the shopper: any of these will do, and none without any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restriction {
    /// Collected at the store with this id.
    pub store: Option<String>,
    /// Collected at any store.
    pub collected: bool,
    pub shipped: bool,
}

impl Supply {
    /// Whether a shopper can get one at all.
    pub fn is_obtainable(&self) -> bool {
        self.shippable > 0 || self.collectable > 0
    }

    /// Whether one reaches the shopper as `restriction` wants it, whose store, if any, is
    /// the one in mind.
    pub fn meets(&self, restriction: &Restriction) -> bool {
        restriction.store.is_some() && self.at_store > 0
            || restriction.collected && self.collectable > 0
            || restriction.shipped && self.shippable > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_way_will_do_and_none_is_none() {
        let supply = Supply {
            shippable: 3,
            ..Supply::default()
        };
        let by = |store: Option<&str>, collected, shipped| Restriction {
            store: store.map(Into::into),
            collected,
            shipped,
        };
        assert!(supply.is_obtainable());
        assert!(supply.meets(&by(None, true, true)));
        assert!(!supply.meets(&by(Some("1"), true, false)));
        assert!(!supply.meets(&Restriction::default()));
        let here = Supply {
            at_store: 1,
            collectable: 1,
            ..Supply::default()
        };
        assert!(here.meets(&by(Some("1"), false, false)));
        assert!(!here.meets(&by(None, false, true)));
    }
}
