//! Whole files, read as an import reads them.

use proptest::prelude::*;

use super::location::{LocationFile, fingerprint_of};
use super::product::{MAX_PRODUCTS, MAX_VARIANTS, ProductDraft, ProductFile, ProductItem};
use super::stock::{Item, StockFile};
use super::{Format, Header, Report, Table};
use crate::brand::Brand;
use crate::id::new_id;
use crate::money::Currency;

mod addresses;
mod formats;
mod untidy;

fn read<F: Format, E: std::fmt::Debug>(
    file: &str,
    open: impl Fn(&Header) -> Result<F, E>,
) -> (Vec<F::Item>, Report) {
    let mut table = Table::default();
    let mut report = Report::default();
    let mut items = Vec::new();
    let mut format = None;
    for chunk in file.as_bytes().chunks(61).map(Some).chain([None]) {
        match chunk {
            Some(chunk) => table.feed(chunk),
            None => table.finish(),
        }
        while let Some(row) = table.next_row() {
            let header = table.header().expect("a header before a row");
            let format = format.get_or_insert_with(|| open(header).expect("the required columns"));
            match row {
                Ok(row) => {
                    items.extend(format.row(row, &mut report));
                    items.extend(std::iter::from_fn(|| format.more()));
                }
                Err(finding) => report.refuse(finding),
            }
        }
    }
    if let Some(mut format) = format {
        items.extend(std::iter::from_fn(|| format.finish(&mut report)));
        format
            .warnings()
            .into_iter()
            .for_each(|warning| report.warn(warning));
    }
    (items, report)
}

fn product_items(file: &str) -> (Vec<ProductItem>, Report) {
    let euro = Currency::parse("EUR").expect("a currency");
    read(file, |header| ProductFile::new(header, euro))
}

fn products(file: &str) -> (Vec<ProductDraft>, Report) {
    let (items, report) = product_items(file);
    let draft = |item| match item {
        ProductItem::Product(draft) => *draft,
        ProductItem::Update(update) => panic!("an update: {update:?}"),
    };
    (items.into_iter().map(draft).collect(), report)
}

const HEADER: &str = "Handle,Title,Body (HTML),Type,Tags,Published,Status,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
                      Variant SKU,Variant Grams,Variant Price,Variant Compare At Price,Variant Taxable,Variant Barcode,\
                      Image Src,Image Position,Image Alt Text\n";

/// A row by column name; the others stay empty.
fn row(cells: &[(&str, &str)]) -> String {
    let cell = |name: &str| {
        cells
            .iter()
            .find(|(own, _)| *own == name)
            .map_or("", |(_, value)| value)
    };
    let quote = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
    let names = HEADER.trim_end().split(',').map(str::trim);
    names
        .map(|name| quote(cell(name)))
        .collect::<Vec<_>>()
        .join(",")
        + "\n"
}

fn mug(sku: &str) -> String {
    row(&[
        ("Handle", "mug"),
        ("Title", "Mug"),
        ("Variant SKU", sku),
        ("Variant Price", "9.50"),
    ])
}

