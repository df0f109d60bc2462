//! Reads competitions: one, or many by their ids.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deadpool_redis::redis::{Cmd, Value};
use domain::{Competition, CompetitionId, CompetitionState};

use super::CompetitionCache;
use crate::batching::{Batch, Batcher};
use crate::error::{Error, Result};
use crate::keys::CompetitionKey;
use crate::records::{Fields, competition};
use crate::redis::{Commands, ConnectionId, Effect, Redis, checked, decode};
use crate::scripts::read_competition::{CompetitionRead, ReadCompetition};
use crate::scripts::refusal::competition_not_found;

/// The competitions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Competitions {
    reader: Reader,
    reads: Batcher<CompetitionReads>,
}

impl Competitions {
    pub(crate) fn new(redis: &Redis, cache: &Arc<CompetitionCache>) -> Self {
        let reader = Reader {
            redis: redis.clone(),
            cache: Arc::clone(cache),
        };
        Self {
            reads: Batcher::new(redis, CompetitionReads(reader.clone())),
            reader,
        }
    }

    /// Reads a competition in any state.
    pub(crate) async fn get(&self, id: &CompetitionId) -> Result<Competition> {
        let found = self.reads.submit(&(), id.clone()).await?;
        found
            .map(Arc::unwrap_or_clone)
            .ok_or_else(|| competition_not_found(id).into())
    }

    /// Reads a competition that is not a draft.
    pub(crate) async fn get_public(&self, id: &CompetitionId) -> Result<Competition> {
        let competition = self.get(id).await?;
        if competition.state == CompetitionState::Draft {
            return Err(competition_not_found(id).into());
        }
        Ok(competition)
    }

    /// Reads competitions, each at one revision, in the order of the ids; `None` = there is no such
    /// competition. One or two round trips.
    pub(crate) async fn find_many(
        &self,
        ids: &[CompetitionId],
    ) -> Result<Vec<Option<Competition>>> {
        let connection = self.reader.redis.pick_connection();
        let found = self.reader.read(connection, ids).await?;
        found
            .into_iter()
            .map(|found| Ok(found?.map(Arc::unwrap_or_clone)))
            .collect()
    }
}

/// Reads that arrive at the same time are sent together, and share the reply for the same
/// competition. The reply is requested after all of them have arrived.
struct CompetitionReads(Reader);

impl Batch for CompetitionReads {
    type Key = ();
    type Item = CompetitionId;
    type Reply = Option<Arc<Competition>>;

    const EFFECT: Effect = Effect::Read;
    const MAX_WORKERS: usize = 4;
    /// Less than a millisecond of Redis's time.
    const MAX_ITEMS: usize = 128;

    async fn run(
        &self,
        _: &Redis,
        connection: ConnectionId,
        (): &(),
        ids: &[CompetitionId],
    ) -> Result<Vec<Found>> {
        self.0.read(connection, ids).await
    }
}

/// A competition at one revision; `None` = there is no such competition.
type Found = Result<Option<Arc<Competition>>>;

/// Reads from the cache or from Redis.
#[derive(Clone)]
struct Reader {
    redis: Redis,
    cache: Arc<CompetitionCache>,
}

impl Reader {
    /// Reads competitions in one round trip; in two if a cached one has changed. An unreadable
    /// record fails alone.
    async fn read(&self, connection: ConnectionId, ids: &[CompetitionId]) -> Result<Vec<Found>> {
        let opened = self.redis.connections_opened();
        let (mut cached, mut missing) = (Vec::new(), Vec::new());
        let distinct: HashSet<_> = ids.iter().collect();
        for id in distinct {
            match self.cache.get(id, opened) {
                Some(competition) => cached.push(competition),
                None => missing.push(id),
            }
        }
        // Both pipelines are sent before either is awaited.
        let (mut found, (current, changed)) = tokio::try_join!(
            self.read_from_redis(connection, &missing),
            self.validate(connection, cached, opened)
        )?;
        found.extend(current);
        if !changed.is_empty() {
            let changed: Vec<_> = changed.iter().map(|competition| &competition.id).collect();
            found.extend(self.read_from_redis(connection, &changed).await?);
        }
        let of_id = |id| {
            let found = found.get(id).cloned();
            found.unwrap_or_else(|| Err(Error::unreadable("a batch with too few replies")))
        };
        Ok(ids.iter().map(of_id).collect())
    }

