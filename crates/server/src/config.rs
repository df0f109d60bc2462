//! The settings that both services share: a flag for each, and an environment variable.
//!
//! A value that cannot be used ends the process with one sentence that names the flag and the
//! variable, and exit code 64.

use std::error::Error as _;
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process;
use std::str::FromStr;
use std::time::Duration;

use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Command, Parser};
use http::Uri;
use thiserror::Error;

use crate::health::ServerUrl;
use crate::telemetry::{LogFilter, LogFormat};

/// `EX_USAGE` of sysexits.h: the command was used incorrectly.
const EXIT_USAGE: i32 = 64;

/// Settings of admin-service and user-service alike.
#[derive(Debug, Clone, Args)]
pub struct ServiceSettings {
    /// Where Redis is: redis://user:password@host:port/database, of which only the host has to be there
    #[arg(
        long,
        env = "STARTLIST_REDIS_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    #[arg(default_value = "redis://127.0.0.1:6379")]
    pub redis_url: RedisUrl,

    /// The file that holds the password of the Redis user
    #[arg(long, env = "STARTLIST_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub redis_password_file: Option<PathBuf>,

    /// The other service, for the deep health check: http://host:port
    #[arg(long, env = "STARTLIST_PEER_URL", value_name = "URL")]
    pub peer_url: Option<ServerUrl>,

    /// A second address, without TLS, that serves health only
    #[arg(long, env = "STARTLIST_HEALTH_LISTEN", value_name = "IP:PORT")]
    pub health_listen: Option<SocketAddr>,

    /// How it runs.
    #[command(flatten)]
    pub run: RunSettings,
}

/// How a server runs, wherever Redis and its peer are: the settings that `startlist` has too.
#[derive(Debug, Clone, Args)]
pub struct RunSettings {
    /// What to log: error, warn, info, debug, trace, or a list such as info,store=debug
    #[arg(
        long,
        env = "STARTLIST_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: LogFilter,

    /// How to log
    #[arg(
        long,
        env = "STARTLIST_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// How long new calls are still taken after a SIGTERM, so that clients can learn of it
    #[arg(
        long,
        env = "STARTLIST_LAME_DUCK",
        value_name = "DURATION",
        default_value = "2s"
    )]
    #[arg(value_parser = duration)]
    pub lame_duck: Duration,

    /// How long after a SIGTERM the process ends at the latest
    #[arg(
        long,
        env = "STARTLIST_DRAIN_DEADLINE",
        value_name = "DURATION",
        default_value = "15s"
    )]
    #[arg(value_parser = duration)]
    pub drain_deadline: Duration,

    /// How long a call may take at most, and does if its client sets no deadline
    #[arg(
        long,
        env = "STARTLIST_MAX_DEADLINE",
        value_name = "DURATION",
        default_value = "30s"
    )]
    #[arg(value_parser = duration)]
    pub max_deadline: Duration,

    /// Whether to serve reflection, which shows the contract to tools such as grpcurl
    #[arg(
        long,
        env = "STARTLIST_REFLECTION",
        value_name = "true|false",
        default_value = "true"
    )]
    #[arg(action = clap::ArgAction::Set, hide_possible_values = true)]
    pub reflection: bool,

    /// How many sign-ins of one network may fail in 15 minutes; 0 = any number
    #[arg(
        long,
        env = "STARTLIST_NETWORK_SIGN_IN_FAILURES",
        value_name = "NUMBER"
    )]
    #[arg(default_value = "500", value_parser = count, allow_negative_numbers = true)]
    pub network_sign_in_failures: u32,

    /// How many calls may be in flight, health and reflection apart; 0 = none
    #[arg(long, env = "STARTLIST_MAX_CALLS", value_name = "NUMBER")]
    #[arg(default_value = "8192", value_parser = count, allow_negative_numbers = true)]
    pub max_calls: u32,

    /// How many connections may be open; 0 = none
    #[arg(long, env = "STARTLIST_MAX_CONNECTIONS", value_name = "NUMBER")]
    #[arg(default_value = "10000", value_parser = count, allow_negative_numbers = true)]
    pub max_connections: u32,
}

