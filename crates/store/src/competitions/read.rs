//! Competitions read: one, or many by their ids.

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_redis::redis::{Pipeline, Value};
use domain::{Competition, CompetitionId, CompetitionState, Rejected, Rejection};

use super::known::Known;
use crate::batching::Batch;
use crate::error::Result;
use crate::legacy::unreadable;
use crate::records::Fields;
use crate::records::competition;
use crate::redis::decode;
use crate::redis::{ConnectionId, Effect, Redis, checked};
use crate::{Store, keys, script};

impl Store {
    /// Reads a competition in any state.
    pub async fn get_competition(&self, id: &CompetitionId) -> Result<Competition> {
        let found = self.looks.submit(&(), id.clone()).await?;
        found
            .map(Arc::unwrap_or_clone)
            .ok_or_else(|| competition_not_found(id).into())
    }

    /// Reads a competition that is open to the public: a draft does not exist.
    pub async fn get_public_competition(&self, id: &CompetitionId) -> Result<Competition> {
        let competition = self.get_competition(id).await?;
        if competition.state == CompetitionState::Draft {
            return Err(competition_not_found(id).into());
        }
        Ok(competition)
    }

    /// Reads competitions, each at one revision, as [`read_each`] does.
    pub(crate) async fn read_competitions(
        &self,
        ids: &[CompetitionId],
    ) -> Result<Vec<Option<Competition>>> {
        let found = read_each(&self.redis, &self.known, self.redis.pick_connection(), ids).await?;
        found
            .into_iter()
            .map(|found| Ok(found?.map(Arc::unwrap_or_clone)))
            .collect()
    }
}

/// What is said where there is no such competition, or none that the caller may see.
pub(crate) fn competition_not_found(id: &CompetitionId) -> Rejected {
    Rejected::from(Rejection::CompetitionNotFound).in_competition(id)
}

/// Those who look at competitions together: who looks at the same one in the same moment shares the answer,
/// which was asked for after all of them had come.
pub(crate) struct Looks(pub(crate) Arc<Known>);

impl Batch for Looks {
    type Key = ();
    type Item = CompetitionId;
    type Reply = Option<Arc<Competition>>;

    const EFFECT: Effect = Effect::Prepare;
    const MAX_WORKERS: usize = 4;
    /// Less than a millisecond of Redis's time.
    const MAX_ITEMS: usize = 128;

    async fn run(
        &self,
        redis: &Redis,
        lane: ConnectionId,
        (): &(),
        ids: &[CompetitionId],
    ) -> Result<Vec<Found>> {
        if ids.len() == 1 {
            return read_each(redis, &self.0, lane, ids).await;
        }
        let mut distinct = Vec::with_capacity(ids.len());
        let mut places = HashMap::with_capacity(ids.len());
        for id in ids {
            places.entry(id).or_insert_with(|| {
                distinct.push(id.clone());
                distinct.len() - 1
            });
        }
        let found = read_each(redis, &self.0, lane, &distinct).await?;
        Ok(ids.iter().map(|id| found[places[id]].clone()).collect())
    }
}

/// A competition as it was read; `None` = there is no such one.
type Found = Result<Option<Arc<Competition>>>;

/// Reads competitions, each at one revision, in one round trip; in two if one has changed that seemed to
/// stand as it stood. What cannot be read fails alone.
async fn read_each(
    redis: &Redis,
    known: &Known,
    lane: ConnectionId,
    ids: &[CompetitionId],
) -> Result<Vec<Found>> {
    let opened = redis.connections_opened();
    let mut looks: Vec<_> = ids
        .iter()
        .map(|id| known.recall(id, opened).map_or(Look::Unknown, Look::Stands))
        .collect();
    let chosen = |looks: &[Look], is_chosen: fn(&Look) -> bool| -> Vec<_> {
        let looks = ids.iter().zip(looks);
        looks
            .filter(|(_, look)| is_chosen(look))
            .map(|(id, _)| id)
            .collect()
    };
    let unknown = chosen(&looks, |look| matches!(look, Look::Unknown));
    // Both are on their way before either is waited for.
    let (read, ()) = tokio::try_join!(
        read_whole(redis, known, lane, &unknown),
        confirm(redis, lane, opened, ids, &mut looks)
    )?;
    let changed = chosen(&looks, |look| matches!(look, Look::Changed));
    let read_again = read_whole(redis, known, lane, &changed).await?;

    let (mut read, mut read_again) = (read.into_iter(), read_again.into_iter());
    let found = looks.into_iter().map(|look| {
        let answer = match look {
            Look::Stands(competition) => return Ok(Some(competition)),
            Look::Changed => read_again.next(),
            Look::Unknown => read.next(),
        };
        answer.unwrap_or_else(|| Err(unreadable("a short answer")))
    });
    Ok(found.collect())
}

/// What is known of a competition.
enum Look {
    /// It was read a moment ago, and stands as it stood.
    Stands(Arc<Competition>),
    /// It was read a moment ago, and has changed since.
    Changed,
    Unknown,
}

