//! The tokens that a product is found by.

use std::collections::BTreeSet;

use super::words::{Piece, pieces};
use super::{BEGINNINGS, Kind, Mint, forgiving, price};
use crate::product::{Product, plain_text};

/// The way in which tokens are made. A product whose tokens were made another way is given
/// new ones.
pub const VERSION: i64 = 1;

/// Pieces of vendor, type, tags, categories and variants beyond this many are not indexed.
const MAX_LABELS: usize = 300;

/// Pieces of the description beyond this many are not indexed.
const MAX_BODY: usize = 1_000;

/// Characters of the description beyond this many are not looked at.
const MAX_BODY_CHARS: usize = 20_000;

/// All tokens of a product of the brand, each once, in order. None when shoppers do not see
/// it: it is not published, or none of its variants can be bought.
pub fn tokens(brand_id: &str, product: &Product) -> Vec<String> {
    if !product.is_listed() {
        return Vec::new();
    }
    let mint = Mint::new(brand_id);
    let mut tokens = BTreeSet::from([mint.all()]);
    tokens.extend(exact(&mint, product));
    let title = pieces(&product.title);
    for piece in &title {
        tokens.insert(mint.word(Kind::Title, piece));
        tokens.extend(beginnings(&mint, Kind::TitleBeginning, piece));
        if let Piece::Word(word) = piece {
            tokens.extend(
                forgiving(word)
                    .iter()
                    .map(|form| mint.token(Kind::Similar, form)),
            );
        }
    }
    for piece in labels(product) {
        tokens.insert(mint.word(Kind::Word, &piece));
        tokens.extend(beginnings(&mint, Kind::Beginning, &piece));
    }
    tokens.extend(
        body(product)
            .iter()
            .map(|piece| mint.word(Kind::Word, piece)),
    );
    tokens.extend(
        product
            .categories
            .iter()
            .map(|category| mint.category(category)),
    );
    for variant in product.active_variants() {
        tokens.extend(price::buckets(variant.price_minor).map(|bucket| mint.price(bucket)));
    }
    tokens.into_iter().collect()
}

fn exact(mint: &Mint, product: &Product) -> Vec<String> {
    let variants = product.active_variants();
    let codes = variants.flat_map(|variant| [Some(variant.sku.as_str()), variant.gtin.as_deref()]);
    let names = [product.title.as_str(), product.handle.as_str()];
    let all = names.into_iter().chain(codes.flatten());
    all.filter_map(|name| mint.exact(name)).collect()
}

/// Without the whole word: that is found by its stem.
fn beginnings(mint: &Mint, kind: Kind, piece: &Piece) -> Vec<String> {
    let Piece::Word(word) = piece else {
        return Vec::new();
    };
    let lengths = BEGINNINGS.take_while(|length| *length < word.chars().count());
    lengths
        .map(|length| mint.token(kind, &word.chars().take(length).collect::<String>()))
        .collect()
}

fn labels(product: &Product) -> BTreeSet<Piece> {
    let facts = [product.vendor.as_str(), product.product_type.as_str()];
    let lists = product.tags.iter().chain(&product.categories);
    let variants = product.active_variants();
    let variants = variants.flat_map(|variant| [variant.sku.as_str(), variant.title.as_str()]);
    let mut labels = BTreeSet::new();
    for text in facts
        .into_iter()
        .chain(lists.map(String::as_str))
        .chain(variants)
    {
        labels.extend(pieces(text));
        if labels.len() > MAX_LABELS {
            break;
        }
    }
    labels.into_iter().take(MAX_LABELS).collect()
}

fn body(product: &Product) -> BTreeSet<Piece> {
    let text: String = plain_text(&product.body_html)
        .chars()
        .take(MAX_BODY_CHARS)
        .collect();
    let mut body = BTreeSet::new();
    for piece in pieces(&text) {
        if body.len() == MAX_BODY {
            break;
        }
        body.insert(piece);
    }
    body
}
