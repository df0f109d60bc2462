//! The Lua scripts. Each decides and changes one competition or one account in one atomic step.
//!
//! Beside each `<name>.lua` there is a `<name>.rs` with its typed arguments and replies. The
//! comment at the head of the Lua file is the contract: KEYS, ARGV and every possible reply.
//!
//! Redis has no modules, so the functions that several scripts share, their preludes, are inserted
//! into each of them behind its first line. The first line states when Redis may run the script:
//! plain `#!lua` is refused when memory is full, `allow-oom` is for scripts that free something or
//! protect an account and add a bounded amount, and `no-writes` reads in any state.
//!
//! What several scripts about a competition share: [`organiser`] (the arguments of a change by an
//! organiser), [`described_registration`] (the reply about a registration), [`refusal`].

pub(crate) mod add;
pub(crate) mod cancel_competition;
pub(crate) mod change_password;
pub(crate) mod claim_email;
pub(crate) mod confirm_email;
pub(crate) mod create_account;
pub(crate) mod create_competition;
pub(crate) mod delete_competition;
pub(crate) mod described_registration;
pub(crate) mod disable_admin;
pub(crate) mod end_sessions;
pub(crate) mod erase_registration;
pub(crate) mod erase_user;
pub(crate) mod forget_entry;
pub(crate) mod list_registrations;
pub(crate) mod open_session;
pub(crate) mod organiser;
pub(crate) mod promote;
pub(crate) mod publish_competition;
pub(crate) mod read_competition;
pub(crate) mod refusal;
pub(crate) mod register;
pub(crate) mod release_attempt;
pub(crate) mod release_email;
pub(crate) mod remove;
pub(crate) mod renew_hash;
pub(crate) mod reserve_attempt;
pub(crate) mod resign_owner;
pub(crate) mod seal;
#[cfg(test)]
mod tests;
pub(crate) mod update_competition;
pub(crate) mod update_profile;
pub(crate) mod use_bootstrap;
pub(crate) mod withdraw;

use std::time::Duration;

pub(crate) use crate::redis::{Call, Script, Source};

/// For all scripts that format numbers or remember a reply.
const SHARED_PRELUDE: &str = include_str!("prelude_shared.lua");
/// For the scripts about a competition, behind [`SHARED_PRELUDE`].
const COMPETITION_PRELUDE: &str = include_str!("prelude_competition.lua");
/// For the scripts that change a competition itself, behind [`COMPETITION_PRELUDE`].
const ORGANISER_PRELUDE: &str = include_str!("prelude_organiser.lua");
/// For the scripts about an account, behind [`SHARED_PRELUDE`].
const ACCOUNT_PRELUDE: &str = include_str!("prelude_account.lua");
/// For the scripts that count attempts to give a password, behind [`ACCOUNT_PRELUDE`].
const ATTEMPTS_PRELUDE: &str = include_str!("prelude_attempts.lua");
/// For the scripts about the claim of an e-mail address.
const EMAIL_CLAIM_PRELUDE: &str = include_str!("prelude_email_claim.lua");

/// A duration as an argument, in milliseconds.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Implements [`Script::source`]: `source!("withdraw.lua" after [SHARED_PRELUDE])`.
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
use source;

/// All scripts by the names of their files.
#[cfg(test)]
pub(crate) fn all() -> Vec<(&'static str, &'static Source)> {
    macro_rules! all {
        ($($module:ident::$script:ident),* $(,)?) => {
            vec![$((concat!(stringify!($module), ".lua"), $module::$script::source())),*]
        };
    }
    all![
        add::Add,
        cancel_competition::CancelCompetition,
        change_password::ChangePassword,
        claim_email::ClaimEmail,
        confirm_email::ConfirmEmail,
        create_account::CreateAccount,
        create_competition::CreateCompetition,
        delete_competition::DeleteCompetition,
        disable_admin::DisableAdmin,
        end_sessions::EndSessions,
        erase_registration::EraseRegistration,
        erase_user::EraseUser,
        forget_entry::ForgetEntry,
        list_registrations::ListRegistrations,
        open_session::OpenSession,
        promote::Promote,
        publish_competition::PublishCompetition,
        read_competition::ReadCompetition,
        register::Register,
        release_attempt::ReleaseAttempt,
        release_email::ReleaseEmail,
        remove::Remove,
        renew_hash::RenewHash,
        reserve_attempt::ReserveAttempt,
        resign_owner::ResignOwner,
        seal::ReplaceSeal,
        update_competition::UpdateCompetition,
        update_profile::UpdateProfile,
        use_bootstrap::UseBootstrap,
        withdraw::Withdraw,
    ]
}