    /// Splits cached competitions into those with the current revision and those without.
    async fn validate(
        &self,
        connection: ConnectionId,
        cached: Vec<Arc<Competition>>,
        opened: u64,
    ) -> Result<(HashMap<CompetitionId, Found>, Vec<Arc<Competition>>)> {
        let revisions = cached.iter();
        let revisions = revisions.map(|cached| Cmd::get(CompetitionKey::Revision.of(&cached.id)));
        let replies = self
            .redis
            .send(&revisions.collect(), Effect::Read, connection)
            .await?;
        let is_same_redis = self.redis.connections_opened() == opened;
        let (mut current, mut changed) = (HashMap::with_capacity(cached.len()), Vec::new());
        for (competition, reply) in cached.into_iter().zip(replies) {
            let revision = decode::<u64>(reply).ok();
            if is_same_redis && revision == Some(competition.revision.get()) {
                current.insert(competition.id.clone(), Ok(Some(competition)));
            } else {
                changed.push(competition);
            }
        }
        Ok((current, changed))
    }

    /// Reads competitions in one round trip, and caches them.
    async fn read_from_redis(
        &self,
        connection: ConnectionId,
        ids: &[&CompetitionId],
    ) -> Result<HashMap<CompetitionId, Found>> {
        let opened = self.redis.connections_opened();
        let mut commands = Commands::with_capacity(ids.len() * COMMANDS_PER_READ);
        for id in ids {
            push_read(&mut commands, id);
        }
        let replies = self.redis.send(&commands, Effect::Read, connection).await?;
        let mut replies = replies.into_iter();
        let mut found = HashMap::with_capacity(ids.len());
        for &id in ids {
            let replies: Result<_> = replies
                .by_ref()
                .take(COMMANDS_PER_READ)
                .map(checked)
                .collect();
            let read = match replies.and_then(decode_read) {
                Ok(Read::Consistent(fields)) => parse(id, fields),
                Ok(Read::ChangedMeanwhile) => self.read_by_script(id).await,
                Err(error) => Err(error),
            };
            if let Ok(Some(competition)) = &read {
                self.cache.put(competition, opened);
            }
            found.insert(id.clone(), read);
        }
        Ok(found)
    }

    async fn read_by_script(&self, id: &CompetitionId) -> Found {
        let read = ReadCompetition {
            competition: id,
            user: None,
            known: None,
        };
        match self.redis.run(&read).await? {
            CompetitionRead::NotFound => Ok(None),
            CompetitionRead::Found(fields, _) => parse(id, fields),
            CompetitionRead::Unchanged(_) => Err(Error::unreadable("the reply unchanged")),
        }
    }
}

fn parse(id: &CompetitionId, fields: Fields) -> Found {
    if fields.is_empty() {
        return Ok(None);
    }
    competition::parse(id.clone(), fields).map(|read| Some(Arc::new(read)))
}

const COMMANDS_PER_READ: usize = 5;

/// Appends the commands that read one competition: plain ones, because a script costs Redis four
/// times as much (measured: 3.5 us and 13.4 us). A transaction would do too, but Redis refuses one
/// when memory is full.
fn push_read(commands: &mut Commands, id: &CompetitionId) {
    let revision = CompetitionKey::Revision.of(id);
    commands.push(Cmd::get(&revision));
    commands.push(Cmd::hgetall(CompetitionKey::Meta.of(id)));
    commands.push(Cmd::hlen(CompetitionKey::Registrations.of(id)));
    commands.push(Cmd::zcard(CompetitionKey::Waitlist.of(id)));
    commands.push(Cmd::get(&revision));
}

enum Read {
    /// All fields of the competition; empty = there is no such competition.
    Consistent(Fields),
    /// The revision changed between the first and the last command.
    ChangedMeanwhile,
}

/// Every change increments the revision, so nothing changed between two equal revisions.
fn decode_read(replies: Vec<Value>) -> Result<Read> {
    type Replies = (Option<String>, Fields, u64, u64, Option<String>);
    let (before, mut fields, registered, waitlisted, after): Replies =
        decode(Value::Array(replies))?;
    if before != after {
        return Ok(Read::ChangedMeanwhile);
    }
    if !fields.is_empty() {
        let confirmed = registered
            .checked_sub(waitlisted)
            .ok_or_else(|| Error::unreadable("a waitlist that is longer than the registrations"))?;
        fields.insert("revision", before.unwrap_or_default());
        fields.insert("confirmed_count", confirmed.to_string());
        fields.insert("waitlisted_count", waitlisted.to_string());
    }
    Ok(Read::Consistent(fields))
}
