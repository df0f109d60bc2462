//! A model of the index protocol. The index of a user and the registrations of a competition are in
//! two slots and are written one after the other. The model tries every order of the steps,
//! including services that stop in between: in every reachable state, the index has each
//! registration of the competition. Without any one of its parts the protocol breaks. The competition
//! may refuse a registration; the index entry is then deleted.
//!
//! The protocol assumes that no service pauses for 9 minutes between reading the clock and writing
//! the index ([`LATEST_WRITE`]). A later write could replace a newer entry by one that looks old.

use std::collections::HashSet;

/// A moment. One step of the model stands for 10 s or more; only the order of the limits matters.
type Moment = u8;

/// The competition refuses a registration after this time (30 s in the product).
const DEADLINE: Moment = 1;
/// An index entry is not deleted before this age (10 min in the product).
const GRACE: Moment = 3;
/// A service writes the index at most this long after it has read the clock: the grace minus the
/// deadline.
const LATEST_WRITE: Moment = 1;
/// The last moment. Until then an entry can be written, grow old, and be written again.
const END: Moment = 6;

/// The parts of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The competition refuses a registration after the deadline.
    Deadline,
    /// A new index entry is not deleted.
    Grace,
    /// An index entry is deleted only if it has not changed since it was read.
    Compare,
    /// Each registration replaces the index entry.
    Overwrite,
    /// A withdrawal does not delete the index entry.
    KeepOnWithdraw,
    /// The age of an index entry is measured before the competition is read.
    EarlyAge,
    /// The index is not written after [`LATEST_WRITE`].
    WriteInTime,
    /// A refused registration deletes its index entry only if there was none before.
    OnlyNewEntry,
}

const PARTS: [Part; 8] = [
    Part::Deadline,
    Part::Grace,
    Part::Compare,
    Part::Overwrite,
    Part::KeepOnWithdraw,
    Part::EarlyAge,
    Part::WriteInTime,
    Part::OnlyNewEntry,
];

/// An index entry: the service that wrote it, and its time.
type Entry = (u8, Moment);

/// The progress of an actor. One that stops makes no further step, which is one of the orders.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// Register: the clock is read.
    ClockRead(Moment),
    /// Register: the index is written. Whether there was no entry.
    Indexed(Moment, bool),
    /// Register: the competition has refused, and there was no entry.
    Refused(Entry),
    /// Withdraw: the registration has ended.
    Withdrawn,
    /// Clean: the index entry is read, at this moment.
    EntryRead(Entry, Moment),
    /// Clean: the competition lacks the registration.
    NotRegistered(Entry, Moment),
    Done,
}

#[derive(Clone, Copy)]
enum Role {
    Register,
    Withdraw,
    Clean,
}

/// A request and its repetition, a withdrawal, and two reads that clean the index.
const ACTORS: [Role; 5] = [
    Role::Register,
    Role::Register,
    Role::Withdraw,
    Role::Clean,
    Role::Clean,
];

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    now: Moment,
    index: Option<Entry>,
    is_registered: bool,
    steps: [Step; ACTORS.len()],
}

impl State {
    /// The states after one step of an actor or of the clock.
    fn next(&self, missing: Option<Part>) -> Vec<Self> {
        let mut next = Vec::new();
        if self.now < END {
            let mut later = self.clone();
            later.now += 1;
            next.push(later);
        }
        let actors = (0..).zip(ACTORS);
        next.extend(actors.filter_map(|(actor, role)| self.step(missing, actor, role)));
        next.extend(
            (0..)
                .zip(self.steps)
                .filter_map(|(actor, step)| self.refuse(missing, actor, step)),
        );
        next
    }

    /// The state after the competition has refused a user who is not registered, because it is full
    /// or closed.
    fn refuse(&self, missing: Option<Part>, actor: u8, step: Step) -> Option<Self> {
        let Step::Indexed(clock, is_new) = step else {
            return None;
        };
        let mut state = self.clone();
        state.steps[usize::from(actor)] = if is_new || missing == Some(Part::OnlyNewEntry) {
            Step::Refused((actor, clock))
        } else {
            Step::Done
        };
        (!self.is_registered).then_some(state)
    }

    fn step(&self, missing: Option<Part>, actor: u8, role: Role) -> Option<Self> {
        let has = |part| missing != Some(part);
        let mut state = self.clone();
        let step = match (role, self.steps[usize::from(actor)]) {
            (Role::Register, Step::Idle) => Step::ClockRead(self.now),
            (Role::Register, Step::ClockRead(clock)) => {
                if has(Part::WriteInTime) && self.now > clock + LATEST_WRITE {
                    Step::Done
                } else {
                    if has(Part::Overwrite) || self.index.is_none() {
                        state.index = Some((actor, clock));
                    }
                    Step::Indexed(clock, self.index.is_none())
                }
            }
            (Role::Register, Step::Refused(entry)) => {
                let is_unchanged = !has(Part::Compare) || self.index == Some(entry);
                state.index = self.index.filter(|_| !is_unchanged);
                Step::Done
            }
            (Role::Register, Step::Indexed(clock, _)) => {
                state.is_registered |= !has(Part::Deadline) || self.now <= clock + DEADLINE;
                Step::Done
            }
            (Role::Withdraw, Step::Idle) => {
                state.is_registered = false;
                Step::Withdrawn
            }
            (Role::Withdraw, Step::Withdrawn) => {
                state.index = self.index.filter(|_| has(Part::KeepOnWithdraw));
                Step::Done
            }
            (Role::Clean, Step::Idle) => Step::EntryRead(self.index?, self.now),
            (Role::Clean, Step::EntryRead(..)) if self.is_registered => Step::Done,
            (Role::Clean, Step::EntryRead(entry, at)) => Step::NotRegistered(entry, at),
            (Role::Clean, Step::NotRegistered(entry, read_at)) => {
                let measured_at = if has(Part::EarlyAge) {
                    read_at
                } else {
                    self.now
                };
                let is_old = !has(Part::Grace) || entry.1 + GRACE <= measured_at;
                let is_unchanged = !has(Part::Compare) || self.index == Some(entry);
                state.index = self.index.filter(|_| !(is_old && is_unchanged));
                Step::Done
            }
            _ => return None,
        };
        state.steps[usize::from(actor)] = step;
        Some(state)
    }

    fn is_valid(&self) -> bool {
        !self.is_registered || self.index.is_some()
    }
}

/// Explores all states. Returns their number, or `None` if one is invalid.
fn explore(missing: Option<Part>) -> Option<usize> {
    let start = State {
        now: 0,
        index: None,
        is_registered: false,
        steps: [Step::Idle; ACTORS.len()],
    };
    let mut known = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if !state.is_valid() {
            return None;
        }
        for next in state.next(missing) {
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    Some(known.len())
}

#[test]
fn the_index_has_every_registration_in_every_order_of_steps() {
    let states = explore(None);
    println!("{states:?} states");
    assert!(states > Some(10_000), "too few states: {states:?}");
}

#[test]
fn every_part_of_the_protocol_is_needed() {
    for part in PARTS {
        assert!(explore(Some(part)).is_none(), "not needed: {part:?}");
    }
}
