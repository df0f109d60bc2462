//! The service for competitors: their account, competitions, and their registrations.
//!
//! In reading order:
//! 1. [`ACCESS`]: who may call which RPC.
//! 2. [`UserService`]: the table of RPCs. Each has a file of its own with three steps: request to
//!    domain, store call, domain to response.
//!    - The account: `sign_up`, `sign_in`, `sign_out`, `get_me`, `update_me`, `change_password`,
//!      `export_me`, `delete_me`. They share `me`, the caller's account, `birth_date`, the one field
//!      whose check needs the current time, and `sign_up_limit`.
//!    - Competitions: `list_competitions`, `get_competition`.
//!    - Registrations: `register`, `withdraw`, `get_my_registration`, `list_my_registrations`.
//! 3. [`serve`]: the service on a listener, with what `server` mounts around it.
//! 4. [`Settings`]: the command line of the binary.
//!
//! No request names another user. Each handler gets the caller from the credential.

mod birth_date;
mod change_password;
mod delete_me;
mod export_me;
mod get_competition;
mod get_me;
mod get_my_registration;
mod list_competitions;
mod list_my_registrations;
mod me;
mod register;
mod settings;
mod sign_in;
mod sign_out;
mod sign_up;
mod sign_up_limit;
mod update_me;
mod withdraw;

use std::io;

use api::user::user_service_server::{self, UserServiceServer};
use api::user::{
    ChangePasswordRequest, ChangePasswordResponse, DeleteMeRequest, DeleteMeResponse,
    ExportMeRequest, ExportMeResponse, GetCompetitionRequest, GetCompetitionResponse, GetMeRequest,
    GetMeResponse, GetMyRegistrationRequest, GetMyRegistrationResponse, ListCompetitionsRequest,
    ListCompetitionsResponse, ListMyRegistrationsRequest, ListMyRegistrationsResponse,
    RegisterRequest, RegisterResponse, SignInRequest, SignInResponse, SignOutRequest,
    SignOutResponse, SignUpRequest, SignUpResponse, UpdateMeRequest, UpdateMeResponse,
    WithdrawRequest, WithdrawResponse,
};
use domain::UserId;
use server::{
    Access, AccessTable, App, Identity, MAX_MESSAGE_BYTES, Network, Passwords, Rate, RpcResult,
    ServiceSettings, SignInThrottle, SignIns, UserCaller, reply,
};
use store::UserStore;
use tokio::net::TcpListener;
use tonic::Request;

use self::{
    change_password::change_password, delete_me::delete_me, export_me::export_me,
    get_competition::get_competition, get_me::get_me, get_my_registration::get_my_registration,
    list_competitions::list_competitions, list_my_registrations::list_my_registrations,
    register::register, sign_in::sign_in, sign_out::sign_out, sign_up::sign_up,
    update_me::update_me, withdraw::withdraw,
};
pub use settings::{Settings, SignUpSettings};
pub use sign_up_limit::SignUpLimit;

/// The changes of one account in a minute: more than a person makes.
const CHANGES_PER_MINUTE: u32 = 60;

/// Who may call which RPC.
pub const ACCESS: AccessTable = &[
    ("SignUp", Access::Anyone, Rate::Unlimited),
    ("SignIn", Access::Anyone, Rate::Unlimited),
    ("SignOut", Access::User, Rate::Unlimited),
    ("GetMe", Access::User, Rate::Unlimited),
    ("UpdateMe", Access::User, Rate::Changes),
    ("ChangePassword", Access::User, Rate::Unlimited),
    ("ExportMe", Access::User, Rate::Unlimited),
    ("DeleteMe", Access::UserOrErased, Rate::Unlimited),
    ("ListCompetitions", Access::Anyone, Rate::Unlimited),
    ("GetCompetition", Access::Anyone, Rate::Unlimited),
    ("Register", Access::User, Rate::Changes),
    ("Withdraw", Access::User, Rate::Unlimited),
    ("GetMyRegistration", Access::User, Rate::Unlimited),
    ("ListMyRegistrations", Access::User, Rate::Unlimited),
];

/// `startlist.user.v1.UserService`.
pub struct UserService {
    store: UserStore,
    passwords: Passwords,
    sign_ins: SignIns<UserId>,
    sign_ups: SignUpLimit,
}

#[tonic::async_trait]
impl user_service_server::UserService for UserService {
    async fn sign_up(&self, request: Request<SignUpRequest>) -> RpcResult<SignUpResponse> {
        reply(sign_up(self, Network::of(&request), request.into_inner()).await)
    }

