//! Pages of lists: their size, and the tokens that lead from one page to the next.
//!
//! A token is opaque and bound to its list: base64url of `version, fingerprint, cursor, checksum`.
//! The fingerprint binds it to the method and its other arguments; the checksum detects damage.
//! Neither is a secret: a cursor is a position and grants no access, so forging one gains nothing.

use std::hash::{Hash, Hasher};

use api::request::Page;
use data_encoding::BASE64URL_NOPAD;
use domain::InvalidFields;
use prost::Message;
use store::{Cursor, Listed, Page as Found, PageRequest};

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
/// # use api::request::Page;
/// let list = ListOf::new("ListRegistrations", &("spring-cup", ["CONFIRMED"]));
/// let token = list.token(Some(&Cursor::from_bytes(b"42".to_vec())));
/// let page = list.page(&Page { size: 50, token }).unwrap();
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
    pub fn page(self, asked: &Page) -> Result<PageRequest, InvalidFields> {
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
        found: Found<T>,
        convert: impl Fn(T) -> M,
    ) -> (Vec<M>, String) {
        let mut items = Vec::with_capacity(found.items.len());
        let mut bytes_left = MAX_PAGE_BYTES;
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(list: ListOf, token: &str) -> Result<Option<Vec<u8>>, InvalidFields> {
        let token = token.to_owned();
        let page = list.page(&Page { size: 50, token })?;
        Ok(page.after.map(|cursor| cursor.as_bytes().to_vec()))
    }

    fn refused<T>() -> Result<T, InvalidFields> {
        Err(not_a_page_token())
    }

    #[test]
    fn no_token_is_the_first_page_and_the_last_page_has_no_token() {
        let list = ListOf::new("ListUsers", &());
        assert_eq!(page(list, ""), Ok(None));
        assert_eq!(list.token(None), "");
    }

    #[test]
    fn the_token_of_one_process_is_read_by_another() {
        let list = ListOf::new("ListUsers", &"ada@example.org");
        let token = list.token(Some(&Cursor::from_bytes(b"ada-1815".to_vec())));
        assert_eq!(token, "AUzF58Om22FvYWRhLTE4MTXXqnAg");
    }

    #[test]
    fn a_token_that_is_too_long_is_refused() {
        let list = ListOf::new("List", &());
        let longest = MAX_TOKEN_CHARACTERS / 4 * 3 - FRAME_BYTES;
        let token = |length| list.token(Some(&Cursor::from_bytes(vec![b'a'; length])));
        assert_eq!(page(list, &token(longest)), Ok(Some(vec![b'a'; longest])));
        assert_eq!(page(list, &token(longest + 1)), refused());
    }

    /// An item with a cursor and the length of its message.
    struct Item(u8, usize);

    impl Listed for Item {
        fn cursor(&self) -> Cursor {
            Cursor::from_bytes(vec![self.0])
        }
    }

    fn response(items: Vec<Item>) -> (Vec<String>, String) {
        let next = Some(Cursor::from_bytes(b"after all of them".to_vec()));
        let convert = |item: Item| "x".repeat(item.1);
        ListOf::new("List", &()).response(Found { items, next }, convert)
    }

    #[test]
    fn a_page_below_the_limit_is_complete() {
        let (items, token) = response(vec![Item(1, 10), Item(2, 20)]);
        assert_eq!(items.len(), 2);
        let next = page(ListOf::new("List", &()), &token);
        assert_eq!(next, Ok(Some(b"after all of them".to_vec())));
    }

    #[test]
    fn items_above_the_limit_are_left_for_the_next_page() {
        let items = (0..200).map(|n| Item(n, 40_000)).collect();
        let (items, token) = response(items);
        let bytes: usize = items
            .iter()
            .map(|item| item.encoded_len() + ITEM_FRAME_BYTES)
            .sum();
        assert!(
            (MAX_PAGE_BYTES - 50_000..=MAX_PAGE_BYTES).contains(&bytes),
            "{bytes}"
        );
        let last = u8::try_from(items.len() - 1).expect("fewer than 200");
        assert_eq!(page(ListOf::new("List", &()), &token), Ok(Some(vec![last])));
    }

    #[test]
    fn lists_with_different_arguments_differ() {
        assert_ne!(
            ListOf::new("List", &("ab", "c")),
            ListOf::new("List", &("a", "bc"))
        );
        assert_ne!(
            ListOf::new("List", &None::<&str>),
            ListOf::new("List", &Some(""))
        );
        assert_ne!(
            ListOf::new("ListUsers", &()),
            ListOf::new("ListAdmins", &())
        );
    }

    proptest! {
        #[test]
        fn a_token_returns_its_cursor(cursor: Vec<u8>, argument: String) {
            let list = ListOf::new("List", &argument);
            let token = list.token(Some(&Cursor::from_bytes(cursor.clone())));
            prop_assert_eq!(page(list, &token), Ok(Some(cursor)));
        }

        #[test]
        fn a_token_of_other_arguments_is_refused(cursor: Vec<u8>, one: String, other: String) {
            prop_assume!(one != other);
            let token = ListOf::new("List", &one).token(Some(&Cursor::from_bytes(cursor)));
            prop_assert_eq!(page(ListOf::new("List", &other), &token), refused());
        }

        #[test]
        fn a_damaged_token_is_refused(
            cursor: Vec<u8>,
            at: prop::sample::Index,
            damage in "[A-Za-z0-9_-]",
        ) {
            let list = ListOf::new("List", &());
            let token = list.token(Some(&Cursor::from_bytes(cursor)));
            let at = at.index(token.len());
            let mut damaged = token.clone();
            damaged.replace_range(at..=at, &damage);
            prop_assume!(damaged != token);
            prop_assert_eq!(page(list, &damaged), refused());
        }

        #[test]
        fn any_other_text_is_refused(text in ".+") {
            prop_assert_eq!(page(ListOf::new("List", &()), &text), refused());
        }
    }
}
