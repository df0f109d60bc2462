//! How a bug gets between the services and Redis.

use std::collections::HashMap;
use std::fs::{read_dir, read_to_string};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use torture::rewrite::{Command, is_load};
use torture::world::World;

use crate::bugs::{Beside, MUTANTS};

/// How much later an index is written that is written too late.
pub(crate) const LATE: Duration = Duration::from_millis(100);

/// Changes scripts when they are loaded, and counts how often.
pub(crate) struct Planted {
    texts: &'static [(&'static str, &'static str)],
    times: Vec<AtomicUsize>,
}

impl Planted {
    pub(crate) fn new(texts: &'static [(&'static str, &'static str)]) -> Arc<Self> {
        let times = texts.iter().map(|_| AtomicUsize::new(0)).collect();
        Arc::new(Self { texts, times })
    }

    pub(crate) fn plant(&self, command: &mut Command) {
        if !is_load(command) {
            return;
        }
        for ((before, after), times) in self.texts.iter().zip(&self.times) {
            let text = String::from_utf8_lossy(&command[2]).into_owned();
            if text.contains(before) {
                times.fetch_add(1, Ordering::Relaxed);
                command[2] = text.replace(before, after).into_bytes();
            }
        }
    }

    pub(crate) fn is_planted(&self) -> bool {
        let mut times = self.times.iter();
        times.all(|times| times.load(Ordering::Relaxed) > 0)
    }
}

/// The texts that stand in no script, with the bug that they are of.
pub(crate) fn texts_that_are_gone() -> Vec<(&'static str, &'static str)> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../crates/store/src/scripts"
    );
    let scripts: Vec<_> = read_dir(folder)
        .expect("the scripts")
        .map(|file| read_to_string(file.expect("a file").path()).expect("a script"))
        .collect();
    let mut gone = Vec::new();
    for mutant in MUTANTS {
        for (before, _) in mutant.texts {
            if !scripts.iter().any(|script| script.contains(before)) {
                gone.push((mutant.bug, *before));
            }
        }
    }
    gone
}

/// How many are in and how many wait, by the first key of a competition's scripts.
pub(crate) type Counts = Arc<Mutex<HashMap<Vec<u8>, (u64, u64)>>>;

/// Bugs outside of the scripts.
pub(crate) struct Outside {
    pub(crate) beside: Beside,
    pub(crate) counts: Counts,
    pub(crate) index: UnboundedSender<Command>,
}

impl Outside {
    pub(crate) fn plant(&self, command: &mut Command) {
        let is_index = command.len() > 1
            && command[0].eq_ignore_ascii_case(b"HSET")
            && command[1].ends_with(b"}:competitions");
        let is_register = command[0].eq_ignore_ascii_case(b"EVALSHA")
            && command.iter().any(|argument| argument == b"register");
        let reads = |name: &[u8], holds: &[u8]| {
            command[0].eq_ignore_ascii_case(name)
                && command.get(1).is_some_and(|key| key.ends_with(holds))
        };
        let (counts_queue, asks_revision) =
            (reads(b"ZCARD", b"}:waitlist"), reads(b"GET", b"}:revision"));
        match self.beside {
            Beside::NobodyWaits if counts_queue => {
                command[0] = b"ZCOUNT".to_vec();
                command.extend([b"0".to_vec(), b"0".to_vec()]);
            }
            Beside::OldRevision if asks_revision => command[0] = b"STRLEN".to_vec(),
            Beside::NoIndex if is_index => *command = vec![b"PING".to_vec()],
            Beside::IndexLate if is_index => {
                let held_back = std::mem::replace(command, vec![b"PING".to_vec()]);
                let _ = self.index.send(held_back);
            }
            Beside::CountsBefore if is_register => {
                let counts = self.counts.lock().expect("no panic");
                if let Some((held, waiting)) = counts.get(&command[3]) {
                    let mode = command.iter_mut().find(|argument| *argument == b"register");
                    *mode.expect("it is there") = format!("register {held} {waiting}").into_bytes();
                }
            }
            _ => {}
        }
    }
}

/// The entries of an index that are to be written later.
pub(crate) type HeldBack = Arc<tokio::sync::Mutex<UnboundedReceiver<Command>>>;

/// Writes the entries of an index a moment after they were to be written.
pub(crate) fn write_late(world: &World, held_back: HeldBack) -> JoinHandle<()> {
    let mut connection = world.root_connection();
    tokio::spawn(async move {
        let mut held_back = held_back.lock().await;
        loop {
            sleep(LATE).await;
            while let Ok(command) = held_back.try_recv() {
                let _: Option<u64> = connection.send(&command).await;
            }
        }
    })
}

/// Asks again and again how many are in.
pub(crate) fn keep_asking(world: &World, counts: Counts) -> JoinHandle<()> {
    let mut connection = world.root_connection();
    tokio::spawn(async move {
        loop {
            for competition in ["cup-0", "cup-1"] {
                let key = |what| format!("c:{{{competition}}}:{what}");
                let mut count = async |command: &str, what| {
                    let command = vec![command.as_bytes().to_vec(), key(what).into_bytes()];
                    connection.send::<u64>(&command).await.unwrap_or(0)
                };
                let held = count("HLEN", "registrations").await;
                let waiting = count("ZCARD", "waitlist").await;
                let mut counts = counts.lock().expect("no panic");
                counts.insert(key("revision").into_bytes(), (held.max(waiting), waiting));
            }
            sleep(Duration::from_millis(20)).await;
        }
    })
}
