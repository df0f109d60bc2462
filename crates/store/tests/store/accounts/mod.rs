//! People: accounts, sessions, passwords, admins.

mod admins;
mod erasure;
mod profile;
mod sessions;
mod sign_up;
mod throttle;

use domain::UserId;
use store::IssuedSession;

use crate::world::{World, email, password};

pub(super) async fn sign_in(world: &World, name: &str) -> IssuedSession<UserId> {
    let attempt = world
        .user
        .credentials()
        .find(&email(name))
        .await
        .expect("an attempt");
    assert_eq!(attempt.credential(), Some(&password(name)));
    world
        .user
        .credentials()
        .open_session(&attempt)
        .await
        .expect("a session")
}

pub(super) async fn is_open(world: &World, session: &IssuedSession<UserId>) -> bool {
    world
        .user
        .user_session(&session.token)
        .await
        .expect("an answer")
        .is_some()
}
