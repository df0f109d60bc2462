//! What a Lua script is to this module: a text, a command that runs it, and a way to decode its
//! reply. The scripts themselves are in `crate::scripts`.

use deadpool_redis::redis::{self, Cmd, ToRedisArgs, Value};

use crate::error::Result;

/// What a pipeline does, which decides what is known of a call that got no reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing.
    Read,
    /// It prepares for a later write, or cleans up. Nothing that the caller asked for.
    Prepare,
    /// Its last command makes the change that the caller asked for.
    Decide,
}

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

/// The text of a script with its preludes, and the hash by which Redis knows it.
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
