//! The service for people who run competitions: the competitions, who is registered for them, and who
//! runs them.
//!
//! In reading order:
//! 1. [`ACCESS`]: who may call which RPC.
//! 2. [`AdminService`]: the table of RPCs. Each has a file of its own with three acts: request to domain,
//!    store call, domain to reply.
//!    - Admins: `sign_in`, `sign_out`, `get_me`, `create_admin`, `list_admins`, `disable_admin`.
//!    - Competitions: `create_competition`, `get_competition`, `list_competitions`, `update_competition`,
//!      `publish_competition`, `cancel_competition`, `delete_competition`.
//!    - Registrations: `list_registrations`, `get_registration`, `add_registration`,
//!      `remove_registration`; `entry` is what they answer.
//!    - What organisers look up: `list_users`, `get_user`, `list_audit_entries`.
//! 3. [`serve`]: the service on a listener, with all that `server` mounts around it.
//! 4. Beside the calls: [`FirstOwner`], how the first owner comes to be; `sealing`, which makes it seen when
//!    somebody changes a log.
//! 5. [`Settings`]: the command line of the binary, whose `main` is next door.

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
use domain::Role;
use server::{
    Access, AccessTable, App, Identity, MAX_MESSAGE_BYTES, Network, Passwords, ServiceSettings,
    SignInThrottle, SignIns, caller, reply,
};
use store::AdminStore;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::{Request, Response, Status};

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

pub use first_owner::FirstOwner;
pub use settings::Settings;

/// Who may call which RPC.
pub const ACCESS: AccessTable = &[
    ("SignIn", Access::Anyone),
    ("SignOut", Access::Admin(Role::Viewer)),
    ("GetMe", Access::Admin(Role::Viewer)),
    ("CreateAdmin", Access::OwnerOrBootstrap),
    ("ListAdmins", Access::Admin(Role::Owner)),
    ("DisableAdmin", Access::Admin(Role::Owner)),
    ("CreateCompetition", Access::Admin(Role::Organiser)),
    ("GetCompetition", Access::Admin(Role::Viewer)),
    ("ListCompetitions", Access::Admin(Role::Viewer)),
    ("UpdateCompetition", Access::Admin(Role::Organiser)),
    ("PublishCompetition", Access::Admin(Role::Organiser)),
    ("CancelCompetition", Access::Admin(Role::Organiser)),
    ("DeleteCompetition", Access::Admin(Role::Organiser)),
    ("ListRegistrations", Access::Admin(Role::Viewer)),
    ("GetRegistration", Access::Admin(Role::Viewer)),
    ("AddRegistration", Access::Admin(Role::Organiser)),
    ("RemoveRegistration", Access::Admin(Role::Organiser)),
    ("ListUsers", Access::Admin(Role::Viewer)),
    ("GetUser", Access::Admin(Role::Viewer)),
    ("ListAuditEntries", Access::Admin(Role::Viewer)),
];

