//! Search: the same products in the same order on both databases, page by page, whatever the
//! spelling; and what keeps it up to date.

use std::fmt::Write;

use aisle_e2e::json::Look;
use aisle_e2e::{Client, Database, Environment, Pair};
use anyhow::Result;
use serde_json::{Value, json};

use crate::imports::samples;

const SHOP: &str = "corner.localhost";

/// Handle, title, text, vendor, type, tags, category, SKU, price. Later ones come first.
const SHELF: &str = "Handle,Title,Body (HTML),Vendor,Type,Tags,Product Category,Variant SKU,Variant Price,Variant Barcode
rain,Rain Jacket,<p>Keeps you dry.</p>,Northfell,Outerwear,\"sale, men\",Apparel > Jackets,NF-RJ-1,129.00,
shell,Blue Shell Jacket,<p>For the rain.</p>,Northfell,Outerwear,women,Apparel > Jackets,NF-BSJ-S-SPRU,199.00,4006381333931
jackets,Jackets,<p>A book about coats.</p>,Pine Press,Book,,Books,PP-1,25.00,
boots,Stiefel für Straße und Wald,<p>Waxed leather.</p>,Łodz Shoes,Schuhe,,Apparel > Shoes,LS-1,149.00,
socks,Wool Socks,\"<p>Warm in any tent, or in a café.</p>\",Northfell,Socks,,Apparel > Socks,NF-WS-1,19.00,
tent,Tent,<p>Room for two and their wool blankets.</p>,Camp Co,Shelter,,Camping,CC-T-1,299.00,
latte,抹茶ラテ,<p>甘い。</p>,Tea House,Drink,,Drinks,TH-1,6.00,
buds,无线蓝牙耳机,<p>降噪</p>,Sound,Audio,,Audio,SO-1,59.00,
shirt,เสื้อยืดสีขาว,<p>ผ้าฝ้าย</p>,Siam,Shirt,,Apparel > Shirts,SI-1,29.00,
tee,White T-Shirt,<p>Cotton.</p>,Northfell,Shirt,,Apparel > Shirts,NF-TS-1,29.00,
egg,Œuf à la coque,<p>Coquetier İpek.</p>,Maison,Kitchen,,Kitchen,MA-1,9.00,
tree,Ёлка новогодняя,<p>Ель.</p>,Север,Декор,,Home,SE-1,49.00,
";

pub async fn words_are_found_however_they_are_spelled(pair: Pair) -> Result<()> {
    let aisle = shelf(pair).await?;
    let shopper = aisle.client(SHOP);
    for (query, expected) in [
        ("jacket", vec!["jackets", "shell", "rain"]),
        ("Jackets", vec!["jackets", "shell", "rain"]),
        ("jack", vec!["jackets", "shell", "rain"]),
        ("rain", vec!["rain", "shell"]),
        ("rain jacket", vec!["rain", "shell"]),
        ("blue shell jacket", vec!["shell"]),
        ("nf-bsj-s-spru", vec!["shell"]),
        ("nfbsjsspru", vec!["shell"]),
        ("4006381333931", vec!["shell"]),
        ("nf-bsj", vec!["shell"]),
        ("northf", vec!["tee", "socks", "shell", "rain"]),
        ("the jacket for women", vec!["shell"]),
        ("strasse", vec!["boots"]),
        ("STRASSE wald", vec!["boots"]),
        ("lodz", vec!["boots"]),
        ("fur", vec!["boots"]),
        ("cafe\u{301}", vec!["socks"]),
        ("ｗｏｏｌ", vec!["socks", "tent"]),
        ("wool", vec!["socks", "tent"]),
        ("tent", vec!["tent", "socks"]),
        ("ラテ", vec!["latte"]),
        ("耳机", vec!["buds"]),
        ("สีขาว", vec!["shirt"]),
        ("tshirt", vec!["tee"]),
        ("t-shirt", vec!["tee"]),
        ("oeuf", vec!["egg"]),
        ("ipek", vec!["egg"]),
        ("елка", vec!["tree"]),
        ("紅茶", vec![]),
        ("nothing-of-the-kind", vec![]),
        (
            "*",
            vec![
                "tree", "egg", "tee", "shirt", "buds", "latte", "tent", "socks", "boots",
                "jackets", "shell", "rain",
            ],
        ),
    ] {
        let found = search(
            &shopper,
            json!({"query": query, "pagination": {"limit": 50}}),
        )
        .await?;
        assert_eq!(handles(&found), expected, "{query}");
        assert_eq!(
            found.at("/pagination/total_count"),
            expected.len(),
            "{query}"
        );
        assert_eq!(found.at("/pagination/has_next_page"), false, "{query}");
        assert!(found.get("messages").is_none(), "{found:#}");
    }
    for query in ["jaket", "jackett", "jakcet", "rain jaccet"] {
        let found = search(&shopper, json!({"query": query})).await?;
        assert!(handles(&found).contains(&"rain"), "{query}");
        assert_eq!(found.at("/messages/0/code"), "similar_words", "{query}");
    }
    Ok(())
}

