//! The registration records and the waitlist, compared with the log. Every count that clients read is
//! the size of one of them.

use domain::{CompetitionId, RegistrationState, Revision, UserId};
use store::keys::CompetitionKey;
use store::records::registration::StoredRegistration;

use super::CompetitionCheck;
use super::replay::{LastEntry, Replay};
use crate::Result;
use crate::index::{Registered, check_registered};
use crate::reading::Scan;

/// A mismatch with the log. Reported only if the user has not changed during the comparison.
enum Mismatch {
    Record(UserId, RegistrationState, Revision),
    /// The score in the waitlist.
    Waitlist(UserId, f64),
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
            while let Some(records) = scan.next_page::<(Vec<u8>, Vec<u8>)>(self.on).await? {
                self.on.counters.registrations.add(records.len());
                let registered = self.compare_records(key, records, &mut comparison);
                let findings = check_registered(self.on, self.id, &registered).await?;
                self.findings.extend(findings);
            }
            comparison.has_all_records &= scan.is_complete();
        }
        let mut scan = Scan::sorted_set(self.key(CompetitionKey::Waitlist));
        while let Some(members) = scan.next_page::<(Vec<u8>, f64)>(self.on).await? {
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

    fn compare_waitlist(&mut self, members: Vec<(Vec<u8>, f64)>, comparison: &mut Comparison) {
        for (user, score) in members {
            if let Ok(user) = UserId::parse(String::from_utf8_lossy(&user)) {
                comparison.compare_waiting(&mut self.replay, user, score);
            } else {
                let waitlist = self.key(CompetitionKey::Waitlist);
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
        if !is_gap {
            self.mismatches
                .push(Mismatch::Record(user.clone(), state, revision));
        }
    }

    fn compare_waiting(&mut self, replay: &mut Replay, user: UserId, score: f64) {
        if let Some(last) = replay.users.get_mut(&user) {
            last.is_waiting = true;
            if waits_since(last, score) {
                return;
            }
        }
        self.mismatches.push(Mismatch::Waitlist(user, score));
    }

    /// The problems of all users who did not change during the comparison.
    pub(super) fn problems(&self, id: &CompetitionId, replay: &Replay) -> Vec<String> {
        let waitlist = CompetitionKey::Waitlist.of(id);
        let mismatches = self.mismatches.iter().filter_map(|mismatch| {
            let (user, found) = match mismatch {
                Mismatch::Record(user, state, revision) => {
                    let state = state.as_str();
                    (user, format!("{user} is {state} since revision {revision}"))
                }
                Mismatch::Waitlist(user, score) if !is_gap_score(replay, *score) => (
                    user,
                    format!("{user} is in {waitlist} since revision {score}"),
                ),
                Mismatch::Waitlist(..) => return None,
            };
            let last = replay.users.get(user);
            (!replay.has_changed(user)).then(|| with_expected(&found, last))
        });
        let unchanged = replay.users.iter();
        let unchanged = unchanged.filter(|(user, _)| !replay.has_changed(user));
        let missing = unchanged.flat_map(|(user, last)| {
            let lacks_record = self.has_all_records && !last.is_recorded;
            let lacks_place = self.has_whole_waitlist
                && last.state == RegistrationState::Waitlisted
                && !last.is_waiting;
            let record = lacks_record
                .then(|| with_expected(&format!("{user} has no registration record"), Some(last)));
            let place = lacks_place
                .then(|| with_expected(&format!("{user} is not in {waitlist}"), Some(last)));
            [record, place].into_iter().flatten()
        });
        mismatches.chain(missing).collect()
    }
}

/// Completes a problem with what the log has.
fn with_expected(found: &str, last: Option<&LastEntry>) -> String {
    match last {
        Some(last) => {
            let state = last.state.as_str();
            let revision = last.revision;
            format!("{found}, but by the log {state} since revision {revision}")
        }
        None => format!("{found}, but has no log entry"),
    }
}

/// Whether the score in the waitlist equals the revision at which the log put the user there. Scores
/// are revisions: whole numbers far below 2^53.
#[allow(clippy::cast_precision_loss, clippy::float_cmp)]
fn waits_since(last: &LastEntry, score: f64) -> bool {
    last.state == RegistrationState::Waitlisted && last.revision.get() as f64 == score
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn is_gap_score(replay: &Replay, score: f64) -> bool {
    replay.is_gap(Revision::new(score as u64))
}
