//! The work, step by step: what is referred to first.

use aisle_domain::brand::Brand;
use aisle_domain::import::{fingerprint, location};
use aisle_domain::pin;
use anyhow::{Context, Result, ensure};

use crate::chance::{Chance, Kind};
use crate::orders::{BOOK_MS, Book, DAY_MS, State};
use crate::pipeline::{Progress, pour};
use crate::places::Places;
use crate::products::Range;
use crate::rows::{
    BRAND, BRAND_HOST, BRAND_LOCATION, Chunk, DEVICE, LANE, LOCATION, MOVEMENT, OUTBOX, PRODUCT,
    RETENTION, STAFF, STOCK, TAX_RATE, VARIANT, cells,
};
use crate::search::Searched;
use crate::shelves::Shelves;
use crate::target::Target;
use crate::{Filled, Wanted};

const PRODUCTS_OF_CHUNK: u64 = 1_000;
const ORDERS_OF_CHUNK: u64 = 500;
const BALANCES_OF_CHUNK: u64 = 10_000;
/// Balances of each variant, where nothing is said.
const BALANCES_OF_VARIANT: u64 = 3;
/// With which everybody signs on at a till of the brand's.
pub const PIN: &str = "2468";

/// What an order book does to a balance, in pieces.
#[derive(Debug, Clone, Copy, Default)]
struct Effect {
    sold: u32,
    open: u32,
}

pub fn fill(target: &mut dyn Target, wanted: &Wanted, progress: &dyn Progress) -> Result<Filled> {
    let since_ms = wanted.until_ms - BOOK_MS - 2 * DAY_MS;
    let (brand, is_new) = brand(target, wanted)?;
    let places = Places::new(wanted.seed, wanted.size.stores.max(1), &brand, since_ms)?;
    must_be_unfilled(target, &places)?;
    let range = Range {
        seed: wanted.seed,
        count: wanted.size.products,
        prefix: brand.handle.to_uppercase(),
        since_ms,
    };
    let rows = wanted
        .size
        .stock_rows
        .unwrap_or(range.variants() * BALANCES_OF_VARIANT);
    let shelves = Shelves::new(&range, places.warehouses, places.stores(), rows);
    let book = Book {
        seed: wanted.seed,
        count: if shelves.rows() == 0 {
            0
        } else {
            wanted.size.orders
        },
        until_ms: wanted.until_ms,
        brand: &brand,
        range: &range,
        places: &places,
        shelves: &shelves,
    };
    progress.begin("stores", places.all.len() as u64);
    target.write(network(&brand, is_new, &places, since_ms)?)?;
    progress.end();
    products(target, &book, progress)?;
    let effects = effects(&book, progress);
    stock(target, &book, &effects, progress)?;
    orders(target, &book, progress)?;
    target.write(told(&book, is_new))?;
    progress.begin("tidying up", 1);
    target.finish()?;
    progress.end();
    Ok(Filled {
        host: brand.hosts.first().cloned().unwrap_or_default(),
        variants: range.variants(),
        stores: places.stores(),
        stock_rows: shelves.rows(),
        orders: book.count,
    })
}

/// The brand as it is, or one of our own to be made.
fn brand(target: &mut dyn Target, wanted: &Wanted) -> Result<(Brand, bool)> {
    let mut brand: Brand = serde_json::from_str(include_str!("brand.json"))?;
    brand.handle = wanted.brand.clone();
    let host = format!("{}.localhost", wanted.brand);
    brand.hosts = vec![host.clone(), format!("{host}:3000")];
    brand.id = Chance::of(wanted.seed, Kind::Brand, 0).id(wanted.until_ms - BOOK_MS);
    // Before the handle goes into a statement.
    brand
        .validate()
        .map_err(|wrong| anyhow::anyhow!("brand {}: {}", wrong.path, wrong.detail))?;
    let known = target.rows(&format!(
        "SELECT doc FROM brand WHERE handle = '{}'",
        wanted.brand
    ))?;
    if let Some(doc) = known.first().and_then(|row| row.first()?.as_deref()) {
        return Ok((
            serde_json::from_str(doc).context("the brand's document")?,
            false,
        ));
    }
    brand.is_default = target
        .rows("SELECT 1 FROM brand WHERE is_default = 1")?
        .is_empty();
    Ok((brand, true))
}

fn must_be_unfilled(target: &mut dyn Target, places: &Places) -> Result<()> {
    let code = places.all.first().map_or("", |place| place.code.as_str());
    let known = target.rows(&format!("SELECT 1 FROM location WHERE code = '{code}'"))?;
    ensure!(
        known.is_empty(),
        "this brand was filled before, or a fill of it broke off: name another with --brand, or begin with a new database"
    );
    Ok(())
}

