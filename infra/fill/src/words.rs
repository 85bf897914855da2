//! What shops call things: a small vocabulary that combines to titles and texts, and made-up
//! names without end. A few words are everywhere, most are seldom.

use crate::chance::Chance;

/// What is sold, with its department, how it is offered, and the middle of its prices.
pub struct Sort {
    pub noun: &'static str,
    /// In the retailer's taxonomy.
    pub department: &'static str,
    pub choices: Choices,
    /// The median price, in minor units.
    pub price_minor: i64,
    /// Of one piece, in grams.
    pub weight_g: i64,
}

/// What a shopper chooses among, three of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choices {
    Sizes,
    Colours,
    Editions,
}

const fn sort(
    noun: &'static str,
    department: &'static str,
    choices: Choices,
    price_minor: i64,
    weight_g: i64,
) -> Sort {
    Sort {
        noun,
        department,
        choices,
        price_minor,
        weight_g,
    }
}

use Choices::{Colours, Editions, Sizes};

/// The most sold first.
pub const SORTS: [Sort; 60] = [
    sort("Shirt", "Apparel > Clothing > Shirts", Sizes, 3_900, 220),
    sort(
        "Jacket",
        "Apparel > Clothing > Outerwear > Jackets",
        Sizes,
        14_900,
        780,
    ),
    sort("Mug", "Home > Kitchen > Tableware", Colours, 1_490, 340),
    sort(
        "Trousers",
        "Apparel > Clothing > Trousers",
        Sizes,
        6_900,
        460,
    ),
    sort("Lamp", "Home > Lighting", Colours, 7_900, 1_900),
    sort("Notebook", "Office > Paper", Colours, 1_290, 280),
    sort(
        "Backpack",
        "Outdoor > Bags > Backpacks",
        Colours,
        8_900,
        950,
    ),
    sort(
        "Sweater",
        "Apparel > Clothing > Knitwear",
        Sizes,
        7_900,
        510,
    ),
    sort("Socks", "Apparel > Clothing > Socks", Sizes, 1_290, 70),
    sort("Novel", "Media > Books > Fiction", Editions, 1_690, 420),
    sort(
        "Chair",
        "Home > Furniture > Seating",
        Colours,
        18_900,
        6_500,
    ),
    sort("Boots", "Apparel > Shoes > Boots", Sizes, 16_900, 1_300),
    sort(
        "Blanket",
        "Home > Textiles > Blankets",
        Colours,
        5_900,
        1_100,
    ),
    sort("Bottle", "Outdoor > Cooking > Bottles", Colours, 2_490, 310),
    sort(
        "Scarf",
        "Apparel > Accessories > Scarves",
        Colours,
        3_490,
        160,
    ),
    sort("Tent", "Outdoor > Camping > Tents", Colours, 32_900, 3_400),
    sort("Pan", "Home > Kitchen > Cookware", Sizes, 5_490, 1_400),
    sort("Hat", "Apparel > Accessories > Hats", Sizes, 2_990, 110),
    sort("Knife", "Home > Kitchen > Knives", Sizes, 6_490, 210),
    sort("Cookbook", "Media > Books > Cooking", Editions, 2_990, 980),
    sort(
        "Gloves",
        "Apparel > Accessories > Gloves",
        Sizes,
        3_490,
        120,
    ),
    sort("Dress", "Apparel > Clothing > Dresses", Sizes, 8_900, 340),
    sort("Sneakers", "Apparel > Shoes > Sneakers", Sizes, 9_900, 820),
    sort("Cushion", "Home > Textiles > Cushions", Colours, 2_990, 520),
    sort("Headphones", "Electronics > Audio", Colours, 12_900, 260),
    sort("Towel", "Home > Textiles > Towels", Colours, 1_990, 450),
    sort("Pen", "Office > Writing", Colours, 990, 30),
    sort(
        "Sleeping Bag",
        "Outdoor > Camping > Sleeping Bags",
        Sizes,
        17_900,
        1_150,
    ),
    sort("Vase", "Home > Decoration", Colours, 3_990, 900),
    sort(
        "Watch",
        "Apparel > Accessories > Watches",
        Colours,
        15_900,
        90,
    ),
    sort("Bowl", "Home > Kitchen > Tableware", Colours, 1_890, 420),
    sort("Shorts", "Apparel > Clothing > Shorts", Sizes, 4_490, 240),
    sort("Speaker", "Electronics > Audio", Colours, 9_900, 780),
    sort("Rug", "Home > Textiles > Rugs", Sizes, 14_900, 4_800),
    sort("Belt", "Apparel > Accessories > Belts", Sizes, 3_990, 190),
    sort("Teapot", "Home > Kitchen > Tea", Colours, 4_490, 860),
    sort("Puzzle", "Toys > Puzzles", Editions, 1_990, 640),
    sort("Skirt", "Apparel > Clothing > Skirts", Sizes, 5_490, 290),
    sort(
        "Shelf",
        "Home > Furniture > Storage",
        Colours,
        12_900,
        9_500,
    ),
    sort("Torch", "Outdoor > Lighting", Colours, 3_490, 150),
    sort(
        "Wallet",
        "Apparel > Accessories > Wallets",
        Colours,
        4_990,
        80,
    ),
    sort(
        "Coat",
        "Apparel > Clothing > Outerwear > Coats",
        Sizes,
        21_900,
        1_350,
    ),
    sort("Candle", "Home > Decoration", Colours, 1_690, 380),
    sort("Board Game", "Toys > Games", Editions, 3_490, 1_200),
    sort("Stove", "Outdoor > Cooking > Stoves", Editions, 6_990, 420),
    sort("Curtain", "Home > Textiles > Curtains", Sizes, 4_990, 900),
    sort("Guidebook", "Media > Books > Travel", Editions, 1_990, 390),
    sort("Keyboard", "Electronics > Computers", Editions, 8_900, 810),
    sort("Cap", "Apparel > Accessories > Hats", Colours, 2_490, 90),
    sort("Basket", "Home > Storage", Sizes, 2_790, 610),
    sort(
        "Pyjamas",
        "Apparel > Clothing > Nightwear",
        Sizes,
        4_990,
        330,
    ),
    sort(
        "Table",
        "Home > Furniture > Tables",
        Colours,
        34_900,
        21_000,
    ),
    sort(
        "Hammock",
        "Outdoor > Camping > Hammocks",
        Colours,
        5_990,
        690,
    ),
    sort(
        "Umbrella",
        "Apparel > Accessories > Umbrellas",
        Colours,
        3_290,
        410,
    ),
    sort("Calendar", "Office > Paper", Editions, 1_590, 360),
    sort("Grinder", "Home > Kitchen > Coffee", Colours, 5_990, 740),
    sort("Harness", "Outdoor > Climbing", Sizes, 6_490, 380),
    sort("Clock", "Home > Decoration", Colours, 4_490, 560),
    sort("Rope", "Outdoor > Climbing", Sizes, 15_900, 3_900),
    sort("Kite", "Toys > Outdoor", Colours, 2_990, 310),
];

