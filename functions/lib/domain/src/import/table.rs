//! CSV (RFC 4180, also with other separators) as it arrives: bytes in chunks of any size, rows
//! out, in bounded memory.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::header::Header;
use super::report::Finding;
use super::text::Decoder;

/// The longest field, in bytes.
pub const MAX_FIELD_BYTES: usize = 128 * 1024;
/// The longest row, in bytes.
pub const MAX_ROW_BYTES: usize = 256 * 1024;
/// The most columns of a file.
pub const MAX_COLUMNS: usize = 512;

/// What may stand between the fields. The first row tells which, by having most of it.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// With such a first line spreadsheets tell each other what stands between the fields.
const SEPARATOR_LINE: &[u8] = b"sep=";

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

    /// How much memory the row takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>()
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|at| self.field(at))
    }

    fn is_blank_from(&self, at: usize) -> bool {
        self.fields().skip(at).all(|field| field.trim().is_empty())
    }
}

/// The rows of a CSV file. Give it bytes with [`Table::feed`], take rows with
/// [`Table::next_row`] until there is none, and so on; [`Table::finish`] before the last round.
pub struct Table {
    decoder: Decoder,
    /// `None` until the file's first line told the separator.
    reader: Option<Reader>,
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
    header_fault: Option<Finding>,
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
            decoder: Decoder::default(),
            reader: None,
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
            header_fault: None,
            closing: Closing::Open,
        }
    }
}

impl Table {
    /// A table whose encoding was declared; see [`Decoder::declared`].
    pub fn declared(charset: &str) -> Option<Self> {
        let decoder = Decoder::declared(charset)?;
        Some(Self {
            decoder,
            ..Self::default()
        })
    }

    /// The file's header, once its first row was read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Why the file's first row is no header.
    pub fn header_fault(&self) -> Option<&Finding> {
        self.header_fault.as_ref()
    }

    /// What had to be assumed to read the file.
    pub fn warnings(&self) -> Vec<Finding> {
        let guessed = self.decoder.guessed_windows_1252();
        let warning = || Finding::new(1, "", "the file is no UTF-8; it was read as Windows-1252");
        guessed.then(warning).into_iter().collect()
    }

