//! What somebody looks for, as streams of tokens.

use serde::{Deserialize, Serialize};

use super::words::{Group, groups, is_letter, joined, stem};
use super::{BEGINNINGS, Kind, Mint, forgiving, price};
use crate::gtin::Gtin;

/// Words of a question beyond this many are not looked at.
const MAX_WORDS: usize = 12;

/// Left out of a question unless it has nothing else: a title need not have them.
const STOP_WORDS: [&str; 44] = [
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or",
    "the", "to", "with", "aus", "das", "dem", "den", "der", "die", "ein", "eine", "fur", "mit",
    "und", "von", "zu", "con", "de", "del", "el", "en", "la", "las", "los", "para", "por", "un",
    "una", "y",
];

/// Which products of a brand are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Question<'a> {
    /// Words; absent: any product.
    pub text: Option<&'a str>,
    /// In any of these; empty: in any at all.
    pub categories: &'a [String],
    /// Lowest and highest price, inclusive, in minor units.
    pub price_minor: Option<(i64, i64)>,
}

/// How well a product answers a question. Lower is better; of one tier the latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// It is the title, a SKU, a GTIN or the handle.
    Exact = 1,
    /// All words are in the title.
    Title = 2,
    /// All words are in the title, or begin one of its words.
    TitleBeginnings = 3,
    /// All words are somewhere, or begin a word of vendor, type, tags or variants.
    Anywhere = 4,
    /// Words of the title are like these but for a letter.
    Similar = 5,
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> Self {
        tier as Self
    }
}

impl TryFrom<u8> for Tier {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        use Tier::{Anywhere, Exact, Similar, Title, TitleBeginnings};
        [Exact, Title, TitleBeginnings, Anywhere, Similar]
            .into_iter()
            .find(|tier| u8::from(*tier) == number)
            .ok_or("no tier")
    }
}

/// All of several, of each of which any token will do.
pub type Terms = Vec<Vec<String>>;

/// The products of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    pub tier: Tier,
    /// What they have; at least one.
    pub all: Terms,
    /// What they have not, since an earlier stream has those that do.
    pub none: Vec<Terms>,
}

impl Question<'_> {
    /// The streams that answer the question, the best first; a product is in one at most.
    /// None when the text has no words, or no price can be in the range: nothing fits.
    pub fn streams(&self, brand_id: &str) -> Vec<Stream> {
        let mint = Mint::new(brand_id);
        let Some(filters) = self.filters(&mint) else {
            return Vec::new();
        };
        let Some(text) = self.text else {
            let mut all = filters;
            // Any filter implies it.
            if all.is_empty() {
                all.push(vec![mint.all()]);
            }
            return vec![Stream {
                tier: Tier::Anywhere,
                all,
                none: Vec::new(),
            }];
        };
        let words = words(text);
        if words.is_empty() {
            return Vec::new();
        }
        let by = |kinds: &[Kind]| -> Terms {
            words.iter().map(|word| word.tokens(&mint, kinds)).collect()
        };
        let tiers = [
            (Tier::Exact, vec![exact(&mint, text)]),
            (Tier::Title, by(&[Kind::Title])),
            (
                Tier::TitleBeginnings,
                by(&[Kind::Title, Kind::TitleBeginning]),
            ),
            (
                Tier::Anywhere,
                by(&[
                    Kind::Title,
                    Kind::TitleBeginning,
                    Kind::Word,
                    Kind::Beginning,
                ]),
            ),
        ];
        let mut streams: Vec<Stream> = Vec::new();
        for (tier, terms) in tiers {
            // Whatever has all words in the title has them there as words or beginnings.
            let none = streams.iter().map(|earlier| earlier.all.clone());
            let none: Vec<Terms> = match tier {
                Tier::Exact => Vec::new(),
                Tier::Title => none.take(1).collect(),
                _ => none
                    .enumerate()
                    .filter(|(at, _)| *at == 0 || *at + 1 == streams.len())
                    .map(|(_, terms)| terms)
                    .collect(),
            };
            streams.push(Stream {
                tier,
                all: terms,
                none,
            });
        }
        for stream in &mut streams {
            stream.all.extend(filters.iter().cloned());
        }
        streams
    }

    /// What to ask when nothing fits: words of the title with one letter wrong, missing, too
    /// many, or two of them swapped. `None` when no word is long enough for that.
    pub fn similar(&self, brand_id: &str) -> Option<Stream> {
        let mint = Mint::new(brand_id);
        let words = words(self.text?);
        if !words.iter().any(Wanted::is_forgiven) {
            return None;
        }
        let mut all: Terms = words.iter().map(|word| word.similar(&mint)).collect();
        all.extend(self.filters(&mint)?);
        Some(Stream {
            tier: Tier::Similar,
            all,
            none: Vec::new(),
        })
    }

    /// `None` when no product can pass.
    fn filters(&self, mint: &Mint) -> Option<Terms> {
        let mut filters = Terms::new();
        if !self.categories.is_empty() {
            filters.push(
                self.categories
                    .iter()
                    .map(|category| mint.category(category))
                    .collect(),
            );
        }
        if let Some((min_minor, max_minor)) = self.price_minor {
            let cover = price::cover(min_minor, max_minor);
            if cover.is_empty() {
                return None;
            }
            filters.push(cover.into_iter().map(|bucket| mint.price(bucket)).collect());
        }
        Some(filters)
    }
}

