//! The service for organisers: competitions, registrations, admins.
//!
//! In reading order:
//! 1. [`ACCESS`]: who may call which RPC.
//! 2. [`AdminService`]: the table of RPCs. Each has a file of its own with three steps: request to
//!    domain, store call, domain to response.
//!    - Admins: `sign_in`, `sign_out`, `get_me`, `create_admin`, `list_admins`, `disable_admin`.
//!    - Competitions: `create_competition`, `get_competition`, `list_competitions`,
//!      `update_competition`, `publish_competition`, `cancel_competition`, `delete_competition`.
//!    - Registrations: `list_registrations`, `get_registration`, `add_registration`,
//!      `remove_registration`; `entry` converts their results.
//!    - Lookups: `list_users`, `get_user`, `list_audit_entries`.
//! 3. [`serve`]: the service on a listener, with what `server` mounts around it.
//! 4. Background tasks: [`FirstOwner`] creates the first owner; `sealing` seals the logs, so that a
//!    changed log is noticed.
//! 5. [`Settings`]: the command line of the binary.

mod add_registration;
mod cancel_competition;
mod create_admin;
mod create_competition;
mod delete_competition;
mod disable_admin;
mod entry;
mod first_owner;
mod get_competition;
mod get_me;
mod get_registration;
mod get_user;
mod list_admins;
mod list_audit_entries;
mod list_competitions;
mod list_registrations;
mod list_users;
mod publish_competition;
mod remove_registration;
mod sealing;
mod settings;
mod sign_in;
mod sign_out;
mod update_competition;

use std::io;

use api::admin::admin_service_server::{self, AdminServiceServer};
use api::admin::{
    AddRegistrationRequest, AddRegistrationResponse, CancelCompetitionRequest,
    CancelCompetitionResponse, CreateAdminRequest, CreateAdminResponse, CreateCompetitionRequest,
    CreateCompetitionResponse, DeleteCompetitionRequest, DeleteCompetitionResponse,
    DisableAdminRequest, DisableAdminResponse, GetCompetitionRequest, GetCompetitionResponse,
    GetMeRequest, GetMeResponse, GetRegistrationRequest, GetRegistrationResponse, GetUserRequest,
    GetUserResponse, ListAdminsRequest, ListAdminsResponse, ListAuditEntriesRequest,
    ListAuditEntriesResponse, ListCompetitionsRequest, ListCompetitionsResponse,
    ListRegistrationsRequest, ListRegistrationsResponse, ListUsersRequest, ListUsersResponse,
    PublishCompetitionRequest, PublishCompetitionResponse, RemoveRegistrationRequest,
    RemoveRegistrationResponse, SignInRequest, SignInResponse, SignOutRequest, SignOutResponse,
    UpdateCompetitionRequest, UpdateCompetitionResponse,
};
use domain::{AdminId, Role};
use server::{
    Access, AccessTable, AdminCaller, App, Identity, MAX_MESSAGE_BYTES, Network, OwnerOrBootstrap,
    Passwords, Rate, RpcResult, ServiceSettings, SignInThrottle, SignIns, reply,
};
use store::AdminStore;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::Request;

use self::{
    add_registration::add_registration, cancel_competition::cancel_competition,
    create_admin::create_admin, create_competition::create_competition,
    delete_competition::delete_competition, disable_admin::disable_admin,
    get_competition::get_competition, get_me::get_me, get_registration::get_registration,
    get_user::get_user, list_admins::list_admins, list_audit_entries::list_audit_entries,
    list_competitions::list_competitions, list_registrations::list_registrations,
    list_users::list_users, publish_competition::publish_competition,
    remove_registration::remove_registration, sign_in::sign_in, sign_out::sign_out,
    update_competition::update_competition,
};

pub use first_owner::{FirstOwner, is_owner};
pub use settings::Settings;

/// The changes of one account in a minute: enough for a script that imports 5,000 entrants.
const CHANGES_PER_MINUTE: u32 = 6_000;

