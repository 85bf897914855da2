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

    /// A subselect of the texts in a JSON array of strings, to be compared with `IN`:
    /// `format!("… WHERE sku IN {}", dialect.each("?1"))`.
    pub fn each(self, placeholder: &str) -> String {
        self.pick(
            format!("(SELECT value FROM json_each({placeholder}))"),
            format!("(SELECT jsonb_array_elements_text({placeholder}::jsonb))"),
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
    /// A statement of `aisle_batch`, whose parameters are one JSON array, `$1`.
    PostgresBatch,
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

fn now(form: Form) -> &'static str {
    match form {
        // The only sub-second clock of SQLite that is not text; a REAL of seconds.
        Form::Sqlite => {
            "(CAST(unixepoch('subsec') * 1000 AS INTEGER) + (SELECT offset_ms FROM clock WHERE id = 1))"
        }
        Form::PostgresQuery | Form::PostgresBatch => "aisle_now_ms()",
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
        (Form::PostgresBatch, Value::Int(_)) => format!("(($1->>{})::bigint)", number - 1),
        (Form::PostgresBatch, Value::Text(_)) => format!("($1->>{})", number - 1),
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
        let batch = translated(Form::PostgresBatch);
        assert!(
            batch.contains("on_hand - (($1->>0)::bigint),") && batch.contains("sku = ($1->>1)")
        );
    }

    #[test]
    fn literals_and_comments_are_left_alone() {
        for form in [Form::Sqlite, Form::PostgresQuery, Form::PostgresBatch] {
            assert!(translated(form).contains("'why? {now} ?1 it''s' -- ?2 {now}\n"));
        }
    }

    #[test]
    fn the_clock_is_each_databases_own() {
        assert!(translated(Form::Sqlite).contains("at_ms < (CAST(unixepoch('subsec')"));
        assert!(translated(Form::PostgresBatch).contains("at_ms < aisle_now_ms()"));
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