const ADJECTIVES: [&str; 48] = [
    "Classic",
    "Light",
    "Warm",
    "Soft",
    "Everyday",
    "Slim",
    "Recycled",
    "Waterproof",
    "Organic",
    "Vintage",
    "Compact",
    "Heavy",
    "Quilted",
    "Striped",
    "Foldable",
    "Insulated",
    "Handmade",
    "Breathable",
    "Relaxed",
    "Urban",
    "Winter",
    "Summer",
    "Travel",
    "Padded",
    "Brushed",
    "Ribbed",
    "Checked",
    "Cropped",
    "Oversized",
    "Woven",
    "Printed",
    "Washed",
    "Polished",
    "Stackable",
    "Seamless",
    "Reversible",
    "Windproof",
    "Embroidered",
    "Pleated",
    "Hooded",
    "Marbled",
    "Glazed",
    "Tapered",
    "Felted",
    "Packable",
    "Crinkled",
    "Enamelled",
    "Burnished",
];

const MATERIALS: [&str; 32] = [
    "Cotton",
    "Wool",
    "Linen",
    "Leather",
    "Steel",
    "Oak",
    "Denim",
    "Merino",
    "Ceramic",
    "Down",
    "Canvas",
    "Cork",
    "Bamboo",
    "Silk",
    "Fleece",
    "Glass",
    "Cashmere",
    "Jersey",
    "Walnut",
    "Brass",
    "Suede",
    "Hemp",
    "Titanium",
    "Porcelain",
    "Flannel",
    "Corduroy",
    "Velvet",
    "Stoneware",
    "Aluminium",
    "Alpaca",
    "Rattan",
    "Tweed",
];

pub const COLOURS: [&str; 20] = [
    "Black", "White", "Navy", "Grey", "Green", "Sand", "Red", "Blue", "Rust", "Olive", "Cream",
    "Charcoal", "Teal", "Mustard", "Plum", "Sky", "Moss", "Coral", "Slate", "Indigo",
];

pub const SIZES: [&str; 3] = ["S", "M", "L"];
pub const EDITIONS: [&str; 3] = ["Standard", "Large", "Collector"];

const OPENINGS: [&str; 10] = [
    "Made for days that begin early and end late",
    "A favourite since it was first shown",
    "Cut to be worn for years rather than a season",
    "Small enough to carry, good enough to keep",
    "What we reach for when the weather turns",
    "Built by people who use it themselves",
    "Simple on purpose",
    "Designed in the north and tested further up",
    "The one that everybody borrows",
    "Quiet, useful and easy to repair",
];

const PARTS: [&str; 24] = [
    "seams",
    "lining",
    "handle",
    "base",
    "pockets",
    "collar",
    "finish",
    "edges",
    "zip",
    "buttons",
    "stitching",
    "surface",
    "rim",
    "cuffs",
    "straps",
    "hem",
    "weave",
    "buckle",
    "lid",
    "frame",
    "grain",
    "hinges",
    "ferrule",
    "gusset",
];

