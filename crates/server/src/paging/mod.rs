//! Pages of lists: their size, and the tokens that lead from one page to the next.
//!
//! A token is opaque and bound to its list: base64url of `version, fingerprint, cursor, checksum`.
//! The fingerprint binds it to the method and its other arguments; the checksum detects damage.
//! Neither is a secret: a cursor is a position and grants no access, so forging one gains nothing.

use std::hash::{Hash, Hasher};

use api::request::RequestedPage;
use data_encoding::BASE64URL_NOPAD;
use domain::InvalidFields;
use prost::Message;
use store::{Cursor, Listed, Page, PageRequest};

/// The most bytes of the items of a page. Clients accept 4 MiB by default, which include the token
/// and the frame of the message.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024 - 4 * 1024;
/// The most bytes of the tag and the length before an item.
const ITEM_FRAME_BYTES: usize = 5;

/// A list with pages, identified by the method and by every argument that selects items.
///
/// ```
/// # use server::ListOf;
/// # use store::Cursor;
/// # use api::request::RequestedPage;
/// let list = ListOf::new("ListRegistrations", &("spring-cup", ["CONFIRMED"]));
/// let token = list.token(Some(&Cursor::from_bytes(b"42".to_vec())));
/// let page = list.page(&RequestedPage { size: 50, token }).unwrap();
/// assert_eq!(page.after, Some(Cursor::from_bytes(b"42".to_vec())));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOf(u64);

const VERSION: u8 = 1;
const VERSION_BYTES: usize = 1;
const FINGERPRINT_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 4;
const FRAME_BYTES: usize = VERSION_BYTES + FINGERPRINT_BYTES + CHECKSUM_BYTES;
/// Longer than any token that is returned: cursors are ids and numbers.
const MAX_TOKEN_CHARACTERS: usize = 1024;

impl ListOf {
    /// Returns the list of this method and all its arguments but the page's size and token.
    #[must_use]
    pub fn new(method: &str, arguments: &impl Hash) -> Self {
        let mut hasher = Fnv::default();
        method.hash(&mut hasher);
        arguments.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// Returns the page that a client asks for. Fails if the token is damaged or belongs to another
    /// list. The cursor is still untrusted input.
    pub fn page(self, asked: &RequestedPage) -> Result<PageRequest, InvalidFields> {
        let after = if asked.token.is_empty() {
            None
        } else {
            let cursor = self.decode(&asked.token);
            Some(Cursor::from_bytes(cursor.ok_or_else(not_a_page_token)?))
        };
        Ok(PageRequest {
            size: asked.size as usize,
            after,
        })
    }

    /// Converts the items of a page, and returns them with the token of the next page, which is
    /// empty if there is none. Items above [`MAX_PAGE_BYTES`] are left for the next page.
    pub fn response<T: Listed, M: Message>(
        self,
        found: Page<T>,
        convert: impl Fn(T) -> M,
    ) -> (Vec<M>, String) {
        self.response_beside(&(), found, convert)
    }

    /// Does the same for a response that has more fields than the items. They must leave room for
    /// one item.
    pub fn response_beside<T: Listed, M: Message>(
        self,
        other_fields: &impl Message,
        found: Page<T>,
        convert: impl Fn(T) -> M,
    ) -> (Vec<M>, String) {
        let mut items = Vec::with_capacity(found.items.len());
        let mut bytes_left = MAX_PAGE_BYTES.saturating_sub(other_fields.encoded_len());
        let mut last_cursor = None;
        for item in found.items {
            let cursor = item.cursor();
            let item = convert(item);
            let bytes = item.encoded_len() + ITEM_FRAME_BYTES;
            if bytes > bytes_left {
                return (items, self.token(last_cursor.as_ref()));
            }
            bytes_left -= bytes;
            last_cursor = Some(cursor);
            items.push(item);
        }
        (items, self.token(found.next.as_ref()))
    }

    /// Returns the token of the next page; empty if there is none.
    #[must_use]
    pub fn token(self, next: Option<&Cursor>) -> String {
        next.map_or_else(String::new, |cursor| self.encode(cursor.as_bytes()))
    }

    fn encode(self, cursor: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(FRAME_BYTES + cursor.len());
        bytes.push(VERSION);
        bytes.extend(self.0.to_be_bytes());
        bytes.extend(cursor);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    fn decode(self, token: &str) -> Option<Vec<u8>> {
        if token.len() > MAX_TOKEN_CHARACTERS {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let (version, rest) = body.split_first()?;
        let (fingerprint, cursor) = rest.split_first_chunk::<FINGERPRINT_BYTES>()?;
        let is_valid = *version == VERSION
            && *fingerprint == self.0.to_be_bytes()
            && *checksum == crc32fast::hash(body).to_be_bytes();
        is_valid.then(|| cursor.to_vec())
    }
}

fn not_a_page_token() -> InvalidFields {
    InvalidFields::one(
        "page_token",
        &"must be the next_page_token of a response to the same request",
    )
}

/// FNV-1a. Unlike the standard library's hashers, it is the same in every process and version.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
