//! The same request id again: no second effect, the same answer. With another body it is refused.

mod competitions;
mod people;
mod registrations;

use std::collections::HashMap;

use domain::Rejection;

use crate::world::{World, rejection};

/// All keys but a user's index, which every call writes anew.
async fn truth(world: &World) -> HashMap<String, Vec<u8>> {
    let mut all = world.everything().await;
    all.retain(|key, _| !key.ends_with(":competitions") && !key.ends_with(":added"));
    all
}

/// Makes a call twice, and finds the same answer and nothing changed by the second one.
pub(super) async fn repeat<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    world: &World,
    mut call: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let first = call().await.expect("an answer");
    let before = truth(world).await;
    let second = call().await.expect("the same answer");
    assert_eq!(second, first);
    assert!(truth(world).await == before, "a repetition changes nothing");
    second
}

pub(super) fn reused<T: std::fmt::Debug>(answer: store::Result<T>) {
    assert_eq!(rejection(answer), Rejection::RequestIdReused);
}
