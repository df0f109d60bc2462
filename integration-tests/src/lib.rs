//! A whole Startlist for a test: a private Redis, both services in this process on free ports, and
//! generated clients. Everything ends when the values are dropped.
//!
//! In reading order:
//! - [`Startlist`]: Redis and both services.
//! - [`User`], [`Admin`]: the callers. A credential is part of the value.
//! - [`CompetitionSetup`]: the competitions that they call about.
//! - [`assert_rejected`], [`reason`]: what a refusal contains.
//!
//! [`testkit::Program`] runs the real binaries, for what only a process of its own can show.
//!
//! ```no_run
//! # use integration_tests::{Startlist, assert_rejected, reason};
//! # async fn story() {
//! let app = Startlist::start().await;
//! let race = app.competition().capacity(1).no_waitlist().open().await;
//! let [ada, ben] = app.users(["ada", "ben"]).await;
//! ada.register(&race).await.expect("confirmed");
//! assert_rejected(ben.register(&race).await, reason::COMPETITION_FULL);
//! # }
//! ```
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test and its fixtures a panic is the report"
)]

mod admin;
mod app;
mod client;
mod competition;
pub mod reason;
mod refusal;
mod user;

pub use admin::Admin;
pub use app::{Builder, PASSWORD, Startlist};
pub use client::{
    AdminClient, UserClient, admin_client, admin_sign_in, all_pages, channel_to, sign_in,
    user_client,
};
pub use competition::{CompetitionSetup, DAY, from_now, is_unavailable};
pub use reason::Reason;
pub use refusal::{Refusal, assert_rejected, code_and_reason};
pub use user::User;
