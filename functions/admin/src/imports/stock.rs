//! Counts into the stock ledger.

use std::collections::{HashMap, HashSet};

use aisle_domain::import::stock::{Count, Item};
use aisle_domain::import::update::unknown;
use aisle_domain::import::{Finding, Report};
use aisle_http::Error;
use aisle_store::stock::{self, Counted, Document};
use aisle_store::values;
use aisle_ucp::admin::Tally;

use super::Run;
use super::feed::Target;

/// Why the balances move, in the ledger.
const REASON: &str = "count";

/// Names that are remembered before they are forgotten: more than a brand has locations.
const MAX_NAMED: usize = 10_000;

pub struct Stock<'a> {
    run: &'a Run<'a>,
    tally: Tally,
    /// What was found of locations that files call by name.
    named: HashMap<String, Named>,
}

/// The location of a name.
#[derive(Clone)]
enum Named {
    Nowhere,
    Id(String),
    Several,
}

impl<'a> Stock<'a> {
    pub fn new(run: &'a Run<'a>) -> Self {
        Self {
            run,
            tally: Tally::default(),
            named: HashMap::new(),
        }
    }

    /// Looks for locations that are no codes by their names: no call but for names that are
    /// new in the file, since it goes through all of the brand's locations.
    async fn read_names(&mut self, counts: &[Count], known: &mut Known) -> Result<(), Error> {
        if self.named.len() > MAX_NAMED {
            self.named.clear();
        }
        let unknown = counts.iter().map(|count| count.location.as_str());
        let unknown: HashSet<&str> = unknown
            .filter(|name| !known.location_ids.contains_key(*name))
            .collect();
        let new: Vec<&str> = (unknown.iter().copied())
            .filter(|name| !self.named.contains_key(*name))
            .collect();
        if !new.is_empty() {
            let dialect = self.run.db.dialect();
            let name = dialect.pick("l.doc ->> 'name'", "l.doc::jsonb ->> 'name'");
            let sql = format!(
                "SELECT l.id, {name} AS name FROM brand_location bl JOIN location l ON l.id = bl.location_id \
                 WHERE bl.brand_id = ?1 AND {name} {}",
                dialect.among("?2"),
            );
            let rows = self
                .run
                .db
                .query(sql, values![&self.run.brand.id, distinct(new.clone())])
                .await?;
            self.named.extend(
                new.into_iter()
                    .map(|name| (name.to_owned(), Named::Nowhere)),
            );
            for row in rows {
                let (name, id) = (row.text("name")?, row.text("id")?);
                let named = match self.named.get(&name) {
                    None | Some(Named::Nowhere) => Named::Id(id),
                    Some(_) => Named::Several,
                };
                self.named.insert(name, named);
            }
        }
        for name in unknown {
            match self.named.get(name) {
                Some(Named::Id(id)) => drop(known.location_ids.insert(name.to_owned(), id.clone())),
                Some(Named::Several) => {
                    known.ambiguous.insert(name.to_owned());
                }
                Some(Named::Nowhere) | None => {}
            }
        }
        Ok(())
    }

    fn judge(&mut self, counted: Counted, line: u64, report: &mut Report) {
        match counted {
            Counted::Created => self.tally.created += 1,
            Counted::Updated => self.tally.updated += 1,
            Counted::Unchanged => self.tally.unchanged += 1,
            Counted::BelowReserved { reserved } => {
                let reason = format!("below the {reserved} that open orders hold");
                report.refuse(Finding::new(line, "on_hand", reason));
            }
        }
    }
}

