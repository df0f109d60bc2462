//! From the `authorization` header to the caller, with one lookup in the store.

use domain::{Realm, Rejection, Role, SessionToken, UserId};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use store::Sessions;

use super::{Access, AdminCaller, Caller, UserCaller};
use crate::errors::Failure;

/// Returns the caller; `None` if anyone may call the method.
///
/// Fails with UNAUTHENTICATED, and the same sentence, if the credential is missing, malformed,
/// unknown, expired, or of the other service. Fails with `PERMISSION_DENIED` if the admin's role is
/// too low.
pub(crate) async fn authenticate(
    access: Access,
    headers: &HeaderMap,
    sessions: &Sessions,
) -> Result<Option<Caller>, Failure> {
    match access {
        Access::Anyone => return Ok(None),
        Access::User => {
            let session = token(headers, &[Realm::User])?;
            user(sessions.user(&session).await?, session)
        }
        Access::UserOrErased => {
            let session = token(headers, &[Realm::User])?;
            user(sessions.user_or_erased(&session).await?, session)
        }
        Access::Admin(role) => admin(token(headers, &[Realm::Admin])?, role, sessions).await,
        Access::OwnerOrBootstrap => {
            let token = token(headers, &[Realm::Admin, Realm::Bootstrap])?;
            owner_or_bootstrap(token, sessions).await
        }
    }
    .map(Some)
}

fn user(found: Option<UserId>, session: SessionToken) -> Result<Caller, Failure> {
    match found {
        Some(id) => Ok(Caller::User(UserCaller { id, session })),
        None => Err(Rejection::Unauthenticated.into()),
    }
}

async fn admin(session: SessionToken, least: Role, sessions: &Sessions) -> Result<Caller, Failure> {
    match sessions.admin(&session).await? {
        Some((_, role)) if role < least => Err(Rejection::PermissionDenied.into()),
        Some((id, role)) => Ok(Caller::Admin(AdminCaller { id, role, session })),
        None => Err(Rejection::Unauthenticated.into()),
    }
}

async fn owner_or_bootstrap(token: SessionToken, sessions: &Sessions) -> Result<Caller, Failure> {
    if token.realm() == Realm::Admin {
        return admin(token, Role::Owner, sessions).await;
    }
    if sessions.is_bootstrap(&token).await? {
        Ok(Caller::Bootstrap(token))
    } else {
        Err(Rejection::Unauthenticated.into())
    }
}

/// Returns the token of `authorization: Bearer <token>` if it is well-formed and of one of these
/// realms. The scheme is case-insensitive (RFC 9110).
fn token(headers: &HeaderMap, realms: &[Realm]) -> Result<SessionToken, Failure> {
    headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| SessionToken::parse(token))
        .filter(|token| realms.contains(&token.realm()))
        .ok_or_else(|| Rejection::Unauthenticated.into())
}
