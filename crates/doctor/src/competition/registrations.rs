//! The registration records and the waitlist, compared with the log. Every count that clients read
//! is the size of one of them.

use domain::{CompetitionId, RegistrationState, Revision, UserId};
use store::keys::CompetitionKey;
use store::records::registration::StoredRegistration;

use super::CompetitionCheck;
use super::replay::{LastEntry, Replay};
use crate::Result;
use crate::index::{Registered, check_registered};
use crate::reading::Scan;

/// A difference from the last log entry about a user. Reported only if the user has not changed
/// during the comparison.
struct Mismatch {
    user: UserId,
    /// The revision that the record or the waitlist has.
    revision: Option<Revision>,
    found: String,
}

/// The result of a comparison with the log as far as it was replayed by then.
#[derive(Default)]
pub(super) struct Comparison {
    mismatches: Vec<Mismatch>,
    /// Whether all records could be read, so that a missing one can be reported.
    has_all_records: bool,
    /// Whether the whole waitlist could be read.
    has_whole_waitlist: bool,
}

impl CompetitionCheck<'_> {
    /// Compares all records and the waitlist with the log, and each current registration with the
    /// index of its user.
    pub(super) async fn compare_registrations(&mut self) -> Result<Comparison> {
        let mut comparison = Comparison {
            has_all_records: true,
            ..Comparison::default()
        };
        for key in [CompetitionKey::Registrations, CompetitionKey::Past] {
            let mut scan = Scan::hash(self.key(key));
            while let Some(records) = scan
                .next_page::<(Vec<u8>, Vec<u8>)>(self.examination)
                .await?
            {
                self.examination
                    .count(|progress| progress.registrations += records.len());
                let registered = self.compare_records(key, records, &mut comparison);
                let findings = check_registered(self.examination, self.id, &registered).await?;
                self.findings.extend(findings);
            }
            comparison.has_all_records &= scan.is_complete();
        }
        let mut scan = Scan::sorted_set(self.key(CompetitionKey::Waitlist));
        while let Some(members) = scan
            .next_page::<(Vec<u8>, String)>(self.examination)
            .await?
        {
            self.compare_waitlist(members, &mut comparison);
        }
        comparison.has_whole_waitlist = scan.is_complete();
        Ok(comparison)
    }

    /// Compares one page of records. Returns the current registrations.
    fn compare_records(
        &mut self,
        key: CompetitionKey,
        records: Vec<(Vec<u8>, Vec<u8>)>,
        comparison: &mut Comparison,
    ) -> Vec<Registered> {
        let mut registered = Vec::with_capacity(records.len());
        for (user, record) in records {
            let user = UserId::parse(String::from_utf8_lossy(&user)).ok();
            let record = String::from_utf8_lossy(&record).into_owned();
            let parsed = StoredRegistration::parse(&record).ok().filter(|parsed| {
                // Current and past registrations are in two hashes.
                parsed.state.is_current() == (key == CompetitionKey::Registrations)
            });
            match (user, parsed) {
                (Some(user), Some(parsed)) => {
                    comparison.compare_record(&mut self.replay, &user, &parsed);
                    if parsed.state.is_current() {
                        registered.push(Registered { user, record });
                    }
                }
                (user, _) => {
                    // An invalid id is not printed: it may be personal data.
                    let of = user.as_ref().map_or("an invalid user id", UserId::as_str);
                    self.report(format!("invalid record of {of} in {}", self.key(key)));
                    let last = user.and_then(|user| self.replay.users.get_mut(&user));
                    if let Some(last) = last {
                        last.is_recorded = true;
                    }
                }
            }
        }
        registered
    }

    fn compare_waitlist(&mut self, members: Vec<(Vec<u8>, String)>, comparison: &mut Comparison) {
        let waitlist = self.key(CompetitionKey::Waitlist);
        for (user, score) in members {
            if let Ok(user) = UserId::parse(String::from_utf8_lossy(&user)) {
                comparison.compare_waiting(&mut self.replay, &waitlist, user, &score);
            } else {
                self.report(format!("invalid user id in {waitlist}"));
            }
        }
    }
}

impl Comparison {
    fn compare_record(&mut self, replay: &mut Replay, user: &UserId, record: &StoredRegistration) {
        let (state, revision) = (record.state, record.revision);
        // The entry that made this record is missing, which is reported once for all users.
        let is_gap = replay.is_gap(revision);
        if let Some(last) = replay.users.get_mut(user) {
            last.is_recorded = true;
            // The last entry that exists is out of date: do not expect the user in the waitlist.
            last.is_waiting |= is_gap;
            if (last.state, last.revision) == (state, revision) {
                return;
            }
        }
        self.mismatches.push(Mismatch {
            user: user.clone(),
            revision: Some(revision),
            found: format!("{user} is {} since revision {revision}", state.as_str()),
        });
    }

    /// The score in the waitlist must equal the revision at which the log put the user there.
    fn compare_waiting(&mut self, replay: &mut Replay, waitlist: &str, user: UserId, score: &str) {
        let revision = score.parse().ok().map(Revision::new);
        if let Some(last) = replay.users.get_mut(&user) {
            last.is_waiting = true;
            if last.state == RegistrationState::Waitlisted && Some(last.revision) == revision {
                return;
            }
        }
        self.mismatches.push(Mismatch {
            revision,
            found: format!("{user} is in {waitlist} since revision {score}"),
            user,
        });
    }

    /// The problems of all users who did not change during the comparison.
    pub(super) fn problems(&self, id: &CompetitionId, replay: &Replay) -> Vec<String> {
        let mut problems = Vec::new();
        for Mismatch {
            user,
            revision,
            found,
        } in &self.mismatches
        {
            let is_gap = revision.is_some_and(|revision| replay.is_gap(revision));
            if !is_gap && !replay.has_changed(user) {
                problems.push(with_expected(found, replay.users.get(user)));
            }
        }
        let waitlist = CompetitionKey::Waitlist.of(id);
        for (user, last) in &replay.users {
            if replay.has_changed(user) {
                continue;
            }
            if self.has_all_records && !last.is_recorded {
                let found = format!("{user} has no registration record");
                problems.push(with_expected(&found, Some(last)));
            }
            let must_wait = last.state == RegistrationState::Waitlisted;
            if self.has_whole_waitlist && must_wait && !last.is_waiting {
                let found = format!("{user} is not in {waitlist}");
                problems.push(with_expected(&found, Some(last)));
            }
        }
        problems
    }
}

/// Appends what the log has to what was found.
fn with_expected(found: &str, last: Option<&LastEntry>) -> String {
    let Some(LastEntry {
        state, revision, ..
    }) = last
    else {
        return format!("{found}, but has no log entry");
    };
    let state = state.as_str();
    format!("{found}, but by the log {state} since revision {revision}")
}
