//! A run in which everything went right.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use api::convert::timestamp;
use api::v1;
use domain::model::{Admission, Attempt, Model};
use domain::{
    Action, Actor, AddOptions, AdminId, AuditEntry, Change, CompetitionId, FieldChange, Reason,
    RegistrationState, Rejection, RequestId, Revision, Timestamp, UserId,
};
use torture::checker::{Logs, Problem, check};
use torture::history::{Answer, Call, Held, History, Operation};
use torture::random::Random;

pub(crate) const NOW: i64 = 1_800_000_000_000;

/// The options and the reason of a log entry that has neither.
const NO_NOTE: (AddOptions, &str) = (
    AddOptions {
        ignore_window: false,
        over_capacity: false,
    },
    "",
);

/// A run in which everything went right, one operation after the other.
pub(crate) struct Run {
    pub(crate) id: CompetitionId,
    pub(crate) model: Model,
    pub(crate) log: Vec<AuditEntry>,
    /// The registrations as they stand, but for their places in the queue.
    pub(crate) held: HashMap<UserId, Held>,
    /// What an organiser said last of each field, and at which revision of any.
    fields: HashMap<String, String>,
    changed_at: Revision,
    pub(crate) operations: Vec<Operation>,
    random: Random,
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a moment")
}

fn admin() -> Actor {
    Actor::Admin(AdminId::parse("olga").expect("an id"))
}

impl Run {
    pub(crate) fn new(operations: usize) -> Self {
        let mut run = Self {
            id: CompetitionId::parse("cup").expect("an id"),
            model: Model::default(),
            log: Vec::new(),
            held: HashMap::new(),
            fields: HashMap::new(),
            changed_at: Revision::new(0),
            operations: Vec::new(),
            random: Random::new(7),
        };
        let limits = [
            ("title", "Cup".to_owned()),
            ("starts_at", (NOW * 2).to_string()),
            ("ends_at", (NOW * 2 + 1).to_string()),
            ("registration_opens_at", "0".to_owned()),
            ("registration_closes_at", (NOW * 2).to_string()),
            ("capacity", "5".to_owned()),
            ("waitlist_capacity", "4".to_owned()),
        ];
        let limits = limits.map(|(field, after)| change(field, "", &after));
        run.change(Action::Create, limits.to_vec());
        run.change(Action::Publish, vec![change("state", "draft", "published")]);
        while run.operations.len() < operations {
            let user = run.random.within(0..20);
            let user = UserId::parse(format!("user-{user:02}")).expect("an id");
            match run.random.within(0..40) {
                0..18 => run.register(&user),
                18..27 => run.end(&user, Call::Withdraw(user.clone())),
                27..29 => run.end(&user, Call::Remove(user.clone())),
                29..31 => run.add(&user),
                31 => run.preview(&user),
                32 => run.set_venue(),
                33 => run.list(),
                34 => run.repeat(),
                _ => run.read(&user),
            }
        }
        run
    }

    fn change(&mut self, action: Action, fields: Vec<FieldChange>) {
        let request = RequestId::random();
        let call = Call::Change(action);
        self.append(
            admin(),
            action,
            Change::Competition(fields),
            Some(request),
            NO_NOTE,
        );
        let answer = self.competition();
        self.told(admin(), call, request, answer);
    }

    fn set_venue(&mut self) {
        let request = RequestId::random();
        let before = self.fields.get("venue").cloned();
        let venue = format!("hall {}", self.random.within(0..1_000_000));
        let fields = vec![change("venue", &before.unwrap_or_default(), &venue)];
        let change = Change::Competition(fields);
        self.append(admin(), Action::Update, change, Some(request), NO_NOTE);
        let answer = self.competition();
        self.told(admin(), Call::Set("venue", venue), request, answer);
    }

    fn register(&mut self, user: &UserId) {
        let by = Actor::User(user.clone());
        self.enter(user, by, Attempt::Register, Call::Register(user.clone()));
    }

    fn add(&mut self, user: &UserId) {
        let options = AddOptions {
            ignore_window: self.random.percent(50),
            over_capacity: self.random.percent(50),
        };
        let call = Call::Add(user.clone(), options);
        self.enter(user, admin(), Attempt::Add(options), call);
    }

    fn enter(&mut self, user: &UserId, by: Actor, attempt: Attempt, call: Call) {
        let request = RequestId::random();
        let action = call.action().expect("a change");
        let answer = match self.model.enter(user, at(NOW), attempt) {
            Ok(place) => {
                let (after, position) = place_of(place);
                let options = match attempt {
                    Attempt::Register => AddOptions::default(),
                    Attempt::Add(options) => options,
                };
                let note = (options, "");
                self.moved(action, &by, user, after, position, Some(request), note)
            }
            Err(why) => self.refused(Some(user), &why),
        };
        self.told(by, call, request, answer);
    }

