//! The model accepts exactly the log entries that the rules allow, in any order of events.
//!
//! A reference implements the rules in the simplest way, on two lists. The model must apply each
//! entry that the reference produces, and must refuse the same entry with any relevant field
//! changed.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;

use domain::RegistrationState::{Confirmed, Removed, Waitlisted, Withdrawn};
use domain::model::{Attempt, Model};
use domain::{
    Action, Actor, AddOptions, AuditEntry, Change, FieldChange, Reason, RegistrationState,
    Revision, Timestamp, UserId,
};
use proptest::prelude::*;

const OPENS: i64 = 10;
const CLOSES: i64 = 20;
const STARTS: i64 = 30;

#[derive(Debug, Clone, Copy)]
enum Trial {
    Register,
    Add(AddOptions),
    Withdraw,
    Remove,
    Resize(Option<usize>),
    Cancel,
}

fn trial() -> impl Strategy<Value = Trial> {
    prop_oneof![
        6 => Just(Trial::Register),
        4 => addition(),
        3 => Just(Trial::Withdraw),
        1 => Just(Trial::Remove),
        2 => prop::option::of(1..6_usize).prop_map(Trial::Resize),
        1 => Just(Trial::Cancel),
    ]
}

fn addition() -> impl Strategy<Value = Trial> {
    any::<(bool, bool)>().prop_map(|(ignore_window, over_capacity)| {
        Trial::Add(AddOptions {
            ignore_window,
            over_capacity,
        })
    })
}

/// A sequence of events, each with a user and a time. Times never decrease.
fn events() -> impl Strategy<Value = Vec<(Trial, usize, i64)>> {
    let one = (trial(), 0..8_usize, 0..40_i64);
    prop::collection::vec(one, 1..150).prop_map(|mut events| {
        let mut times: Vec<_> = events.iter().map(|one| one.2 * 33 / 40 + 5).collect();
        times.sort_unstable();
        for (one, at) in events.iter_mut().zip(times) {
            one.2 = at;
        }
        events
    })
}

#[derive(Debug)]
struct Reference {
    capacity: Option<usize>,
    waitlist_capacity: Option<usize>,
    cancelled: bool,
    confirmed: Vec<UserId>,
    queue: Vec<UserId>,
    past: BTreeMap<String, RegistrationState>,
}

impl Reference {
    fn was(&self, user: &UserId) -> Option<RegistrationState> {
        if self.confirmed.contains(user) {
            Some(Confirmed)
        } else if self.queue.contains(user) {
            Some(Waitlisted)
        } else {
            self.past.get(user.as_str()).copied()
        }
    }

    fn room(&self) -> bool {
        self.capacity
            .is_none_or(|places| self.confirmed.len() < places)
    }

    fn owes(&self, at: i64) -> bool {
        !self.cancelled && at < STARTS && !self.queue.is_empty() && self.room()
    }

