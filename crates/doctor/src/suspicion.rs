//! Findings that are reported only if a second read confirms them.

use store::inspect::{Cmd, Commands};

use crate::{BATCH_SIZE, Examination, Finding, Result};

/// A possible finding. It may be due to a call that was running during the first read.
pub(crate) struct Suspicion {
    pub(crate) finding: Finding,
    /// What must be true for the finding to be real. Read in this order.
    pub(crate) conditions: Vec<Condition>,
}

/// A condition that a second read checks.
pub(crate) enum Condition {
    /// The key still exists.
    Exists { key: String },
    /// The text still has this value.
    Unchanged { key: String, text: String },
    /// The sorted set still lacks this member.
    Lacks { key: String, member: String },
}

/// Returns the findings whose conditions are all true.
pub(crate) async fn confirm(
    examination: &Examination,
    mut suspicions: Vec<Suspicion>,
) -> Result<Vec<Finding>> {
    let mut confirmed = Vec::new();
    while !suspicions.is_empty() {
        let batch: Vec<_> = suspicions
            .drain(..suspicions.len().min(BATCH_SIZE))
            .collect();
        let conditions = batch.iter().flat_map(|suspicion| &suspicion.conditions);
        let commands: Commands = conditions
            .map(|condition| match condition {
                Condition::Exists { key } => Cmd::exists(key),
                Condition::Unchanged { key, .. } => Cmd::get(key),
                Condition::Lacks { key, member } => Cmd::zscore(key, member),
            })
            .collect();
        let mut replies = examination.read(&commands).await?;
        for suspicion in batch {
            let mut is_confirmed = true;
            for condition in &suspicion.conditions {
                is_confirmed &= match condition {
                    Condition::Exists { .. } => replies.take().present() == Some(true),
                    Condition::Unchanged { text, .. } => {
                        replies.take::<String>().present().as_ref() == Some(text)
                    }
                    Condition::Lacks { .. } => replies.take::<f64>().is_absent(),
                };
            }
            confirmed.extend(is_confirmed.then_some(suspicion.finding));
        }
    }
    Ok(confirmed)
}
