//! The caller as a handler gets it.
//!
//! A row of a service's table of methods takes the kind of caller that the method's
//! [`Access`](super::Access) promises:
//!
//! ```text
//! reply(register(&self.store, UserCaller::of(&request)?, request.into_inner()).await)
//! ```

use std::sync::Arc;

use domain::{AdminId, Role, SessionToken, UserId};
use tonic::Request;

use crate::errors::Failure;

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct UserCaller {
    pub id: UserId,
    /// The session of this call.
    pub session: SessionToken,
}

/// A signed-in admin who is not disabled.
#[derive(Debug, Clone)]
pub struct AdminCaller {
    pub id: AdminId,
    /// The role of the admin; includes the role that the method needs.
    pub role: Role,
    /// The session of this call.
    pub session: SessionToken,
}

/// A caller who may create an admin.
#[derive(Debug, Clone)]
pub enum OwnerOrBootstrap {
    Owner(AdminCaller),
    /// The holder of the single-use token. It was valid when the call began; the script that uses
    /// it up checks it again.
    Bootstrap(SessionToken),
}

/// A caller of any kind.
#[derive(Debug, Clone)]
pub enum Caller {
    User(UserCaller),
    Admin(AdminCaller),
    /// The holder of the token that creates the first OWNER.
    Bootstrap(SessionToken),
}

impl Caller {
    /// Returns the id for the log. Ids are random and hold no personal data.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(user) => user.id.as_str(),
            Self::Admin(admin) => admin.id.as_str(),
            Self::Bootstrap(_) => "bootstrap",
        }
    }

    /// Returns the caller that the edge has put into the request.
    fn of<T>(request: &Request<T>) -> Result<&Self, Failure> {
        let caller = request.extensions().get::<Arc<Self>>();
        caller.map(AsRef::as_ref).ok_or_else(wrong_access_table)
    }
}

impl UserCaller {
    /// Returns the user who makes this call. INTERNAL if the access table promises another caller.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        match Caller::of(request)? {
            Caller::User(user) => Ok(user.clone()),
            _ => Err(wrong_access_table()),
        }
    }
}

impl AdminCaller {
    /// Returns the admin who makes this call. INTERNAL if the access table promises another caller.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        match Caller::of(request)? {
            Caller::Admin(admin) => Ok(admin.clone()),
            _ => Err(wrong_access_table()),
        }
    }
}

impl OwnerOrBootstrap {
    /// Returns the session of the owner, or the single-use token.
    #[must_use]
    pub fn session(&self) -> &SessionToken {
        match self {
            Self::Owner(owner) => &owner.session,
            Self::Bootstrap(token) => token,
        }
    }

    /// Returns the caller. INTERNAL if the access table promises another one.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        match Caller::of(request)? {
            Caller::Admin(admin) if admin.role == Role::Owner => Ok(Self::Owner(admin.clone())),
            Caller::Bootstrap(token) => Ok(Self::Bootstrap(token.clone())),
            _ => Err(wrong_access_table()),
        }
    }
}

/// A bug in the service, not a mistake of the client.
fn wrong_access_table() -> Failure {
    Failure::Internal("the access table promises another kind of caller".to_owned())
}
