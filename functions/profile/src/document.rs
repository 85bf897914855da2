//! The UCP business profile: services, the capabilities that are implemented, and no more.

use aisle_ucp::{UCP_VERSION, cart, checkout, order};
use serde_json::{Map, Value, json};

/// Where the protocol's own documents are.
const UCP: &str = "https://ucp.dev";

/// The `specification/` and `schemas/` paths of each capability.
const CAPABILITIES: [(&str, &str, &str); 9] = [
    (
        "dev.ucp.shopping.catalog.search",
        "shopping/catalog/search",
        "shopping/catalog_search.json",
    ),
    (
        "dev.ucp.shopping.catalog.lookup",
        "shopping/catalog/lookup",
        "shopping/catalog_lookup.json",
    ),
    (
        "dev.ucp.common.location.search",
        "common/location/search",
        "common/location_search.json",
    ),
    (
        "dev.ucp.common.location.lookup",
        "common/location/lookup",
        "common/location_lookup.json",
    ),
    (cart::CAPABILITY, "shopping/cart", "shopping/cart.json"),
    (
        checkout::CAPABILITY,
        "shopping/checkout",
        "shopping/checkout.json",
    ),
    (
        checkout::FULFILLMENT_CAPABILITY,
        "fulfillment",
        "shopping/fulfillment.json",
    ),
    (order::CAPABILITY, "shopping/order", "shopping/order.json"),
    (
        checkout::TERMS_CAPABILITY,
        "payment-terms",
        "shopping/payment_terms.json",
    ),
];

/// The profile (`profile.json`, `business_schema`) of the business at `origin`.
pub fn business(origin: &str) -> Value {
    json!({
        "ucp": {
            "version": UCP_VERSION,
            "services": {
                "dev.ucp.shopping": [service(origin, "shopping")],
                "dev.ucp.common": [service(origin, "common")],
            },
            "capabilities": capabilities(),
            "payment_handlers": checkout::payment_handlers(),
        },
    })
}

fn service(origin: &str, name: &str) -> Value {
    json!({
        "version": UCP_VERSION,
        "spec": format!("{UCP}/{UCP_VERSION}/specification/overview"),
        "transport": "rest",
        "endpoint": origin,
        "schema": format!("{UCP}/{UCP_VERSION}/services/{name}/rest.openapi.json"),
    })
}

fn capabilities() -> Map<String, Value> {
    let declared = |(name, spec, schema): (&str, &str, &str)| {
        let mut capability = json!({
            "version": UCP_VERSION,
            "spec": format!("{UCP}/{UCP_VERSION}/specification/{spec}"),
            "schema": format!("{UCP}/{UCP_VERSION}/schemas/{schema}"),
        });
        if name == checkout::FULFILLMENT_CAPABILITY {
            // `fulfillment.md`, "Configuration": what it adds fulfilment to.
            capability["extends"] = json!([
                checkout::CAPABILITY,
                "dev.ucp.shopping.catalog.search",
                "dev.ucp.shopping.catalog.lookup",
            ]);
        }
        if name == checkout::TERMS_CAPABILITY {
            // `payment-terms.md`, "Discovery".
            capability["extends"] = json!([checkout::CAPABILITY, order::CAPABILITY]);
        }
        (name.to_owned(), json!([capability]))
    };
    CAPABILITIES.into_iter().map(declared).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_at_the_host_that_was_asked() {
        let profile = business("https://north.example");
        let services = profile["ucp"]["services"].as_object().unwrap();
        assert_eq!(services.len(), 2);
        for service in services.values() {
            assert_eq!(service[0]["endpoint"], "https://north.example");
        }
    }

    #[test]
    fn every_capability_has_a_schema_of_this_release() {
        let profile = business("https://north.example");
        let capabilities = profile["ucp"]["capabilities"].as_object().unwrap();
        assert_eq!(capabilities.len(), CAPABILITIES.len());
        for (name, versions) in capabilities {
            assert_eq!(versions[0]["version"], UCP_VERSION, "{name}");
            let schema = versions[0]["schema"].as_str().unwrap();
            assert!(
                schema.starts_with("https://ucp.dev/2026-08-25/schemas/"),
                "{name}"
            );
        }
    }
}