pub async fn filters_narrow_a_search_exactly(pair: Pair) -> Result<()> {
    let aisle = shelf(pair).await?;
    samples::import(
        &aisle.admin(),
        "stock",
        "corner",
        "sku,location_code,on_hand\nNF-RJ-1,corner,3\nNF-WS-1,corner,0\nPP-1,corner,2\n",
    )
    .await?;
    let store = aisle
        .database
        .rows("SELECT id FROM location WHERE code = 'corner'")
        .await?;
    let store = store[0][0].clone().unwrap_or_default();
    let shopper = aisle.client(SHOP);
    for (query, filters, expected) in [
        (
            "jacket",
            json!({"price": {"min": 12_900, "max": 19_900}}),
            vec!["shell", "rain"],
        ),
        ("jacket", json!({"price": {"min": 12_901}}), vec!["shell"]),
        ("jacket", json!({"price": {"max": 12_899}}), vec!["jackets"]),
        (
            "",
            json!({"price": {"min": 2_501, "max": 2_900}}),
            vec!["tee", "shirt"],
        ),
        ("", json!({"price": {"min": 2, "max": 1}}), vec![]),
        (
            "",
            json!({"categories": ["Apparel > Jackets", "Books"]}),
            vec!["jackets", "shell", "rain"],
        ),
        (
            "",
            json!({"categories": ["Apparel > Shirts"]}),
            vec!["tee", "shirt"],
        ),
        ("", json!({"categories": ["apparel > shirts"]}), vec![]),
        (
            "jacket",
            json!({"categories": ["Books"], "price": {"max": 2_500}}),
            vec!["jackets"],
        ),
        (
            "jacket",
            json!({"fulfills_to": {"location": store}}),
            vec!["jackets", "rain"],
        ),
        (
            "",
            json!({"fulfills_to": {"location": store}, "price": {"min": 10_000}}),
            vec!["rain"],
        ),
    ] {
        let found = search(&shopper, json!({"query": query, "filters": filters})).await?;
        assert_eq!(handles(&found), expected, "{query} {filters}");
        assert_eq!(
            found.at("/pagination/total_count"),
            expected.len(),
            "{query} {filters}"
        );
    }
    Ok(())
}