const VERBS: [&str; 16] = [
    "keeps",
    "dries",
    "holds",
    "lasts",
    "folds",
    "breathes",
    "stays",
    "softens",
    "carries",
    "shines",
    "stretches",
    "packs",
    "ages",
    "insulates",
    "glows",
    "unrolls",
];

const MANNERS: [&str; 16] = [
    "well",
    "quickly",
    "for years",
    "in the rain",
    "without fuss",
    "at home",
    "on the road",
    "in any season",
    "by hand",
    "at 30 degrees",
    "flat",
    "in its own bag",
    "beautifully",
    "overnight",
    "in the cold",
    "after every wash",
];

const ONSETS: [&str; 20] = [
    "b", "k", "l", "m", "n", "r", "s", "t", "v", "d", "f", "g", "h", "br", "st", "kr", "fl", "sk",
    "tr", "gl",
];
const NUCLEI: [&str; 10] = ["a", "e", "i", "o", "u", "ai", "or", "en", "al", "in"];
const ENDINGS: [&str; 10] = ["", "n", "r", "s", "l", "nd", "m", "t", "lt", "rk"];

/// A made-up word; each number has its own, the longer the higher.
pub fn made_up(number: u64) -> String {
    let mut left = number;
    let mut word = String::new();
    loop {
        word += ONSETS[(left % 20) as usize];
        word += NUCLEI[(left / 20 % 10) as usize];
        left /= 200;
        if left == 0 {
            break;
        }
        left -= 1;
    }
    word += ENDINGS[(number % 7) as usize];
    word
}

/// Such as `Brenna Warm Wool Jacket`.
pub fn title(chance: &mut Chance, line: &str, sort: &Sort) -> String {
    let mut words = vec![capitalised(line)];
    if chance.happens(80) {
        words.push((*chance.pick_ranked(&ADJECTIVES)).to_owned());
    }
    if chance.happens(60) {
        words.push((*chance.pick_ranked(&MATERIALS)).to_owned());
    }
    words.push(sort.noun.to_owned());
    words.join(" ")
}

/// A description as safe HTML: a paragraph of some sentences and a list.
pub fn body_html(chance: &mut Chance, title: &str, sort: &Sort) -> String {
    let mut html = format!("<p>{}. ", chance.pick_ranked(&OPENINGS));
    for _ in 0..2 + chance.below(3) {
        let (part, other) = (chance.pick_ranked(&PARTS), chance.pick_ranked(&MATERIALS));
        let (verb, manner) = (chance.pick_ranked(&VERBS), chance.pick_ranked(&MANNERS));
        html += &format!("The {} {part} {verb} {manner}. ", other.to_lowercase());
    }
    // What nobody else writes: names of places, mills and designers.
    let named = capitalised(&made_up(chance.ranked(4_000_000)));
    html += &format!("{title} comes from our workshop in {named}.</p><ul>");
    for _ in 0..2 {
        let (adjective, part) = (chance.pick_ranked(&ADJECTIVES), chance.pick_ranked(&PARTS));
        html += &format!("<li>{adjective} {part}</li>");
    }
    html += &format!("<li>{} g</li></ul>", sort.weight_g);
    html
}

/// Words of a product beside its title that somebody may search by, two at least.
pub fn tags(chance: &mut Chance) -> Vec<String> {
    let mut tags = vec![
        chance.pick_ranked(&ADJECTIVES).to_lowercase(),
        chance.pick_ranked(&MATERIALS).to_lowercase(),
    ];
    if chance.happens(30) {
        tags.push(made_up(chance.ranked(100_000)));
    }
    tags
}

pub fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

const FIRST_NAMES: [&str; 24] = [
    "Ada", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara",
    "Leon", "Mia", "Noah", "Olga", "Paul", "Rosa", "Simon", "Tilda", "Uwe", "Vera", "Willi",
    "Yara", "Zoe",
];

const LAST_NAMES: [&str; 24] = [
    "Berg", "Blum", "Brandt", "Decker", "Engel", "Falk", "Frank", "Graf", "Hahn", "Huber", "Jung",
    "Keller", "Koch", "Lang", "Lorenz", "Maier", "Neumann", "Otto", "Peters", "Richter", "Sommer",
    "Stein", "Vogel", "Winter",
];

const STREETS: [&str; 16] = [
    "Station Road",
    "High Street",
    "Market Place",
    "Church Lane",
    "Mill Street",
    "Park Avenue",
    "Harbour Street",
    "School Road",
    "Castle Street",
    "Garden Lane",
    "Bridge Street",
    "Linden Way",
    "North Street",
    "Forest Road",
    "Canal Street",
    "Hill Road",
];

/// The first and last name of somebody.
pub fn name(chance: &mut Chance) -> (&'static str, &'static str) {
    (
        *chance.pick_ranked(&FIRST_NAMES),
        *chance.pick_ranked(&LAST_NAMES),
    )
}

pub fn street_address(chance: &mut Chance) -> String {
    format!("{} {}", chance.pick(&STREETS), 1 + chance.below(180))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn made_up_words_are_plain_and_mostly_differ() {
        let words: HashSet<String> = (0..10_000).map(made_up).collect();
        assert!(words.len() > 9_000, "{}", words.len());
        for word in words {
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }
}
