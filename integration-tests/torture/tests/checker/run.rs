//! A made-up run in which everything is correct.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::model::{Admission, Attempt};
use domain::{
    Action, Actor, AddOptions, AdminId, AuditEntry, Change, CompetitionId, FieldChange, Reason,
    RegistrationState, Rejection, RequestId, Revision, Timestamp, UserId,
};
use testkit::Random;
use torture::checker::expected::ExpectedState;
use torture::checker::{Logs, Problem, check};
use torture::history::{Call, History, Observation, Operation, SeenRegistration};

pub(crate) const NOW: i64 = 1_800_000_000_000;

/// A run whose operations do not overlap.
pub(crate) struct Run {
    competition: CompetitionId,
    pub(crate) state: ExpectedState,
    pub(crate) log: Vec<AuditEntry>,
    pub(crate) operations: Vec<Operation>,
    random: Random,
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a valid moment")
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).expect("a valid id")
}

pub(crate) fn admin(id: &str) -> Actor {
    Actor::Admin(AdminId::parse(id).expect("a valid id"))
}

fn organiser() -> Actor {
    admin("olga")
}

pub(crate) fn field(name: &str, before: &str, after: &str) -> FieldChange {
    FieldChange {
        field: name.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

impl Run {
    pub(crate) fn new(operations: usize) -> Self {
        let competition = CompetitionId::parse("cup").expect("a valid id");
        let mut run = Self {
            state: ExpectedState::new(&competition),
            competition,
            log: Vec::new(),
            operations: Vec::new(),
            random: Random::new(7),
        };
        let far = (NOW * 2).to_string();
        let fields = [
            ("title", "Cup"),
            ("starts_at", &far),
            ("ends_at", &far),
            ("registration_opens_at", "0"),
            ("registration_closes_at", &far),
            ("capacity", "5"),
            ("waitlist_capacity", "4"),
        ];
        let fields = fields.map(|(name, value)| field(name, "", value));
        run.change(Call::Create(Box::default()), fields.to_vec());
        run.change(Call::Publish, vec![field("state", "draft", "published")]);
        while run.operations.len() < operations {
            run.add_operation();
        }
        run
    }

    fn add_operation(&mut self) {
        let user = user(&format!("user-{:02}", self.random.below(20)));
        match self.random.below(40) {
            0..18 => self.enter(&user, Attempt::Register, Call::Register(user.clone())),
            18..27 => self.leave(&user, Call::Withdraw(user.clone())),
            27..29 => self.leave(&user, Call::Remove(user.clone())),
            29..31 => {
                let options = AddOptions {
                    ignore_window: self.random.percent(50),
                    over_capacity: self.random.percent(50),
                };
                let call = Call::Add {
                    user: user.clone(),
                    email: None,
                    options,
                };
                self.enter(&user, Attempt::Add(options), call);
            }
            31 => self.preview(&user),
            32 => self.set_venue(),
            33 => self.list(),
            34 => self.repeat(),
            _ => self.read(&user),
        }
    }

    fn change(&mut self, call: Call, fields: Vec<FieldChange>) {
        let request = RequestId::random();
        let action = call.action().expect("a change");
        let entry = self.entry(organiser(), action, Change::Competition(fields));
        self.append(AuditEntry {
            request_id: Some(request),
            ..entry
        });
        let observed = self.observe_competition();
        self.record(organiser(), call, request, observed);
    }

    fn set_venue(&mut self) {
        let venue = format!("hall {}", self.random.below(1_000_000));
        let change = field("venue", self.state.field("venue"), &venue);
        self.change(Call::Set("venue", venue), vec![change]);
    }

    fn enter(&mut self, user: &UserId, attempt: Attempt, call: Call) {
        let request = RequestId::random();
        let by = match attempt {
            Attempt::Register => Actor::User(user.clone()),
            Attempt::Add(_) => organiser(),
        };
        let observed = match self.entry_for(user, attempt, &by, request) {
            Ok(entry) => {
                self.append(entry);
                self.observe_registration(user)
            }
            Err(rejection) => self.refuse(user, &rejection),
        };
        self.record(by, call, request, observed);
    }

    fn preview(&mut self, user: &UserId) {
        let by = Actor::User(user.clone());
        let request = RequestId::random();
        let observed = match self.entry_for(user, Attempt::Register, &by, request) {
            Ok(entry) => {
                let mut state = self.state.clone();
                state.apply(&entry).expect("an allowed entry");
                Observation::Registration(registration_in(&state, user).expect("just made"))
            }
            Err(rejection) => self.refuse(user, &rejection),
        };
        self.record(by, Call::Preview(user.clone()), request, observed);
    }

    /// The log entry of an attempt to enter.
    fn entry_for(
        &self,
        user: &UserId,
        attempt: Attempt,
        by: &Actor,
        request: RequestId,
    ) -> Result<AuditEntry, Rejection> {
        let admission = self.state.model().enter(user, at(NOW), attempt)?;
        let (action, options) = match attempt {
            Attempt::Register => (Action::Register, AddOptions::default()),
            Attempt::Add(options) => (Action::Add, options),
        };
        let (after, waitlist_position) = match admission {
            Admission::Confirmed => (RegistrationState::Confirmed, None),
            Admission::Waitlisted(n) => (RegistrationState::Waitlisted, u32::try_from(n).ok()),
        };
        let change = Change::Registration {
            user_id: user.clone(),
            before: self.state.model().registration(user),
            after,
            waitlist_position,
        };
        Ok(AuditEntry {
            request_id: Some(request),
            options,
            ..self.entry(by.clone(), action, change)
        })
    }

    fn leave(&mut self, user: &UserId, call: Call) {
        let request = RequestId::random();
        let (by, after) = match call {
            Call::Remove(_) => (organiser(), RegistrationState::Removed),
            _ => (Actor::User(user.clone()), RegistrationState::Withdrawn),
        };
        let before = self.state.model().registration(user);
        let observed = if before.is_some_and(RegistrationState::is_current) {
            let action = call.action().expect("a change");
            let entry = self.entry(by.clone(), action, self.transition(user, after));
            self.append(AuditEntry {
                request_id: Some(request),
                reason: Reason::parse(call.reason(request)).expect("a valid reason"),
                ..entry
            });
            let observed = self.observe_registration(user);
            self.promote();
            observed
        } else {
            self.refuse(user, &Rejection::NotRegistered)
        };
        self.record(by, call, request, observed);
    }

    fn promote(&mut self) {
        if self.state.model().owes_a_promotion(at(NOW)) {
            let first = self.state.model().queue().next().expect("a waiting user");
            let change = self.transition(first, RegistrationState::Confirmed);
            self.append(self.entry(Actor::Rules, Action::Promote, change));
        }
    }

    fn transition(&self, user: &UserId, after: RegistrationState) -> Change {
        Change::Registration {
            user_id: user.clone(),
            before: self.state.model().registration(user),
            after,
            waitlist_position: None,
        }
    }

    /// Repeats one of the last registrations.
    fn repeat(&mut self) {
        let mut recent = self.operations.iter().rev().take(20);
        let found = recent.find(|one| is_registration(one) && !one.is_repeated);
        let Some(first) = found.cloned() else { return };
        self.record(first.by, first.call, first.request, first.observed);
        self.operations
            .last_mut()
            .expect("just recorded")
            .is_repeated = true;
    }

    fn read(&mut self, user: &UserId) {
        let observed = match registration_in(&self.state, user) {
            Some(seen) => Observation::Registration(seen),
            None => self.refuse(user, &Rejection::NotRegistered),
        };
        let call = Call::ReadRegistration(user.clone());
        self.record(organiser(), call, RequestId::random(), observed);
        let observed = self.observe_competition();
        let by = Actor::User(user.clone());
        self.record(by, Call::ReadCompetition, RequestId::random(), observed);
    }

    pub(crate) fn list(&mut self) {
        let states = vec![RegistrationState::Confirmed, RegistrationState::Waitlisted];
        let registrations = self.state.registrations();
        let listed = registrations
            .iter()
            .filter(|seen| states.iter().any(|state| seen.is_in(*state)))
            .filter_map(|seen| registration_in(&self.state, &seen.user()?));
        let observed = Observation::Registrations(listed.collect());
        self.record(
            organiser(),
            Call::List(states),
            RequestId::random(),
            observed,
        );
    }

    /// An entry of the next revision, without a request.
    fn entry(&self, actor: Actor, action: Action, change: Change) -> AuditEntry {
        AuditEntry {
            revision: Revision::new(self.state.model().revision().get() + 1),
            at: at(NOW),
            actor,
            action,
            change,
            request_id: None,
            options: AddOptions::default(),
            reason: Reason::parse("").expect("a valid reason"),
        }
    }

    fn append(&mut self, entry: AuditEntry) {
        self.state.apply(&entry).expect("an allowed entry");
        self.log.push(entry);
    }

    fn observe_registration(&self, user: &UserId) -> Observation {
        let seen = registration_in(&self.state, user);
        Observation::Registration(seen.expect("a registration"))
    }

    fn observe_competition(&self) -> Observation {
        Observation::Competition(Box::new(self.state.competition()))
    }

    fn refuse(&self, user: &UserId, rejection: &Rejection) -> Observation {
        let facts = rejection.facts().into_iter();
        let mut facts: BTreeMap<_, _> = facts
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        facts.insert("competition_id".to_owned(), self.competition.to_string());
        facts.insert("user_id".to_owned(), user.to_string());
        Observation::Refused {
            reason: rejection.reason().to_owned(),
            revision: Some(self.state.model().revision()),
            facts,
        }
    }

    pub(crate) fn record(
        &mut self,
        by: Actor,
        call: Call,
        request: RequestId,
        mut observed: Observation,
    ) {
        if let (Actor::User(_), Observation::Registration(seen)) = (&by, &mut observed) {
            seen.added_by = None;
        }
        let started = Duration::from_micros(10 * self.operations.len() as u64);
        self.operations.push(Operation {
            competition: self.competition.clone(),
            request,
            by,
            call,
            started,
            ended: started + Duration::from_micros(5),
            started_at: at(NOW),
            ended_at: at(NOW),
            was_lost: false,
            is_repeated: false,
            observed,
        });
    }

    pub(crate) fn check(&self) -> Vec<Problem> {
        let history = History {
            operations: self.operations.clone(),
        };
        let logs = Logs::from([(self.competition.clone(), self.log.clone())]);
        check(&history, &logs)
    }

    /// The first operation in the second half of the run that fits.
    pub(crate) fn operation(&mut self, fits: impl Fn(&Operation) -> bool) -> &mut Operation {
        let middle = self.operations.len() / 2;
        let mut later = self.operations[middle..].iter_mut();
        later.find(|one| fits(one)).expect("an operation that fits")
    }

    /// The registration in the first fitting operation in the second half of the run.
    pub(crate) fn seen(&mut self, fits: impl Fn(&Operation) -> bool) -> &mut SeenRegistration {
        match &mut self.operation(fits).observed {
            Observation::Registration(seen) => seen,
            other => panic!("{other:?} is not a registration"),
        }
    }

    /// The index of the first entry in the second half of the log that fits.
    pub(crate) fn index(&self, fits: impl Fn(&AuditEntry) -> bool) -> usize {
        let middle = self.log.len() / 2;
        let found = self.log[middle..].iter().position(fits);
        middle + found.expect("an entry that fits")
    }

    /// The first entry in the second half of the log with this action.
    pub(crate) fn logged(&mut self, action: Action) -> &mut AuditEntry {
        let index = self.index(|entry| entry.action == action);
        &mut self.log[index]
    }
}

/// A registration with its waitlist position.
fn registration_in(state: &ExpectedState, user: &UserId) -> Option<SeenRegistration> {
    let mut seen = state.registration(user)?;
    let before = state.model().queue().position(|waiting| waiting == user);
    let position = before.map(|before| i32::try_from(before + 1).expect("a small waitlist"));
    seen.registration.waitlist_position = position;
    Some(seen)
}

pub(crate) fn is_registration(operation: &Operation) -> bool {
    matches!(operation.call, Call::Register(_)) && has_registration(operation)
}

pub(crate) fn has_registration(operation: &Operation) -> bool {
    matches!(operation.observed, Observation::Registration(_))
}
