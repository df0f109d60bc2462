//! A session, stored in the hash `sessions` under the hash of its token. The scripts write it: see
//! `scripts/prelude_account.lua`.

use domain::{RequestId, Timestamp};

use crate::error::{Error, Result};

/// When a session was opened and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionRecord {
    /// `<created_at> <expires_at>` in milliseconds. The session may have ended.
    Issued(SessionTimes),
    /// `erased <request id>`: the request that erased the account, kept for 24 hours for the token
    /// that made it.
    Erased(RequestId),
}

impl SessionRecord {
    pub fn parse(text: &str) -> Result<Self> {
        let (first, second) = text.split_once(' ').ok_or_else(|| unreadable(text))?;
        if first == "erased" {
            let request = RequestId::parse(second).map_err(|_| unreadable(text))?;
            return Ok(Self::Erased(request));
        }
        let times = parse_millis(first).zip(parse_millis(second));
        let (created_at, expires_at) = times.ok_or_else(|| unreadable(text))?;
        Ok(Self::Issued(SessionTimes {
            created_at,
            expires_at,
        }))
    }
}

fn parse_millis(text: &str) -> Option<Timestamp> {
    Timestamp::from_millis(text.parse().ok()?).ok()
}

fn unreadable(text: &str) -> Error {
    Error::unreadable(format_args!("the session `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_two_times_or_an_erasure() {
        let issued = SessionRecord::parse("1000 2000").expect("a session");
        let at = |millis| Timestamp::from_millis(millis).expect("a time");
        assert_eq!(
            issued,
            SessionRecord::Issued(SessionTimes {
                created_at: at(1000),
                expires_at: at(2000),
            })
        );
        let request = RequestId::random();
        let erased = SessionRecord::parse(&format!("erased {request}")).expect("a session");
        assert_eq!(erased, SessionRecord::Erased(request));
        for text in ["", "1000", "1000 ", "x 2000", "1000 2000 3000", "erased 1"] {
            assert!(SessionRecord::parse(text).is_err(), "{text}");
        }
    }
}