impl ServiceSettings {
    /// The password of the Redis user, without the line's end; `None` if no file is named. It is read
    /// now, so that a missing file is noticed at the start.
    pub fn redis_password(&self) -> Result<Option<RedisPassword>, UnreadableFile> {
        let setting = "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE)";
        let file = self.redis_password_file.as_ref();
        file.map(|path| RedisPassword::read(setting, path))
            .transpose()
    }
}

/// A file that a setting names and that cannot be read.
#[derive(Debug, Error)]
#[error("{setting}: cannot read {}: {source}", path.display())]
pub struct UnreadableFile {
    setting: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// A password for Redis. Never shown.
#[derive(Clone)]
pub struct RedisPassword(String);

impl RedisPassword {
    /// Reads the password, without the line's end, from the file that this setting names.
    pub fn read(setting: &'static str, path: &Path) -> Result<Self, UnreadableFile> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(source) => Err(UnreadableFile {
                setting,
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// The password itself: for the connection to Redis, and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisPassword(..)")
    }
}

/// Where Redis is. It may hold a password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

/// A text that is no [`RedisUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be redis://[user[:password]@]host[:port][/database]")]
pub struct NotARedisUrl;

impl RedisUrl {
    /// The URL itself, with the password if it holds one.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same Redis as another user, without a password.
    #[must_use]
    pub fn as_user(&self, user: &str) -> Self {
        Self(self.to_string().replacen("://", &format!("://{user}@"), 1))
    }
}

impl FromStr for RedisUrl {
    type Err = NotARedisUrl;

    fn from_str(url: &str) -> Result<Self, NotARedisUrl> {
        let uri: Uri = url.parse().map_err(|_| NotARedisUrl)?;
        let is_redis = uri.scheme_str() == Some("redis");
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        (is_redis && has_host)
            .then(|| Self(url.to_owned()))
            .ok_or(NotARedisUrl)
    }
}

/// The URL without user and password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

/// A text that is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a number and ms, s, m or h, such as 500ms, 2s or 1m, and at most 24h")]
pub struct NotADuration;

/// Reads a length of time: a whole number and a unit, `500ms`, `2s`, `1m`, `1h`; at most 24 hours.
pub fn duration(text: &str) -> Result<Duration, NotADuration> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let (number, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .ok_or(NotADuration)?,
    );
    let number: u32 = number.parse().map_err(|_| NotADuration)?;
    let unit = match unit {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(60 * 60),
        _ => return Err(NotADuration),
    };
    let length = unit.checked_mul(number).ok_or(NotADuration)?;
    (length <= DAY).then_some(length).ok_or(NotADuration)
}

/// A text that is no number of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 0 to {}", u32::MAX)]
pub struct NotACount;

fn count(text: &str) -> Result<u32, NotACount> {
    text.parse().map_err(|_| NotACount)
}

/// Reads the command line and the environment. `--help` and `--version` answer and end the process
/// with exit code 0; what cannot be used ends it with a sentence and exit code 64.
#[must_use]
pub fn parse_or_exit<T: Parser>() -> T {
    T::try_parse().unwrap_or_else(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let command = T::command();
        exit_with(command.get_name(), complaint(&command, &error), EXIT_USAGE)
    })
}

/// Ends the process with one sentence on stderr.
pub fn exit_with(program: &str, sentence: impl fmt::Display, code: i32) -> ! {
    eprintln!("{program}: {sentence}");
    process::exit(code)
}

