//! Reads a type from parsed JSON and remembers where it stopped.
//!
//! Serde reads a struct from an array as well; nobody who sends one means it, so here
//! only an object is an object.

use std::cell::RefCell;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error as JsonError, Map, Value};

enum Step {
    Member(String),
    Element(usize),
}

/// The members and elements on the way to what is being read. A step is taken back only
/// when what it led to was read, so that after an error the path names its place.
type Path = RefCell<Vec<Step>>;

/// The value, or the RFC 9535 JSONPath of what is wrong with it and why.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, (String, JsonError)> {
    let path = Path::default();
    T::deserialize(Node { value, path: &path }).map_err(|error| (json_path(&path.take()), error))
}

fn json_path(steps: &[Step]) -> String {
    steps
        .iter()
        .fold(String::from("$"), |path, step| match step {
            Step::Member(name) if is_plain(name) => format!("{path}.{name}"),
            Step::Member(name) => format!(
                "{path}['{}']",
                name.replace('\\', "\\\\").replace('\'', "\\'")
            ),
            Step::Element(index) => format!("{path}[{index}]"),
        })
}

fn is_plain(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The integer that a number without a fraction is, however it is written: to JSON Schema
/// `1.0` is one (draft 2020-12, core, 4.2.3). Otherwise the number.
fn whole(number: f64) -> Result<i64, f64> {
    /// Up to here every integer has a double of its own.
    const MOST: f64 = 9_007_199_254_740_992.0;
    match number.trunc() == number && number.abs() <= MOST {
        true => Ok(number as i64),
        false => Err(number),
    }
}

struct Node<'p> {
    value: Value,
    path: &'p Path,
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let path = self.path;
        match self.value {
            Value::Array(elements) => visitor.visit_seq(Elements {
                rest: elements.into_iter().enumerate(),
                path,
            }),
            Value::Object(members) => visitor.visit_map(Members::new(members, path)),
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::String(text) => visitor.visit_string(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => visitor.visit_i64(integer),
                (None, Some(integer)) => visitor.visit_u64(integer),
                (None, None) => match whole(number.as_f64().unwrap_or(f64::NAN)) {
                    Ok(integer) => visitor.visit_i64(integer),
                    Err(fraction) => visitor.visit_f64(fraction),
                },
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.value {
            Value::Array(_) => Err(JsonError::invalid_type(Unexpected::Seq, &"an object")),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        let path = self.path;
        match self.value {
            Value::String(name) => visitor.visit_enum(Choice {
                name,
                content: None,
                path,
            }),
            Value::Object(members) if members.len() == 1 => match members.into_iter().next() {
                Some((name, content)) => visitor.visit_enum(Choice {
                    name,
                    content: Some(content),
                    path,
                }),
                None => Err(JsonError::invalid_length(0, &"one member")),
            },
            _ => Err(JsonError::custom(
                "expected a name, or an object with one member",
            )),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Reads what `step` leads to.
fn descend<'de, S: DeserializeSeed<'de>>(
    seed: S,
    value: Value,
    step: Step,
    path: &Path,
) -> Result<S::Value, JsonError> {
    path.borrow_mut().push(step);
    let read = seed.deserialize(Node { value, path })?;
    path.borrow_mut().pop();
    Ok(read)
}

struct Elements<'p> {
    rest: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    path: &'p Path,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = JsonError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, JsonError> {
        let Some((index, value)) = self.rest.next() else {
            return Ok(None);
        };
        descend(seed, value, Step::Element(index), self.path).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Members<'p> {
    rest: serde_json::map::IntoIter,
    /// The member whose name was read and whose value comes next.
    current: Option<(String, Value)>,
    path: &'p Path,
}

impl<'p> Members<'p> {
    fn new(members: Map<String, Value>, path: &'p Path) -> Self {
        Self {
            rest: members.into_iter(),
            current: None,
            path,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = JsonError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, JsonError> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        // An unknown member is refused while its name is read.
        self.path.borrow_mut().push(Step::Member(name.clone()));
        let key = seed.deserialize(StringDeserializer::new(name.clone()))?;
        self.path.borrow_mut().pop();
        self.current = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, JsonError> {
        match self.current.take() {
            Some((name, value)) => descend(seed, value, Step::Member(name), self.path),
            None => Err(JsonError::custom("a value was asked for before its name")),
        }
    }
}

struct Choice<'p> {
    name: String,
    content: Option<Value>,
    path: &'p Path,
}

impl<'de, 'p> EnumAccess<'de> for Choice<'p> {
    type Error = JsonError;
    type Variant = Content<'p>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'p>), JsonError> {
        let variant = seed.deserialize(StringDeserializer::new(self.name))?;
        Ok((
            variant,
            Content {
                value: self.content,
                path: self.path,
            },
        ))
    }
}

struct Content<'p> {
    value: Option<Value>,
    path: &'p Path,
}

impl<'p> Content<'p> {
    fn node(self) -> Result<Node<'p>, JsonError> {
        let missing = || JsonError::custom("this choice needs a value");
        Ok(Node {
            value: self.value.ok_or_else(missing)?,
            path: self.path,
        })
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = JsonError;

    fn unit_variant(self) -> Result<(), JsonError> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(JsonError::custom("this choice has no value")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, JsonError> {
        seed.deserialize(self.node()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, JsonError> {
        self.node()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.node()?.deserialize_any(visitor)
    }
}
