//! Small files with the quirks of real ones, and large ones that are made while sent.

use aisle_e2e::json::Look;
use aisle_e2e::{Client, Environment, Pair, Setup};
use anyhow::Result;
use bytes::Bytes;
use serde_json::{Value, json};

pub const SHOPIFY_EXPORT: &str = "\u{feff}Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Price,Variant Barcode,Image Src,Image Position,Image Alt Text,Status\r
linen-shirt,\"Linen \"\"Sunday\"\" Shirt\",\"<p>Soft, <b>washed linen</b>.</p>\n<script>alert(1)</script>\",Weft,Shirts,\"linen, summer\",true,Color,Sand,Size,M,LS-SAND-M,210,59.00,4006381333931,https://cdn.example.com/sand.jpg,1,Sand,active\r
linen-shirt,,,,,,,,Sand,,L,LS-SAND-L,220,59.00,,https://cdn.example.com/back.jpg,2,,\r
linen-shirt,,,,,,,,Ink,,M,LS-INK-M,210,59.00,,,,,\r
mug,Mug,,Kiln,Tableware,,true,Title,Default Title,,,,350,12.50,,,,,active\r
secret-plan,Secret plan,,Weft,,,false,Title,Default Title,,,SP-1,,1.00,,,,,draft\r
";

pub const PRODUCTS_WITH_BAD_ROWS: &str =
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Barcode
good,Good,Size,S,GOOD-1,10.00,
good,,,M,BAD-1,ten,
fine,Fine,Title,Default Title,GOOD-2,10.00,
mistyped,Mistyped,Title,Default Title,GOOD-3,10.00,4006381333932
nameless,,Title,Default Title,BAD-3,10.00,
";

pub const LOCATIONS_WITH_BAD_ROWS: &str = "code,name,kind,street_address,address_locality,address_region,postal_code,address_country,latitude,longitude,time_zone,hours_mon
l1,North Pole,store,1 Way,Town,,1000,US,95.0,0,America/New_York,09:00-17:00
l2,Nowhere,store,1 Way,Town,,1000,US,40,-74,Mars/Olympus,09:00-17:00
l3,Late,store,1 Way,Town,,1000,US,40,-74,America/New_York,late
l4,Good,store,1 Way,Town,,1000,US,40,-74,America/New_York,09:00-17:00
";

pub const STOCK_WITH_BAD_ROWS: &str = "sku,gtin,location_code,on_hand
GOOD-1,,corner,-4
NO-SUCH,,corner,4
GOOD-1,,no-such,4
,4006381333932,corner,4
GOOD-1,,corner,4
";

/// What merchants' files are like: one SKU for all sizes and again for another product, barcodes
/// that are none, prices that strike nothing through, rows that were cleared, semicolons.
pub const UNTIDY_PRODUCTS: &str = "sep=;
Handle;Title;Body;Option1 Name;Option1 Value;Variant SKU;Variant Price;Variant Compare At Price;Variant Barcode;Image Src
ring;Gold Ring;<p>Intro</p><embed src=x><p>Wash at 30 degrees.</p>;Size;6;RING;10.00;10.00;4006381333932;HTTPS://cdn.example/a.jpg;
ring;;;;7;RING;10,00;9.00;0000000000000;;
ring;;;;8;RING;10.00;12.00;0000000000000;;
other;Silver Ring;;Title;Default Title;RING;8.00;;20231105;;
;;;;;;;;;;
";

/// What such a file's articles are, in the export of the same shop's inventory.
pub const INVENTORY: &str =
    "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Location,Bin name,On hand (current),On hand (new)
ring,Gold Ring,Size,6,RING,,,Corner,,3,
ring,Gold Ring,Size,7,RING,,,Corner,,4,5
other,Silver Ring,Title,Default Title,RING,,,Corner,,6,
other,Silver Ring,Title,Default Title,RING,,,Elsewhere,,6,
";

pub const WOOCOMMERCE: &str = "ID,Type,SKU,Name,Published,Visibility in catalog,Description,Regular price,Sale price,Categories,Parent,Attribute 1 name,Attribute 1 value(s)
1,variable,TEE,Tee,1,visible,Soft,,,Tops > Tees,,Size,\"S, M\"
2,simple,CAP,Cap,1,visible,Warm,12.00,9.00,Hats,,,
3,variation,TEE-S,Tee - S,1,visible,,20.00,,,TEE,Size,S
4,variation,,Tee - M,1,visible,,21.00,,,id:1,Size,M
";

pub const MERCHANT: &str = "id\ttitle\tdescription\tlink\timage_link\tavailability\tprice\titem_group_id\tcolor
MUG-R\tMug red\tHolds tea\thttps://x.example\thttps://x.example/r.jpg\tin_stock\t9.00 USD\tMUG\tRed
MUG-B\tMug blue\tHolds tea\thttps://x.example\thttps://x.example/b.jpg\tin_stock\t9.50 USD\tMUG\tBlue
EUR-1\tPlate\tx\thttps://x.example\thttps://x.example/p.jpg\tin_stock\t5.00 EUR\t\t
";

