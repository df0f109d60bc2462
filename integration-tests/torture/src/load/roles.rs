//! What each kind of client does.

use std::time::Duration;

use api::v1::Competition;
use domain::{AddOptions, CompetitionId, UserId};
use testkit::CompetitionBuilder;

use super::Worker;
use crate::client::now;
use crate::history::{Call, Observation, Operation};
use crate::world::Accounts;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// The capacity of a short competition.
const SHORT_CAPACITY: i32 = 3;

impl Worker {
    /// Creates and publishes the competitions that stay open, small and large.
    pub(super) async fn make_competitions(&mut self) {
        for n in 0..self.shared.plan.competitions {
            let competition = CompetitionId::parse(format!("cup-{n}")).expect("a valid id");
            self.shared.enter(&competition);
            let details = CompetitionBuilder::new()
                .window(0, 29 * DAY_MILLIS)
                .held(30 * DAY_MILLIS, 31 * DAY_MILLIS)
                .capacity(4 << n)
                .waitlist_capacity((n % 3 < 2).then_some(3 << n));
            let details = Box::new(Competition::from(details.build()));
            self.client.call(&competition, Call::Create(details)).await;
            self.client.call(&competition, Call::Publish).await;
        }
    }

    /// Registers, withdraws and reads, each time as one of the users.
    pub(super) async fn run_users(mut self) -> Vec<Operation> {
        while !self.is_stopped() {
            self.client.account = self.pick_user();
            let user = self.client.account.user_id().clone();
            let competition = self.pick_competition();
            let call = match self.client.random.within(0..1000) {
                0..440 => Call::Register(user),
                440..720 => Call::Withdraw(user),
                720..800 => Call::ReadRegistration(user),
                800..890 => Call::ReadCompetition,
                890..935 => Call::Preview(user),
                935..940 => {
                    let current = self.shared.current();
                    let newest = &current[current.len().saturating_sub(3)..];
                    // A list that fails is not read again.
                    let _ = self.read_own_list(newest).await;
                    continue;
                }
                _ => {
                    self.client.repeat().await;
                    continue;
                }
            };
            self.client.call(&competition, call).await;
        }
        self.client.recorded
    }

    /// Adds, removes and reads users, and changes competitions.
    pub(super) async fn run_organiser(mut self) -> Vec<Operation> {
        while !self.is_stopped() {
            let user = self.pick_user();
            let user_id = user.user_id().clone();
            let competition = self.pick_competition();
            let random = &mut self.client.random;
            let call = match random.within(0..1000) {
                0..400 => Call::Add {
                    user: user_id,
                    email: random.percent(30).then_some(user.email),
                    options: AddOptions {
                        ignore_window: random.percent(20),
                        over_capacity: random.percent(5),
                    },
                },
                400..660 => Call::Remove(user_id),
                660..800 => Call::ReadRegistration(user_id),
                800..850 => Call::ReadCompetition,
                850..853 => Call::List(self.pick_states()),
                853..880 => {
                    self.client.repeat().await;
                    continue;
                }
                _ => self.pick_change(),
            };
            self.client.call(&competition, call).await;
        }
        self.client.recorded
    }

    fn pick_change(&mut self) -> Call {
        let max = self.shared.plan.max_capacity;
        let random = &mut self.client.random;
        match random.within(0..100) {
            0..65 => Call::Set("capacity", random.within(1..max).to_string()),
            // More than 100 promotions at once become possible.
            65..70 => Call::Set("capacity", (4 * max).to_string()),
            70..80 => {
                let capacity = *random.pick(&["", "0", "5", "60"]);
                Call::Set("waitlist_capacity", capacity.to_owned())
            }
            _ => Call::Set("venue", format!("hall {}", random.number())),
        }
    }

    /// Makes one short competition after the other. Each one opens, closes, starts and ends, or it
    /// is cancelled while it is open, or deleted while it is a draft.
    pub(super) async fn run_short_competitions(mut self, cancels: bool) -> Vec<Operation> {
        let name = if cancels { "called-off" } else { "day" };
        for n in 0.. {
            if self.is_stopped() {
                break;
            }
            let competition = CompetitionId::parse(format!("{name}-{n}")).expect("a valid id");
            self.run_short_competition(&competition, n, cancels).await;
            // The pauses grow, so that the lists of a long run stay short.
            let pause = self.shared.progress.start.elapsed() / 50;
            self.wait(pause).await;
        }
        self.client.recorded
    }

