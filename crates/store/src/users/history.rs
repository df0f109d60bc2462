//! The open sessions of a user, and what happened to the account.

use deadpool_redis::redis::{Cmd, cmd};
use domain::UserId;

use super::{SessionTimes, Users};
use crate::error::Result;
use crate::keys::AccountKey;
use crate::records::Fields;
use crate::records::account_event::{self, AccountEvent};
use crate::records::session::SessionRecord;

impl Users {
    /// Lists a user's open sessions, and what happened to the account, the oldest first.
    pub(crate) async fn history(
        &self,
        id: &UserId,
    ) -> Result<(Vec<SessionTimes>, Vec<AccountEvent>)> {
        let sessions = Cmd::hvals(AccountKey::Sessions.of_user(id));
        let mut events = cmd("XRANGE");
        events.arg(AccountKey::Log.of_user(id)).arg("-").arg("+");
        let (sessions, events): (Vec<String>, Vec<(String, Fields)>) =
            self.redis.read_tuple([sessions, events]).await?;
        let mut open = Vec::with_capacity(sessions.len());
        for session in &sessions {
            match SessionRecord::parse(session)? {
                SessionRecord::Issued(times) if times.expires_at > self.redis.now() => {
                    open.push(times);
                }
                SessionRecord::Issued(_) | SessionRecord::Erased(_) => {}
            }
        }
        open.sort_by_key(|session| session.created_at);
        let events = events.into_iter();
        let events = events.map(|(id, fields)| account_event::parse(&id, fields));
        Ok((open, events.collect::<Result<_>>()?))
    }
}
