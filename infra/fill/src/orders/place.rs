//! The checkout of an order, decided by the same rules as any.

use aisle_domain::cart::{Buyer, Item, LineRequest, PriceList};
use aisle_domain::checkout::{self, CheckoutRequest, Created, Session, Shop, Status};
use aisle_domain::fulfillment::{self, MethodKind, MethodRequest, ShippingAddress};
use aisle_domain::plan::{Availability, StockLevel};
use aisle_domain::product::Product;
use anyhow::{Context, Result, bail, ensure};

use super::{Book, Drawn};
use crate::chance::Chance;
use crate::products::VARIANTS;
use crate::words;

impl Book<'_> {
    /// The session as it was before it was completed: ready for that.
    pub(super) fn session(&self, drawn: &Drawn, chance: &mut Chance) -> Result<Session> {
        let items: Vec<Item> = drawn
            .lines
            .iter()
            .map(|(variant, _)| self.item(*variant))
            .collect();
        let location = self.location(drawn.place);
        let level = |(item, (_, quantity)): (&Item, &(u64, i64))| StockLevel {
            sku: item.sku.clone(),
            location_id: location.id.clone(),
            on_hand: *quantity,
            reserved: 0,
            safety: 0,
        };
        let levels: Vec<StockLevel> = items.iter().zip(&drawn.lines).map(level).collect();
        let shop = Shop {
            prices: PriceList {
                brand: self.brand,
                rates: &self.brand.tax_rates,
                items: &items,
            },
            locations: std::slice::from_ref(location),
            availability: &Availability::new(&levels),
            lanes: &[],
            held: &[],
            now_ms: drawn.placed_at_ms,
        };
        let buyer = self.buyer(chance);
        let request = CheckoutRequest {
            lines: items
                .iter()
                .zip(&drawn.lines)
                .map(|(item, (_, quantity))| LineRequest {
                    id: None,
                    item: item.variant_id.clone(),
                    quantity: *quantity,
                    other_unit: false,
                })
                .collect(),
            methods: vec![match drawn.collected {
                true => collection(&location.id),
                false => self.parcel(&buyer, chance, drawn.placed_at_ms)?,
            }],
            buyer,
            ..CheckoutRequest::default()
        };
        match checkout::create(request, &shop) {
            Ok(Created::Session(session)) => {
                ensure!(
                    session.open_status() == Status::ReadyForComplete,
                    "an order that cannot be placed: {:?}",
                    session.notices
                );
                Ok(*session)
            }
            Ok(Created::NothingToBuy(notices)) => bail!("an order of nothing: {notices:?}"),
            Err(refusal) => bail!("an order that makes no sense: {refusal:?}"),
        }
    }

    /// As a cart knows it.
    fn item(&self, variant: u64) -> Item {
        let Product {
            title,
            media,
            mut variants,
            ..
        } = self.range.product(variant / VARIANTS);
        let variant = variants.swap_remove((variant % VARIANTS) as usize);
        Item {
            title: format!("{title} – {}", variant.title),
            image_url: media.first().map(|picture| picture.url.clone()),
            variant_id: variant.id,
            sku: variant.sku,
            price_minor: variant.price_minor,
            tax_category: variant.tax_category,
            requires_shipping: true,
            on_sale: true,
        }
    }

    fn buyer(&self, chance: &mut Chance) -> Buyer {
        let (first, last) = words::name(chance);
        let number = chance.ranked(self.count);
        let address = format!("{first}.{last}.{number}@example.com").to_lowercase();
        Buyer {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            email: Some(address),
            phone_number: Some(format!("+49151{:08}", chance.below(100_000_000))),
        }
    }

    fn parcel(&self, buyer: &Buyer, chance: &mut Chance, now_ms: i64) -> Result<MethodRequest> {
        let country = self.brand.country.clone();
        let option = fulfillment::shipping_options(self.brand, &country, now_ms)
            .into_iter()
            .next();
        let option = option.with_context(|| format!("the brand ships no parcels to {country}"))?;
        let near = chance.pick(&self.places.all);
        let address = ShippingAddress {
            id: "dest_1".to_owned(),
            first_name: buyer.first_name.clone(),
            last_name: buyer.last_name.clone(),
            phone_number: None,
            street_address: Some(words::street_address(chance)),
            extended_address: None,
            address_locality: Some(near.address.address_locality.clone()),
            address_region: None,
            postal_code: Some(near.address.postal_code.clone()),
            address_country: Some(country),
        };
        Ok(MethodRequest {
            kind: MethodKind::Shipping,
            line_ids: None,
            selected_destination_id: Some(address.id.clone()),
            addresses: Some(vec![address]),
            selected_option_id: Some(option.id),
        })
    }
}

fn collection(store_id: &str) -> MethodRequest {
    MethodRequest {
        kind: MethodKind::Pickup,
        line_ids: None,
        addresses: None,
        selected_destination_id: Some(store_id.to_owned()),
        selected_option_id: Some(MethodKind::Pickup.name().to_owned()),
    }
}
