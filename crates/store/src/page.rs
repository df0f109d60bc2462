//! Pages of a list.

use domain::Revision;

/// The end of a page, where the next page begins. Only the list that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Vec<u8>);

/// The part of a list to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items to return: 1 to 200.
    pub size: usize,
    /// `None` = the first page.
    pub after: Option<Cursor>,
}

/// A part of a list. It may be shorter than requested although more items follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `None` = this was the last page.
    pub next: Option<Cursor>,
}

/// An item of a list. A page may be cut after any of its items.
pub trait Listed {
    /// The cursor of the page that begins behind this item.
    fn cursor(&self) -> Cursor;
}

impl Cursor {
    /// Takes the bytes of a cursor that a client sends back. They may be anything.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The cursor as text; empty if it is not UTF-8.
    pub(crate) fn as_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(crate) fn of_text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// The cursor of a list in the order of revision.
    pub(crate) fn of_revision(revision: Revision) -> Self {
        Self::of_text(&revision.to_string())
    }
}

impl PageRequest {
    /// The text after which the page begins; empty = the first page.
    pub(crate) fn after_text(&self) -> &str {
        self.after.as_ref().map_or("", Cursor::as_text)
    }

    /// The revision after which the page begins; 0 if the cursor is not a revision.
    pub(crate) fn after_revision(&self) -> Revision {
        // A client may send any number. No log gets so long, and the scripts calculate with it.
        const MAX: u64 = 1 << 53;
        Revision::new(self.after_text().parse().unwrap_or(0).min(MAX))
    }
}
