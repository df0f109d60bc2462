//! The URL of Redis.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use thiserror::Error;

/// The URL of Redis. It may hold a password, which `Display` and `Debug` leave out.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

/// A text is not a valid [`RedisUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be redis://[user[:password]@]host[:port][/database]")]
pub struct InvalidRedisUrl;

impl RedisUrl {
    /// Returns the URL with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the URL with another user and without a password.
    #[must_use]
    pub fn as_user(&self, user: &str) -> Self {
        Self(self.to_string().replacen("://", &format!("://{user}@"), 1))
    }
}

impl FromStr for RedisUrl {
    type Err = InvalidRedisUrl;

    fn from_str(url: &str) -> Result<Self, InvalidRedisUrl> {
        let uri: Uri = url.parse().map_err(|_| InvalidRedisUrl)?;
        let is_redis = uri.scheme_str() == Some("redis");
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        (is_redis && has_host)
            .then(|| Self(url.to_owned()))
            .ok_or(InvalidRedisUrl)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_not_shown() {
        let text = "redis://user:secret@host:6379/1";
        let url: RedisUrl = text.parse().expect("a URL");
        assert_eq!(url.expose(), text);
        assert_eq!(url.to_string(), "redis://host:6379/1");
        assert_eq!(format!("{url:?}"), "RedisUrl(redis://host:6379/1)");
        let other = url.as_user("other");
        assert_eq!(other.expose(), "redis://other@host:6379/1");
    }
}