impl Target for Stock<'_> {
    type Item = Count;

    const BATCH_WEIGHT: usize = 1_000;

    fn weight(_: &Count) -> usize {
        1
    }

    async fn write(&mut self, counts: Vec<Count>, report: &mut Report) -> Result<(), Error> {
        let mut known = Known::read(self.run, &counts).await?;
        self.read_names(&counts, &mut known).await?;
        let (lines, counts) = known.resolve(counts, report);
        if counts.is_empty() {
            return Ok(());
        }
        let document = Document {
            kind: "import",
            id: &self.run.id,
        };
        let (db, brand_id) = (self.run.db, &self.run.brand.id);
        let counted = match self.run.dry_run {
            true => stock::preview_on_hand(db, brand_id, &counts).await?,
            false => stock::set_on_hand(db, brand_id, REASON, document, &counts).await?,
        };
        for (counted, line) in counted.into_iter().zip(lines) {
            self.judge(counted, line, report);
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// What the rows of a batch name: SKUs by SKU and GTIN, location ids by code.
#[derive(Default)]
struct Known {
    skus: HashMap<Item, String>,
    location_ids: HashMap<String, String>,
    /// Names that several locations have.
    ambiguous: HashSet<String>,
}

impl Known {
    async fn read(run: &Run<'_>, counts: &[Count]) -> Result<Self, Error> {
        let (mut skus, mut gtins) = (Vec::new(), Vec::new());
        for count in counts {
            match &count.item {
                Item::Gtin(gtin) => gtins.push(gtin.as_str()),
                item => skus.extend(item.skus().iter().map(String::as_str)),
            }
        }
        let codes = counts.iter().map(|count| count.location.as_str()).collect();
        let dialect = run.db.dialect();
        let sql = format!(
            "SELECT 'sku' AS kind, sku AS name, sku AS found FROM variant WHERE brand_id = ?1 AND sku {} \
             UNION ALL SELECT 'gtin', gtin, sku FROM variant WHERE brand_id = ?1 AND gtin {} \
             UNION ALL SELECT 'location', l.code, l.id FROM location l \
             JOIN brand_location bl ON bl.location_id = l.id AND bl.brand_id = ?1 WHERE l.code {}",
            dialect.among("?2"),
            dialect.among("?3"),
            dialect.among("?4"),
        );
        let rows = run
            .db
            .query(
                sql,
                values![
                    &run.brand.id,
                    distinct(skus),
                    distinct(gtins),
                    distinct(codes)
                ],
            )
            .await?;
        let mut known = Self::default();
        for row in rows {
            let (name, found) = (row.text("name")?, row.text("found")?);
            match row.text("kind")?.as_str() {
                "sku" => drop(known.skus.insert(Item::Sku(name), found)),
                "gtin" => drop(known.skus.insert(Item::Gtin(name), found)),
                _ => drop(known.location_ids.insert(name, found)),
            }
        }
        Ok(known)
    }

    /// The counts with SKU and location id, each pair once, and the line of each. A later
    /// row for the same pair was counted later: it replaces the one before.
    fn resolve(&self, counts: Vec<Count>, report: &mut Report) -> (Vec<u64>, Vec<stock::Count>) {
        let mut latest: HashMap<(String, String), usize> = HashMap::new();
        let mut resolved: Vec<Option<(u64, stock::Count)>> = Vec::new();
        for count in counts {
            match self.find(&count) {
                Ok((sku, location_id)) => {
                    let earlier = latest.insert((sku.clone(), location_id.clone()), resolved.len());
                    if let Some((line, _)) = earlier.and_then(|at| resolved.get_mut(at)?.take()) {
                        report.warn(Finding::new(
                            line,
                            "",
                            format!("replaced by the count on line {}", count.line),
                        ));
                    }
                    let Count {
                        line,
                        on_hand,
                        safety,
                        ..
                    } = count;
                    resolved.push(Some((
                        line,
                        stock::Count {
                            sku,
                            location_id,
                            on_hand,
                            safety,
                        },
                    )));
                }
                Err(finding) => report.refuse(finding),
            }
        }
        resolved.into_iter().flatten().unzip()
    }

    fn find(&self, count: &Count) -> Result<(String, String), Finding> {
        let fault = |column, reason: String| Finding::new(count.line, column, reason);
        let sku = match &count.item {
            Item::OneOf(skus) => {
                let mut found = skus
                    .iter()
                    .filter_map(|sku| self.skus.get(&Item::Sku(sku.clone())));
                found.next()
            }
            item => self.skus.get(item),
        };
        let sku = sku.ok_or_else(|| match &count.item {
            Item::Gtin(gtin) => fault("gtin", format!("the brand has no variant with GTIN {gtin}")),
            item => fault(
                "sku",
                unknown(item.skus().last().map_or("", String::as_str)),
            ),
        })?;
        let location = &count.location;
        let location_id = self.location_ids.get(location).ok_or_else(|| {
            let reason = match self.ambiguous.contains(location) {
                true => format!("several locations are called {location}; say the code of one"),
                false => format!("the brand does not trade at a location {location}"),
            };
            fault("location_code", reason)
        })?;
        Ok((sku.clone(), location_id.clone()))
    }
}

/// As a JSON array, each name once.
fn distinct(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    names.dedup();
    serde_json::Value::from(names).to_string()
}
