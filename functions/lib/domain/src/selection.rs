//! Choosing a variant by its options (UCP 2026-08-25, catalog lookup, "Option Selection").

use crate::product::{Product, Variant};

/// A value for some of a product's options, parallel to [`Product::options`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<Option<String>>);

/// What an option value leads to when it is chosen beside the current selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Such a variant exists.
    pub exists: bool,
    /// And it can be obtained.
    pub available: bool,
}

impl Selection {
    /// The variant's own options, all of them.
    pub fn of(product: &Product, variant: &Variant) -> Self {
        Self(
            (0..product.options.len())
                .map(|index| variant.option_values.get(index).cloned())
                .collect(),
        )
    }

    /// As much of the wanted `(name, label)` pairs as some variant has. A pair that no variant
    /// has is given up at once; then, as long as no variant has all that is left, the last of
    /// `preferences`, and before those what they do not name.
    pub fn relaxed(product: &Product, wanted: &[(String, String)], preferences: &[String]) -> Self {
        let exists = |pair: &&(String, String)| {
            Self::exactly(product, &[pair])
                .is_some_and(|selection| selection.matches(product).next().is_some())
        };
        let rank = |name: &str| {
            preferences
                .iter()
                .position(|preferred| preferred == name)
                .unwrap_or(usize::MAX)
        };
        let mut wanted: Vec<_> = wanted.iter().filter(exists).collect();
        wanted.sort_by_key(|(name, _)| rank(name));
        loop {
            let selection = Self::exactly(product, &wanted);
            if let Some(selection) =
                selection.filter(|found| found.matches(product).next().is_some())
            {
                return selection;
            }
            if wanted.pop().is_none() {
                return Self(vec![None; product.options.len()]);
            }
        }
    }

    /// `None` when the product has no such option.
    fn exactly(product: &Product, wanted: &[&(String, String)]) -> Option<Self> {
        let mut values = vec![None; product.options.len()];
        for (name, label) in wanted {
            let index = product
                .options
                .iter()
                .position(|option| option.name == *name)?;
            *values.get_mut(index)? = Some(label.clone());
        }
        Some(Self(values))
    }

    fn admits(&self, variant: &Variant) -> bool {
        let mut pairs = self.0.iter().enumerate();
        pairs.all(|(index, wanted)| {
            wanted.is_none() || wanted.as_ref() == variant.option_values.get(index)
        })
    }

    /// The variants that can be bought and have all selected values, in the retailer's order.
    pub fn matches<'p>(&'p self, product: &'p Product) -> impl Iterator<Item = &'p Variant> {
        product
            .active_variants()
            .filter(|variant| self.admits(variant))
    }

    /// The selected `(name, label)` pairs, in the order of the product's options.
    pub fn pairs<'p>(&'p self, product: &'p Product) -> impl Iterator<Item = (&'p str, &'p str)> {
        let chosen = product.options.iter().zip(&self.0);
        chosen.filter_map(|(option, value)| Some((option.name.as_str(), value.as_deref()?)))
    }

    /// What choosing `value` for option number `index` leads to, all else as selected.
    pub fn signal(
        &self,
        product: &Product,
        index: usize,
        value: &str,
        is_obtainable: impl Fn(&Variant) -> bool,
    ) -> Signal {
        let mut tried = self.clone();
        if let Some(slot) = tried.0.get_mut(index) {
            *slot = Some(value.to_owned());
        }
        let exists = tried.matches(product).next().is_some();
        Signal {
            exists,
            available: tried.matches(product).any(is_obtainable),
        }
    }
}

