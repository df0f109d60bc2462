//! The checker on histories that were made up: it believes the true ones, and none of the false ones.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::time::Duration;

use domain::model::{Door, Model, Place};
use domain::{
    Action, Actor, AdminId, AuditEntry, Change, CompetitionId, FieldChange, Reason,
    RegistrationState, RequestId, Revision, Timestamp, UserId,
};
use nix::time::{ClockId, clock_gettime};
use torture::checker::{Logs, Problem, check};
use torture::history::{Answer, Call, History, Operation};
use torture::random::Random;

const NOW: i64 = 1_800_000_000_000;

/// A run in which everything went right, one operation after the other.
struct Run {
    id: CompetitionId,
    model: Model,
    log: Vec<AuditEntry>,
    operations: Vec<Operation>,
    random: Random,
}

impl Run {
    fn new(operations: usize) -> Self {
        let mut run = Self {
            id: CompetitionId::parse("cup").expect("an id"),
            model: Model::default(),
            log: Vec::new(),
            operations: Vec::new(),
            random: Random::new(7),
        };
        let limits = [
            ("starts_at", (NOW * 2).to_string()),
            ("registration_opens_at", "0".to_owned()),
            ("registration_closes_at", (NOW * 2).to_string()),
            ("capacity", "5".to_owned()),
            ("waitlist_capacity", "4".to_owned()),
        ];
        let limits = limits.map(|(field, after)| FieldChange {
            field: field.to_owned(),
            before: String::new(),
            after,
        });
        run.change(Action::Create, limits.to_vec());
        run.change(Action::Publish, Vec::new());
        while run.operations.len() < operations {
            let user = run.random.within(0..20);
            let user = UserId::parse(format!("user-{user}")).expect("an id");
            match run.random.within(0..4) {
                0 | 1 => run.register(user),
                2 => run.withdraw(user),
                _ => run.read(user),
            }
        }
        run
    }

    fn change(&mut self, action: Action, fields: Vec<FieldChange>) {
        let request = RequestId::random();
        let admin = Actor::Admin(AdminId::parse("olga").expect("an id"));
        self.append(admin, action, Change::Competition(fields), Some(request));
        let answer = self.competition();
        self.told(Call::Change(action), request, answer);
    }

    fn register(&mut self, user: UserId) {
        let request = RequestId::random();
        let at = Timestamp::from_millis(NOW).expect("a moment");
        let answer = match self.model.enter(&user, at, Door::default()) {
            Ok(place) => {
                let (after, position) = match place {
                    Place::Confirmed => (RegistrationState::Confirmed, None),
                    Place::Waitlisted(n) => (RegistrationState::Waitlisted, u32::try_from(n).ok()),
                };
                self.moved(Action::Register, &user, after, position, Some(request))
            }
            Err(why) => {
                let reason = format!("{why:?}");
                let reason = match reason.as_str() {
                    "AlreadyRegistered" => "ALREADY_REGISTERED",
                    "Full" => "COMPETITION_FULL",
                    other => panic!("nobody is refused with {other} here"),
                };
                self.refused(reason)
            }
        };
        self.told(Call::Register(user), request, answer);
    }

    fn withdraw(&mut self, user: UserId) {
        let request = RequestId::random();
        let state = self.model.registration(&user);
        let answer = if state.is_some_and(RegistrationState::is_current) {
            let after = RegistrationState::Withdrawn;
            let answer = self.moved(Action::Withdraw, &user, after, None, Some(request));
            let at = Timestamp::from_millis(NOW).expect("a moment");
            if self.model.owes_a_promotion(at) {
                let first = self.model.queue().next().expect("one who waits").clone();
                let after = RegistrationState::Confirmed;
                self.moved(Action::Promote, &first, after, None, None);
            }
            answer
        } else {
            self.refused("NOT_REGISTERED")
        };
        self.told(Call::Withdraw(user), request, answer);
    }

    fn read(&mut self, user: UserId) {
        let last = self.log.iter().rev().find_map(|entry| match &entry.change {
            Change::Registration { user_id, after, .. } if *user_id == user => {
                Some((entry.revision, *after))
            }
            _ => None,
        });
        let answer = match last {
            Some((revision, state)) => Answer::Registration {
                state,
                revision,
                position: None,
            },
            None => self.refused("NOT_REGISTERED"),
        };
        self.told(Call::ReadRegistration(user), RequestId::random(), answer);
        let answer = self.competition();
        self.told(Call::ReadCompetition, RequestId::random(), answer);
    }

