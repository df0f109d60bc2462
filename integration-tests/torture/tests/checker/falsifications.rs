//! False histories: each one is a correct run with a single change.

use std::collections::BTreeMap;
use std::time::Duration;

use api::convert::timestamp;
use api::v1;
use domain::{Action, Actor, Change, Reason, RegistrationState, RequestId, Revision};
use torture::history::{Call, Observation, Operation, SeenRegistration};

use crate::run::{NOW, Run, admin, at, field, has_registration, is_registration, user};

/// What is false, and the change that makes it so.
pub(crate) type Falsification = (&'static str, fn(&mut Run));

pub(crate) const LOG: &[Falsification] = &[
    ("an acknowledged registration is lost", |run| {
        let request = run.operation(is_registration).request;
        let lost = run.index(|entry| entry.request_id == Some(request));
        run.log.truncate(lost);
    }),
    ("an entry is missing", |run| {
        let missing = run.index(|entry| entry.action == Action::Withdraw);
        run.log.remove(missing);
    }),
    ("a request is decided twice", |run| {
        let mut again = run.logged(Action::Withdraw).clone();
        again.revision = Revision::new(run.state.model().revision().get() + 1);
        run.log.push(again);
    }),
    ("no client sent the request", |run| {
        run.logged(Action::Register).request_id = Some(RequestId::random());
    }),
    ("another user registered", |run| {
        run.logged(Action::Register).actor = Actor::User(user("mallory"));
    }),
    ("another organiser removed the user", |run| {
        run.logged(Action::Remove).actor = admin("mallory");
    }),
    ("an organiser gave another reason", |run| {
        run.logged(Action::Remove).reason = Reason::parse("because").expect("a valid reason");
    }),
    ("an organiser did not set over_capacity", |run| {
        let entry = run.index(|entry| entry.options.over_capacity);
        run.log[entry].options.over_capacity = false;
    }),
    ("a change was made before its request", |run| {
        run.logged(Action::Register).at = at(NOW - 10_000);
    }),
    ("a field had another value before", |run| {
        let change = field("venue", "the sea", "hall 1");
        run.logged(Action::Update).change = Change::Competition(vec![change]);
    }),
    ("a field was set to another value", |run| {
        let operation = run.operation(|one| matches!(one.call, Call::Set(..)));
        operation.call = Call::Set("venue", "the sea".to_owned());
    }),
    ("the first user of the waitlist is passed over", |run| {
        let Change::Registration { user_id, .. } = &mut run.logged(Action::Promote).change else {
            return;
        };
        *user_id = user("user-19");
    }),
    ("a promotion is missing", |run| {
        let promotion = run.index(|entry| entry.action == Action::Promote);
        run.log.remove(promotion);
        for entry in &mut run.log[promotion..] {
            entry.revision = Revision::new(entry.revision.get() - 1);
        }
    }),
];

pub(crate) const REGISTRATIONS: &[Falsification] = &[
    ("a result is confirmed, but waitlisted in the log", |run| {
        let seen = run.seen(|one| is_registration(one) && is_waiting(one));
        seen.registration.state = v1::RegistrationState::Confirmed.into();
    }),
    ("a result has another waitlist position", |run| {
        let seen = run.seen(|one| is_registration(one) && is_waiting(one));
        seen.registration.waitlist_position = Some(99);
    }),
    ("a read has a position too far behind", |run| {
        let seen = run.seen(|one| is_read(one) && is_waiting(one));
        let position = seen.registration.waitlist_position;
        seen.registration.waitlist_position = position.map(|position| position + 1);
    }),
    ("a read has a position too far in front", |run| {
        let seen = run.seen(|one| is_read(one) && is_waiting(one));
        seen.registration.waitlist_position = Some(0);
    }),
    ("a read lacks the waitlist position", |run| {
        let seen = run.seen(|one| is_read(one) && is_waiting(one));
        seen.registration.waitlist_position = None;
    }),
    ("a registration was made at another time", |run| {
        run.seen(is_read).registration.created_at = Some(timestamp(at(NOW + 1)));
    }),
    ("a registration was changed at another time", |run| {
        run.seen(is_registration).registration.updated_at = Some(timestamp(at(NOW + 1)));
    }),
    ("a registration belongs to another user", |run| {
        "mallory".clone_into(&mut run.seen(is_registration).registration.user_id);
    }),
    ("a removal has another reason", |run| {
        let is_removal =
            |one: &Operation| matches!(one.call, Call::Remove(_)) && has_registration(one);
        "because".clone_into(&mut run.seen(is_removal).registration.removal_reason);
    }),
    ("another organiser added the user", |run| {
        run.seen(is_read).added_by = Some("mallory".to_owned());
    }),
    ("a repeated request has another result", |run| {
        let seen = run.seen(|one| one.is_repeated);
        seen.registration.state = v1::RegistrationState::Removed.into();
    }),
    ("a preview promises a place that is not free", |run| {
        let seen = run.seen(|one| is_preview(one) && is_waiting(one));
        seen.registration.waitlist_position = None;
        seen.registration.state = v1::RegistrationState::Confirmed.into();
    }),
    ("a preview is applied", |run| {
        let request = run.operation(is_registration).request;
        run.operation(is_preview).request = request;
    }),
    ("a result has another revision", |run| {
        run.seen(is_registration).registration.revision -= 1;
    }),
    ("a result has a revision that does not exist", |run| {
        run.seen(is_registration).registration.revision += 1_000_000;
    }),
    ("a read of a registration is stale", |run| {
        let user = user("user-03");
        let fits = |one: &Operation| one.call.user() == Some(&user) && is_read(one);
        let old = run.operations.iter().find(|one| fits(one));
        let old = old.expect("a read").observed.clone();
        let late = run.operations.iter_mut().rev().find(|one| fits(one));
        late.expect("a later read").observed = old;
    }),
    ("a later request was decided earlier", |run| {
        let operation = run.operation(is_registration);
        operation.started += Duration::from_secs(3_600);
        operation.ended += Duration::from_secs(3_600);
    }),
    ("a deleted account keeps its registration", |run| {
        let registrations = run.state.registrations();
        let mut confirmed = registrations
            .iter()
            .filter(|seen| seen.is_in(RegistrationState::Confirmed));
        let user = confirmed.next().and_then(SeenRegistration::user);
        let user = user.expect("a confirmed user");
        let by = Actor::User(user.clone());
        run.record(
            by,
            Call::Erase(user),
            RequestId::random(),
            Observation::Done,
        );
    }),
];

pub(crate) const REFUSALS: &[Falsification] = &[
    ("a repeated request is refused", |run| {
        refuse(
            run.operation(|one| one.is_repeated),
            "ALREADY_REGISTERED",
            0,
        );
    }),
    ("a refusal has no revision", |run| {
        let Observation::Refused { revision, .. } = &mut run.operation(is_refused).observed else {
            return;
        };
        *revision = None;
    }),
    ("a competition with a free place is full", |run| {
        refuse(run.operation(is_registration), "COMPETITION_FULL", 1);
    }),
    ("a full competition has another number of users", |run| {
        let Observation::Refused { facts, .. } = &mut run.operation(is_full).observed else {
            return;
        };
        facts.insert("confirmed_count".to_owned(), "77".to_owned());
    }),
    ("an open competition is closed", |run| {
        refuse(run.operation(is_full), "REGISTRATION_CLOSED", 0);
    }),
    ("a refused withdrawal is applied", |run| {
        let is_withdrawal =
            |one: &Operation| matches!(one.call, Call::Withdraw(_)) && has_registration(one);
        refuse(run.operation(is_withdrawal), "NOT_REGISTERED", 0);
    }),
    ("a request with NOT_APPLIED is applied", |run| {
        run.operation(is_registration).observed = Observation::NotApplied;
    }),
    ("the server has an internal error", |run| {
        refuse(run.operation(is_refused), "INTERNAL", 0);
    }),
    ("an existing competition does not exist", |run| {
        run.operation(is_refused).observed = Observation::Refused {
            reason: "COMPETITION_NOT_FOUND".to_owned(),
            revision: None,
            facts: BTreeMap::from([("competition_id".to_owned(), "cup".to_owned())]),
        };
    }),
];

pub(crate) const COMPETITIONS_AND_LISTS: &[Falsification] = &[
    ("a count is off by one", |run| {
        seen_competition(run).confirmed_count += 1;
    }),
    ("an etag belongs to another version", |run| {
        "v0".clone_into(&mut seen_competition(run).etag);
    }),
    ("a limit has another value", |run| {
        seen_competition(run).waitlist_capacity = None;
    }),
    ("a user sees a draft", |run| {
        let mut early = run.operation(reads_competition).clone();
        early.observed = run.operations[0].observed.clone();
        early.started = Duration::ZERO;
        run.operations.push(early);
    }),
    ("a read of the competition is stale", |run| {
        let middle = run.operations.len() / 2;
        let old = run.operations.iter().find(|one| reads_competition(one));
        let old = old.expect("a read").observed.clone();
        let late = run.operations[middle..].iter_mut();
        late.filter(|one| reads_competition(one))
            .for_each(|one| one.observed = old.clone());
    }),
    ("a list lacks a user", |run| {
        listed(run).pop();
    }),
    ("a list has another order", |run| listed(run).reverse()),
    ("a list has a user twice", |run| {
        let all = listed(run);
        all.extend(all.last().cloned());
    }),
    ("a list has another state than asked for", |run| {
        let registrations = run.state.registrations().into_iter();
        let mut withdrawn = registrations.filter(|seen| seen.is_in(RegistrationState::Withdrawn));
        run.list();
        let Observation::Registrations(all) =
            &mut run.operations.last_mut().expect("a list").observed
        else {
            return;
        };
        all.extend(withdrawn.next());
        all.sort_by_key(SeenRegistration::revision);
    }),
    ("the list of a user lacks a registration", |run| {
        run.operation(is_read).observed = Observation::Absent;
    }),
    ("the list of competitions lacks the competition", |run| {
        run.operation(reads_competition).observed = Observation::Absent;
    }),
];

/// A list of several registrations.
fn listed(run: &mut Run) -> &mut Vec<SeenRegistration> {
    let is_long =
        |one: &Operation| matches!(&one.observed, Observation::Registrations(all) if all.len() > 1);
    match &mut run.operation(is_long).observed {
        Observation::Registrations(all) => all,
        other => panic!("{other:?} is not a list"),
    }
}

/// A competition that a client read.
fn seen_competition(run: &mut Run) -> &mut v1::Competition {
    match &mut run.operation(reads_competition).observed {
        Observation::Competition(seen) => seen,
        other => panic!("{other:?} is not a competition"),
    }
}

fn reads_competition(operation: &Operation) -> bool {
    operation.call == Call::ReadCompetition
}

fn is_read(operation: &Operation) -> bool {
    matches!(operation.call, Call::ReadRegistration(_)) && has_registration(operation)
}

fn is_preview(operation: &Operation) -> bool {
    matches!(operation.call, Call::Preview(_)) && has_registration(operation)
}

fn is_waiting(operation: &Operation) -> bool {
    matches!(&operation.observed, Observation::Registration(seen)
        if seen.registration.waitlist_position.is_some())
}

fn is_refused(operation: &Operation) -> bool {
    matches!(operation.observed, Observation::Refused { .. })
}

fn is_full(operation: &Operation) -> bool {
    matches!(&operation.observed, Observation::Refused { reason, .. }
        if reason == "COMPETITION_FULL")
}

/// Refuses an operation at `earlier` revisions before the one that it has.
fn refuse(operation: &mut Operation, reason: &str, earlier: u64) {
    let revision = operation.revision().expect("a revision").get();
    operation.observed = Observation::Refused {
        reason: reason.to_owned(),
        revision: Some(Revision::new(revision - earlier)),
        facts: BTreeMap::from([("competition_id".to_owned(), "cup".to_owned())]),
    };
}