/// Who may call which RPC.
pub const ACCESS: AccessTable = &[
    ("SignIn", Access::Anyone, Rate::Unlimited),
    ("SignOut", Access::Admin(Role::Viewer), Rate::Unlimited),
    ("GetMe", Access::Admin(Role::Viewer), Rate::Unlimited),
    ("CreateAdmin", Access::OwnerOrBootstrap, Rate::Changes),
    ("ListAdmins", Access::Admin(Role::Owner), Rate::Unlimited),
    ("DisableAdmin", Access::Admin(Role::Owner), Rate::Unlimited),
    (
        "CreateCompetition",
        Access::Admin(Role::Organiser),
        Rate::Changes,
    ),
    (
        "GetCompetition",
        Access::Admin(Role::Viewer),
        Rate::Unlimited,
    ),
    (
        "ListCompetitions",
        Access::Admin(Role::Viewer),
        Rate::Unlimited,
    ),
    (
        "UpdateCompetition",
        Access::Admin(Role::Organiser),
        Rate::Changes,
    ),
    (
        "PublishCompetition",
        Access::Admin(Role::Organiser),
        Rate::Changes,
    ),
    (
        "CancelCompetition",
        Access::Admin(Role::Organiser),
        Rate::Unlimited,
    ),
    (
        "DeleteCompetition",
        Access::Admin(Role::Organiser),
        Rate::Unlimited,
    ),
    (
        "ListRegistrations",
        Access::Admin(Role::Viewer),
        Rate::Unlimited,
    ),
    (
        "GetRegistration",
        Access::Admin(Role::Viewer),
        Rate::Unlimited,
    ),
    (
        "AddRegistration",
        Access::Admin(Role::Organiser),
        Rate::Changes,
    ),
    (
        "RemoveRegistration",
        Access::Admin(Role::Organiser),
        Rate::Unlimited,
    ),
    ("ListUsers", Access::Admin(Role::Viewer), Rate::Unlimited),
    ("GetUser", Access::Admin(Role::Viewer), Rate::Unlimited),
    (
        "ListAuditEntries",
        Access::Admin(Role::Viewer),
        Rate::Unlimited,
    ),
];

/// `startlist.admin.v1.AdminService`.
pub struct AdminService {
    store: AdminStore,
    passwords: Passwords,
    sign_ins: SignIns<AdminId>,
}

#[tonic::async_trait]
impl admin_service_server::AdminService for AdminService {
    async fn sign_in(&self, request: Request<SignInRequest>) -> RpcResult<SignInResponse> {
        reply(sign_in(self, Network::of(&request), request.into_inner()).await)
    }

