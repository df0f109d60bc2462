//! The load: many concurrent clients that register, organise and read.
//!
//! - `roles`: what each kind of client does.
//! - `reads`: reads lists, and everything once more at the end.

mod reads;
mod roles;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::CompetitionId;
use testkit::Random;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Client, Progress};
use crate::history::{History, Operation};
use crate::world::{SignedInAccount, World};

/// The size of the load.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Equal seeds give equal choices of the clients.
    pub seed: u64,
    pub accounts: usize,
    /// Clients that register and withdraw, each for accounts of its own.
    pub users: usize,
    /// Clients that add, remove, and change competitions.
    pub organisers: usize,
    /// Competitions that stay open.
    pub competitions: usize,
    /// Capacities are mostly set below this.
    pub max_capacity: u64,
    /// The life of the further competitions, which follow one another: they open, close, start, and
    /// end, or are cancelled or deleted.
    pub lifetime: Duration,
}

impl Plan {
    /// Keeps two cores busy.
    #[must_use]
    pub fn heavy(seed: u64) -> Self {
        Self {
            seed,
            accounts: 480,
            users: 96,
            organisers: 16,
            competitions: 8,
            max_capacity: 101,
            lifetime: Duration::from_secs(5),
        }
    }

    /// Shows a bug within seconds: few users who compete for the same places.
    #[must_use]
    pub fn narrow(seed: u64) -> Self {
        Self {
            seed,
            accounts: 24,
            users: 12,
            organisers: 3,
            competitions: 2,
            max_capacity: 12,
            lifetime: Duration::from_secs(1),
        }
    }
}

pub struct Load {
    shared: Arc<Shared>,
    users: Vec<SignedInAccount>,
    organiser: SignedInAccount,
    recorded: Vec<Operation>,
    workers: JoinSet<Vec<Operation>>,
    stop: watch::Sender<bool>,
}

/// What all workers share.
struct Shared {
    plan: Plan,
    progress: Arc<Progress>,
    /// The competitions that workers use now.
    current: Mutex<Vec<CompetitionId>>,
    /// All competitions of the run.
    all: Mutex<Vec<CompetitionId>>,
}

/// One client with its task.
struct Worker {
    client: Client,
    /// The users whom it registers or adds.
    users: Vec<SignedInAccount>,
    shared: Arc<Shared>,
    stop: watch::Receiver<bool>,
}

impl Load {
    /// Makes the accounts and the competitions, then starts the clients.
    pub async fn start(world: &World, plan: Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let (users, mut organisers) = make_accounts(world, plan).await;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            plan,
            progress: Arc::default(),
            current: Mutex::default(),
            all: Mutex::default(),
        });
        let mut worker = |account: &SignedInAccount, users: &[SignedInAccount]| {
            let progress = Arc::clone(&shared.progress);
            Worker {
                client: Client::new(world, account.clone(), random.fork(), progress),
                users: users.to_vec(),
                shared: Arc::clone(&shared),
                stop: stopped.clone(),
            }
        };
        let mut founder = worker(&organisers[0], &[]);
        founder.make_competitions().await;
        let mut workers = JoinSet::new();
        for some in users.chunks(users.len().div_ceil(plan.users)) {
            workers.spawn(worker(&some[0], some).run_users());
        }
        workers.spawn(worker(&organisers[1], &users).run_short_competitions(false));
        workers.spawn(worker(&organisers[2], &users).run_short_competitions(true));
        for organiser in &organisers[3..] {
            workers.spawn(worker(organiser, &users).run_organiser());
        }
        let leavers = worker(&organisers[0], &[]);
        workers.spawn(leavers.run_leavers(world.accounts.clone()));
        Self {
            shared,
            users,
            organiser: organisers.swap_remove(0),
            recorded: founder.client.recorded,
            workers,
            stop,
        }
    }

    /// The number of completed operations.
    #[must_use]
    pub fn completed(&self) -> u64 {
        self.shared.progress.completed()
    }

    /// Lets every client complete its operation, then reads everything once more. The services must
    /// be healthy by now. Returns the history and all competitions.
    pub async fn finish(mut self, world: &World) -> (History, Vec<CompetitionId>) {
        self.stop.send_replace(true);
        let mut operations = self.recorded;
        while let Some(recorded) = self.workers.join_next().await {
            operations.append(&mut recorded.expect("no panic"));
        }
        world.wait_until_serving().await;
        let random = Random::new(self.shared.plan.seed);
        let progress = Arc::clone(&self.shared.progress);
        let mut reader = Worker {
            client: Client::new(world, self.organiser, random, progress),
            users: self.users,
            shared: self.shared,
            stop: self.stop.subscribe(),
        };
        reader.read_everything().await;
        operations.append(&mut reader.client.recorded);
        (History { operations }, reader.shared.all())
    }
}

/// Makes the users, and three organisers more than the plan has clients for.
async fn make_accounts(world: &World, plan: Plan) -> (Vec<SignedInAccount>, Vec<SignedInAccount>) {
    let (mut users, mut organisers) = (Vec::new(), Vec::new());
    for n in 0..plan.accounts {
        users.push(world.accounts.user(&format!("person-{n}")).await);
    }
    for n in 0..plan.organisers + 3 {
        organisers.push(world.accounts.organiser(&format!("organiser-{n}")).await);
    }
    (users, organisers)
}

impl Shared {
    fn current(&self) -> Vec<CompetitionId> {
        lock(&self.current).clone()
    }

    fn all(&self) -> Vec<CompetitionId> {
        lock(&self.all).clone()
    }

    /// Lets the workers use a competition.
    fn enter(&self, competition: &CompetitionId) {
        lock(&self.all).push(competition.clone());
        lock(&self.current).push(competition.clone());
    }

    fn leave(&self, competition: &CompetitionId) {
        lock(&self.current).retain(|other| other != competition);
    }
}

impl Worker {
    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits, but not beyond the end of the load.
    async fn wait(&mut self, time: Duration) {
        let _ = timeout(time, self.stop.wait_for(|is_stopped| *is_stopped)).await;
    }

    fn pick_competition(&mut self) -> CompetitionId {
        self.client.random.pick(&self.shared.current()).clone()
    }

    fn pick_user(&mut self) -> SignedInAccount {
        self.client.random.pick(&self.users).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
