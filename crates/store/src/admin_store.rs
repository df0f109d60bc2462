//! What admin-service can do with the store.

use std::sync::Arc;

use domain::{
    AddOptions, Admin, AdminId, AuditEntry, Competition, CompetitionId, CompetitionPatch, Email,
    Etag, ReadOnlyCompetition, Reason, RegistrationState, RequestId, Role, SessionToken, Timestamp,
    TokenHash, User, UserId,
};

use crate::accounts::{Credentials, EmailClaims, PasswordHash, Sessions};
use crate::admins::{Admins, NewAdmin};
use crate::audit::AuditLog;
use crate::competitions::{
    Catalogue, CompetitionCache, Competitions, ListCompetitions, NewCompetition,
};
use crate::error::Result;
use crate::installation::Installation;
use crate::keys::AccountId;
use crate::page::{Page, PageRequest};
use crate::redis::Redis;
use crate::registrations::{OrganiserRegistration, Registrations, UserIndex};
use crate::seal::Seals;
use crate::users::Users;
use crate::workflows::{
    AccountCreation, AddRegistration, AdminCreation, CompetitionEditor, OrganiserRegistrations,
    RequestedUpdate, disable_admin,
};

/// The store for admin-service. Cheap to clone; all clones share their connections and caches.
#[derive(Clone)]
pub struct AdminStore {
    redis: Redis,
    competitions: Competitions,
    catalogue: Catalogue,
    editor: CompetitionEditor,
    log: AuditLog,
    seals: Seals,
    registrations: OrganiserRegistrations,
    add_registration: AddRegistration,
    users: Users,
    admins: Admins,
    sessions: Sessions,
    credentials: Credentials<AdminId>,
    admin_creation: AdminCreation,
}

impl AdminStore {
    /// A store on these connections. Opens none.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        let installation = Installation::new(redis);
        let claims = EmailClaims::new(redis, &installation);
        let accounts = AccountCreation::new(redis, &installation, &claims);
        let admins = Admins::new(redis);
        let users = Users::new(redis, &claims);
        let cache = Arc::<CompetitionCache>::default();
        let competitions = Competitions::new(redis, &cache);
        let catalogue = Catalogue::new(redis, &competitions);
        let registrations = Registrations::new(redis, &cache);
        let log = AuditLog::new(redis);
        Self {
            redis: redis.clone(),
            editor: CompetitionEditor {
                redis: redis.clone(),
                installation,
                competitions: competitions.clone(),
                catalogue: catalogue.clone(),
            },
            seals: Seals::new(redis, &catalogue, &log),
            add_registration: AddRegistration {
                redis: redis.clone(),
                index: UserIndex::new(redis),
                competitions: competitions.clone(),
                registrations: registrations.clone(),
                users: users.clone(),
            },
            registrations: OrganiserRegistrations {
                registrations,
                users: users.clone(),
            },
            competitions,
            catalogue,
            log,
            users,
            sessions: Sessions::new(redis),
            credentials: Credentials::new(redis, &claims),
            admin_creation: AdminCreation::new(&accounts, &admins),
            admins,
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

    /// The credentials of admins.
    #[must_use]
    pub fn credentials(&self) -> Credentials<AdminId> {
        self.credentials.clone()
    }
}

impl AdminStore {
    /// Reads a competition in any state.
    pub async fn get_competition(&self, id: &CompetitionId) -> Result<Competition> {
        self.competitions.get(id).await
    }

    /// Lists competitions in the order of start, then id. At most three round trips.
    pub async fn list_competitions(&self, list: &ListCompetitions) -> Result<Page<Competition>> {
        self.catalogue.list(list).await
    }

    /// Creates a competition as a draft.
    pub async fn create_competition(
        &self,
        by: &AdminId,
        new: NewCompetition,
    ) -> Result<Competition> {
        self.editor.create(by, new).await
    }

    /// Changes the fields that the patch names. With an etag only that version is changed; without
    /// one the patch is applied to the current version. Fails with `Error::Invalid` if the patched
    /// details are not valid together, or if a read-only field differs from the stored one.
    pub async fn update_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        patch: &CompetitionPatch,
        read_only: &ReadOnlyCompetition,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<Competition> {
        self.editor
            .update(&RequestedUpdate {
                by,
                id,
                patch,
                read_only,
                etag,
                request,
            })
            .await
    }

    /// Publishes a draft.
    pub async fn publish_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<Competition> {
        self.editor.publish(by, id, request).await
    }

    /// Cancels a published competition. Its records are kept.
    pub async fn cancel_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<Competition> {
        self.editor.cancel(by, id, reason, request).await
    }

    /// Deletes a draft. Its log is kept.
    pub async fn delete_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<()> {
        self.editor.delete(by, id, request).await
    }

