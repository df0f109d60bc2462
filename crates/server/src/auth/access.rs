//! The access tables of the services.

use domain::Role;

use crate::changes::Rate;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody. A credential is ignored.
    Anyone,
    /// A signed-in user.
    User,
    /// A signed-in user, or the user whose session erased the account a short while ago: `DeleteMe`
    /// can be repeated with the same request id.
    UserOrErased,
    /// A signed-in admin of this role, or of one that includes it.
    Admin(Role),
    /// A signed-in OWNER, or the holder of the single-use token that creates the first one.
    OwnerOrBootstrap,
}

/// The methods of a service with their access, and whether they count as changes:
/// `("Register", Access::User, Rate::Changes)`.
///
/// A method without a row is not served: it fails with UNIMPLEMENTED.
pub type AccessTable = &'static [(&'static str, Access, Rate)];
