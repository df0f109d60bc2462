//! The limit of Redis: what the store sends for a registration, recorded once and sent again by a raw
//! client that waits for nothing. It is exactly what a service sends, whatever the store does inside.
//!
//! - [`recorder`]: a proxy that keeps what passes.
//! - [`template`]: what passed, with holes for other people and competitions.

mod recorder;
mod template;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{CompetitionId, RequestId};
use futures::future::try_join_all;
use store::{Redis, UserStore};
use tokio::sync::Mutex;

use self::recorder::Recorder;
use self::template::{Person, Template};
use crate::Result;
use crate::line::{ROUNDS, Row, sample};
use crate::lines::{Bench, COMPETITIONS, names};
use crate::load::Answer;
use crate::report::Report;
use crate::seed::{Member, Shape};
use crate::stack::resp::{Connection, Reply};

/// Who sends it.
const USER: &str = "user-service";
/// So many connections keep Redis at work while the answers of one are read.
const CONNECTIONS: usize = 4;
/// How many registrations one connection sends before it reads the answers.
const PIPELINED: usize = 64;

/// A script for each registration, spread over many competitions.
pub(crate) async fn one_by_one(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let kind = Kind {
        name: names::REPLAY,
        competitions: "raw",
        together: 1,
    };
    replay(bench, report, &kind).await
}

/// A script for 64 registrations for one competition, as in a rush.
pub(crate) async fn together(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let kind = Kind {
        name: names::REPLAY_TOGETHER,
        competitions: "row",
        together: PIPELINED,
    };
    replay(bench, report, &kind).await
}

struct Kind {
    name: &'static str,
    /// What the ids of the competitions begin with.
    competitions: &'static str,
    /// How many one script takes.
    together: usize,
}

async fn replay(bench: &Bench<'_>, report: &mut Report, kind: &Kind) -> Result<()> {
    let competitions = bench
        .seeder
        .competitions(kind.competitions, COMPETITIONS, Shape::OPEN)
        .await?;
    let (first, competitions) = competitions.split_first().ok_or("no competition")?;
    let template = record(bench, first, kind.together).await?;
    let supply = Arc::new(Supply {
        template,
        people: bench.members().await?.iter().map(Person::of).collect(),
        competitions: competitions.iter().map(CompetitionId::to_string).collect(),
        sent: AtomicUsize::new(0),
    });
    let fits = |person: &Person| {
        let competitions = supply.competitions.iter();
        competitions
            .take(1)
            .all(|competition| supply.template.fits(person, competition))
    };
    if !supply.people.iter().all(fits) {
        return Err("ids are not all of the same length".into());
    }
    let scripts = PIPELINED / kind.together;
    let mut callers = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = Connection::open(&bench.stack.redis, USER).await?;
        let connection = Arc::new(Mutex::new(connection));
        let supply = Arc::clone(&supply);
        callers.push(move || {
            let (connection, supply) = (Arc::clone(&connection), Arc::clone(&supply));
            async move { send(&mut *connection.lock().await, &supply, scripts).await }
        });
    }
    let mut samples = Vec::new();
    for _ in 0..ROUNDS {
        let measured;
        (callers, measured) = sample(
            &bench.watch(None),
            callers,
            bench.settings.length() / ROUNDS,
        )
        .await?;
        samples.push(measured);
    }
    report
        .rows
        .push(Row::of(kind.name, &samples).each_for(PIPELINED));
    Ok(())
}

/// Records what the store sends when so many register for a competition at the same time: the look at
/// each one's session, the entries of their indexes, the script.
async fn record(
    bench: &Bench<'_>,
    competition: &CompetitionId,
    together: usize,
) -> Result<Template> {
    let recorder = Recorder::start(bench.stack.redis.address()).await?;
    let url = bench
        .stack
        .redis
        .url_for(USER)
        .ok_or("the ACL has no such user")?;
    let direct = bench.stack.redis.address().to_string();
    let redis = Redis::new(&url.replace(&direct, &recorder.address().to_string()), None)?;
    let store = UserStore::new(&redis);
    let [ahead, members @ ..] = &bench.members().await?[..=together + 1] else {
        return Err("there are too few members".into());
    };
    let (opens, members) = members.split_first().ok_or("there are too few members")?;
    let requests: Vec<_> = members.iter().map(|_| RequestId::random()).collect();
    // The first call of all opens the connection and loads the script.
    store
        .register(&opens.id, competition, RequestId::random())
        .await?;
    recorder.forget();

    try_join_all(
        members
            .iter()
            .map(|member| store.user_session(&member.token)),
    )
    .await?;
    // One goes ahead, so that all others are behind it and go in together.
    let goes_ahead = (together > 1).then_some((ahead, RequestId::random()));
    let behind = members.iter().zip(requests.iter().copied());
    let all = goes_ahead.into_iter().chain(behind);
    try_join_all(all.map(|(member, request)| store.register(&member.id, competition, request)))
        .await?;

    let people: Vec<_> = members.iter().map(Person::of).collect();
    let requests: Vec<_> = requests.iter().map(RequestId::to_string).collect();
    let said = recorder.said();
    Template::of(
        &said,
        ahead.id.as_str(),
        &people,
        &requests,
        competition.as_str(),
    )
}

/// What is sent: the template for other people and other competitions, each pair once.
struct Supply {
    template: Template,
    people: Vec<Person>,
    competitions: Vec<String>,
    sent: AtomicUsize,
}

impl Supply {
    /// Writes the commands of one more script.
    fn next(&self, bytes: &mut Vec<u8>) {
        let together = self.template.people();
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let rows = self.people.len() / together;
        let (round, row) = (number / rows, number % rows);
        let people = &self.people[row * together..][..together];
        let competition = &self.competitions[(row + round) % self.competitions.len()];
        self.template.write(bytes, people, number, competition);
    }
}

async fn send(connection: &mut Connection, supply: &Supply, scripts: usize) -> Answer {
    let mut bytes = Vec::new();
    for _ in 0..scripts {
        supply.next(&mut bytes);
    }
    let mut surprise = None;
    let sent = async {
        connection.send(&bytes).await?;
        let answers = supply.template.commands() * scripts;
        connection
            .receive(answers, |reply| {
                if !is_good(&reply) {
                    surprise.get_or_insert_with(|| format!("{reply:?}"));
                }
            })
            .await
    };
    let sent: Result<()> = sent.await;
    sent.map_err(|error| error.to_string())?;
    surprise.map_or(Ok(()), Err)
}

/// A session that is there, an entry of an index that was written, or registrations all of which were
/// made.
fn is_good(reply: &Reply<'_>) -> bool {
    let is_registered = |reply: &Reply<'_>| match reply {
        Reply::List(words) => words.first() == Some(&Reply::Text(b"registered")),
        _ => false,
    };
    match reply {
        Reply::Text(_) | Reply::Number(_) => true,
        Reply::List(replies) => replies.iter().all(is_registered),
        Reply::Nothing | Reply::Error(_) => false,
    }
}

impl Person {
    fn of(member: &Member) -> Self {
        Self {
            id: member.id.to_string(),
            token: member.token.hash().to_string(),
        }
    }
}
