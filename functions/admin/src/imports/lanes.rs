//! Transfer lanes of a file into the database.

use std::collections::HashMap;

use aisle_domain::import::lane::LaneDraft;
use aisle_domain::import::{Finding, Report, fingerprint};
use aisle_domain::lane::Lane;
use aisle_http::Error;
use aisle_store::{Batch, values};
use aisle_ucp::admin::Tally;

use super::Run;
use super::feed::Target;

/// From and to, as location ids.
type Ends = (String, String);

pub struct Lanes<'a> {
    run: &'a Run<'a>,
    tally: Tally,
}

impl<'a> Lanes<'a> {
    pub fn new(run: &'a Run<'a>) -> Self {
        Self {
            run,
            tally: Tally::default(),
        }
    }

    /// Counts the lane, and adds it to the batch unless it is stored as it is.
    fn save(&mut self, batch: &mut Batch, lane: &Lane, stored: Option<&str>) -> Result<(), Error> {
        let fingerprint = fingerprint::of(lane);
        match stored {
            Some(same) if same == fingerprint => {
                self.tally.unchanged += 1;
                return Ok(());
            }
            Some(_) => self.tally.updated += 1,
            None => self.tally.created += 1,
        }
        let doc =
            serde_json::to_string(lane).map_err(|error| Error::internal(error.to_string()))?;
        batch.add(
            "INSERT INTO transfer_lane (brand_id, from_location_id, to_location_id, doc, fingerprint, version, updated_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, 1, {now}) \
             ON CONFLICT (brand_id, from_location_id, to_location_id) DO UPDATE SET doc = excluded.doc, \
             fingerprint = excluded.fingerprint, version = transfer_lane.version + 1, updated_at_ms = excluded.updated_at_ms",
            values![
                &self.run.brand.id,
                &lane.from_location_id,
                &lane.to_location_id,
                doc,
                fingerprint
            ],
        );
        Ok(())
    }
}

impl Target for Lanes<'_> {
    type Item = LaneDraft;

    const BATCH_WEIGHT: usize = 200;

    fn weight(_: &LaneDraft) -> usize {
        1
    }

    async fn write(&mut self, drafts: Vec<LaneDraft>, report: &mut Report) -> Result<(), Error> {
        let known = Known::read(self.run, &drafts).await?;
        let mut batch = Batch::new();
        for lane in known.resolve(drafts, report) {
            let ends = (lane.from_location_id.clone(), lane.to_location_id.clone());
            let stored = known.fingerprints.get(&ends).map(String::as_str);
            self.save(&mut batch, &lane, stored)?;
        }
        if !batch.is_empty() && !self.run.dry_run {
            batch.commit(self.run.db).await?;
        }
        Ok(())
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// The brand's locations by code, and its lanes between those that a batch names.
#[derive(Default)]
struct Known {
    location_ids: HashMap<String, String>,
    fingerprints: HashMap<Ends, String>,
}

impl Known {
    async fn read(run: &Run<'_>, drafts: &[LaneDraft]) -> Result<Self, Error> {
        let codes: std::collections::BTreeSet<&str> = drafts
            .iter()
            .flat_map(|draft| [draft.from_code.as_str(), draft.to_code.as_str()])
            .collect();
        let named = format!(
            "SELECT l.id, l.code FROM location l JOIN brand_location bl ON bl.location_id = l.id \
             AND bl.brand_id = ?1 WHERE l.code {}",
            run.db.dialect().among("?2"),
        );
        let sql = format!(
            "WITH named AS ({named}) SELECT 'location' AS kind, code AS k1, id AS k2, '' AS k3 FROM named \
             UNION ALL SELECT 'lane', t.from_location_id, t.to_location_id, t.fingerprint FROM transfer_lane t \
             WHERE t.brand_id = ?1 AND t.from_location_id IN (SELECT id FROM named)"
        );
        let codes = serde_json::json!(codes).to_string();
        let mut known = Self::default();
        for row in run.db.query(sql, values![&run.brand.id, codes]).await? {
            let (k1, k2) = (row.text("k1")?, row.text("k2")?);
            match row.text("kind")?.as_str() {
                "location" => drop(known.location_ids.insert(k1, k2)),
                _ => drop(known.fingerprints.insert((k1, k2), row.text("k3")?)),
            }
        }
        Ok(known)
    }

    /// The lanes with location ids, each pair once: a later row replaces an earlier one.
    fn resolve(&self, drafts: Vec<LaneDraft>, report: &mut Report) -> Vec<Lane> {
        let mut lanes = Vec::<(u64, Lane)>::new();
        for draft in drafts {
            let line = draft.line;
            match self.lane(draft) {
                Ok(lane) => {
                    let same_way = |(_, earlier): &(u64, Lane)| {
                        earlier.from_location_id == lane.from_location_id
                            && earlier.to_location_id == lane.to_location_id
                    };
                    if let Some(place) = lanes.iter().position(same_way) {
                        let (earlier, _) = lanes.remove(place);
                        let reason = format!("replaced by the lane on line {line}");
                        report.warn(Finding::new(earlier, "", reason));
                    }
                    lanes.push((line, lane));
                }
                Err(finding) => report.refuse(finding),
            }
        }
        lanes.into_iter().map(|(_, lane)| lane).collect()
    }

    fn lane(&self, draft: LaneDraft) -> Result<Lane, Finding> {
        let id = |code: &str, column| {
            let found = self.location_ids.get(code).cloned();
            found.ok_or_else(|| {
                let reason = format!("the brand does not trade at a location {code}");
                Finding::new(draft.line, column, reason)
            })
        };
        Ok(Lane {
            from_location_id: id(&draft.from_code, "from_code")?,
            to_location_id: id(&draft.to_code, "to_code")?,
            days: draft.days,
            cut_off: draft.cut_off,
            transit_minutes: draft.transit_minutes,
        })
    }
}
