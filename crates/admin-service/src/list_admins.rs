//! `ListAdmins`: lists the admins, disabled ones too.

use api::admin::{ListAdminsRequest, ListAdminsResponse};
use api::request::Page;
use api::v1::Admin;
use server::{Failure, ListOf};
use store::Store;

pub(crate) async fn list_admins(
    store: &Store,
    request: ListAdminsRequest,
) -> Result<ListAdminsResponse, Failure> {
    let asked = Page::try_from(request)?;
    let list = ListOf::new("ListAdmins", &());
    let page = list.page(&asked)?;

    let found = store.list_admins(&page).await?;

    let (admins, next_page_token) = list.answer(found, Admin::from);
    Ok(ListAdminsResponse {
        admins,
        next_page_token,
    })
}
