//! The caller's own account.

use domain::{Rejection, User};
use server::{Failure, UserCaller};
use store::UserStore;

/// Returns the account. Fails with UNAUTHENTICATED if it was erased after the session was checked.
pub(crate) async fn me(store: &UserStore, caller: &UserCaller) -> Result<User, Failure> {
    let found = store.find_user(&caller.id).await?;
    found.ok_or_else(|| Rejection::Unauthenticated.into())
}