    async fn sign_in(&self, request: Request<SignInRequest>) -> RpcResult<SignInResponse> {
        reply(sign_in(self, Network::of(&request), request.into_inner()).await)
    }

    async fn sign_out(&self, request: Request<SignOutRequest>) -> RpcResult<SignOutResponse> {
        let caller = UserCaller::of(&request)?;
        reply(sign_out(&self.store, caller, request.into_inner()).await)
    }

    async fn get_me(&self, request: Request<GetMeRequest>) -> RpcResult<GetMeResponse> {
        reply(get_me(&self.store, UserCaller::of(&request)?).await)
    }

    async fn update_me(&self, request: Request<UpdateMeRequest>) -> RpcResult<UpdateMeResponse> {
        let caller = UserCaller::of(&request)?;
        reply(update_me(&self.store, caller, request.into_inner()).await)
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> RpcResult<ChangePasswordResponse> {
        let network = Network::of(&request);
        let caller = UserCaller::of(&request)?;
        reply(change_password(self, network, caller, request.into_inner()).await)
    }

    async fn export_me(&self, request: Request<ExportMeRequest>) -> RpcResult<ExportMeResponse> {
        let caller = UserCaller::of(&request)?;
        reply(export_me(&self.store, caller, request.into_inner()).await)
    }

    async fn delete_me(&self, request: Request<DeleteMeRequest>) -> RpcResult<DeleteMeResponse> {
        let network = Network::of(&request);
        let caller = UserCaller::of(&request)?;
        reply(delete_me(self, network, caller, request.into_inner()).await)
    }

    async fn list_competitions(
        &self,
        request: Request<ListCompetitionsRequest>,
    ) -> RpcResult<ListCompetitionsResponse> {
        reply(list_competitions(&self.store, request.into_inner()).await)
    }

    async fn get_competition(
        &self,
        request: Request<GetCompetitionRequest>,
    ) -> RpcResult<GetCompetitionResponse> {
        reply(get_competition(&self.store, request.into_inner()).await)
    }

    async fn register(&self, request: Request<RegisterRequest>) -> RpcResult<RegisterResponse> {
        let caller = UserCaller::of(&request)?;
        reply(register(&self.store, caller, request.into_inner()).await)
    }

    async fn withdraw(&self, request: Request<WithdrawRequest>) -> RpcResult<WithdrawResponse> {
        let caller = UserCaller::of(&request)?;
        reply(withdraw(&self.store, caller, request.into_inner()).await)
    }

    async fn get_my_registration(
        &self,
        request: Request<GetMyRegistrationRequest>,
    ) -> RpcResult<GetMyRegistrationResponse> {
        let caller = UserCaller::of(&request)?;
        reply(get_my_registration(&self.store, caller, request.into_inner()).await)
    }

    async fn list_my_registrations(
        &self,
        request: Request<ListMyRegistrationsRequest>,
    ) -> RpcResult<ListMyRegistrationsResponse> {
        let caller = UserCaller::of(&request)?;
        reply(list_my_registrations(&self.store, caller, request.into_inner()).await)
    }
}

impl UserService {
    fn new(store: UserStore, sign_ups: SignUpLimit, settings: &ServiceSettings) -> Self {
        let passwords = Passwords::new();
        let throttle = SignInThrottle::new(settings.run.network_sign_in_failures);
        Self {
            sign_ins: SignIns::new(store.credentials(), passwords.clone(), throttle),
            sign_ups,
            store,
            passwords,
        }
    }
}

/// Serves on the listener until `shutdown`, then drains; see [`server::run`].
///
/// Redis need not run yet. Until it does, calls fail with UNAVAILABLE.
pub async fn serve(
    listener: TcpListener,
    store: UserStore,
    sign_ups: SignUpLimit,
    settings: ServiceSettings,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = UserServiceServer::new(UserService::new(store.clone(), sign_ups, &settings));
    let app = App {
        identity: Identity {
            name: "user-service",
            service: user_service_server::SERVICE_NAME,
        },
        service: service.max_decoding_message_size(MAX_MESSAGE_BYTES),
        access: ACCESS,
        changes_per_minute: CHANGES_PER_MINUTE,
        sessions: store.sessions(),
        redis: store.redis().clone(),
        preparation: Box::pin(std::future::ready(())),
        settings,
    };
    server::run(listener, app, shutdown).await
}
