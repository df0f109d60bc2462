//! Lists a user's registrations: the user's index names the competitions, and each competition is
//! read with the registration. Deletes old index entries without a registration.

use std::sync::Arc;

use domain::{Competition, Registration, UserId};

use crate::error::Result;
use crate::page::{Cursor, Page, PageRequest};
use crate::redis::Redis;
use crate::registrations::{RegistrationIn, Registrations, UserIndex};

/// Lists a user's registrations with their competitions, in the order of the competitions' ids. Two
/// round trips.
pub(crate) async fn list_own_registrations(
    redis: &Redis,
    index: &UserIndex,
    registrations: &Registrations,
    user: &UserId,
    page: &PageRequest,
) -> Result<Page<(Registration, Competition)>> {
    let read_at = redis.now();
    let mut entries = index.list(user).await?;
    entries.dedup_by(|a, b| a.competition == b.competition);
    let begin = entries.partition_point(|entry| entry.competition.as_str() <= page.after_text());
    let rest = &entries[begin..];
    let shown = &rest[..rest.len().min(page.size)];
    let ids: Vec<_> = shown
        .iter()
        .map(|entry| entry.competition.clone())
        .collect();
    let mut items = Vec::with_capacity(shown.len());
    for (entry, found) in shown.iter().zip(registrations.read_many(user, &ids).await?) {
        match found {
            Some(RegistrationIn {
                competition,
                registration: Some(described),
            }) => items.push((described.registration, Arc::unwrap_or_clone(competition))),
            _ => index.delete_leftover(user, entry, read_at).await,
        }
    }
    let last = shown.last().filter(|_| shown.len() < rest.len());
    let next = last.map(|last| Cursor::of_text(last.competition.as_str()));
    Ok(Page { items, next })
}
