//! What became of a file: counts, and where and why rows were refused.

use serde::{Deserialize, Serialize};

/// The most findings of one kind that a report carries; further ones are only counted.
pub const MAX_FINDINGS: usize = 1_000;

/// Something wrong with one row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// The column's name as documented; empty when it is about the whole row.
    pub column: String,
    pub reason: String,
}

impl Finding {
    pub fn new(line: u64, column: &str, reason: impl Into<String>) -> Self {
        Self {
            line,
            column: column.into(),
            reason: reason.into(),
        }
    }
}

/// Grows with [`MAX_FINDINGS`], never with the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Data rows read, the header not counted.
    pub rows: u64,
    /// Rows that were not used.
    pub refused: u64,
    /// Why rows were refused, in the order of discovery.
    pub errors: Vec<Finding>,
    pub errors_omitted: u64,
    /// What was left out of rows that were used.
    pub warnings: Vec<Finding>,
    pub warnings_omitted: u64,
}

impl Report {
    /// A row is not used.
    pub fn refuse(&mut self, finding: Finding) {
        self.refused += 1;
        Self::keep(&mut self.errors, &mut self.errors_omitted, finding);
    }

    /// A row is used, but something in it is not.
    pub fn warn(&mut self, finding: Finding) {
        Self::keep(&mut self.warnings, &mut self.warnings_omitted, finding);
    }

    fn keep(findings: &mut Vec<Finding>, omitted: &mut u64, finding: Finding) {
        if findings.len() < MAX_FINDINGS {
            findings.push(finding);
        } else {
            *omitted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_bad_rows_does_not_grow_the_report() {
        let mut report = Report::default();
        for line in 0..5_000 {
            report.refuse(Finding::new(line, "Handle", "missing"));
        }
        assert_eq!(
            (report.refused, report.errors.len(), report.errors_omitted),
            (5_000, MAX_FINDINGS, 4_000)
        );
    }
}
