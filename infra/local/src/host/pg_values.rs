//! PostgreSQL values to and from a guest: the types that the app's schema and its
//! aggregates produce. Anything else is passed on as `unsupported`, unread.

#![expect(clippy::result_large_err, reason = "the error is the interface's own")]

use std::error::Error as StdError;

use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use rust_decimal::Decimal;
use tokio_postgres::Row as PgRow;
use uuid::Uuid;

use crate::bindings::postgres::{Column, DbDataType, DbValue, Error, ParameterValue, Row};

type BoxedError = Box<dyn StdError + Sync + Send>;
type BoxedValue = Box<dyn ToSql + Send + Sync>;

/// A parameter that is NULL whatever its type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxedError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The bytes of a value that is not interpreted.
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Self, BoxedError> {
        Ok(Self(bytes.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The guest's parameters as the driver wants them.
///
/// # Errors
/// A text that is no UUID, JSON or decimal, or a kind that the edge does not carry.
pub fn sql_values(values: &[ParameterValue]) -> Result<Vec<BoxedValue>, Error> {
    values
        .iter()
        .map(|value| sql_value(value).map_err(|e| Error::BadParameter(format!("{e:?}"))))
        .collect()
}

fn sql_value(value: &ParameterValue) -> anyhow::Result<BoxedValue> {
    Ok(match value {
        ParameterValue::Boolean(v) => Box::new(*v),
        ParameterValue::Int8(v) => Box::new(*v),
        ParameterValue::Int16(v) => Box::new(*v),
        ParameterValue::Int32(v) => Box::new(*v),
        ParameterValue::Int64(v) => Box::new(*v),
        ParameterValue::Floating32(v) => Box::new(*v),
        ParameterValue::Floating64(v) => Box::new(*v),
        ParameterValue::Str(v) => Box::new(v.clone()),
        ParameterValue::Binary(v) => Box::new(v.clone()),
        ParameterValue::Uuid(v) => Box::new(v.parse::<Uuid>()?),
        ParameterValue::Jsonb(v) => Box::new(serde_json::from_slice::<serde_json::Value>(v)?),
        ParameterValue::Decimal(v) => Box::new(v.parse::<Decimal>()?),
        ParameterValue::ArrayInt32(v) => Box::new(v.clone()),
        ParameterValue::ArrayInt64(v) => Box::new(v.clone()),
        ParameterValue::ArrayStr(v) => Box::new(v.clone()),
        ParameterValue::DbNull => Box::new(Null),
        other => anyhow::bail!("the local edge does not carry parameters like {other:?}"),
    })
}

/// Name and type of a result's column.
pub fn column(column: &tokio_postgres::Column) -> Column {
    Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_()),
    }
}

fn data_type(pg_type: &Type) -> DbDataType {
    match *pg_type {
        Type::BOOL => DbDataType::Boolean,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::BYTEA => DbDataType::Binary,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        _ => DbDataType::Other(pg_type.name().to_owned()),
    }
}

/// One row for the guest.
///
/// # Errors
/// A value that does not decode as its type says.
pub fn guest_row(row: &PgRow) -> anyhow::Result<Row> {
    (0..row.len())
        .map(|index| guest_value(row, index))
        .collect()
}

fn guest_value(row: &PgRow, index: usize) -> anyhow::Result<DbValue> {
    match *row.columns()[index].type_() {
        Type::BOOL => get(row, index, DbValue::Boolean),
        Type::INT2 => get(row, index, DbValue::Int16),
        Type::INT4 => get(row, index, DbValue::Int32),
        Type::INT8 => get(row, index, DbValue::Int64),
        Type::FLOAT4 => get(row, index, DbValue::Floating32),
        Type::FLOAT8 => get(row, index, DbValue::Floating64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => get(row, index, DbValue::Str),
        Type::BYTEA => get(row, index, DbValue::Binary),
        Type::UUID => get(row, index, |id: Uuid| DbValue::Uuid(id.to_string())),
        Type::JSONB => get(row, index, |document: serde_json::Value| {
            DbValue::Jsonb(document.to_string().into_bytes())
        }),
        Type::NUMERIC => get(row, index, |decimal: Decimal| {
            DbValue::Decimal(decimal.to_string())
        }),
        Type::INT4_ARRAY => get(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => get(row, index, DbValue::ArrayInt64),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            get(row, index, DbValue::ArrayStr)
        }
        _ => get(row, index, |raw: Raw| DbValue::Unsupported(raw.0)),
    }
}

fn get<'a, V: FromSql<'a>>(
    row: &'a PgRow,
    index: usize,
    to_guest: impl Fn(V) -> DbValue,
) -> anyhow::Result<DbValue> {
    Ok(row
        .try_get::<_, Option<V>>(index)?
        .map_or(DbValue::DbNull, to_guest))
}