    async fn run_short_competition(&mut self, id: &CompetitionId, n: u32, cancels: bool) {
        let lifetime = self.shared.plan.lifetime;
        let details = Box::new(short_competition(n, lifetime));
        // The other clients ask for it before it exists, and while it is a draft.
        self.shared.enter(id);
        self.wait(lifetime / 20).await;
        self.client.call(id, Call::Create(details)).await;
        self.wait(lifetime / 10).await;
        if n % 4 == 3 {
            self.client.call(id, Call::Delete).await;
            self.wait(lifetime / 10).await;
        } else {
            self.client.call(id, Call::Publish).await;
            let added = self.add_users(id).await;
            self.exceed_and_raise_capacity(id).await;
            if cancels {
                self.wait(lifetime * 35 / 100).await;
                self.client.call(id, Call::Cancel).await;
                self.wait(lifetime / 5).await;
            } else {
                self.wait(lifetime * 7 / 10).await;
                // After the start, so that nobody is promoted.
                for user in added {
                    self.client.call(id, Call::Remove(user)).await;
                }
                self.wait(lifetime * 3 / 10).await;
            }
        }
        self.shared.leave(id);
    }

    /// Adds more users than the competition has places, before its window opens.
    async fn add_users(&mut self, competition: &CompetitionId) -> Vec<UserId> {
        let mut added = Vec::new();
        for _ in 0..2 * SHORT_CAPACITY {
            added.push(self.add_early(competition, false).await);
        }
        added
    }

    /// Adds users over the capacity, and sets larger ones that they still exceed.
    async fn exceed_and_raise_capacity(&mut self, competition: &CompetitionId) {
        for larger in 1..=3 {
            for _ in 0..2 {
                self.add_early(competition, true).await;
            }
            let capacity = (SHORT_CAPACITY + larger).to_string();
            let raise = Call::Set("capacity", capacity);
            self.client.call(competition, raise).await;
        }
    }

    /// Adds a user before the window opens.
    async fn add_early(&mut self, competition: &CompetitionId, over_capacity: bool) -> UserId {
        let user = self.pick_user().user_id().clone();
        let call = Call::Add {
            user: user.clone(),
            email: None,
            options: AddOptions {
                ignore_window: true,
                over_capacity,
            },
        };
        self.client.call(competition, call).await;
        user
    }

    /// Makes users who register a few times and then delete their accounts.
    pub(super) async fn run_leavers(mut self, accounts: Accounts) -> Vec<Operation> {
        for n in 0.. {
            self.wait(self.shared.plan.lifetime / 4).await;
            if self.is_stopped() {
                break;
            }
            self.client.account = accounts.user(&format!("leaver-{n}")).await;
            self.register_and_leave().await;
        }
        self.client.recorded
    }

    async fn register_and_leave(&mut self) {
        let user = self.client.account.user_id().clone();
        let first = self.client.recorded.len();
        for _ in 0..3 {
            // One that is not over when the account is deleted.
            let open = &self.shared.current()[..self.shared.plan.competitions];
            let competition = self.client.random.pick(open).clone();
            let call = Call::Register(user.clone());
            self.client.call(&competition, call).await;
        }
        let registered = &self.client.recorded[first..];
        // A lost attempt may be applied after the account is deleted.
        let may_follow = |one: &Operation| one.was_lost || one.observed == Observation::Unknown;
        if registered.iter().any(may_follow) {
            return;
        }
        let mut competitions: Vec<_> = registered
            .iter()
            .map(|one| one.competition.clone())
            .collect();
        competitions.sort();
        competitions.dedup();
        self.client.call(&competitions[0], Call::Erase(user)).await;
        // The deletion concerns the other competitions too.
        let erased = self.client.recorded.last().expect("an operation").clone();
        let others = competitions[1..].iter().map(|competition| Operation {
            competition: competition.clone(),
            ..erased.clone()
        });
        self.client.recorded.extend(others);
    }
}

fn short_competition(n: u32, lifetime: Duration) -> Competition {
    let part = |percent: u32| {
        let millis = (lifetime * percent / 100).as_millis();
        i64::try_from(millis).expect("a short time")
    };
    let details = CompetitionBuilder::new()
        .now(now().as_millis())
        .title(format!("Day {n}"))
        .description("short")
        .country_code("CH")
        .window(part(35), part(65))
        .held(part(80), part(100))
        .capacity(i64::from(SHORT_CAPACITY))
        .waitlist_capacity(20);
    details.build().into()
}
