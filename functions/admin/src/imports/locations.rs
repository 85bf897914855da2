//! Locations of a file into the database.

use std::collections::{HashMap, HashSet};

use aisle_domain::import::location::{LocationDraft, fingerprint_of};
use aisle_domain::import::{Finding, Report};
use aisle_domain::location::Location;
use aisle_http::Error;
use aisle_store::outbox::{self, Event};
use aisle_store::{Batch, BatchError, StoreError, new_id, values};
use aisle_ucp::admin::Tally;

use super::Run;
use super::feed::{self, Target};
use crate::locations::{insert, update};

pub struct Locations<'a> {
    run: &'a Run<'a>,
    tally: Tally,
}

impl<'a> Locations<'a> {
    pub fn new(run: &'a Run<'a>) -> Self {
        Self {
            run,
            tally: Tally::default(),
        }
    }

    async fn save(&mut self, changes: &[Change], report: &mut Report) -> Result<(), Error> {
        let saved = feed::save(changes, async |changes: &[Change]| {
            self.commit(changes).await
        })
        .await?;
        for (change, saved) in changes.iter().zip(saved) {
            match change.before {
                _ if !saved => report.refuse(Finding::new(change.line, "code", feed::NOT_SAVED)),
                Before::Absent => self.tally.created += 1,
                Before::Version(_) | Before::Same => self.tally.updated += 1,
            }
        }
        Ok(())
    }

    async fn commit(&self, changes: &[Change]) -> Result<(), BatchError> {
        if self.run.dry_run {
            return Ok(());
        }
        let mut batch = Batch::new();
        for change in changes {
            self.add(&mut batch, change)
                .map_err(|_| StoreError::Bug("a location is no JSON".into()))?;
        }
        batch.commit(self.run.db).await.map(|_| ())
    }

    fn add(&self, batch: &mut Batch, change: &Change) -> Result<(), Error> {
        let brand_id = &self.run.brand.id;
        match change.before {
            Before::Absent => insert(batch, &change.location)?,
            Before::Version(version) => update(batch, &change.location, version)?,
            Before::Same => {}
        }
        let id = &change.location.id;
        batch.add(
            "INSERT INTO brand_location (brand_id, location_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            values![brand_id, id],
        );
        for told in change
            .brand_ids
            .iter()
            .chain([brand_id])
            .collect::<HashSet<_>>()
        {
            outbox::event(batch, &Event::new(told, "location.changed", id));
        }
        Ok(())
    }
}

impl Target for Locations<'_> {
    type Item = LocationDraft;

    const BATCH_WEIGHT: usize = 50;

    fn weight(_: &LocationDraft) -> usize {
        1
    }

    async fn write(
        &mut self,
        drafts: Vec<LocationDraft>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let known = read(self.run, &drafts).await?;
        let mut changes = Vec::new();
        for draft in drafts {
            match judge(self.run, draft, &known) {
                Ok(Some(change)) => changes.push(change),
                Ok(None) => self.tally.unchanged += 1,
                Err(finding) => report.refuse(finding),
            }
        }
        self.save(&changes, report).await
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// A location that is not yet as the file says.
struct Change {
    line: u64,
    location: Location,
    before: Before,
    /// The brands that trade there already.
    brand_ids: Vec<String>,
}

enum Before {
    Absent,
    /// Another document, of this version.
    Version(i64),
    /// The same document, but the brand does not trade there yet.
    Same,
}

#[derive(Default)]
struct Stored {
    id: String,
    version: i64,
    fingerprint: String,
    brand_ids: Vec<String>,
}

/// The stored locations with the drafts' codes: one call.
async fn read(run: &Run<'_>, drafts: &[LocationDraft]) -> Result<HashMap<String, Stored>, Error> {
    let codes: Vec<&str> = drafts
        .iter()
        .map(|draft| draft.location.code.as_str())
        .collect();
    let sql = format!(
        "SELECT l.id, l.code, l.version, l.fingerprint, bl.brand_id FROM location l \
         LEFT JOIN brand_location bl ON bl.location_id = l.id WHERE l.code {}",
        run.db.dialect().among("?1"),
    );
    let rows = run
        .db
        .query(sql, values![serde_json::Value::from(codes).to_string()])
        .await?;
    let mut known = HashMap::<String, Stored>::new();
    for row in rows {
        let stored = known.entry(row.text("code")?).or_default();
        stored.id = row.text("id")?;
        stored.version = row.int("version")?;
        stored.fingerprint = row.text("fingerprint")?;
        stored.brand_ids.extend(row.text_opt("brand_id")?);
    }
    Ok(known)
}

/// What is to be written for the draft; `None` when nothing.
fn judge(
    run: &Run<'_>,
    draft: LocationDraft,
    known: &HashMap<String, Stored>,
) -> Result<Option<Change>, Finding> {
    let LocationDraft { line, location } = draft;
    let Some(stored) = known.get(&location.code) else {
        let location = Location {
            id: new_id(),
            ..location
        };
        return Ok(Some(Change {
            line,
            location,
            before: Before::Absent,
            brand_ids: Vec::new(),
        }));
    };
    let same = stored.fingerprint == fingerprint_of(&location);
    let trades = stored.brand_ids.contains(&run.brand.id);
    if same && trades {
        return Ok(None);
    }
    // A location that brands share is the organisation's to change.
    if stored
        .brand_ids
        .iter()
        .any(|brand_id| run.key.for_brand(brand_id).is_err())
    {
        return Err(Finding::new(
            line,
            "code",
            "another brand trades there too; this needs a key of the organisation",
        ));
    }
    let before = if same {
        Before::Same
    } else {
        Before::Version(stored.version)
    };
    let location = Location {
        id: stored.id.clone(),
        ..location
    };
    Ok(Some(Change {
        line,
        location,
        before,
        brand_ids: stored.brand_ids.clone(),
    }))
}
