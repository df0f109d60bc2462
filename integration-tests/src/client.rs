//! Generated clients that carry a credential.

use api::admin::admin_service_client::AdminServiceClient;
use api::user::user_service_client::UserServiceClient;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A client of user-service.
pub type UserClient = UserServiceClient<InterceptedService<Channel, Credential>>;
/// A client of admin-service.
pub type AdminClient = AdminServiceClient<InterceptedService<Channel, Credential>>;

/// A channel to a service at `host:port` or `http://host:port`. It connects with the first call.
#[must_use]
pub fn channel_to(address: &str) -> Channel {
    let host = address.trim_start_matches("http://");
    let endpoint = Endpoint::from_shared(format!("http://{host}"));
    endpoint.expect("a valid address").connect_lazy()
}

/// A client of user-service with this token, or without a credential.
#[must_use]
pub fn user_client(channel: Channel, token: Option<&str>) -> UserClient {
    UserServiceClient::with_interceptor(channel, Credential::bearer(token))
}

/// A client of admin-service with this token, or without a credential.
#[must_use]
pub fn admin_client(channel: Channel, token: Option<&str>) -> AdminClient {
    AdminServiceClient::with_interceptor(channel, Credential::bearer(token))
}

/// Collects the items of all pages. `read_page` gets the token of a page, at first the empty one,
/// and returns the items of that page and the token of the next one.
pub async fn all_pages<T>(mut read_page: impl AsyncFnMut(String) -> (Vec<T>, String)) -> Vec<T> {
    let (mut items, mut token) = read_page(String::new()).await;
    while !token.is_empty() {
        let (more, next_token) = read_page(token).await;
        items.extend(more);
        token = next_token;
    }
    items
}

/// Adds the session token to each call, if there is one.
#[derive(Debug, Clone)]
pub struct Credential(Option<AsciiMetadataValue>);

impl Credential {
    fn bearer(token: Option<&str>) -> Self {
        let value = |token| format!("Bearer {token}").parse();
        Self(token.map(|token| value(token).expect("tokens are ASCII")))
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
