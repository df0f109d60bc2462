//! Who may compute a hash next.
//!
//! There are two queues, so that new accounts do not keep people from signing in. While both have
//! callers, they take turns. Within a queue, the networks take turns. If a queue is full, a caller
//! from a network with fewer waiting callers takes the place of the newest caller of the network
//! with the most: no network keeps the others out. The signed-in people of a network count as a
//! network of their own, so that strangers beside them do not keep them out either.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::network::Network;

/// The most waiting callers of a queue. Eight hashes take some 200 ms, twice that while both queues
/// are full, which a person does not notice much.
pub(super) const MAX_WAITING: usize = 8;

/// For whom a hash is computed. Callers that are equal share their turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashCaller {
    /// Somebody who signs in.
    SignIn(Network),
    /// A signed-in person.
    SignedIn(Network),
    /// Somebody who creates an account.
    NewAccount(Network),
}

impl HashCaller {
    /// The program itself, for example when it creates the first owner.
    pub const SERVER: Self = Self::SignedIn(Network::NONE);
}

/// The queue is full. The caller should try again later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Hands out a limited number of permits. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    people: Queue,
    new_accounts: Queue,
    /// Whose turn it is if both queues have callers.
    is_turn_of_new_accounts: bool,
}

/// A permit for one hash. The next caller gets it when it is dropped.
#[derive(Debug)]
pub struct HashPermit(Gate);

impl Gate {
    pub(super) fn new(permits: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: permits,
            people: Queue::default(),
            new_accounts: Queue::default(),
            is_turn_of_new_accounts: false,
        })))
    }

    /// Waits for a permit. A caller that is cancelled stops waiting.
    pub(super) async fn acquire(&self, caller: HashCaller) -> Result<HashPermit, Full> {
        let turn = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(HashPermit(self.clone()));
            }
            state.queue_of(caller)?
        };
        // The other end is dropped without a permit if another caller takes this place.
        turn.await.map_err(|_displaced| Full)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.lock();
            let next = state.next();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(caller) = next {
            // A permit for a caller that was cancelled comes back and is dropped here, which gives
            // it to the next one.
            drop(caller.send(Self(self.0.clone())));
        }
    }
}

impl State {
    fn queue_of(&mut self, caller: HashCaller) -> Result<oneshot::Receiver<HashPermit>, Full> {
        match caller {
            HashCaller::SignIn(_) | HashCaller::SignedIn(_) => self.people.join(caller),
            HashCaller::NewAccount(_) => self.new_accounts.join(caller),
        }
    }

    fn next(&mut self) -> Option<oneshot::Sender<HashPermit>> {
        let queues = [&mut self.people, &mut self.new_accounts];
        let [first, second] = if self.is_turn_of_new_accounts {
            let [people, new_accounts] = queues;
            [new_accounts, people]
        } else {
            queues
        };
        if let Some(caller) = first.take() {
            self.is_turn_of_new_accounts = !self.is_turn_of_new_accounts;
            return Some(caller);
        }
        second.take()
    }
}

/// Waiting callers, in the order in which they came.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Who got the last permits, the latest one at the end.
    served: VecDeque<HashCaller>,
}

#[derive(Debug)]
struct Waiting {
    caller: HashCaller,
    turn: oneshot::Sender<HashPermit>,
}

impl Queue {
    fn join(&mut self, caller: HashCaller) -> Result<oneshot::Receiver<HashPermit>, Full> {
        self.waiting.retain(|waiting| !waiting.turn.is_closed());
        if self.waiting.len() >= MAX_WAITING {
            let place = self.place_for(caller).ok_or(Full)?;
            self.waiting.remove(place);
        }
        let (turn, receiver) = oneshot::channel();
        self.waiting.push_back(Waiting { caller, turn });
        Ok(receiver)
    }

    /// The newest caller of the network with the most callers, if the other network has fewer even
    /// after taking that place.
    fn place_for(&self, caller: HashCaller) -> Option<usize> {
        let newest = self.waiting.iter().enumerate();
        let (place, most) = newest.max_by_key(|(_, waiting)| self.count(waiting.caller))?;
        (self.count(caller) + 1 < self.count(most.caller)).then_some(place)
    }

    fn count(&self, caller: HashCaller) -> usize {
        let callers = self.waiting.iter();
        callers.filter(|waiting| waiting.caller == caller).count()
    }

