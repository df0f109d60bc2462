//! What each kind of client wants.

use std::time::Duration;

use api::v1::Competition;
use domain::{Action, AddOptions, CompetitionId, Timestamp, UserId};

use super::client::{Client, now};
use crate::ask::{Says, Who};
use crate::history::{Answer, Call, Operation};
use crate::world::Accounts;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Of a competition that soon starts.
const PLACES: i32 = 3;

impl Client {
    /// Makes and publishes the competitions, small and large.
    pub(super) async fn found(&mut self) {
        for n in 0..self.stage.plan.competitions {
            let competition = CompetitionId::parse(format!("cup-{n}")).expect("an id");
            self.stage.enter(&competition);
            let now = now();
            let says = Says {
                details: Competition {
                    title: "Cup".to_owned(),
                    registration_opens_at: Some(moment(now)),
                    registration_closes_at: Some(moment(now.after(29 * DAY))),
                    starts_at: Some(moment(now.after(30 * DAY))),
                    ends_at: Some(moment(now.after(31 * DAY))),
                    capacity: Some(4 << n),
                    waitlist_capacity: (n % 3 < 2).then_some(3 << n),
                    ..Competition::default()
                },
                ..Says::default()
            };
            for action in [Action::Create, Action::Publish] {
                let call = Call::Change(action);
                self.see_through(competition.clone(), call, says.clone())
                    .await;
            }
        }
    }

    pub(super) async fn be_users(mut self) -> Vec<Operation> {
        while !self.is_over() {
            let person = self.random.pick(&self.people).clone();
            self.who = Who::from(&person);
            let competition = self.pick_competition();
            let call = match self.random.within(0..1000) {
                0..440 => Call::Register(person.id),
                440..720 => Call::Withdraw(person.id),
                720..800 => Call::ReadRegistration(person.id),
                800..890 => Call::ReadCompetition,
                890..935 => Call::Preview(person.id),
                935..940 => {
                    let about = self.stage.current();
                    let about = &about[about.len().saturating_sub(3)..];
                    // It is not asked for again: there are others.
                    let _ = self.read_own_list(about).await;
                    continue;
                }
                _ => {
                    self.repeat().await;
                    continue;
                }
            };
            self.see_through(competition, call, Says::default()).await;
        }
        self.seen
    }

    pub(super) async fn be_organiser(mut self) -> Vec<Operation> {
        while !self.is_over() {
            let person = self.random.pick(&self.people).clone();
            let competition = self.pick_competition();
            let mut says = Says::default();
            let call = match self.random.within(0..1000) {
                0..400 => {
                    if self.random.percent(30) {
                        says.email = person.email;
                    }
                    let options = AddOptions {
                        ignore_window: self.random.percent(20),
                        over_capacity: self.random.percent(5),
                    };
                    Call::Add(person.id, options)
                }
                400..660 => Call::Remove(person.id),
                660..800 => Call::ReadRegistration(person.id),
                800..850 => Call::ReadCompetition,
                850..853 => Call::List(self.some_states()),
                853..880 => {
                    self.repeat().await;
                    continue;
                }
                _ => self.set(),
            };
            self.see_through(competition, call, says).await;
        }
        self.seen
    }

    fn set(&mut self) -> Call {
        let most = self.stage.plan.most_places;
        match self.random.within(0..100) {
            0..65 => Call::Set("capacity", self.random.within(1..most).to_string()),
            // So many that more than 100 may be promoted at a time.
            65..70 => Call::Set("capacity", (4 * most).to_string()),
            70..80 => {
                let lengths = ["", "0", "5", "60"];
                Call::Set(
                    "waitlist_capacity",
                    (*self.random.pick(&lengths)).to_owned(),
                )
            }
            _ => Call::Set("venue", format!("hall {}", self.random.next_number())),
        }
    }

