//! How far an examination is.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much was examined so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub keys: u64,
    /// The number of keys when the scan started; 0 = not known yet.
    pub all_keys: u64,
    /// Accounts of users and of admins.
    pub accounts: u64,
    /// Competitions, deleted drafts included.
    pub competitions: u64,
    /// The number of competitions; 0 = not known yet.
    pub all_competitions: u64,
    /// Log entries that were replayed.
    pub log_entries: u64,
    /// Registrations that were compared with the log, ended ones included.
    pub registrations: u64,
}

/// The counters behind [`Progress`], shared by all checks.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) keys: Counter,
    pub(crate) all_keys: Counter,
    pub(crate) accounts: Counter,
    pub(crate) competitions: Counter,
    pub(crate) all_competitions: Counter,
    pub(crate) log_entries: Counter,
    pub(crate) registrations: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, count: usize) {
        self.0.store(count as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            keys: self.keys.get(),
            all_keys: self.all_keys.get(),
            accounts: self.accounts.get(),
            competitions: self.competitions.get(),
            all_competitions: self.all_competitions.get(),
            log_entries: self.log_entries.get(),
            registrations: self.registrations.get(),
        }
    }
}
