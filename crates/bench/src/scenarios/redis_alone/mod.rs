//! The upper bound that Redis sets for registrations: the commands of the store, sent by a client
//! that does nothing else.
//!
//! The commands are recorded once, from the store itself, and sent again for other users and
//! competitions ([`template`]).

mod template;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{CompetitionId, RequestId};
use futures::{SinkExt, StreamExt};
use store::{Redis, UserStore};
use testkit::Proxy;
use testkit::proxy::{Forward, Network, Unchanged};
use testkit::redis_client::{IntoConnectionInfo, Value, ValueCodec, cmd};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::codec::Framed;
use uuid::Uuid;

use self::template::Template;
use super::names;
use crate::context::Context;
use crate::load::{CallResult, Caller};
use crate::measure::measure_alone;
use crate::report::BenchReport;
use crate::result::Result;
use crate::row::ReportRow;
use crate::seed::{LoadUser, open_competition};
use crate::stack::redis;

/// The user of Redis's ACL who sends the commands.
const USER: &str = "user-service";
const COMPETITIONS: usize = 1_000;
/// Several connections keep Redis busy while the replies on one are read.
const CONNECTIONS: usize = 4;
/// The registrations that a connection sends before it reads the replies.
const PIPELINED: usize = 64;
/// The batches of one competition that the store keeps in flight.
const BATCHES_IN_FLIGHT: usize = 2;
/// Long enough for the store to queue calls.
const QUEUEING_TIME: Duration = Duration::from_millis(50);

/// One script call per registration, over many competitions.
pub(super) async fn one_by_one(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    report.add_row(replay(context, names::REDIS_ALONE, "raw", 1).await?);
    Ok(())
}

/// One script call per 64 registrations for the same competition, as the store batches them.
pub(super) async fn batched(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    report.add_row(replay(context, names::REDIS_ALONE_BATCHED, "row", PIPELINED).await?);
    Ok(())
}

async fn replay(
    context: &Context<'_>,
    name: &'static str,
    kind: &str,
    batch_size: usize,
) -> Result<ReportRow> {
    let seeder = &context.seeder;
    let competitions = seeder
        .competitions(kind, COMPETITIONS, open_competition())
        .await?;
    let batches = Arc::new(Batches {
        template: record(context, &competitions[0], batch_size).await?,
        size: batch_size,
        users: context.users().await?.iter().map(texts_of).collect(),
        competitions: competitions[1..].iter().map(ToString::to_string).collect(),
        written: AtomicUsize::new(0),
    });
    let mut callers = Vec::new();
    for _ in 0..CONNECTIONS {
        callers.push(ReplayCaller {
            connection: connect(context).await?,
            batches: Arc::clone(&batches),
        });
    }
    let rounds = measure_alone(context, &context.observe(None), callers).await?;
    Ok(ReportRow::new(name, &rounds).per_operation(PIPELINED))
}

/// Records what the store sends when `batch_size` users register for a competition at the same
/// time: the reads of their sessions and one batch of registrations.
async fn record(
    context: &Context<'_>,
    competition: &CompetitionId,
    batch_size: usize,
) -> Result<Template> {
    let recorder = RequestRecorder::default();
    let direct = context.stack.redis.address();
    let forward = recorder.clone();
    let proxy = Proxy::start_with(direct, move || (forward.clone(), Unchanged)).await;
    let url = redis::url(&context.stack.redis, USER)?;
    let url = url.replace(&direct.to_string(), &proxy.address.to_string());
    let store = UserStore::new(&Redis::new(&url, None)?);
    let blockers = if batch_size > 1 { BATCHES_IN_FLIGHT } else { 0 };
    let (first, users) = context.users().await?.split_at(1);
    let (blockers, users) = users.split_at(blockers);
    let users = &users[..batch_size];

    // The first call opens the connection and loads the script.
    let request = RequestId::random();
    store.register(&first[0].id, competition, request).await?;
    recorder.bytes().clear();
    for user in users {
        store.user_session(&user.token).await?;
    }

    // The batches of the blockers wait for Redis while the others queue and so form one batch.
    proxy.set(Network::Stalled);
    let mut calls = JoinSet::new();
    let mut register = |user: &LoadUser, request| {
        let (store, user, competition) = (store.clone(), user.id.clone(), competition.clone());
        calls.spawn(async move { store.register(&user, &competition, request).await });
    };
    for blocker in blockers {
        register(blocker, RequestId::random());
        sleep(QUEUEING_TIME).await;
    }
    let mut texts = vec![competition.to_string()];
    for user in users {
        let request = RequestId::random();
        register(user, request);
        texts.extend(texts_of(user));
        texts.push(request.to_string());
    }
    sleep(QUEUEING_TIME).await;
    proxy.set(Network::Normal);
    while let Some(ended) = calls.join_next().await {
        ended??;
    }
    let blockers: Vec<_> = blockers.iter().map(|user| user.id.to_string()).collect();
    Template::new(&recorder.bytes(), &texts, &blockers)
}

