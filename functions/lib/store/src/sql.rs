//! One text of SQL for two databases: placeholders, the clock, and the rare difference.
//!
//! Statements are written with SQLite's numbered placeholders (`?1`), which may repeat,
//! and `{now}` for the database's clock. Neither is touched inside a string literal, a
//! quoted name or a comment.

use std::borrow::Cow;

use crate::{StoreError, Value};

/// Which of the two databases a statement runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The text for this database, where the two must differ.
    pub fn pick<T>(self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }

    /// What a column is compared with to be one of the texts in a JSON array of strings:
    /// `format!("… WHERE sku {}", dialect.among("?1"))`.
    pub fn among(self, placeholder: &str) -> String {
        self.among_few(&self.pick(
            format!("SELECT value FROM json_each({placeholder})"),
            format!("SELECT jsonb_array_elements_text({placeholder}::jsonb)"),
        ))
    }

    /// What a column is compared with to be one of the few values of `select`. PostgreSQL takes
    /// an array for short, and looks its values up one by one; of what a function answers it
    /// expects hundreds of rows, for which it would rather read a whole table.
    pub fn among_few(self, select: &str) -> String {
        self.pick(format!("IN ({select})"), format!("= ANY (ARRAY({select}))"))
    }

    /// A SELECT of the texts in a JSON array of strings, each a row of `column`; for as short as
    /// with [`among_few`](Self::among_few).
    pub fn listed(self, placeholder: &str, column: &str) -> String {
        self.pick(
            format!("SELECT value AS {column} FROM json_each({placeholder})"),
            format!("SELECT unnest(ARRAY(SELECT jsonb_array_elements_text({placeholder}::jsonb))) AS {column}"),
        )
    }
}

/// A statement: one text for both databases, or `(sqlite, postgres)` where they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    sqlite: Cow<'static, str>,
    postgres: Option<Cow<'static, str>>,
}

impl Sql {
    pub(crate) fn text(&self, dialect: Dialect) -> &str {
        match (dialect, &self.postgres) {
            (Dialect::Postgres, Some(postgres)) => postgres,
            _ => &self.sqlite,
        }
    }
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self {
            sqlite: both.into(),
            postgres: None,
        }
    }
}

impl From<String> for Sql {
    fn from(both: String) -> Self {
        Self {
            sqlite: both.into(),
            postgres: None,
        }
    }
}

impl From<(&'static str, &'static str)> for Sql {
    fn from((sqlite, postgres): (&'static str, &'static str)) -> Self {
        Self {
            sqlite: sqlite.into(),
            postgres: Some(postgres.into()),
        }
    }
}

/// How a statement reaches its database, which decides what a placeholder turns into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Sqlite,
    /// A query of its own: `$1` with the parameter's type.
    PostgresQuery,
    /// A statement of `aisle_run`, whose parameters are one JSON array, `$1`, and the time at
    /// which it begins, `$2`.
    PostgresRun,
}

/// The statement as its database wants it.
pub(crate) fn translate(sql: &str, params: &[Value], form: Form) -> Result<String, StoreError> {
    let mut out = String::with_capacity(sql.len() + 16 * params.len());
    let mut highest = 0;
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '"', '-', '?', '{']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let taken = match special(from) {
            Special::Verbatim(length) => {
                out.push_str(from.get(..length).unwrap_or(from));
                length
            }
            Special::Now => {
                out.push_str(now(form));
                NOW.len()
            }
            Special::Placeholder { number, length } => {
                highest = highest.max(number);
                out.push_str(&placeholder(number, params, form)?);
                length
            }
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    if highest != params.len() {
        return Err(StoreError::Bug(format!(
            "{} parameters for {highest} placeholders: {sql}",
            params.len()
        )));
    }
    Ok(out)
}

const NOW: &str = "{now}";

enum Special {
    Verbatim(usize),
    Now,
    Placeholder { number: usize, length: usize },
}

