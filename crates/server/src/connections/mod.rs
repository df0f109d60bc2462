//! Connections, from `accept` to their end. In reading order:
//!
//! 1. `accept`: the accept loop and the task of each connection; `http2`: the settings of HTTP/2.
//! 2. `shares`: how many connections there may be, and which one makes room for a new one.
//! 3. `lifetime`: how long a connection may live; `activity`: what it looks at.
//! 4. `watched`, `flood`: floods of control frames; `starting`: floods of calls.
//! 5. [`ClientConnection`]: what calls know of their connection.
//!
//! tonic's own server has no limit on connections, closes none that is silent, and responds to a
//! timeout with CANCELLED; so this uses hyper, on which tonic's server is built too.

mod accept;
mod activity;
mod client;
mod flood;
mod http2;
mod lifetime;
mod shares;
mod starting;
#[cfg(test)]
mod tests;
mod watched;

pub(crate) use accept::{CallService, ConnectionLimits, serve};
pub use client::ClientConnection;
pub(crate) use lifetime::Ages;
