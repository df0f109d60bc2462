//! Power cuts: Redis is killed, and its append-only file is truncated to what was synced to the
//! disk.
//!
//! `strace` records every write to the file and every `fdatasync`. The data written before the last
//! completed sync began is safe; everything after it is discarded. A real disk may keep some of it,
//! so that this is the worst case. Needs Linux and `strace`.

use std::fs::{OpenOptions, read_dir, read_to_string};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::checker::check;
use crate::load::{Load, Plan};
use crate::world::World;

/// The time with load before each cut.
const BETWEEN_CUTS: Duration = Duration::from_millis(1_500);

/// The result of a run with power cuts.
pub struct CutReport {
    /// The problems that the checker and the examination found.
    pub problems: Vec<String>,
    pub lost_bytes: u64,
    pub operations: u64,
}

/// Cuts the power this many times under load, with additional settings of Redis.
pub async fn cut_under_load(settings: &[(&str, &str)], cuts: u32) -> CutReport {
    let mut world = World::with(settings, None).await;
    let load = Load::start(&world, Plan::heavy(3)).await;
    let mut lost_bytes = 0;
    for _ in 0..cuts {
        // The recorder starts with the length of the file, which must not grow meanwhile.
        world.redis.freeze().expect("Redis stops");
        let recorder = block_in_place(|| Recorder::attach(&world));
        world.redis.thaw().expect("Redis continues");
        sleep(BETWEEN_CUTS).await;
        lost_bytes += block_in_place(|| recorder.cut(&mut world));
    }
    let operations = load.completed();
    let (history, competitions) = load.finish(&world).await;
    let problems = check(&history, &world.logs(&competitions).await);
    let mut problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    problems.extend(world.findings().await);
    CutReport {
        problems,
        lost_bytes,
        operations,
    }
}

/// Whether this machine has `strace`.
#[must_use]
pub fn is_possible() -> bool {
    let strace = Command::new("strace").arg("--version").output();
    strace.is_ok_and(|output| output.status.success())
}

/// Follows the append-only file of a Redis. What it contains at the beginning counts as safe.
struct Recorder {
    strace: Child,
    trace: PathBuf,
    file: PathBuf,
    safe_length: u64,
}

impl Recorder {
    /// Attaches to a frozen Redis; returns when every call is recorded.
    fn attach(world: &World) -> Self {
        let folder = world.redis.data_dir().join("appendonlydir");
        let mut files = read_dir(folder)
            .expect("the directory of the append-only file")
            .map(|file| file.expect("a directory entry").path());
        let file = files
            .find(|file| file.to_string_lossy().ends_with(".incr.aof"))
            .expect("an append-only file");
        let safe_length = file.metadata().expect("its length").len();
        let trace = world.redis.data_dir().join("trace");
        let mut strace = Command::new("strace")
            .args(["-f", "-s", "0", "-e", "trace=write,fdatasync,fsync", "-P"])
            .arg(&file)
            .arg("-o")
            .arg(&trace)
            .arg("-p")
            .arg(world.redis.pid().expect("Redis is running").to_string())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace starts");
        let mut first_line = String::new();
        let mut stderr = BufReader::new(strace.stderr.take().expect("a pipe"));
        stderr.read_line(&mut first_line).expect("a line");
        assert!(first_line.contains("attached"), "strace: {first_line}");
        Self {
            strace,
            trace,
            file,
            safe_length,
        }
    }

    /// Cuts the power and restarts Redis. Returns the number of lost bytes.
    fn cut(mut self, world: &mut World) -> u64 {
        world.redis.kill();
        // strace ends with the process that it follows.
        self.strace.wait().expect("strace ends");
        let trace = read_to_string(&self.trace).expect("the trace");
        let safe_length = safe_length(self.safe_length, &trace);
        let length = self.file.metadata().expect("its length").len();
        let file = OpenOptions::new().write(true).open(&self.file);
        let file = file.expect("the append-only file");
        file.set_len(safe_length).expect("truncated");
        world.redis.restart().expect("Redis restarts");
        length - safe_length
    }
}

/// The length of the file that is safe after the calls of a trace.
fn safe_length(initial: u64, trace: &str) -> u64 {
    let (mut written, mut syncing, mut safe) = (initial, initial, initial);
    for call in trace.lines() {
        let result = call
            .rsplit_once(" = ")
            .and_then(|(_, result)| result.split(' ').next()?.parse::<i64>().ok());
        if call.contains("fdatasync") || call.contains("fsync") {
            // A call that is traced in two lines began at the first one.
            if !call.contains("resumed") {
                syncing = written;
            }
            if result == Some(0) {
                safe = syncing;
            }
        } else if call.contains("write") {
            let count = result.and_then(|count| u64::try_from(count).ok());
            written += count.unwrap_or(0);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_written_during_a_sync_is_not_safe() {
        let trace = "\
7 write(8, \"\"..., 10) = 10
9 fdatasync(8 <unfinished ...>
7 write(8, \"\"..., 5) = 5
9 <... fdatasync resumed>)          = 0
7 write(8, \"\"..., 3 <unfinished ...>";
        assert_eq!(safe_length(100, trace), 110);
        let later = format!("{trace}\n7 <... write resumed>) = 3\n7 fdatasync(8) = 0");
        assert_eq!(safe_length(100, &later), 118);
    }

    #[test]
    fn a_failed_sync_makes_nothing_safe() {
        let trace = "7 write(8, \"\"..., 9) = 9\n7 fdatasync(8) = -1 EIO";
        assert_eq!(safe_length(100, trace), 100);
    }
}
