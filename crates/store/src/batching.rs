//! Runs calls that arrive at the same time in one batch.
//!
//! Calls wait in a queue, one queue per key (such as the competition). Up to
//! [`Batch::MAX_WORKERS`] worker tasks serve a queue: each takes everything that waits, sends it as
//! one batch, hands out the replies, and takes the next batch. A worker ends when its queue is
//! empty, so that nothing runs when nobody calls, and a lone call is sent at once.
//!
//! Two workers, calls `a` to `f`, time from left to right:
//!
//! ```text
//! call arrives   a     b   c d       e f
//! worker 1       [a________]         [e,f____]
//! worker 2             [b______][c,d______]
//! ```
//!
//! With more than one worker Redis has the next batch at hand while the replies of the one before
//! are handed out. All workers of a queue use the same connection, so that batches are executed in
//! the order of arrival.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::redis::{ConnectionId, Effect, Redis};
use crate::write_outcome::{WriteOutcome, WriteTracker};

/// A kind of batch.
pub(crate) trait Batch: Send + Sync + 'static {
    /// What all items of one batch have in common.
    type Key: Clone + Eq + Hash + Send + Sync;
    /// What one call asks for.
    type Item: Clone + Send + Sync;
    /// What one call gets.
    type Reply: Send;

    /// What a batch does to Redis.
    const EFFECT: Effect;
    /// The most batches of one key in flight at a time.
    const MAX_WORKERS: usize;
    /// The most items of one batch.
    const MAX_ITEMS: usize;

    /// Runs one batch. Returns one result per item, or the error that all items share.
    fn run(
        &self,
        redis: &Redis,
        connection: ConnectionId,
        key: &Self::Key,
        items: &[Self::Item],
    ) -> impl Future<Output = Result<Vec<Result<Self::Reply>>>> + Send;
}

/// The queues and workers of one kind of batch. Cheap to clone; all clones share the queues.
pub(crate) struct Batcher<B: Batch> {
    inner: Arc<Inner<B>>,
}

struct Inner<B: Batch> {
    batch: B,
    redis: Redis,
    queues: Mutex<HashMap<B::Key, Queue<B>>>,
}

/// The calls of one key. It exists while it has a worker.
struct Queue<B: Batch> {
    connection: ConnectionId,
    workers: usize,
    waiting: VecDeque<PendingCall<B>>,
}

struct PendingCall<B: Batch> {
    item: B::Item,
    /// Follows the writes of the call, if the batch decides and the caller wants to know.
    tracker: Option<WriteTracker>,
    reply: oneshot::Sender<Result<B::Reply>>,
}

impl<B: Batch> Clone for Batcher<B> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<B: Batch> Batcher<B> {
    pub(crate) fn new(redis: &Redis, batch: B) -> Self {
        Self {
            inner: Arc::new(Inner {
                batch,
                redis: redis.clone(),
                queues: Mutex::default(),
            }),
        }
    }

    /// Runs one item in the next batch of its key. If the caller gives up, the others are not
    /// affected.
    pub(crate) async fn submit(&self, key: &B::Key, item: B::Item) -> Result<B::Reply> {
        let (reply, replied) = oneshot::channel();
        let call = PendingCall {
            item,
            tracker: WriteTracker::current().filter(|_| B::EFFECT == Effect::Decide),
            reply,
        };
        if self.inner.enqueue(key, call) {
            tokio::spawn(Arc::clone(&self.inner).serve_queue(key.clone()));
        }
        replied
            .await
            .unwrap_or_else(|_| Err(Error::Corrupt("a batch ended without a reply".to_owned())))
    }
}

impl<B: Batch> Inner<B> {
    /// Appends a call to the queue of its key. Returns whether the queue needs one more worker.
    fn enqueue(&self, key: &B::Key, call: PendingCall<B>) -> bool {
        let mut queues = self.queues();
        let queue = queues.entry(key.clone()).or_insert_with(|| Queue {
            connection: self.redis.pick_connection(),
            workers: 0,
            waiting: VecDeque::new(),
        });
        queue.waiting.push_back(call);
        let needs_worker = queue.workers < B::MAX_WORKERS;
        queue.workers += usize::from(needs_worker);
        needs_worker
    }

