//! The OpenAPI 3.1 description of every route, put together from the modules that
//! own the shapes.

mod operations;

use utoipa::OpenApi;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApiBuilder};

/// The document that `/openapi.json` serves.
pub fn document() -> utoipa::openapi::OpenApi {
    let info = InfoBuilder::new()
        .title("Aisle")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .description(Some(
            "Omnichannel commerce: the Universal Commerce Protocol, release 2026-08-25, for \
             storefronts and agents, and Aisle's own API for stock and administration. The \
             brand of a request comes from its host name. Pages of other origins may read the \
             catalog, stock and locations, and may call what belongs to a shopper where the \
             brand lists their origin (`allowed_origins`): with tokens, never with cookies.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for part in [
        crate::catalog::api::Api::openapi(),
        crate::location::api::Api::openapi(),
        crate::stock::api::Api::openapi(),
        crate::cart::api::Api::openapi(),
        crate::checkout::api::Api::openapi(),
        crate::order::api::Api::openapi(),
        crate::account::api::Api::openapi(),
        crate::order::actions::api::Api::openapi(),
        crate::admin::api::Api::openapi(),
        crate::hold::api::Api::openapi(),
        crate::invite::api::Api::openapi(),
        crate::layaway::api::Api::openapi(),
        crate::pass::api::Api::openapi(),
        crate::transfer::api::Api::openapi(),
        crate::presence::api::Api::openapi(),
        crate::message::api::Api::openapi(),
        crate::sync::api::Api::openapi(),
        operations::Api::openapi(),
        crate::count::api::Api::openapi(),
        crate::pos::api::Api::openapi(),
    ] {
        document.merge(part);
    }
    document
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_operation_says_what_it_answers_and_is_named_once() {
        let document = super::document();
        let json = serde_json::to_value(&document).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut names = std::collections::BTreeSet::new();
        for (path, item) in json["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} is there twice");
                let answers = operation["responses"].as_object().unwrap();
                assert!(!answers.is_empty(), "{method} {path} describes no answer");
            }
        }
        assert!(names.len() >= 20, "{names:?}");
    }
}
