//! Generated clients that carry a credential.

use std::net::Ipv4Addr;

use api::admin::admin_service_client::AdminServiceClient;
use api::user::user_service_client::UserServiceClient;
use api::{admin, user};
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

/// A channel to a service at `http://host:port` from the network `127.0.<network>.0/24`. Linux
/// accepts every address of 127.0.0.0/8; elsewhere it has to be added to the loopback interface.
#[must_use]
pub(crate) fn channel_from(network: u8, url: &str) -> Channel {
    let endpoint = Endpoint::from_shared(url.to_owned()).expect("a valid URL");
    let address = Ipv4Addr::new(127, 0, network, 1);
    endpoint.local_address(Some(address.into())).connect_lazy()
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

/// Signs in as a user.
pub async fn sign_in(
    mut client: UserClient,
    email: &str,
    password: &str,
) -> Result<user::SignInResponse, Status> {
    let request = user::SignInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
    };
    Ok(client.sign_in(request).await?.into_inner())
}

/// Signs in as an admin.
pub async fn admin_sign_in(
    mut client: AdminClient,
    email: &str,
    password: &str,
) -> Result<admin::SignInResponse, Status> {
    let request = admin::SignInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
    };
    Ok(client.sign_in(request).await?.into_inner())
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
