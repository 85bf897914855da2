//! CSV (RFC 4180) as it arrives: bytes in chunks of any size, rows out, in bounded memory.

use csv_core::{ReadRecordResult, Reader};

use super::report::Finding;

/// The longest field, in bytes.
pub const MAX_FIELD_BYTES: usize = 128 * 1024;
/// The longest row, in bytes.
pub const MAX_ROW_BYTES: usize = 256 * 1024;
/// The most columns of a file.
pub const MAX_COLUMNS: usize = 512;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The names in a file's first row, compared without regard to case or outer spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header(Vec<String>);

impl Header {
    /// Where the first of these names stands; a column may be known under several.
    pub fn position(&self, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.0.iter().position(|own| own.eq_ignore_ascii_case(name)))
    }

    /// Those of `required` (each a column's names, the documented one first) that the file lacks.
    pub fn missing<'a>(&self, required: &[&'a [&'a str]]) -> Vec<&'a str> {
        let lacking = required
            .iter()
            .filter(|names| self.position(names).is_none());
        lacking.filter_map(|names| names.first().copied()).collect()
    }
}

/// One row of data: valid UTF-8, with no more fields than the header has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Row {
    /// The field at this position without outer spaces; empty when the row is too short
    /// or the file lacks the column.
    pub fn get(&self, position: Option<usize>) -> &str {
        position
            .and_then(|at| self.field(at))
            .unwrap_or_default()
            .trim()
    }

    fn field(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = at
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        self.text.get(start..end)
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|at| self.field(at))
    }
}

/// The rows of a CSV file. Give it bytes with [`Table::feed`], take rows with
/// [`Table::next_row`] until there is none, and so on; [`Table::finish`] before the last round.
pub struct Table {
    reader: Reader,
    chunk: Vec<u8>,
    /// How much of `chunk` was read.
    read: usize,
    record: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    ended: usize,
    /// A record is under way, even if none of its text was seen yet.
    within_record: bool,
    /// The record under way does not fit; its bytes are dropped as they come.
    overflowing: bool,
    line: u64,
    record_line: u64,
    header: Option<Header>,
    begun: bool,
    closing: Closing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    Open,
    /// The file is over; the line end that its last row may lack has yet to be read.
    LastLineEnd,
    /// Whatever is still open now was never closed by a quotation mark.
    EndOfFile,
    Done,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            reader: Reader::new(),
            chunk: Vec::new(),
            read: 0,
            record: vec![0; 4 * 1024],
            filled: 0,
            ends: vec![0; 64],
            ended: 0,
            within_record: false,
            overflowing: false,
            line: 1,
            record_line: 1,
            header: None,
            begun: false,
            closing: Closing::Open,
        }
    }
}

