//! The bare tonic server: decodes the request and returns one fixed response. It is the upper bound
//! for a service with the same messages.
//!
//! It runs as a process of its own, as a service does. Its response is one that the service has
//! returned, so that both encode messages of the same size.

use std::convert::Infallible;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use prost::Message;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server as TonicServer;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::Service;

use super::child_process::ChildProcess;
use super::server::GrpcServer;
use crate::result::Result;
use crate::rpc::{self, Rpc, RpcResult, for_each_rpc};
use crate::settings::FixedResponse;

/// Starts a bare server for this method and response, with its files in this directory.
pub(crate) fn start<R: Rpc>(response: &RpcResult<R>, folder: &Path) -> Result<GrpcServer> {
    let file = folder.join("fixed-response");
    let mut command = Command::new(env::current_exe()?);
    command
        .args(["bare-server", "--path", R::PATH, "--body"])
        .arg(&file);
    match response {
        Ok(response) => fs::write(&file, response.get_ref().encode_to_vec())?,
        Err(status) => {
            command.args(["--code", &i32::from(status.code()).to_string()]);
            command.args(["--message", status.message()]);
            fs::write(&file, status.details())?;
        }
    }
    let mut process = ChildProcess::start(command, folder)?;
    let mut url = String::new();
    if let Some(stdout) = process.stdout() {
        BufReader::new(stdout).read_line(&mut url)?;
    }
    if url.is_empty() {
        return Err(process.startup_error().into());
    }
    let url = url.trim_end().to_owned();
    Ok(GrpcServer { process, url })
}

macro_rules! serve_any {
    ($($name:ident in $service:literal: $request:ident, $response:ident;)*) => {
        /// Serves until the process is killed. Prints its URL as the first line on stdout.
        pub(crate) async fn serve(response: &FixedResponse) -> Result<()> {
            match response.path.as_str() {
                $(rpc::$name::PATH => serve_method::<rpc::$name>(response).await,)*
                path => Err(format!("the bare server has no method {path}").into()),
            }
        }
    };
}
for_each_rpc!(serve_any);

async fn serve_method<R: Rpc>(response: &FixedResponse) -> Result<()> {
    let body = fs::read(&response.body)?;
    let response = match response.code {
        None => Ok(R::Response::decode(body.as_slice())?),
        Some(code) => {
            let code = Code::from_i32(code);
            Err(Status::with_details(code, &response.message, body.into()))
        }
    };
    let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    println!("http://{}", incoming.local_addr()?);
    let server = TonicServer::builder().add_service(BareService::<R>(Arc::new(response)));
    let incoming = incoming.with_nodelay(Some(true));
    Ok(server.serve_with_incoming(incoming).await?)
}

/// The same as tonic generates for a service with one method.
struct BareService<R: Rpc>(Arc<Result<R::Response, Status>>);

impl<R: Rpc> Service<http::Request<Body>> for BareService<R> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

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

impl<R: Rpc> UnaryService<R::Request> for BareService<R> {
    type Response = R::Response;
    type Future = BoxFuture<'static, Result<Response<R::Response>, Status>>;

    fn call(&mut self, _: Request<R::Request>) -> Self::Future {
        let response = Arc::clone(&self.0);
        Box::pin(async move { (*response).clone().map(Response::new) })
    }
}

impl<R: Rpc> NamedService for BareService<R> {
    const NAME: &'static str = R::SERVICE;
}

impl<R: Rpc> Clone for BareService<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
