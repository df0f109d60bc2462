//! Admins.

use domain::{Admin, Role};

use super::time::timestamp;
use crate::v1;

impl From<Admin> for v1::Admin {
    fn from(admin: Admin) -> Self {
        Self {
            admin_id: admin.id.into(),
            email: admin.email.into(),
            display_name: admin.display_name.into(),
            role: v1::AdminRole::from(admin.role).into(),
            disabled: admin.disabled,
            created_at: Some(timestamp(admin.created_at)),
        }
    }
}

impl From<Role> for v1::AdminRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Organiser => Self::Organiser,
            Role::Viewer => Self::Viewer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AdminId, DisplayName, Email, Timestamp};

    #[test]
    fn an_admin_has_a_role_and_may_be_disabled() {
        let admin = v1::Admin::from(Admin {
            id: AdminId::parse("grace-1906").expect("an id"),
            email: Email::parse("grace@example.org").expect("an address"),
            display_name: DisplayName::parse("Grace").expect("a name"),
            role: Role::Organiser,
            disabled: true,
            created_at: Timestamp::MIN,
        });
        assert_eq!(admin.role(), v1::AdminRole::Organiser);
        assert!(admin.disabled);
        assert_eq!(admin.admin_id, "grace-1906");
    }
}
