//! Accounts: creation and erasure, sessions, passwords, admins.

mod admins;
mod attempts;
mod email_forms;
mod erased_texts;
mod erasure;
mod profile;
mod sessions;
mod sign_up;

use domain::{AdminId, UserId};
use store::{IssuedSession, SignInAttempt};

use crate::world::{World, email, here, password};

/// Begins to sign in as the user `<name>@example.org`.
pub(super) async fn begin(world: &World, name: &str) -> SignInAttempt<UserId> {
    let begun = world.user.credentials().begin(&email(name), here()).await;
    begun.expect("an attempt")
}

/// Begins to sign in as the admin `<name>@example.org`.
pub(super) async fn begin_admin(world: &World, name: &str) -> SignInAttempt<AdminId> {
    let begun = world.admin.credentials().begin(&email(name), here()).await;
    begun.expect("an attempt")
}

pub(super) async fn sign_in(world: &World, name: &str) -> IssuedSession<UserId> {
    let attempt = begin(world, name).await;
    assert_eq!(attempt.credential(), Some(&password(name)));
    let session = world.user.credentials().open_session(&attempt).await;
    session.expect("a session")
}

pub(super) async fn is_open(world: &World, session: &IssuedSession<UserId>) -> bool {
    let user = world.user.user_session(&session.token).await;
    let user = user.expect("a reply");
    assert!(user.as_ref().is_none_or(|user| *user == session.person));
    user.is_some()
}

pub(super) async fn is_open_for_admin(world: &World, session: &IssuedSession<AdminId>) -> bool {
    let admin = world.admin.admin_session(&session.token).await;
    admin.expect("a reply").is_some()
}
