//! `ListUsers`: lists the users, or finds the one with an e-mail address.

use api::admin::{ListUsersRequest, ListUsersResponse};
use api::request::ListUsers;
use api::v1::User;
use domain::Email;
use server::{Failure, ListOf};
use store::{AdminStore, Page};

pub(crate) async fn list_users(
    store: &AdminStore,
    request: ListUsersRequest,
) -> Result<ListUsersResponse, Failure> {
    let ListUsers { email, page } = request.try_into()?;
    let list = ListOf::new("ListUsers", &email.as_ref().map(Email::canonical));
    let page = list.page(&page)?;

    let found = match email {
        None => store.list_users(&page).await?,
        Some(email) => page_of(store.find_user_by_email(&email).await?),
    };

    let (users, next_page_token) = list.response(found, User::from);
    Ok(ListUsersResponse {
        users,
        next_page_token,
    })
}

fn page_of<T>(item: Option<T>) -> Page<T> {
    Page {
        items: item.into_iter().collect(),
        next: None,
    }
}