    async fn sign_out(&self, request: Request<SignOutRequest>) -> RpcResult<SignOutResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(sign_out(&self.store, caller, request.into_inner()).await)
    }

    async fn get_me(&self, request: Request<GetMeRequest>) -> RpcResult<GetMeResponse> {
        reply(get_me(&self.store, AdminCaller::of(&request)?).await)
    }

    async fn create_admin(
        &self,
        request: Request<CreateAdminRequest>,
    ) -> RpcResult<CreateAdminResponse> {
        let network = Network::of(&request);
        let caller = OwnerOrBootstrap::of(&request)?;
        reply(create_admin(self, network, caller, request.into_inner()).await)
    }

    async fn list_admins(
        &self,
        request: Request<ListAdminsRequest>,
    ) -> RpcResult<ListAdminsResponse> {
        reply(list_admins(&self.store, request.into_inner()).await)
    }

    async fn disable_admin(
        &self,
        request: Request<DisableAdminRequest>,
    ) -> RpcResult<DisableAdminResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(disable_admin(&self.store, caller, request.into_inner()).await)
    }

    async fn create_competition(
        &self,
        request: Request<CreateCompetitionRequest>,
    ) -> RpcResult<CreateCompetitionResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(create_competition(&self.store, caller, request.into_inner()).await)
    }

    async fn get_competition(
        &self,
        request: Request<GetCompetitionRequest>,
    ) -> RpcResult<GetCompetitionResponse> {
        reply(get_competition(&self.store, request.into_inner()).await)
    }

    async fn list_competitions(
        &self,
        request: Request<ListCompetitionsRequest>,
    ) -> RpcResult<ListCompetitionsResponse> {
        reply(list_competitions(&self.store, request.into_inner()).await)
    }

    async fn update_competition(
        &self,
        request: Request<UpdateCompetitionRequest>,
    ) -> RpcResult<UpdateCompetitionResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(update_competition(&self.store, caller, request.into_inner()).await)
    }

    async fn publish_competition(
        &self,
        request: Request<PublishCompetitionRequest>,
    ) -> RpcResult<PublishCompetitionResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(publish_competition(&self.store, caller, request.into_inner()).await)
    }

    async fn cancel_competition(
        &self,
        request: Request<CancelCompetitionRequest>,
    ) -> RpcResult<CancelCompetitionResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(cancel_competition(&self.store, caller, request.into_inner()).await)
    }

    async fn delete_competition(
        &self,
        request: Request<DeleteCompetitionRequest>,
    ) -> RpcResult<DeleteCompetitionResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(delete_competition(&self.store, caller, request.into_inner()).await)
    }

    async fn list_registrations(
        &self,
        request: Request<ListRegistrationsRequest>,
    ) -> RpcResult<ListRegistrationsResponse> {
        reply(list_registrations(&self.store, request.into_inner()).await)
    }

    async fn get_registration(
        &self,
        request: Request<GetRegistrationRequest>,
    ) -> RpcResult<GetRegistrationResponse> {
        reply(get_registration(&self.store, request.into_inner()).await)
    }

    async fn add_registration(
        &self,
        request: Request<AddRegistrationRequest>,
    ) -> RpcResult<AddRegistrationResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(add_registration(&self.store, caller, request.into_inner()).await)
    }

    async fn remove_registration(
        &self,
        request: Request<RemoveRegistrationRequest>,
    ) -> RpcResult<RemoveRegistrationResponse> {
        let caller = AdminCaller::of(&request)?;
        reply(remove_registration(&self.store, caller, request.into_inner()).await)
    }

    async fn list_users(&self, request: Request<ListUsersRequest>) -> RpcResult<ListUsersResponse> {
        reply(list_users(&self.store, request.into_inner()).await)
    }

    async fn get_user(&self, request: Request<GetUserRequest>) -> RpcResult<GetUserResponse> {
        reply(get_user(&self.store, request.into_inner()).await)
    }

    async fn list_audit_entries(
        &self,
        request: Request<ListAuditEntriesRequest>,
    ) -> RpcResult<ListAuditEntriesResponse> {
        reply(list_audit_entries(&self.store, request.into_inner()).await)
    }
}

impl AdminService {
    fn new(store: AdminStore, settings: &ServiceSettings) -> Self {
        let passwords = Passwords::new();
        let throttle = SignInThrottle::new(settings.run.network_sign_in_failures);
        Self {
            sign_ins: SignIns::new(store.credentials(), passwords.clone(), throttle),
            store,
            passwords,
        }
    }
}

/// Serves on the listener until `shutdown`, then drains; see [`server::run`]. In the background it
/// creates the first owner, for which `readiness` waits, and seals the logs.
///
/// Redis need not run yet. Until it does, calls fail with UNAVAILABLE.
pub async fn serve(
    listener: TcpListener,
    store: AdminStore,
    first_owner: FirstOwner,
    settings: ServiceSettings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = AdminService::new(store.clone(), &settings);
    let preparation = Box::pin(first_owner.ensure(
        store.clone(),
        service.passwords.clone(),
        listener.local_addr()?,
        settings.run.clone(),
    ));
    // Dropping the set at the end of the server cancels its tasks.
    let mut background = JoinSet::new();
    background.spawn(sealing::keep_sealing(store.clone()));
    let service = AdminServiceServer::new(service);
    let app = App {
        identity: Identity {
            name: "admin-service",
            service: admin_service_server::SERVICE_NAME,
        },
        service: service.max_decoding_message_size(MAX_MESSAGE_BYTES),
        access: ACCESS,
        changes_per_minute: CHANGES_PER_MINUTE,
        sessions: store.sessions(),
        redis: store.redis().clone(),
        preparation,
        settings,
    };
    server::run(listener, app, shutdown).await
}
