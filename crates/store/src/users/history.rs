//! What happened to an account, and its open sessions.

use deadpool_redis::redis::Pipeline;
use domain::{Timestamp, UserId};

use crate::Store;
use crate::error::Result;
use crate::keys::Account;
use crate::legacy::unreadable;
use crate::records::Fields;
use crate::records::account_event::{self, AccountEvent};
use crate::redis::Effect;
use crate::redis::decode;

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTimes {
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// A user's open sessions and what happened to the account, the oldest first.
    pub async fn account_history(
        &self,
        user: &UserId,
    ) -> Result<(Vec<SessionTimes>, Vec<AccountEvent>)> {
        let account = Account::of_user(user);
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("HVALS").arg(account.sessions());
        pipeline.cmd("XRANGE").arg(account.log()).arg("-").arg("+");
        let mut answers = self
            .redis
            .pipeline(&pipeline, Effect::Prepare)
            .await?
            .into_iter();
        let (Some(sessions), Some(events)) = (answers.next(), answers.next()) else {
            return Err(unreadable("a short answer"));
        };
        let sessions: Vec<String> = decode(sessions)?;
        let mut sessions = sessions
            .iter()
            .map(|times| read_times(times))
            .collect::<Result<Vec<_>>>()?;
        sessions.retain(|session| session.expires_at > self.now());
        sessions.sort_by_key(|session| session.created_at);
        let events: Vec<(String, Vec<String>)> = decode(events)?;
        let events = events
            .into_iter()
            .map(|(id, fields)| account_event::parse(&id, Fields::from_pairs(fields)))
            .collect::<Result<Vec<_>>>()?;
        Ok((sessions, events))
    }
}

fn read_times(times: &str) -> Result<SessionTimes> {
    let read = |millis: &str| {
        millis
            .parse()
            .ok()
            .and_then(|millis| Timestamp::from_millis(millis).ok())
    };
    let times = times.split_once(' ').and_then(|(created, expires)| {
        Some(SessionTimes {
            created_at: read(created)?,
            expires_at: read(expires)?,
        })
    });
    times.ok_or_else(|| unreadable("a session"))
}