/// Pages of every size lead through the same products in the same order, each once.
pub async fn pages_of_a_search_have_no_gaps_and_no_doubles(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let mut csv = String::from("Handle,Title,Body (HTML),Vendor,Variant SKU,Variant Price\n");
    for number in 0..90 {
        let (title, body) = match number % 3 {
            0 => ("Mug", "Clay."),
            1 => ("Muggle book", "Paper."),
            _ => ("Tray", "For a mug."),
        };
        writeln!(
            csv,
            "p{number},{title} {number},{body},Shop,S{number},{}.00",
            number % 10 + 1
        )?;
    }
    samples::import(&aisle.admin(), "products", "corner", csv).await?;
    let shopper = aisle.client(SHOP);
    let by_remainder =
        [0, 1, 2].map(|third| (0..90).rev().filter(move |number| number % 3 == third));
    let order: Vec<i32> = by_remainder.into_iter().flatten().collect();
    let cheap = |number: &i32| (2..=4).contains(&(number % 10 + 1));
    for (filters, expected) in [
        (json!({}), order.clone()),
        (
            json!({"price": {"min": 200, "max": 400}}),
            order.iter().copied().filter(cheap).collect(),
        ),
    ] {
        let expected: Vec<String> = expected.iter().map(|number| format!("p{number}")).collect();
        for limit in [1, 7, 30, 50] {
            let mut seen = Vec::new();
            let mut page = json!({"limit": limit});
            loop {
                let found = search(
                    &shopper,
                    json!({"query": "mug", "filters": filters, "pagination": page}),
                )
                .await?;
                seen.extend(handles(&found).into_iter().map(str::to_owned));
                assert_eq!(found.at("/pagination/total_count"), expected.len());
                if found.at("/pagination/has_next_page") == false {
                    break;
                }
                page["cursor"] = found.at("/pagination/cursor").clone();
            }
            assert_eq!(seen, expected, "{filters} by {limit}");
        }
    }
    Ok(())
}

/// Up to a thousand are counted; all of a brand or of a category are known anyway.
pub async fn a_total_says_how_far_it_was_counted(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let mut csv = String::from("Handle,Title,Product Category,Variant SKU,Variant Price\n");
    for number in 0..1_010 {
        let rare = if number % 101 == 0 { " rare" } else { "" };
        writeln!(csv, "p{number},Thing{rare} {number},Things,S{number},1.00")?;
    }
    samples::import(&aisle.admin(), "products", "corner", csv).await?;
    let shopper = aisle.client(SHOP);
    let found = search(&shopper, json!({"query": "thing"})).await?;
    assert_eq!(found.at("/pagination/has_next_page"), true);
    assert!(
        found.at("/pagination").get("total_count").is_none(),
        "{found:#}"
    );
    assert_eq!(found.at("/messages/0/code"), "total_is_a_minimum");
    assert_eq!(found.at("/messages/0/products"), 1_000);
    for (asked, total) in [
        (json!({"query": "rare thing"}), 10),
        (json!({"query": "*"}), 1_010),
        (json!({"filters": {"categories": ["Things"]}}), 1_010),
        (json!({"filters": {"categories": ["Nothing"]}}), 0),
    ] {
        let found = search(&shopper, asked).await?;
        assert_eq!(found.at("/pagination/total_count"), total);
        assert!(found.get("messages").is_none(), "{found:#}");
    }
    Ok(())
}

pub async fn a_product_is_found_as_it_is_now(pair: Pair) -> Result<()> {
    let aisle = samples::corner_shop(pair).await?;
    let admin = aisle.admin();
    let shopper = aisle.client(SHOP);
    let import = async |title: &str, published: bool, category: &str| {
        let csv = format!(
            "Handle,Title,Published,Product Category,Variant SKU,Variant Price\nmug,{title},{published},{category},M1,5.00\n\
             cup,Cup,true,Cups,C1,4.00\n"
        );
        samples::import(&admin, "products", "corner", csv).await
    };
    let finds = async |query: &str| -> Result<usize> {
        Ok(handles(&search(&shopper, json!({"query": query})).await?).len())
    };
    import("Clay mug", true, "Mugs").await?;
    assert_eq!(
        (
            finds("clay").await?,
            finds("glass").await?,
            finds("*").await?
        ),
        (1, 0, 2)
    );
    assert_eq!(
        categories(&shopper).await?,
        [("Cups".into(), 1), ("Mugs".into(), 1)]
    );
    import("Glass mug", true, "Cups").await?;
    assert_eq!(
        (
            finds("clay").await?,
            finds("glass").await?,
            finds("*").await?
        ),
        (0, 1, 2)
    );
    assert_eq!(categories(&shopper).await?, [("Cups".into(), 2)]);
    import("Glass mug", false, "Cups").await?;
    assert_eq!(
        (finds("mug").await?, finds("M1").await?, finds("*").await?),
        (0, 0, 1)
    );
    assert_eq!(categories(&shopper).await?, [("Cups".into(), 1)]);
    import("Glass mug", true, "Cups").await?;
    let found = search(&shopper, json!({"query": "*"})).await?;
    assert_eq!(handles(&found), ["cup", "mug"], "it kept its place");
    Ok(())
}

