//! The accounts of admins, who run competitions.
//!
//! - [`read`]: one admin, or many.
//! - [`owners`]: the owners that are not disabled, and the token that creates the first one.
//!
//! An admin is created and disabled in several slots: see `workflows`.

mod owners;
mod read;

use domain::{DisplayName, Email, RequestId, Role};

use crate::redis::Redis;

pub use owners::BOOTSTRAP_TOKEN_LIFETIME;
pub(crate) use read::admin_not_found;

/// The accounts of admins. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admins {
    redis: Redis,
}

/// An admin to create.
#[derive(Debug, Clone)]
pub struct NewAdmin {
    pub email: Email,
    pub display_name: DisplayName,
    pub role: Role,
    pub request_id: RequestId,
}

impl Admins {
    pub(crate) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
        }
    }
}
