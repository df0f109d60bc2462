//! How a true run becomes a false one.

use std::collections::BTreeMap;
use std::time::Duration;

use api::convert::timestamp;
use api::v1;
use domain::{Action, Actor, AdminId, Change, Reason, RequestId, Revision, UserId};
use torture::history::{Answer, Call, Held, Operation};

use crate::run::{NOW, Run, at, change, is_done, is_registered};

/// What is false, and how a true run becomes so.
pub(crate) type Lie = (&'static str, fn(&mut Run));

pub(crate) const LIES: &[Lie] = &[
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
        again.revision = Revision::new(run.model.revision().get() + 1);
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
    ("another organiser did it", |run| {
        let entry = run.entry(|entry| entry.action == Action::Remove);
        run.log[entry].actor = Actor::Admin(AdminId::parse("mallory").expect("an id"));
    }),
    ("an organiser gave another reason", |run| {
        let entry = run.entry(|entry| entry.action == Action::Remove);
        run.log[entry].reason = Reason::parse("because").expect("a reason");
    }),
    ("an organiser did not say over_capacity", |run| {
        let entry = run.entry(|entry| entry.options.over_capacity);
        run.log[entry].options.over_capacity = false;
    }),
    ("it was done before it was asked", |run| {
        let entry = run.entry(|entry| entry.action == Action::Register);
        run.log[entry].at = at(NOW - 10_000);
    }),
    ("what a field was before is wrong in the log", |run| {
        let entry = run.entry(|entry| entry.action == Action::Update);
        run.log[entry].change = Change::Competition(vec![change("venue", "the sea", "hall 1")]);
    }),
    ("another value was set", |run| {
        let operation = run.some(|one| matches!(one.call, Call::Set(..)));
        operation.call = Call::Set("venue", "the sea".to_owned());
    }),
    (
        "an answer says confirmed where the log says waitlisted",
        |run| {
            of_registration(
                run.some(|one| is_registered(one) && is_queued(one)),
                |held| {
                    held.registration.state = v1::RegistrationState::Confirmed.into();
                },
            );
        },
    ),
    ("an answer has another place in the queue", |run| {
        of_registration(
            run.some(|one| is_registered(one) && is_queued(one)),
            |held| {
                held.registration.waitlist_position = Some(99);
            },
        );
    }),
    ("a read has a place too far behind", |run| {
        of_registration(run.some(|one| is_read(one) && is_queued(one)), |held| {
            held.registration.waitlist_position =
                held.registration.waitlist_position.map(|place| place + 1);
        });
    }),
    ("a read has a place too far in front", |run| {
        of_registration(run.some(|one| is_read(one) && is_queued(one)), |held| {
            held.registration.waitlist_position = Some(0);
        });
    }),
    ("a read lacks the place in the queue", |run| {
        of_registration(run.some(|one| is_read(one) && is_queued(one)), |held| {
            held.registration.waitlist_position = None;
        });
    }),
    ("a registration is older than it says", |run| {
        of_registration(run.some(is_read), |held| {
            held.registration.created_at = Some(timestamp(at(NOW + 1)));
        });
    }),
    ("a registration was changed at another time", |run| {
        of_registration(run.some(is_registered), |held| {
            held.registration.updated_at = Some(timestamp(at(NOW + 1)));
        });
    }),
    ("a registration is another user's", |run| {
        of_registration(run.some(is_registered), |held| {
            "mallory".clone_into(&mut held.registration.user_id);
        });
    }),
    ("a removal has another reason", |run| {
        let is_removal = |one: &Operation| matches!(one.call, Call::Remove(_)) && is_done(one);
        of_registration(run.some(is_removal), |held| {
            "because".clone_into(&mut held.registration.removal_reason);
        });
    }),
    ("another organiser is said to have added somebody", |run| {
        of_registration(run.some(is_read), |held| {
            held.added_by = Some("mallory".to_owned());
        });
    }),
    ("a repeated request is answered otherwise", |run| {
        of_registration(run.some(|one| one.is_repeated), |held| {
            held.registration.state = v1::RegistrationState::Removed.into();
        });
    }),
    ("a repeated request is refused", |run| {
        refuse(run.some(|one| one.is_repeated), "ALREADY_REGISTERED", 0);
    }),
    ("a preview promises a place that is not free", |run| {
        let is_preview = |one: &Operation| {
            matches!(one.call, Call::Preview(_)) && is_done(one) && is_queued(one)
        };
        of_registration(run.some(is_preview), |held| {
            held.registration.waitlist_position = None;
            held.registration.state = v1::RegistrationState::Confirmed.into();
        });
    }),
    ("a preview is done", |run| {
        let request = run.some(is_registered).request;
        let told = run.some(|one| matches!(one.call, Call::Preview(_)) && is_done(one));
        told.request = request;
    }),
    ("a change names another revision", |run| {
        set_revision(run.some(is_registered), |revision| revision - 1);
    }),
    ("a revision is told that there is not", |run| {
        set_revision(run.some(is_registered), |revision| revision + 1_000_000);
    }),
    ("a refusal has no revision", |run| {
        let told = run.some(|one| matches!(one.answer, Answer::Refused { .. }));
        let Answer::Refused { revision, .. } = &mut told.answer else {
            return;
        };
        *revision = None;
    }),
    ("full, though it is not", |run| {
        refuse(run.some(is_registered), "COMPETITION_FULL", 1);
    }),
    ("full with another number of those who are in", |run| {
        let told = run.some(|one| is_refused_with(one, "COMPETITION_FULL"));
        let Answer::Refused { facts, .. } = &mut told.answer else {
            return;
        };
        facts.insert("confirmed_count".to_owned(), "77".to_owned());
    }),
    ("closed, though it is open", |run| {
        let told = run.some(|one| is_refused_with(one, "COMPETITION_FULL"));
        refuse(told, "REGISTRATION_CLOSED", 0);
    }),
    ("refused, and done all the same", |run| {
        let is_withdrawal = |one: &Operation| matches!(one.call, Call::Withdraw(_)) && is_done(one);
        refuse(run.some(is_withdrawal), "NOT_REGISTERED", 0);
    }),
    ("not applied, and done all the same", |run| {
        run.some(is_registered).answer = Answer::NotApplied;
    }),
    ("a fault of the server", |run| {
        let told = run.some(|one| matches!(one.answer, Answer::Refused { .. }));
        refuse(told, "INTERNAL", 0);
    }),
    ("there is no such competition, and there is one", |run| {
        let told = run.some(|one| matches!(one.answer, Answer::Refused { .. }));
        told.answer = Answer::Refused {
            reason: "COMPETITION_NOT_FOUND".to_owned(),
            revision: None,
            facts: BTreeMap::from([("competition_id".to_owned(), "cup".to_owned())]),
        };
    }),
    ("a count is off by one", |run| {
        of_competition(run, |told| told.confirmed_count += 1);
    }),
    ("an etag is another version's", |run| {
        of_competition(run, |told| "v0".clone_into(&mut told.etag));
    }),
    ("a limit is another one", |run| {
        of_competition(run, |told| told.waitlist_capacity = None);
    }),
    ("a draft is shown to a user", |run| {
        let mut early = run.some(|one| one.call == Call::ReadCompetition).clone();
        early.answer = run.operations[0].answer.clone();
        early.started = Duration::ZERO;
        run.operations.push(early);
    }),
    ("a read of the competition is stale", |run| {
        let middle = run.operations.len() / 2;
        let reads = |one: &&Operation| one.call == Call::ReadCompetition;
        let old = run.operations.iter().find(reads).expect("a read");
        let old = old.answer.clone();
        let late = run.operations[middle..].iter_mut();
        late.filter(|one| one.call == Call::ReadCompetition)
            .for_each(|one| one.answer = old.clone());
    }),
    ("a read of a registration is stale", |run| {
        let user = UserId::parse("user-03").expect("an id");
        let is_read = |one: &Operation| one.call.user() == Some(&user) && is_read(one);
        let old = run.operations.iter().find(|one| is_read(one));
        let old = old.expect("a read").answer.clone();
        let late = run.operations.iter_mut().rev();
        let mut late = late.filter(|one| is_read(one));
        late.next().expect("a later read").answer = old;
    }),
    ("who came later was decided earlier", |run| {
        let told = run.some(is_registered);
        told.started += Duration::from_secs(3_600);
        told.ended += Duration::from_secs(3_600);
    }),
    ("a list lacks somebody", |run| {
        of_list(run, |all| {
            all.pop();
        });
    }),
    ("a list is in another order", |run| {
        of_list(run, |all| all.reverse());
    }),
    ("a list holds somebody twice", |run| {
        of_list(run, |all| all.extend(all.last().cloned()));
    }),
    ("a list holds what was not asked for", |run| {
        let is_out = |held: &&Held| held.registration.state() == v1::RegistrationState::Withdrawn;
        let held = run.held.values().find(is_out).cloned();
        run.list();
        let last = run.operations.last_mut().expect("the list");
        let Answer::Registrations(all) = &mut last.answer else {
            return;
        };
        all.extend(held);
        all.sort_by_key(Held::revision);
    }),
    ("a user's list lacks a registration", |run| {
        run.some(is_read).answer = Answer::Absent;
    }),
    ("the catalogue lacks the competition", |run| {
        run.some(|one| one.call == Call::ReadCompetition).answer = Answer::Absent;
    }),
    ("an account is gone and its registration stands", |run| {
        let is_in = |held: &&Held| held.registration.state() == v1::RegistrationState::Confirmed;
        let held = run.held.values().find(is_in).expect("one who is in");
        let user = UserId::parse(held.registration.user_id.as_str()).expect("an id");
        let by = Actor::User(user.clone());
        run.told(by, Call::Erase(user), RequestId::random(), Answer::Done);
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
            entry.revision = Revision::new(entry.revision.get() - 1);
        }
    }),
];

