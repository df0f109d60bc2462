//! What both services mount around their handlers. In reading order:
//!
//! 1. [`config`]: the settings that both services share.
//! 2. [`telemetry`]: the log.
//! 3. [`serve`]: from a listener to the end of the drain; `connections` are what it accepts, `redis_setup`
//!    what it says of Redis at the start.
//! 4. [`edge`]: the one layer that every call passes.
//! 5. [`auth`]: who may call what, and who is calling.
//! 6. [`errors`]: what a handler answers when it cannot do what was asked, and the one table from that to
//!    gRPC codes.
//! 7. [`health`], [`diagnostics`]: how the server is, for machines and for people.
//! 8. For handlers: [`passwords`], [`throttle`], [`sign_in`], [`paging`].
//!
//! A service needs of it:
//!
//! ```text
//! const ACCESS: server::AccessTable = &[("Register", Access::User), …];
//!
//! async fn register(&self, request: Request<RegisterRequest>) -> Result<Response<RegisterResponse>, Status> {
//!     reply(register::register(&self.store, caller(&request)?, request.into_inner()).await)
//! }
//!
//! server::run(listener, App { identity, service, access: ACCESS, store, settings }, shutdown).await
//! ```

pub mod auth;
pub mod config;
mod connections;
pub mod diagnostics;
pub mod edge;
pub mod errors;
pub mod health;
pub mod paging;
pub mod passwords;
mod redis_setup;
pub mod serve;
pub mod sign_in;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod throttle;

pub use auth::{Access, AccessTable, AdminCaller, OwnerOrBootstrap, UserCaller, caller};
pub use config::{ServiceSettings, parse_or_exit};
pub use errors::{Failure, reply};
pub use health::Identity;
pub use paging::ListOf;
pub use passwords::Passwords;
pub use serve::{App, MAX_MESSAGE_BYTES, run, shutdown_signal};
pub use sign_in::SignIns;
pub use throttle::{Network, SignInThrottle};
