//! Passwords that are guessed.

use std::time::Duration;

use domain::Rejection;
use store::accounts::{MAX_FAILED_SIGN_INS, THROTTLE_WINDOW};

use super::{is_open, sign_in};
use crate::world::{World, email, eventually, rejection};

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let world = World::new().await;
    world.sign_up("ada").await;
    for name in ["ada", "nobody"] {
        for _ in 0..MAX_FAILED_SIGN_INS {
            let attempt = world
                .user
                .credentials()
                .find(&email(name))
                .await
                .expect("an attempt");
            world
                .user
                .credentials()
                .count_failure(&attempt)
                .await
                .expect("counted");
        }
        let refused = rejection(world.user.credentials().find(&email(name)).await);
        let Rejection::TooManySignIns { retry_after } = refused else {
            panic!("{refused:?}");
        };
        assert!(retry_after <= THROTTLE_WINDOW && retry_after > THROTTLE_WINDOW / 2);
    }
    let nobody = world
        .user
        .credentials()
        .find(&email("somebody"))
        .await
        .expect("an attempt");
    assert_eq!(nobody.credential(), None);
    let opened = world.user.credentials().open_session(&nobody).await;
    assert_eq!(rejection(opened), Rejection::Unauthenticated);
}

#[tokio::test]
async fn the_throttle_locks_out_no_live_session_and_nobody_else() {
    let world = World::new().await;
    let (_, session) = world.sign_up("ada").await;
    world.sign_up("bob").await;
    for _ in 0..MAX_FAILED_SIGN_INS {
        let attempt = world
            .user
            .credentials()
            .find(&email("ada"))
            .await
            .expect("an attempt");
        world
            .user
            .credentials()
            .count_failure(&attempt)
            .await
            .expect("counted");
    }
    assert!(world.user.credentials().find(&email("ada")).await.is_err());
    assert!(is_open(&world, &session).await);
    sign_in(&world, "bob").await;
}

#[tokio::test]
async fn the_throttle_ends_with_its_window_and_with_a_right_password() {
    let world = World::new().await;
    let (ada, _) = world.sign_up("ada").await;
    let fail = async || {
        let attempt = world
            .user
            .credentials()
            .find(&email("ada"))
            .await
            .expect("an attempt");
        world
            .user
            .credentials()
            .count_failure(&attempt)
            .await
            .expect("counted");
    };
    for _ in 0..MAX_FAILED_SIGN_INS - 1 {
        fail().await;
    }
    sign_in(&world, "ada").await;
    for _ in 0..MAX_FAILED_SIGN_INS {
        fail().await;
    }
    assert!(world.user.credentials().find(&email("ada")).await.is_err());
    // The window begins with the first failure; its end is brought near.
    let throttle = format!("u:{{{ada}}}:throttle");
    let left: i64 = world.root(&["PTTL", &throttle]).await;
    assert!(Duration::from_millis(left.unsigned_abs()) <= THROTTLE_WINDOW);
    let _: i64 = world.root(&["PEXPIRE", &throttle, "1"]).await;
    eventually("the window ends", async || {
        world.user.credentials().find(&email("ada")).await.is_ok()
    })
    .await;
}
