//! The range: each product a matter of the seed and its number.

use aisle_domain::gtin::Gtin;
use aisle_domain::import::{category_and_those_above, fingerprint};
use aisle_domain::product::{Media, Product, ProductOption, Variant};

use crate::chance::{Chance, Kind};
use crate::words::{self, Choices, SORTS, Sort};

/// Variants of every product.
pub const VARIANTS: u64 = 3;

/// The products of a brand.
#[derive(Debug, Clone)]
pub struct Range {
    pub seed: u64,
    pub count: u64,
    /// Begins every SKU: the brand's.
    pub prefix: String,
    /// When the first was brought in.
    pub since_ms: i64,
}

/// A product as it is stored.
pub struct Stored {
    pub product: Product,
    pub fingerprint: String,
}

impl Range {
    pub fn variants(&self) -> u64 {
        self.count * VARIANTS
    }

    /// The SKU of the brand's variant with this number, in the order of the numbers.
    pub fn sku(&self, variant: u64) -> String {
        format!(
            "{}-{:07}-{}",
            self.prefix,
            variant / VARIANTS,
            variant % VARIANTS
        )
    }

    /// The product as the import of a file would store it.
    pub fn stored(&self, number: u64) -> Stored {
        let described = self.described(number);
        // Of a product of which the file said everything.
        let fingerprint = fingerprint::of(&(&described, true));
        Stored {
            product: self.named(number, described),
            fingerprint,
        }
    }

    /// The same without the work of a fingerprint.
    pub fn product(&self, number: u64) -> Product {
        self.named(number, self.described(number))
    }

    /// When it was brought in: ids sort as numbers do.
    pub fn at_ms(&self, number: u64) -> i64 {
        self.since_ms + number as i64
    }

    fn named(&self, number: u64, mut product: Product) -> Product {
        let mut ids = Chance::of(self.seed, Kind::Product, number).branch(1);
        product.id = ids.id(self.at_ms(number));
        for variant in &mut product.variants {
            variant.id = ids.id(self.at_ms(number));
        }
        product
    }

    /// Without ids, as a file describes it.
    fn described(&self, number: u64) -> Product {
        let mut chance = Chance::of(self.seed, Kind::Product, number);
        let sort = chance.pick_ranked(&SORTS);
        let line = words::made_up(chance.ranked(self.count / 3 + 60));
        let title = words::title(&mut chance, &line, sort);
        let slug = title.to_lowercase().replace(' ', "-");
        let picture = format!(
            "https://images.example/{}/{number}.jpg",
            self.prefix.to_lowercase()
        );
        let (name, values) = choices(&mut chance, sort);
        let price_minor = price_minor(&mut chance, sort);
        let compared = chance
            .happens(12)
            .then(|| (price_minor * 5 / 4) / 100 * 100 + 90);
        let variant = |at: usize, value: &str| Variant {
            id: String::new(),
            sku: self.sku(number * VARIANTS + at as u64),
            gtin: Some(gtin(number * VARIANTS + at as u64)),
            title: value.to_owned(),
            option_values: vec![value.to_owned()],
            price_minor: price_minor + surcharge_minor(sort, at, price_minor),
            compare_at_price_minor: compared,
            tax_category: if sort.department.starts_with("Media > Books") {
                "book"
            } else {
                ""
            }
            .to_owned(),
            requires_shipping: true,
            weight_g: Some(sort.weight_g + 20 * at as i64),
            image_url: None,
            active: true,
        };
        Product {
            id: String::new(),
            handle: format!("{slug}-{number}"),
            body_html: words::body_html(&mut chance, &title, sort),
            vendor: words::capitalised(&words::made_up(300 + chance.ranked(400))),
            product_type: sort.noun.to_owned(),
            tags: words::tags(&mut chance),
            categories: category_and_those_above(sort.department),
            published: !chance.happens(1),
            variants: values
                .iter()
                .enumerate()
                .map(|(at, value)| variant(at, value))
                .collect(),
            options: vec![ProductOption {
                name: name.to_owned(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            }],
            media: vec![Media {
                url: picture,
                alt_text: title.clone(),
            }],
            title,
        }
    }
}

fn choices(chance: &mut Chance, sort: &Sort) -> (&'static str, [&'static str; 3]) {
    match sort.choices {
        Choices::Sizes => ("Size", words::SIZES),
        Choices::Editions => ("Edition", words::EDITIONS),
        Choices::Colours => {
            let all = &words::COLOURS;
            let first = chance.ranked(all.len() as u64) as usize;
            let at = |step: usize| all[(first + step) % all.len()];
            ("Colour", [at(0), at(3), at(7)])
        }
    }
}

/// Log-normal around the sort's median, ending in 90.
fn price_minor(chance: &mut Chance, sort: &Sort) -> i64 {
    let price = sort.price_minor as f64 * (0.45 * chance.normal()).exp();
    (price as i64 / 100).max(1) * 100 + 90
}

/// What the larger of a choice costs more.
fn surcharge_minor(sort: &Sort, at: usize, price_minor: i64) -> i64 {
    match sort.choices {
        Choices::Colours => 0,
        Choices::Sizes | Choices::Editions => at as i64 * (price_minor / 2_000) * 100,
    }
}

/// In GS1's range for numbers that are valid in one company only (prefix 29).
fn gtin(variant: u64) -> String {
    let body = format!("29{variant:010}");
    Gtin::complete(&body).map_or_else(String::new, |gtin| gtin.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_the_same_each_time_and_whole() {
        let range = Range {
            seed: 4,
            count: 1_000,
            prefix: "MASS".into(),
            since_ms: 1_700_000_000_000,
        };
        for number in 0..200 {
            let (one, again) = (range.stored(number), range.stored(number));
            assert_eq!(one.product, again.product);
            assert_eq!(one.fingerprint.len(), 64);
            assert_eq!(one.product.variants.len() as u64, VARIANTS);
            for variant in &one.product.variants {
                assert!(aisle_domain::id::is_id(&variant.id));
                let gtin = variant.gtin.as_deref().unwrap_or_default();
                assert!(Gtin::parse(gtin).is_ok(), "{gtin}");
                assert!(variant.price_minor > 0);
            }
        }
    }
}
