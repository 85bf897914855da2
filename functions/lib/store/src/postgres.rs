//! PostgreSQL. A read is one query; a write is one call of `aisle_run`, never a
//! transaction held open over several calls, because the pooled connection would keep it
//! when the component is stopped half-way.
//!
//! To plan a statement costs more than to run it, and nothing between here and the server
//! keeps plans: so a session of the server keeps them, by names that follow from the texts.
//! Which session answers is not ours to know, a pooler may change it from call to call.

use std::rc::Rc;

use spin_sdk::pg::{self, DbError, DbValue, ParameterValue, PgError, QueryError};

use crate::{
    Row, Value,
    batch::{Statement, StatementResult},
    deadline,
    error::Failure,
    heavy::Heavy,
    row::{self, Field},
    sha256_hex,
};

/// How long a statement waits for somebody else's row lock. Well inside the deadline of
/// the call, so that the caller learns why.
const LOCK_TIMEOUT_MS: i64 = 3_000;

/// The URL with a deadline for every statement, which the database itself enforces: a caller
/// that stops waiting does not stop the statement. A URL that names `options` is taken at its
/// word; an empty one says that the server knows none, as some poolers do not, and is left out.
pub(crate) fn with_deadline(url: &str) -> String {
    if !url.contains("://") {
        // The form of words, `host=… dbname=…`, or none at all.
        let named = url.is_empty() || url.contains("options");
        let deadline = format!(
            " options='-c statement_timeout={}'",
            deadline::CALL.as_millis()
        );
        return format!("{url}{}", if named { "" } else { &deadline });
    }
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parameters: Vec<&str> = query.split('&').filter(|one| !one.is_empty()).collect();
    let deadline = format!(
        "options=-c%20statement_timeout%3D{}",
        deadline::CALL.as_millis()
    );
    if !parameters.iter().any(|one| one.starts_with("options=")) {
        parameters.push(&deadline);
    }
    parameters.retain(|one| *one != "options=");
    match parameters.is_empty() {
        true => address.to_owned(),
        false => format!("{address}?{}", parameters.join("&")),
    }
}

pub(crate) struct Connection(pg::Connection);

impl Connection {
    /// A failure is worth another attempt: nothing was asked yet, and a database that has
    /// no connection left may have one in a moment.
    pub(crate) async fn open(url: &str) -> Result<Self, Failure> {
        let opened = pg::Connection::open(url).await.map(Self);
        opened.map_err(|error| Failure::Contended(error.to_string()))
    }

    pub(crate) async fn query(&self, text: &str, params: &[Value]) -> Result<Vec<Row>, Failure> {
        let params: Vec<ParameterValue> = params.iter().map(parameter).collect();
        self.rows(text, params).await
    }

    /// One call, all or nothing; a second one where the session lacks a statement yet.
    pub(crate) async fn batch(
        &self,
        statements: &[Statement],
        texts: &[String],
        heavy: &Heavy,
        lasting: bool,
    ) -> Result<Vec<StatementResult>, Failure> {
        let names: Vec<String> = statements
            .iter()
            .zip(texts)
            .map(|(statement, text)| name(text, statement.rows))
            .collect();
        let known = run_json(statements, &names, None);
        match self.run(known, heavy, lasting).await {
            Err(Failure::Unprepared) => {
                let told = run_json(statements, &names, Some(texts));
                self.run(told, heavy, lasting).await
            }
            outcome => outcome,
        }
    }

    async fn run(
        &self,
        run: String,
        heavy: &Heavy,
        lasting: bool,
    ) -> Result<Vec<StatementResult>, Failure> {
        let params = vec![
            ParameterValue::Str(run),
            ParameterValue::Int64(LOCK_TIMEOUT_MS),
            ParameterValue::Boolean(lasting),
        ];
        let admitted = heavy.condition().map(|place| format!(" WHERE {place}"));
        let call = format!(
            "SELECT aisle_run($1::text::jsonb, $2::bigint, $3::boolean) AS results{}",
            admitted.unwrap_or_default()
        );
        let rows = self.rows(&call, params).await?;
        let results = rows.first().map(|row| row.text("results"));
        let results = results
            .unwrap_or_else(|| Ok("[]".into()))
            .map_err(|error| Failure::Bug(error.to_string()))?;
        parse_results(&results)
    }

    async fn rows(&self, text: &str, params: Vec<ParameterValue>) -> Result<Vec<Row>, Failure> {
        let (columns, mut stream, result) = self
            .0
            .query(text, params)
            .await
            .map_err(failure)?
            .into_inner();
        let columns: Rc<[String]> = columns.into_iter().map(|column| column.name).collect();
        let mut rows = Vec::new();
        while let Some(values) = stream.next().await {
            rows.push(Row::new(
                columns.clone(),
                values.into_iter().map(field).collect::<Result<_, _>>()?,
            ));
        }
        result
            .await
            .map_err(|error| failure(pg::Error::PgError(error)))?;
        Ok(rows)
    }
}

