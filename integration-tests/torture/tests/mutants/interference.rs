//! Bugs outside of the scripts: changes of single commands between a service and Redis.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use torture::world::World;
use torture::world::rewrite::Command;

use crate::mutants::Interference;

/// The delay of an index entry that is written too late.
pub(crate) const DELAY: Duration = Duration::from_millis(100);

/// The numbers of current and of waiting users, by the revision key of the competition.
pub(crate) type Counts = Arc<Mutex<HashMap<Vec<u8>, (u64, u64)>>>;

/// Applies an [`Interference`] to commands.
pub(crate) struct Interceptor {
    pub(crate) interference: Option<Interference>,
    pub(crate) counts: Counts,
    pub(crate) delayed: UnboundedSender<Command>,
}

impl Interceptor {
    pub(crate) fn intercept(&self, command: &mut Command) {
        let is = |name: &[u8], key_ends_with: &[u8]| {
            command[0].eq_ignore_ascii_case(name)
                && command
                    .get(1)
                    .is_some_and(|key| key.ends_with(key_ends_with))
        };
        let Some(interference) = self.interference else {
            return;
        };
        match interference {
            Interference::EmptyWaitlist if is(b"ZCARD", b"}:waitlist") => {
                command[0] = b"ZCOUNT".to_vec();
                command.extend([b"0".to_vec(), b"0".to_vec()]);
            }
            Interference::WrongRevision if is(b"GET", b"}:revision") => {
                command[0] = b"STRLEN".to_vec();
            }
            Interference::NoIndexEntry if is(b"HSET", b"}:competitions") => {
                *command = vec![b"PING".to_vec()];
            }
            Interference::LateIndexEntry if is(b"HSET", b"}:competitions") => {
                let entry = std::mem::replace(command, vec![b"PING".to_vec()]);
                let _ = self.delayed.send(entry);
            }
            Interference::StaleCounts if is_registration(command) => {
                let counts = self.counts.lock().expect("no panic");
                if let Some((current, waiting)) = counts.get(&command[3]) {
                    command.push(format!("counts {current} {waiting}").into_bytes());
                }
            }
            _ => {}
        }
    }
}

fn is_registration(command: &Command) -> bool {
    command[0].eq_ignore_ascii_case(b"EVALSHA")
        && command.iter().any(|argument| argument == b"register")
}

/// The index entries that are still to be written.
pub(crate) type Delayed = Arc<tokio::sync::Mutex<UnboundedReceiver<Command>>>;

/// Writes delayed index entries every [`DELAY`].
pub(crate) fn write_late(world: &World, delayed: Delayed) -> JoinHandle<()> {
    let mut connection = world.root_connection();
    tokio::spawn(async move {
        let mut delayed = delayed.lock().await;
        loop {
            sleep(DELAY).await;
            while let Ok(command) = delayed.try_recv() {
                let _: Option<u64> = connection.send(&command).await;
            }
        }
    })
}

/// Reads the counts of the competitions every 20 ms.
pub(crate) fn keep_counting(world: &World, counts: Counts) -> JoinHandle<()> {
    let mut connection = world.root_connection();
    tokio::spawn(async move {
        loop {
            for competition in ["cup-0", "cup-1"] {
                let key = |part| format!("c:{{{competition}}}:{part}");
                let mut count = async |command: &str, part| {
                    let command = vec![command.as_bytes().to_vec(), key(part).into_bytes()];
                    connection.send::<u64>(&command).await.unwrap_or(0)
                };
                let current = count("HLEN", "registrations").await;
                let waiting = count("ZCARD", "waitlist").await;
                let mut counts = counts.lock().expect("no panic");
                counts.insert(
                    key("revision").into_bytes(),
                    (current.max(waiting), waiting),
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
}