/// Asks Redis whether those that seem to stand do.
async fn confirm(
    redis: &Redis,
    lane: ConnectionId,
    opened: u64,
    ids: &[CompetitionId],
    looks: &mut [Look],
) -> Result<()> {
    let mut pipeline = Pipeline::new();
    for (id, look) in ids.iter().zip(looks.iter()) {
        if let Look::Stands(_) = look {
            let revision = keys::Competition::of(id).revision();
            pipeline.cmd("GET").arg(revision);
        }
    }
    if pipeline.is_empty() {
        return Ok(());
    }
    let answers = redis.exchange(&pipeline, Effect::Prepare, lane).await?;
    let is_same_redis = redis.connections_opened() == opened;
    let mut answers = answers.into_iter();
    for look in looks {
        if let Look::Stands(competition) = look {
            let revision = answers.next().map(decode::<u64>);
            let is_same = matches!(revision, Some(Ok(said)) if said == competition.revision.get());
            if !is_same || !is_same_redis {
                *look = Look::Changed;
            }
        }
    }
    Ok(())
}

/// Reads competitions, each at one revision, in one round trip, and takes note of them. What cannot be read
/// fails alone.
///
/// Five plain commands and no script, because a script costs Redis four times as much (measured: 3.5 us and
/// 13.4 us). Every change counts the revision up, so that what stands between two equal revisions was never
/// changed meanwhile. Where they differ, the script reads again. A transaction would do too, but Redis
/// refuses one when memory is full.
async fn read_whole(
    redis: &Redis,
    known: &Known,
    lane: ConnectionId,
    ids: &[&CompetitionId],
) -> Result<Vec<Found>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = Pipeline::with_capacity(ids.len() * COMMANDS);
    for id in ids {
        add_read(&mut pipeline, &keys::Competition::of(id));
    }
    let opened = redis.connections_opened();
    let mut answers = redis
        .exchange(&pipeline, Effect::Prepare, lane)
        .await?
        .into_iter();
    let mut found = Vec::with_capacity(ids.len());
    for &id in ids {
        let read: Result<Vec<_>> = answers.by_ref().take(COMMANDS).map(checked).collect();
        let competition = match read.and_then(unchanged) {
            Ok(None) => read_again(redis, id).await,
            Ok(Some(fields)) if fields.is_empty() => Ok(None),
            Ok(Some(fields)) => {
                competition::parse(id.clone(), fields).map(|read| Some(Arc::new(read)))
            }
            Err(error) => Err(error),
        };
        if let Ok(Some(competition)) = &competition {
            known.note(competition, opened);
        }
        found.push(competition);
    }
    Ok(found)
}

async fn read_again(redis: &Redis, id: &CompetitionId) -> Found {
    let call = script::READ_COMPETITION.on(&keys::Competition::of(id).for_registrations());
    let answer = redis.run_call(call, Effect::Prepare).await?;
    Ok(read_answer(id, None, answer)?.map(|(competition, _)| competition))
}

/// Splits the answer of `read_competition.lua`: a competition, and a registration in it. `known` is what the
/// script was told that the caller knows. `None` = there is no such competition.
pub(crate) fn read_answer(
    id: &CompetitionId,
    known: Option<Arc<Competition>>,
    answer: Value,
) -> Result<Option<(Arc<Competition>, Vec<String>)>> {
    let (competition, registration): (Vec<String>, Vec<String>) = decode(answer)?;
    let competition = match (&*competition, known) {
        ([], _) => return Ok(None),
        ([unchanged], Some(known)) if unchanged == "unchanged" => known,
        _ => Arc::new(competition::parse(
            id.clone(),
            Fields::from_pairs(competition),
        )?),
    };
    Ok(Some((competition, registration)))
}

/// How many commands read one competition.
const COMMANDS: usize = 5;

fn add_read(pipeline: &mut Pipeline, keys: &keys::Competition) {
    let [revision, registrations, _, waitlist, _] = keys.for_registrations();
    pipeline.cmd("GET").arg(&revision);
    pipeline.cmd("HGETALL").arg(keys.meta());
    pipeline.cmd("HLEN").arg(registrations);
    pipeline.cmd("ZCARD").arg(waitlist);
    pipeline.cmd("GET").arg(&revision);
}

/// The fields of a competition; none = there is no such competition. `None` if it changed meanwhile.
fn unchanged(read: Vec<Value>) -> Result<Option<Fields>> {
    let (revision, meta, held, waiting, then): (
        Option<String>,
        Vec<String>,
        u64,
        u64,
        Option<String>,
    ) = decode(Value::Array(read))?;
    if then != revision {
        return Ok(None);
    }
    let mut fields = Fields::from_pairs(meta);
    if !fields.is_empty() {
        let confirmed = held
            .checked_sub(waiting)
            .ok_or_else(|| unreadable("more who wait than registrations"))?;
        fields.insert("revision", revision.unwrap_or_default());
        fields.insert("confirmed_count", confirmed.to_string());
        fields.insert("waitlisted_count", waiting.to_string());
    }
    Ok(Some(fields))
}