    /// One competition after the other that opens, closes, starts and is over; or that is cancelled while
    /// it is open, or deleted while it is a draft.
    pub(super) async fn be_herald(mut self, cancels: bool) -> Vec<Operation> {
        let life = self.stage.plan.life;
        let name = if cancels { "called-off" } else { "day" };
        for n in 0.. {
            if self.is_over() {
                break;
            }
            let competition = CompetitionId::parse(format!("{name}-{n}")).expect("an id");
            let now = now();
            let says = Says {
                details: Competition {
                    title: format!("Day {n}"),
                    description: "in a moment".to_owned(),
                    country_code: "CH".to_owned(),
                    registration_opens_at: Some(moment(now.after(life * 35 / 100))),
                    registration_closes_at: Some(moment(now.after(life * 65 / 100))),
                    starts_at: Some(moment(now.after(life * 8 / 10))),
                    ends_at: Some(moment(now.after(life))),
                    capacity: Some(PLACES),
                    waitlist_capacity: Some(20),
                    ..Competition::default()
                },
                ..Says::default()
            };
            // Clients ask about it before it is there, and while it is a draft.
            self.stage.enter(&competition);
            let change = async |client: &mut Self, action| {
                let call = Call::Change(action);
                client
                    .see_through(competition.clone(), call, says.clone())
                    .await;
            };
            self.wait(life / 20).await;
            change(&mut self, Action::Create).await;
            self.wait(life / 10).await;
            if n % 4 == 3 {
                change(&mut self, Action::Delete).await;
                self.wait(life / 10).await;
            } else {
                change(&mut self, Action::Publish).await;
                let invited = self.invite(&competition).await;
                if cancels {
                    self.wait(life * 35 / 100).await;
                    change(&mut self, Action::Cancel).await;
                    self.wait(life / 5).await;
                } else {
                    self.wait(life * 7 / 10).await;
                    self.remove_all(&invited, &competition).await;
                    self.wait(life * 3 / 10).await;
                }
            }
            self.stage.leave(&competition);
            // Fewer and fewer, so that the lists of a long run stay readable.
            let pause = self.stage.began.elapsed() / 50;
            self.wait(pause).await;
        }
        self.seen
    }

    /// Adds people to a competition that has just been published: more than it has places.
    async fn invite(&mut self, competition: &CompetitionId) -> Vec<UserId> {
        let options = AddOptions {
            ignore_window: true,
            over_capacity: false,
        };
        let mut invited = Vec::new();
        for _ in 0..2 * PLACES {
            let person = self.random.pick(&self.people).id.clone();
            let call = Call::Add(person.clone(), options);
            self.see_through(competition.clone(), call, Says::default())
                .await;
            invited.push(person);
        }
        invited
    }

    /// Removes people from a competition that has started: their places stay free.
    async fn remove_all(&mut self, people: &[UserId], competition: &CompetitionId) {
        for person in people {
            let call = Call::Remove(person.clone());
            self.see_through(competition.clone(), call, Says::default())
                .await;
        }
    }

    /// People who register here and there, and then delete their accounts.
    pub(super) async fn be_leavers(mut self, accounts: Accounts) -> Vec<Operation> {
        for n in 0.. {
            self.wait(self.stage.plan.life / 4).await;
            if self.is_over() {
                break;
            }
            let person = accounts.person(&format!("leaver-{n}")).await;
            self.who = Who::from(&person);
            let first = self.seen.len();
            for _ in 0..3 {
                // One that is not over when the account goes.
                let open = &self.stage.current()[..self.stage.plan.competitions];
                let competition = self.random.pick(open).clone();
                let call = Call::Register(person.id.clone());
                self.see_through(competition, call, Says::default()).await;
            }
            // What is still on its way may be done after the account is gone.
            let is_open = |one: &Operation| one.was_lost || one.answer == Answer::Unknown;
            if self.seen[first..].iter().any(is_open) {
                continue;
            }
            let mut asked: Vec<_> = self.seen[first..]
                .iter()
                .map(|one| one.competition.clone())
                .collect();
            asked.sort();
            asked.dedup();
            let call = Call::Erase(person.id.clone());
            self.see_through(asked[0].clone(), call, Says::default())
                .await;
            let erased = self.seen.last().expect("an operation").clone();
            let others = asked[1..].iter().map(|competition| Operation {
                competition: competition.clone(),
                ..erased.clone()
            });
            self.seen.extend(others);
        }
        self.seen
    }
}

fn moment(at: Timestamp) -> prost_types::Timestamp {
    api::convert::timestamp(at)
}