#[test]
fn rows_of_a_handle_are_one_product() {
    let file = HEADER.to_string()
        + &row(&[
            ("Handle", "tee"),
            ("Title", "Tee"),
            ("Body (HTML)", "<p onclick=x>Soft</p>"),
            ("Type", "Apparel > Shirts"),
            ("Tags", "summer, cotton, summer"),
            ("Option1 Name", "Size"),
            ("Option1 Value", "S"),
            ("Option2 Name", "Colour"),
            ("Option2 Value", "Red"),
            ("Variant SKU", "'0001"),
            ("Variant Price", "19.90"),
            ("Variant Compare At Price", "25"),
            ("Variant Barcode", "2000000000015"),
            ("Image Src", "https://images.example/2.jpg"),
            ("Image Position", "2"),
        ])
        + &row(&[
            ("Handle", "tee"),
            ("Option1 Value", "M"),
            ("Option2 Value", "Red"),
            ("Variant Price", "19.90"),
            ("Variant Taxable", "false"),
            ("Variant Grams", "180"),
        ])
        + &row(&[
            ("Handle", "tee"),
            ("Image Src", "https://images.example/1.jpg"),
            ("Image Position", "1"),
            ("Image Alt Text", "Front"),
        ]);
    let (drafts, report) = products(&file);
    assert_eq!(
        (report.rows, report.refused, drafts.len()),
        (3, 0, 1),
        "{:?}",
        report.errors
    );
    let product = &drafts[0].product;
    assert_eq!(product.body_html, "<p>Soft</p>");
    assert_eq!(product.categories, ["Apparel", "Apparel > Shirts"]);
    assert_eq!(product.tags, ["summer", "cotton"]);
    assert_eq!(product.options[0].values, ["S", "M"]);
    assert_eq!(product.options[1].values, ["Red"]);
    assert_eq!(
        product
            .media
            .iter()
            .map(|media| media.alt_text.as_str())
            .collect::<Vec<_>>(),
        ["Front", ""]
    );
    let [small, medium] = product.variants.as_slice() else {
        panic!("two variants")
    };
    assert_eq!(
        (
            small.sku.as_str(),
            small.price_minor,
            small.compare_at_price_minor
        ),
        ("0001", 1990, Some(2500))
    );
    assert_eq!(small.gtin.as_deref(), Some("02000000000015"));
    assert_eq!(
        (medium.sku.as_str(), medium.title.as_str()),
        ("tee_m_red", "M / Red")
    );
    assert_eq!(
        (medium.tax_category.as_str(), medium.weight_g),
        ("exempt", Some(180))
    );
}

#[test]
fn a_product_without_options_takes_its_own_name() {
    let cells = [
        ("Handle", "mug"),
        ("Title", "Mug"),
        ("Option1 Name", "Title"),
        ("Option1 Value", "Default Title"),
        ("Variant Price", "9"),
    ];
    let (drafts, _) = products(&(HEADER.to_string() + &row(&cells)));
    let product = &drafts[0].product;
    assert!(product.options.is_empty() && product.variants[0].option_values.is_empty());
    assert_eq!(
        (
            product.variants[0].title.as_str(),
            product.variants[0].sku.as_str()
        ),
        ("Mug", "mug")
    );
}

#[test]
fn exports_of_the_newer_kind_are_read_too() {
    let file = "Title,URL handle,Published on online store,Status,SKU,Price,Compare-at price\nMug,mug,TRUE,Draft,M-1,9.50,\n";
    let (drafts, report) = products(file);
    assert_eq!(report.refused, 0);
    assert!(!drafts[0].product.published, "a draft is not for shoppers");
    assert_eq!(drafts[0].product.variants[0].sku, "M-1");
}

#[test]
fn a_bad_row_names_line_column_and_reason_and_the_rest_goes_in() {
    let variant = |cells: &[(&'static str, &'static str)]| {
        row(&[&[("Handle", "tee"), ("Variant Price", "1")], cells].concat())
    };
    let file = HEADER.to_string()
        + &row(&[
            ("Handle", "tee"),
            ("Title", "Tee"),
            ("Option1 Name", "Size"),
            ("Option1 Value", "S"),
            ("Variant SKU", "A"),
            ("Variant Price", "1"),
        ])
        + &variant(&[("Option1 Value", "M"), ("Variant Barcode", "2000000000016")])
        + &variant(&[("Option1 Value", "M"), ("Variant SKU", "A")])
        + &variant(&[("Option1 Value", "S"), ("Variant SKU", "B")])
        + &variant(&[("Variant SKU", "C")])
        + &variant(&[
            ("Option1 Value", "L"),
            ("Variant SKU", "D"),
            ("Variant Price", "1"),
        ])
        + &row(&[
            ("Handle", "tee"),
            ("Option1 Value", "XL"),
            ("Variant Price", "free"),
        ])
        + &row(&[("Handle", "tee")])
        + &row(&[
            ("Handle", ""),
            ("Title", "Nameless"),
            ("Variant Price", "1"),
        ])
        + &row(&[("Handle", "untitled"), ("Variant Price", "1")])
        + &row(&[
            ("Handle", "untitled"),
            ("Variant Price", "1"),
            ("Variant SKU", "E"),
        ])
        + &mug("M");
    let (drafts, report) = products(&file);
    let found: Vec<_> = report
        .errors
        .iter()
        .map(|finding| (finding.line, finding.column.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (4, "Option1 Value"),
            (5, "Option1 Value"),
            (6, "Option1 Value"),
            (8, "Variant Price"),
            (9, ""),
            (10, "Handle"),
            (11, "Title"),
            (12, "Handle"),
        ]
    );
    let warned = &report.warnings[0];
    assert_eq!(
        (warned.line, warned.column.as_str()),
        (3, "Variant Barcode")
    );
    assert!(warned.reason.ends_with("wrong check digit, 5 expected"));
    let skus: Vec<Vec<_>> = drafts
        .iter()
        .map(|draft| {
            draft
                .product
                .variants
                .iter()
                .map(|v| v.sku.as_str())
                .collect()
        })
        .collect();
    assert_eq!(skus, [vec!["A", "tee_m", "D"], vec!["M"]]);
    assert!(!drafts[0].complete && drafts[1].complete);
}

