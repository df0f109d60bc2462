use proptest::prelude::*;

use super::*;

fn page(list: ListOf, token: &str) -> Result<Option<Vec<u8>>, InvalidFields> {
    let token = token.to_owned();
    let page = list.page(&RequestedPage { size: 50, token })?;
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
    ListOf::new("List", &()).response(Page { items, next }, convert)
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
fn other_fields_of_a_response_leave_less_room_for_items() {
    let items = (0..200).map(|n| Item(n, 40_000)).collect();
    let (others, convert) = ("x".repeat(1_000_000), |item: Item| "x".repeat(item.1));
    let found = Page { items, next: None };
    let (items, token) = ListOf::new("List", &()).response_beside(&others, found, convert);
    let expected = (MAX_PAGE_BYTES - others.encoded_len()) / (40_000 + 2 * ITEM_FRAME_BYTES);
    assert!(items.len().abs_diff(expected) <= 1, "{}", items.len());
    assert_ne!(token, "");
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