    /// The worker: sends batch after batch until nobody waits.
    async fn serve_queue(self: Arc<Self>, key: B::Key) {
        let _guard = PanicGuard {
            inner: &self,
            key: &key,
        };
        while let Some((connection, calls)) = self.next_batch(&key) {
            if let Err(error @ (Error::Unavailable(_) | Error::LoginRefused(_))) =
                self.run(connection, &key, calls).await
            {
                // Each further batch could take as long to fail, longer than any caller waits.
                self.fail_waiting(&key, &error);
                return;
            }
        }
    }

    /// Takes the next batch from a queue. `None` ends the worker.
    fn next_batch(&self, key: &B::Key) -> Option<(ConnectionId, Vec<PendingCall<B>>)> {
        let mut queues = self.queues();
        let queue = queues.get_mut(key)?;
        // A caller that has given up closed its channel. Its request was not sent.
        queue.waiting.retain(|call| !call.reply.is_closed());
        let size = queue.waiting.len().min(B::MAX_ITEMS);
        if size == 0 {
            end_worker(&mut queues, key);
            return None;
        }
        Some((queue.connection, queue.waiting.drain(..size).collect()))
    }

    /// Runs one batch and sends each call its result. Returns the error that all calls received.
    async fn run(
        &self,
        connection: ConnectionId,
        key: &B::Key,
        calls: Vec<PendingCall<B>>,
    ) -> Result<()> {
        for tracker in calls.iter().filter_map(|call| call.tracker.as_ref()) {
            tracker.sent();
        }
        let items: Vec<_> = calls.iter().map(|call| call.item.clone()).collect();
        let writes = WriteTracker::default();
        let batch = self.batch.run(&self.redis, connection, key, &items);
        match writes.follow(batch).await {
            Ok(replies) => {
                for (call, reply) in calls.into_iter().zip(replies) {
                    // Fails if the caller has given up. It may repeat the call with its request id.
                    let _ = call.reply.send(reply);
                }
                Ok(())
            }
            Err(error) => {
                for call in calls {
                    if let (Some(tracker), WriteOutcome::NotApplied) =
                        (&call.tracker, writes.outcome())
                    {
                        tracker.refused();
                    }
                    let _ = call.reply.send(Err(error.clone()));
                }
                Err(error)
            }
        }
    }

    /// Ends a worker and fails every call that waits in its queue. Nothing was sent for them.
    fn fail_waiting(&self, key: &B::Key, error: &Error) {
        let mut queues = self.queues();
        let waiting = queues.get_mut(key).map(|queue| take(&mut queue.waiting));
        end_worker(&mut queues, key);
        drop(queues);
        for call in waiting.unwrap_or_default() {
            let _ = call.reply.send(Err(error.clone()));
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<B::Key, Queue<B>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a worker that panics, which is a bug. Without it, the queue would count the worker for ever,
/// and later calls would wait for it.
struct PanicGuard<'a, B: Batch> {
    inner: &'a Inner<B>,
    key: &'a B::Key,
}

impl<B: Batch> Drop for PanicGuard<'_, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let error = Error::Corrupt("a batch worker panicked".to_owned());
            self.inner.fail_waiting(self.key, &error);
        }
    }
}

fn end_worker<B: Batch>(queues: &mut HashMap<B::Key, Queue<B>>, key: &B::Key) {
    if let Some(queue) = queues.get_mut(key) {
        queue.workers -= 1;
        if queue.workers == 0 {
            queues.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles numbers. Panics if one of them is zero.
    struct Doubling;

    impl Batch for Doubling {
        type Key = ();
        type Item = u32;
        type Reply = u32;

        const EFFECT: Effect = Effect::Read;
        const MAX_WORKERS: usize = 1;
        const MAX_ITEMS: usize = 1;

        async fn run(
            &self,
            _: &Redis,
            _: ConnectionId,
            (): &(),
            items: &[u32],
        ) -> Result<Vec<Result<u32>>> {
            assert!(items[0] > 0, "a number that is not zero");
            Ok(items.iter().map(|item| Ok(item * 2)).collect())
        }
    }

    #[tokio::test]
    async fn a_batch_that_panics_fails_its_calls_and_blocks_no_later_one() {
        let redis = Redis::new("redis://127.0.0.1:1", None).expect("a URL");
        let batcher = Batcher::new(&redis, Doubling);
        let (panicked, waiting) = tokio::join!(batcher.submit(&(), 0), batcher.submit(&(), 1));
        assert!(matches!(panicked, Err(Error::Corrupt(_))), "{panicked:?}");
        assert!(matches!(waiting, Err(Error::Corrupt(_))), "{waiting:?}");
        assert_eq!(batcher.submit(&(), 21).await.ok(), Some(42));
    }
}
