//! What each method asks of its caller.

use domain::Role;

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; a credential is not looked at.
    Anyone,
    /// A signed-in user.
    User,
    /// A signed-in user, or one whose session erased the account a short while ago: `DeleteMe`, which may
    /// be repeated with the same request id.
    UserOrErased,
    /// A signed-in admin of this role, or of one that includes it.
    Admin(Role),
    /// A signed-in OWNER, or who holds the single-use token that makes the first one.
    OwnerOrBootstrap,
}

/// A service's methods, each with who may call it: `("Register", Access::User)`.
///
/// A method that has no row is not served: it answers UNIMPLEMENTED.
pub type AccessTable = &'static [(&'static str, Access)];