    fn moved(
        &mut self,
        action: Action,
        user: &UserId,
        after: RegistrationState,
        position: Option<u32>,
        request: Option<RequestId>,
    ) -> Answer {
        let change = Change::Registration {
            user_id: user.clone(),
            before: self.model.registration(user),
            after,
            waitlist_position: position,
        };
        let actor = if request.is_some() {
            Actor::User(user.clone())
        } else {
            Actor::Rules
        };
        self.append(actor, action, change, request);
        Answer::Registration {
            state: after,
            revision: self.model.revision(),
            position,
        }
    }

    fn append(&mut self, actor: Actor, action: Action, change: Change, request: Option<RequestId>) {
        let entry = AuditEntry {
            revision: Revision(self.model.revision().0 + 1),
            at: Timestamp::from_millis(NOW).expect("a moment"),
            actor,
            action,
            change,
            request_id: request,
            reason: Reason::parse("").expect("a reason"),
        };
        self.model.apply(&entry).expect("a good entry");
        self.log.push(entry);
    }

    fn competition(&self) -> Answer {
        Answer::Competition {
            revision: self.model.revision(),
            confirmed: self.model.confirmed_count(),
            waitlisted: self.model.waitlisted_count(),
        }
    }

    fn refused(&self, reason: &str) -> Answer {
        Answer::Refused {
            reason: reason.to_owned(),
            revision: Some(self.model.revision()),
        }
    }

    fn told(&mut self, call: Call, request: RequestId, answer: Answer) {
        let started = Duration::from_micros(10 * self.operations.len() as u64);
        self.operations.push(Operation {
            competition: self.id.clone(),
            request,
            call,
            started,
            ended: started + Duration::from_micros(5),
            was_lost: false,
            answer,
        });
    }

    fn check(&self) -> Vec<Problem> {
        let history = History {
            began_at: Timestamp::from_millis(NOW).expect("a moment"),
            operations: self.operations.clone(),
        };
        check(&history, &Logs::from([(self.id.clone(), self.log.clone())]))
    }

    /// Some operation in the middle of the run that fits.
    fn some(&mut self, fits: impl Fn(&Operation) -> bool) -> &mut Operation {
        let middle = self.operations.len() / 2;
        let mut later = self.operations[middle..].iter_mut();
        later
            .find(|operation| fits(operation))
            .expect("one that fits")
    }

    /// Some entry in the middle of the log that fits: where it stands.
    fn entry(&self, fits: impl Fn(&AuditEntry) -> bool) -> usize {
        let middle = self.log.len() / 2;
        let found = self.log[middle..].iter().position(fits);
        middle + found.expect("one that fits")
    }
}

fn is_registered(operation: &Operation) -> bool {
    matches!(operation.call, Call::Register(_))
        && matches!(operation.answer, Answer::Registration { .. })
}

fn set_revision(answer: &mut Answer, by: impl Fn(u64) -> u64) {
    match answer {
        Answer::Registration { revision, .. }
        | Answer::Competition { revision, .. }
        | Answer::Refused {
            revision: Some(revision),
            ..
        } => *revision = Revision(by(revision.0)),
        other => panic!("{other:?} names no revision"),
    }
}

#[test]
fn a_true_history_is_believed() {
    assert_eq!(Run::new(5_000).check(), []);
}