    fn preview(&mut self, user: &UserId) {
        let answer = match self.model.enter(user, at(NOW), Attempt::Register) {
            Ok(place) => {
                let (after, position) = place_of(place);
                let mut held = self.as_entered(user, after, position);
                held.registration.revision += 1;
                held.added_by = None;
                Answer::Registration(held)
            }
            Err(why) => self.refused(Some(user), &why),
        };
        let by = Actor::User(user.clone());
        self.told(by, Call::Preview(user.clone()), RequestId::random(), answer);
    }

    fn end(&mut self, user: &UserId, call: Call) {
        let request = RequestId::random();
        let by = match call {
            Call::Remove(_) => admin(),
            _ => Actor::User(user.clone()),
        };
        let state = self.model.registration(user);
        let answer = if state.is_some_and(RegistrationState::is_current) {
            let after = match call {
                Call::Remove(_) => RegistrationState::Removed,
                _ => RegistrationState::Withdrawn,
            };
            let reason = torture::history::reason(&call, request);
            let action = call.action().expect("a change");
            let answer = self.moved(
                action,
                &by,
                user,
                after,
                None,
                Some(request),
                (AddOptions::default(), &reason),
            );
            if self.model.owes_a_promotion(at(NOW)) {
                let first = self.model.queue().next().expect("one who waits").clone();
                let after = RegistrationState::Confirmed;
                self.moved(
                    Action::Promote,
                    &Actor::Rules,
                    &first,
                    after,
                    None,
                    None,
                    NO_NOTE,
                );
            }
            answer
        } else {
            self.refused(Some(user), &Rejection::NotRegistered)
        };
        self.told(by, call, request, answer);
    }

    /// The same change again, of those that were answered a moment ago.
    fn repeat(&mut self) {
        let mut recent = self.operations.iter().rev().take(20);
        let found = recent.find(|one| is_registered(one) && !one.is_repeated);
        let Some(first) = found.cloned() else { return };
        self.told(first.by, first.call, first.request, first.answer);
        self.operations.last_mut().expect("one").is_repeated = true;
    }

    fn read(&mut self, user: &UserId) {
        let answer = match self.held.get(user).cloned() {
            Some(held) => Answer::Registration(self.placed(held)),
            None => self.refused(Some(user), &Rejection::NotRegistered),
        };
        let call = Call::ReadRegistration(user.clone());
        self.told(admin(), call, RequestId::random(), answer);
        let answer = self.competition();
        let by = Actor::User(user.clone());
        self.told(by, Call::ReadCompetition, RequestId::random(), answer);
    }

    pub(crate) fn list(&mut self) {
        let states = vec![RegistrationState::Confirmed, RegistrationState::Waitlisted];
        let mut all: Vec<_> = self
            .held
            .values()
            .filter(|held| held.registration.state < v1::RegistrationState::Withdrawn.into())
            .map(|held| self.placed(held.clone()))
            .collect();
        all.sort_by_key(Held::revision);
        let answer = Answer::Registrations(all);
        self.told(admin(), Call::List(states), RequestId::random(), answer);
    }

    /// With the place that it has in the queue now.
    fn placed(&self, mut held: Held) -> Held {
        let user = &held.registration.user_id;
        let place = self.model.queue().position(|one| one.as_str() == user);
        held.registration.waitlist_position =
            place.map(|place| i32::try_from(place + 1).expect("few"));
        held
    }

    /// A user's registration once it is so.
    fn as_entered(&self, user: &UserId, state: RegistrationState, position: Option<u32>) -> Held {
        let known = self.held.get(user);
        Held {
            registration: v1::Registration {
                competition_id: self.id.to_string(),
                user_id: user.to_string(),
                state: v1::RegistrationState::from(state).into(),
                revision: i64::try_from(self.model.revision().get()).expect("few"),
                waitlist_position: position.map(|n| i32::try_from(n).expect("few")),
                removal_reason: String::new(),
                created_at: known.map_or(Some(timestamp(at(NOW))), |held| {
                    held.registration.created_at
                }),
                updated_at: Some(timestamp(at(NOW))),
            },
            added_by: Some(
                known
                    .and_then(|held| held.added_by.clone())
                    .unwrap_or_default(),
            ),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "all that a log entry says")]
    fn moved(
        &mut self,
        action: Action,
        actor: &Actor,
        user: &UserId,
        after: RegistrationState,
        position: Option<u32>,
        request: Option<RequestId>,
        (options, reason): (AddOptions, &str),
    ) -> Answer {
        let change = Change::Registration {
            user_id: user.clone(),
            before: self.model.registration(user),
            after,
            waitlist_position: position,
        };
        self.append(actor.clone(), action, change, request, (options, reason));
        let mut held = self.as_entered(user, after, position);
        match action {
            Action::Register => held.added_by = Some(String::new()),
            Action::Add => held.added_by = Some("olga".to_owned()),
            Action::Remove => reason.clone_into(&mut held.registration.removal_reason),
            _ => {}
        }
        self.held.insert(user.clone(), held.clone());
        Answer::Registration(held)
    }

