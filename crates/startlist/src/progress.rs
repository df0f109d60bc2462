//! The progress of an examination on standard error: a line that is updated in place on a terminal,
//! otherwise a line every few seconds.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use doctor::Progress;

/// The interval between lines if standard error is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) struct ProgressLine {
    is_terminal: bool,
    last_line: Instant,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            last_line: Instant::now(),
        }
    }

    pub(crate) fn show(&mut self, progress: &Progress) {
        if self.is_terminal {
            write(&format!("\r\x1b[K{}", text(progress)));
        } else if self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            write(&format!("{}\n", text(progress)));
        }
    }

    /// Clears the line on a terminal.
    pub(crate) fn end(self) {
        if self.is_terminal {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    // Ignore a closed pipe: the examination does not need a reader.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn text(progress: &Progress) -> String {
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
        "reading the catalogue and the directory".to_owned()
    } else if *all_competitions == 0 {
        format!("{keys} of about {all_keys} keys, with {accounts} accounts")
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
    fn keys_are_counted_first_and_competitions_afterwards() {
        let mut progress = Progress {
            keys: 1_000,
            all_keys: 4_000,
            accounts: 10,
            ..Progress::default()
        };
        assert_eq!(text(&progress), "1000 of about 4000 keys, with 10 accounts");
        progress.all_competitions = 2;
        progress.log_entries = 7;
        let expected = "0 of 2 competitions, with 7 log entries and 0 registrations";
        assert_eq!(text(&progress), expected);
    }
}