#[test]
fn what_is_left_out_of_a_good_row_is_a_warning() {
    let cells = [
        ("Handle", "mug"),
        ("Title", "Mug"),
        ("Variant Price", "9"),
        ("Variant Barcode", "SHELF-7"),
        ("Image Src", "javascript:alert(1)"),
    ];
    let (drafts, report) = products(&(HEADER.to_string() + &row(&cells)));
    assert_eq!((drafts.len(), report.refused), (1, 0));
    let columns: Vec<_> = report
        .warnings
        .iter()
        .map(|finding| finding.column.as_str())
        .collect();
    assert_eq!(columns, ["Variant Barcode", "Image Src"]);
    assert!(drafts[0].product.variants[0].gtin.is_none() && drafts[0].product.media.is_empty());
}

#[test]
fn a_handle_that_comes_back_later_is_refused() {
    let other = row(&[("Handle", "cup"), ("Title", "Cup"), ("Variant Price", "3")]);
    let (drafts, report) = products(&(HEADER.to_string() + &mug("M-1") + &other + &mug("M-2")));
    assert_eq!(drafts.len(), 2);
    assert_eq!(
        (report.errors[0].line, report.errors[0].column.as_str()),
        (4, "Handle")
    );
}

#[test]
fn a_product_has_a_limit_of_variants() {
    let mut file = HEADER.to_string();
    for number in 0..=MAX_VARIANTS {
        let (title, name) = if number == 0 {
            ("Bolt", "Length")
        } else {
            ("", "")
        };
        let value = number.to_string();
        file += &row(&[
            ("Handle", "bolt"),
            ("Title", title),
            ("Option1 Name", name),
            ("Option1 Value", &value),
            ("Variant Price", "1"),
        ]);
    }
    let (drafts, report) = products(&file);
    assert_eq!(
        (drafts[0].product.variants.len(), report.refused),
        (MAX_VARIANTS, 1)
    );
}

#[test]
fn a_file_has_a_limit_of_products() {
    let mut file = "Handle,Title,Variant Price\n".to_string();
    for number in 0..=MAX_PRODUCTS {
        file += &format!("p{number},P,1\n");
    }
    let (drafts, report) = products(&file);
    assert_eq!((drafts.len(), report.refused), (MAX_PRODUCTS, 1));
}

#[test]
fn a_file_without_the_columns_says_which() {
    let mut table = Table::default();
    table.feed(b"Title,Handle\n");
    table.finish();
    assert_eq!(table.next_row(), None);
    let header = table.header().expect("a header");
    let euro = Currency::parse("EUR").expect("a currency");
    let lacking = [
        ProductFile::new(header, euro).err(),
        StockFile::new(header).err(),
        LocationFile::new(header, &brand()).err(),
    ];
    let [products, stock, locations] = lacking.map(|lacking| lacking.expect("it lacks").columns);
    assert_eq!(products, ["Variant Price"]);
    assert_eq!(stock, ["sku", "location_code", "on_hand"]);
    assert!(locations.contains(&"time_zone"));
}

