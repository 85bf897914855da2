//! The columns of a file: found by any of their names, missed by name, or only nearly named.

use std::fmt;

use super::report::Finding;
use super::table::Row;

/// A column's names: the documented one first, then others under which it comes.
pub type Names = &'static [&'static str];

/// How alike two names must be to be worth a warning (Damerau-Levenshtein, 1 is the same).
const ALIKE: f64 = 0.75;
/// Shorter names are found inside too many others.
const MIN_CONTAINED_BYTES: usize = 5;
/// The most warnings about a header.
const MAX_WARNINGS: usize = 50;

/// The names in a file's first row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header(Vec<String>);

impl Header {
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.map(|name| name.trim().to_owned()).collect())
    }

    /// How many columns the file has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the file has no column.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a column as the file has it.
    pub fn name(&self, at: usize) -> &str {
        self.0.get(at).map_or("", String::as_str)
    }

    /// Where the first of these names stands. Only letters and digits count, not their
    /// case: `Image Src`, `image_src` and `IMAGE-SRC` are one name.
    pub fn position(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| {
            let wanted = folded(name);
            self.0.iter().position(|own| folded(own) == wanted)
        })
    }

    /// Whether the file has a column of one of these names.
    pub fn has(&self, names: &[&str]) -> bool {
        self.position(names).is_some()
    }

    /// Where the columns stand whose names begin with `prefix`.
    pub fn beginning_with<'a>(&'a self, prefix: &str) -> impl Iterator<Item = usize> + 'a {
        let prefix = folded(prefix);
        let begins = move |name: &String| folded(name).starts_with(&prefix);
        (self.0.iter().enumerate()).filter_map(move |(at, name)| begins(name).then_some(at))
    }

    /// Fails with those of `required` that the file lacks, and the names that look like them.
    pub fn require(&self, required: &[Names]) -> Result<(), Lacking> {
        let lacking: Vec<Names> = required
            .iter()
            .copied()
            .filter(|names| !self.has(names))
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        Err(Lacking {
            columns: lacking
                .iter()
                .filter_map(|names| names.first().copied())
                .collect(),
            alike: self.alike(&lacking, &[]),
        })
    }

    /// A warning for each column that is not used although its name looks like one of
    /// `known` that the file does not have. `unused`: names that are known to mean something else.
    pub fn warnings(&self, known: &[Names], unused: &[&str]) -> Vec<Finding> {
        let absent: Vec<Names> = known
            .iter()
            .copied()
            .filter(|names| !self.has(names))
            .collect();
        let used = [known.concat(), unused.to_vec()].concat();
        self.alike(&absent, &used)
            .into_iter()
            .map(|(own, like)| {
                Finding::new(
                    1,
                    &own,
                    format!("not used; it looks like the column {like}"),
                )
            })
            .collect()
    }

    /// Own names that look like one of `wanted` and are none of `used`.
    fn alike(&self, wanted: &[Names], used: &[&str]) -> Vec<(String, &'static str)> {
        let used: Vec<String> = used.iter().map(|name| folded(name)).collect();
        let others = self.0.iter().filter(|own| {
            let folded = folded(own);
            !folded.is_empty() && !used.contains(&folded)
        });
        let looks_like = |own: &String| {
            let names = wanted
                .iter()
                .find(|names| names.iter().any(|name| look_alike(own, name)))?;
            Some((own.clone(), *names.first()?))
        };
        others.filter_map(looks_like).take(MAX_WARNINGS).collect()
    }
}

/// Why a file cannot be what it was said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The documented names of the columns that it lacks.
    pub columns: Vec<&'static str>,
    /// Columns that it has and the names that they look like.
    pub alike: Vec<(String, &'static str)>,
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file lacks columns: {}", self.columns.join(", "))?;
        for (own, like) in &self.alike {
            write!(f, "; \"{own}\" looks like {like}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Lacking {}

/// A column of a file: its documented name, for findings, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    name: &'static str,
    position: Option<usize>,
}

impl Column {
    pub fn of(header: &Header, names: Names) -> Self {
        Self {
            name: names.first().copied().unwrap_or_default(),
            position: header.position(names),
        }
    }

    /// Whether the file has it.
    pub fn is_there(&self) -> bool {
        self.position.is_some()
    }

    pub fn cell<'a>(&self, row: &'a Row) -> &'a str {
        row.get(self.position)
    }

    /// The cell's meaning, or the finding that names it.
    pub fn read<T>(
        &self,
        row: &Row,
        meaning: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Finding> {
        meaning(self.cell(row)).map_err(|reason| self.fault(row, reason))
    }

    pub fn fault(&self, row: &Row, reason: impl Into<String>) -> Finding {
        Finding::new(row.line, self.name, reason)
    }
}

/// Letters and digits in lower case, without the `g:` of Google's own name space.
fn folded(name: &str) -> String {
    let name = name.strip_prefix("g:").unwrap_or(name);
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a name is nearly `known`, or is it with a little more.
fn look_alike(name: &str, known: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let lower = name.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let (own, wanted) = (words(name), words(known));
    let (own_folded, wanted_folded) = (folded(name), folded(known));
    // Longer names mean something else in more detail: a market's price, an app's field.
    let is_short = own.len() <= wanted.len() + 2;
    let has_all = wanted.iter().all(|word| own.contains(word));
    let contains =
        wanted_folded.len() >= MIN_CONTAINED_BYTES && own_folded.contains(&wanted_folded);
    is_short && (has_all || contains)
        || strsim::normalized_damerau_levenshtein(&own_folded, &wanted_folded) >= ALIKE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Header {
        Header::new(names.split(','))
    }

    #[test]
    fn columns_are_found_by_any_of_their_names() {
        let header = header("HANDLE , Image_Src,g:id");
        assert_eq!(header.position(&["URL handle", "Handle"]), Some(0));
        assert_eq!(header.position(&["Image Src"]), Some(1));
        assert_eq!(header.position(&["ID"]), Some(2));
        assert_eq!(header.position(&["Title"]), None);
    }

    #[test]
    fn what_is_missing_is_named_with_what_looks_like_it() {
        let lacking = header("Handle,Titel").require(&[&["Handle"], &["Title"], &["Price"]]);
        let lacking = lacking.expect_err("no title");
        assert_eq!(lacking.columns, ["Title", "Price"]);
        assert_eq!(
            lacking.to_string(),
            "the file lacks columns: Title, Price; \"Titel\" looks like Title"
        );
    }

    #[test]
    fn only_names_that_look_like_a_column_that_is_not_there_are_worth_a_word() {
        let known: &[Names] = &[&["Title"], &["Barcode"], &["Compare At Price"], &["Price"]];
        let found = header(
            "Title,Titel,Bar code (EAN),Compare Price At,Price,Price / US,Colour,SEO Title,",
        )
        .warnings(known, &["SEO Title"]);
        let columns: Vec<&str> = found.iter().map(|one| one.column.as_str()).collect();
        assert_eq!(columns, ["Bar code (EAN)", "Compare Price At"]);
        assert_eq!(
            header("Barcode number").warnings(known, &[])[0].reason,
            "not used; it looks like the column Barcode"
        );
    }
}
