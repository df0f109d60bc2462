//! Calls that come in the same moment go to Redis in one batch.
//!
//! While a few batches of a kind are under way, those who come meanwhile collect, and go in the next one in
//! the order in which they came. When it is quiet nobody waits: who comes goes at once. More than one batch,
//! so that Redis has the next one at hand while the answers of the one before are handed out.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::mem::take;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::outcome::{Outcome, Tracker};
use crate::redis::{Kind, Lane, Redis};
use crate::reply::unreadable;

/// What goes together.
pub(crate) trait Batch: Sized + Send + Sync + 'static {
    /// What all of a batch have in common.
    type Key: Clone + Eq + Hash + Send + Sync;
    /// What one caller wants.
    type Item: Clone + Send + Sync;
    /// What one caller hears.
    type Answer: Send;

    /// Whether a batch decides something.
    const KIND: Kind;
    /// The most batches of one key that are under way at a time.
    const MOST_BATCHES: usize;
    /// The most items of a batch.
    const MOST_ITEMS: usize;

    /// Asks Redis; answers each item in turn. What fails for one item alone is that one's answer.
    fn run(
        &self,
        redis: &Redis,
        lane: Lane,
        key: &Self::Key,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Result<Self::Answer>>>> + Send;
}

/// The batches of one kind.
pub(crate) struct Batches<B: Batch> {
    batch: Arc<B>,
    redis: Arc<Redis>,
    under_way: Arc<Mutex<HashMap<B::Key, UnderWay<B>>>>,
}

/// What is under way for a key.
struct UnderWay<B: Batch> {
    /// All go the same way, so that nobody overtakes.
    lane: Lane,
    batches: usize,
    /// Those who wait for the next batch.
    queue: VecDeque<Waiting<B>>,
}

struct Waiting<B: Batch> {
    item: B::Item,
    /// The call that waits, if somebody follows its writes.
    call: Option<Tracker>,
    answer: oneshot::Sender<Result<B::Answer>>,
}

/// Where one who comes stands.
enum Place<B: Batch> {
    /// In front, to go at once.
    First(Lane),
    /// Behind others, who bring the answer along.
    Waits(oneshot::Receiver<Result<B::Answer>>),
}

impl<B: Batch> Clone for Batches<B> {
    fn clone(&self) -> Self {
        Self {
            batch: Arc::clone(&self.batch),
            redis: Arc::clone(&self.redis),
            under_way: Arc::clone(&self.under_way),
        }
    }
}

impl<B: Batch> Batches<B> {
    pub(crate) fn new(redis: &Arc<Redis>, batch: B) -> Self {
        Self {
            batch: Arc::new(batch),
            redis: Arc::clone(redis),
            under_way: Arc::default(),
        }
    }

    /// Asks for one item, alone or with others.
    pub(crate) async fn ask(&self, key: &B::Key, item: B::Item) -> Result<B::Answer> {
        let lane = match self.join(key, &item) {
            Place::First(lane) => lane,
            Place::Waits(answer) => {
                return answer
                    .await
                    .map_err(|_| Error::Corrupt("a batch was dropped".to_owned()))?;
            }
        };
        // Dropped at the end, also when the caller gives up: the others go on.
        let _turn = Turn {
            batches: self,
            lane,
            key,
        };
        let mut answers = self.run(lane, key, slice::from_ref(&item)).await?;
        answers.pop().ok_or_else(|| unreadable("an empty batch"))?
    }

    /// Queues an item behind the batches that are under way, unless there may be one more.
    fn join(&self, key: &B::Key, item: &B::Item) -> Place<B> {
        let mut all = self.lock();
        let Some(under_way) = all.get_mut(key) else {
            let lane = self.redis.lane();
            let queue = VecDeque::new();
            let first = UnderWay {
                lane,
                batches: 1,
                queue,
            };
            all.insert(key.clone(), first);
            return Place::First(lane);
        };
        if under_way.batches < B::MOST_BATCHES {
            under_way.batches += 1;
            return Place::First(under_way.lane);
        }
        let (answer, answered) = oneshot::channel();
        under_way.queue.push_back(Waiting {
            item: item.clone(),
            call: Tracker::current().filter(|_| B::KIND == Kind::Deciding),
            answer,
        });
        Place::Waits(answered)
    }

    /// The next who go together; none = the turn is over. Who gave up meanwhile is left out.
    fn next(&self, key: &B::Key) -> Vec<Waiting<B>> {
        let mut all = self.lock();
        let Some(under_way) = all.get_mut(key) else {
            return Vec::new();
        };
        under_way.queue.retain(|one| !one.answer.is_closed());
        let together = under_way.queue.len().min(B::MOST_ITEMS);
        let next: Vec<_> = under_way.queue.drain(..together).collect();
        if next.is_empty() {
            end_turn(&mut all, key);
        }
        next
    }

    /// Sends these together and gives each its answer. Fails as it told all of them.
    async fn send(&self, lane: Lane, key: &B::Key, together: Vec<Waiting<B>>) -> Result<()> {
        for call in together.iter().filter_map(|one| one.call.as_ref()) {
            call.sent();
        }
        let items: Vec<_> = together.iter().map(|one| one.item.clone()).collect();
        let writes = Tracker::default();
        match writes.follow(self.run(lane, key, &items)).await {
            Ok(answers) => {
                for (one, answer) in together.into_iter().zip(answers) {
                    // Who gave up meanwhile hears nothing, and may ask again with the same request id.
                    let _ = one.answer.send(answer);
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

    async fn run(
        &self,
        lane: Lane,
        key: &B::Key,
        items: &[B::Item],
    ) -> Result<Vec<Result<B::Answer>>> {
        self.batch.run(&self.redis, lane, key, items).await
    }

    /// Ends a turn without Redis: who waits is told, and nothing was sent for them.
    fn give_up(&self, key: &B::Key, error: &Error) {
        let mut all = self.lock();
        let queue = all.get_mut(key).map(|one| take(&mut one.queue));
        end_turn(&mut all, key);
        drop(all);
        for one in queue.unwrap_or_default() {
            let _ = one.answer.send(Err(error.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<B::Key, UnderWay<B>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn end_turn<B: Batch>(all: &mut HashMap<B::Key, UnderWay<B>>, key: &B::Key) {
    if let Some(under_way) = all.get_mut(key) {
        under_way.batches -= 1;
        if under_way.batches == 0 {
            all.remove(key);
        }
    }
}

/// The right to send batches of a key, one after the other.
struct Turn<'a, B: Batch> {
    batches: &'a Batches<B>,
    lane: Lane,
    key: &'a B::Key,
}

impl<B: Batch> Drop for Turn<'_, B> {
    fn drop(&mut self) {
        let first = self.batches.next(self.key);
        if first.is_empty() {
            return;
        }
        let (batches, lane, key) = (self.batches.clone(), self.lane, self.key.clone());
        tokio::spawn(async move {
            let mut together = first;
            while !together.is_empty() {
                if let Err(error @ Error::Unavailable(_)) = batches.send(lane, &key, together).await
                {
                    // Each further try could take as long again, and nobody waits for that.
                    return batches.give_up(&key, &error);
                }
                together = batches.next(&key);
            }
        });
    }
}
