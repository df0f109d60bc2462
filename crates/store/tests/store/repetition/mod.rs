//! Repeated requests: the same request id has no second effect and gets the same reply. With
//! another body it is refused.

mod competitions;
mod people;
mod registrations;

use std::collections::HashMap;

use domain::Rejection;

use crate::world::{World, rejection};

/// All keys except the indexes of users, which every call writes again.
async fn lasting_records(world: &World) -> HashMap<String, Vec<u8>> {
    let mut all = world.everything().await;
    all.retain(|key, _| !key.ends_with(":competitions") && !key.ends_with(":added"));
    all
}

/// Makes a call twice. Checks that the second one returns the same and changes nothing.
pub(super) async fn repeat<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    world: &World,
    mut call: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let first = call().await.expect("a reply");
    let before = lasting_records(world).await;
    let second = call().await.expect("the same reply");
    assert_eq!(second, first);
    assert!(
        lasting_records(world).await == before,
        "a repetition changes nothing"
    );
    second
}

pub(super) fn reused<T: std::fmt::Debug>(answer: store::Result<T>) {
    assert_eq!(rejection(answer), Rejection::RequestIdReused);
}
