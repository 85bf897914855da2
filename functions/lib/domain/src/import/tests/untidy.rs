//! Rows that are odd, and sell something all the same.

use super::*;
use crate::import::product::Holders;

/// Claims as an import does that knows what others have; answers the SKUs.
fn claimed(draft: &mut ProductDraft, holders: &mut Holders) -> (Vec<String>, Report) {
    let mut report = Report::default();
    draft.claim(holders, &mut report);
    (draft.skus().map(str::to_owned).collect(), report)
}

fn rings(handle: &str) -> ProductDraft {
    let mut file = HEADER.to_string();
    for size in ["6", "7", "8"] {
        file += &row(&[
            ("Handle", handle),
            ("Title", "Ring"),
            ("Option1 Name", "Size"),
            ("Option1 Value", size),
            ("Variant SKU", "RING"),
            ("Variant Price", "10"),
        ]);
    }
    let (mut drafts, report) = products(&file);
    assert_eq!(
        (report.refused, report.warnings.len()),
        (0, 2),
        "{report:?}"
    );
    assert!(
        report.warnings[0].reason.contains("RING") && report.warnings[0].reason.contains("RING_7")
    );
    drafts.remove(0)
}

#[test]
fn a_sku_that_comes_again_gets_company_of_its_own() {
    let mut holders = Holders::default();
    let (skus, report) = claimed(&mut rings("gold-ring"), &mut holders);
    assert_eq!(
        (skus, report.warnings.len()),
        (["RING", "RING_7", "RING_8"].map(String::from).to_vec(), 0)
    );

    let mut other = rings("silver-ring");
    assert!(
        other
            .alternatives(|sku| holders.skus.contains_key(sku))
            .contains(&"RING_silver-ring_7".to_owned())
    );
    let (skus, report) = claimed(&mut other, &mut holders);
    let own = [
        "RING_silver-ring_6",
        "RING_silver-ring_7",
        "RING_silver-ring_8",
    ];
    assert_eq!(skus, own);
    assert!(
        report.warnings[0]
            .reason
            .contains("belongs to product gold-ring")
    );
    let fingerprint = other.fingerprint();

    // Once more, now that all are known.
    let mut again = rings("silver-ring");
    assert_eq!(claimed(&mut again, &mut holders).0, own);
    assert_eq!(again.fingerprint(), fingerprint);
}

#[test]
fn a_gtin_has_one_variant() {
    let mut holders = Holders::default();
    holders.gtins.insert("02000000000015".into(), "mug".into());
    let mut draft = tee(&[
        ("S", "2000000000015"),
        ("M", "2000000000022"),
        ("L", "2000000000022"),
    ]);
    let (_, report) = claimed(&mut draft, &mut holders);
    let gtins: Vec<_> = draft
        .product
        .variants
        .iter()
        .map(|one| one.gtin.as_deref())
        .collect();
    assert_eq!(gtins, [None, Some("02000000000022"), None]);
    assert_eq!(report.warnings[0].column, "Variant Barcode");
}

#[test]
fn barcodes_that_are_none_and_prices_that_strike_nothing_are_left_out() {
    let variants = [
        ("4006381333932", "10.00"),
        ("20231105", "9.00"),
        ("0000000000000", "10.01"),
        ("0000000000000", "much"),
    ];
    let mut file = HEADER.to_string();
    for (at, (barcode, compare_at)) in variants.iter().enumerate() {
        file += &row(&[
            ("Handle", "tee"),
            ("Title", "Tee"),
            ("Option1 Name", "Size"),
            ("Option1 Value", &at.to_string()),
            ("Variant Price", "10.00"),
            ("Variant Compare At Price", compare_at),
            ("Variant Barcode", barcode),
            ("Image Src", "HTTPS://cdn.example/a.jpg"),
        ]);
    }
    let (drafts, report) = products(&file);
    let product = &drafts[0].product;
    assert_eq!((report.refused, product.variants.len()), (0, 4));
    assert!(
        product
            .variants
            .iter()
            .all(|variant| variant.gtin.is_none())
    );
    let list: Vec<_> = product
        .variants
        .iter()
        .map(|one| one.compare_at_price_minor)
        .collect();
    assert_eq!(list, [None, None, Some(1_001), None]);
    assert_eq!(report.warnings.len(), 5, "{:?}", report.warnings);
    assert_eq!(product.media[0].url, "https://cdn.example/a.jpg");
}

#[test]
fn columns_that_look_like_others_are_taken_or_named() {
    let (drafts, report) = products(
        "Handle,Title,Body,Variant Price,Bar code,SEO Title\nmug,Mug,<p>Text</p>,9,4006381333931,x\n",
    );
    assert_eq!(drafts[0].product.body_html, "<p>Text</p>");
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert!(drafts[0].product.variants[0].gtin.is_some());
    let (_, report) = products("Handle,Title,Variant Price,Vendors\nmug,Mug,9,x\n");
    assert_eq!(report.warnings[0].column, "Vendors");
    assert!(report.warnings[0].reason.contains("Vendor"));
}

#[test]
fn a_description_that_never_ends_is_told() {
    let cells = [
        ("Handle", "mug"),
        ("Title", "Mug"),
        ("Variant Price", "9"),
        ("Body (HTML)", "<p>Text</p><style>p {}"),
    ];
    let (drafts, report) = products(&(HEADER.to_string() + &row(&cells)));
    assert_eq!(drafts[0].product.body_html, "<p>Text</p>");
    assert_eq!(report.warnings[0].column, "Body (HTML)");
}
