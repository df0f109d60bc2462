//! What both services mount around their handlers. In reading order:
//!
//! 1. [`program`]: the skeleton of a service's binary; [`config`]: the settings that both share;
//!    [`exit`]: exit codes; [`telemetry`]: the log;
//!    [`unlock`]: a subcommand.
//! 2. [`serve`]: from a listener to the end of the drain. [`connections`] accepts connections,
//!    `redis_setup` logs at the start whether Redis is set up well.
//! 3. [`edge`]: the one layer that every call passes; [`admission`]: which calls it admits;
//!    [`network`], [`proxies`]: where a call comes from.
//! 4. [`auth`]: the access tables, and the caller behind a credential. `changes`: the limit of
//!    changes per account.
//! 5. [`errors`]: why a call fails, and the one table from failures to gRPC codes.
//! 6. [`health`], [`diagnostics`]: the health of the server, for machines and for people; [`url`]:
//!    the URL of a server.
//! 7. For handlers: [`passwords`], [`rate_limit`], [`throttle`], [`sign_in`], [`paging`].
//!
//! A service uses it like this:
//!
//! ```text
//! const ACCESS: server::AccessTable = &[("Register", Access::User, Rate::Changes), …];
//!
//! async fn register(&self, request: Request<RegisterRequest>) -> RpcResult<RegisterResponse> {
//!     let caller = UserCaller::of(&request)?;
//!     reply(register::register(&self.store, caller, request.into_inner()).await)
//! }
//!
//! let app = App { identity, service, access: ACCESS, sessions, redis, settings, … };
//! server::run(listener, app, shutdown).await
//! ```

pub mod admission;
pub mod auth;
mod changes;
pub mod config;
pub mod connections;
pub mod diagnostics;
pub mod edge;
pub mod errors;
pub mod exit;
pub mod health;
pub mod network;
pub mod paging;
pub mod passwords;
pub mod program;
pub mod proxies;
pub mod rate_limit;
mod redis_setup;
pub mod serve;
pub mod sign_in;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod throttle;
pub mod unlock;
pub mod url;

pub use auth::{Access, AccessTable, AdminCaller, OwnerOrBootstrap, UserCaller};
pub use changes::Rate;
pub use config::{ServiceSettings, parse_or_exit};
pub use connections::ClientConnection;
pub use errors::{Failure, RpcResult, reply};
pub use health::Identity;
pub use network::Network;
pub use paging::ListOf;
pub use passwords::{HashCaller, PasswordMatch, Passwords};
pub use program::{Allocator, ServiceCommand, ServiceProgram};
pub use rate_limit::RateLimit;
pub use serve::{App, MAX_MESSAGE_BYTES, run, shutdown_signal};
pub use sign_in::SignIns;
pub use throttle::SignInThrottle;
pub use url::ServerUrl;
