//! Transfer lanes from a CSV file with Aisle's own columns (docs/IMPORT.md), one row each.

use crate::hours::{TimeOfDay, Weekday};
use crate::lane::MAX_TRANSIT_MINUTES;

use super::header::{Header, Lacking, Names};
use super::report::{Finding, Report};
use super::table::Row;
use super::{Format, cell};

/// A lane between two locations that are named by their codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneDraft {
    pub line: u64,
    pub from_code: String,
    pub to_code: String,
    /// In the order of the week, each once; empty: nothing leaves.
    pub days: Vec<Weekday>,
    pub cut_off: TimeOfDay,
    pub transit_minutes: i64,
}

/// Reads a file of transfer lanes.
pub struct LaneFile {
    from_code: Option<usize>,
    to_code: Option<usize>,
    days: Option<usize>,
    cut_off: Option<usize>,
    transit_minutes: Option<usize>,
}

const REQUIRED: &[Names] = &[
    &["from_code"],
    &["to_code"],
    &["days"],
    &["cut_off"],
    &["transit_minutes"],
];

impl LaneFile {
    /// Whether a header is that of a file of lanes.
    pub fn is(header: &Header) -> bool {
        header.has(&["from_code"]) && header.has(&["to_code"])
    }

    /// Fails with the columns that the file lacks.
    pub fn new(header: &Header) -> Result<Self, Lacking> {
        let position = |name| header.position(&[name]);
        header.require(REQUIRED)?;
        Ok(Self {
            from_code: position("from_code"),
            to_code: position("to_code"),
            days: position("days"),
            cut_off: position("cut_off"),
            transit_minutes: position("transit_minutes"),
        })
    }

    fn draft(&self, row: &Row) -> Result<LaneDraft, Finding> {
        let fault =
            |column: &'static str| move |reason: String| Finding::new(row.line, column, reason);
        let code = |position, column| cell::required(row.get(position)).map_err(fault(column));
        let (from_code, to_code) = (
            code(self.from_code, "from_code")?,
            code(self.to_code, "to_code")?,
        );
        if from_code == to_code {
            return Err(fault("to_code")("a lane leads to another location".into()));
        }
        let cut_off = TimeOfDay::try_from(row.get(self.cut_off).to_owned());
        Ok(LaneDraft {
            line: row.line,
            from_code,
            to_code,
            days: days(row.get(self.days)).map_err(fault("days"))?,
            cut_off: cut_off.map_err(|reason| fault("cut_off")(reason.into()))?,
            transit_minutes: cell::count(row.get(self.transit_minutes), MAX_TRANSIT_MINUTES)
                .map_err(fault("transit_minutes"))?,
        })
    }
}

impl Format for LaneFile {
    type Item = LaneDraft;

    fn row(&mut self, row: Row, report: &mut Report) -> Option<LaneDraft> {
        report.rows += 1;
        self.draft(&row)
            .map_err(|finding| report.refuse(finding))
            .ok()
    }

    fn finish(&mut self, _report: &mut Report) -> Option<LaneDraft> {
        None
    }
}

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Days as `mon wed fri`, `mon-fri`, `mon-thu sat`, `daily`, or `none`.
fn days(text: &str) -> Result<Vec<Weekday>, String> {
    let text = text.to_ascii_lowercase();
    match text.as_str() {
        "" => return Err("missing".into()),
        "none" => return Ok(Vec::new()),
        "daily" => return Ok(WEEK.map(|(_, day)| day).to_vec()),
        _ => {}
    }
    let place = |name: &str| {
        let found = WEEK.iter().position(|(known, _)| *known == name);
        found.ok_or_else(|| format!("\"{name}\" is not a day such as mon"))
    };
    let mut named = [false; 7];
    for part in text.split_whitespace() {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        for step in 0..=(last + 7 - first) % 7 {
            if let Some(day) = named.get_mut((first + step) % 7) {
                *day = true;
            }
        }
    }
    Ok(WEEK
        .iter()
        .zip(named)
        .filter(|(_, named)| *named)
        .map(|((_, day), _)| *day)
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::import::Table;

    fn read(csv: &str) -> (Vec<LaneDraft>, Report) {
        let mut table = Table::default();
        table.feed(csv.as_bytes());
        table.finish();
        let (mut drafts, mut report) = (Vec::new(), Report::default());
        let mut file: Option<LaneFile> = None;
        while let Some(row) = table.next_row() {
            let file = file.get_or_insert_with(|| {
                LaneFile::new(table.header().expect("a header")).expect("all columns")
            });
            drafts.extend(file.row(row.expect("a row"), &mut report));
        }
        (drafts, report)
    }

    #[test]
    fn days_are_named_ranges_or_words() {
        use Weekday::*;
        for (text, expected) in [
            ("wed mon", vec![Monday, Wednesday]),
            ("Mon-Wed sat", vec![Monday, Tuesday, Wednesday, Saturday]),
            ("sat-mon", vec![Monday, Saturday, Sunday]),
            ("none", vec![]),
        ] {
            assert_eq!(days(text), Ok(expected), "{text}");
        }
        assert_eq!(days("daily").map(|days| days.len()), Ok(7));
        for text in ["", "monday", "mon-", "mon,tue", "1-5"] {
            assert!(days(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_bad_row_names_its_column() {
        let (drafts, report) = read(
            "from_code,to_code,days,cut_off,transit_minutes\n\
             HUB,A-01,mon-fri,16:00,1200\nHUB,HUB,daily,16:00,1\n,A-01,daily,16:00,1\n\
             HUB,A-01,someday,16:00,1\nHUB,A-01,daily,4pm,1\nHUB,A-01,daily,16:00,-1\nHUB,A-01,daily,16:00,86401\n",
        );
        assert_eq!((drafts.len(), report.rows, report.refused), (1, 7, 6));
        assert_eq!(drafts[0].transit_minutes, 1_200);
        let columns: Vec<&str> = report
            .errors
            .iter()
            .map(|error| error.column.as_str())
            .collect();
        assert_eq!(
            columns,
            [
                "to_code",
                "from_code",
                "days",
                "cut_off",
                "transit_minutes",
                "transit_minutes"
            ]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z0-9 -]{0,30}|.{0,20}") {
            let _ = days(&text);
        }
    }
}
