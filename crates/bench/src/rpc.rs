//! The gRPC methods that are measured, and a client for them.

use std::fmt::Debug;

use api::admin::{ListRegistrationsRequest, ListRegistrationsResponse};
use api::health::{HealthCheckRequest, HealthCheckResponse};
use api::user::{
    GetCompetitionRequest, GetCompetitionResponse, GetMyRegistrationRequest,
    GetMyRegistrationResponse, ListCompetitionsRequest, ListCompetitionsResponse,
    ListMyRegistrationsRequest, ListMyRegistrationsResponse, RegisterRequest, RegisterResponse,
    WithdrawRequest, WithdrawResponse,
};
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::load::{CallResult, Caller};

/// How much of an unexpected response a report shows, in characters.
const MAX_SHOWN: usize = 300;

pub(crate) trait Rpc: Send + Sync + 'static {
    /// The full name of the service.
    const SERVICE: &str;
    /// `/<service>/<method>`
    const PATH: &str;
    type Request: Message + Default + 'static;
    type Response: Message + Default + Clone + Debug + 'static;
}

/// Calls `$next!` with the list of all methods; the bare server needs it too.
macro_rules! for_each_rpc {
    ($next:ident) => {
        $next! {
            Check in "grpc.health.v1.Health": HealthCheckRequest, HealthCheckResponse;
            GetCompetition in "startlist.user.v1.UserService":
                GetCompetitionRequest, GetCompetitionResponse;
            ListCompetitions in "startlist.user.v1.UserService":
                ListCompetitionsRequest, ListCompetitionsResponse;
            Register in "startlist.user.v1.UserService": RegisterRequest, RegisterResponse;
            Withdraw in "startlist.user.v1.UserService": WithdrawRequest, WithdrawResponse;
            GetMyRegistration in "startlist.user.v1.UserService":
                GetMyRegistrationRequest, GetMyRegistrationResponse;
            ListMyRegistrations in "startlist.user.v1.UserService":
                ListMyRegistrationsRequest, ListMyRegistrationsResponse;
            ListRegistrations in "startlist.admin.v1.AdminService":
                ListRegistrationsRequest, ListRegistrationsResponse;
        }
    };
}
pub(crate) use for_each_rpc;

macro_rules! implement_rpc {
    ($($name:ident in $service:literal: $request:ident, $response:ident;)*) => {$(
        pub(crate) struct $name;

        impl Rpc for $name {
            const SERVICE: &str = $service;
            const PATH: &str = concat!("/", $service, "/", stringify!($name));
            type Request = $request;
            type Response = $response;
        }
    )*};
}
for_each_rpc!(implement_rpc);

pub(crate) type RpcResult<R> = Result<Response<<R as Rpc>::Response>, Status>;

/// Calls a method, with the same steps as a generated client.
pub(crate) async fn call<R: Rpc>(channel: &Channel, request: Request<R::Request>) -> RpcResult<R> {
    let mut client = Grpc::new(channel.clone());
    let ready = client.ready().await;
    ready.map_err(|error| Status::unknown(format!("not ready: {error}")))?;
    let path = PathAndQuery::from_static(R::PATH);
    client.unary(request, path, ProstCodec::default()).await
}

/// The response that a scenario measures. Any other one counts as a failed call.
pub(crate) enum ExpectedResponse<R: Rpc> {
    /// A message for which the function returns true.
    Message(fn(&R::Response) -> bool),
    /// An error with this code.
    Error(Code),
}

impl<R: Rpc> ExpectedResponse<R> {
    pub(crate) fn check(self, result: &RpcResult<R>) -> CallResult {
        match (self, result) {
            (Self::Message(is_expected), Ok(response)) if is_expected(response.get_ref()) => Ok(()),
            (Self::Error(code), Err(status)) if status.code() == code => Ok(()),
            (_, Ok(response)) => {
                let response = format!("{:?}", response.get_ref());
                let start: String = response.chars().take(MAX_SHOWN).collect();
                Err(format!("unexpected response: {start}"))
            }
            (_, Err(status)) => Err(format!("{:?}: {}", status.code(), status.message())),
        }
    }
}

// Derived, both would need `R: Copy`.
impl<R: Rpc> Copy for ExpectedResponse<R> {}

impl<R: Rpc> Clone for ExpectedResponse<R> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Calls one method again and again.
pub(crate) struct RpcCaller<R: Rpc, G> {
    pub(crate) channel: Channel,
    pub(crate) next_request: G,
    pub(crate) expected: ExpectedResponse<R>,
}

impl<R, G> Caller for RpcCaller<R, G>
where
    R: Rpc,
    G: FnMut() -> Request<R::Request> + Send + 'static,
{
    async fn call(&mut self) -> CallResult {
        let request = (self.next_request)();
        let result = call::<R>(&self.channel, request).await;
        self.expected.check(&result)
    }
}
