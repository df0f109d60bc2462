//! Reads flags and environment variables.

use std::error::Error;

use clap::error::{ContextKind, ErrorKind};
use clap::{Command, Parser};

use crate::exit::{self, exit_with};

/// Reads the command line and the environment. `--help` and `--version` end the process with exit
/// code 0, an invalid value with a sentence and exit code 64.
#[must_use]
pub fn parse_or_exit<T: Parser>() -> T {
    T::try_parse().unwrap_or_else(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let command = T::command();
        exit_with(command.get_name(), sentence(&command, &error), exit::USAGE)
    })
}

/// Returns one sentence that names the flag and its variable. It leaves the value out, which may
/// hold a password.
fn sentence(command: &Command, error: &clap::Error) -> String {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let Some(argument) = context(ContextKind::InvalidArg) else {
        return first_line(error);
    };
    let flag = argument.split([' ', '=']).next().unwrap_or_default();
    let setting = match variable_of(command, flag.trim_start_matches('-')) {
        Some(variable) => format!("{flag} ({variable})"),
        None => flag.to_owned(),
    };
    match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(why)) => format!("{setting}: {why}"),
        (ErrorKind::InvalidValue, _) => match context(ContextKind::ValidValue) {
            Some(valid) if !valid.is_empty() => format!("{setting}: must be one of {valid}"),
            _ => format!("{setting}: needs a value"),
        },
        (ErrorKind::MissingRequiredArgument, _) => format!("{setting}: must be set"),
        (ErrorKind::UnknownArgument, _) => format!("{setting}: there is no such setting"),
        _ => first_line(error),
    }
}

fn variable_of(command: &Command, long: &str) -> Option<String> {
    let variable = command
        .get_arguments()
        .find(|argument| argument.get_long() == Some(long))
        .and_then(|argument| argument.get_env())
        .map(|variable| variable.to_string_lossy().into_owned());
    variable.or_else(|| {
        command
            .get_subcommands()
            .find_map(|sub| variable_of(sub, long))
    })
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::testing::CommandLine;

    fn refused(flags: &[&str]) -> String {
        let error = CommandLine::settings(flags).expect_err("an invalid value");
        sentence(&CommandLine::command(), &error)
    }

    #[test]
    fn an_invalid_value_gives_a_sentence_that_names_the_flag_and_the_variable() {
        for (arguments, sentence) in [
            (
                ["--lame-duck", "soon"],
                "--lame-duck (STARTLIST_LAME_DUCK): must be a duration such as 500ms, 2s or 1m, and at most 24h",
            ),
            (
                ["--log-format", "xml"],
                "--log-format (STARTLIST_LOG_FORMAT): must be one of text, json",
            ),
            (
                ["--reflection", "perhaps"],
                "--reflection (STARTLIST_REFLECTION): must be one of true, false",
            ),
            (
                ["--redis-url", "http://user:secret@host"],
                "--redis-url (STARTLIST_REDIS_URL): must be redis://[user[:password]@]host[:port][/database]",
            ),
            (
                ["--peer-url", "nowhere"],
                "--peer-url (STARTLIST_PEER_URL): must be of the form http://host:port",
            ),
            (
                ["--network-sign-in-failures", "-1"],
                "--network-sign-in-failures (STARTLIST_NETWORK_SIGN_IN_FAILURES): must be a whole number from 0 to 4294967295",
            ),
            (
                ["--no-such-flag", "1"],
                "--no-such-flag: there is no such setting",
            ),
        ] {
            assert_eq!(refused(&arguments), sentence);
        }
    }
}
