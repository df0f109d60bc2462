//! What the system says of a process: its CPU time and its memory. Linux says it in `/proc`; elsewhere
//! there is no answer, and the columns stay empty.

use std::fs;
use std::time::Duration;

/// `/proc` counts CPU time in hundredths of a second on every Linux that runs today.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time that a process has used so far, in all its threads, in its own code and in the kernel's.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    cpu_time_in(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn cpu_time_in(stat: &str) -> Option<Duration> {
    // The second field is the name in parentheses, and may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

/// The memory that a process holds now, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The CPU time of all cores together so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Machine {
    /// Spent on any process.
    pub(crate) busy: Duration,
    /// Spent on nothing.
    pub(crate) idle: Duration,
    /// Taken by other machines on the same host.
    pub(crate) stolen: Duration,
}

/// What the machine has done so far.
pub(crate) fn machine() -> Option<Machine> {
    machine_in(&fs::read_to_string("/proc/stat").ok()?)
}

fn machine_in(stat: &str) -> Option<Machine> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u32> = line
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let &[
        user,
        nice,
        system,
        idle,
        waiting,
        interrupts,
        softirqs,
        stolen,
        ..,
    ] = ticks.as_slice()
    else {
        return None;
    };
    Some(Machine {
        busy: TICK * (user + nice + system + interrupts + softirqs),
        idle: TICK * (idle + waiting),
        stolen: TICK * stolen,
    })
}

impl Machine {
    /// What it did since then.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(earlier.busy),
            idle: self.idle.saturating_sub(earlier.idle),
            stolen: self.stolen.saturating_sub(earlier.stolen),
        }
    }

    /// All of it.
    pub(crate) fn all(self) -> Duration {
        self.busy + self.idle + self.stolen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_is_found_behind_any_name() {
        let stat = "16657 (a) b (c) R 1 2 3 0 -1 4194304 99 0 0 0 150 50 0 0 20 0 1 0 501951 1 2";
        assert_eq!(cpu_time_in(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn the_machine_is_busy_idle_or_stolen() {
        let machine = machine_in("cpu  100 10 50 1000 20 5 15 30 0 0\ncpu0 1 2 3\n");
        let machine = machine.expect("all fields");
        assert_eq!(machine.busy, TICK * 180);
        assert_eq!(machine.idle, TICK * 1020);
        assert_eq!(machine.stolen, TICK * 30);
        assert_eq!(machine.all(), TICK * 1230);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_time_and_memory() {
        let began_at = std::time::Instant::now();
        while began_at.elapsed() < TICK * 3 {
            std::hint::spin_loop();
        }
        let pid = std::process::id();
        assert!(cpu_time(pid).expect("Linux says it") >= TICK);
        assert!(resident_bytes(pid).expect("Linux says it") > 100_000);
        assert!(machine().expect("Linux says it").busy > Duration::ZERO);
    }
}
