//! Files of other systems than ours.

use super::*;
use crate::import::Kind;
use crate::product::Product;

fn kind_of(file: &str) -> Option<Kind> {
    let mut table = Table::default();
    table.feed(file.as_bytes());
    table.finish();
    let _ = table.next_row();
    table.header().and_then(Kind::of)
}

fn variants(product: &Product) -> Vec<(&str, Vec<&str>, i64, Option<i64>)> {
    let variants = product.variants.iter();
    variants
        .map(|one| {
            let values = one.option_values.iter().map(String::as_str).collect();
            (
                one.sku.as_str(),
                values,
                one.price_minor,
                one.compare_at_price_minor,
            )
        })
        .collect()
}

const INVENTORY: &str = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,SKU,HS Code,COO,Location,Bin name,\
    Incoming (not editable),Unavailable (not editable),Committed (not editable),Available (not editable),On hand (current),On hand (new)\n\
    ring,Ring,Size,6,,,,,RING,,,Berlin,A1,0,0,1,4,5,\n\
    ring,Ring,Size,7,,,,,RING,,,Berlin,,0,0,0,5,5,7\n\
    mug,Mug,Title,Default Title,,,,,,,,Berlin,,0,0,0,-2,-2,\n\
    mug,Mug,Title,Default Title,,,,,,,,Hamburg,,0,0,0,not stocked,not stocked,\n\
    mug,Mug,Title,Default Title,,,,,,,,Bonn,,0,0,0,x,x,\n";

#[test]
fn the_inventory_of_shopify_is_counted_stock() {
    assert_eq!(kind_of(INVENTORY), Some(Kind::Stock));
    let (counts, report) = read(INVENTORY, StockFile::new);
    assert_eq!(
        (report.rows, report.refused, report.warnings.len()),
        (5, 1, 1)
    );
    let facts: Vec<_> = counts
        .iter()
        .map(|one| (one.location.as_str(), one.on_hand))
        .collect();
    assert_eq!(facts, [("Berlin", 5), ("Berlin", 7), ("Berlin", 0)]);
    assert_eq!(counts[1].item.skus(), ["RING_ring_7", "RING_7", "RING"]);
    assert_eq!(
        counts[2].item.skus().last().map(String::as_str),
        Some("mug")
    );
    assert_eq!(report.errors[0].column, "On hand (current)");
}

#[test]
fn an_inventory_may_have_a_column_for_each_location() {
    let file = "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Berlin,Hamburg\n\
        mug,Mug,Title,Default Title,M-1,,,3,not stocked\ncup,Cup,Title,Default Title,C-1,,,1,2\n";
    assert_eq!(kind_of(file), Some(Kind::Stock));
    let (counts, report) = read(file, StockFile::new);
    let facts: Vec<_> = counts
        .iter()
        .map(|one| (one.line, one.location.as_str(), one.on_hand))
        .collect();
    assert_eq!(
        facts,
        [(2, "Berlin", 3), (3, "Berlin", 1), (3, "Hamburg", 2)]
    );
    assert_eq!(report.refused, 0);
}

#[test]
fn only_what_a_file_of_skus_has_columns_for_changes() {
    let file = "SKU;Price;Compare-at price;Barcode;Tags;Published\n\
        A;19,95;25,00;4006381333931;new, warm;\nB;;;;;no\n;1;;;;\nA;x;;;;\n";
    assert_eq!(kind_of(file), Some(Kind::Products));
    let (items, report) = product_items(file);
    let columns: Vec<_> = report
        .errors
        .iter()
        .map(|one| (one.line, one.column.as_str()))
        .collect();
    assert_eq!(columns, [(4, "Variant SKU"), (5, "Variant Price")]);
    let (drafts, _) = products(
        "Handle,Title,Body (HTML),Variant SKU,Variant Price,Variant Compare At Price,Variant Grams\n\
         a,A,<p>Text</p>,A,10,12,100\nb,B,,B,10,12,\n",
    );
    let [mut a, mut b]: [Product; 2] = drafts
        .into_iter()
        .map(|draft| draft.product)
        .collect::<Vec<_>>()
        .try_into()
        .expect("two products");
    for item in items {
        let ProductItem::Update(update) = item else {
            panic!("a product")
        };
        let sku = update.item.skus()[0].clone();
        let product = if sku == "A" { &mut a } else { &mut b };
        assert_eq!(update.apply(product, &sku), Ok(()));
        assert!(update.apply(product, "other").is_err());
    }
    assert_eq!(variants(&a), [("A", vec![], 1_995, Some(2_500))]);
    assert_eq!(a.variants[0].gtin.as_deref(), Some("04006381333931"));
    assert_eq!(
        (a.variants[0].weight_g, a.body_html.as_str()),
        (Some(100), "<p>Text</p>")
    );
    assert_eq!((a.tags.len(), a.published), (2, true));
    assert_eq!(variants(&b), [("B", vec![], 1_000, None)]);
    assert!(!b.published);
}

