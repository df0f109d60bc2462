//! `ExportMe`: returns all stored data about the caller, in pages.

use api::convert::timestamp;
use api::request::RequestedPage;
use api::user::{
    AccountAction, AccountLogEntry, ExportMeRequest, ExportMeResponse, MyRegistration, Session,
};
use domain::Rejection;
use server::{Failure, ListOf, UserCaller};
use store::users::SessionTimes;
use store::{AccountEvent, AccountEventKind, UserStore};

use crate::me::me;

pub(crate) async fn export_me(
    store: &UserStore,
    caller: UserCaller,
    request: ExportMeRequest,
) -> Result<ExportMeResponse, Failure> {
    let asked = RequestedPage::try_from(request)?;
    let list = ListOf::new("ExportMe", &caller.id);
    let page = list.page(&asked)?;

    let export = match page.after {
        None => account(store, &caller).await?,
        Some(_) => ExportMeResponse::default(),
    };
    let found = store.my_registrations(&caller.id, &page).await?;

    let (registrations, next_page_token) =
        list.response_beside(&export, found, |(mine, competition)| {
            MyRegistration::new(mine, competition)
        });
    Ok(ExportMeResponse {
        registrations,
        next_page_token,
        ..export
    })
}

/// The first page without registrations: less than 64 KiB.
async fn account(store: &UserStore, caller: &UserCaller) -> Result<ExportMeResponse, Failure> {
    let user = me(store, caller).await?;
    let (sessions, events) = store.account_history(&caller.id).await?;
    Ok(ExportMeResponse {
        user: Some(user.into()),
        sessions: sessions.iter().map(session).collect(),
        account_log: events.iter().map(entry).collect::<Result<_, _>>()?,
        ..ExportMeResponse::default()
    })
}

fn session(times: &SessionTimes) -> Session {
    Session {
        created_at: Some(timestamp(times.created_at)),
        expires_at: Some(timestamp(times.expires_at)),
    }
}

fn entry(event: &AccountEvent) -> Result<AccountLogEntry, Failure> {
    let action = match event.kind {
        AccountEventKind::SignUp => AccountAction::SignedUp,
        AccountEventKind::SignIn => AccountAction::SignedIn,
        AccountEventKind::SignOut => AccountAction::SignedOut,
        AccountEventKind::UpdateProfile => AccountAction::Updated,
        AccountEventKind::ChangePassword => AccountAction::PasswordChanged,
        // The account was erased since the call was let in.
        AccountEventKind::Erase | AccountEventKind::Disable => {
            return Err(Rejection::Unauthenticated.into());
        }
    };
    Ok(AccountLogEntry {
        at: Some(timestamp(event.at)),
        action: action.into(),
    })
}
