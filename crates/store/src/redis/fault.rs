//! What an error reply of Redis means.

use deadpool_redis::redis::{ServerError, Value};

use super::connection::SendError;
use crate::error::Error;

/// Why Redis does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No connection can be opened, or it breaks.
    Unreachable,
    /// Redis is frozen, or the network loses what is sent.
    TimedOut,
    /// WRONGPASS, NOAUTH: the user or the password is wrong, or the user is off.
    LoginRefused,
    /// NOPERM.
    PermissionDenied,
    /// READONLY, or a replica that can be written to but passes nothing on.
    Replica,
    /// MASTERDOWN, of a replica with `replica-serve-stale-data no`.
    PrimaryLost,
    /// LOADING: after a start, or while a replica copies its primary.
    Loading,
    /// OOM: `maxmemory` is reached.
    Full,
    /// MISCONF: a snapshot or the append-only file cannot be written.
    DiskFailed,
    /// NOREPLICAS: fewer than `min-replicas-to-write` replicas are connected.
    TooFewReplicas,
    /// BUSY: a script or a function runs for longer than `busy-reply-threshold`.
    Busy,
    /// CLUSTERDOWN.
    ClusterDown,
    /// TRYAGAIN: the keys of a call are being moved to another server of a cluster.
    Moving,
    /// Any other error reply: a bug, or something else than Redis.
    Other,
}

impl Fault {
    /// One fixed sentence, without addresses or texts of Redis.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Unreachable => "Redis cannot be reached",
            Self::TimedOut => "Redis does not reply in time",
            Self::LoginRefused => "Redis refuses the user or the password",
            Self::PermissionDenied => "Redis denies a command to the user of the service",
            Self::Replica => "Redis is a replica",
            Self::PrimaryLost => "Redis is a replica that has lost its primary",
            Self::Loading => "Redis is loading its data",
            Self::Full => "Redis is out of memory",
            Self::DiskFailed => "Redis cannot write to its disk",
            Self::TooFewReplicas => "Redis has too few replicas",
            Self::Busy => "Redis is busy with a script",
            Self::ClusterDown => "the Redis cluster is down",
            Self::Moving => "Redis is moving data to another server",
            Self::Other => "Redis replies with an error",
        }
    }

    /// Decodes an error reply. An error inside a script has the code ERR, and the code of its cause
    /// at the start of its text.
    pub(super) fn of(error: &ServerError) -> Self {
        let detail = error.details().unwrap_or_default();
        let cause = detail.split(' ').next().unwrap_or_default();
        match Self::of_code(error.code()) {
            Self::Other => Self::of_code(cause),
            fault => fault,
        }
    }

    fn of_code(code: &str) -> Self {
        match code {
            "WRONGPASS" | "NOAUTH" => Self::LoginRefused,
            "NOPERM" => Self::PermissionDenied,
            // UNBLOCKED is the reply to a waiting command when its server becomes a replica.
            "READONLY" | "UNBLOCKED" => Self::Replica,
            "MASTERDOWN" => Self::PrimaryLost,
            "LOADING" => Self::Loading,
            "OOM" => Self::Full,
            "MISCONF" => Self::DiskFailed,
            "NOREPLICAS" => Self::TooFewReplicas,
            "BUSY" => Self::Busy,
            "CLUSTERDOWN" => Self::ClusterDown,
            "TRYAGAIN" => Self::Moving,
            _ => Self::Other,
        }
    }

    /// Whether another server may be at the address now, or this one wants another login, so that a
    /// new connection may help.
    pub(super) fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::Replica
                | Self::PrimaryLost
                | Self::Loading
                | Self::ClusterDown
                | Self::LoginRefused
        )
    }

    /// The error of the store, with the text for the log.
    pub(super) fn error(self, text: String) -> Error {
        match self {
            Self::Full => Error::Full(text),
            Self::LoginRefused => Error::LoginRefused(text),
            Self::PermissionDenied => Error::PermissionDenied(text),
            Self::Other => Error::Corrupt(text),
            Self::Unreachable
            | Self::TimedOut
            | Self::Replica
            | Self::PrimaryLost
            | Self::Loading
            | Self::DiskFailed
            | Self::TooFewReplicas
            | Self::Busy
            | Self::ClusterDown
            | Self::Moving => Error::Unavailable(text),
        }
    }
}

/// The text of an error reply, for the log.
pub(super) fn text_of(error: &ServerError) -> String {
    format!("{} {}", error.code(), error.details().unwrap_or_default())
}

/// Whether one of the replies is an error after which the connection has to be replaced.
pub(super) fn end_connection(replies: &[Value]) -> bool {
    replies.iter().any(|reply| match reply {
        Value::ServerError(error) => Fault::of(error).ends_connection(),
        _ => false,
    })
}

impl From<&SendError> for Fault {
    fn from(error: &SendError) -> Self {
        match error {
            SendError::NotConnected(_) | SendError::ConnectionLost(_) => Self::Unreachable,
            SendError::LoginRefused(_) => Self::LoginRefused,
            SendError::TimedOut(_) => Self::TimedOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use deadpool_redis::redis::parse_redis_value;

    use super::*;

    fn error(reply: &str) -> Error {
        let reply = parse_redis_value(format!("-{reply}\r\n").as_bytes());
        match reply.expect("a reply") {
            Value::ServerError(error) => Fault::of(&error).error(text_of(&error)),
            other => panic!("not an error: {other:?}"),
        }
    }

    #[test]
    fn an_error_inside_a_script_has_the_meaning_of_its_cause() {
        for text in ["", "ERR "] {
            let of = |reply: &str| error(&format!("{text}{reply} the detail"));
            assert!(matches!(of("OOM"), Error::Full(_)));
            assert!(matches!(of("READONLY"), Error::Unavailable(_)));
            assert!(matches!(of("NOREPLICAS"), Error::Unavailable(_)));
            assert!(matches!(of("NOPERM"), Error::PermissionDenied(_)));
            assert!(matches!(of("WRONGTYPE"), Error::Corrupt(_)));
        }
    }
}