fn exact(mint: &Mint, text: &str) -> Vec<String> {
    let gtin = Gtin::parse(text.trim()).ok();
    let gtin = gtin.and_then(|gtin| mint.exact(gtin.as_str()));
    mint.exact(text).into_iter().chain(gtin).collect()
}

/// A word that is looked for, folded.
enum Wanted {
    Word(String),
    Gram(String),
}

impl Wanted {
    fn tokens(&self, mint: &Mint, kinds: &[Kind]) -> Vec<String> {
        let token = |kind: &Kind| match (self, kind) {
            (Self::Gram(_), Kind::TitleBeginning | Kind::Beginning) => None,
            (Self::Gram(gram), kind) => Some(mint.token(*kind, gram)),
            (Self::Word(word), Kind::TitleBeginning | Kind::Beginning) => {
                let beginning: String = word.chars().take(*BEGINNINGS.end()).collect();
                let is_indexed = beginning.chars().count() >= *BEGINNINGS.start();
                is_indexed.then(|| mint.token(*kind, &beginning))
            }
            (Self::Word(word), kind) => Some(mint.token(*kind, &stem(word))),
        };
        kinds.iter().filter_map(token).collect()
    }

    fn is_forgiven(&self) -> bool {
        matches!(self, Self::Word(word) if !forgiving(word).is_empty())
    }

    fn similar(&self, mint: &Mint) -> Vec<String> {
        let mut tokens = self.tokens(
            mint,
            &[
                Kind::Title,
                Kind::TitleBeginning,
                Kind::Word,
                Kind::Beginning,
            ],
        );
        if let Self::Word(word) = self {
            tokens.extend(
                forgiving(word)
                    .iter()
                    .map(|form| mint.token(Kind::Similar, form)),
            );
        }
        tokens
    }
}

/// The words to look for. Connected words count one by one, but as one where one of them is
/// a single letter: `t-shirt` is what `Tshirt` is, and not `t` somewhere and `shirt` elsewhere.
fn words(text: &str) -> Vec<Wanted> {
    let groups = groups(text);
    let is_telling = |group: &Group| match group {
        Group::Words(words) => !matches!(&words[..], [word] if STOP_WORDS.contains(&word.as_str())),
        Group::Unspaced(_) => true,
    };
    let all_stop = !groups.iter().any(is_telling);
    let wanted = groups.iter().filter(|group| all_stop || is_telling(group));
    let wanted = wanted.flat_map(|group| match group {
        Group::Words(words) if words.len() > 1 && words.iter().any(|word| is_letter(word)) => {
            vec![Wanted::Word(joined(words))]
        }
        Group::Words(words) => words.iter().cloned().map(Wanted::Word).collect(),
        Group::Unspaced(run) if run.len() == 1 => vec![Wanted::Gram(run.iter().collect())],
        Group::Unspaced(run) => run
            .windows(2)
            .map(|pair| Wanted::Gram(pair.iter().collect()))
            .collect(),
    });
    wanted.take(MAX_WORDS).collect()
}
