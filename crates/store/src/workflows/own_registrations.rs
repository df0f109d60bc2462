//! Lists a user's registrations: the user's index names the competitions, and each competition is
//! read with the registration. Deletes old index entries without a registration.

use std::sync::Arc;

use domain::{Competition, Registration, UserId};

use crate::error::Result;
use crate::page::{Cursor, Page, PageRequest};
use crate::redis::Redis;
use crate::registrations::{IndexPage, RegistrationIn, Registrations, UserIndex};

/// Lists a user's registrations with their competitions, in the order of the competitions' ids. Two
/// round trips, and one more for each 500 entries of the index.
pub(crate) async fn list_own_registrations(
    redis: &Redis,
    index: &UserIndex,
    registrations: &Registrations,
    user: &UserId,
    page: &PageRequest,
) -> Result<Page<(Registration, Competition)>> {
    let read_at = redis.now();
    let IndexPage { entries, is_last } = index.page(user, page.after_text(), page.size).await?;
    let ids: Vec<_> = entries
        .iter()
        .map(|entry| entry.competition.clone())
        .collect();
    let last = ids.last().filter(|_| !is_last);
    let next = last.map(|last| Cursor::of_text(last.as_str()));
    let (mut items, mut leftovers) = (Vec::with_capacity(ids.len()), Vec::new());
    let found = registrations.read_many(user, &ids).await?;
    for (entry, found) in entries.into_iter().zip(found) {
        match found {
            Some(RegistrationIn {
                competition,
                registration: Some(described),
            }) => items.push((described.registration, Arc::unwrap_or_clone(competition))),
            _ => leftovers.push(entry),
        }
    }
    index.delete_leftovers(user, leftovers, read_at).await;
    Ok(Page { items, next })
}
