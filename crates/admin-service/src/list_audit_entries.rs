//! `ListAuditEntries`: lists the log of a competition, oldest entry first.

use api::admin::{AuditEntry, ListAuditEntriesRequest, ListAuditEntriesResponse};
use api::request::ListAuditEntries;
use server::{Failure, ListOf};
use store::AdminStore;

pub(crate) async fn list_audit_entries(
    store: &AdminStore,
    request: ListAuditEntriesRequest,
) -> Result<ListAuditEntriesResponse, Failure> {
    let ListAuditEntries {
        competition_id,
        page,
    } = request.try_into()?;
    let list = ListOf::new("ListAuditEntries", &competition_id);
    let page = list.page(&page)?;

    let found = store.audit_entries(&competition_id, &page).await?;

    let (entries, next_page_token) = list.response(found, AuditEntry::from);
    Ok(ListAuditEntriesResponse {
        entries,
        next_page_token,
    })
}
