//! The CPU time and the memory of processes, from `/proc`. Systems without it have no such figures,
//! and those columns of the report stay empty.

use std::fs;
use std::time::Duration;

/// The unit of CPU time in `/proc`: `USER_HZ` is 100 on all common Linux systems.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time that all threads of a process have used, in user and kernel mode.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    parse_cpu_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_cpu_time(stat: &str) -> Option<Duration> {
    // The second field is the name of the program in parentheses. It may contain parentheses
    // itself.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

/// The resident memory of a process, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The time of all cores together since the machine started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MachineTime {
    /// Idle time and the time that the host took away included.
    pub(crate) total: Duration,
    pub(crate) idle: Duration,
}

impl MachineTime {
    pub(crate) fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        // user, nice, system, idle, iowait, irq, softirq and steal; user includes what follows.
        let fields = stat.lines().next()?.strip_prefix("cpu ")?;
        let fields = fields.split_whitespace().take(8);
        let ticks: Vec<u32> = fields.map_while(|field| field.parse().ok()).collect();
        let &[_, _, _, idle, waiting, _, _, _] = ticks.as_slice() else {
            return None;
        };
        Some(Self {
            total: TICK * ticks.iter().sum(),
            idle: TICK * (idle + waiting),
        })
    }

    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            total: self.total.saturating_sub(earlier.total),
            idle: self.idle.saturating_sub(earlier.idle),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_is_found_after_any_program_name() {
        let stat = "16657 (a) b (c) R 1 2 3 0 -1 4194304 99 0 0 0 150 50 0 0 20 0 1 0 501951 1 2";
        assert_eq!(parse_cpu_time(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn the_total_includes_idle_and_stolen_time() {
        let time = MachineTime::parse("cpu  100 10 50 1000 20 5 15 30 0 0\ncpu0 1 2 3\n");
        let time = time.expect("all fields");
        assert_eq!(time.total, TICK * 1230);
        assert_eq!(time.idle, TICK * 1020);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_cpu_time_and_memory() {
        let started_at = std::time::Instant::now();
        while started_at.elapsed() < TICK * 3 {
            std::hint::spin_loop();
        }
        let pid = std::process::id();
        assert!(cpu_time(pid).expect("a figure on Linux") >= TICK);
        assert!(resident_bytes(pid).expect("a figure on Linux") > 100_000);
        assert!(MachineTime::now().expect("a figure on Linux").total > Duration::ZERO);
    }
}
