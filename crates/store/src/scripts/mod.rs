//! The Lua scripts. Each decides and changes one competition or one account in one atomic step.
//!
//! Beside each `<name>.lua` there is a `<name>.rs` with its typed arguments and replies. The comment
//! at the head of the Lua file is the contract: KEYS, ARGV and every possible reply.
//!
//! Redis has no modules, so the functions that several scripts share, their prelude, are inserted
//! into each of them behind its first line. The first line states when Redis may run the script:
//! plain `#!lua` is refused when memory is full, `allow-oom` is for scripts that free something, and
//! `no-writes` reads in any state.

pub(crate) mod withdraw;

pub(crate) use crate::redis::{Call, Script, Source};

/// The shared functions of the scripts about a competition.
pub(crate) const COMPETITION_PRELUDE: &str = include_str!("competition.lua");
/// The shared functions of the scripts that change a competition itself, behind the former.
pub(crate) const ORGANISER_PRELUDE: &str = include_str!("organiser.lua");
/// The shared functions of the scripts about an account.
pub(crate) const ACCOUNT_PRELUDE: &str = include_str!("account.lua");

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
    vec![("withdraw.lua", withdraw::Withdraw::source())]
}