fn ids() -> impl FnMut() -> String {
    let mut next = 0;
    move || {
        next += 1;
        new_id(next, [0; 10])
    }
}

fn tee(sizes: &[(&str, &str)]) -> ProductDraft {
    let mut file = HEADER.to_string();
    for (size, gtin) in sizes {
        file += &row(&[
            ("Handle", "tee"),
            ("Title", "Tee"),
            ("Option1 Name", "Size"),
            ("Option1 Value", size),
            ("Variant Price", "1"),
            ("Variant Barcode", gtin),
        ]);
    }
    products(&file).0.remove(0)
}

#[test]
fn an_import_keeps_ids_and_retires_what_the_file_no_longer_names() {
    let mut new_id = ids();
    let stored = tee(&[("S", "2000000000015"), ("M", "")]).into_product(None, &mut new_id);
    let now =
        tee(&[("M", ""), ("XS", "2000000000015")]).into_product(Some(stored.clone()), &mut new_id);
    assert_eq!(now.id, stored.id);
    let skus: Vec<_> = now
        .variants
        .iter()
        .map(|variant| (variant.sku.as_str(), variant.active))
        .collect();
    assert_eq!(skus, [("tee_m", true), ("tee_xs", true), ("tee_s", false)]);
    assert_eq!(now.variants[0].id, stored.variants[1].id);
    assert_eq!(
        (now.variants[2].id.as_str(), now.variants[2].gtin.as_deref()),
        (stored.variants[0].id.as_str(), None)
    );
    assert_eq!(now.options[0].values, ["M", "XS"]);
}

#[test]
fn a_refused_row_does_not_retire_its_variant() {
    let mut new_id = ids();
    let stored = tee(&[("S", ""), ("M", "")]).into_product(None, &mut new_id);
    let complete = tee(&[("S", "")]);
    let draft = tee(&[("S", ""), ("S", "")]);
    assert!(!draft.complete && draft.fingerprint() != complete.fingerprint());
    let now = draft.into_product(Some(stored), &mut new_id);
    assert!(now.variants.iter().all(|variant| variant.active));
    assert_eq!(now.options[0].values, ["S", "M"]);
}

#[test]
fn the_same_file_has_the_same_fingerprints() {
    assert_eq!(
        tee(&[("S", "")]).fingerprint(),
        tee(&[("S", "")]).fingerprint()
    );
    assert_ne!(
        tee(&[("S", "")]).fingerprint(),
        tee(&[("M", "")]).fingerprint()
    );
}

const LOCATIONS: &str = "code,name,kind,visible,street_address,address_locality,address_region,postal_code,address_country,\
                         latitude,longitude,time_zone,hours_mon,hours_sun,exception_hours,amenities,sell,pickup,phone,preparation_minutes\n";

#[test]
fn locations_are_read_and_bad_ones_name_the_column() {
    let good = "BER,Berlin,store,,Torstr. 1,Berlin,BE,10119,DE,52.5290,13.4010,Europe/Berlin,10:00-14:00 15:00-20:00,closed,\
                2026-12-25 closed,a.b; c.d,yes,yes,+49 30 901820,45\n";
    let with = |from: &str, to: &str| {
        good.replace(from, to)
            .replacen("BER", &from.replace(',', ""), 1)
    };
    let file = LOCATIONS.to_string()
        + good
        + &with("52.5290", "91")
        + &with("Europe/Berlin", "Europe/Nowhere")
        + &with("10:00-14:00", "10:00-10:00")
        + &with("2026-12-25 closed", "Christmas closed")
        + &with(",DE,", ",Atlantis,")
        + &with("+49 30 901820", "030 901820")
        + good;
    let (drafts, report) = read(&file, |header| LocationFile::new(header, &brand()));
    assert_eq!(drafts.len(), 1);
    let location = &drafts[0].location;
    assert_eq!(
        (location.geo.latitude_e7, location.preparation_minutes),
        (525_290_000, 45)
    );
    assert!(location.visible && location.services.pickup && !location.services.ship);
    assert_eq!(
        (
            location.hours.0.len(),
            location.amenities.len(),
            location.phone.as_deref()
        ),
        (2, 2, Some("+4930901820"))
    );
    let columns: Vec<_> = report
        .errors
        .iter()
        .map(|finding| finding.column.as_str())
        .collect();
    assert_eq!(
        columns,
        [
            "latitude",
            "time_zone",
            "hours_mon",
            "exception_hours",
            "address_country",
            "phone",
            "code"
        ]
    );
    let mut with_id = location.clone();
    with_id.id = "1".into();
    assert_eq!(fingerprint_of(&with_id), fingerprint_of(location));
}