/// The brand, its places, and who works there.
fn network(brand: &Brand, is_new: bool, places: &Places, at_ms: i64) -> Result<Chunk> {
    let mut chunk = Chunk {
        made: places.all.len() as u64,
        ..Chunk::default()
    };
    if is_new {
        let doc = serde_json::to_string(brand)?;
        chunk.add(
            &BRAND,
            cells![
                &brand.id,
                &brand.handle,
                i64::from(brand.is_default),
                doc,
                1,
                at_ms
            ],
        );
        for host in &brand.hosts {
            chunk.add(&BRAND_HOST, cells![host, &brand.id]);
        }
        for rate in &brand.tax_rates {
            chunk.add(
                &TAX_RATE,
                cells![
                    &brand.id,
                    &rate.country,
                    &rate.region,
                    &rate.category,
                    rate.rate_ppm
                ],
            );
        }
    }
    // Of one salt for all, because each hash is made to take its time.
    let pin_hash = pin::hash(PIN, Chance::of(0, Kind::Place, 0).bytes());
    for (number, place) in places.all.iter().enumerate() {
        let (doc, mark) = (
            serde_json::to_string(place)?,
            location::fingerprint_of(place),
        );
        chunk.add(
            &LOCATION,
            cells![&place.id, &place.code, doc, mark, 1, at_ms],
        );
        chunk.add(&BRAND_LOCATION, cells![&brand.id, &place.id]);
        let till = places.till(number as u64);
        let scopes = "pos stock";
        let name = format!("Till of {}", place.code);
        chunk.add(
            &DEVICE,
            cells![
                till.device_id,
                &brand.id,
                &place.id,
                name,
                till.token_hash,
                scopes,
                at_ms
            ],
        );
        let code = place.code.to_lowercase();
        chunk.add(
            &STAFF,
            cells![
                till.staff_id,
                &brand.id,
                code,
                "Kim",
                &pin_hash,
                scopes,
                at_ms
            ],
        );
    }
    for lane in places.lanes()? {
        let (doc, mark) = (serde_json::to_string(&lane)?, fingerprint::of(&lane));
        chunk.add(
            &LANE,
            cells![
                &brand.id,
                lane.from_location_id,
                lane.to_location_id,
                doc,
                mark,
                1,
                at_ms
            ],
        );
    }
    Ok(chunk)
}

fn products(target: &mut dyn Target, book: &Book, progress: &dyn Progress) -> Result<()> {
    let (range, brand_id) = (book.range, &book.brand.id);
    progress.begin("products", range.count);
    pour(
        target,
        progress,
        range.count.div_ceil(PRODUCTS_OF_CHUNK),
        |number| {
            let mut chunk = Chunk::default();
            let first = number * PRODUCTS_OF_CHUNK;
            for number in first..range.count.min(first + PRODUCTS_OF_CHUNK) {
                product(range, brand_id, number, &mut chunk)?;
                chunk.made += 1;
            }
            Ok(chunk)
        },
    )?;
    progress.end();
    Ok(())
}

fn product(range: &Range, brand_id: &str, number: u64, chunk: &mut Chunk) -> Result<()> {
    let stored = range.stored(number);
    let product = &stored.product;
    let (lowest, highest) = product.price_range_minor().unwrap_or_default();
    chunk.add(
        &PRODUCT,
        cells![
            &product.id,
            brand_id,
            &product.handle,
            &product.title,
            i64::from(product.published),
            lowest,
            highest,
            serde_json::to_string(product)?,
            stored.fingerprint,
            1,
            range.at_ms(number),
        ],
    );
    for (position, variant) in product.variants.iter().enumerate() {
        chunk.add(
            &VARIANT,
            cells![
                &variant.id,
                brand_id,
                &product.id,
                &variant.sku,
                variant.gtin.clone(),
                position as i64,
                variant.price_minor,
                &variant.tax_category,
                i64::from(variant.active),
            ],
        );
    }
    chunk.searched.push(Searched::new(brand_id, product));
    Ok(())
}

/// What all orders together do to each balance, by its number.
fn effects(book: &Book, progress: &dyn Progress) -> Vec<Effect> {
    let mut effects = vec![Effect::default(); book.shelves.rows() as usize];
    progress.begin("adding up orders", book.count);
    for number in 0..book.count {
        let drawn = book.drawn(number);
        for (variant, pieces) in &drawn.lines {
            let row = book
                .shelves
                .row(*variant, drawn.place)
                .and_then(|row| effects.get_mut(row as usize));
            if let Some(effect) = row {
                match drawn.state {
                    State::Fulfilled => effect.sold += *pieces as u32,
                    State::Open | State::Ready => effect.open += *pieces as u32,
                }
            }
        }
        progress.made(1);
    }
    progress.end();
    effects
}

