//! The settings that both services share.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use thiserror::Error;

use super::duration::duration;
use super::password_file::{RedisPassword, UnreadableFile};
use super::redis_url::RedisUrl;
use crate::proxies::TrustedProxies;
use crate::telemetry::{LogFilter, LogFormat};
use crate::url::ServerUrl;

/// The settings that admin-service and user-service share.
#[derive(Debug, Clone, Args)]
pub struct ServiceSettings {
    /// The URL of Redis: redis://user:password@host:port/database, of which only the host is
    /// required
    #[arg(long, env = "STARTLIST_REDIS_URL", value_name = "URL")]
    #[arg(default_value = "redis://127.0.0.1:6379", hide_env_values = true)]
    pub redis_url: RedisUrl,

    /// The file that holds the password of the Redis user
    #[arg(long, env = "STARTLIST_REDIS_PASSWORD_FILE", value_name = "FILE")]
    pub redis_password_file: Option<PathBuf>,

    /// The URL of the other service, for the deep health check: http://host:port
    #[arg(long, env = "STARTLIST_PEER_URL", value_name = "URL")]
    pub peer_url: Option<ServerUrl>,

    /// A second address to listen on, without TLS, for health only
    #[arg(long, env = "STARTLIST_HEALTH_LISTEN", value_name = "IP:PORT")]
    pub health_listen: Option<SocketAddr>,

    #[command(flatten)]
    pub run: RunSettings,
}

/// The settings that `startlist` has too: all but the addresses of Redis and the peer.
#[derive(Debug, Clone, Args)]
pub struct RunSettings {
    /// What to log: error, warn, info, debug, trace, or a list such as info,store=debug
    #[arg(long, env = "STARTLIST_LOG", value_name = "FILTER")]
    #[arg(default_value = "info")]
    pub log: LogFilter,

    /// The format of the log
    #[arg(long, env = "STARTLIST_LOG_FORMAT", value_name = "FORMAT")]
    #[arg(default_value = "text")]
    pub log_format: LogFormat,

    /// How long the server accepts new calls after SIGTERM, so that clients can notice the end
    #[arg(long, env = "STARTLIST_LAME_DUCK", value_name = "DURATION")]
    #[arg(default_value = "2s", value_parser = duration)]
    pub lame_duck: Duration,

    /// The longest time from SIGTERM to the end of the process
    #[arg(long, env = "STARTLIST_DRAIN_DEADLINE", value_name = "DURATION")]
    #[arg(default_value = "15s", value_parser = duration)]
    pub drain_deadline: Duration,

    /// The longest time for a call, and the time for a call whose client sets no deadline
    #[arg(long, env = "STARTLIST_MAX_DEADLINE", value_name = "DURATION")]
    #[arg(default_value = "30s", value_parser = duration)]
    pub max_deadline: Duration,

    /// Whether to serve reflection, which tools such as grpcurl need
    #[arg(long, env = "STARTLIST_REFLECTION", value_name = "true|false")]
    #[arg(default_value = "true", action = ArgAction::Set, hide_possible_values = true)]
    pub reflection: bool,

