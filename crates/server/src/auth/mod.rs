//! Who may call what, and who is calling.
//!
//! 1. [`access`]: what each method asks of its caller; a table that each service gives.
//! 2. [`mod@caller`]: the person behind a credential, as a handler is handed it.
//! 3. `credential`: from the `authorization` header to the person, by one look into the store.
//!
//! Mounted by [`edge`](crate::edge), called by nobody else: a handler never sees a credential that was
//! not found good.

pub mod access;
pub mod caller;
mod credential;

pub use access::{Access, AccessTable};
pub use caller::{AdminCaller, Caller, OwnerOrBootstrap, UserCaller, caller};
pub(crate) use credential::admit;
