//! The OpenAPI 3.1 description of every route, put together from the modules that
//! own the shapes.

use utoipa::OpenApi;
use utoipa::openapi::InfoBuilder;

/// The document that `/openapi.json` serves.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = utoipa::openapi::OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Aisle")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Omnichannel commerce: UCP 2026-08-25 for storefronts and agents, and the \
                     project's own API for stock and administration. The brand of a request \
                     comes from its host name.",
                ))
                .build(),
        )
        .build();
    for part in parts() {
        document.merge(part);
    }
    document
}

fn parts() -> Vec<utoipa::openapi::OpenApi> {
    Vec::new()
}
