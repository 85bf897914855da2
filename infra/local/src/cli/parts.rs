//! Cuts a CSV file whose rows stand alone into parts, each a file with the same header:
//! a request has a deadline and a limit of bytes, a file has neither.

use aisle_domain::import::text::Decoder;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Size of a part, header not counted: some hundred thousand counts, imported well within
/// the time that a request has.
pub const PART_BYTES: usize = 4 << 20;

/// What of a report adds up.
const COUNTS: [&str; 7] = [
    "rows",
    "created",
    "updated",
    "unchanged",
    "refused",
    "errors_omitted",
    "warnings_omitted",
];
/// What of a report names lines.
const FINDINGS: [&str; 2] = ["errors", "warnings"];

/// A part of a file.
pub struct Part {
    /// The header and some rows.
    pub csv: Vec<u8>,
    /// Bytes of the file that were read for it.
    pub covers: u64,
    /// What to add to a line of the part to have the line of the file.
    pub lines_before: u64,
}

/// A file being cut.
pub struct Parts<R> {
    file: R,
    part_bytes: usize,
    /// Each part is text of its own, so what stands for the whole file is read here.
    decoder: Decoder,
    at_end: bool,
    unsent: Vec<u8>,
    header: Option<Vec<u8>>,
    lines_before: u64,
}

impl<R: AsyncRead + Unpin> Parts<R> {
    /// Parts of about `part_bytes`.
    pub fn new(file: R, part_bytes: usize) -> Self {
        Self {
            file,
            part_bytes,
            decoder: Decoder::default(),
            at_end: false,
            unsent: Vec::new(),
            header: None,
            lines_before: 0,
        }
    }

    /// The next part, `None` at the end of the file. An empty file has one part.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn next(&mut self) -> std::io::Result<Option<Part>> {
        let mut covers = 0;
        while self.unsent.len() < self.part_bytes && !self.at_end {
            let limit = self.part_bytes - self.unsent.len();
            let mut bytes = Vec::new();
            let read = (&mut self.file)
                .take(limit as u64)
                .read_to_end(&mut bytes)
                .await?;
            covers += read as u64;
            self.at_end = read < limit;
            self.unsent.extend(self.decoder.decode(&bytes, self.at_end));
        }
        if self.unsent.is_empty() && self.header.is_some() {
            return Ok(None);
        }
        let cut = match self.unsent.get(..self.part_bytes) {
            Some(part) => last_row_end(part),
            None => self.unsent.len(),
        };
        let rest = self.unsent.split_off(cut);
        let rows = std::mem::replace(&mut self.unsent, rest);
        Ok(Some(self.part(rows, covers)))
    }

    fn part(&mut self, rows: Vec<u8>, covers: u64) -> Part {
        let lines = newlines(&rows);
        let lines_before = self.lines_before;
        let (csv, header_lines) = match &self.header {
            Some(header) => ([header.as_slice(), &rows].concat(), newlines(header)),
            None => {
                self.header = Some(rows[..header_end(&rows)].to_vec());
                (rows, 0)
            }
        };
        self.lines_before += lines;
        Part {
            csv,
            covers,
            lines_before: lines_before.saturating_sub(header_lines),
        }
    }
}

/// Adds the report of a part to that of the parts before it, in lines of the file.
pub fn add(report: &mut Value, mut part: Value, lines_before: u64) {
    for name in FINDINGS {
        let findings = part.get_mut(name).and_then(Value::as_array_mut);
        for finding in findings.into_iter().flatten() {
            let line = finding
                .get("line")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            finding["line"] = (line + lines_before).into();
        }
    }
    if report.is_null() {
        *report = part;
        return;
    }
    for name in COUNTS {
        let count = |report: &Value| report.get(name).and_then(Value::as_u64).unwrap_or_default();
        report[name] = (count(report) + count(&part)).into();
    }
    for name in FINDINGS {
        let more = part
            .get_mut(name)
            .and_then(Value::as_array_mut)
            .map(std::mem::take);
        if let Some(findings) = report.get_mut(name).and_then(Value::as_array_mut) {
            findings.extend(more.unwrap_or_default());
        }
    }
}

/// Ends of lines that are ends of rows: not inside quotation marks.
fn row_ends(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    bytes.iter().enumerate().filter_map(move |(at, byte)| {
        quoted ^= *byte == b'"';
        (*byte == b'\n' && !quoted).then_some(at + 1)
    })
}

/// Where the names of the columns end, which may follow a line such as `sep=;`.
fn header_end(bytes: &[u8]) -> usize {
    let mut ends = row_ends(bytes);
    let first = ends.next().unwrap_or(bytes.len());
    let line = bytes[..first].trim_ascii().to_ascii_lowercase();
    let names_separator = line.starts_with(b"sep=") || line.starts_with(b"\"sep=");
    ends.next().filter(|_| names_separator).unwrap_or(first)
}

/// Everything, when no row ends in it: then it is too long for a row anyway.
fn last_row_end(bytes: &[u8]) -> usize {
    row_ends(bytes).last().unwrap_or(bytes.len())
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn rows_stay_whole_and_every_part_has_the_header() {
        let file = "sku,on_hand\nA,1\n\"B\nb\",2\nC,3\nD,4";
        let mut parts = Parts::new(file.as_bytes(), 21);
        let mut seen = Vec::new();
        while let Some(part) = parts.next().await.expect("readable") {
            let csv = String::from_utf8(part.csv).expect("text");
            seen.push((csv, part.lines_before));
        }
        let part = |csv: &str, lines_before| (csv.to_owned(), lines_before);
        assert_eq!(
            seen,
            [
                part("sku,on_hand\nA,1\n", 0),
                part("sku,on_hand\n\"B\nb\",2\nC,3\nD,4", 1),
            ]
        );
    }

    #[tokio::test]
    async fn every_part_has_the_separator_and_is_utf8() {
        let file = b"sep=;\nsku;name\nA;caf\xe9\nB;b\nC;c\n";
        let mut parts = Parts::new(&file[..], 26);
        let mut seen = Vec::new();
        while let Some(part) = parts.next().await.expect("readable") {
            seen.push(String::from_utf8(part.csv).expect("text"));
        }
        let header = "sep=;\nsku;name\n";
        assert_eq!(
            seen,
            [format!("{header}A;café\n"), format!("{header}B;b\nC;c\n")]
        );
    }

    #[tokio::test]
    async fn the_whole_file_is_covered() {
        let file = format!("sku\n{}", "A\n".repeat(1_000));
        let mut parts = Parts::new(file.as_bytes(), 64);
        let mut covered = 0;
        while let Some(part) = parts.next().await.expect("readable") {
            covered += part.covers;
        }
        assert_eq!(covered, file.len() as u64);
    }

    #[test]
    fn reports_add_up_in_lines_of_the_file() {
        let report =
            |line| json!({"rows": 2, "refused": 1, "errors": [{"line": line, "reason": "r"}]});
        let mut sum = Value::Null;
        add(&mut sum, report(3), 0);
        add(&mut sum, report(3), 10);
        assert_eq!(sum["rows"], 4);
        assert_eq!(
            (&sum["errors"][0]["line"], &sum["errors"][1]["line"]),
            (&json!(3), &json!(13))
        );
    }
}