/// What is wrong, in one sentence that names the flag and its variable. The value itself is left out:
/// it may hold a password.
fn complaint(command: &Command, error: &clap::Error) -> String {
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
    let own = command
        .get_arguments()
        .find(|argument| argument.get_long() == Some(long))
        .and_then(|argument| argument.get_env())
        .map(|variable| variable.to_string_lossy().into_owned());
    own.or_else(|| {
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
    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "some-service")]
    struct Cli {
        #[command(flatten)]
        settings: ServiceSettings,
    }

    fn parse(arguments: &[&str]) -> Result<ServiceSettings, String> {
        let arguments = ["some-service"].iter().chain(arguments);
        Cli::try_parse_from(arguments)
            .map(|cli| cli.settings)
            .map_err(|error| complaint(&<Cli as clap::CommandFactory>::command(), &error))
    }

    #[test]
    fn without_flags_the_defaults_of_the_blueprint_hold() {
        let settings = parse(&[]).expect("the defaults");
        assert_eq!(settings.redis_url.expose(), "redis://127.0.0.1:6379");
        assert_eq!(settings.run.lame_duck, Duration::from_secs(2));
        assert_eq!(settings.run.drain_deadline, Duration::from_secs(15));
        assert_eq!(settings.run.max_deadline, Duration::from_secs(30));
        assert_eq!(settings.run.network_sign_in_failures, 500);
        assert!(settings.run.reflection);
        assert!(settings.peer_url.is_none());
    }

    #[test]
    fn a_bad_value_is_answered_by_a_sentence_that_names_the_flag_and_the_variable() {
        for (arguments, sentence) in [
            (
                ["--lame-duck", "soon"],
                "--lame-duck (STARTLIST_LAME_DUCK): must be a number and ms, s, m or h, such as 500ms, 2s or 1m, and at most 24h",
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
            let complaint = parse(&arguments).expect_err("a bad value");
            assert_eq!(complaint, sentence);
        }
    }

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, millis) in [
            ("0s", 0),
            ("500ms", 500),
            ("2s", 2_000),
            ("1m", 60_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in [
            "",
            "2",
            "s",
            "1.5s",
            "-1s",
            "2 s",
            "2sec",
            "25h",
            "99999999999s",
        ] {
            assert_eq!(duration(bad), Err(NotADuration), "{bad}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "in-the-file\n").expect("written");
        let path = file.path().to_str().expect("a path");
        let url = "redis://user:in-the-url@host:6379/1";
        let settings = parse(&["--redis-url", url, "--redis-password-file", path]).expect("good");

        let password = settings.redis_password().expect("readable");
        assert_eq!(
            password.as_ref().map(RedisPassword::expose),
            Some("in-the-file")
        );
        let shown = format!("{settings:?} {password:?} {}", settings.redis_url);
        assert!(
            !shown.contains("in-the-url") && !shown.contains("in-the-file"),
            "{shown}"
        );
        assert_eq!(settings.redis_url.to_string(), "redis://host:6379/1");
        assert_eq!(settings.redis_url.expose(), url);
        let other = settings.redis_url.as_user("other");
        assert_eq!(other.expose(), "redis://other@host:6379/1");
    }

    #[test]
    fn a_missing_password_file_is_named_with_its_setting() {
        let settings = parse(&["--redis-password-file", "/nowhere/secret"]).expect("well-formed");
        let error = settings
            .redis_password()
            .expect_err("no such file")
            .to_string();
        assert!(
            error.starts_with("--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE): cannot read /nowhere/secret: "),
            "{error}"
        );
    }

    #[test]
    fn every_setting_has_a_variable() {
        let command = <Cli as clap::CommandFactory>::command();
        for argument in command
            .get_arguments()
            .filter(|argument| argument.get_long().is_some())
        {
            let long = argument.get_long().unwrap_or_default();
            let expected = format!("STARTLIST_{}", long.replace('-', "_").to_uppercase());
            let variable = argument.get_env().and_then(|variable| variable.to_str());
            assert_eq!(variable, Some(expected.as_str()), "--{long}");
        }
    }
}