fn stock(
    target: &mut dyn Target,
    book: &Book,
    effects: &[Effect],
    progress: &dyn Progress,
) -> Result<()> {
    let shelves = book.shelves;
    // The first variant of each chunk.
    let mut starts = vec![0];
    for variant in 0..shelves.variants() {
        let begun = starts.last().map_or(0, |start| shelves.first_row(*start));
        if shelves.first_row(variant) >= begun + BALANCES_OF_CHUNK {
            starts.push(variant);
        }
    }
    let counted = Chance::of(book.seed, Kind::Brand, 1).id(book.range.since_ms);
    progress.begin("balances of stock", shelves.rows());
    pour(target, progress, starts.len() as u64, |number| {
        let first = starts[number as usize];
        let end = starts
            .get(number as usize + 1)
            .copied()
            .unwrap_or(shelves.variants());
        let mut chunk = Chunk::default();
        for variant in first..end {
            balances(book, variant, effects, &counted, &mut chunk);
        }
        Ok(chunk)
    })?;
    progress.end();
    Ok(())
}

/// The variant's balances, each counted once before the first order.
fn balances(book: &Book, variant: u64, effects: &[Effect], counted: &str, chunk: &mut Chunk) {
    let (brand_id, sku) = (&book.brand.id, book.range.sku(variant));
    let since_ms = book.range.since_ms + DAY_MS;
    let mut chance = Chance::of(book.seed, Kind::Shelf, variant).branch(1);
    let first = book.shelves.first_row(variant);
    for (place, row) in book.shelves.places(variant).zip(first..) {
        let Effect { sold, open } = effects.get(row as usize).copied().unwrap_or_default();
        let (sold, open) = (i64::from(sold), i64::from(open));
        let usual = if place < book.places.warehouses {
            40.0
        } else {
            4.0
        };
        let spare = match chance.happens(8) {
            true => 0,
            false => (usual * (0.8 * chance.normal()).exp()) as i64,
        };
        let safety = if spare > 3 { 1 } else { 0 };
        let location_id = &book.places.all[place as usize].id;
        let updated_ms = if sold + open > 0 {
            book.until_ms
        } else {
            since_ms
        };
        chunk.add(
            &STOCK,
            cells![
                brand_id,
                &sku,
                location_id,
                spare + open,
                open,
                safety,
                updated_ms
            ],
        );
        let counted_units = spare + open + sold;
        if counted_units > 0 {
            let id = chance.id(since_ms + variant as i64 % DAY_MS);
            chunk.add(
                &MOVEMENT,
                cells![
                    id,
                    brand_id,
                    &sku,
                    location_id,
                    counted_units,
                    0,
                    "count",
                    "import",
                    counted,
                    since_ms,
                ],
            );
        }
        chunk.made += 1;
    }
}

fn orders(target: &mut dyn Target, book: &Book, progress: &dyn Progress) -> Result<()> {
    progress.begin("orders", book.count);
    pour(
        target,
        progress,
        book.count.div_ceil(ORDERS_OF_CHUNK),
        |number| {
            let mut chunk = Chunk::default();
            let first = number * ORDERS_OF_CHUNK;
            for number in first..book.count.min(first + ORDERS_OF_CHUNK) {
                book.write(number, &mut chunk)?;
                chunk.made += 1;
            }
            Ok(chunk)
        },
    )?;
    progress.end();
    Ok(())
}

/// What an edge that runs beside is to read anew, and how far forgetting has come.
fn told(book: &Book, is_new: bool) -> Chunk {
    let (brand_id, until_ms) = (&book.brand.id, book.until_ms);
    let mut chunk = Chunk::default();
    let mut chance = Chance::of(book.seed, Kind::Brand, 2);
    let place = book
        .places
        .all
        .first()
        .map_or("", |place| place.id.as_str());
    for (aggregate, id, kind) in [
        ("brand", brand_id.as_str(), "brand.changed"),
        ("location", place, "location.changed"),
    ] {
        let event = chance.id(until_ms);
        chunk.add(
            &OUTBOX,
            cells![
                event,
                brand_id,
                aggregate,
                id,
                kind,
                "{}",
                until_ms,
                None::<i64>
            ],
        );
    }
    let kept_ms = book.brand.policies.retention.checkout_days * DAY_MS;
    if is_new {
        chunk.add(
            &RETENTION,
            cells![brand_id, "checkout_session", until_ms - kept_ms, ""],
        );
    }
    chunk
}