fn brand() -> Brand {
    serde_json::from_value(serde_json::json!({
        "id": "b", "handle": "b", "name": "B", "hosts": [], "currency": "USD", "language": "en",
        "country": "US", "region": "NY", "prices_include_tax": false,
        "tax_rates": [{"country": "US", "region": "NY", "rate_ppm": 88_750}],
    }))
    .expect("a brand")
}

#[test]
fn what_a_file_of_locations_does_not_say_follows_from_the_kind() {
    let file = "code,name,kind,street_address,address_locality,postal_code,address_country,latitude,longitude,time_zone,phon\n\
        S,Shop,store,Way 1,Berlin,10119,DE,52.5,13.4,Europe/Berlin,\n\
        W,Hub,warehouse,Way 1,Berlin,10119,DE,\"52,5\",13.4,Europe/Berlin,\n";
    let (drafts, report) = read(file, |header| LocationFile::new(header, &brand()));
    let services: Vec<_> = drafts.iter().map(|draft| draft.location.services).collect();
    let does = |services: &crate::location::Services| {
        [
            services.sell,
            services.pickup,
            services.ship,
            services.transfer,
        ]
    };
    assert_eq!(does(&services[0]), [true, true, true, false]);
    assert_eq!(does(&services[1]), [false, false, true, true]);
    let warned: Vec<_> = report
        .warnings
        .iter()
        .map(|one| one.column.as_str())
        .collect();
    assert_eq!(warned, ["phon", "sell", "pickup", "ship", "transfer"]);
}

#[test]
fn stock_is_read_by_sku_or_gtin() {
    let file = "sku,gtin,location_code,on_hand,safety\nA,,BER,5,1\n,2000000000015,BER,0,\n,2000000000016,BER,1,\n,,BER,1,\nA,,,1,\nA,,BER,-1,\nA,,BER,1.5,\n";
    let (counts, report) = read(file, StockFile::new);
    assert_eq!(counts[0].item, Item::Sku("A".into()));
    assert_eq!((counts[0].on_hand, counts[0].safety), (5, Some(1)));
    assert_eq!(
        (&counts[1].item, counts[1].safety),
        (&Item::Gtin("02000000000015".into()), None)
    );
    let found: Vec<_> = report
        .errors
        .iter()
        .map(|finding| (finding.line, finding.column.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (4, "gtin"),
            (5, "gtin"),
            (6, "location_code"),
            (7, "on_hand"),
            (8, "on_hand")
        ]
    );
    assert_eq!((report.rows, report.refused), (7, 5));
}

proptest! {
    #[test]
    fn every_row_is_used_or_refused(cells in prop::collection::vec(("[ab]?", "(T|)", "(S|M|)", "([0-9]{1,3}|x|)", "(K1|K2|)"), 0..30)) {
        let mut file = HEADER.to_string();
        for (handle, title, size, price, sku) in &cells {
            file += &row(&[
                ("Handle", handle), ("Title", title), ("Option1 Name", "Size"), ("Option1 Value", size),
                ("Variant Price", price), ("Variant SKU", sku),
            ]);
        }
        let (drafts, report) = products(&file);
        let used: usize = drafts.iter().map(|draft| draft.lines.len()).sum();
        prop_assert_eq!(report.rows as usize, cells.len());
        prop_assert_eq!(used + report.refused as usize, cells.len());
        for draft in drafts {
            prop_assert!(!draft.product.variants.is_empty());
            prop_assert_eq!(draft.lines.len(), draft.product.variants.len());
        }
    }
}