    fn append(
        &mut self,
        actor: Actor,
        action: Action,
        change: Change,
        request: Option<RequestId>,
        (options, reason): (AddOptions, &str),
    ) {
        let entry = AuditEntry {
            revision: Revision::new(self.model.revision().get() + 1),
            at: at(NOW),
            actor,
            action,
            change,
            request_id: request,
            options,
            reason: Reason::parse(reason).expect("a reason"),
        };
        self.model.apply(&entry).expect("a good entry");
        if let Change::Competition(fields) = &entry.change {
            let said = fields
                .iter()
                .map(|one| (one.field.clone(), one.after.clone()));
            self.fields.extend(said);
            self.changed_at = entry.revision;
        }
        self.log.push(entry);
    }

    fn competition(&self) -> Answer {
        let of = |name: &str| self.fields.get(name).cloned().unwrap_or_default();
        let moment = |name| Some(timestamp(at(of(name).parse().expect("a moment"))));
        let state = self.model.state().expect("there is one");
        Answer::Competition(Box::new(v1::Competition {
            competition_id: self.id.to_string(),
            title: of("title"),
            venue: of("venue"),
            starts_at: moment("starts_at"),
            ends_at: moment("ends_at"),
            registration_opens_at: moment("registration_opens_at"),
            registration_closes_at: moment("registration_closes_at"),
            capacity: of("capacity").parse().ok(),
            waitlist_capacity: of("waitlist_capacity").parse().ok(),
            state: v1::CompetitionState::from(state).into(),
            confirmed_count: i32::try_from(self.model.confirmed_count()).expect("few"),
            waitlisted_count: i32::try_from(self.model.waitlisted_count()).expect("few"),
            revision: i64::try_from(self.model.revision().get()).expect("few"),
            created_at: Some(timestamp(at(NOW))),
            updated_at: Some(timestamp(at(NOW))),
            etag: format!("v{}", self.changed_at),
            ..v1::Competition::default()
        }))
    }

    fn refused(&self, user: Option<&UserId>, why: &Rejection) -> Answer {
        let mut facts: BTreeMap<_, _> = why
            .facts()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        facts.insert("competition_id".to_owned(), self.id.to_string());
        facts.extend(user.map(|user| ("user_id".to_owned(), user.to_string())));
        Answer::Refused {
            reason: why.reason().to_owned(),
            revision: Some(self.model.revision()),
            facts,
        }
    }

    pub(crate) fn told(&mut self, by: Actor, call: Call, request: RequestId, mut answer: Answer) {
        if let (Actor::User(_), Answer::Registration(held)) = (&by, &mut answer) {
            held.added_by = None;
        }
        let started = Duration::from_micros(10 * self.operations.len() as u64);
        self.operations.push(Operation {
            competition: self.id.clone(),
            request,
            by,
            call,
            started,
            ended: started + Duration::from_micros(5),
            asked_at: at(NOW),
            told_at: at(NOW),
            was_lost: false,
            is_repeated: false,
            answer,
        });
    }

    pub(crate) fn check(&self) -> Vec<Problem> {
        let history = History {
            operations: self.operations.clone(),
        };
        check(&history, &Logs::from([(self.id.clone(), self.log.clone())]))
    }

    /// Some operation in the middle of the run that fits.
    pub(crate) fn some(&mut self, fits: impl Fn(&Operation) -> bool) -> &mut Operation {
        let middle = self.operations.len() / 2;
        let mut later = self.operations[middle..].iter_mut();
        later
            .find(|operation| fits(operation))
            .expect("one that fits")
    }

    /// Some entry in the middle of the log that fits: where it stands.
    pub(crate) fn entry(&self, fits: impl Fn(&AuditEntry) -> bool) -> usize {
        let middle = self.log.len() / 2;
        let found = self.log[middle..].iter().position(fits);
        middle + found.expect("one that fits")
    }
}

pub(crate) fn change(field: &str, before: &str, after: &str) -> FieldChange {
    FieldChange {
        field: field.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

fn place_of(place: Admission) -> (RegistrationState, Option<u32>) {
    match place {
        Admission::Confirmed => (RegistrationState::Confirmed, None),
        Admission::Waitlisted(n) => (RegistrationState::Waitlisted, u32::try_from(n).ok()),
    }
}

pub(crate) fn is_registered(operation: &Operation) -> bool {
    matches!(operation.call, Call::Register(_)) && is_done(operation)
}

pub(crate) fn is_done(operation: &Operation) -> bool {
    matches!(operation.answer, Answer::Registration(_))
}
