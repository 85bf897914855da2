//! How a cart came to be as it is: which device made this version, and what devices that
//! did not know of each other wanted differently.

use serde::{Deserialize, Serialize};

use super::Line;
use crate::notice::{Level, Notice};

/// Earlier versions of a cart that are kept, and how long, in versions, a note stays: a
/// device that is further behind looks at the cart anew.
pub const KEPT_VERSIONS: i64 = 20;

/// A part of the cart's document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trail {
    /// What the device that made this version calls itself, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Of this version and of those shortly before it, so that every device gets to see them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
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
        }
    }

    /// The notes as notices of a cart with these lines.
    pub fn notices<'a>(&'a self, lines: &'a [Line]) -> impl Iterator<Item = Notice> + 'a {
        self.notes.iter().map(|note| note.shown(lines))
    }
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