    /// Performs the event if the rules allow it, and returns what the log entry must hold.
    fn attempt(
        &mut self,
        event: Trial,
        user: &UserId,
        at: i64,
    ) -> Option<(Action, Change, AddOptions)> {
        let before = self.was(user);
        let is_current = before.is_some_and(RegistrationState::is_current);
        let registration = |after, waitlist_position| Change::Registration {
            user_id: user.clone(),
            before,
            after,
            waitlist_position,
        };
        match event {
            Trial::Register | Trial::Add(_) => {
                let (action, options) = match event {
                    Trial::Add(options) => (Action::Add, options),
                    _ => (Action::Register, AddOptions::default()),
                };
                let by_organiser = action == Action::Add;
                let in_time = options.ignore_window || (OPENS..CLOSES).contains(&at);
                let banned = before == Some(Removed) && !by_organiser;
                if is_current || self.cancelled || banned || !in_time {
                    return None;
                }
                let passes_nobody = self.queue.is_empty() || at >= STARTS;
                if options.over_capacity || (passes_nobody && self.room()) {
                    self.past.remove(user.as_str());
                    self.confirmed.push(user.clone());
                    return Some((action, registration(Confirmed, None), options));
                }
                let is_full = self
                    .waitlist_capacity
                    .is_some_and(|most| self.queue.len() >= most);
                if is_full || at >= STARTS {
                    return None;
                }
                self.past.remove(user.as_str());
                self.queue.push(user.clone());
                let position = u32::try_from(self.queue.len()).ok();
                Some((action, registration(Waitlisted, position), options))
            }
            Trial::Withdraw | Trial::Remove => {
                let (action, after) = match event {
                    Trial::Withdraw => (Action::Withdraw, Withdrawn),
                    _ => (Action::Remove, Removed),
                };
                if !is_current {
                    return None;
                }
                self.confirmed.retain(|one| one != user);
                self.queue.retain(|one| one != user);
                self.past.insert(user.to_string(), after);
                Some((action, registration(after, None), AddOptions::default()))
            }
            Trial::Resize(capacity) => {
                let fits = capacity.is_none_or(|places| places >= self.confirmed.len());
                let grows = match (self.capacity, capacity) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(before), Some(after)) => after >= before,
                };
                if self.cancelled || !(fits || grows) {
                    return None;
                }
                self.capacity = capacity;
                let field = field("capacity", capacity);
                Some((
                    Action::Update,
                    Change::Competition(vec![field]),
                    AddOptions::default(),
                ))
            }
            Trial::Cancel => {
                // Cancel rarely, because nothing happens afterwards.
                if self.cancelled || *user != self::user(0) {
                    return None;
                }
                self.cancelled = true;
                Some((
                    Action::Cancel,
                    Change::Competition(Vec::new()),
                    AddOptions::default(),
                ))
            }
        }
    }

    fn promote(&mut self) -> Change {
        let user_id = self.queue.remove(0);
        self.confirmed.push(user_id.clone());
        Change::Registration {
            user_id,
            before: Some(Waitlisted),
            after: Confirmed,
            waitlist_position: None,
        }
    }
}

fn field(name: &str, value: Option<impl ToString>) -> FieldChange {
    FieldChange {
        field: name.to_owned(),
        before: String::new(),
        after: value.map(|value| value.to_string()).unwrap_or_default(),
    }
}

fn user(number: usize) -> UserId {
    UserId::parse(format!("user-{number}")).expect("an id")
}

fn moment(at: i64) -> Timestamp {
    Timestamp::from_millis(at).expect("a moment")
}

fn entry(
    model: &Model,
    action: Action,
    change: Change,
    at: i64,
    options: AddOptions,
) -> AuditEntry {
    AuditEntry {
        revision: Revision::new(model.revision().get() + 1),
        at: moment(at),
        actor: Actor::Rules,
        action,
        change,
        request_id: None,
        options,
        reason: Reason::parse("").expect("a reason"),
    }
}

/// Returns copies of the entry that each differ in one relevant field.
fn forgeries(good: &AuditEntry) -> Vec<AuditEntry> {
    let mut forged = vec![
        AuditEntry {
            revision: Revision::new(good.revision.get() + 1),
            ..good.clone()
        },
        AuditEntry {
            revision: Revision::new(good.revision.get() - 1),
            ..good.clone()
        },
        AuditEntry {
            action: Action::Create,
            ..good.clone()
        },
        AuditEntry {
            action: Action::Delete,
            ..good.clone()
        },
    ];
    if let Change::Registration {
        user_id,
        before,
        after,
        waitlist_position,
    } = &good.change
    {
        let mut with = |user_id: &UserId, before, after, waitlist_position| {
            let change = Change::Registration {
                user_id: user_id.clone(),
                before,
                after,
                waitlist_position,
            };
            forged.push(AuditEntry {
                change,
                ..good.clone()
            });
        };
        for other in [
            None,
            Some(Confirmed),
            Some(Waitlisted),
            Some(Withdrawn),
            Some(Removed),
        ] {
            if other != *before {
                with(user_id, other, *after, *waitlist_position);
            }
        }
        for other in [Confirmed, Waitlisted, Withdrawn, Removed] {
            if other != *after {
                let position = (other == Waitlisted).then_some(1);
                with(user_id, *before, other, position);
            }
        }
        if let Some(position) = waitlist_position {
            with(user_id, *before, *after, Some(position + 1));
            with(user_id, *before, *after, None);
        }
    }
    forged
}