impl Table {
    /// The file's header, once its first row was read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Adds the file's next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.chunk.drain(..self.read);
        self.read = 0;
        self.chunk.extend_from_slice(bytes);
    }

    /// The file is over.
    pub fn finish(&mut self) {
        if self.closing == Closing::Open {
            self.feed(b"\n");
            self.closing = Closing::LastLineEnd;
        }
    }

    /// The next row, or why it cannot be used; `None` when more bytes are needed or none are left.
    pub fn next_row(&mut self) -> Option<Result<Row, Finding>> {
        loop {
            let row = self.next_record()?;
            if self.header.is_some() {
                return Some(row.and_then(|row| self.checked(row)));
            }
            match row {
                Ok(row) => {
                    self.header = Some(Header(
                        row.fields().map(|name| name.trim().to_owned()).collect(),
                    ))
                }
                Err(finding) => {
                    self.header = Some(Header::default());
                    return Some(Err(finding));
                }
            }
        }
    }

    fn checked(&self, row: Row) -> Result<Row, Finding> {
        let header = self.header.as_ref().map_or(0, |header| header.0.len());
        if row.ends.len() > header {
            let reason = format!("{} fields, but the header names {header}", row.ends.len());
            return Err(Finding::new(row.line, "", reason));
        }
        Ok(row)
    }

    fn next_record(&mut self) -> Option<Result<Row, Finding>> {
        self.skip_byte_order_mark()?;
        loop {
            if !self.within_record {
                self.skip_line_ends();
            }
            let unread = self.chunk.get(self.read..).unwrap_or_default();
            if unread.is_empty() && !self.at_end()? {
                continue;
            }
            let (result, read, wrote, ended) = self.reader.read_record(
                self.chunk.get(self.read..).unwrap_or_default(),
                self.record.get_mut(self.filled..).unwrap_or_default(),
                self.ends.get_mut(self.ended..).unwrap_or_default(),
            );
            self.advance(read, wrote, ended);
            self.within_record |= read > 0;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.make_room(),
                ReadRecordResult::Record => return Some(self.take_record()),
                ReadRecordResult::End => self.closing = Closing::Done,
            }
        }
    }

    /// Nothing is left to read: whether to tell the reader that the file is over (`true`)
    /// or look again; `None` when there is nothing to do.
    fn at_end(&mut self) -> Option<bool> {
        match self.closing {
            Closing::Open | Closing::Done => None,
            Closing::LastLineEnd => {
                self.closing = Closing::EndOfFile;
                Some(false)
            }
            Closing::EndOfFile => Some(true),
        }
    }

    fn skip_byte_order_mark(&mut self) -> Option<()> {
        if !self.begun {
            if self.chunk.len() < BYTE_ORDER_MARK.len() && self.closing == Closing::Open {
                return None;
            }
            self.begun = true;
            if self.chunk.starts_with(BYTE_ORDER_MARK) {
                self.read = BYTE_ORDER_MARK.len();
            }
        }
        Some(())
    }

    /// Empty lines between records are not records; skipping them here keeps the count of lines right.
    fn skip_line_ends(&mut self) {
        let unread = self.chunk.get(self.read..).unwrap_or_default();
        let skipped = unread
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        self.advance(skipped, 0, 0);
        self.record_line = self.line;
    }

    fn advance(&mut self, read: usize, wrote: usize, ended: usize) {
        let consumed = self
            .chunk
            .get(self.read..self.read + read)
            .unwrap_or_default();
        self.line += consumed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.read += read;
        self.filled += wrote;
        self.ended += ended;
    }

    fn make_room(&mut self) {
        let row_full = self.filled == MAX_ROW_BYTES;
        if row_full || self.ended == MAX_COLUMNS {
            self.overflowing = true;
            self.filled = 0;
            self.ended = 0;
        }
        if self.filled == self.record.len() {
            self.record
                .resize((self.record.len() * 2).min(MAX_ROW_BYTES), 0);
        }
        if self.ended == self.ends.len() {
            self.ends.resize((self.ends.len() * 2).min(MAX_COLUMNS), 0);
        }
    }

    fn take_record(&mut self) -> Result<Row, Finding> {
        let bytes = self.record.get(..self.filled).unwrap_or_default().to_vec();
        let ends = self.ends.get(..self.ended).unwrap_or_default().to_vec();
        let overflowing = std::mem::take(&mut self.overflowing);
        self.within_record = false;
        self.filled = 0;
        self.ended = 0;
        let refuse = |reason: String| Err(Finding::new(self.record_line, "", reason));
        if overflowing {
            return refuse(format!(
                "longer than {MAX_ROW_BYTES} bytes or {MAX_COLUMNS} fields; is a quotation mark left open?"
            ));
        }
        if self.closing == Closing::EndOfFile {
            return refuse("the file ends inside quotation marks".into());
        }
        let mut start = 0;
        for (at, end) in ends.iter().enumerate() {
            if let Err(reason) = field_fault(bytes.get(start..*end).unwrap_or_default()) {
                return Err(Finding::new(self.record_line, self.column_name(at), reason));
            }
            start = *end;
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Row {
                line: self.record_line,
                text,
                ends,
            }),
            Err(_) => refuse("not UTF-8".into()),
        }
    }

    fn column_name(&self, at: usize) -> &str {
        self.header
            .as_ref()
            .and_then(|header| header.0.get(at))
            .map_or("", String::as_str)
    }
}