/// What a session knows a statement by: no two texts share it.
fn name(text: &str, rows: bool) -> String {
    let digest = sha256_hex(text.as_bytes());
    let digest = digest.get(..32).unwrap_or_default();
    format!("aisle_{}{digest}", if rows { "r" } else { "c" })
}

/// The argument of `aisle_run`.
fn run_json(statements: &[Statement], names: &[String], texts: Option<&[String]>) -> String {
    let run = |(index, (statement, name)): (usize, (&Statement, &String))| {
        let params: Vec<_> = statement.params.iter().map(json_parameter).collect();
        let mut run = serde_json::json!({
            "name": name,
            "params": params,
            "expect": statement.expect,
            "rows": statement.rows,
        });
        if let Some(text) = texts.and_then(|texts| texts.get(index)) {
            run["sql"] = text.as_str().into();
        }
        run
    };
    let runs = statements.iter().zip(names).enumerate().map(run);
    serde_json::Value::Array(runs.collect()).to_string()
}

fn json_parameter(value: &Value) -> serde_json::Value {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
    }
}

/// The answer of `aisle_run`: for each statement how many rows it changed and, where they were
/// asked for, which came back.
fn parse_results(text: &str) -> Result<Vec<StatementResult>, Failure> {
    type Answer = (u64, Option<Vec<serde_json::Map<String, serde_json::Value>>>);
    let answers: Vec<Answer> =
        serde_json::from_str(text).map_err(|error| Failure::Bug(error.to_string()))?;
    let result = |(changes, rows): Answer| {
        let rows = rows.unwrap_or_default().into_iter().map(row::from_json);
        Ok(StatementResult {
            changes,
            rows: rows.collect::<Result<_, _>>().map_err(Failure::Bug)?,
        })
    };
    answers.into_iter().map(result).collect()
}

fn parameter(value: &Value) -> ParameterValue {
    match value {
        Value::Int(Some(number)) => ParameterValue::Int64(*number),
        Value::Text(Some(text)) => ParameterValue::Str(text.clone()),
        Value::Int(None) | Value::Text(None) => ParameterValue::DbNull,
    }
}

fn field(value: DbValue) -> Result<Field, Failure> {
    match value {
        DbValue::DbNull => Ok(Field::Null),
        DbValue::Boolean(flag) => Ok(Field::Int(flag.into())),
        DbValue::Int16(number) => Ok(Field::Int(number.into())),
        DbValue::Int32(number) => Ok(Field::Int(number.into())),
        DbValue::Int64(number) => Ok(Field::Int(number)),
        // What `sum` of a BIGINT column answers.
        DbValue::Decimal(text) => text
            .parse()
            .map(Field::Int)
            .map_err(|_| Failure::Bug(format!("{text} is no BIGINT"))),
        DbValue::Str(text) => Ok(Field::Text(text)),
        _ => Err(Failure::Bug("a column is neither BIGINT nor TEXT".into())),
    }
}

fn failure(error: pg::Error) -> Failure {
    match error {
        pg::Error::PgError(PgError::ConnectionFailed(why)) => Failure::Unavailable(why),
        pg::Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => db_failure(error),
        // No structure means that the server did not say it: the connection broke.
        pg::Error::PgError(PgError::QueryFailed(QueryError::Text(why))) => {
            Failure::Unavailable(why)
        }
        other => Failure::Bug(other.to_string()),
    }
}