/// The variant that stands for its product: the first that can be obtained, else the first.
pub fn featured<'p>(
    mut variants: impl Iterator<Item = &'p Variant>,
    is_obtainable: impl Fn(&Variant) -> bool,
) -> Option<&'p Variant> {
    let first = variants.next()?;
    if is_obtainable(first) {
        return Some(first);
    }
    variants
        .find(|variant| is_obtainable(variant))
        .or(Some(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::ProductOption;

    fn shirt() -> Product {
        let option = |name: &str, values: &[&str]| ProductOption {
            name: name.into(),
            values: values.iter().map(|value| value.to_string()).collect(),
        };
        let variant = |color: &str, size: &str, active| Variant {
            id: format!("{color}-{size}"),
            sku: format!("{color}-{size}"),
            gtin: None,
            title: format!("{color} / {size}"),
            option_values: vec![color.into(), size.into()],
            price_minor: 1000,
            compare_at_price_minor: None,
            tax_category: String::new(),
            requires_shipping: true,
            weight_g: None,
            image_url: None,
            active,
        };
        Product {
            id: "shirt".into(),
            handle: "shirt".into(),
            title: "Shirt".into(),
            body_html: String::new(),
            vendor: String::new(),
            product_type: String::new(),
            tags: vec![],
            categories: vec![],
            published: true,
            options: vec![
                option("Color", &["Red", "Blue"]),
                option("Size", &["S", "M", "L"]),
            ],
            media: vec![],
            variants: vec![
                variant("Red", "S", true),
                variant("Red", "M", true),
                variant("Blue", "M", true),
                variant("Blue", "L", false),
            ],
        }
    }

    fn wanted(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, label)| (name.to_string(), label.to_string()))
            .collect()
    }

    fn select(pairs: &[(&str, &str)], preferences: &[&str]) -> Vec<(String, String)> {
        let preferences: Vec<_> = preferences.iter().map(|name| name.to_string()).collect();
        let product = shirt();
        let selection = Selection::relaxed(&product, &wanted(pairs), &preferences);
        selection
            .pairs(&product)
            .map(|(name, label)| (name.into(), label.into()))
            .collect()
    }

    #[test]
    fn what_a_variant_has_is_kept() {
        assert_eq!(
            select(&[("Size", "M"), ("Color", "Blue")], &[]),
            wanted(&[("Color", "Blue"), ("Size", "M")])
        );
        assert_eq!(select(&[("Size", "M")], &[]), wanted(&[("Size", "M")]));
    }

    #[test]
    fn the_least_preferred_is_given_up_first() {
        let blue_s = [("Color", "Blue"), ("Size", "S")];
        assert_eq!(
            select(&blue_s, &["Color", "Size"]),
            wanted(&[("Color", "Blue")])
        );
        assert_eq!(
            select(&blue_s, &["Size", "Color"]),
            wanted(&[("Size", "S")])
        );
        assert_eq!(select(&blue_s, &["Size"]), wanted(&[("Size", "S")]));
    }

    #[test]
    fn what_the_product_does_not_know_is_given_up() {
        assert_eq!(select(&[("Fit", "Slim")], &["Fit"]), []);
        assert_eq!(
            select(&[("Size", "XXL"), ("Color", "Blue")], &["Size", "Color"]),
            wanted(&[("Color", "Blue")])
        );
        assert_eq!(
            select(&[("Color", "Blue"), ("Size", "L")], &["Color"]),
            wanted(&[("Color", "Blue")])
        );
    }

    #[test]
    fn a_signal_tells_sold_out_from_unheard_of() {
        let product = shirt();
        let selection = Selection::relaxed(&product, &wanted(&[("Color", "Red")]), &[]);
        let in_stock = |variant: &Variant| variant.id == "Red-S";
        let signal = |value| selection.signal(&product, 1, value, in_stock);
        assert_eq!(
            signal("S"),
            Signal {
                exists: true,
                available: true
            }
        );
        assert_eq!(
            signal("M"),
            Signal {
                exists: true,
                available: false
            }
        );
        assert_eq!(
            signal("L"),
            Signal {
                exists: false,
                available: false
            }
        );
    }

    #[test]
    fn the_first_obtainable_variant_is_featured() {
        let product = shirt();
        let pick = |sold: &str| {
            featured(product.active_variants(), |variant| variant.id == sold).map(|v| v.id.clone())
        };
        assert_eq!(pick("Red-M").as_deref(), Some("Red-M"));
        assert_eq!(pick("none").as_deref(), Some("Red-S"));
    }
}
