//! The Lua scripts: each decides and changes one competition or one account in one atomic step.
//!
//! A script stands in `scripts/`, named like the method that runs it; its contract is its head comment.
//! Redis has no modules, so what several scripts share, their ground, is put into each of them, behind its
//! first line: that one says when Redis may run the script. Plain `#!lua` is refused when memory is full;
//! `allow-oom` is for what gives something up; `no-writes` reads whatever the state of Redis.

use std::sync::LazyLock;

use deadpool_redis::redis::{Cmd, ToRedisArgs};

pub(crate) use crate::scripts::Source as Script;

impl Script {
    /// Begins a call on these keys.
    pub(crate) fn on<K: ToRedisArgs>(&'static self, keys: &[K]) -> Call {
        Call {
            script: self,
            command: crate::scripts::Call::new(self, keys).into_command(),
        }
    }
}

/// A call of a script.
pub(crate) struct Call {
    script: &'static Script,
    command: Cmd,
}

impl Call {
    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn script(&self) -> &'static Script {
        self.script
    }

    pub(crate) fn into_command(self) -> Cmd {
        self.command
    }
}

const COMPETITION: &str = include_str!("scripts/competition.lua");
const ORGANISER: &str = include_str!("scripts/organiser.lua");

macro_rules! scripts {
    ($($name:ident: $file:literal after [$($ground:ident),*];)*) => {
        $(pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(&[$($ground),*], include_str!(concat!("scripts/", $file)))
        });)*

        /// All scripts by the names of their files, whole, as Redis gets them.
        #[cfg(test)]
        pub(crate) fn all() -> Vec<(&'static str, &'static Script)> {
            let mut all: Vec<(&'static str, &'static Script)> = vec![$(($file, &*$name),)*];
            all.extend(crate::scripts::all());
            all
        }
    };
}

scripts! {
    REGISTER: "register.lua" after [COMPETITION];
    ADD: "add.lua" after [COMPETITION];
    REMOVE: "remove.lua" after [COMPETITION];
    READ_COMPETITION: "read_competition.lua" after [COMPETITION];
    LIST_REGISTRATIONS: "list_registrations.lua" after [COMPETITION];
    CREATE_COMPETITION: "create_competition.lua" after [COMPETITION, ORGANISER];
    UPDATE_COMPETITION: "update_competition.lua" after [COMPETITION, ORGANISER];
    PUBLISH_COMPETITION: "publish_competition.lua" after [COMPETITION, ORGANISER];
    CANCEL_COMPETITION: "cancel_competition.lua" after [COMPETITION, ORGANISER];
    DELETE_COMPETITION: "delete_competition.lua" after [COMPETITION, ORGANISER];
    PROMOTE: "promote.lua" after [COMPETITION, ORGANISER];
    SEAL: "seal.lua" after [];
    FORGET_ENTRY: "forget_entry.lua" after [];
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod lint;
#[cfg(test)]
mod random;
#[cfg(test)]
mod world;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_begins_as_a_redis_7_script_and_states_its_contract() {
        let first_lines = ["#!lua", "#!lua flags=allow-oom", "#!lua flags=no-writes"];
        for (name, script) in all() {
            let first_line = script.text.lines().next().unwrap_or_default();
            assert!(first_lines.contains(&first_line), "{name}");
            assert_eq!(script.text.matches("#!lua").count(), 1, "{name}");
            for part in ["-- KEYS:", "-- ARGV"] {
                assert!(script.text.contains(part), "{name} does not state {part}");
            }
            let states_replies =
                ["-- Answers ", "-- Replies "].map(|part| script.text.contains(part));
            assert!(
                states_replies.contains(&true),
                "{name} does not state its replies"
            );
        }
    }

    #[test]
    fn every_file_in_the_folder_is_a_script_or_the_ground_of_one() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/scripts");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of scripts")
            .map(|entry| {
                entry
                    .expect("a file")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .filter(|name: &String| name.ends_with(".lua"))
            .collect();
        files.sort();
        let ground = [
            "competition.lua",
            "organiser.lua",
            "prelude_account.lua",
            "prelude_email_claim.lua",
            "prelude_shared.lua",
        ];
        let mut known: Vec<_> = all().iter().map(|(name, _)| *name).chain(ground).collect();
        known.sort_unstable();
        assert_eq!(files, known);
    }
}
