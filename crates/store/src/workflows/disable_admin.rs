//! Disables an admin: removes the admin from the owners, then disables the account.
//!
//! The order keeps the last owner: of two owners that are disabled at the same time, one stays. A
//! call that is cut off leaves an enabled owner who is not among the owners; a repetition
//! continues.

use domain::{Admin, AdminId, Rejected, Rejection, RequestId, Role};

use crate::admins::{Admins, admin_not_found};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::AccountId;
use crate::records::admin;
use crate::redis::Redis;
use crate::scripts::disable_admin::{DisableAdmin, DisableAdminReply};
use crate::scripts::resign_owner::{ResignOwner, ResignOwnerReply};

/// Disables an admin, from the next call on. Fails with `LastOwner` or `AdminNotFound`.
pub(crate) async fn disable_admin(
    redis: &Redis,
    admins: &Admins,
    by: &AdminId,
    id: &AdminId,
    request: RequestId,
) -> Result<Admin> {
    let found = admins.get(id).await?;
    let resign = ResignOwner {
        admin: id,
        is_owner: found.role == Role::Owner && !found.disabled,
    };
    match redis.run(&resign).await? {
        ResignOwnerReply::Resigned => {}
        ResignOwnerReply::LastOwner => {
            let last = Rejected::from(Rejection::LastOwner).with("admin_id", id);
            return Err(last.into());
        }
    }
    let disable = DisableAdmin {
        account: &AccountId::Admin(id.clone()),
        request,
        fingerprint: &fingerprint(&("disable", by, id))?,
    };
    match redis.run(&disable).await? {
        DisableAdminReply::Changed(fields) => admin::parse(id.clone(), fields),
        DisableAdminReply::Absent => Err(admin_not_found(id).into()),
        DisableAdminReply::RequestIdReused => Err(Rejection::RequestIdReused.into()),
    }
}