/// By SQLSTATE (PostgreSQL, appendix A) and, for AI001, our own function's contract.
fn db_failure(error: DbError) -> Failure {
    let DbError {
        code,
        message,
        detail,
        extras,
        ..
    } = error;
    let class = code.get(..2).unwrap_or_default();
    match (code.as_str(), class) {
        ("AI001", _) => {
            let statement = extras
                .iter()
                .find(|(name, _)| name == "constraint")
                .and_then(|(_, index)| index.parse().ok());
            let changes = detail.and_then(|touched| touched.parse().ok());
            match (statement, changes) {
                (Some(statement), Some(changes)) => Failure::Unmet { statement, changes },
                _ => Failure::Bug(format!("AI001 does not name its statement: {message}")),
            }
        }
        ("AI002", _) => Failure::Busy(message),
        ("40001" | "40P01" | "55P03", _) => Failure::Contended(message),
        ("26000", _) => Failure::Unprepared,
        ("42P01", _) => Failure::NoTable(message),
        (_, "23") => Failure::Violated(message),
        ("57014" | "57P01" | "57P02" | "57P03" | "25006", _) | (_, "08" | "53" | "58") => {
            Failure::Unavailable(message)
        }
        _ => Failure::Bug(format!("{code}: {message}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values;

    fn statement(expect: Option<u64>, rows: bool, params: Vec<Value>) -> Statement {
        Statement {
            sql: "SELECT 1".into(),
            params,
            expect,
            rows,
            counted: true,
        }
    }

    fn db_error(code: &str, detail: Option<&str>, extras: &[(&str, &str)]) -> DbError {
        DbError {
            as_text: String::new(),
            severity: "ERROR".into(),
            code: code.into(),
            message: "said".into(),
            detail: detail.map(Into::into),
            extras: extras
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
        }
    }

    #[test]
    fn every_statement_has_a_deadline() {
        const DEADLINE: &str = "options=-c%20statement_timeout%3D7000";
        for (url, wanted) in [
            ("", String::new()),
            ("postgres://db/a", format!("postgres://db/a?{DEADLINE}")),
            (
                "postgres://db/a?sslmode=disable",
                format!("postgres://db/a?sslmode=disable&{DEADLINE}"),
            ),
            ("postgres://db/a?options=", "postgres://db/a".into()),
            (
                "postgres://db/a?options=-c%20work_mem%3D1MB&sslmode=disable",
                "postgres://db/a?options=-c%20work_mem%3D1MB&sslmode=disable".into(),
            ),
            (
                "host=db dbname=a",
                "host=db dbname=a options='-c statement_timeout=7000'".into(),
            ),
        ] {
            assert_eq!(with_deadline(url), wanted);
        }
    }

    #[test]
    fn a_batch_travels_as_json() {
        let statements = [
            statement(Some(1), false, values![3, "A\"1", None::<i64>]),
            statement(None, true, vec![]),
        ];
        let (names, texts) = (["c".into(), "r".into()], ["UPDATE".into(), "SELECT".into()]);
        let json = |texts| {
            let json = run_json(&statements, &names, texts);
            serde_json::from_str::<serde_json::Value>(&json).unwrap()
        };
        let mut expected = serde_json::json!([
            {"name": "c", "params": [3, "A\"1", null], "expect": 1, "rows": false},
            {"name": "r", "params": [], "expect": null, "rows": true},
        ]);
        assert_eq!(json(None), expected);
        expected[0]["sql"] = "UPDATE".into();
        expected[1]["sql"] = "SELECT".into();
        assert_eq!(json(Some(&texts[..])), expected);
    }

    #[test]
    fn a_name_says_which_text_it_is_and_whether_rows_come_back() {
        let names = [("SELECT 1", true), ("SELECT 1", false), ("SELECT 2", true)]
            .map(|(text, rows)| name(text, rows));
        assert_eq!(names[0], name("SELECT 1", true));
        assert!(names[0] != names[1] && names[0] != names[2]);
        // PostgreSQL cuts names off after 63 bytes.
        assert!(names.iter().all(|name| name.len() < 63));
    }

    #[test]
    fn its_answer_is_rows_and_counts() {
        let results = parse_results(r#"[[1,null],[2,[{"n":1},{"n":2}]]]"#).unwrap();
        assert_eq!((results[0].changes, results[0].rows.len()), (1, 0));
        assert_eq!(results[1].rows[1].int("n").unwrap(), 2);
        assert!(matches!(parse_results("{"), Err(Failure::Bug(_))));
    }

    #[test]
    fn sqlstates_are_understood() {
        assert_eq!(
            db_failure(db_error("AI001", Some("0"), &[("constraint", "2")])),
            Failure::Unmet {
                statement: 2,
                changes: 0
            }
        );
        assert!(matches!(
            db_failure(db_error("40P01", None, &[])),
            Failure::Contended(_)
        ));
        assert!(matches!(
            db_failure(db_error("23505", None, &[])),
            Failure::Violated(_)
        ));
        assert!(matches!(
            db_failure(db_error("42P01", None, &[])),
            Failure::NoTable(_)
        ));
        assert!(matches!(
            db_failure(db_error("53300", None, &[])),
            Failure::Unavailable(_)
        ));
        assert_eq!(
            db_failure(db_error("26000", None, &[])),
            Failure::Unprepared
        );
        assert!(matches!(
            db_failure(db_error("42601", None, &[])),
            Failure::Bug(_)
        ));
        assert!(matches!(
            db_failure(db_error("AI001", None, &[])),
            Failure::Bug(_)
        ));
    }
}
