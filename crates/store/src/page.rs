//! Pages of a list.

use domain::Revision;

/// Where the next page begins. Opaque to everybody but the list that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items that are wanted: 1 to 200.
    pub size: usize,
    /// Where the page begins; `None` = at the beginning.
    pub after: Option<Cursor>,
}

/// A part of a list. It may be shorter than asked for although there is more.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` = this was the last.
    pub next: Option<Cursor>,
}

/// Something that stands in a list. A page that is cut short ends with any of its items.
pub trait Listed {
    /// Where a page begins that follows this item.
    fn cursor(&self) -> Cursor;
}

impl Cursor {
    /// The cursor as text, if it is one that a list of texts made.
    pub(crate) fn as_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn of_text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// The cursor of a list that is in the order of revision.
    pub(crate) fn of_revision(revision: Revision) -> Self {
        Self::of_text(&revision.to_string())
    }
}

impl PageRequest {
    /// The text after which the page begins; empty = at the beginning.
    pub(crate) fn after_text(&self) -> &str {
        self.after.as_ref().map_or("", Cursor::as_text)
    }
}
