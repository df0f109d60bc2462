//! The reasons of removals. Each must match the hash in the log, and none may outlive the account of
//! its user. A reason may be missing: an erasure that was cut off has erased some.

use domain::{Change, CompetitionId, UserId};
use store::inspect::{Cmd, Commands, Stored, cmd};
use store::keys::{AccountKey, CompetitionKey, removal_reasons};
use store::records::Fields;
use store::records::log_entry::{self, LogEntry};
use store::records::removal_reason::ReasonRecord;

use crate::reading::{last_entry, take_erased_at};
use crate::{BATCH_SIZE, Examination, Finding, Repair, Result};

/// A reason as it is stored.
struct StoredReason<'a> {
    competition: &'a CompetitionId,
    user: &'a UserId,
    /// The revision of the removal. Not checked yet.
    revision: String,
    record: String,
}

/// Checks the reasons of these users.
pub(crate) async fn check(
    examination: &Examination,
    keys: &[(CompetitionId, UserId)],
) -> Result<Vec<Finding>> {
    let mut commands = Commands::with_capacity(4 * keys.len());
    for (id, user) in keys {
        let key = removal_reasons(id, user);
        commands.push(Cmd::exists(AccountKey::Profile.of_user(user)));
        commands.push(last_entry(&AccountKey::Log.of_user(user)));
        commands.push(Cmd::hgetall(&key));
    }
    let mut replies = examination.read(&commands).await?;
    let (mut stored, mut findings) = (Vec::new(), Vec::new());
    for (competition, user) in keys {
        let has_account: Stored<bool> = replies.take();
        let erased_at = take_erased_at(&mut replies);
        let reasons: Vec<(String, String)> = match replies.take() {
            Stored::Present(reasons) => reasons,
            Stored::Absent => continue,
            Stored::Unreadable => {
                let key = removal_reasons(competition, user);
                findings.push(Finding::broken(format!("key {key}"), "invalid reasons"));
                continue;
            }
        };
        // A recent erasure may still be erasing the reasons.
        let is_over = erased_at.is_none_or(|at| examination.is_past_grace_period(at));
        if has_account == Stored::Present(false) && is_over {
            findings.push(without_account(competition, user));
        }
        stored.extend(reasons.into_iter().map(|(revision, record)| StoredReason {
            competition,
            user,
            revision,
            record,
        }));
    }
    for reasons in stored.chunks(BATCH_SIZE) {
        findings.extend(compare_with_log(examination, reasons).await?);
    }
    Ok(findings)
}

fn without_account(competition: &CompetitionId, user: &UserId) -> Finding {
    let problem = format!("the reasons of removals from {competition} outlived the account");
    let repair = Repair::EraseReasons {
        user: user.clone(),
        competition: competition.clone(),
    };
    Finding::orphan(format!("user {user}"), problem).with_repair(repair)
}

/// Reads the log entry of each reason, which was written in the same step and never changes.
async fn compare_with_log(
    examination: &Examination,
    reasons: &[StoredReason<'_>],
) -> Result<Vec<Finding>> {
    let mut commands = Commands::with_capacity(reasons.len());
    for reason in reasons {
        let revision = reason.revision.parse::<u64>().unwrap_or(0);
        let mut range = cmd("XRANGE");
        range.arg(CompetitionKey::Log.of(reason.competition));
        range.arg(revision).arg(revision);
        commands.push(range);
    }
    let mut replies = examination.read(&commands).await?;
    let mut findings = Vec::new();
    for reason in reasons {
        let entries: Stored<Vec<(String, Fields)>> = replies.take();
        let entry = entries.present().and_then(|entries| {
            let (id, fields) = entries.into_iter().next()?;
            log_entry::parse(&id, fields).ok()
        });
        if !entry.is_some_and(|entry| reason.is_of(&entry)) {
            let key = removal_reasons(reason.competition, reason.user);
            let revision = reason.revision.parse::<u64>();
            let of = revision.map_or("an invalid revision".to_owned(), |revision| {
                format!("revision {revision}")
            });
            let problem = format!("the reason of {of} does not match the log");
            findings.push(Finding::broken(format!("key {key}"), problem));
        }
    }
    Ok(findings)
}

impl StoredReason<'_> {
    /// Whether this is the reason that the log entry has the hash of.
    fn is_of(&self, entry: &LogEntry) -> bool {
        let record = ReasonRecord::from_stored(self.record.clone());
        let is_of_user = matches!(&entry.entry.change, Change::Registration { user_id, .. }
            if user_id == self.user);
        is_of_user && record.reason().is_ok() && entry.reason_hash == Some(record.hash())
    }
}
