//! The parts of the faces that code for both services takes: sessions and credentials.

use domain::{AdminId, Email, Role, SessionToken, UserId};

use super::{OpenSession, SignInAttempt};
use crate::Store;
use crate::error::Result;
use crate::keys::People;

/// Finds out who is calling by a session token.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
}

impl Sessions {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
        }
    }

    /// The user of an open session; `None` = there is no such session, or it has ended.
    pub async fn user(&self, token: &SessionToken) -> Result<Option<UserId>> {
        self.store.user_session(token).await
    }

    /// As [`Sessions::user`], and also the user whose account this very token erased in the last 24
    /// hours: that request may be repeated, and gets the same reply.
    pub async fn user_or_erased(&self, token: &SessionToken) -> Result<Option<UserId>> {
        self.store.user_session_or_erased(token).await
    }

    /// The admin of an open session; `None` = there is no such session, it has ended, or the admin
    /// is disabled.
    pub async fn admin(&self, token: &SessionToken) -> Result<Option<(AdminId, Role)>> {
        self.store.admin_session(token).await
    }

    /// Whether this is the bootstrap token, spent or not. The request that it was spent on may be
    /// repeated; any other is refused when the first owner is created.
    pub async fn is_bootstrap(&self, token: &SessionToken) -> Result<bool> {
        self.store.bootstrap_token_is_valid(token).await
    }
}

/// The credentials of one kind of people: users or admins.
#[derive(Clone)]
pub struct Credentials {
    store: Store,
    people: People,
}

impl Credentials {
    pub(crate) fn new(store: &Store, people: People) -> Self {
        Self {
            store: store.clone(),
            people,
        }
    }

    /// Looks up the account of an address, before its password is checked. Fails with
    /// `TooManySignIns`.
    pub async fn find(&self, email: &Email) -> Result<SignInAttempt> {
        match self.people {
            People::Users => self.store.user_sign_in(email).await,
            People::Admins => self.store.admin_sign_in(email).await,
        }
    }

    /// Counts a sign-in with a wrong password.
    pub async fn count_failure(&self, attempt: &SignInAttempt) -> Result<()> {
        self.store.sign_in_failed(attempt).await
    }

    /// Opens a session for a caller whose password was right. Fails with `Unauthenticated` if the
    /// password was changed, or the account disabled or erased, since it was checked.
    pub async fn open_session(&self, attempt: &SignInAttempt) -> Result<OpenSession> {
        self.store.open_session(attempt).await
    }
}
