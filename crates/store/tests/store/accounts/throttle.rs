//! The throttle of sign-ins, which slows down guessing.

use std::time::Duration;

use domain::Rejection;
use store::accounts::{MAX_FAILED_SIGN_INS, THROTTLE_WINDOW};

use super::{find, is_open, sign_in};
use crate::world::{World, email, eventually, rejection};

async fn fail(world: &World, name: &str, times: u32) {
    for _ in 0..times {
        let attempt = find(world, name).await;
        let counted = world.user.credentials().count_failure(&attempt).await;
        counted.expect("counted");
    }
}

async fn is_throttled(world: &World, name: &str) -> bool {
    world.user.credentials().find(&email(name)).await.is_err()
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let world = World::new().await;
    world.sign_up("ada").await;
    for name in ["ada", "unknown"] {
        fail(&world, name, MAX_FAILED_SIGN_INS).await;
        let refused = rejection(world.user.credentials().find(&email(name)).await);
        let Rejection::TooManySignIns { retry_after } = refused else {
            panic!("{refused:?}");
        };
        assert!(retry_after <= THROTTLE_WINDOW && retry_after > THROTTLE_WINDOW / 2);
    }
    let unknown = find(&world, "somebody").await;
    assert_eq!(unknown.credential(), None);
    let opened = world.user.credentials().open_session(&unknown).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
}

#[tokio::test]
async fn the_throttle_closes_no_open_session_and_affects_no_other_account() {
    let world = World::new().await;
    let (_, session) = world.sign_up("ada").await;
    world.sign_up("bob").await;
    fail(&world, "ada", MAX_FAILED_SIGN_INS).await;
    assert!(is_throttled(&world, "ada").await);
    assert!(is_open(&world, &session).await);
    sign_in(&world, "bob").await;
}

#[tokio::test]
async fn the_throttle_ends_with_its_window_and_with_a_right_password() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    fail(&world, "ada", MAX_FAILED_SIGN_INS - 1).await;
    sign_in(&world, "ada").await;
    fail(&world, "ada", MAX_FAILED_SIGN_INS).await;
    assert!(is_throttled(&world, "ada").await);
    // The window begins with the first failure. The test shortens it instead of waiting.
    let throttle = format!("u:{{{ada}}}:throttle");
    let left: i64 = world.root(&["PTTL", &throttle]).await;
    assert!(Duration::from_millis(left.unsigned_abs()) <= THROTTLE_WINDOW);
    let _: i64 = world.root(&["PEXPIRE", &throttle, "1"]).await;
    eventually("the window ends", async || {
        !is_throttled(&world, "ada").await
    })
    .await;
}
