//! Load: many clients that ask, try again under the same request id when no answer comes, and write down
//! what they saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::v1::Competition;
use domain::model::Door;
use domain::{Action, CompetitionId, RequestId, Timestamp};
use integration_tests::{DAY, from_now};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::ask::{Asker, Says, Try};
use crate::history::{Answer, Call, History, Operation};
use crate::random::Random;
use crate::world::{Person, World};

/// How long most clients try. In that time nobody else may change the same registration 8 times: then the
/// service would have forgotten the request.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How much load.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What decides who does what.
    pub seed: u64,
    /// Accounts.
    pub people: usize,
    /// Clients that register and withdraw, each for people of its own.
    pub users: usize,
    /// Clients that add, remove, and change capacities.
    pub organisers: usize,
    /// Competitions.
    pub competitions: usize,
    /// Capacities are changed to fewer than this, which is at most 101.
    pub most_places: u64,
}

/// Clients at work.
pub struct Load {
    /// The competitions that they ask about.
    pub competitions: Vec<CompetitionId>,
    clock: Clock,
    first: Vec<Operation>,
    clients: JoinSet<Vec<Operation>>,
    stop: watch::Sender<bool>,
    done: Arc<AtomicU64>,
}

#[derive(Clone, Copy)]
struct Clock {
    began: Instant,
    began_at: Timestamp,
}

/// One client.
struct Client {
    asker: Asker,
    clock: Clock,
    random: Random,
    most_places: u64,
    people: Vec<Person>,
    competitions: Arc<Vec<CompetitionId>>,
    stop: watch::Receiver<bool>,
    done: Arc<AtomicU64>,
    seen: Vec<Operation>,
}

impl Plan {
    /// What keeps two cores busy.
    #[must_use]
    pub fn heavy(seed: u64) -> Self {
        Self {
            seed,
            people: 480,
            users: 96,
            organisers: 16,
            competitions: 8,
            most_places: 101,
        }
    }

    /// What shows a bug in a moment: few people who all want the same places.
    #[must_use]
    pub fn narrow(seed: u64) -> Self {
        Self {
            seed,
            people: 24,
            users: 12,
            organisers: 2,
            competitions: 2,
            most_places: 12,
        }
    }
}

impl Load {
    /// Makes the people and the competitions, then sets the clients to work.
    pub async fn begin(world: &World, plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let began_at = SystemTime::now().duration_since(UNIX_EPOCH);
        let began_at = began_at.expect("after 1970").as_millis();
        let clock = Clock {
            began: Instant::now(),
            began_at: Timestamp::from_millis(i64::try_from(began_at).expect("a moment"))
                .expect("a moment"),
        };
        let competitions: Vec<_> = (0..plan.competitions)
            .map(|n| CompetitionId::parse(format!("cup-{n}")).expect("an id"))
            .collect();
        let mut people = Vec::new();
        for n in 0..plan.people {
            people.push(world.person(&format!("person-{n}")).await);
        }
        let (stop, stopped) = watch::channel(false);
        let mut load = Self {
            competitions: competitions.clone(),
            clock,
            first: Vec::new(),
            clients: JoinSet::new(),
            stop,
            done: Arc::default(),
        };
        let competitions = Arc::new(competitions);
        let mut client = |people: Vec<Person>| Client {
            asker: Asker::new(world),
            clock,
            random: random.fork(),
            most_places: plan.most_places,
            people,
            competitions: Arc::clone(&competitions),
            stop: stopped.clone(),
            done: Arc::clone(&load.done),
            seen: Vec::new(),
        };
        let mut founder = client(Vec::new());
        founder.found().await;
        load.first = founder.seen;
        let each = people.len().div_ceil(plan.users);
        for some in people.chunks(each) {
            load.clients.spawn(client(some.to_vec()).be_users());
        }
        for _ in 0..plan.organisers {
            load.clients.spawn(client(people.clone()).be_organiser());
        }
        load
    }

