//! The Lua scripts. Each decides and changes one competition or one account in one atomic step.
//!
//! Beside each `<name>.lua` there is a `<name>.rs` with its typed arguments and replies. The comment
//! at the head of the Lua file is the contract: KEYS, ARGV and every possible reply.
//!
//! Redis has no modules, so the functions that several scripts share, their prelude, are inserted
//! into each of them behind its first line. The first line states when Redis may run the script:
//! plain `#!lua` is refused when memory is full, `allow-oom` is for scripts that free something, and
//! `no-writes` reads in any state.

pub(crate) mod change_password;
pub(crate) mod claim_email;
pub(crate) mod confirm_email;
pub(crate) mod create_account;
pub(crate) mod disable_admin;
pub(crate) mod end_sessions;
pub(crate) mod erase_user;
pub(crate) mod fail_sign_in;
pub(crate) mod open_session;
pub(crate) mod release_email;
pub(crate) mod resign_owner;
pub(crate) mod update_profile;
pub(crate) mod use_bootstrap;
pub(crate) mod withdraw;

use std::time::Duration;

pub(crate) use crate::redis::{Call, Script, Source};

/// The shared functions of the scripts about a competition.
pub(crate) const COMPETITION_PRELUDE: &str = include_str!("competition.lua");
/// The shared functions of the scripts that change a competition itself, behind the former.
pub(crate) const ORGANISER_PRELUDE: &str = include_str!("organiser.lua");
/// The functions that the scripts about accounts and those about competitions share.
pub(crate) const SHARED_PRELUDE: &str = include_str!("prelude_shared.lua");
/// The shared functions of the scripts about an account, behind [`SHARED_PRELUDE`].
pub(crate) const ACCOUNT_PRELUDE: &str = include_str!("prelude_account.lua");
/// The shared functions of the scripts about the claim of an e-mail address.
pub(crate) const EMAIL_CLAIM_PRELUDE: &str = include_str!("prelude_email_claim.lua");

/// A duration as an argument, in milliseconds.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Implements [`Script::source`]: `source!("withdraw.lua" after [COMPETITION_PRELUDE])`.
macro_rules! source {
    ($file:literal after [$($prelude:ident),*]) => {
        fn source() -> &'static $crate::scripts::Source {
            static SOURCE: std::sync::LazyLock<$crate::scripts::Source> =
                std::sync::LazyLock::new(|| {
                    $crate::scripts::Source::new(
                        &[$($crate::scripts::$prelude),*],
                        include_str!($file),
                    )
                });
            &SOURCE
        }
    };
}
pub(crate) use source;

/// All scripts by the names of their files.
#[cfg(test)]
pub(crate) fn all() -> Vec<(&'static str, &'static Source)> {
    vec![
        (
            "change_password.lua",
            change_password::ChangePassword::source(),
        ),
        ("claim_email.lua", claim_email::ClaimEmail::source()),
        ("confirm_email.lua", confirm_email::ConfirmEmail::source()),
        (
            "create_account.lua",
            create_account::CreateAccount::source(),
        ),
        ("disable_admin.lua", disable_admin::DisableAdmin::source()),
        ("end_sessions.lua", end_sessions::EndSessions::source()),
        ("erase_user.lua", erase_user::EraseUser::source()),
        ("fail_sign_in.lua", fail_sign_in::FailSignIn::source()),
        ("open_session.lua", open_session::OpenSession::source()),
        ("release_email.lua", release_email::ReleaseEmail::source()),
        ("resign_owner.lua", resign_owner::ResignOwner::source()),
        (
            "update_profile.lua",
            update_profile::UpdateProfile::source(),
        ),
        ("use_bootstrap.lua", use_bootstrap::UseBootstrap::source()),
        ("withdraw.lua", withdraw::Withdraw::source()),
    ]
}
