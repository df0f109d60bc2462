//! Which lines there are.
//!
//! - [`health`], [`catalogue`], [`registrations`], [`organiser`]: calls, each beside its limit.
//! - [`rush`]: everybody comes in the same moment.
//! - [`sign_in`]: others call while many sign in.
//! - [`scale`]: whether a page costs more where there is more.
//! - [`start`]: how long it takes until a service serves.

mod catalogue;
mod health;
pub(crate) mod names;
mod organiser;
mod registrations;
mod rush;
mod scale;
mod sign_in;
mod start;

pub(crate) use rush::{Attempt, Ending, History};

use std::pin::Pin;
use std::time::Instant;

use api::admin::SignInRequest;
use api::admin::admin_service_client::AdminServiceClient;
use tokio::sync::OnceCell;
use tokio::time::{Duration, sleep};
use tonic::Code;
use tonic::metadata::{Ascii, MetadataValue};

use crate::line::Watched;
use crate::report::Report;
use crate::seed::{Member, Seeder, credential};
use crate::settings::Settings;
use crate::stack::{OWNER_EMAIL, OWNER_PASSWORD, RedisCounters, Server, Stack};
use crate::{Result, peer, replay};

/// How many people there are: as many as come in the rush.
pub(crate) const MEMBERS: usize = 50_000;
/// How many competitions a load is spread over.
pub(crate) const COMPETITIONS: usize = 1_000;
/// The user of the ACL who may only look.
const LOOKER: &str = "doctor";
/// How long it may take until the owner can sign in.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all lines share.
pub(crate) struct Bench<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) stack: Stack,
    pub(crate) counters: RedisCounters,
    pub(crate) seeder: Seeder,
    members: OnceCell<Vec<Member>>,
    owner: OnceCell<MetadataValue<Ascii>>,
}

type Measuring<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A part of the run.
struct Line {
    name: &'static str,
    measure: for<'a> fn(&'a Bench<'_>, &'a mut Report) -> Measuring<'a>,
}

macro_rules! lines {
    ($($name:expr => $measure:path;)*) => {
        &[$(Line { name: $name, measure: |bench, report| Box::pin($measure(bench, report)) },)*]
    };
}

/// The lines, in the order in which they run.
const LINES: &[Line] = lines! {
    names::HEALTH_BASE => health::base;
    names::HEALTH_DEEP => health::deep;
    names::GET_COMPETITION => catalogue::get_competition;
    names::GET_ONE => catalogue::get_one;
    names::LIST_COMPETITIONS => catalogue::list_competitions;
    names::REGISTER => registrations::register;
    names::REGISTER_ONE => registrations::register_for_one;
    names::REGISTER_WAITLISTED => registrations::register_waitlisted;
    names::REGISTER_CLOSED => registrations::register_closed;
    names::WITHDRAW => registrations::withdraw;
    names::GET_MY_REGISTRATION => registrations::get_my_registration;
    names::LIST_MY_REGISTRATIONS => registrations::list_my_registrations;
    names::LIST_REGISTRATIONS => organiser::list_registrations;
    names::REPLAY => replay::one_by_one;
    names::REPLAY_TOGETHER => replay::together;
    names::RUSH => rush::rush;
    names::SIGN_IN => sign_in::sign_in;
    names::SCALE => scale::scale;
    names::PEER => peer::measure;
};

/// Measures all lines that are wanted, and writes the report.
pub(crate) async fn measure(settings: &Settings) -> Result<()> {
    if settings.list {
        for name in [names::START]
            .into_iter()
            .chain(LINES.iter().map(|line| line.name))
        {
            println!("{name}");
        }
        return Ok(());
    }
    let began_at = Instant::now();
    let mut report = Report::new(settings);
    say("starting Redis and the services");
    let mut stack = Stack::start(settings).await?;
    if settings.wants(names::START) {
        say(names::START);
        start::start(&mut stack, &mut report).await?;
    }
    let bench = Bench {
        settings,
        counters: RedisCounters::open(&stack.redis, LOOKER).await?,
        seeder: Seeder::new(&stack).await?,
        stack,
        members: OnceCell::new(),
        owner: OnceCell::new(),
    };
    let wanted: Vec<_> = LINES
        .iter()
        .filter(|line| settings.wants(line.name))
        .collect();
    // One line that fails does not cost the others their figures.
    let mut failed = Vec::new();
    for (number, line) in wanted.iter().enumerate() {
        let seconds = began_at.elapsed().as_secs();
        say(&format!(
            "[{seconds:3} s] {}/{} {}",
            number + 1,
            wanted.len(),
            line.name
        ));
        let rows = report.rows.len();
        if let Err(error) = (line.measure)(&bench, &mut report).await {
            say(&format!("  failed: {error}"));
            failed.push(line.name);
        }
        for row in &report.rows[rows..] {
            say(&row.in_short());
        }
    }
    report.length = began_at.elapsed();
    report.publish(&settings.out)?;
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("these lines failed: {}", failed.join("; ")).into())
}

impl Bench<'_> {
    /// What is watched while calls are made on this server, if they are made on one.
    pub(crate) fn watch(&self, server: Option<&Server>) -> Watched<'_> {
        Watched {
            server: server.map(Server::pid),
            redis: self.stack.redis.pid(),
            counters: &self.counters,
        }
    }

    /// The people, made when they are first needed.
    pub(crate) async fn members(&self) -> Result<&[Member]> {
        let make = || async {
            say(&format!("  making {MEMBERS} accounts"));
            self.seeder.members(0..MEMBERS).await
        };
        Ok(self.members.get_or_try_init(make).await?)
    }

    /// What the owner shows to admin-service.
    pub(crate) async fn owner(&self) -> Result<&MetadataValue<Ascii>> {
        self.owner.get_or_try_init(|| self.sign_owner_in()).await
    }

    async fn sign_owner_in(&self) -> Result<MetadataValue<Ascii>> {
        let mut client = AdminServiceClient::new(self.stack.admin.connect().await?);
        let give_up = Instant::now() + PATIENCE;
        loop {
            let asked = SignInRequest {
                email: OWNER_EMAIL.to_owned(),
                password: OWNER_PASSWORD.to_owned(),
            };
            match client.sign_in(asked).await {
                Ok(session) => return credential(&session.get_ref().session_token),
                // The service makes the owner after it has begun to serve.
                Err(status)
                    if status.code() == Code::Unauthenticated && Instant::now() < give_up =>
                {
                    sleep(Duration::from_millis(10)).await;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }

    /// How many calls one line makes at most, if it makes so many per second.
    pub(crate) fn most_calls(&self, per_second: usize) -> usize {
        let seconds = self.settings.seconds.ceil() + 3.0;
        // Truncated: it is a small number.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let seconds = seconds as usize;
        per_second * seconds
    }

    /// How many calls are in flight on each connection.
    pub(crate) fn in_flight(&self) -> usize {
        self.settings.in_flight.into()
    }

    /// The same for calls whose answers are large: a sixteenth, and at least one.
    pub(crate) fn in_flight_large(&self) -> usize {
        (self.in_flight() / 16).max(1)
    }
}

/// Tells the person who waits how far it is.
pub(crate) fn say(sentence: &str) {
    eprintln!("{sentence}");
}
