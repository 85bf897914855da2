//! What stays of a document when the person in it is to be forgotten: what was bought, for
//! how much, when and from where, which the law asks to keep; the country and region of a
//! parcel, which its tax depends on; nothing by which somebody can be known.

use crate::cart::{Buyer, Cart, Context, Trail};
use crate::checkout::Session;
use crate::fulfillment::{Destination, Method, ShippingAddress};
use crate::hold::{Contact, Hold};
use crate::order::Order;

impl Order {
    /// Forgets who bought it and where it was sent.
    pub fn redact(&mut self) {
        self.buyer = Buyer::default();
        for (index, expected) in self.expectations.iter_mut().enumerate() {
            expected.destination.redact(&place(index));
        }
    }
}

impl Session {
    /// Forgets who was about to buy.
    pub fn redact(&mut self) {
        self.buyer = Buyer::default();
        self.context = Context::default();
        self.paid_by.clear();
        self.methods.iter_mut().for_each(Method::redact);
    }
}

impl Cart {
    /// Forgets whose it was.
    pub fn redact(&mut self) {
        self.buyer = Buyer::default();
        self.context = Context::default();
        self.trail = Trail::default();
    }
}

impl Hold {
    /// Forgets whom the goods were kept for.
    pub fn redact(&mut self) {
        self.contact = Contact {
            name: String::new(),
            phone_number: None,
            email: None,
        };
        self.contact_keys.clear();
        self.asker_key.clear();
    }
}

impl Method {
    fn redact(&mut self) {
        let selected = self.selected_destination_id.take();
        for (index, destination) in self.destinations.iter_mut().enumerate() {
            let was_selected = selected.as_deref() == Some(destination.id());
            destination.redact(&place(index));
            if was_selected {
                self.selected_destination_id = Some(destination.id().to_owned());
            }
        }
    }
}

impl Destination {
    /// An address's id is the client's own words, so it goes as well.
    fn redact(&mut self, id: &str) {
        if let Self::Address(address) = self {
            *address = ShippingAddress {
                id: id.to_owned(),
                address_region: address.address_region.take(),
                address_country: address.address_country.take(),
                ..ShippingAddress::default()
            };
        }
    }
}

fn place(index: usize) -> String {
    format!("dest_{}", index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(id: &str) -> Destination {
        Destination::Address(ShippingAddress {
            id: id.into(),
            first_name: Some("Ada".into()),
            last_name: Some("Byron".into()),
            phone_number: Some("+12025550143".into()),
            street_address: Some("1 Analytical Way".into()),
            extended_address: Some("Flat 2".into()),
            address_locality: Some("Springfield".into()),
            address_region: Some("NY".into()),
            postal_code: Some("10115".into()),
            address_country: Some("US".into()),
        })
    }

    #[test]
    fn an_address_keeps_what_its_tax_depends_on() {
        let mut method = Method {
            kind: crate::fulfillment::MethodKind::Shipping,
            line_ids: vec!["l".into()],
            destinations: vec![address("adas-home"), address("adas-office")],
            selected_destination_id: Some("adas-office".into()),
            options: Vec::new(),
            selected_option_id: None,
            charge: None,
        };
        method.redact();
        assert_eq!(method.selected_destination_id.as_deref(), Some("dest_2"));
        assert_eq!(
            method.destination().unwrap().country_and_region(),
            ("US", "NY")
        );
        let text = serde_json::to_string(&method).unwrap();
        for gone in [
            "Ada",
            "ada",
            "Byron",
            "+1202",
            "Analytical",
            "Flat",
            "Springfield",
            "10115",
        ] {
            assert!(!text.contains(gone), "{gone} is still in {text}");
        }
    }
}