#[test]
fn a_price_above_the_struck_one_strikes_nothing() {
    let (items, _) = product_items("sku,price\nA,15\n");
    let (drafts, _) = products("Handle,Title,SKU,Price,Compare-at price\na,A,A,10,12\n");
    let mut product = drafts[0].product.clone();
    let ProductItem::Update(update) = &items[0] else {
        panic!("a product")
    };
    assert_eq!(update.apply(&mut product, "A"), Ok(()));
    assert_eq!(variants(&product), [("A", vec![], 1_500, None)]);
}

const WOO: &str = "ID,Type,SKU,\"GTIN, UPC, EAN, or ISBN\",Name,Published,Is featured?,Visibility in catalog,Short description,Description,\
    Date sale price starts,Date sale price ends,Tax status,Tax class,In stock?,Stock,Weight (kg),Sale price,Regular price,Categories,Tags,Images,\
    Parent,External URL,Attribute 1 name,Attribute 1 value(s),Attribute 1 visible,Attribute 1 global,Attribute 2 name,Attribute 2 value(s)\n\
    11,simple,CAP,4006381333931,Cap,1,0,visible,Short,Line\\nnext,,,taxable,,1,3,0.2,9.00,\"12,00\",\"Hats > Caps, Sale\",\"a, b\",\"https://x.example/a.jpg, https://x.example/b.jpg\",,,,,,,,\n\
    12,variable,TEE,,Tee,1,0,visible,,<p>Soft</p>,,,taxable,reduced-rate,1,,0.3,,,Tops,,https://x.example/t.jpg,,,Size,\"S, M\",1,1,Colour,Red\n\
    13,\"simple, virtual\",,,Voucher,'-1,0,visible,,,,,none,,1,,,,25,,,,,,,,,,,\n\
    14,variation,TEE-S,,Tee - S,1,0,visible,,,,,taxable,parent,1,,,,20,,,,TEE,,Size,S,,1,Colour,\n\
    15,variation,,,Tee - M,1,0,visible,,,,,taxable,parent,1,,,,21,,,,id:12,,Size,M,,1,Colour,\n\
    16,variation,TEE-L,,Tee - L,1,0,visible,,,,,taxable,parent,1,,,,,,,,TEE,,Size,L,,1,,\n\
    17,external,EXT,,Elsewhere,1,0,visible,,,,,,,1,,,,5,,,,,https://x.example,,,,,,\n\
    18,grouped,SET,,Set,1,0,visible,,,,,,,1,,,,,,,,,,,,,,,\n\
    19,variation,LOST,,Lost,1,0,visible,,,,,,,1,,,,5,,,,NOBODY,,,,,,,\n\
    20,simple,SALE,,On sale,1,0,hidden,,,,2026-12-31,,,1,,,8,10,,,,,,,,,,,\n";

#[test]
fn the_products_of_woocommerce_are_read() {
    assert_eq!(kind_of(WOO), Some(Kind::Products));
    let (drafts, report) = products(WOO);
    let found = |sku: &str| {
        let mut drafts = drafts.iter();
        let draft = drafts.find(|draft| draft.skus().any(|own| own == sku));
        &draft.expect(sku).product
    };
    let cap = found("CAP");
    assert_eq!(
        (cap.handle.as_str(), cap.title.as_str(), cap.published),
        ("cap", "Cap", true)
    );
    assert_eq!(cap.body_html, "Short\nLine\nnext");
    assert_eq!(cap.categories, ["Hats", "Hats > Caps", "Sale"]);
    assert_eq!((cap.tags.len(), cap.media.len()), (2, 2));
    assert_eq!(variants(cap), [("CAP", vec![], 900, Some(1_200))]);
    assert_eq!(cap.variants[0].weight_g, Some(200));
    assert_eq!(cap.variants[0].gtin.as_deref(), Some("04006381333931"));

    let tee = found("TEE-S");
    assert_eq!((tee.handle.as_str(), tee.options.len()), ("tee", 1));
    assert_eq!(
        variants(tee),
        [
            ("TEE-S", vec!["S"], 2_000, None),
            ("tee_m", vec!["M"], 2_100, None)
        ]
    );
    let small = &tee.variants[0];
    assert_eq!(
        (small.tax_category.as_str(), small.weight_g),
        ("reduced-rate", Some(300))
    );

    let voucher = found("13");
    assert!(!voucher.published && !voucher.variants[0].requires_shipping);
    assert_eq!(voucher.variants[0].tax_category, "exempt");
    assert_eq!(variants(found("SALE")), [("SALE", vec![], 1_000, None)]);
    assert!(!found("SALE").published);

    let mut refused: Vec<_> = report
        .errors
        .iter()
        .map(|one| (one.line, one.column.as_str()))
        .collect();
    refused.sort_unstable();
    assert_eq!(
        refused,
        [
            (7, "Regular price"),
            (8, "Type"),
            (9, "Type"),
            (10, "Parent")
        ]
    );
    assert_eq!((report.rows, report.refused), (10, 4));
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
}

