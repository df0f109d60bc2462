//! Checks that run at the same time.

use tokio::task::JoinSet;

use crate::{Finding, Result};

/// The most checks at a time. While one waits for Redis, another evaluates what it read.
const MAX_TASKS: usize = 4;

/// Running checks, and the findings of the finished ones.
#[derive(Default)]
pub(crate) struct Tasks {
    running: JoinSet<Result<Vec<Finding>>>,
    findings: Vec<Finding>,
}

impl Tasks {
    /// Starts a check, as soon as fewer than [`MAX_TASKS`] are running.
    pub(crate) async fn spawn<F>(&mut self, check: F) -> Result<()>
    where
        F: Future<Output = Result<Vec<Finding>>> + Send + 'static,
    {
        while self.running.len() >= MAX_TASKS {
            self.join_next().await?;
        }
        self.running.spawn(check);
        Ok(())
    }

    /// Adds a finding that no check returns.
    pub(crate) fn report(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Waits for all running checks.
    pub(crate) async fn join(&mut self) -> Result<()> {
        while !self.running.is_empty() {
            self.join_next().await?;
        }
        Ok(())
    }

    /// Waits for all running checks and returns the findings of all checks.
    pub(crate) async fn finish(mut self) -> Result<Vec<Finding>> {
        self.join().await?;
        Ok(self.findings)
    }

    async fn join_next(&mut self) -> Result<()> {
        if let Some(finished) = self.running.join_next().await {
            let findings = finished.map_err(|error| store::Error::Corrupt(error.to_string()))??;
            self.findings.extend(findings);
        }
        Ok(())
    }
}