/// What is false, and how a true run becomes so.
type Lie = (&'static str, fn(&mut Run));

const LIES: &[Lie] = &[
    ("an acknowledged registration is lost", |run| {
        let request = run.some(is_registered).request;
        let lost = run.entry(|entry| entry.request_id == Some(request));
        run.log.truncate(lost);
    }),
    ("an entry is missing", |run| {
        let missing = run.entry(|entry| entry.action == Action::Withdraw);
        run.log.remove(missing);
    }),
    ("a request is decided twice", |run| {
        let mut again = run.log[run.entry(|entry| entry.action == Action::Withdraw)].clone();
        again.revision = Revision(run.model.revision().0 + 1);
        run.log.push(again);
    }),
    ("nobody asked", |run| {
        let entry = run.entry(|entry| entry.action == Action::Register);
        run.log[entry].request_id = Some(RequestId::random());
    }),
    ("somebody else did it", |run| {
        let entry = run.entry(|entry| entry.action == Action::Register);
        run.log[entry].actor = Actor::User(UserId::parse("mallory").expect("an id"));
    }),
    (
        "an answer says confirmed where the log says waitlisted",
        |run| {
            let lie = run.some(|operation| {
                matches!(
                    &operation.answer,
                    Answer::Registration {
                        position: Some(_),
                        ..
                    }
                )
            });
            let Answer::Registration { state, .. } = &mut lie.answer else {
                return;
            };
            *state = RegistrationState::Confirmed;
        },
    ),
    ("an answer has another place in the queue", |run| {
        let lie = run.some(|operation| {
            matches!(
                &operation.answer,
                Answer::Registration {
                    position: Some(_),
                    ..
                }
            )
        });
        let Answer::Registration { position, .. } = &mut lie.answer else {
            return;
        };
        *position = Some(99);
    }),
    ("a change names another revision", |run| {
        set_revision(&mut run.some(is_registered).answer, |revision| revision - 1);
    }),
    ("a revision is told that there is not", |run| {
        set_revision(&mut run.some(is_registered).answer, |revision| {
            revision + 1_000_000
        });
    }),
    ("a refusal has no revision", |run| {
        run.some(|operation| matches!(operation.answer, Answer::Refused { .. }))
            .answer = Answer::Refused {
            reason: "COMPETITION_FULL".to_owned(),
            revision: None,
        };
    }),
    ("full, though it is not", |run| {
        let told = run.some(is_registered);
        let revision = told
            .answer
            .revision()
            .map(|revision| Revision(revision.0 - 1));
        let reason = "COMPETITION_FULL".to_owned();
        told.answer = Answer::Refused { reason, revision };
    }),
    ("refused, and done all the same", |run| {
        let told = run.some(|operation| {
            matches!(operation.call, Call::Withdraw(_))
                && matches!(operation.answer, Answer::Registration { .. })
        });
        let revision = told.answer.revision();
        let reason = "NOT_REGISTERED".to_owned();
        told.answer = Answer::Refused { reason, revision };
    }),
    ("not applied, and done all the same", |run| {
        run.some(is_registered).answer = Answer::NotApplied;
    }),
    ("a fault of the server", |run| {
        let told = run.some(|operation| matches!(operation.answer, Answer::Refused { .. }));
        let revision = told.answer.revision();
        let reason = "INTERNAL".to_owned();
        told.answer = Answer::Refused { reason, revision };
    }),
    ("a count is off by one", |run| {
        let told = run.some(|operation| operation.call == Call::ReadCompetition);
        let Answer::Competition { confirmed, .. } = &mut told.answer else {
            return;
        };
        *confirmed += 1;
    }),
    ("a read of the competition is stale", |run| {
        let middle = run.operations.len() / 2;
        let reads = |operation: &&Operation| operation.call == Call::ReadCompetition;
        let old = run
            .operations
            .iter()
            .find(reads)
            .expect("a read")
            .answer
            .clone();
        let late = run.operations[middle..].iter_mut();
        late.filter(|operation| operation.call == Call::ReadCompetition)
            .for_each(|operation| operation.answer = old.clone());
    }),
    ("a read of a registration is stale", |run| {
        let user = UserId::parse("user-3").expect("an id");
        let is_read = |operation: &Operation| {
            operation.call == Call::ReadRegistration(user.clone())
                && matches!(operation.answer, Answer::Registration { .. })
        };
        let old = run.operations.iter().find(|operation| is_read(operation));
        let old = old.expect("a read").answer.clone();
        let late = run.operations.iter_mut().rev();
        let mut late = late.filter(|operation| is_read(operation));
        late.next().expect("a later read").answer = old;
    }),
    ("who came later was decided earlier", |run| {
        let told = run.some(is_registered);
        told.started += Duration::from_secs(3_600);
        told.ended += Duration::from_secs(3_600);
    }),
    ("who waits first is passed over", |run| {
        let promotion = run.entry(|entry| entry.action == Action::Promote);
        let Change::Registration { user_id, .. } = &mut run.log[promotion].change else {
            return;
        };
        *user_id = UserId::parse("user-19").expect("an id");
    }),
    ("a promotion is missing", |run| {
        let promotion = run.entry(|entry| entry.action == Action::Promote);
        run.log.remove(promotion);
        for entry in &mut run.log[promotion..] {
            entry.revision = Revision(entry.revision.0 - 1);
        }
    }),
];

#[test]
fn no_lie_is_believed() {
    for (lie, tell) in LIES {
        let mut run = Run::new(2_000);
        tell(&mut run);
        assert!(!run.check().is_empty(), "this was believed: {lie}");
    }
}

#[test]
fn a_hundred_thousand_true_operations_are_believed() {
    let run = Run::new(100_000);
    let began = thread_time();
    assert_eq!(run.check(), []);
    let micros = thread_time().saturating_sub(began).as_micros() / run.operations.len() as u128;
    println!("{micros} us an operation; at most 20 are wanted");
}

/// What this thread has worked: other work on the machine does not count.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.expect("a clock").into()
}
