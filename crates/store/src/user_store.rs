//! What user-service can do with the store.

use domain::{
    Competition, CompetitionId, Etag, ProfilePatch, Registration, RequestId, SessionToken,
    Timestamp, TokenHash, User, UserId,
};

use crate::accounts::{Credentials, OpenSession, PasswordHash, Sessions};
use crate::competitions::ListCompetitions;
use crate::error::Result;
use crate::keys::People;
use crate::page::{Page, PageRequest};
use crate::records::account_event::AccountEvent;
use crate::users::{NewUser, SessionTimes};
use crate::{Redis, Store};

/// The store for user-service. Cheap to clone; all clones share their connections and caches.
#[derive(Clone)]
pub struct UserStore {
    store: Store,
}

impl UserStore {
    /// A store on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self {
            store: Store::on(redis),
        }
    }

    /// The connections to Redis.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.store.redis
    }

    /// The time by Redis's clock. See [`Redis::now`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.redis().now()
    }

    /// The sessions of all people.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        Sessions::new(&self.store)
    }

    /// The credentials of users.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials::new(&self.store, People::Users)
    }
}

/// Competitions and registrations.
impl UserStore {
    /// Reads a competition that is not a draft.
    pub async fn get_public_competition(&self, id: &CompetitionId) -> Result<Competition> {
        self.store.get_public_competition(id).await
    }

    /// Lists competitions in the order of start, then id. At most three round trips.
    pub async fn list_competitions(&self, list: &ListCompetitions) -> Result<Page<Competition>> {
        self.store.list_competitions(list).await
    }

    /// Registers a user: confirmed, or waitlisted if no place is free.
    pub async fn register(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.store.register(user, competition, request).await
    }

    /// Returns what [`UserStore::register`] would return now, and changes nothing.
    pub async fn preview_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.store
            .preview_registration(user, competition, request)
            .await
    }

    /// Withdraws a user, until the competition starts.
    pub async fn withdraw(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.store.withdraw(user, competition, request).await
    }

    /// Reads a user's own registration.
    pub async fn my_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<Registration> {
        self.store.my_registration(user, competition).await
    }

    /// Lists a user's registrations with their competitions, in the order of the competitions' ids.
    pub async fn my_registrations(
        &self,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<(Registration, Competition)>> {
        self.store.my_registrations(user, page).await
    }
}

/// The account.
impl UserStore {
    /// Creates an account and opens its first session. A repetition with the same request id gets
    /// the same account and the same token: the caller must check the password of a repetition
    /// against [`UserStore::user_credential`], because a password is never part of a fingerprint.
    pub async fn sign_up(
        &self,
        new: &NewUser,
        password: &PasswordHash,
    ) -> Result<(User, OpenSession)> {
        self.store.sign_up(new, password).await
    }

    /// Reads a user.
    pub async fn get_user(&self, id: &UserId) -> Result<User> {
        self.store.get_user(id).await
    }

    /// Reads a user; `None` = there is no such account any more.
    pub async fn find_user(&self, id: &UserId) -> Result<Option<User>> {
        self.store.find_user(id).await
    }

    /// The hash of a user's password.
    pub async fn user_credential(&self, user: &UserId) -> Result<PasswordHash> {
        self.store.user_credential(user).await
    }

    /// Changes the fields that the patch names. With an etag only that version is changed; without
    /// one the patch is applied to the current version.
    pub async fn update_user(
        &self,
        id: &UserId,
        patch: &ProfilePatch,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<User> {
        self.store.update_user(id, patch, etag, request).await
    }

    /// Whether a request has changed this account in the last 24 hours.
    pub async fn user_request_is_known(&self, user: &UserId, request: RequestId) -> Result<bool> {
        self.store.user_request_is_known(user, request).await
    }

    /// Replaces the password, and ends all sessions but the one of `kept`. `checked` is the hash
    /// that the caller's password was checked against. A repetition changes nothing, whatever its
    /// passwords are, because they are never part of a fingerprint.
    pub async fn change_password(
        &self,
        user: &UserId,
        checked: &PasswordHash,
        new: &PasswordHash,
        kept: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        self.store
            .change_password(user, checked, new, kept, request)
            .await
    }

    /// Withdraws a user from every competition that is not over, and erases the account. `checked`
    /// is the hash that the caller's password was checked against.
    pub async fn erase_user(
        &self,
        user: &UserId,
        checked: &PasswordHash,
        token: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        self.store.erase_user(user, checked, token, request).await
    }

    /// The request of this token that erased the account, if one did in the last 24 hours.
    pub async fn erased_by(&self, user: &UserId, token: TokenHash) -> Result<Option<RequestId>> {
        self.store.erased_by(user, token).await
    }

    /// Lists a user's open sessions, and what happened to the account, the oldest first.
    pub async fn account_history(
        &self,
        user: &UserId,
    ) -> Result<(Vec<SessionTimes>, Vec<AccountEvent>)> {
        self.store.account_history(user).await
    }

    /// Ends the session of this token; `None` = all sessions of the user.
    pub async fn end_user_sessions(&self, user: &UserId, token: Option<TokenHash>) -> Result<()> {
        self.store.end_user_sessions(user, token).await
    }

    /// The user of an open session. See [`Sessions::user`].
    pub async fn user_session(&self, token: &SessionToken) -> Result<Option<UserId>> {
        self.sessions().user(token).await
    }
}
