//! A user's index and the competition's truth are in two slots, written one after the other. This is the
//! protocol as a model, tried in every order that there is, also with servers that die half way: in every
//! state that can be reached, the index holds what the truth holds. Without any one of its six parts it
//! breaks.
//!
//! It holds as long as no server stands still for 9 minutes between reading the clock and writing the
//! index: [`LATEST_WRITE`]. A later write could replace a newer entry by one that looks old.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::HashSet;

/// A moment. The steps of the model are 10 s of the real thing or more; only what is longer than what
/// counts.
type Moment = u8;

/// After this, the truth refuses a registration (30 s in the real thing).
const DEADLINE: Moment = 1;
/// Before this, an index entry is left alone (10 min in the real thing).
const GRACE: Moment = 3;
/// A server writes the index at most this much after it has read the clock: less than the grace without
/// the deadline.
const LATEST_WRITE: Moment = 1;
/// The last moment: time for an entry to be written, grow old, and be written again.
const END: Moment = 6;

/// The protocol, with parts that can be left out.
#[derive(Clone, Copy)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each part is there or left out"
)]
struct Protocol {
    has_deadline: bool,
    has_grace: bool,
    compares: bool,
    overwrites: bool,
    deletes_on_withdraw: bool,
    /// Whether an entry's age is judged by a time before the truth was read.
    judges_age_first: bool,
    writes_late: bool,
}

const REAL: Protocol = Protocol {
    has_deadline: true,
    has_grace: true,
    compares: true,
    overwrites: true,
    deletes_on_withdraw: false,
    judges_age_first: true,
    writes_late: false,
};

/// An index entry: who wrote it, and the time that it says.
type Entry = (u8, Moment);

/// How far somebody is. Who dies makes no further step, which is one of the orders.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// Registers: has read the clock.
    Clocked(Moment),
    /// Registers: has written the index.
    Indexed(Moment),
    /// Withdraws: is out of the truth, and may have more to do.
    Out,
    /// Cleans: has read the index, at this moment.
    Read(Entry, Moment),
    /// Cleans: has seen that the truth lacks it.
    Absent(Entry, Moment),
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Register,
    Withdraw,
    Clean,
}

/// A request and its repetition, a withdrawal, and two readers that clean up.
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
    /// All states that one step of somebody, or of the clock, leads to.
    fn next(&self, protocol: Protocol) -> Vec<Self> {
        let mut next = Vec::new();
        if self.now < END {
            let mut later = self.clone();
            later.now += 1;
            next.push(later);
        }
        for (actor, role) in (0..).zip(ACTORS) {
            if let Some(stepped) = self.step(protocol, actor, role) {
                next.push(stepped);
            }
        }
        next
    }

    fn step(&self, protocol: Protocol, actor: u8, role: Role) -> Option<Self> {
        let mut state = self.clone();
        let at = usize::from(actor);
        state.steps[at] = match (role, self.steps[at]) {
            (Role::Register, Step::Idle) => Step::Clocked(self.now),
            (Role::Register, Step::Clocked(clock))
                if !protocol.writes_late && self.now > clock + LATEST_WRITE =>
            {
                Step::Done
            }
            (Role::Register, Step::Clocked(clock)) => {
                if protocol.overwrites || self.index.is_none() {
                    state.index = Some((actor, clock));
                }
                Step::Indexed(clock)
            }
            (Role::Register, Step::Indexed(clock)) => {
                if !protocol.has_deadline || self.now <= clock + DEADLINE {
                    state.is_registered = true;
                }
                Step::Done
            }
            (Role::Withdraw, Step::Idle) => {
                state.is_registered = false;
                Step::Out
            }
            (Role::Withdraw, Step::Out) => {
                if protocol.deletes_on_withdraw {
                    state.index = None;
                }
                Step::Done
            }
            (Role::Clean, Step::Idle) => Step::Read(self.index?, self.now),
            (Role::Clean, Step::Read(..)) if self.is_registered => Step::Done,
            (Role::Clean, Step::Read(entry, at)) => Step::Absent(entry, at),
            (Role::Clean, Step::Absent(entry, read_at)) => {
                let judged_at = if protocol.judges_age_first {
                    read_at
                } else {
                    self.now
                };
                let is_old = !protocol.has_grace || entry.1 + GRACE <= judged_at;
                let is_same = !protocol.compares || self.index == Some(entry);
                if is_old && is_same {
                    state.index = None;
                }
                Step::Done
            }
            _ => return None,
        };
        Some(state)
    }

    fn is_good(&self) -> bool {
        !self.is_registered || self.index.is_some()
    }
}

/// Tries everything. Answers how many states there are, and whether all are good.
fn explore(protocol: Protocol) -> (usize, bool) {
    let start = State {
        now: 0,
        index: None,
        is_registered: false,
        steps: [Step::Idle; ACTORS.len()],
    };
    let mut known = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if !state.is_good() {
            return (known.len(), false);
        }
        for next in state.next(protocol) {
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    (known.len(), true)
}

#[test]
fn the_index_holds_what_the_truth_holds_in_every_order_of_steps() {
    let (states, is_good) = explore(REAL);
    println!("{states} states");
    assert!(is_good);
    assert!(states > 10_000, "{states} states are no proof");
}

#[test]
fn every_part_of_the_index_protocol_is_needed() {
    let broken = [
        (
            "the deadline",
            Protocol {
                has_deadline: false,
                ..REAL
            },
        ),
        (
            "the grace",
            Protocol {
                has_grace: false,
                ..REAL
            },
        ),
        (
            "the compare",
            Protocol {
                compares: false,
                ..REAL
            },
        ),
        (
            "the overwrite",
            Protocol {
                overwrites: false,
                ..REAL
            },
        ),
        (
            "no delete on withdraw",
            Protocol {
                deletes_on_withdraw: true,
                ..REAL
            },
        ),
    ];
    let broken = broken.into_iter().chain([
        (
            "the age as of before the truth was read",
            Protocol {
                judges_age_first: false,
                ..REAL
            },
        ),
        (
            "writes in time",
            Protocol {
                writes_late: true,
                ..REAL
            },
        ),
    ]);
    for (part, protocol) in broken {
        assert!(!explore(protocol).1, "it holds without {part}");
    }
}
