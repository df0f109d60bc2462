//! The calls whose tasks have not run yet.
//!
//! hyper creates a task for each call that it reads, and the tasks run after all connections have
//! read. So a flood on many connections would create tens of thousands of tasks, of some 4 KiB each,
//! before the first of them is refused (measured: 120 MB for 25,600 calls on 200 connections).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The number of calls above which connections wait before they read more: some 4 MiB.
const MAX_STARTING: usize = 1024;

/// Counts the calls that have not started. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(super) struct Starting(Arc<AtomicUsize>);

/// A call that has not started. Drop it with the first step of the call.
#[derive(Debug)]
pub(super) struct NotStarted(Starting);

impl Starting {
    pub(super) fn call(&self) -> NotStarted {
        self.0.fetch_add(1, Relaxed);
        NotStarted(self.clone())
    }

    /// Whether connections should let the calls start before they read more of them.
    pub(super) fn is_crowded(&self) -> bool {
        self.0.load(Relaxed) >= MAX_STARTING
    }
}

impl Drop for NotStarted {
    fn drop(&mut self) {
        let Self(starting) = self;
        starting.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_calls_that_have_not_started_are_a_crowd() {
        let starting = Starting::default();
        let mut calls: Vec<_> = (1..MAX_STARTING).map(|_| starting.call()).collect();
        assert!(!starting.is_crowded());
        calls.push(starting.call());
        assert!(starting.is_crowded());
        calls.pop();
        assert!(!starting.is_crowded());
    }
}
