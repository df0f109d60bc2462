//! The person behind a credential, as a handler is handed it.

use std::sync::Arc;

use domain::{AdminId, Role, SessionToken, UserId};
use tonic::Request;

use crate::errors::Failure;

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct UserCaller {
    /// Who it is.
    pub id: UserId,
    /// The session of this call: to end it, or to keep it when the others end.
    pub session: SessionToken,
}

/// A signed-in admin, not disabled.
#[derive(Debug, Clone)]
pub struct AdminCaller {
    /// Who it is.
    pub id: AdminId,
    /// What the admin may do; at least what the method asks for.
    pub role: Role,
    /// The session of this call: to end it.
    pub session: SessionToken,
}

/// Who may make an admin.
#[derive(Debug, Clone)]
pub enum OwnerOrBootstrap {
    /// A signed-in OWNER.
    Owner(AdminCaller),
    /// The holder of the single-use token, which was good a moment ago. The store decides in the same
    /// step that uses it up.
    Bootstrap(SessionToken),
}

/// Who is calling.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A user.
    User(UserCaller),
    /// An admin.
    Admin(AdminCaller),
    /// The holder of the token that makes the first OWNER.
    Bootstrap(SessionToken),
}

impl Caller {
    /// The id for the log: random, so that it says nothing about the person.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(user) => user.id.as_str(),
            Self::Admin(admin) => admin.id.as_str(),
            Self::Bootstrap(_) => "bootstrap",
        }
    }
}

/// The caller of this request, as the kind of caller that the method's [`Access`] promises.
///
/// ```text
/// reply(register(&self.store, caller(&request)?, request.into_inner()).await)
/// ```
///
/// Fails with INTERNAL if the table promises another kind: a mistake in the service, not of a client.
///
/// [`Access`]: super::Access
pub fn caller<C: FromCaller, T>(request: &Request<T>) -> Result<C, Failure> {
    request
        .extensions()
        .get::<Arc<Caller>>()
        .and_then(|caller| C::from_caller(caller))
        .ok_or_else(|| Failure::Internal("the access table names another kind of caller".into()))
}

/// A kind of caller that a handler can ask for.
pub trait FromCaller: Sized {
    /// This kind, if it is that.
    fn from_caller(caller: &Caller) -> Option<Self>;
}

impl FromCaller for UserCaller {
    fn from_caller(caller: &Caller) -> Option<Self> {
        match caller {
            Caller::User(user) => Some(user.clone()),
            _ => None,
        }
    }
}

impl FromCaller for AdminCaller {
    fn from_caller(caller: &Caller) -> Option<Self> {
        match caller {
            Caller::Admin(admin) => Some(admin.clone()),
            _ => None,
        }
    }
}

impl FromCaller for OwnerOrBootstrap {
    fn from_caller(caller: &Caller) -> Option<Self> {
        match caller {
            Caller::Admin(admin) if admin.role == Role::Owner => Some(Self::Owner(admin.clone())),
            Caller::Bootstrap(token) => Some(Self::Bootstrap(token.clone())),
            _ => None,
        }
    }
}
