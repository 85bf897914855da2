//! What the read operations share: the buyer's context, pages, and cursors.

use serde::{Deserialize, Serialize};

/// Page size when the request names none, as UCP recommends.
pub const DEFAULT_PAGE_SIZE: usize = 10;
/// Largest page; a request for more gets this many.
pub const MAX_PAGE_SIZE: usize = 50;
/// Longest cursor that is looked at, in bytes: room for the longest title, which it carries.
pub const MAX_CURSOR_BYTES: usize = 4_096;
/// Most distinct identifiers of one lookup.
pub const MAX_LOOKUP_IDS: usize = 100;
/// Longest identifier, SKU, name or label, in bytes.
pub const MAX_TEXT_BYTES: usize = 256;
/// Longest free text, in bytes.
pub const MAX_QUERY_BYTES: usize = 2_000;

/// A request that cannot be answered: where it is wrong and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// For programs, such as `invalid_cursor`.
    pub code: &'static str,
    /// RFC 9535 JSONPath, such as `$.pagination.cursor`.
    pub path: String,
    pub detail: String,
}

impl Invalid {
    pub fn new(code: &'static str, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code,
            path: path.into(),
            detail: detail.into(),
        }
    }
}

/// Refuses a text beyond its limit.
pub fn check_length(path: &str, text: &str, max_bytes: usize) -> Result<(), Invalid> {
    if text.len() <= max_bytes {
        return Ok(());
    }
    Err(Invalid::new(
        "too_long",
        path,
        format!("longer than {max_bytes} bytes"),
    ))
}

/// What is provisionally known about the buyer (`types/context.json`); unknown members are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Context {
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 4217; also the unit of price filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Id of the store that the buyer has in mind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// `types/pagination.json`, `request`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PageRequest {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At least 1; 10 when absent, and never more than 50 are returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

impl PageRequest {
    /// How many results to return.
    pub fn size(&self) -> Result<usize, Invalid> {
        match self.limit {
            None => Ok(DEFAULT_PAGE_SIZE),
            Some(limit) if limit < 1 => Err(Invalid::new(
                "invalid_limit",
                "$.pagination.limit",
                "must be at least 1",
            )),
            Some(limit) => {
                Ok(usize::try_from(limit).map_or(MAX_PAGE_SIZE, |limit| limit.min(MAX_PAGE_SIZE)))
            }
        }
    }

    /// Where the previous page ended, if there was one. `search` identifies what is being paged
    /// through: a cursor is good for the search that it came from and for no other.
    pub fn after<T: for<'de> Deserialize<'de>>(&self, search: u64) -> Result<Option<T>, Invalid> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let wrong = |detail: &str| Invalid::new("invalid_cursor", "$.pagination.cursor", detail);
        if cursor.len() > MAX_CURSOR_BYTES {
            return Err(wrong("too long"));
        }
        let bytes = from_hex(cursor).ok_or_else(|| wrong("not a cursor of this service"))?;
        let (of, position): (u64, T) =
            serde_json::from_slice(&bytes).map_err(|_| wrong("not a cursor of this service"))?;
        if of != search {
            return Err(wrong("belongs to another search"));
        }
        Ok(Some(position))
    }
}

/// `types/pagination.json`, `response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pagination {
    pub has_next_page: bool,
    /// Present when there is a next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_count: Option<i64>,
}

impl Pagination {
    /// `next` is where the page ended, when another follows.
    pub fn new<T: Serialize>(search: u64, next: Option<T>, total_count: Option<i64>) -> Self {
        let cursor = next
            .and_then(|position| serde_json::to_vec(&(search, position)).ok())
            .map(|bytes| to_hex(&bytes));
        Self {
            has_next_page: cursor.is_some(),
            cursor,
            total_count,
        }
    }
}

/// Identifies a search by everything that decides its order and its results (FNV-1a).
pub fn search_id(parts: &impl Serialize) -> u64 {
    let bytes = serde_json::to_vec(parts).unwrap_or_default();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cursor: &str) -> PageRequest {
        PageRequest {
            cursor: Some(cursor.into()),
            limit: None,
        }
    }

    #[test]
    fn a_cursor_resumes_its_own_search_only() {
        let cursor = Pagination::new(7, Some(("Wool socks", 3)), None)
            .cursor
            .unwrap();
        assert_eq!(
            page(&cursor).after::<(String, i64)>(7),
            Ok(Some(("Wool socks".into(), 3)))
        );
        assert_eq!(
            page(&cursor).after::<(String, i64)>(8).unwrap_err().path,
            "$.pagination.cursor"
        );
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "x", "5b5d", "zz", "é", &"00".repeat(3_000)] {
            assert_eq!(
                page(text).after::<String>(7).unwrap_err().code,
                "invalid_cursor",
                "{text}"
            );
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let size = |limit| {
            PageRequest {
                cursor: None,
                limit,
            }
            .size()
        };
        assert_eq!(size(None), Ok(10));
        assert_eq!(size(Some(3)), Ok(3));
        assert_eq!(size(Some(i64::MAX)), Ok(50));
        assert!(size(Some(0)).is_err() && size(Some(-1)).is_err());
    }
}
