//! How a cart came to be as it is: which device made this version, and what devices that
//! did not know of each other wanted differently.

use serde::{Deserialize, Serialize};

use super::{Line, LineRequest};
use crate::notice::{Level, Notice};

/// Earlier versions of a cart that are kept, and how long, in versions, a note stays: a
/// device that is further behind looks at the cart anew.
pub const KEPT_VERSIONS: i64 = 20;

/// Ids of ours count up to this.
const MAX_NUMBER: u32 = 1_000_000_000;

/// A part of the cart's document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trail {
    /// What the device that made this version calls itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of this version and of those shortly before it, so that every device gets to see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// The highest number that the cart has had in a line's id of ours, `li_7`. None comes
    /// again: a device that has not heard of the first line's end would mean the wrong one.
    #[serde(default)]
    pub last_line: u32,
}

/// Something that shoppers must be told because it is not in the cart as one of their devices
/// put it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The version of the cart that it came with.
    pub version: i64,
    /// The line that it is about; absent: the cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// A member of the line or the cart, such as `quantity` or `buyer.email`.
    pub member: String,
    pub notice: Notice,
}

impl Trail {
    /// The trail of version `version`, made by `by`, with what is to be told of it.
    pub fn next(&self, version: i64, by: Option<&str>, news: Vec<Note>) -> Self {
        let recent = |note: &&Note| note.version > version - KEPT_VERSIONS;
        let notes = self.notes.iter().filter(recent).cloned();
        Self {
            by: by.map(Into::into),
            notes: notes.chain(news).collect(),
            last_line: self.last_line,
        }
    }

    /// Gives an id to every line that has none.
    pub(super) fn name(&self, mut lines: Vec<LineRequest>) -> Vec<LineRequest> {
        let taken = lines.iter().filter_map(|line| line.id.as_deref());
        let taken = taken.filter_map(number).max().unwrap_or_default();
        let mut last = self.last_line.max(taken);
        for line in lines.iter_mut().filter(|line| line.id.is_none()) {
            last += 1;
            line.id = Some(format!("li_{last}"));
        }
        lines
    }

    /// Remembers the ids that are in use.
    pub(super) fn with_ids_of(mut self, lines: &[Line]) -> Self {
        let numbers = lines.iter().filter_map(|line| number(&line.id));
        self.last_line = numbers.fold(self.last_line, u32::max);
        self
    }

    /// The notes as notices of a cart with these lines.
    pub fn notices<'a>(&'a self, lines: &'a [Line]) -> impl Iterator<Item = Notice> + 'a {
        self.notes.iter().map(|note| note.shown(lines))
    }
}

/// The number in an id of ours; what nobody can have counted up to is a client's own id.
fn number(id: &str) -> Option<u32> {
    let number = id.strip_prefix("li_")?.parse().ok();
    number.filter(|number| *number < MAX_NUMBER)
}

impl Note {
    /// About a line.
    pub(super) fn of_line(
        version: i64,
        line: &Line,
        member: &str,
        level: Level,
        code: &str,
        text: String,
    ) -> Self {
        let note = Self::of_cart(version, member, level, code, text);
        let note = note
            .detail("line_id", line.id.as_str())
            .detail("sku", line.sku.as_str());
        Self {
            line_id: Some(line.id.clone()),
            ..note
        }
    }

    /// About a member of the cart.
    pub(super) fn of_cart(
        version: i64,
        member: &str,
        level: Level,
        code: &str,
        text: String,
    ) -> Self {
        let notice = Notice {
            level,
            code: code.to_owned(),
            text,
            path: None,
            details: Default::default(),
        };
        Self {
            version,
            line_id: None,
            member: member.to_owned(),
            notice: notice.detail("version", version),
        }
    }

    pub(super) fn detail(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.notice = self.notice.detail(name, value);
        self
    }

    fn shown(&self, lines: &[Line]) -> Notice {
        let place = |id: &String| lines.iter().position(|line| line.id == *id);
        let path = match self.line_id.as_ref().map(place) {
            Some(Some(index)) => format!("$.line_items[{index}].{}", self.member),
            Some(None) => "$.line_items".to_owned(),
            None => format!("$.{}", self.member),
        };
        Notice {
            path: Some(path),
            ..self.notice.clone()
        }
    }
}