    /// The failed sign-ins that one network may have in 15 minutes; 0 = no limit
    #[arg(
        long,
        env = "STARTLIST_NETWORK_SIGN_IN_FAILURES",
        value_name = "NUMBER"
    )]
    #[arg(default_value = "500", value_parser = count, allow_negative_numbers = true)]
    pub network_sign_in_failures: u32,

    /// The most calls in flight, without health and reflection; a large message or response counts
    /// as a call for each 8 KiB; 0 = none
    #[arg(long, env = "STARTLIST_MAX_CALLS", value_name = "NUMBER")]
    #[arg(default_value = "2048", value_parser = count, allow_negative_numbers = true)]
    pub max_calls: u32,

    /// The changes that one account may make in a minute; ten times as many in a day; 0 = no limit;
    /// without it, 60 for users and 6000 for admins
    #[arg(long, env = "STARTLIST_CHANGES_PER_MINUTE", value_name = "NUMBER")]
    #[arg(value_parser = count, allow_negative_numbers = true)]
    pub changes_per_minute: Option<u32>,

    /// The most open connections, of some 13 KiB each; 0 = none. At the limit, idle ones are closed
    /// for new ones
    #[arg(long, env = "STARTLIST_MAX_CONNECTIONS", value_name = "NUMBER")]
    #[arg(default_value = "2000", value_parser = count, allow_negative_numbers = true)]
    pub max_connections: u32,

    /// The most open connections from one address, an IPv6 /64 counting as one; 0 = no limit
    #[arg(
        long,
        env = "STARTLIST_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER"
    )]
    #[arg(default_value = "256", value_parser = count, allow_negative_numbers = true)]
    pub max_connections_per_address: u32,

    /// How long a connection without a call stays open; 0s = no limit
    #[arg(long, env = "STARTLIST_MAX_CONNECTION_IDLE", value_name = "DURATION")]
    #[arg(default_value = "5m", value_parser = duration)]
    pub max_connection_idle: Duration,

    /// The age, plus or minus 10 %, at which clients are asked to connect anew; 0s = no limit
    #[arg(long, env = "STARTLIST_MAX_CONNECTION_AGE", value_name = "DURATION")]
    #[arg(default_value = "30m", value_parser = duration)]
    pub max_connection_age: Duration,

    /// The time for the calls of a connection that has reached its age; 0s = no limit
    #[arg(
        long,
        env = "STARTLIST_MAX_CONNECTION_AGE_GRACE",
        value_name = "DURATION"
    )]
    #[arg(default_value = "1m", value_parser = duration)]
    pub max_connection_age_grace: Duration,

    /// The networks of the proxies that state the client's address, separated by commas, such as
    /// 10.1.0.0/16
    #[arg(long, env = "STARTLIST_TRUSTED_PROXIES", value_name = "NETWORKS")]
    #[arg(default_value = "", hide_default_value = true)]
    pub trusted_proxies: TrustedProxies,

    /// Whether connections from trusted proxies begin with a header of the PROXY protocol
    #[arg(long, env = "STARTLIST_PROXY_PROTOCOL", value_name = "true|false")]
    #[arg(default_value = "false", action = ArgAction::Set, hide_possible_values = true)]
    pub proxy_protocol: bool,
}

impl ServiceSettings {
    /// Reads the password of the Redis user from its file; `None` if no file is set. Call this at
    /// the start, so that a missing file is reported then.
    pub fn redis_password(&self) -> Result<Option<RedisPassword>, UnreadableFile> {
        let setting = "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE)";
        let file = self.redis_password_file.as_ref();
        file.map(|path| RedisPassword::read(setting, path))
            .transpose()
    }
}

/// A text is not a valid number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 0 to {}", u32::MAX)]
pub struct InvalidCount;

/// Parses the number of a limit.
pub fn count(text: &str) -> Result<u32, InvalidCount> {
    text.parse().map_err(|_| InvalidCount)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::testing::CommandLine;

    fn parse(flags: &[&str]) -> ServiceSettings {
        CommandLine::settings(flags).expect("valid")
    }

    #[test]
    fn the_defaults_are_those_in_the_readme() {
        let settings = parse(&[]);
        assert_eq!(settings.redis_url.expose(), "redis://127.0.0.1:6379");
        assert_eq!(settings.run.lame_duck, Duration::from_secs(2));
        assert_eq!(settings.run.drain_deadline, Duration::from_secs(15));
        assert_eq!(settings.run.max_deadline, Duration::from_secs(30));
        assert_eq!(settings.run.network_sign_in_failures, 500);
        assert_eq!(settings.run.max_connections, 2_000);
        assert_eq!(settings.run.max_connections_per_address, 256);
        let minutes = |count: u64| Duration::from_secs(60 * count);
        assert_eq!(settings.run.max_connection_idle, minutes(5));
        assert_eq!(settings.run.max_connection_age, minutes(30));
        assert_eq!(settings.run.max_connection_age_grace, minutes(1));
        assert_eq!(settings.run.trusted_proxies, TrustedProxies::default());
        assert!(!settings.run.proxy_protocol);
        assert!(settings.run.reflection);
        assert!(settings.peer_url.is_none());
    }

    #[test]
    fn no_password_is_shown() {
        let url = "redis://user:in-the-url@host:6379/1";
        let shown = format!("{:?}", parse(&["--redis-url", url]));
        assert!(!shown.contains("in-the-url"), "{shown}");
    }

    #[test]
    fn a_missing_password_file_is_named_with_its_setting() {
        let settings = parse(&["--redis-password-file", "/nowhere/secret"]);
        let error = settings
            .redis_password()
            .expect_err("no such file")
            .to_string();
        assert!(
            error.starts_with(
                "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE): cannot read /nowhere/secret: "
            ),
            "{error}"
        );
    }

    #[test]
    fn every_setting_has_a_variable() {
        let command = CommandLine::command();
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