/// The texts by which commands name a user.
fn texts_of(user: &LoadUser) -> [String; 2] {
    [user.id.to_string(), user.token.hash().to_string()]
}

/// Keeps what a client sends through a proxy.
#[derive(Clone, Default)]
struct RequestRecorder(Arc<Mutex<Vec<u8>>>);

impl RequestRecorder {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Forward for RequestRecorder {
    async fn forward(&mut self, bytes: &[u8], to: &mut OwnedWriteHalf) -> io::Result<()> {
        self.bytes().extend_from_slice(bytes);
        to.write_all(bytes).await
    }
}

/// The batches to send. Each pair of user and competition occurs once.
struct Batches {
    template: Template,
    /// The registrations in a batch.
    size: usize,
    users: Vec<[String; 2]>,
    competitions: Vec<String>,
    written: AtomicUsize,
}

impl Batches {
    fn write_next(&self, bytes: &mut Vec<u8>) {
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let batches = self.users.len() / self.size;
        let (round, batch) = (number / batches, number % batches);
        // The order of the texts in the template.
        let mut texts = vec![self.competitions[(batch + round) % self.competitions.len()].clone()];
        for user in &self.users[batch * self.size..][..self.size] {
            let request_id = Uuid::from_u64_pair(number as u64, texts.len() as u64);
            texts.extend_from_slice(user);
            texts.push(request_id.to_string());
        }
        self.template.write(&texts, bytes);
    }
}

type Connection = Framed<TcpStream, ValueCodec>;

/// Opens a connection without the client library, whose CPU time would slow Redis down.
async fn connect(context: &Context<'_>) -> Result<Connection> {
    let url = redis::url(&context.stack.redis, USER)?.into_connection_info()?;
    let stream = TcpStream::connect(context.stack.redis.address()).await?;
    stream.set_nodelay(true)?;
    let mut connection = Framed::new(stream, ValueCodec::default());
    let mut auth = cmd("AUTH");
    auth.arg(USER).arg(url.redis_settings().password());
    connection.send(auth.get_packed_command()).await?;
    match connection.next().await {
        Some(Ok(Value::Okay)) => Ok(connection),
        reply => Err(format!("Redis refused to authenticate: {reply:?}").into()),
    }
}

/// Sends 64 registrations per call.
struct ReplayCaller {
    connection: Connection,
    batches: Arc<Batches>,
}

impl Caller for ReplayCaller {
    async fn call(&mut self) -> CallResult {
        let batches = PIPELINED / self.batches.size;
        let mut bytes = Vec::new();
        for _ in 0..batches {
            self.batches.write_next(&mut bytes);
        }
        let sent = self.connection.send(bytes).await;
        sent.map_err(|error| error.to_string())?;
        let mut result = Ok(());
        for _ in 0..self.batches.template.commands() * batches {
            match self.connection.next().await {
                Some(Ok(reply)) if is_expected(&reply) => {}
                Some(Ok(reply)) => result = Err(format!("unexpected reply: {reply:?}")),
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("Redis closed the connection".to_owned()),
            }
        }
        result
    }
}

/// Whether a session was found, an index entry was written, or all users of a batch were
/// registered.
fn is_expected(reply: &Value) -> bool {
    let is_registered = |user: &Value| match user {
        Value::Array(words) => words.first() == Some(&Value::BulkString(b"registered".to_vec())),
        _ => false,
    };
    match reply {
        Value::Array(users) => users.iter().all(is_registered),
        Value::Nil | Value::ServerError(_) => false,
        _ => true,
    }
}