/// Applies a valid entry, after checking that every forgery of it is refused.
fn apply(model: &mut Model, entry: &AuditEntry) -> Result<(), TestCaseError> {
    for forged in forgeries(entry) {
        let (mut other, before) = (model.clone(), format!("{model:?}"));
        prop_assert!(other.apply(&forged).is_err(), "{:?} was applied", forged);
        // Comparable, because the HashMap of a clone iterates in the same order.
        prop_assert_eq!(
            format!("{:?}", other),
            before,
            "a refused entry changed the model"
        );
    }
    let taken = model.apply(entry);
    prop_assert!(taken.is_ok(), "{:?} was refused: {:?}", entry, taken);
    Ok(())
}

fn published(capacity: Option<usize>, waitlist_capacity: Option<usize>) -> Model {
    let mut model = Model::default();
    let fields = vec![
        field("starts_at", Some(STARTS)),
        field("registration_opens_at", Some(OPENS)),
        field("registration_closes_at", Some(CLOSES)),
        field("capacity", capacity),
        field("waitlist_capacity", waitlist_capacity),
    ];
    for (action, fields) in [(Action::Create, fields), (Action::Publish, Vec::new())] {
        let entry = entry(
            &model,
            action,
            Change::Competition(fields),
            1,
            AddOptions::default(),
        );
        model.apply(&entry).expect("a valid entry");
    }
    model
}

/// Replays the events through the reference, and its log entries through the model.
fn check(
    capacity: Option<usize>,
    waitlist_capacity: Option<usize>,
    events: Vec<(Trial, usize, i64)>,
) -> Result<(), TestCaseError> {
    let mut model = published(capacity, waitlist_capacity);
    let mut reference = Reference {
        capacity,
        waitlist_capacity,
        cancelled: false,
        confirmed: Vec::new(),
        queue: Vec::new(),
        past: BTreeMap::new(),
    };
    let mut over_capacity_used = false;
    for (event, number, at) in events {
        let user = user(number);
        let predicted = match event {
            Trial::Register => Some(model.enter(&user, moment(at), Attempt::Register).is_ok()),
            _ => None,
        };
        let happened = reference.attempt(event, &user, at);
        prop_assert!(
            predicted.is_none_or(|allowed| allowed == happened.is_some()),
            "{:?} by {}",
            event,
            user
        );
        if let Some((action, change, options)) = happened {
            over_capacity_used |= options.over_capacity;
            let next = entry(&model, action, change, at, options);
            apply(&mut model, &next)?;
        }
        while reference.owes(at) {
            // Rule 2: no other change may come before the promotion.
            prop_assert!(model.owes_a_promotion(moment(at)));
            let second = reference.queue.get(1).cloned();
            let next = reference.promote();
            if let Some(user_id) = second {
                let (before, after) = (Some(Waitlisted), Confirmed);
                let jump = Change::Registration {
                    user_id,
                    before,
                    after,
                    waitlist_position: None,
                };
                prop_assert!(
                    model
                        .clone()
                        .apply(&entry(
                            &model,
                            Action::Promote,
                            jump,
                            at,
                            AddOptions::default()
                        ))
                        .is_err()
                );
            }
            let next = entry(&model, Action::Promote, next, at, AddOptions::default());
            apply(&mut model, &next)?;
        }
        // Rules 1, 2 and 3.
        let over = reference
            .capacity
            .is_some_and(|places| model.confirmed_count() > places);
        prop_assert!(
            !over || over_capacity_used,
            "more are confirmed than there are places"
        );
        prop_assert!(!model.owes_a_promotion(moment(at)));
        prop_assert_eq!(model.confirmed_count(), reference.confirmed.len());
        prop_assert!(
            model.queue().eq(reference.queue.iter()),
            "the queue is out of order"
        );
        for number in 0..8 {
            let user = self::user(number);
            prop_assert_eq!(model.registration(&user), reference.was(&user));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_rules_hold_in_any_order_of_events(
        capacity in prop::option::of(1..4_usize),
        waitlist_capacity in prop::option::of(0..4_usize),
        events in events(),
    ) {
        check(capacity, waitlist_capacity, events)?;
    }

    #[test]
    fn the_window_is_open_from_its_first_moment_to_just_before_its_last(at in 0..40_i64) {
        let model = published(None, None);
        let may_enter = model.enter(&user(1), moment(at), Attempt::Register).is_ok();
        prop_assert_eq!(may_enter, (OPENS..CLOSES).contains(&at));
    }
}
