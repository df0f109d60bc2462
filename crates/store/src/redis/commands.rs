//! A pipeline, and the scripts that it calls.

use deadpool_redis::redis::{Cmd, Pipeline};

use super::script::{Script, Source};

/// Commands that are sent together on one connection, and executed in this order.
pub struct Commands {
    pipeline: Pipeline,
    /// Remembered, so that they can be loaded if Redis does not know them.
    scripts: Vec<&'static Source>,
}

impl Commands {
    /// An empty pipeline.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(1)
    }

    /// An empty pipeline with room for so many commands.
    #[must_use]
    pub fn with_capacity(commands: usize) -> Self {
        Self {
            pipeline: Pipeline::with_capacity(commands),
            scripts: Vec::new(),
        }
    }

    /// Appends a command.
    pub fn push(&mut self, command: Cmd) {
        self.pipeline.add_command(command);
    }

    /// Appends a call of a script.
    pub(crate) fn call<S: Script>(&mut self, script: &S) {
        let source = S::source();
        self.push(script.call().into_command());
        if !self
            .scripts
            .iter()
            .any(|known| std::ptr::eq(*known, source))
        {
            self.scripts.push(source);
        }
    }

    /// The number of commands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pipeline.len()
    }

    /// Whether there is no command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pipeline.is_empty()
    }

    /// The commands that load the scripts that this pipeline calls.
    pub(super) fn load_scripts(&self) -> Self {
        let mut load = Self::with_capacity(self.scripts.len());
        for script in &self.scripts {
            load.push(script.load());
        }
        load
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl Default for Commands {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Cmd> for Commands {
    fn from(command: Cmd) -> Self {
        let mut commands = Self::with_capacity(1);
        commands.push(command);
        commands
    }
}

impl FromIterator<Cmd> for Commands {
    fn from_iter<I: IntoIterator<Item = Cmd>>(commands: I) -> Self {
        let commands = commands.into_iter();
        let mut all = Self::with_capacity(commands.size_hint().0);
        commands.for_each(|command| all.push(command));
        all
    }
}