    /// How many operations have ended.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Lets every client end what it is at, and collects what they saw.
    pub async fn end(mut self) -> History {
        self.stop.send_replace(true);
        let mut operations = self.first;
        while let Some(seen) = self.clients.join_next().await {
            operations.append(&mut seen.expect("no panic"));
        }
        History {
            began_at: self.clock.began_at,
            operations,
        }
    }
}

impl Client {
    /// Makes and publishes the competitions, small and large.
    async fn found(&mut self) {
        for (n, competition) in (0..).zip(self.competitions.to_vec()) {
            let details = Competition {
                title: "Cup".to_owned(),
                registration_opens_at: Some(from_now(-DAY)),
                registration_closes_at: Some(from_now(29 * DAY)),
                starts_at: Some(from_now(30 * DAY)),
                ends_at: Some(from_now(31 * DAY)),
                capacity: Some(4 << n),
                waitlist_capacity: (n % 3 < 2).then_some(3 << n),
                ..Competition::default()
            };
            let says = Says {
                details,
                ..Says::default()
            };
            for action in [Action::Create, Action::Publish] {
                let call = Call::Change(action);
                self.see_through(competition.clone(), call, &says).await;
            }
        }
    }

    async fn be_users(mut self) -> Vec<Operation> {
        while !*self.stop.borrow() {
            let person = self.random.pick(&self.people).clone();
            let competition = self.random.pick(&self.competitions).clone();
            let call = match self.random.within(0..100) {
                0..50 => Call::Register(person.id.clone()),
                50..80 => Call::Withdraw(person.id.clone()),
                80..90 => Call::ReadRegistration(person.id.clone()),
                _ => Call::ReadCompetition,
            };
            self.see_through(competition, call, &Says::by(&person))
                .await;
        }
        self.seen
    }

    async fn be_organiser(mut self) -> Vec<Operation> {
        while !*self.stop.borrow() {
            let person = self.random.pick(&self.people).id.clone();
            let competition = self.random.pick(&self.competitions).clone();
            let door = Door {
                by_organiser: true,
                ignore_window: self.random.percent(20),
                over_capacity: self.random.percent(5),
            };
            let says = Says::default();
            let call = match self.random.within(0..100) {
                0..45 => Call::Add(person, door),
                45..75 => Call::Remove(person),
                75..90 => Call::ReadRegistration(person),
                _ => {
                    // So that never more than 100 are promoted at a time.
                    let places = self.random.within(1..self.most_places);
                    Call::SetCapacity(u32::try_from(places).unwrap_or(1))
                }
            };
            self.see_through(competition, call, &says).await;
        }
        self.seen
    }

    /// Asks until an answer comes or patience ends, and writes down what came out.
    async fn see_through(&mut self, competition: CompetitionId, call: Call, says: &Says) {
        let request = RequestId::random();
        let is_read = call.action().is_none();
        let first = Instant::now();
        let mut started = first;
        // Some never ask again: then what the service says of that one try has to be true.
        let patience = if self.random.percent(10) {
            Duration::ZERO
        } else {
            PATIENCE
        };
        let mut was_lost = false;
        let mut pause = Duration::from_millis(10);
        let answer = loop {
            match self.asker.ask(&competition, request, &call, says).await {
                Try::Answered(answer) => break answer,
                Try::NotApplied => {}
                Try::Lost => was_lost = !is_read,
            }
            if first.elapsed() > patience {
                break if was_lost {
                    Answer::Unknown
                } else {
                    Answer::NotApplied
                };
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if is_read {
                started = Instant::now();
            }
        };
        self.done.fetch_add(1, Ordering::Relaxed);
        let since = |moment: Instant| moment.duration_since(self.clock.began);
        self.seen.push(Operation {
            competition,
            request,
            call,
            started: since(started),
            ended: since(Instant::now()),
            was_lost,
            answer,
        });
    }
}
