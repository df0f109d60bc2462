use super::*;
use crate::audit::Actor;
use crate::text::Reason;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a moment")
}

fn user(n: u8) -> UserId {
    UserId::parse(format!("user-{n}")).expect("an id")
}

fn field(name: &str, after: &str) -> FieldChange {
    FieldChange {
        field: name.into(),
        before: String::new(),
        after: after.into(),
    }
}

/// A published competition with one place, open from 10 to 20, that starts at 30.
fn published() -> Model {
    let mut model = Model::default();
    let fields = vec![
        field("starts_at", "30"),
        field("registration_opens_at", "10"),
        field("registration_closes_at", "20"),
        field("capacity", "1"),
    ];
    apply(&mut model, Action::Create, Change::Competition(fields)).expect("created");
    apply(&mut model, Action::Publish, Change::Competition(Vec::new())).expect("published");
    model
}

fn apply(model: &mut Model, action: Action, change: Change) -> Result<(), Violation> {
    model.apply(&entry(model, 15, action, change))
}

fn entry(model: &Model, millis: i64, action: Action, change: Change) -> AuditEntry {
    AuditEntry {
        revision: Revision::new(model.revision().get() + 1),
        at: at(millis),
        actor: Actor::Rules,
        action,
        change,
        request_id: None,
        options: AddOptions::default(),
        reason: Reason::parse("").expect("a reason"),
    }
}

fn moved(
    user: UserId,
    before: Option<RegistrationState>,
    after: RegistrationState,
    position: Option<u32>,
) -> Change {
    Change::Registration {
        user_id: user,
        before,
        after,
        waitlist_position: position,
    }
}

use RegistrationState::{Confirmed, Waitlisted, Withdrawn};

/// `published` with user 1 confirmed and users 2 and 3 waiting.
fn with_a_queue() -> Model {
    let mut model = published();
    let entries = [
        moved(user(1), None, Confirmed, None),
        moved(user(2), None, Waitlisted, Some(1)),
        moved(user(3), None, Waitlisted, Some(2)),
    ];
    for entry in entries {
        apply(&mut model, Action::Register, entry).expect("a good entry");
    }
    model
}

#[test]
fn a_confirmation_beyond_the_capacity_is_a_violation() {
    let mut model = with_a_queue();
    let over = moved(user(4), None, Confirmed, None);
    assert!(apply(&mut model, Action::Register, over).is_err());
}

#[test]
fn a_place_that_becomes_free_must_go_to_the_first_in_the_queue_at_once() {
    let mut model = with_a_queue();
    let leave = moved(user(1), Some(Confirmed), Withdrawn, None);
    apply(&mut model, Action::Withdraw, leave).expect("a withdrawal");

    let newcomer = moved(user(4), None, Waitlisted, Some(3));
    assert!(apply(&mut model.clone(), Action::Register, newcomer).is_err());
    let second = moved(user(3), Some(Waitlisted), Confirmed, None);
    assert!(apply(&mut model.clone(), Action::Promote, second).is_err());
    let first = moved(user(2), Some(Waitlisted), Confirmed, None);
    assert!(apply(&mut model, Action::Promote, first).is_ok());
}

#[test]
fn nobody_is_promoted_to_a_place_that_is_taken() {
    let mut model = with_a_queue();
    let first = moved(user(2), Some(Waitlisted), Confirmed, None);
    assert!(apply(&mut model, Action::Promote, first).is_err());
}

#[test]
fn a_gap_in_the_log_is_a_violation() {
    let mut model = published();
    model.revision = Revision::new(7);
    let entry = moved(user(1), None, Confirmed, None);
    let mut late = model.clone();
    late.revision = Revision::new(8);
    assert!(apply(&mut model, Action::Register, entry.clone()).is_ok());
    let skipped = AuditEntry {
        revision: Revision::new(20),
        at: at(15),
        actor: Actor::Rules,
        action: Action::Register,
        change: entry,
        request_id: None,
        options: AddOptions::default(),
        reason: Reason::parse("").expect("a reason"),
    };
    assert!(late.apply(&skipped).is_err());
}

#[test]
fn an_attempt_depends_on_the_window_and_on_the_past() {
    let mut model = with_a_queue();
    let register =
        |model: &Model, number, millis| model.enter(&user(number), at(millis), Attempt::Register);
    assert_eq!(
        register(&model, 4, 9),
        Err(Rejection::RegistrationNotOpenYet { opens_at: at(10) })
    );
    assert_eq!(
        register(&model, 4, 20),
        Err(Rejection::RegistrationClosed { closed_at: at(20) })
    );
    assert_eq!(register(&model, 2, 15), Err(Rejection::AlreadyRegistered));
    let remove = moved(user(3), Some(Waitlisted), RegistrationState::Removed, None);
    apply(&mut model, Action::Remove, remove).expect("a removal");
    assert_eq!(register(&model, 3, 15), Err(Rejection::RemovedByOrganiser));
    let add = Attempt::Add(AddOptions::default());
    assert_eq!(
        model.enter(&user(3), at(15), add),
        Ok(Admission::Waitlisted(2))
    );
}

const IGNORE_WINDOW: AddOptions = AddOptions {
    ignore_window: true,
    over_capacity: false,
};

#[test]
fn after_the_start_an_added_user_gets_a_free_place_or_is_refused() {
    let mut model = with_a_queue();
    let add =
        |model: &Model, millis| model.enter(&user(4), at(millis), Attempt::Add(IGNORE_WINDOW));
    assert_eq!(add(&model, 29), Ok(Admission::Waitlisted(3)));
    assert!(matches!(
        add(&model, 30),
        Err(Rejection::CompetitionFull { .. })
    ));
    let remove = moved(user(1), Some(Confirmed), RegistrationState::Removed, None);
    let removed = entry(&model, 30, Action::Remove, remove);
    model.apply(&removed).expect("a removal");
    assert_eq!(add(&model, 30), Ok(Admission::Confirmed));
}

#[test]
fn only_a_model_of_any_release_lets_an_added_user_wait_after_the_start() {
    let waits = moved(user(4), None, Waitlisted, Some(3));
    let mut strict = with_a_queue();
    let mut waits = entry(&strict, 30, Action::Add, waits);
    waits.options = IGNORE_WINDOW;
    let mut tolerant = Model {
        accepts_earlier_rules: true,
        ..strict.clone()
    };
    assert!(strict.apply(&waits).is_err());
    assert!(tolerant.apply(&waits).is_ok());
}

#[test]
fn only_a_smaller_capacity_below_the_confirmed_is_a_violation() {
    let mut model = published();
    for number in 1..5 {
        let mut over = entry(
            &model,
            15,
            Action::Add,
            moved(user(number), None, Confirmed, None),
        );
        over.options.over_capacity = true;
        model.apply(&over).expect("over capacity");
    }
    let resize = |model: &mut Model, capacity| {
        let fields = vec![field("capacity", capacity)];
        apply(model, Action::Update, Change::Competition(fields))
    };
    resize(&mut model, "3").expect("larger than before");
    assert!(resize(&mut model, "2").is_err(), "smaller than before");
    resize(&mut model, "").expect("no limit");
    assert!(resize(&mut model, "3").is_err(), "smaller than no limit");
    resize(&mut model, "4").expect("four are confirmed");
}
