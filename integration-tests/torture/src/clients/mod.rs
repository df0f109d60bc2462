//! Load: many clients that ask, try again under the same request id when no answer comes, and write down
//! what they saw.
//!
//! - `client`: how one client asks, and writes down what came out.
//! - `roles`: what each kind of client wants.
//! - `lists`: reading lists, and everything once more at the end.

mod client;
mod lists;
mod roles;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::CompetitionId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::client::Client;
use crate::ask::{Asker, Who};
use crate::history::{History, Operation};
use crate::random::Random;
use crate::world::{Person, World};

/// How much load.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What decides who does what.
    pub seed: u64,
    /// Accounts.
    pub people: usize,
    /// Clients that register and withdraw, each for people of its own.
    pub users: usize,
    /// Clients that add, remove, and change competitions.
    pub organisers: usize,
    /// Competitions that are open all the time.
    pub competitions: usize,
    /// Capacities are mostly changed to fewer than this.
    pub most_places: u64,
    /// From the creation to the end of the competitions that come one after the other beside those: they
    /// open, close, start, and are over, cancelled or deleted.
    pub life: Duration,
}

/// Clients at work.
pub struct Load {
    stage: Arc<Stage>,
    people: Vec<Person>,
    organiser: Who,
    first: Vec<Operation>,
    clients: JoinSet<Vec<Operation>>,
    stop: watch::Sender<bool>,
}

/// What all clients share.
struct Stage {
    plan: Plan,
    began: Instant,
    done: AtomicU64,
    /// What clients ask about now.
    current: Mutex<Vec<CompetitionId>>,
    /// All that there ever was.
    all: Mutex<Vec<CompetitionId>>,
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
            life: Duration::from_secs(5),
        }
    }

    /// What shows a bug in a moment: few people who all want the same places.
    #[must_use]
    pub fn narrow(seed: u64) -> Self {
        Self {
            seed,
            people: 24,
            users: 12,
            organisers: 3,
            competitions: 2,
            most_places: 12,
            life: Duration::from_secs(1),
        }
    }
}

impl Load {
    /// Makes the people and the competitions, then sets the clients to work.
    pub async fn begin(world: &World, plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let mut people = Vec::new();
        for n in 0..plan.people {
            people.push(world.accounts.person(&format!("person-{n}")).await);
        }
        let mut organisers = Vec::new();
        for n in 0..plan.organisers + 3 {
            organisers.push(world.organiser(&format!("organiser-{n}")).await);
        }
        let (stop, stopped) = watch::channel(false);
        let stage = Arc::new(Stage {
            plan,
            began: Instant::now(),
            done: AtomicU64::new(0),
            current: Mutex::default(),
            all: Mutex::default(),
        });
        let mut client = |who: Who, people: Vec<Person>| Client {
            asker: Asker::new(world),
            who,
            random: random.fork(),
            people,
            stage: Arc::clone(&stage),
            stop: stopped.clone(),
            seen: Vec::new(),
            answered: VecDeque::new(),
        };
        let organiser = organisers[0].clone();
        let mut founder = client(organiser.clone(), Vec::new());
        founder.found().await;
        let mut clients = JoinSet::new();
        let each = people.len().div_ceil(plan.users);
        for some in people.chunks(each) {
            clients.spawn(client(Who::from(&some[0]), some.to_vec()).be_users());
        }
        for (cancels, herald) in [(false, &organisers[1]), (true, &organisers[2])] {
            clients.spawn(client(herald.clone(), people.clone()).be_herald(cancels));
        }
        for organiser in organisers.split_off(3) {
            clients.spawn(client(organiser, people.clone()).be_organiser());
        }
        let leaver = client(organiser.clone(), Vec::new());
        clients.spawn(leaver.be_leavers(world.accounts.clone()));
        Self {
            stage,
            people,
            organiser,
            first: founder.seen,
            clients,
            stop,
        }
    }

    /// How many operations have ended.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.stage.done.load(Ordering::Relaxed)
    }

    /// Lets every client end what it is at, and collects what they saw. Then reads everything once more
    /// through the services, which must be well: what they show when nothing moves is part of the history.
    /// Answers the competitions too.
    pub async fn end(mut self, world: &World) -> (History, Vec<CompetitionId>) {
        self.stop.send_replace(true);
        let mut operations = self.first;
        while let Some(seen) = self.clients.join_next().await {
            operations.append(&mut seen.expect("no panic"));
        }
        world.is_well().await;
        let mut reader = Client {
            asker: Asker::new(world),
            who: self.organiser,
            random: Random::new(self.stage.plan.seed),
            people: self.people,
            stage: self.stage,
            stop: self.stop.subscribe(),
            seen: operations,
            answered: VecDeque::new(),
        };
        reader.read_everything().await;
        let competitions = reader.stage.all();
        (
            History {
                operations: reader.seen,
            },
            competitions,
        )
    }
}

impl Stage {
    fn current(&self) -> Vec<CompetitionId> {
        lock(&self.current).clone()
    }

    fn all(&self) -> Vec<CompetitionId> {
        lock(&self.all).clone()
    }

    /// From now on clients ask about this one too.
    fn enter(&self, competition: &CompetitionId) {
        lock(&self.all).push(competition.clone());
        lock(&self.current).push(competition.clone());
    }

    /// From now on nobody asks about it.
    fn leave(&self, competition: &CompetitionId) {
        lock(&self.current).retain(|one| one != competition);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