/// Tells something else of a list in which there are several.
fn of_list(run: &mut Run, lie: impl Fn(&mut Vec<Held>)) {
    let is_long =
        |one: &Operation| matches!(&one.answer, Answer::Registrations(all) if all.len() > 1);
    match &mut run.some(is_long).answer {
        Answer::Registrations(all) => lie(all),
        other => panic!("{other:?} is no list"),
    }
}

fn is_read(operation: &Operation) -> bool {
    matches!(operation.call, Call::ReadRegistration(_)) && is_done(operation)
}

fn is_queued(operation: &Operation) -> bool {
    matches!(&operation.answer, Answer::Registration(held)
        if held.registration.waitlist_position.is_some())
}

fn is_refused_with(operation: &Operation, wanted: &str) -> bool {
    matches!(&operation.answer, Answer::Refused { reason, .. } if reason == wanted)
}

/// Tells something else of a registration.
fn of_registration(operation: &mut Operation, lie: impl Fn(&mut Held)) {
    match &mut operation.answer {
        Answer::Registration(held) => lie(held),
        other => panic!("{other:?} is no registration"),
    }
}

/// Tells something else of a competition that was read.
fn of_competition(run: &mut Run, lie: impl Fn(&mut v1::Competition)) {
    match &mut run.some(|one| one.call == Call::ReadCompetition).answer {
        Answer::Competition(told) => lie(told),
        other => panic!("{other:?} is no competition"),
    }
}

fn set_revision(operation: &mut Operation, by: impl Fn(i64) -> i64) {
    of_registration(operation, |held| {
        held.registration.revision = by(held.registration.revision);
    });
}

fn refuse(operation: &mut Operation, reason: &str, by: u64) {
    let revision = operation.revision().expect("a revision");
    operation.answer = Answer::Refused {
        reason: reason.to_owned(),
        revision: Some(Revision::new(revision.get() - by)),
        facts: BTreeMap::from([("competition_id".to_owned(), "cup".to_owned())]),
    };
}