    /// Adds the file's next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        let text = self.decoder.decode(bytes, false);
        self.append(&text);
    }

    fn append(&mut self, text: &[u8]) {
        self.chunk.drain(..self.read);
        self.read = 0;
        self.chunk.extend_from_slice(text);
    }

    /// The file is over.
    pub fn finish(&mut self) {
        if self.closing == Closing::Open {
            let mut rest = self.decoder.decode(&[], true);
            rest.push(b'\n');
            self.append(&rest);
            self.closing = Closing::LastLineEnd;
        }
    }

    /// The next row that is not blank, or why it cannot be used; `None` when more bytes are
    /// needed, none are left, or the first row is no header.
    pub fn next_row(&mut self) -> Option<Result<Row, Finding>> {
        while self.header_fault.is_none() {
            let row = self.next_record()?;
            // Spreadsheets leave separators behind where rows were cleared.
            if row.as_ref().is_ok_and(|row| row.is_blank_from(0)) {
                continue;
            }
            if self.header.is_some() {
                return Some(row.and_then(|row| self.checked(row)));
            }
            match row {
                Ok(row) => self.header = Some(Header::new(row.fields())),
                Err(fault) => self.header_fault = Some(fault),
            }
        }
        None
    }

    fn checked(&self, mut row: Row) -> Result<Row, Finding> {
        let columns = self.header.as_ref().map_or(0, Header::len);
        if !row.is_blank_from(columns) {
            let reason = format!("{} fields, but the header names {columns}", row.ends.len());
            return Err(Finding::new(row.line, "", reason));
        }
        row.ends.truncate(columns);
        Ok(row)
    }

    fn next_record(&mut self) -> Option<Result<Row, Finding>> {
        self.choose_separator()?;
        loop {
            if !self.within_record {
                self.skip_line_ends();
            }
            let unread = self.chunk.get(self.read..).unwrap_or_default();
            if unread.is_empty() && !self.at_end()? {
                continue;
            }
            let (result, read, wrote, ended) = self.reader.as_mut()?.read_record(
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

    /// Looks at the first line: `None` until it is complete.
    fn choose_separator(&mut self) -> Option<()> {
        while self.reader.is_none() {
            self.skip_line_ends();
            let unread = self.chunk.get(self.read..).unwrap_or_default();
            let (line_bytes, counts) = first_line(unread);
            let is_complete = line_bytes < unread.len() || unread.len() >= MAX_ROW_BYTES;
            if !is_complete && self.closing == Closing::Open {
                return None;
            }
            let line = unread.get(..line_bytes).unwrap_or_default();
            let named = named_separator(line);
            let most = (SEPARATORS.iter().zip(counts))
                .rev()
                .max_by_key(|(_, count)| *count);
            let separator = named.or(most.map(|(separator, _)| *separator))?;
            if named.is_some() {
                self.advance(line_bytes, 0, 0);
            }
            self.reader = Some(ReaderBuilder::new().delimiter(separator).build());
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
        self.header.as_ref().map_or("", |header| header.name(at))
    }
}

/// How long the first line is, without what ends it, and how often it has each of [`SEPARATORS`]
/// outside quotation marks.
fn first_line(bytes: &[u8]) -> (usize, [usize; SEPARATORS.len()]) {
    let mut counts = [0; SEPARATORS.len()];
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        quoted ^= *byte == b'"';
        if quoted {
            continue;
        }
        if matches!(byte, b'\r' | b'\n') {
            return (at, counts);
        }
        for (count, separator) in counts.iter_mut().zip(SEPARATORS) {
            *count += usize::from(*byte == separator);
        }
    }
    (bytes.len(), counts)
}

/// The separator that a line such as `sep=;` names.
fn named_separator(line: &[u8]) -> Option<u8> {
    // A file that was saved once more has it in quotation marks.
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    let (word, rest) = line.split_at_checked(SEPARATOR_LINE.len())?;
    match rest {
        [separator] if SEPARATORS.contains(separator) => word
            .eq_ignore_ascii_case(SEPARATOR_LINE)
            .then_some(*separator),
        _ => None,
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
        let rows = read(b"a,\xc3\xa9b\n1,caf\xe9\n\0,2\n3,4\n", 5);
        assert_eq!(
            rows[0],
            Err(Finding::new(2, "éb", "not UTF-8 at byte 3 of the field"))
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
    fn files_that_spreadsheets_write_are_read() {
        let expected = vec![good(2, &["1", "two, or ;"]), good(3, &["3", ""])];
        for file in [
            &b"a,b\n1,\"two, or ;\"\n3,\n"[..],
            b"a;b\n1;\"two, or ;\"\n3;\n",
            b"a\tb\n1\ttwo, or ;\n3\t\n",
            b"a|b\r\n1|two, or ;\r\n3|\r\n",
            b"a,b,\n1,\"two, or ;\",\n3,,\n,,\n , ,\n",
            b"a,b\n1,\"two, or ;\",,\n3,,,\n",
            b"\xff\xfea\0,\0b\0\n\x001\0,\0\"\0t\0w\0o\0,\0 \0o\0r\0 \0;\0\"\0\n\x003\0,\0\n\0",
        ] {
            let rows = read(file, 5);
            let cut = rows.into_iter().map(|row| {
                row.map(|(line, fields)| (line, fields.into_iter().take(2).collect::<Vec<_>>()))
            });
            assert_eq!(cut.collect::<Vec<_>>(), expected, "{}", file.escape_ascii());
        }
        let windows_1252 = read(b"a,b\n1,caf\xe9\n", 4);
        assert_eq!(windows_1252, [good(2, &["1", "café"])]);
    }

    #[test]
    fn a_line_that_names_the_separator_is_a_line_of_the_file() {
        for file in [
            "sep=;\na,b;c\n1;2\n",
            "\u{feff}\"SEP=;\"\r\n\r\na,b;c\r\n1;2",
        ] {
            let rows = read(file.as_bytes(), 3);
            let line = file.lines().count() as u64;
            assert_eq!(rows, [good(line, &["1", "2"])], "{file}");
        }
        assert_eq!(read(b"sep=,x\n1\n", 3), [good(2, &["1"])]);
    }

    #[test]
    fn a_row_that_is_too_long_does_not_spoil_the_header() {
        let mut table = Table::default();
        table.feed(b"Handle,Title\na,b,c\n");
        table.finish();
        let reason = "3 fields, but the header names 2";
        assert_eq!(table.next_row(), Some(Err(Finding::new(2, "", reason))));
        assert!(table.header().is_some() && table.header_fault().is_none());
    }

    #[test]
    fn a_header_that_cannot_be_read_says_why() {
        let mut table = Table::default();
        table.feed(b"a,\"b\n1,2\n");
        table.finish();
        assert_eq!(table.next_row(), None);
        let fault = table.header_fault().expect("a fault");
        assert_eq!(fault.reason, "the file ends inside quotation marks");
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
            let mut written = rows;
            written.retain(|row| row.iter().any(|field| !field.trim().is_empty()));
            prop_assert_eq!(read, written);
        }

        #[test]
        fn no_bytes_panic(file in prop::collection::vec(any::<u8>(), 0..400), chunk_bytes in 1usize..40) {
            let whole = read(&file, file.len());
            prop_assert_eq!(read(&file, chunk_bytes), whole);
        }
    }
}
