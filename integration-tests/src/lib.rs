//! A whole Startlist for a test: a private Redis, both services in this process on free ports, and
//! generated clients. Everything ends when the values are dropped.
//!
//! In reading order:
//! - [`Startlist`]: Redis and both services.
//! - [`User`], [`Admin`]: who calls. A credential is part of the value.
//! - [`CompetitionBuilder`]: what they call about.
//! - [`assert_rejected`]: what a refusal has to say.
//!
//! [`testkit::Program`] runs the real binaries, for what only a process of its own can show.
//!
//! ```no_run
//! # use integration_tests::{Startlist, assert_rejected};
//! # use tonic::Code;
//! # async fn story() {
//! let app = Startlist::start().await;
//! let race = app.competition().capacity(1).no_waitlist().open().await;
//! let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
//! ada.register(&race).await.expect("a place");
//! assert_rejected(ben.register(&race).await, Code::FailedPrecondition, "COMPETITION_FULL");
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
mod refusal;
mod user;

pub use admin::Admin;
pub use app::{Builder, PASSWORD, Startlist};
pub use client::{AdminClient, UserClient, admin_client, channel_to, user_client};
pub use competition::{CompetitionBuilder, DAY, from_now};
pub use refusal::{Refusal, assert_rejected, code_and_reason};
pub use testkit::{Program, eventually};
pub use user::User;
