//! A power cut: Redis is killed, and its append-only file is cut back to what the disk was told to keep.
//!
//! `strace` writes down every write to the file and every `fdatasync` of it. What was written when the
//! last sync that came back had begun is safe; all behind that is thrown away. A cut machine may keep
//! some of it, so this is the worst case. Needs Linux and `strace`.

use std::fs::{File, OpenOptions, read_dir, read_to_string};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::checker::check;
use crate::clients::{Load, Plan};
use crate::world::World;

/// How long clients register before each cut.
const BETWEEN_CUTS: Duration = Duration::from_millis(1_500);

/// What was found after some power cuts.
pub struct Aftermath {
    /// What is wrong.
    pub found: Vec<String>,
    /// How many bytes the disk did not keep.
    pub lost: u64,
    /// How many operations there were.
    pub operations: u64,
}

/// Cuts the power so many times while clients register, with these settings of Redis.
pub async fn cut_while_registering(settings: &[(&str, &str)], cuts: u32) -> Aftermath {
    let mut world = World::with(settings, None).await;
    let load = Load::begin(&world, Plan::heavy(3)).await;
    let mut lost = 0;
    for _ in 0..cuts {
        // The recorder begins at the length that the file has now: it has to stand still.
        world.redis.freeze().expect("it stands still");
        let recorder = block_in_place(|| Recorder::attach(&world));
        world.redis.thaw().expect("it goes on");
        sleep(BETWEEN_CUTS).await;
        lost += block_in_place(|| recorder.cut(&mut world));
    }
    let operations = load.done();
    let (history, competitions) = load.end(&world).await;
    let problems = check(&history, &world.logs(&competitions).await);
    let mut found: Vec<_> = problems.iter().map(ToString::to_string).collect();
    found.extend(world.findings().await);
    Aftermath {
        found,
        lost,
        operations,
    }
}

/// Follows the append-only file of a Redis. What stands there at the beginning counts as safe.
pub struct Recorder {
    strace: Child,
    calls: PathBuf,
    file: PathBuf,
    safe: u64,
}

/// Whether this machine can do it.
#[must_use]
pub fn is_possible() -> bool {
    let strace = Command::new("strace").arg("--version").output();
    strace.is_ok_and(|said| said.status.success())
}

impl Recorder {
    /// Begins with a Redis that stands still; returns once every call will be written down.
    #[must_use]
    pub fn attach(world: &World) -> Self {
        let folder = world.data_dir().join("appendonlydir");
        let files = read_dir(folder).expect("the folder of the file");
        let mut files = files.map(|file| file.expect("a file").path());
        let file = files
            .find(|file| file.to_string_lossy().ends_with(".incr.aof"))
            .expect("an append-only file");
        let safe = file.metadata().expect("its length").len();
        let calls = world.data_dir().join("calls");
        let mut strace = Command::new("strace")
            .args(["-f", "-s", "0", "-e", "trace=write,fdatasync,fsync", "-P"])
            .arg(&file)
            .arg("-o")
            .arg(&calls)
            .arg("-p")
            .arg(world.redis.pid().expect("it runs").to_string())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace starts");
        let mut said = String::new();
        let stderr = strace.stderr.take().expect("what it says");
        BufReader::new(stderr).read_line(&mut said).expect("a line");
        assert!(said.contains("attached"), "strace: {said}");
        Self {
            strace,
            calls,
            file,
            safe,
        }
    }

    /// Cuts the power and starts Redis again. Answers how many bytes were lost.
    pub fn cut(mut self, world: &mut World) -> u64 {
        world.redis.kill();
        // It ends with the process that it follows.
        self.strace.wait().expect("its end");
        let calls = read_to_string(&self.calls).expect("the calls");
        let safe = safe_length(self.safe, &calls);
        let length = self.file.metadata().expect("its length").len();
        let file: File = OpenOptions::new()
            .write(true)
            .open(&self.file)
            .expect("the append-only file");
        file.set_len(safe).expect("it is cut back");
        world.redis.restart().expect("Redis starts again");
        length - safe
    }
}

/// How much of a file of this length is safe after these calls.
fn safe_length(begin: u64, calls: &str) -> u64 {
    let (mut written, mut syncing, mut safe) = (begin, begin, begin);
    for call in calls.lines() {
        let result = call
            .rsplit_once(" = ")
            .and_then(|(_, result)| result.split(' ').next()?.parse::<i64>().ok());
        let is_sync = call.contains("fdatasync") || call.contains("fsync");
        if is_sync {
            if !call.contains("resumed") {
                syncing = written;
            }
            if result == Some(0) {
                safe = syncing;
            }
        } else if call.contains("write") {
            written += result
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(0);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_while_a_sync_is_under_way_is_not_safe() {
        let calls = "\
7 write(8, \"\"..., 10) = 10
9 fdatasync(8 <unfinished ...>
7 write(8, \"\"..., 5) = 5
9 <... fdatasync resumed>)          = 0
7 write(8, \"\"..., 3 <unfinished ...>";
        assert_eq!(safe_length(100, calls), 110);
        let later = format!("{calls}\n7 <... write resumed>) = 3\n7 fdatasync(8) = 0");
        assert_eq!(safe_length(100, &later), 118);
        assert_eq!(
            safe_length(100, "7 write(8, \"\"..., 9) = 9\n7 fdatasync(8) = -1 EIO"),
            100
        );
    }
}
