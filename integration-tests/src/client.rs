//! Generated clients that carry a credential.

use api::admin::admin_service_client::AdminServiceClient;
use api::user::user_service_client::UserServiceClient;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A connection to a service at `host:port` or `http://host:port`; it is opened with the first call.
#[must_use]
pub fn channel_to(address: &str) -> Channel {
    let host = address.trim_start_matches("http://");
    let endpoint = Endpoint::from_shared(format!("http://{host}"));
    endpoint.expect("an address").connect_lazy()
}

/// A client of user-service.
pub type UserClient = UserServiceClient<InterceptedService<Channel, Credential>>;
/// A client of admin-service.
pub type AdminClient = AdminServiceClient<InterceptedService<Channel, Credential>>;

/// Calls user-service with this token, or as nobody.
#[must_use]
pub fn user_client(channel: Channel, token: Option<&str>) -> UserClient {
    UserServiceClient::with_interceptor(channel, Credential::bearer(token))
}

/// Calls admin-service with this token, or as nobody.
#[must_use]
pub fn admin_client(channel: Channel, token: Option<&str>) -> AdminClient {
    AdminServiceClient::with_interceptor(channel, Credential::bearer(token))
}

/// Puts the session token into each call; nothing if there is none.
#[derive(Debug, Clone)]
pub struct Credential(Option<AsciiMetadataValue>);

impl Credential {
    fn bearer(token: Option<&str>) -> Self {
        let value = |token| format!("Bearer {token}").parse();
        Self(token.map(|token| value(token).expect("a token is ASCII")))
    }
}

impl Interceptor for Credential {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", value.clone());
        }
        Ok(request)
    }
}
