//! SKUs for variants that have none of their own: made of what else the row says, so that
//! the next import, or a file of stock, finds the same variant.

use super::cell::MAX_TEXT_CHARS;

/// What Shopify writes as the only option of a product that has none.
pub const NO_OPTION: (&str, &str) = ("Title", "Default Title");

/// Room for a number at the end of a made-up SKU.
const NUMBER_CHARS: usize = 5;

/// The SKU of a variant that has none: the handle and the option values in lower case,
/// joined by `_`, every run of other characters than letters and digits as `-`. It
/// depends on nothing else.
pub fn derived(handle: &str, values: &[String]) -> String {
    std::iter::once(handle)
        .chain(real(values))
        .map(slug)
        .collect::<Vec<_>>()
        .join("_")
}

/// SKUs for a variant whose own is another's, without end, the first to be preferred:
/// `RING_gold`, `RING_gold-2`, … `within`: the other variant is of the same product, so that
/// the option values suffice; otherwise the handle comes before them.
pub fn alternatives(
    asked: &str,
    handle: &str,
    values: &[String],
    within: bool,
) -> impl Iterator<Item = String> + use<> {
    let handle = (!within).then_some(handle);
    let parts = handle.into_iter().chain(real(values)).map(slug);
    let parts = std::iter::once(asked.to_owned()).chain(parts);
    let joined = parts.collect::<Vec<_>>().join("_");
    let kept: String = joined.chars().take(MAX_TEXT_CHARS - NUMBER_CHARS).collect();
    let numbered = kept.clone();
    std::iter::once(kept).chain((2..).map(move |number| format!("{numbered}-{number}")))
}

/// The SKUs under which an article may have come in that other files name by SKU (or none),
/// handle and option values: where several are known, the first is meant.
pub fn candidates(sku: &str, handle: &str, values: &[String]) -> Vec<String> {
    let asked = match sku {
        "" => derived(handle, values),
        sku => sku.to_owned(),
    };
    let made = [false, true].map(|within| alternatives(&asked, handle, values, within).next());
    made.into_iter().flatten().chain([asked.clone()]).collect()
}

fn real(values: &[String]) -> impl Iterator<Item = &str> {
    let values = values.iter().map(String::as_str);
    values.filter(|value| *value != NO_OPTION.1)
}

/// Letters and digits in lower case, with hyphens in place of whatever is between them.
pub fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| value.to_string()).collect()
    }

    #[test]
    fn a_derived_sku_is_readable_and_depends_on_the_variant_only() {
        assert_eq!(
            derived("chain-bracelet", &values(&["Blue", "S / M"])),
            "chain-bracelet_blue_s-m"
        );
        assert_eq!(derived("mug", &values(&["Default Title"])), "mug");
        assert_eq!(derived("thé", &values(&["Été 2026"])), "thé_été-2026");
        assert_ne!(
            derived("a", &values(&["b-c"])),
            derived("a-b", &values(&["c"]))
        );
    }

    #[test]
    fn an_alternative_names_what_tells_the_variants_apart() {
        let first = |sku: &str, within, count| -> Vec<String> {
            let all = alternatives(sku, "gold-ring", &values(&["Size 7"]), within);
            all.take(count).collect()
        };
        assert_eq!(first("RING", true, 2), ["RING_size-7", "RING_size-7-2"]);
        assert_eq!(first("RING", false, 1), ["RING_gold-ring_size-7"]);
        let long = first(&"x".repeat(255), true, 3);
        assert!(long.iter().all(|sku| sku.chars().count() <= MAX_TEXT_CHARS));
    }

    #[test]
    fn candidates_begin_with_the_most_particular() {
        assert_eq!(
            candidates("RING", "gold-ring", &values(&["7"])),
            ["RING_gold-ring_7", "RING_7", "RING"]
        );
        assert_eq!(
            candidates("", "mug", &values(&["Default Title"])).last(),
            Some(&"mug".to_owned())
        );
    }
}
