//! Lists, which hold many answers at once, and everything once more at the end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{Actor, CompetitionId, RegistrationState};
use tokio::time::{Instant, timeout};

use super::client::{Client, now};
use crate::ask::{Says, Who};
use crate::history::{Answer, Call, Held};

/// More than any list takes, also when the network is slow.
const LONGEST_LIST: Duration = Duration::from_secs(10);
const ALL_STATES: [RegistrationState; 4] = [
    RegistrationState::Confirmed,
    RegistrationState::Waitlisted,
    RegistrationState::Withdrawn,
    RegistrationState::Removed,
];

/// Why a list was not read.
type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Client {
    pub(super) fn some_states(&mut self) -> Vec<RegistrationState> {
        let some: Vec<_> = ALL_STATES
            .into_iter()
            .filter(|_| self.random.percent(60))
            .collect();
        if some.is_empty() {
            ALL_STATES.to_vec()
        } else {
            some
        }
    }

    /// Lists the registrations of the one who asks, and notes what is said of these competitions.
    pub(super) async fn read_own_list(&mut self, about: &[CompetitionId]) -> Result<(), Failed> {
        let Actor::User(user) = self.who.actor.clone() else {
            return Ok(());
        };
        let began = (Instant::now(), now());
        let listed = timeout(LONGEST_LIST, self.asker.my_registrations(&self.who)).await??;
        self.stage.done.fetch_add(1, Ordering::Relaxed);
        for competition in about {
            let call = Call::ReadRegistration(user.clone());
            let mut found = listed.iter().filter(|one| {
                let told = one.competition.as_ref();
                told.is_some_and(|told| told.competition_id == competition.as_str())
            });
            let answer = match (found.next(), found.next()) {
                (None, _) => Answer::Absent,
                (Some(one), None) => {
                    let told = one.competition.clone().unwrap_or_default();
                    let answer = Answer::Competition(Box::new(told));
                    self.note_read(began, competition, Call::ReadCompetition, answer);
                    Answer::Registration(Held {
                        registration: one.registration.clone().unwrap_or_default(),
                        added_by: None,
                    })
                }
                (Some(one), Some(other)) => {
                    Answer::Nonsense(format!("listed twice: {one:?}, {other:?}"))
                }
            };
            self.note_read(began, competition, call, answer);
        }
        Ok(())
    }

    /// Lists all competitions, and notes what is said of each.
    async fn read_catalogue(&mut self) -> Result<(), Failed> {
        let began = (Instant::now(), now());
        let listed = timeout(LONGEST_LIST, self.asker.catalogue(&self.who)).await??;
        for competition in self.stage.all() {
            let mut found = listed
                .iter()
                .filter(|told| told.competition_id == competition.as_str());
            let answer = match (found.next(), found.next()) {
                (None, _) => Answer::Absent,
                (Some(told), None) => Answer::Competition(Box::new(told.clone())),
                (Some(_), Some(_)) => Answer::Nonsense("listed twice".to_owned()),
            };
            self.note_read(began, &competition, Call::ReadCompetition, answer);
        }
        Ok(())
    }

    /// A list that cannot be read while nothing is broken is an answer too, and a wrong one.
    fn note_list(&mut self, read: Result<(), Failed>) {
        if let Err(failed) = read {
            let competition = self.stage.all()[0].clone();
            let answer = Answer::Nonsense(format!("a list: {failed}"));
            let began = (Instant::now(), now());
            self.note_read(began, &competition, Call::ReadCompetition, answer);
        }
    }

    /// Reads all that there is, in every way in which it can be read.
    pub(super) async fn read_everything(&mut self) {
        const SAMPLE: usize = 10;
        let (organiser, people) = (self.who.clone(), self.people.clone());
        let all = self.stage.all();
        let read = self.read_catalogue().await;
        self.note_list(read);
        for competition in &all {
            self.who = organiser.clone();
            let some = self.some_states();
            for call in [
                Call::ReadCompetition,
                Call::List(ALL_STATES.to_vec()),
                Call::List(some),
            ] {
                self.see_through(competition.clone(), call, Says::default())
                    .await;
            }
            for person in people.iter().take(SAMPLE) {
                let call = Call::ReadRegistration(person.id.clone());
                self.see_through(competition.clone(), call, Says::default())
                    .await;
            }
        }
        for person in &people {
            self.who = Who::from(person);
            let read = self.read_own_list(&all).await;
            self.note_list(read);
        }
        let read = self.read_catalogue().await;
        self.note_list(read);
        for person in people.iter().rev().take(SAMPLE) {
            self.who = Who::from(person);
            for competition in self.stage.current() {
                for call in [
                    Call::ReadRegistration(person.id.clone()),
                    Call::ReadCompetition,
                ] {
                    self.see_through(competition.clone(), call, Says::default())
                        .await;
                }
            }
        }
    }
}
