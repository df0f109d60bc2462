//! `ListAdmins`: lists the admins, including disabled ones.

use api::admin::{ListAdminsRequest, ListAdminsResponse};
use api::request::RequestedPage;
use api::v1::Admin;
use server::{Failure, ListOf};
use store::AdminStore;

pub(crate) async fn list_admins(
    store: &AdminStore,
    request: ListAdminsRequest,
) -> Result<ListAdminsResponse, Failure> {
    let asked = RequestedPage::try_from(request)?;
    let list = ListOf::new("ListAdmins", &());
    let page = list.page(&asked)?;

    let found = store.list_admins(&page).await?;

    let (admins, next_page_token) = list.response(found, Admin::from);
    Ok(ListAdminsResponse {
        admins,
        next_page_token,
    })
}