pub const PRODUCTS_THAT_MENTION_EACH_OTHER: &str =
    "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price
tent,Tent,<p>Room for two and their wool blankets.</p>,Title,Default Title,TENT,199.00
wool-socks,Wool Socks,\"<p>Warm in any tent, or in a café.</p>\",Title,Default Title,SOCKS,19.00
";

/// Sends a file and answers the report.
pub async fn import(
    admin: &Client,
    kind: &str,
    brand: &str,
    csv: impl Into<Bytes>,
) -> Result<Value> {
    let path = format!("/admin/imports?kind={kind}&brand={brand}&file={kind}.csv");
    Ok(admin.post(&path).csv(csv).expect(200).await?.json())
}

/// A brand with one store and nothing to sell yet.
pub async fn corner_shop(pair: Pair) -> Result<Environment> {
    corner_shop_with(Setup::empty(pair)).await
}

pub async fn corner_shop_with(setup: Setup) -> Result<Environment> {
    let aisle = setup.start().await?;
    let brand = json!({
        "handle": "corner", "name": "Corner Shop", "hosts": ["corner.localhost"], "is_default": true, "currency": "USD",
        "language": "en", "country": "US", "prices_include_tax": false,
        "shipping_methods": [{"id": "std", "title": "Standard", "price_minor": 500, "earliest_days": 2, "latest_days": 4}],
    });
    let put = aisle
        .admin()
        .put("/admin/brands/corner")
        .json(&brand)
        .send()
        .await?;
    assert!(put.status.is_success(), "{put:?}");
    let store = "code,name,kind,street_address,address_locality,address_region,postal_code,address_country,latitude,longitude,time_zone,hours_mon\n\
        corner,Corner,store,1 Main St,Springfield,IL,62701,US,39.8,-89.6,America/Chicago,09:00-17:00\n";
    aisle
        .admin()
        .post("/admin/imports?kind=locations&brand=corner")
        .csv(store)
        .expect(200)
        .await?;
    Ok(aisle)
}

/// The report refuses exactly these places, as (line, column), each with a reason; rows
/// that are looked up together may be found out later than others.
pub fn expect_errors(report: &Value, expected: &[(i64, &str)]) {
    let errors = report.list("/errors");
    let mut places: Vec<(i64, &str)> = errors
        .iter()
        .map(|error| (error.number("/line"), error.text("/column")))
        .collect();
    places.sort_unstable();
    assert_eq!(places, expected, "{report:#}");
    assert!(
        errors.iter().all(|error| !error.text("/reason").is_empty()),
        "{report:#}"
    );
    assert_eq!(
        report.number("/refused"),
        expected.len() as i64,
        "{report:#}"
    );
}

pub fn many_locations(count: usize) -> impl Iterator<Item = Bytes> + Send + Sync + Unpin {
    let header = "code,name,kind,street_address,address_locality,address_region,postal_code,address_country,latitude,longitude,time_zone,hours_mon\n";
    let row = |number| {
        format!(
            "m{number},Store {number},store,{number} Main St,Springfield,IL,62701,US,39.{number:03},-89.6,America/Chicago,09:00-17:00\n"
        )
    };
    lines(header, (0..count).map(row))
}

/// Products with long descriptions, so that the file is much larger than what is kept of it.
pub fn many_products(
    products: usize,
    variants: usize,
) -> impl Iterator<Item = Bytes> + Send + Sync + Unpin {
    let header = "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price\n";
    let rows = (0..products)
        .flat_map(move |product| (0..variants).map(move |variant| row_of(product, variant)));
    lines(header, rows)
}

fn row_of(product: usize, variant: usize) -> String {
    if variant > 0 {
        return format!(
            "p{product},,,,Size {variant},{},9.99\n",
            sku(product, variant)
        );
    }
    let body = format!("<p>Number {product} of a long list. </p>").repeat(150);
    format!(
        "p{product},Product {product},{body},Size,Size 0,{},9.99\n",
        sku(product, 0)
    )
}

/// One store each has some of a variant.
pub fn stock_of_many(
    products: usize,
    variants: usize,
    stores: usize,
) -> impl Iterator<Item = Bytes> + Send + Sync + Unpin {
    let row = move |number: usize| {
        format!(
            "{},m{},{}\n",
            sku(number / variants, number % variants),
            number % stores,
            number % 50 + 1
        )
    };
    lines(
        "sku,location_code,on_hand\n",
        (0..products * variants).map(row),
    )
}

fn sku(product: usize, variant: usize) -> String {
    format!("P{product}-V{variant}")
}

fn lines(
    header: &'static str,
    rows: impl Iterator<Item = String> + Send + Sync + Unpin,
) -> impl Iterator<Item = Bytes> + Send + Sync + Unpin {
    std::iter::once(Bytes::from_static(header.as_bytes())).chain(rows.map(Bytes::from))
}