/// What another build stored is made findable by the ticker, and then left alone.
pub async fn what_is_not_yet_indexed_is_indexed(pair: Pair) -> Result<()> {
    let aisle = shelf(pair).await?;
    let shopper = aisle.client(SHOP);
    let before = search(&shopper, json!({"query": "jacket"})).await?;
    let counted = categories(&shopper).await?;
    forget_the_index(&aisle.database).await?;
    assert!(handles(&search(&shopper, json!({"query": "jacket"})).await?).is_empty());
    shopper.post("/catalog/housekeeping").expect(401).await?;
    let ticker = aisle.with_key(&aisle.relay_key);
    let run = async || -> Result<Value> {
        Ok(ticker
            .post("/catalog/housekeeping")
            .expect(200)
            .await?
            .json())
    };
    while run().await?.number("/settled") > 0 {}
    let after = search(&shopper, json!({"query": "jacket"})).await?;
    assert_eq!(handles(&after), handles(&before));
    assert_eq!(categories(&shopper).await?, counted);
    Ok(())
}

pub async fn categories_are_listed_with_their_numbers(pair: Pair) -> Result<()> {
    let aisle = shelf(pair).await?;
    let shopper = aisle.client(SHOP);
    let mut listed = Vec::new();
    let mut path = "/catalog/categories?limit=4".to_owned();
    loop {
        let page = shopper.get(&path).expect(200).await?.json();
        listed.extend(page.list("/categories").to_vec());
        if page.at("/pagination/has_next_page") == false {
            break;
        }
        path = format!(
            "/catalog/categories?limit=4&cursor={}",
            page.text("/pagination/cursor")
        );
    }
    let names: Vec<&str> = listed
        .iter()
        .map(|category| category.text("/name"))
        .collect();
    assert_eq!(
        names,
        [
            "Apparel",
            "Apparel > Jackets",
            "Apparel > Shirts",
            "Apparel > Shoes",
            "Apparel > Socks",
            "Audio",
            "Books",
            "Camping",
            "Drinks",
            "Home",
            "Kitchen"
        ]
    );
    assert_eq!(listed[1].number("/products"), 2);
    shopper
        .get("/catalog/categories?limit=0")
        .expect(400)
        .await?;
    shopper
        .get("/catalog/categories?cursor=zz")
        .expect(400)
        .await?;
    shopper.post("/catalog/categories").expect(405).await?;
    Ok(())
}

async fn forget_the_index(database: &Database) -> Result<()> {
    let forget = match database {
        Database::Sqlite(_) => "DELETE FROM search_index WHERE rowid > 0",
        Database::Postgres(_) => "UPDATE search_entry SET tokens = ''",
    };
    for sql in [
        forget,
        "UPDATE search_entry SET tokens_version = 0",
        "DELETE FROM search_category",
        "DELETE FROM category_count",
    ] {
        database.rows(sql).await?;
    }
    Ok(())
}

async fn shelf(pair: Pair) -> Result<Environment> {
    let aisle = samples::corner_shop(pair).await?;
    let report = samples::import(&aisle.admin(), "products", "corner", SHELF).await?;
    assert_eq!(report.at("/created"), 12, "{report:#}");
    Ok(aisle)
}

async fn categories(shopper: &Client) -> Result<Vec<(String, i64)>> {
    let list = shopper
        .get("/catalog/categories?limit=50")
        .expect(200)
        .await?
        .json();
    let of = |category: &Value| {
        (
            category.text("/name").to_owned(),
            category.number("/products"),
        )
    };
    Ok(list.list("/categories").iter().map(of).collect())
}

async fn search(shopper: &Client, request: Value) -> Result<Value> {
    Ok(shopper
        .post("/catalog/search")
        .json(&request)
        .expect(200)
        .await?
        .json())
}

fn handles(found: &Value) -> Vec<&str> {
    found
        .list("/products")
        .iter()
        .map(|product| product.text("/handle"))
        .collect()
}