    /// Takes the first caller of the network that had its turn longest ago.
    fn take(&mut self) -> Option<oneshot::Sender<HashPermit>> {
        self.waiting.retain(|waiting| !waiting.turn.is_closed());
        let last_turn = |caller| self.served.iter().position(|served| *served == caller);
        let callers = self.waiting.iter().enumerate();
        let (place, _) = callers.min_by_key(|(_, waiting)| last_turn(waiting.caller))?;
        let Waiting { caller, turn } = self.waiting.remove(place)?;
        self.served.retain(|served| *served != caller);
        self.served.push_back(caller);
        if self.served.len() > MAX_WAITING {
            self.served.pop_front();
        }
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    type Acquiring = BoxFuture<'static, Result<HashPermit, Full>>;

    fn network(number: u8) -> Network {
        Network::containing([192, 0, number, 1].into())
    }

    /// A call for a permit that has begun to wait, or has been refused.
    fn call(gate: &Gate, caller: HashCaller) -> Acquiring {
        let gate = gate.clone();
        let mut acquiring = async move { gate.acquire(caller).await }.boxed();
        if let Some(ended) = (&mut acquiring).now_or_never() {
            acquiring = std::future::ready(ended).boxed();
        }
        acquiring
    }

    fn person(gate: &Gate, number: u8) -> Acquiring {
        call(gate, HashCaller::SignIn(network(number)))
    }

    fn new_account(gate: &Gate, number: u8) -> Acquiring {
        call(gate, HashCaller::NewAccount(network(number)))
    }

    fn taken() -> (Gate, HashPermit) {
        let gate = Gate::new(1);
        let permit = gate.acquire(HashCaller::SignIn(network(0)));
        let permit = permit.now_or_never().expect("free").expect("free");
        (gate, permit)
    }

    /// Gives the permit back until no caller gets it. Returns the order in which they got it.
    fn order(permit: HashPermit, mut callers: Vec<(&'static str, Acquiring)>) -> Vec<&'static str> {
        let (mut permit, mut order) = (Some(permit), Vec::new());
        while permit.take().is_some() {
            for (name, acquiring) in &mut callers {
                let Some(ended) = acquiring.now_or_never() else {
                    continue;
                };
                *acquiring = std::future::pending().boxed();
                if let Ok(next) = ended {
                    order.push(*name);
                    permit = Some(next);
                }
            }
        }
        order
    }

    #[test]
    fn people_and_new_accounts_take_turns() {
        let (gate, permit) = taken();
        let callers = vec![
            ("new 1", new_account(&gate, 1)),
            ("new 2", new_account(&gate, 1)),
            ("new 3", new_account(&gate, 1)),
            ("person 1", person(&gate, 1)),
            ("person 2", person(&gate, 1)),
        ];
        let expected = ["person 1", "new 1", "person 2", "new 2", "new 3"];
        assert_eq!(order(permit, callers), expected);
    }

    #[test]
    fn a_full_queue_of_new_accounts_refuses_no_person() {
        let (gate, _permit) = taken();
        let _waiting: Vec<_> = (0..MAX_WAITING).map(|_| new_account(&gate, 1)).collect();
        let refused = new_account(&gate, 1).now_or_never();
        assert!(matches!(refused, Some(Err(Full))));
        assert!(person(&gate, 1).now_or_never().is_none(), "it waits");
    }

    #[test]
    fn networks_take_turns() {
        let (gate, permit) = taken();
        let callers = vec![
            ("a 1", person(&gate, 1)),
            ("a 2", person(&gate, 1)),
            ("a 3", person(&gate, 1)),
            ("b 1", person(&gate, 2)),
            ("c 1", person(&gate, 3)),
            ("b 2", person(&gate, 2)),
        ];
        let expected = ["a 1", "b 1", "c 1", "a 2", "b 2", "a 3"];
        assert_eq!(order(permit, callers), expected);
    }

    #[test]
    fn a_network_with_fewer_callers_displaces_the_newest_of_the_network_with_the_most() {
        let (gate, permit) = taken();
        let mut greedy: Vec<_> = (0..MAX_WAITING).map(|_| person(&gate, 1)).collect();
        let mut others = vec![];
        for number in 0..MAX_WAITING {
            let mut other = person(&gate, 2);
            // Both networks end up with half of the places.
            let is_refused = (&mut other).now_or_never().is_some();
            assert_eq!(is_refused, number >= MAX_WAITING / 2, "{number}");
            others.push(other);
        }
        let is_displaced = |caller: &mut Acquiring| caller.now_or_never().is_some();
        let displaced: Vec<_> = greedy.iter_mut().map(is_displaced).collect();
        let half = MAX_WAITING / 2;
        assert_eq!(displaced, [vec![false; half], vec![true; half]].concat());
        drop(permit);
    }

    #[test]
    fn strangers_do_not_keep_out_the_signed_in_people_of_their_network() {
        let (gate, permit) = taken();
        let strangers = (0..MAX_WAITING).map(|_| ("stranger", person(&gate, 1)));
        let mut callers: Vec<_> = strangers.collect();
        let signed_in = call(&gate, HashCaller::SignedIn(network(1)));
        callers.push(("signed in", signed_in));
        assert_eq!(order(permit, callers)[..2], ["stranger", "signed in"]);
    }

    #[test]
    fn networks_with_one_caller_each_displace_nobody() {
        let (gate, _permit) = taken();
        let most = u8::try_from(MAX_WAITING).expect("few");
        let _waiting: Vec<_> = (1..=most).map(|number| person(&gate, number)).collect();
        let refused = person(&gate, most + 1).now_or_never();
        assert!(matches!(refused, Some(Err(Full))));
    }

    #[test]
    fn a_cancelled_caller_leaves_its_place_and_gets_no_permit() {
        let (gate, permit) = taken();
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| person(&gate, 1)).collect();
        drop(waiting.remove(0));
        let last = person(&gate, 1);
        waiting.clear();
        let callers = vec![("last", last)];
        assert_eq!(order(permit, callers), ["last"]);
        // A permit that was handed over to a caller who was cancelled at that moment.
        let permit = gate.acquire(HashCaller::SignIn(network(1)));
        let permit = permit.now_or_never().expect("free").expect("free");
        let handed_over = person(&gate, 1);
        drop(permit);
        drop(handed_over);
        assert!(matches!(person(&gate, 1).now_or_never(), Some(Ok(_))));
    }
}