    /// Lists the log of a competition, also of a deleted draft, the oldest entry first.
    pub async fn audit_entries(
        &self,
        competition: &CompetitionId,
        page: &PageRequest,
    ) -> Result<Page<AuditEntry>> {
        self.log.list(competition, page).await
    }

    /// Extends the seals of all logs. Returns the number of logs that were longer than their seal.
    pub async fn seal_all(&self) -> Result<usize> {
        self.seals.extend_all().await
    }

    /// Extends the seal of one log to its end.
    pub async fn seal_log(&self, competition: &CompetitionId) -> Result<()> {
        self.seals.extend_one(competition).await
    }
}

impl AdminStore {
    /// Adds a registration for an organiser.
    pub async fn add_registration(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        options: AddOptions,
        request: RequestId,
    ) -> Result<OrganiserRegistration> {
        self.add_registration
            .run(by, competition, user, options, request)
            .await
    }

    /// Removes a registration for an organiser.
    pub async fn remove_registration(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<OrganiserRegistration> {
        self.registrations
            .remove(by, competition, user, reason, request)
            .await
    }

    /// Reads a user's registration in a competition in any state.
    pub async fn get_registration(
        &self,
        competition: &CompetitionId,
        user: &UserId,
    ) -> Result<OrganiserRegistration> {
        self.registrations.get(competition, user).await
    }

    /// Lists the registrations of a competition in these states, in the order of revision. Two
    /// round trips.
    pub async fn list_registrations(
        &self,
        competition: &CompetitionId,
        states: &[RegistrationState],
        page: &PageRequest,
    ) -> Result<Page<OrganiserRegistration>> {
        self.registrations.list(competition, states, page).await
    }
}

/// Users, as admins see them.
impl AdminStore {
    /// Reads a user.
    pub async fn get_user(&self, id: &UserId) -> Result<User> {
        self.users.get(id).await
    }

    /// The user who has this address.
    pub async fn find_user_by_email(&self, email: &Email) -> Result<Option<User>> {
        self.users.find_by_email(email).await
    }

    /// Lists users in the order of their ids. Two round trips.
    pub async fn list_users(&self, page: &PageRequest) -> Result<Page<User>> {
        self.users.list(page).await
    }
}

impl AdminStore {
    /// The admin of an open session. See [`Sessions::admin`].
    pub async fn admin_session(&self, token: &SessionToken) -> Result<Option<(AdminId, Role)>> {
        self.sessions.admin(token).await
    }

    /// Creates an admin. A repetition by the same admin with the same request id gets the same
    /// admin: the caller must check the password of a repetition against
    /// [`AdminStore::admin_credential`], because a password is never part of a fingerprint.
    pub async fn create_admin(
        &self,
        by: &AdminId,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin> {
        self.admin_creation.create(by, new, password).await
    }

    /// Creates the first owner with the bootstrap token, which is spent on this request.
    pub async fn create_first_owner(
        &self,
        token: &SessionToken,
        new: &NewAdmin,
        password: &PasswordHash,
    ) -> Result<Admin> {
        self.admin_creation
            .create_first_owner(token, new, password)
            .await
    }

    /// Creates the first owner of an installation that has none. Returns whether it created one.
    pub async fn ensure_owner(&self, new: &NewAdmin, password: &PasswordHash) -> Result<bool> {
        self.admin_creation.ensure_owner(new, password).await
    }

    /// Whether there is an owner, who can create admins.
    pub async fn has_owner(&self) -> Result<bool> {
        self.admins.has_owner().await
    }

    /// Creates a token that creates the first owner. It replaces an earlier one.
    pub async fn new_bootstrap_token(&self) -> Result<SessionToken> {
        self.admins.new_bootstrap_token().await
    }

    /// Finds the admin with this address, also a disabled one.
    pub async fn find_admin(&self, email: &Email) -> Result<Option<Admin>> {
        self.admin_creation.find(email).await
    }

    /// Reads an admin.
    pub async fn get_admin(&self, id: &AdminId) -> Result<Admin> {
        self.admins.get(id).await
    }

    /// The hash of an admin's password.
    pub async fn admin_credential(&self, id: &AdminId) -> Result<PasswordHash> {
        self.admins.credential(id).await
    }

    /// Lists admins in the order of their ids.
    pub async fn list_admins(&self, page: &PageRequest) -> Result<Page<Admin>> {
        self.admins.list(page).await
    }

    /// Disables an admin, from the next call on. The last owner cannot be disabled.
    pub async fn disable_admin(
        &self,
        by: &AdminId,
        id: &AdminId,
        request: RequestId,
    ) -> Result<Admin> {
        disable_admin(self.redis(), &self.admins, by, id, request).await
    }

    /// Ends the session of this token; `None` = all sessions of the admin.
    pub async fn end_admin_sessions(
        &self,
        admin: &AdminId,
        token: Option<TokenHash>,
    ) -> Result<()> {
        let account = AccountId::Admin(admin.clone());
        self.sessions.end(&account, token).await
    }
}
