//! Access to methods, and the callers behind credentials.
//!
//! 1. [`access`]: the access table of a service: who may call each method.
//! 2. [`caller`]: the caller as a handler gets it.
//! 3. `credential`: from the `authorization` header to the caller, with one lookup in the store.
//!
//! Only [`edge`](crate::edge) calls this. A handler never sees a credential that is not valid.

pub mod access;
pub mod caller;
mod credential;

pub use access::{Access, AccessTable};
pub use caller::{AdminCaller, Caller, OwnerOrBootstrap, UserCaller};
pub(crate) use credential::authenticate;
