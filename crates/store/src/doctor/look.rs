//! How an examination reads: with patience, since a busy Redis is no finding; and without trust, since
//! what it reads may be anything.

use std::time::Duration;

use deadpool_redis::redis::{FromRedisValue, Pipeline, Value};
use domain::{Timestamp, UserId};
use tokio::time::sleep;

use super::Examination;
use crate::error::{Error, Result};
use crate::keys::Account;
use crate::redis::decode;
use crate::redis::{Effect, checked};

/// How often Redis is asked again that did not answer in time, or was away for a moment.
const TRIES: u32 = 40;
/// How long to wait before.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a state is looked at again that a call leaves for a moment.
pub(super) const LOOKS: u32 = 3;
/// How long that moment may be. A call that stands still for longer is taken for one that was cut off.
pub(super) const MOMENT: Duration = Duration::from_secs(1);

/// A page of a scan: where the next one begins, 0 = this was the last, and what is on it. `None` = the key
/// has a wrong type.
pub(super) type Page<T> = Option<(u64, Vec<T>)>;

/// What Redis answered, read one after the other.
pub(super) struct Answers(std::vec::IntoIter<Value>);

impl Answers {
    /// The next answer; `None` = it cannot be read, as when a key has a wrong type.
    pub(super) fn read<T: FromRedisValue>(&mut self) -> Option<T> {
        self.0.next().and_then(|answer| decode(answer).ok())
    }
}

impl Examination {
    /// Sends commands that read, in one round trip.
    pub(super) async fn look(&self, commands: &Pipeline) -> Result<Answers> {
        if commands.is_empty() {
            return Ok(Answers(Vec::new().into_iter()));
        }
        let mut tries = 0;
        loop {
            tries += 1;
            match self.look_once(commands).await {
                Err(Error::Unavailable(_)) if tries < TRIES => sleep(PAUSE).await,
                ended => return ended.map(|answers| Answers(answers.into_iter())),
            }
        }
    }

    async fn look_once(&self, commands: &Pipeline) -> Result<Vec<Value>> {
        let redis = &self.store.redis;
        let answers = redis
            .exchange(commands, Effect::Prepare, redis.pick_connection())
            .await?;
        let is_wrong_type = |answer: &Value| matches!(answer, Value::ServerError(error) if error.code() == "WRONGTYPE");
        answers
            .into_iter()
            .map(|answer| {
                if is_wrong_type(&answer) {
                    Ok(answer)
                } else {
                    checked(answer)
                }
            })
            .collect()
    }

    /// Which run of which Redis this is, if it says so.
    pub(super) async fn run_of_redis(&self) -> Result<Option<String>> {
        let mut info = Pipeline::with_capacity(1);
        info.cmd("INFO").arg("server");
        let text: Option<String> = self.look(&info).await?.read();
        let line = text.as_deref().unwrap_or_default().lines();
        let mut ids = line.filter_map(|line| line.strip_prefix("run_id:"));
        Ok(ids.next().map(str::to_owned))
    }

    /// Whether this was so long ago that no call that did it is still under way.
    pub(super) fn is_long_ago(&self, at: Timestamp) -> bool {
        at.after(super::UNDER_WAY) < self.store.now()
    }
}

/// Asks for the last entry of a user's account log.
pub(super) fn ask_last_event(pipeline: &mut Pipeline, user: &str) {
    pipeline
        .cmd("XREVRANGE")
        .arg(Account::of(crate::keys::People::Users, user).log())
        .arg("+")
        .arg("-")
        .arg("COUNT")
        .arg(1);
}

/// When the account was erased, if the last entry of its log says so.
pub(super) fn read_erasure(answers: &mut Answers) -> Option<Timestamp> {
    let events: Vec<(String, Vec<String>)> = answers.read()?;
    let (id, fields) = events.into_iter().next()?;
    let is_erasure = fields.chunks(2).any(|field| field == ["action", "erase"]);
    let millis = id.split_once('-')?.0.parse().ok()?;
    Timestamp::from_millis(millis).ok().filter(|_| is_erasure)
}

/// An id of a user as it may be shown: a text that is none may be anything.
pub(super) fn shown(user: &str) -> String {
    match UserId::parse(user) {
        Ok(user) => user.to_string(),
        Err(_) => "somebody whose id is none".to_owned(),
    }
}
