//! Rows as typed columns, the same from both databases.

use std::rc::Rc;

use serde::de::DeserializeOwned;

use crate::StoreError;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Null,
    Int(i64),
    Text(String),
}

/// One row of a result; its columns are asked for by name.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Rc<[String]>,
    fields: Vec<Field>,
}

impl Row {
    pub(crate) fn new(columns: Rc<[String]>, fields: Vec<Field>) -> Self {
        Self { columns, fields }
    }

    /// A TEXT column that is not NULL.
    pub fn text(&self, column: &str) -> Result<String, StoreError> {
        self.text_opt(column)?.ok_or_else(|| null(column))
    }

    /// A TEXT column, `None` for NULL.
    pub fn text_opt(&self, column: &str) -> Result<Option<String>, StoreError> {
        Ok(self.borrowed(column)?.map(str::to_owned))
    }

    /// A BIGINT column that is not NULL.
    pub fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.int_opt(column)?.ok_or_else(|| null(column))
    }

    /// A BIGINT column, `None` for NULL.
    pub fn int_opt(&self, column: &str) -> Result<Option<i64>, StoreError> {
        match self.field(column)? {
            Field::Null => Ok(None),
            Field::Int(number) => Ok(Some(*number)),
            Field::Text(_) => Err(StoreError::Bug(format!(
                "column {column} is text, not a number"
            ))),
        }
    }

    /// A TEXT column that holds a JSON document.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        self.json_opt(column)?.ok_or_else(|| null(column))
    }

    /// The same for a column that can be NULL.
    pub fn json_opt<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, StoreError> {
        self.borrowed(column)?
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| {
                StoreError::Bug(format!("column {column} holds no such document: {error}"))
            })
    }

    fn borrowed(&self, column: &str) -> Result<Option<&str>, StoreError> {
        match self.field(column)? {
            Field::Null => Ok(None),
            Field::Text(text) => Ok(Some(text)),
            Field::Int(_) => Err(StoreError::Bug(format!(
                "column {column} is a number, not text"
            ))),
        }
    }

    fn field(&self, column: &str) -> Result<&Field, StoreError> {
        let index = self.columns.iter().position(|name| name == column);
        index
            .and_then(|index| self.fields.get(index))
            .ok_or_else(|| StoreError::Bug(format!("the result has no column {column}")))
    }
}

fn null(column: &str) -> StoreError {
    StoreError::Bug(format!("column {column} is NULL"))
}

/// A row of a batch on PostgreSQL, which comes back as a JSON object.
pub(crate) fn from_json(object: serde_json::Map<String, serde_json::Value>) -> Result<Row, String> {
    let (columns, fields): (Vec<_>, Vec<_>) = object.into_iter().unzip();
    let fields = fields
        .into_iter()
        .map(json_field)
        .collect::<Result<_, _>>()?;
    Ok(Row::new(columns.into(), fields))
}

fn json_field(value: serde_json::Value) -> Result<Field, String> {
    match value {
        serde_json::Value::Null => Ok(Field::Null),
        serde_json::Value::Bool(flag) => Ok(Field::Int(flag.into())),
        serde_json::Value::String(text) => Ok(Field::Text(text)),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(Field::Int)
            .ok_or_else(|| format!("{number} is not a BIGINT")),
        other => Err(format!("a column holds {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let object =
            serde_json::json!({"sku": "A-1", "on_hand": 7, "gtin": null, "doc": "{\"a\":1}"});
        let serde_json::Value::Object(object) = object else {
            unreachable!()
        };
        from_json(object).unwrap()
    }

    #[test]
    fn columns_come_by_name_and_type() {
        let row = row();
        assert_eq!(row.text("sku").unwrap(), "A-1");
        assert_eq!(row.int("on_hand").unwrap(), 7);
        assert_eq!(row.text_opt("gtin").unwrap(), None);
        assert_eq!(row.json::<serde_json::Value>("doc").unwrap()["a"], 1);
    }

    #[test]
    fn a_wrong_name_or_type_is_an_error_not_a_trap() {
        let row = row();
        for wrong in [row.text("missing"), row.text("on_hand"), row.text("gtin")] {
            assert!(matches!(wrong, Err(StoreError::Bug(_))));
        }
        assert!(matches!(row.int("sku"), Err(StoreError::Bug(_))));
    }
}