const MERCHANT: &str = "id\ttitle\tdescription\tlink\timage_link\tadditional_image_link\tavailability\tprice\tsale_price\tgoogle_product_category\t\
    product_type\tbrand\tgtin\titem_group_id\tcolor\tsize\tshipping_weight\n\
    TEE-RS\tSoft Tee - red S\tSoft & warm\thttps://x.example\thttps://x.example/r.jpg\thttps://x.example/b.jpg\tin_stock\t20.00 EUR\t15.00 EUR\t212\tTops > Tees\tWeft\t4006381333931\tTEE\tRed\tS\t0.3 kg\n\
    CAP\tCap\tWarm\thttps://x.example\thttps://x.example/c.jpg\t\tin_stock\tEUR 9\t\tApparel > Hats\t\tWeft\t\t\tBlue\t\t80 g\n\
    TEE-RM\tSoft Tee - red M\tSoft\thttps://x.example\t\t\tout_of_stock\t20.00 EUR\t\t\tTops > Tees\tWeft\t\tTEE\tRed\tM\t\n\
    US\tForeign\tx\thttps://x.example\t\t\tin_stock\t9.00 USD\t\t\t\t\t\t\t\t\t\n\
    BAG-1\tBag\tx\thttps://x.example\t\t\tin_stock\t9.00 EUR\t\t\t\t\t\tBAG\t\t\t\n\
    BAG-2\tBag\tx\thttps://x.example\t\t\tin_stock\t9.00 EUR\t\t\t\t\t\tBAG\t\t\t\n";

#[test]
fn the_products_of_google_merchant_are_read() {
    assert_eq!(kind_of(MERCHANT), Some(Kind::Products));
    let (drafts, report) = products(MERCHANT);
    let found = |handle: &str| {
        let mut drafts = drafts.iter();
        &drafts
            .find(|draft| draft.product.handle == handle)
            .expect(handle)
            .product
    };
    let tee = found("tee");
    assert_eq!(
        (tee.title.as_str(), tee.vendor.as_str()),
        ("Soft Tee - red", "Weft")
    );
    assert_eq!(tee.options[0].name, "Size");
    assert_eq!(
        variants(tee),
        [
            ("TEE-RS", vec!["S"], 1_500, Some(2_000)),
            ("TEE-RM", vec!["M"], 2_000, None)
        ]
    );
    assert_eq!(
        (tee.body_html.as_str(), tee.media.len()),
        ("Soft &amp; warm", 2)
    );
    assert_eq!(tee.categories, ["Tops", "Tops > Tees"]);
    assert_eq!(tee.variants[0].weight_g, Some(300));
    let cap = found("cap");
    assert_eq!(cap.categories, ["Apparel", "Apparel > Hats"]);
    assert_eq!((cap.options.len(), cap.variants[0].weight_g), (0, Some(80)));
    let bag = found("bag");
    assert_eq!(
        (bag.title.as_str(), bag.options[0].name.as_str()),
        ("Bag", "Article")
    );
    assert_eq!(bag.variants[1].option_values, ["BAG-2"]);
    let [error] = report.errors.as_slice() else {
        panic!("{:?}", report.errors)
    };
    assert_eq!((error.line, error.column.as_str()), (5, "price"));
    assert!(error.reason.contains("USD"));
}

#[test]
fn the_same_file_with_commas_and_other_spellings_is_the_same() {
    let csv = MERCHANT
        .replace('\t', ",")
        .replacen("image_link", "image link", 1)
        .replacen("id", "g:id", 1);
    let (drafts, _) = products(&csv);
    assert_eq!(drafts, products(MERCHANT).0);
}

#[test]
fn rows_that_belong_together_wait_only_so_long() {
    let text = "x".repeat(100_000);
    let mut file = String::from("id,title,description,price,link,item_group_id,size\n");
    for (id, group) in [("first", "G"), ("last", "G")].into_iter() {
        file += &format!("{id},T,,1,,{group},{id}\n");
        for number in 0..70 {
            file += &format!("{id}-{number},T,{text},1,,{id}-{number},\n");
        }
    }
    let (drafts, report) = products(&file);
    assert_eq!((drafts.len(), report.refused), (141, 1));
    assert_eq!(
        (report.errors[0].line, report.errors[0].column.as_str()),
        (73, "item_group_id")
    );
}

#[test]
fn our_own_files_are_known_by_their_headers() {
    for (header, kind) in [
        ("Handle,Title,Variant Price\n", Some(Kind::Products)),
        ("sku,location_code,on_hand\n", Some(Kind::Stock)),
        ("from_code,to_code\n", Some(Kind::Lanes)),
        ("code;time_zone\n", Some(Kind::Locations)),
        ("sku,price\n", Some(Kind::Products)),
        ("a,b\n", None),
    ] {
        assert_eq!(kind_of(header), kind, "{header}");
    }
}
