//! How far an examination is, on standard error: on a terminal one line that is written again and again,
//! elsewhere a line now and then.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use store::doctor::Progress;

/// How often a line is written where the last one stays.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Shows how far it is.
pub(crate) struct Meter {
    is_terminal: bool,
    last_line: Instant,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            last_line: Instant::now(),
        }
    }

    pub(crate) fn show(&mut self, progress: &Progress) {
        if self.is_terminal {
            write(&format!("\r\x1b[K{}", words(progress)));
        } else if self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            write(&format!("{}\n", words(progress)));
        }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(self) {
        if self.is_terminal {
            write("\r\x1b[K");
        }
    }
}

/// Whoever does not look is not told.
fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn words(progress: &Progress) -> String {
    let Progress {
        keys,
        all_keys,
        accounts,
        competitions,
        all_competitions,
        log_entries,
        registrations,
    } = progress;
    if *all_keys == 0 {
        "the catalogue and the directory".to_owned()
    } else if *all_competitions == 0 {
        format!("{keys} of some {all_keys} keys, with {accounts} accounts")
    } else {
        format!(
            "{competitions} of {all_competitions} competitions, with {log_entries} log entries and {registrations} registrations"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_first_how_many_keys_and_then_how_many_competitions() {
        let mut progress = Progress {
            keys: 1_000,
            all_keys: 4_000,
            accounts: 10,
            ..Progress::default()
        };
        assert_eq!(words(&progress), "1000 of some 4000 keys, with 10 accounts");
        progress.all_competitions = 2;
        progress.log_entries = 7;
        let said = "0 of 2 competitions, with 7 log entries and 0 registrations";
        assert_eq!(words(&progress), said);
    }
}
