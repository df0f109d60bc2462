//! `ExportMe`: returns all stored data about the caller.

use api::convert::timestamp;
use api::user::{AccountAction, AccountLogEntry, ExportMeResponse, MyRegistration, Session};
use domain::{Rejection, UserId};
use server::{Failure, UserCaller};
use store::users::SessionTimes;
use store::{AccountEvent, AccountEventKind, PageRequest, UserStore};

use crate::me::me;

pub(crate) async fn export_me(
    store: &UserStore,
    caller: UserCaller,
) -> Result<ExportMeResponse, Failure> {
    // The data is in several records, so it takes several calls.
    let user = me(store, &caller).await?;
    let (sessions, events) = store.account_history(&caller.id).await?;
    let registrations = all_registrations(store, &caller.id).await?;

    Ok(ExportMeResponse {
        user: Some(user.into()),
        sessions: sessions.iter().map(session).collect(),
        registrations,
        account_log: events.iter().map(entry).collect::<Result<_, _>>()?,
    })
}

async fn all_registrations(
    store: &UserStore,
    user: &UserId,
) -> Result<Vec<MyRegistration>, Failure> {
    let mut all = Vec::new();
    let (size, mut after) = (200, None);
    loop {
        let page = PageRequest { size, after };
        let found = store.my_registrations(user, &page).await?;
        for (registration, competition) in found.items {
            all.push(MyRegistration::new(registration, competition));
        }
        after = found.next;
        if after.is_none() {
            return Ok(all);
        }
    }
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
