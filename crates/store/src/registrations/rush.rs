//! Many who register for one competition in the same moment go in together.
//!
//! While one script about a competition is under way, those who come meanwhile collect, and go in the
//! next script in the order in which they came. When it is quiet nobody waits: the first one goes at once.
//! A script costs Redis the same fixed work for one user as for a hundred, so a rush costs half.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_redis::redis::Pipeline;
use domain::{CompetitionId, RequestId, UserId};
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::outcome::{Outcome, Tracker};
use crate::redis::{Kind, Redis, good, write_deadline};
use crate::reply::{Reply, decode, unreadable};
use crate::{installation, keys, script};

/// The most users that one script takes: some 3 ms of Redis's time.
const MOST_TOGETHER: usize = 128;

/// Who wants to get in.
#[derive(Debug, Clone)]
pub(super) struct Entrant {
    pub(super) user: UserId,
    pub(super) request: RequestId,
}

/// The competitions that a script is under way for, each with those who wait for the next.
#[derive(Clone, Default)]
pub(crate) struct Rush {
    waiting: Arc<Mutex<HashMap<CompetitionId, VecDeque<Waiting>>>>,
}

struct Waiting {
    entrant: Entrant,
    /// The call that waits, if somebody follows its writes.
    call: Option<Tracker>,
    answer: oneshot::Sender<Result<Reply>>,
}

impl Rush {
    /// Registers one user, alone or with others; answers what the script says of this one.
    pub(super) async fn register(
        &self,
        redis: &Arc<Redis>,
        competition: &CompetitionId,
        entrant: Entrant,
    ) -> Result<Reply> {
        if let Some(answer) = self.join(competition, &entrant) {
            return answer
                .await
                .map_err(|_| Error::Corrupt("a batch of registrations was dropped".to_owned()))?;
        }
        // Dropped at the end, also when the caller gives up: the others go on.
        let _turn = Turn {
            rush: self,
            redis,
            competition,
        };
        let mut replies = run(redis, competition, &[entrant]).await?;
        replies.pop().ok_or_else(|| unreadable("an empty batch"))?
    }

    /// Queues a user behind the script that is under way; `None` = there is none, the turn is this one's.
    fn join(
        &self,
        competition: &CompetitionId,
        entrant: &Entrant,
    ) -> Option<oneshot::Receiver<Result<Reply>>> {
        let mut waiting = self.lock();
        let Some(queue) = waiting.get_mut(competition) else {
            waiting.insert(competition.clone(), VecDeque::new());
            return None;
        };
        let (answer, answered) = oneshot::channel();
        queue.push_back(Waiting {
            entrant: entrant.clone(),
            call: Tracker::current(),
            answer,
        });
        Some(answered)
    }

    /// The next who go in together; none = the turn is over. Who gave up meanwhile is left out.
    fn next(&self, competition: &CompetitionId) -> Vec<Waiting> {
        let mut waiting = self.lock();
        let Some(queue) = waiting.get_mut(competition) else {
            return Vec::new();
        };
        queue.retain(|one| !one.answer.is_closed());
        let together = queue.len().min(MOST_TOGETHER);
        let next: Vec<_> = queue.drain(..together).collect();
        if next.is_empty() {
            waiting.remove(competition);
        }
        next
    }

    /// Ends the turn without Redis: who waits is told, and nothing was sent for them.
    fn give_up(&self, competition: &CompetitionId, error: &Error) {
        let queue = self.lock().remove(competition).unwrap_or_default();
        for one in queue {
            let _ = one.answer.send(Err(error.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CompetitionId, VecDeque<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to run the scripts of a competition, one after the other.
struct Turn<'a> {
    rush: &'a Rush,
    redis: &'a Arc<Redis>,
    competition: &'a CompetitionId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let first = self.rush.next(self.competition);
        if first.is_empty() {
            return;
        }
        let (rush, redis) = (self.rush.clone(), Arc::clone(self.redis));
        let competition = self.competition.clone();
        tokio::spawn(async move {
            let mut together = first;
            while !together.is_empty() {
                if let Err(error @ Error::Unavailable(_)) =
                    admit(&redis, &competition, together).await
                {
                    // Each further try could take as long again, and nobody waits for that.
                    return rush.give_up(&competition, &error);
                }
                together = rush.next(&competition);
            }
        });
    }
}

/// Registers these together and gives each its answer. Fails as it told all of them.
async fn admit(redis: &Redis, competition: &CompetitionId, together: Vec<Waiting>) -> Result<()> {
    for call in together.iter().filter_map(|one| one.call.as_ref()) {
        call.sent();
    }
    let entrants: Vec<_> = together.iter().map(|one| one.entrant.clone()).collect();
    let writes = Tracker::default();
    match writes.follow(run(redis, competition, &entrants)).await {
        Ok(replies) => {
            for (one, reply) in together.into_iter().zip(replies) {
                // Who gave up meanwhile hears nothing, and may ask again with the same request id.
                let _ = one.answer.send(reply);
            }
            Ok(())
        }
        Err(error) => {
            for one in together {
                if let (Some(call), Outcome::NotApplied) = (&one.call, writes.outcome()) {
                    call.refused();
                }
                let _ = one.answer.send(Err(error.clone()));
            }
            Err(error)
        }
    }
}

/// Writes the index of each user, then runs the script that decides; answers one reply for each. Whose
/// index could not be written hears that and no more: a repetition writes it, and answers what was decided.
async fn run(
    redis: &Redis,
    competition: &CompetitionId,
    entrants: &[Entrant],
) -> Result<Vec<Result<Reply>>> {
    loop {
        let now = redis.now().await?;
        let deadline = write_deadline(now);
        let mut pipeline = Pipeline::with_capacity(entrants.len() + 1);
        let mut call = script::REGISTER
            .on(&keys::Competition::of(competition).for_registrations())
            .arg("register");
        for entrant in entrants {
            pipeline
                .cmd("HSET")
                .arg(keys::Account::of_user(&entrant.user).competitions())
                .arg(competition.as_str())
                .arg(installation::index_value(now)?);
            call = call
                .arg(entrant.user.as_str())
                .arg(entrant.request.to_string())
                .arg(deadline);
        }
        pipeline.add_command(call.into_command());
        let mut answers = redis
            .run_each(&script::REGISTER, &pipeline, Kind::Deciding)
            .await?;
        let decided = answers.pop().ok_or_else(|| unreadable("no answer"))?;
        if let Some(replies) = read_batch(good(decided)?)? {
            let entered = answers.into_iter().map(good);
            return Ok(entered
                .zip(replies)
                .map(|(entered, reply)| entered.map(|_| reply))
                .collect());
        }
    }
}

/// The replies of `register.lua`; `None` = call again.
pub(super) fn read_batch(answer: deadpool_redis::redis::Value) -> Result<Option<Vec<Reply>>> {
    let replies: Vec<Vec<String>> = decode(answer)?;
    let replies = replies
        .into_iter()
        .map(Reply::of)
        .collect::<Result<Vec<_>>>()?;
    let is_settled = replies.iter().all(|reply| reply.word() != "unsettled");
    Ok(is_settled.then_some(replies))
}
