//! What user-service can do with the store.

use std::sync::Arc;

use domain::{
    Competition, CompetitionId, Etag, ProfilePatch, ReadOnlyUser, Registration, RequestId,
    SessionToken, Timestamp, TokenHash, User, UserId,
};

use crate::accounts::{Credentials, EmailClaims, IssuedSession, PasswordHash, Sessions};
use crate::competitions::{Catalogue, CompetitionCache, Competitions, ListCompetitions};
use crate::error::Result;
use crate::installation::Installation;
use crate::keys::AccountId;
use crate::page::{Page, PageRequest};
use crate::records::account_event::AccountEvent;
use crate::redis::Redis;
use crate::registrations::{Registrations, UserIndex};
use crate::users::{NewUser, SessionTimes, Users};
use crate::workflows::{
    AccountCreation, AccountErasure, Registering, SignUp, WithdrawAll, list_own_registrations,
};

/// The store for user-service. Cheap to clone; all clones share their connections and caches.
#[derive(Clone)]
pub struct UserStore {
    redis: Redis,
    competitions: Competitions,
    catalogue: Catalogue,
    registrations: Registrations,
    index: UserIndex,
    registering: Registering,
    users: Users,
    sessions: Sessions,
    credentials: Credentials<UserId>,
    sign_up: SignUp,
    erasure: AccountErasure,
}

impl UserStore {
    /// A store on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        let installation = Installation::new(redis);
        let claims = EmailClaims::new(redis, &installation);
        let accounts = AccountCreation::new(redis, &installation, &claims);
        let cache = Arc::<CompetitionCache>::default();
        let competitions = Competitions::new(redis, &cache);
        let (index, registrations) = (UserIndex::new(redis), Registrations::new(redis, &cache));
        let withdraw_all = WithdrawAll {
            redis: redis.clone(),
            index: index.clone(),
            registrations: registrations.clone(),
        };
        Self {
            redis: redis.clone(),
            catalogue: Catalogue::new(redis, &competitions),
            competitions,
            registering: Registering::new(redis, &withdraw_all),
            index,
            registrations,
            users: Users::new(redis, &claims),
            sessions: Sessions::new(redis),
            credentials: Credentials::new(redis, &claims),
            sign_up: SignUp::new(&accounts),
            erasure: AccountErasure {
                redis: redis.clone(),
                claims,
                withdraw_all,
            },
        }
    }

    /// The connections to Redis.
    #[must_use]
    pub fn redis(&self) -> &Redis {
        &self.redis
    }

    /// The time by Redis's clock. See [`Redis::now`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.redis().now()
    }

    /// The sessions of all people.
    #[must_use]
    pub fn sessions(&self) -> Sessions {
        self.sessions.clone()
    }

    /// The credentials of users.
    #[must_use]
    pub fn credentials(&self) -> Credentials<UserId> {
        self.credentials.clone()
    }
}

impl UserStore {
    /// Reads a competition that is not a draft.
    pub async fn get_public_competition(&self, id: &CompetitionId) -> Result<Competition> {
        self.competitions.get_public(id).await
    }

    /// Lists competitions in the order of start, then id. At most three round trips.
    pub async fn list_competitions(&self, list: &ListCompetitions) -> Result<Page<Competition>> {
        self.catalogue.list(list).await
    }

    /// Registers a user: confirmed, or waitlisted if no place is free.
    pub async fn register(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.registering.register(user, competition, request).await
    }

    /// Returns what [`UserStore::register`] would return now, and changes nothing.
    pub async fn preview_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.registrations.preview(user, competition, request).await
    }

    /// Withdraws a user: a confirmed one until the competition starts, a waitlisted one always.
    pub async fn withdraw(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.registrations
            .withdraw(user, competition, request)
            .await
    }

    /// Reads a user's own registration.
    pub async fn my_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<Registration> {
        self.registrations.get_own(user, competition).await
    }

    /// Lists a user's registrations with their competitions, in the order of the competitions' ids.
    pub async fn my_registrations(
        &self,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<(Registration, Competition)>> {
        list_own_registrations(&self.redis, &self.index, &self.registrations, user, page).await
    }
}

impl UserStore {
    /// Creates an account and opens its first session. A repetition with the same request id gets
    /// the same account and the same token: the caller must check the password of a repetition
    /// against [`UserStore::user_credential`], because a password is never part of a fingerprint.
    pub async fn sign_up(
        &self,
        new: &NewUser,
        password: &PasswordHash,
    ) -> Result<(User, IssuedSession<UserId>)> {
        self.sign_up.run(new, password).await
    }

    /// Whether a sign-up with this request id and address succeeded in the last 24 hours.
    pub async fn sign_up_is_repetition(&self, new: &NewUser) -> Result<bool> {
        self.sign_up.is_repetition(new).await
    }

    /// Reads a user.
    pub async fn get_user(&self, id: &UserId) -> Result<User> {
        self.users.get(id).await
    }

    /// Reads a user; `None` = there is no such account any more.
    pub async fn find_user(&self, id: &UserId) -> Result<Option<User>> {
        self.users.find(id).await
    }

    /// The hash of a user's password.
    pub async fn user_credential(&self, user: &UserId) -> Result<PasswordHash> {
        self.users.credential(user).await
    }

    /// Changes the fields that the patch names. With an etag only that version is changed; without
    /// one the patch is applied to the current version. Fails with `Error::Invalid` if a read-only
    /// field differs from the stored one.
    pub async fn update_user(
        &self,
        id: &UserId,
        patch: &ProfilePatch,
        read_only: &ReadOnlyUser,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<User> {
        self.users.update(id, patch, read_only, etag, request).await
    }

    /// Whether a request has changed this account in the last 24 hours.
    pub async fn user_request_is_known(&self, user: &UserId, request: RequestId) -> Result<bool> {
        self.users.is_known_request(user, request).await
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
        self.users
            .change_password(user, checked, new, kept, request)
            .await
    }

    /// Withdraws a user from every competition that is not over, and erases the account. `user` is
    /// the account as it was read, `checked` the hash that the caller's password was checked
    /// against.
    pub async fn erase_user(
        &self,
        user: &User,
        checked: &PasswordHash,
        token: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        self.erasure.run(user, checked, token, request).await
    }

    /// Finishes an erasure that was cut off after the account was erased. Can be repeated.
    pub async fn finish_erasure(&self, user: &UserId, request: RequestId) -> Result<()> {
        self.erasure.finish(user, request).await
    }

    /// The request of this token that erased the account, if one did in the last 24 hours.
    pub async fn erased_by(&self, user: &UserId, token: TokenHash) -> Result<Option<RequestId>> {
        self.sessions.erased_by(user, token).await
    }

    /// Lists a user's open sessions, and what happened to the account, the oldest first.
    pub async fn account_history(
        &self,
        user: &UserId,
    ) -> Result<(Vec<SessionTimes>, Vec<AccountEvent>)> {
        self.users.history(user).await
    }

    /// Ends the session of this token; `None` = all sessions of the user.
    pub async fn end_user_sessions(&self, user: &UserId, token: Option<TokenHash>) -> Result<()> {
        let account = AccountId::User(user.clone());
        self.sessions.end(&account, token).await
    }

    /// The user of an open session. See [`Sessions::user`].
    pub async fn user_session(&self, token: &SessionToken) -> Result<Option<UserId>> {
        self.sessions.user(token).await
    }
}