/// What starts at the beginning of `text`, and how many bytes of it belong to that.
fn special(text: &str) -> Special {
    if text.starts_with(['\'', '"']) {
        // A doubled quote inside a literal reads as two literals side by side: same bytes.
        let quote = text.get(..1).unwrap_or_default();
        let inner = text.get(1..).unwrap_or_default();
        return Special::Verbatim(inner.find(quote).map_or(text.len(), |end| end + 2));
    }
    if text.starts_with("--") {
        return Special::Verbatim(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with(NOW) {
        return Special::Now;
    }
    let digits = text.get(1..).map_or(0, |after| {
        after.bytes().take_while(u8::is_ascii_digit).count()
    });
    match text
        .get(1..1 + digits)
        .and_then(|number| number.parse().ok())
    {
        Some(number) if text.starts_with('?') => Special::Placeholder {
            number,
            length: 1 + digits,
        },
        _ => Special::Verbatim(1),
    }
}

/// One instant for a statement, known before its rows are looked for, so that an index on a
/// time can serve a comparison with it: a subselect that depends on no row, or a parameter.
fn now(form: Form) -> &'static str {
    match form {
        // The only sub-second clock of SQLite that is not text; a REAL of seconds.
        Form::Sqlite => {
            "(SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) + offset_ms FROM clock WHERE id = 1)"
        }
        Form::PostgresQuery => "(SELECT aisle_now_ms())",
        Form::PostgresRun => "$2",
    }
}

fn placeholder(number: usize, params: &[Value], form: Form) -> Result<String, StoreError> {
    let value = number.checked_sub(1).and_then(|index| params.get(index));
    let value =
        value.ok_or_else(|| StoreError::Bug(format!("no parameter for placeholder ?{number}")))?;
    Ok(match (form, value) {
        (Form::Sqlite, _) => format!("?{number}"),
        (Form::PostgresQuery, Value::Int(_)) => format!("${number}::bigint"),
        (Form::PostgresQuery, Value::Text(_)) => format!("${number}::text"),
        (Form::PostgresRun, Value::Int(_)) => format!("(($1->>{})::bigint)", number - 1),
        (Form::PostgresRun, Value::Text(_)) => format!("($1->>{})", number - 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values;

    const SQL: &str = "UPDATE stock SET on_hand = on_hand - ?1, note = 'why? {now} ?1 it''s' -- ?2 {now}\n WHERE sku = ?2 AND at_ms < {now} AND on_hand >= ?1";

    fn translated(form: Form) -> String {
        translate(SQL, &[3.into(), "A-1".into()], form).unwrap()
    }

    #[test]
    fn placeholders_follow_the_parameters_types() {
        let query = translated(Form::PostgresQuery);
        assert!(
            query.contains("on_hand - $1::bigint,")
                && query.contains("sku = $2::text")
                && query.ends_with(">= $1::bigint")
        );
        let batch = translated(Form::PostgresRun);
        assert!(
            batch.contains("on_hand - (($1->>0)::bigint),") && batch.contains("sku = ($1->>1)")
        );
    }

    #[test]
    fn literals_and_comments_are_left_alone() {
        for form in [Form::Sqlite, Form::PostgresQuery, Form::PostgresRun] {
            assert!(translated(form).contains("'why? {now} ?1 it''s' -- ?2 {now}\n"));
        }
    }

    #[test]
    fn the_clock_is_each_databases_own() {
        assert!(translated(Form::Sqlite).contains("at_ms < (SELECT CAST(unixepoch('subsec')"));
        assert!(translated(Form::PostgresQuery).contains("at_ms < (SELECT aisle_now_ms())"));
        assert!(translated(Form::PostgresRun).contains("at_ms < $2 "));
    }

    #[test]
    fn a_list_is_looked_up_value_by_value() {
        let lists = [Dialect::Sqlite, Dialect::Postgres].map(|dialect| dialect.among("?1"));
        assert_eq!(
            lists,
            [
                "IN (SELECT value FROM json_each(?1))",
                "= ANY (ARRAY(SELECT jsonb_array_elements_text(?1::jsonb)))"
            ]
        );
    }

    #[test]
    fn the_number_of_parameters_must_fit() {
        for params in [values![], values![1], values![1, "A", 2]] {
            assert!(matches!(
                translate(SQL, &params, Form::Sqlite),
                Err(StoreError::Bug(_))
            ));
        }
    }

    #[test]
    fn an_unfinished_literal_does_not_trap() {
        assert_eq!(
            translate("SELECT 'é", &[], Form::PostgresQuery).unwrap(),
            "SELECT 'é"
        );
        assert_eq!(
            translate("SELECT {no} - ?", &[], Form::PostgresQuery).unwrap(),
            "SELECT {no} - ?"
        );
    }

    #[test]
    fn a_statement_can_be_written_once_for_each_database() {
        let sql = Sql::from(("SELECT 1", "SELECT 2"));
        assert_eq!(
            (sql.text(Dialect::Sqlite), sql.text(Dialect::Postgres)),
            ("SELECT 1", "SELECT 2")
        );
        assert_eq!(Sql::from("SELECT 3").text(Dialect::Postgres), "SELECT 3");
    }
}
