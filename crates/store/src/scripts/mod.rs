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

use deadpool_redis::redis::{self, Cmd, ToRedisArgs, Value};

use crate::error::Result;
use crate::redis::Effect;

/// A call of a script, with its arguments.
pub(crate) trait Script: Sync {
    /// The possible replies.
    type Reply;

    /// What the script does to Redis.
    const EFFECT: Effect;

    /// The text of the script.
    fn source() -> &'static Source;

    /// The command that runs it.
    fn call(&self) -> Call;

    /// Decodes a reply that is neither an error nor `unsettled`.
    fn decode(&self, reply: Value) -> Result<Self::Reply>;
}

/// The text of a script with its prelude, and the hash by which Redis knows it.
pub(crate) struct Source {
    pub(crate) text: String,
    sha: String,
}

impl Source {
    pub(crate) fn new(preludes: &[&str], own: &str) -> Self {
        let (first_line, rest) = own.split_once('\n').unwrap_or((own, ""));
        let text = format!("{first_line}\n{}{rest}", preludes.concat());
        let sha = redis::Script::new(&text).get_hash().to_owned();
        Self { text, sha }
    }

    /// The command that loads the script into Redis.
    pub(crate) fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(&self.text);
        load
    }
}

/// The command that runs a script, while its arguments are added.
pub(crate) struct Call(Cmd);

impl Call {
    /// Begins a call with these keys.
    pub(crate) fn new<K: ToRedisArgs>(source: &'static Source, keys: &[K]) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&source.sha).arg(keys.len()).arg(keys);
        Self(command)
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn into_command(self) -> Cmd {
        self.0
    }
}

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
