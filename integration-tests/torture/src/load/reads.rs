//! Reads lists, and everything once more at the end.

use std::error::Error;
use std::time::Duration;

use api::user::MyRegistration;
use domain::{CompetitionId, RegistrationState};
use tokio::time::timeout;

use super::Worker;
use crate::client::Start;
use crate::history::{Call, Observation, SeenRegistration};

/// Longer than reading any list takes, also on a slow network.
const LIST_TIMEOUT: Duration = Duration::from_secs(10);
const ALL_STATES: [RegistrationState; 4] = [
    RegistrationState::Confirmed,
    RegistrationState::Waitlisted,
    RegistrationState::Withdrawn,
    RegistrationState::Removed,
];

type ListError = Box<dyn Error + Send + Sync>;

impl Worker {
    pub(super) fn pick_states(&mut self) -> Vec<RegistrationState> {
        let mut states = ALL_STATES.to_vec();
        states.retain(|_| self.client.random.percent(60));
        if states.is_empty() {
            states.extend(ALL_STATES);
        }
        states
    }

    /// Lists the registrations of the current user, and records what the list shows of these
    /// competitions.
    pub(super) async fn read_own_list(
        &mut self,
        competitions: &[CompetitionId],
    ) -> Result<(), ListError> {
        let start = Start::now();
        let listed = timeout(LIST_TIMEOUT, self.client.list_my_registrations()).await??;
        self.client.count_list();
        for competition in competitions {
            let mut found = listed.iter().filter(|listed| {
                let listed = listed.competition.as_ref();
                listed.is_some_and(|listed| listed.competition_id == competition.as_str())
            });
            let (first, second) = (found.next(), found.next());
            self.record_own(start, competition, first, second);
        }
        Ok(())
    }

    fn record_own(
        &mut self,
        start: Start,
        competition: &CompetitionId,
        first: Option<&MyRegistration>,
        second: Option<&MyRegistration>,
    ) {
        let observed = match (first, second) {
            (None, _) => Observation::Absent,
            (Some(_), Some(_)) => {
                Observation::Invalid(format!("listed twice: {first:?}, {second:?}"))
            }
            (Some(listed), None) => {
                let listed = listed.clone();
                let seen = listed.competition.unwrap_or_default();
                let seen = Observation::Competition(Box::new(seen));
                self.client
                    .record_read(start, competition, Call::ReadCompetition, seen);
                Observation::Registration(SeenRegistration {
                    registration: listed.registration.unwrap_or_default(),
                    added_by: None,
                })
            }
        };
        let user = self.client.account.user_id().clone();
        let call = Call::ReadRegistration(user);
        self.client.record_read(start, competition, call, observed);
    }

    /// Lists all competitions, and records what the list shows of each.
    async fn read_competitions(&mut self) -> Result<(), ListError> {
        let start = Start::now();
        let listed = timeout(LIST_TIMEOUT, self.client.list_competitions()).await??;
        self.client.count_list();
        for competition in self.shared.all() {
            let mut found = listed
                .iter()
                .filter(|listed| listed.competition_id == competition.as_str());
            let observed = match (found.next(), found.next()) {
                (None, _) => Observation::Absent,
                (Some(listed), None) => Observation::Competition(Box::new(listed.clone())),
                (Some(_), Some(_)) => Observation::Invalid("listed twice".to_owned()),
            };
            self.client
                .record_read(start, &competition, Call::ReadCompetition, observed);
        }
        Ok(())
    }

    /// Records a list that failed although nothing was broken.
    fn record_failure(&mut self, read: Result<(), ListError>) {
        if let Err(error) = read {
            let competition = self.shared.all()[0].clone();
            let observed = Observation::Invalid(format!("a list failed: {error}"));
            self.client
                .record_read(Start::now(), &competition, Call::ReadCompetition, observed);
        }
    }

    /// Reads everything in every way in which it can be read.
    pub(super) async fn read_everything(&mut self) {
        const SAMPLE: usize = 10;
        let (organiser, users) = (self.client.account.clone(), self.users.clone());
        let all = self.shared.all();
        let read = self.read_competitions().await;
        self.record_failure(read);
        for competition in &all {
            self.client.account = organiser.clone();
            let some = self.pick_states();
            let mut calls = vec![
                Call::ReadCompetition,
                Call::List(ALL_STATES.to_vec()),
                Call::List(some),
            ];
            let sample = users.iter().take(SAMPLE);
            calls.extend(sample.map(|user| Call::ReadRegistration(user.user_id().clone())));
            for call in calls {
                self.client.call(competition, call).await;
            }
        }
        for user in &users {
            self.client.account = user.clone();
            let read = self.read_own_list(&all).await;
            self.record_failure(read);
        }
        // The list for users, because the current account is that of a user.
        let read = self.read_competitions().await;
        self.record_failure(read);
        for user in users.iter().rev().take(SAMPLE) {
            self.client.account = user.clone();
            for competition in self.shared.current() {
                let call = Call::ReadRegistration(user.user_id().clone());
                self.client.call(&competition, call).await;
                self.client.call(&competition, Call::ReadCompetition).await;
            }
        }
    }
}
