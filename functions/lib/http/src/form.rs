//! Forms that a page sends without a script.

use http::HeaderMap;

use crate::{Error, body, path};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Fields of a form, at most.
const MAX_FIELDS: usize = 64;

/// The fields of a form, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// 400 for what is not a form, or has more than 64 fields.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(body).map_err(|_| {
            Error::bad_request("invalid_encoding", "body", "this is not UTF-8 text")
        })?;
        let fields = path::query(text)?;
        if fields.len() > MAX_FIELDS {
            let detail = format!("a form has at most {MAX_FIELDS} fields");
            return Err(Error::bad_request("too_many_fields", "body", &detail));
        }
        Ok(Self { fields })
    }

    /// Names and values as they were sent, for signatures over them.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// The first value of a field without the blanks around it, `None` when nothing was
    /// entered; 400 when it has more than `max_chars` characters.
    pub fn text(&self, name: &str, max_chars: usize) -> Result<Option<&str>, Error> {
        let value = self
            .fields
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.trim());
        if value.chars().count() > max_chars {
            let detail = format!("longer than {max_chars} characters");
            return Err(Error::bad_request("invalid_value", name, &detail));
        }
        Ok((!value.is_empty()).then_some(value))
    }

    /// The same for a field that must be there.
    pub fn required(&self, name: &str, max_chars: usize) -> Result<&str, Error> {
        self.text(name, max_chars)?
            .ok_or_else(|| Error::bad_request("missing_field", name, "this field is needed"))
    }

    /// Every value of a field that can repeat, such as boxes that were ticked.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// Refuses what does not say that it is a form: a page of another origin can send that, or
/// text, without asking first, but nothing else.
pub(crate) fn require(headers: &HeaderMap) -> Result<(), Error> {
    if body::media_type(headers).as_deref() == Some(MEDIA_TYPE) {
        return Ok(());
    }
    Err(body::unsupported(
        "the body must be application/x-www-form-urlencoded",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_bounded() {
        let form = Form::parse(b"name=Ada+L%C3%B6w&box=a&box=b&empty=+&code=123456").unwrap();
        assert_eq!(form.required("name", 7).unwrap(), "Ada L\u{f6}w");
        assert_eq!(form.all("box"), ["a", "b"]);
        assert_eq!(form.text("empty", 10).unwrap(), None);
        for name in ["code", "missing"] {
            let error = form.required(name, 5).unwrap_err();
            assert_eq!((error.status(), error.path()), (400, Some(name)));
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert_eq!(Form::parse(b"a=%ff").unwrap_err().status(), 400);
        assert_eq!(Form::parse(b"a=%00").unwrap_err().status(), 400);
        assert_eq!(Form::parse(b"\xff").unwrap_err().status(), 400);
        assert_eq!(
            Form::parse("a=1&".repeat(65).as_bytes())
                .unwrap_err()
                .status(),
            400
        );
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(http::header::CONTENT_TYPE, value.parse().unwrap())])
        };
        assert!(require(&headers("application/x-www-form-urlencoded; charset=utf-8")).is_ok());
        for bad in ["application/json", "text/plain", ""] {
            assert_eq!(require(&headers(bad)).unwrap_err().status(), 415, "{bad}");
        }
        assert_eq!(require(&HeaderMap::new()).unwrap_err().status(), 415);
    }
}
