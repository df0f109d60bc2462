//! The limit: tonic answering the same messages, and doing nothing else.
//!
//! It runs as a process of its own, as a service does, and is asked by the same generator. Its one answer
//! is one that the service really gave, so that both carry messages of the same size.

use std::convert::Infallible;
use std::fmt::Debug;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use api::admin::{ListRegistrationsRequest, ListRegistrationsResponse};
use api::health::{HealthCheckRequest, HealthCheckResponse};
use api::user::{
    GetCompetitionRequest, GetCompetitionResponse, GetMyRegistrationRequest,
    GetMyRegistrationResponse, ListCompetitionsRequest, ListCompetitionsResponse,
    ListMyRegistrationsRequest, ListMyRegistrationsResponse, RegisterRequest, RegisterResponse,
    WithdrawRequest, WithdrawResponse,
};
use clap::Args;
use prost::Message;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use crate::Result;

/// A method that is measured.
pub(crate) trait Rpc: Send + Sync + 'static {
    /// The full name of its service.
    const SERVICE: &str;
    /// How it is called.
    const PATH: &str;
    /// What is asked.
    type Request: Message + Default + 'static;
    /// What is answered.
    type Response: Message + Default + Clone + Debug + 'static;
}

macro_rules! rpcs {
    ($($name:ident of $service:literal: $request:ident -> $response:ident;)*) => {
        $(
            #[doc = concat!("`", $service, "/", stringify!($name), "`")]
            pub(crate) struct $name;

            impl Rpc for $name {
                const SERVICE: &str = $service;
                const PATH: &str = concat!("/", $service, "/", stringify!($name));
                type Request = $request;
                type Response = $response;
            }
        )*

        /// Serves `canned` until the process is ended; its address is the first line on stdout.
        pub(crate) async fn serve(canned: &Canned) -> Result<()> {
            match canned.path.as_str() {
                $($name::PATH => serve_one::<$name>(canned).await,)*
                unknown => Err(format!("there is no {unknown} to serve").into()),
            }
        }
    };
}

rpcs! {
    Check of "grpc.health.v1.Health": HealthCheckRequest -> HealthCheckResponse;
    GetCompetition of "startlist.user.v1.UserService": GetCompetitionRequest -> GetCompetitionResponse;
    ListCompetitions of "startlist.user.v1.UserService": ListCompetitionsRequest -> ListCompetitionsResponse;
    Register of "startlist.user.v1.UserService": RegisterRequest -> RegisterResponse;
    Withdraw of "startlist.user.v1.UserService": WithdrawRequest -> WithdrawResponse;
    GetMyRegistration of "startlist.user.v1.UserService": GetMyRegistrationRequest -> GetMyRegistrationResponse;
    ListMyRegistrations of "startlist.user.v1.UserService": ListMyRegistrationsRequest -> ListMyRegistrationsResponse;
    ListRegistrations of "startlist.admin.v1.AdminService": ListRegistrationsRequest -> ListRegistrationsResponse;
}

/// The one answer of a bare server.
#[derive(Debug, Args)]
pub(crate) struct Canned {
    /// The path of the method
    #[arg(long)]
    path: String,
    /// The file that holds the message, or the details of the error
    #[arg(long)]
    answer: PathBuf,
    /// The number of the error's code, if the answer is an error
    #[arg(long)]
    code: Option<i32>,
    /// What the error says
    #[arg(long, default_value = "")]
    message: String,
}

impl Canned {
    /// What a bare server is to answer: this real answer.
    pub(crate) fn of<R: Rpc>(
        answer: &Result<Response<R::Response>, Status>,
    ) -> (Vec<String>, Vec<u8>) {
        let mut arguments = vec!["--path".to_owned(), R::PATH.to_owned()];
        match answer {
            Ok(response) => (arguments, response.get_ref().encode_to_vec()),
            Err(status) => {
                let code = i32::from(status.code()).to_string();
                let message = status.message().to_owned();
                arguments.extend(["--code".to_owned(), code, "--message".to_owned(), message]);
                (arguments, status.details().to_vec())
            }
        }
    }

    fn read<R: Rpc>(&self) -> Result<Answer<R>> {
        let bytes = fs::read(&self.answer)?;
        Ok(match self.code {
            None => Ok(R::Response::decode(bytes.as_slice())?),
            Some(code) => {
                let code = Code::from_i32(code);
                Err(Status::with_details(code, &self.message, bytes.into()))
            }
        })
    }
}

type Answer<R> = Result<<R as Rpc>::Response, Status>;

/// What tonic generates for a service, for one method.
struct Bare<R: Rpc>(Arc<Answer<R>>);

async fn serve_one<R: Rpc>(canned: &Canned) -> Result<()> {
    let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = incoming.local_addr()?;
    let service = Bare::<R>(Arc::new(canned.read::<R>()?));
    println!("http://{address}");
    let serving = Server::builder().add_service(service);
    let incoming = incoming.with_nodelay(Some(true));
    Ok(serving.serve_with_incoming(incoming).await?)
}

impl<R: Rpc> Service<http::Request<Body>> for Bare<R> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = self.clone();
        Box::pin(async move {
            if request.uri().path() != R::PATH {
                return Ok(Status::unimplemented("").into_http());
            }
            let codec = ProstCodec::<R::Response, R::Request>::default();
            Ok(Grpc::new(codec).unary(method, request).await)
        })
    }
}

impl<R: Rpc> UnaryService<R::Request> for Bare<R> {
    type Response = R::Response;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R::Response>, Status>> + Send>>;

    fn call(&mut self, _: Request<R::Request>) -> Self::Future {
        let answer = Arc::clone(&self.0);
        Box::pin(async move { (*answer).clone().map(Response::new) })
    }
}

impl<R: Rpc> NamedService for Bare<R> {
    const NAME: &'static str = R::SERVICE;
}

impl<R: Rpc> Clone for Bare<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