fn field_fault(field: &[u8]) -> Result<(), String> {
    if field.len() > MAX_FIELD_BYTES {
        return Err(format!("longer than {MAX_FIELD_BYTES} bytes"));
    }
    // No database text holds a NUL; it is also what UTF-16 looks like when read as UTF-8.
    if field.contains(&0) {
        return Err("contains a NUL byte; the file must be UTF-8".into());
    }
    std::str::from_utf8(field)
        .map(|_| ())
        .map_err(|error| format!("not UTF-8 at byte {} of the field", error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(file: &[u8], chunk_bytes: usize) -> Vec<Result<(u64, Vec<String>), Finding>> {
        let mut table = Table::default();
        let mut rows = Vec::new();
        let mut take = |table: &mut Table| {
            while let Some(row) = table.next_row() {
                rows.push(row.map(|row| (row.line, row.fields().map(str::to_owned).collect())));
            }
        };
        for chunk in file.chunks(chunk_bytes.max(1)) {
            table.feed(chunk);
            take(&mut table);
        }
        table.finish();
        take(&mut table);
        rows
    }

    fn good(line: u64, fields: &[&str]) -> Result<(u64, Vec<String>), Finding> {
        Ok((line, fields.iter().map(|field| field.to_string()).collect()))
    }

    #[test]
    fn rows_have_the_line_on_which_they_begin() {
        let file = b"\xef\xbb\xbfa,b\r\n1,\"two\r\nlines\"\r\n\r\n3,4\n5,\"six\"";
        let expected = vec![
            good(2, &["1", "two\r\nlines"]),
            good(5, &["3", "4"]),
            good(6, &["5", "six"]),
        ];
        for chunk_bytes in 1..file.len() {
            assert_eq!(
                read(file, chunk_bytes),
                expected,
                "{chunk_bytes} bytes at a time"
            );
        }
    }

    #[test]
    fn a_quotation_mark_left_open_costs_its_row_only_before_it() {
        let rows = read(b"a,b\n1,2\n3,\"4\n5,6\n", 7);
        assert_eq!(rows[0], good(2, &["1", "2"]));
        assert_eq!(
            rows[1],
            Err(Finding::new(3, "", "the file ends inside quotation marks"))
        );
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn a_row_without_end_is_dropped_and_the_next_one_read() {
        let mut file = b"a,b\n1,".to_vec();
        file.resize(MAX_ROW_BYTES * 3, b'x');
        file.extend_from_slice(b"\n3,4\n");
        let rows = read(&file, 64 * 1024);
        assert!(
            matches!(&rows[0], Err(finding) if finding.line == 2 && finding.reason.contains("longer"))
        );
        assert_eq!(rows[1..], [good(3, &["3", "4"])]);
    }

    #[test]
    fn a_field_has_a_limit_of_its_own() {
        let file = format!("a,b\n1,{}\n3,4\n", "x".repeat(MAX_FIELD_BYTES + 1));
        let rows = read(file.as_bytes(), 1_000);
        assert!(matches!(&rows[0], Err(finding) if finding.column == "b"));
        assert_eq!(rows[1..], [good(3, &["3", "4"])]);
    }

    #[test]
    fn too_many_columns_are_a_bad_row() {
        let file = format!("a,b\n{}\n1,2\n1,2,3\n", ",".repeat(MAX_COLUMNS));
        let rows = read(file.as_bytes(), 100);
        assert!(rows[0].is_err() && rows[2].is_err());
        assert_eq!(rows[1], good(3, &["1", "2"]));
    }

    #[test]
    fn bytes_that_are_no_text_are_a_bad_row_naming_the_column() {
        let rows = read(b"a,b\n1,caf\xe9\n\0,2\n3,4\n", 5);
        assert_eq!(
            rows[0],
            Err(Finding::new(2, "b", "not UTF-8 at byte 3 of the field"))
        );
        assert!(matches!(&rows[1], Err(finding) if finding.line == 3 && finding.column == "a"));
        assert_eq!(rows[2], good(4, &["3", "4"]));
    }

    #[test]
    fn an_empty_file_has_no_header() {
        for file in ["", "\n\n", "\u{feff}"] {
            let mut table = Table::default();
            table.feed(file.as_bytes());
            table.finish();
            assert_eq!(table.next_row(), None);
            assert_eq!(table.header(), None);
        }
    }

    #[test]
    fn columns_are_found_by_any_of_their_names() {
        let mut table = Table::default();
        table.feed(b"HANDLE , SKU\n");
        assert_eq!(table.next_row(), None);
        let header = table.header().expect("a header");
        assert_eq!(header.position(&["Variant SKU", "SKU"]), Some(1));
        assert_eq!(
            header.missing(&[&["Handle"], &["Title", "Name"]]),
            ["Title"]
        );
    }

    fn quoted(field: &str) -> String {
        format!("\"{}\"", field.replace('"', "\"\""))
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_in_chunks_of_any_size(
            rows in prop::collection::vec(prop::collection::vec("[^\0]{0,12}", 3), 0..8),
            chunk_bytes in 1usize..40,
        ) {
            let mut file = "a,b,c\n".to_string();
            for row in &rows {
                let fields: Vec<_> = row.iter().map(|field| quoted(field)).collect();
                file.push_str(&fields.join(","));
                file.push('\n');
            }
            let read: Vec<_> = read(file.as_bytes(), chunk_bytes).into_iter().map(|row| row.unwrap().1).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn no_bytes_panic(file in prop::collection::vec(any::<u8>(), 0..400), chunk_bytes in 1usize..40) {
            let whole = read(&file, file.len());
            prop_assert_eq!(read(&file, chunk_bytes), whole);
        }
    }
}