/// `startlist.admin.v1.AdminService`.
pub struct AdminService {
    store: AdminStore,
    passwords: Passwords,
    sign_ins: SignIns,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl admin_service_server::AdminService for AdminService {
    async fn sign_in(&self, request: Request<SignInRequest>) -> Answer<SignInResponse> {
        reply(sign_in(self, Network::of(&request), request.into_inner()).await)
    }

    async fn sign_out(&self, request: Request<SignOutRequest>) -> Answer<SignOutResponse> {
        reply(sign_out(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn get_me(&self, request: Request<GetMeRequest>) -> Answer<GetMeResponse> {
        reply(get_me(&self.store, caller(&request)?).await)
    }

    async fn create_admin(
        &self,
        request: Request<CreateAdminRequest>,
    ) -> Answer<CreateAdminResponse> {
        let (network, caller) = (Network::of(&request), caller(&request)?);
        reply(create_admin(self, network, caller, request.into_inner()).await)
    }

    async fn list_admins(&self, request: Request<ListAdminsRequest>) -> Answer<ListAdminsResponse> {
        reply(list_admins(&self.store, request.into_inner()).await)
    }

    async fn disable_admin(
        &self,
        request: Request<DisableAdminRequest>,
    ) -> Answer<DisableAdminResponse> {
        reply(disable_admin(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn create_competition(
        &self,
        request: Request<CreateCompetitionRequest>,
    ) -> Answer<CreateCompetitionResponse> {
        reply(create_competition(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn get_competition(
        &self,
        request: Request<GetCompetitionRequest>,
    ) -> Answer<GetCompetitionResponse> {
        reply(get_competition(&self.store, request.into_inner()).await)
    }

    async fn list_competitions(
        &self,
        request: Request<ListCompetitionsRequest>,
    ) -> Answer<ListCompetitionsResponse> {
        reply(list_competitions(&self.store, request.into_inner()).await)
    }

    async fn update_competition(
        &self,
        request: Request<UpdateCompetitionRequest>,
    ) -> Answer<UpdateCompetitionResponse> {
        reply(update_competition(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn publish_competition(
        &self,
        request: Request<PublishCompetitionRequest>,
    ) -> Answer<PublishCompetitionResponse> {
        reply(publish_competition(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn cancel_competition(
        &self,
        request: Request<CancelCompetitionRequest>,
    ) -> Answer<CancelCompetitionResponse> {
        reply(cancel_competition(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn delete_competition(
        &self,
        request: Request<DeleteCompetitionRequest>,
    ) -> Answer<DeleteCompetitionResponse> {
        reply(delete_competition(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn list_registrations(
        &self,
        request: Request<ListRegistrationsRequest>,
    ) -> Answer<ListRegistrationsResponse> {
        reply(list_registrations(&self.store, request.into_inner()).await)
    }

    async fn get_registration(
        &self,
        request: Request<GetRegistrationRequest>,
    ) -> Answer<GetRegistrationResponse> {
        reply(get_registration(&self.store, request.into_inner()).await)
    }

    async fn add_registration(
        &self,
        request: Request<AddRegistrationRequest>,
    ) -> Answer<AddRegistrationResponse> {
        reply(add_registration(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn remove_registration(
        &self,
        request: Request<RemoveRegistrationRequest>,
    ) -> Answer<RemoveRegistrationResponse> {
        reply(remove_registration(&self.store, caller(&request)?, request.into_inner()).await)
    }

    async fn list_users(&self, request: Request<ListUsersRequest>) -> Answer<ListUsersResponse> {
        reply(list_users(&self.store, request.into_inner()).await)
    }

    async fn get_user(&self, request: Request<GetUserRequest>) -> Answer<GetUserResponse> {
        reply(get_user(&self.store, request.into_inner()).await)
    }

    async fn list_audit_entries(
        &self,
        request: Request<ListAuditEntriesRequest>,
    ) -> Answer<ListAuditEntriesResponse> {
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

/// Serves on the listener until `shutdown`, then drains; see [`server::run`]. Beside it sees to the first
/// owner, and seals the logs.
///
/// Redis need not be there: calls are answered with UNAVAILABLE until it comes.
pub async fn serve(
    listener: TcpListener,
    store: AdminStore,
    first_owner: FirstOwner,
    settings: ServiceSettings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = AdminService::new(store.clone(), &settings);
    // Dropped, and with it what is in it, when the server ends.
    let mut beside_calls = JoinSet::new();
    beside_calls.spawn(first_owner.see_to(
        store.clone(),
        service.passwords.clone(),
        listener.local_addr()?,
        settings.run.log_format,
    ));
    beside_calls.spawn(sealing::keep_sealing(store.clone()));
    let service = AdminServiceServer::new(service);
    let app = App {
        identity: Identity {
            name: "admin-service",
            service: admin_service_server::SERVICE_NAME,
        },
        service: service.max_decoding_message_size(MAX_MESSAGE_BYTES),
        access: ACCESS,
        sessions: store.sessions(),
        redis: store.redis().clone(),
        settings,
    };
    server::run(listener, app, shutdown).await
}
