//! Page tokens, as clients send them back.
//!
//! What must hold: an accepted token is the one and only token of its cursor, is short, and belongs to one
//! list; a token that was changed anywhere is refused.

use api::request::Page;
use server::ListOf;
use store::Cursor;

use crate::mutation::{self, Random};

const MOST_CHARACTERS: usize = 1024;

fn lists() -> [ListOf; 4] {
    [
        ListOf::new("ListUsers", &()),
        ListOf::new("ListAdmins", &()),
        ListOf::new("ListRegistrations", &("spring-cup", ["CONFIRMED"])),
        ListOf::new("ListRegistrations", &("spring-cup", ["WAITLISTED"])),
    ]
}

/// What a list reads in a token; `None` = it is refused.
fn read(list: ListOf, token: &str) -> Option<Cursor> {
    let asked = Page {
        size: 50,
        token: token.to_owned(),
    };
    match list.page(&asked) {
        Ok(page) => page.after,
        Err(invalid) => {
            assert_eq!(invalid.fields().len(), 1);
            assert_eq!(invalid.fields()[0].field, "page_token");
            assert!(invalid.to_string().len() < 200, "a token is repeated");
            None
        }
    }
}

/// The target: the bytes are a token, and they are a cursor.
pub fn check(data: &[u8]) {
    let lists = lists();
    if let Ok(token) = std::str::from_utf8(data) {
        let found: Vec<_> = lists
            .iter()
            .filter_map(|list| Some((list, read(*list, token)?)))
            .collect();
        assert!(found.len() <= 1, "{token} is read by {} lists", found.len());
        if let Some((list, cursor)) = found.first() {
            assert_eq!(list.token(Some(cursor)), token, "a cursor has two tokens");
            assert!(token.len() <= MOST_CHARACTERS);
        }
    }
    let (Some(&first), Some(&end)) = (data.first(), data.last()) else {
        return;
    };
    // A cursor of this list, and then its token with one character changed.
    let list = lists[usize::from(first) % lists.len()];
    let cursor = Cursor(data.to_vec());
    let written = list.token(Some(&cursor));
    let is_short = written.len() <= MOST_CHARACTERS;
    assert_eq!(read(list, &written), is_short.then_some(cursor));
    for other in lists.iter().filter(|other| **other != list) {
        assert_eq!(
            read(*other, &written),
            None,
            "{written} is read by another list"
        );
    }
    let mut changed = written.clone().into_bytes();
    let at = usize::from(end) % changed.len();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    assert_eq!(read(list, &changed), None, "{changed} is no token");
}

/// A good token, or nearly.
pub fn make(random: &mut Random) -> Vec<u8> {
    let mut cursor = mutation::text(random).into_bytes();
    if random.one_in(2) {
        cursor = mutation::number(random).to_string().into_bytes();
    }
    if random.one_in(3) {
        return cursor;
    }
    let mut token = random
        .pick(&lists())
        .token(Some(&Cursor(cursor)))
        .into_bytes();
    if random.one_in(2) {
        mutation::bytes(random, &mut token);
    }
    token
}
