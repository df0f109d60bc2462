//! What stands beside the log: the records of who is in and who was, and the queue. The log says what they must
//! be, and every count is the size of one of them.

use deadpool_redis::redis::Pipeline;
use domain::{AdminId, CompetitionId, RegistrationState, RequestId, Revision, UserId};

use super::index::Registered;
use super::look::{Page, shown};
use super::replay::{Last, Replay};
use super::report::Problems;
use super::{Examination, STEP};
use crate::error::Result;
use crate::keys;

/// Something that is not as the log says, unless it moved while one looked on.
pub(super) enum Difference {
    /// A record.
    Record(UserId, RegistrationState, Revision),
    /// A place in the queue.
    Place(UserId, f64),
}

/// What could be read of what stands beside the log.
#[derive(Default)]
pub(super) struct Standing {
    differences: Vec<Difference>,
    has_records: bool,
    has_queue: bool,
}

impl Examination {
    /// Compares all records and the queue with the log as far as it was replayed, and every current
    /// registration with its user's index.
    pub(super) async fn compare_standing(
        &self,
        id: &CompetitionId,
        replay: &mut Replay,
        problems: &mut Problems,
    ) -> Result<Standing> {
        let [_, registrations, past, waitlist, _] = keys::Competition::of(id).for_registrations();
        let mut standing = Standing {
            has_records: true,
            has_queue: true,
            ..Standing::default()
        };
        for (key, letters) in [(registrations, "CW"), (past, "DR")] {
            let mut cursor = 0_u64;
            loop {
                let mut scan = Pipeline::with_capacity(1);
                scan.cmd("HSCAN")
                    .arg(&key)
                    .arg(cursor)
                    .arg("COUNT")
                    .arg(STEP);
                let page: Page<(Vec<u8>, Vec<u8>)> = self.look(&scan).await?.read();
                // Of a wrong type: named by the walk.
                let Some((next, page)) = page else {
                    standing.has_records = false;
                    break;
                };
                self.counters.registrations(page.len());
                let mut registered = Vec::with_capacity(page.len());
                for (user, record) in page {
                    let user = String::from_utf8_lossy(&user).into_owned();
                    let record = String::from_utf8_lossy(&record).into_owned();
                    let Some((user, state, revision)) = read_record(user.clone(), &record, letters)
                    else {
                        let problem = format!("the record of {} cannot be read", shown(&user));
                        problems.find(format!("competition {id}"), problem);
                        if let Some(last) = UserId::parse(user)
                            .ok()
                            .and_then(|user| replay.last.get_mut(&user))
                        {
                            last.is_recorded = true;
                        }
                        continue;
                    };
                    standing.compare_record(replay, &user, state, revision);
                    if state.is_current() {
                        registered.push(Registered { user, record });
                    }
                }
                self.examine_registered(id, &registered, problems).await?;
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        self.compare_queue(id, &waitlist, replay, &mut standing, problems)
            .await?;
        Ok(standing)
    }

    async fn compare_queue(
        &self,
        id: &CompetitionId,
        waitlist: &str,
        replay: &mut Replay,
        standing: &mut Standing,
        problems: &mut Problems,
    ) -> Result<()> {
        let mut cursor = 0_u64;
        loop {
            let mut scan = Pipeline::with_capacity(1);
            scan.cmd("ZSCAN")
                .arg(waitlist)
                .arg(cursor)
                .arg("COUNT")
                .arg(STEP);
            let page: Page<(Vec<u8>, f64)> = self.look(&scan).await?.read();
            let Some((next, page)) = page else {
                standing.has_queue = false;
                return Ok(());
            };
            for (user, since) in page {
                match UserId::parse(String::from_utf8_lossy(&user)) {
                    Ok(user) => standing.compare_place(replay, user, since),
                    Err(_) => problems.find(
                        format!("competition {id}"),
                        "the queue holds somebody whose id is none",
                    ),
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

impl Standing {
    fn compare_record(
        &mut self,
        replay: &mut Replay,
        user: &UserId,
        state: RegistrationState,
        revision: Revision,
    ) {
        let is_lost = replay.is_lost(revision);
        let last = replay.last.get_mut(user);
        if let Some(last) = last {
            let is_due = (last.state, last.revision) == (state, revision);
            last.is_recorded = true;
            // What the log says of them is out of date.
            last.is_queued |= is_lost;
            if is_due || is_lost {
                return;
            }
        } else if is_lost {
            return;
        }
        self.differences
            .push(Difference::Record(user.clone(), state, revision));
    }

    /// The order of the queue is that of the revisions since which its members wait.
    fn compare_place(&mut self, replay: &mut Replay, user: UserId, since: f64) {
        if let Some(last) = replay.last.get_mut(&user) {
            last.is_queued = true;
            if waits_since(last, since) {
                return;
            }
        }
        self.differences.push(Difference::Place(user, since));
    }

    /// Says what differs of all who did not move meanwhile.
    pub(super) fn conclude(&self, subject: &str, replay: &Replay, problems: &mut Problems) {
        for difference in &self.differences {
            match difference {
                Difference::Record(user, state, revision) if replay.is_settled(user) => {
                    let state = state.as_str();
                    let found = format!("{user} is recorded as {state} since revision {revision}");
                    problems.find(subject, and_by_the_log(&found, replay.last.get(user)));
                }
                Difference::Place(user, since)
                    if replay.is_settled(user) && !is_lost(replay, *since) =>
                {
                    let found = format!("{user} stands in the queue since revision {since}");
                    problems.find(subject, and_by_the_log(&found, replay.last.get(user)));
                }
                Difference::Record(..) | Difference::Place(..) => {}
            }
        }
        for (user, last) in &replay.last {
            if !replay.is_settled(user) {
                continue;
            }
            if self.has_records && !last.is_recorded {
                let found = format!("{user} has no record");
                problems.find(subject, and_by_the_log(&found, Some(last)));
            }
            let waits = last.state == RegistrationState::Waitlisted;
            if self.has_queue && waits && !last.is_queued {
                let found = format!("{user} does not stand in the queue");
                problems.find(subject, and_by_the_log(&found, Some(last)));
            }
        }
    }
}

fn and_by_the_log(found: &str, last: Option<&Last>) -> String {
    match last {
        Some(Last {
            state, revision, ..
        }) => {
            let state = state.as_str();
            format!("{found}, and by the log is {state} since revision {revision}")
        }
        None => format!("{found}, and has no log entry"),
    }
}

/// Whether this is the moment since which the log lets them wait. Scores are revisions: whole, and far
/// below 2^53.
#[allow(clippy::cast_precision_loss, clippy::float_cmp)]
fn waits_since(last: &Last, since: f64) -> bool {
    last.state == RegistrationState::Waitlisted && last.revision.get() as f64 == since
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn is_lost(replay: &Replay, since: f64) -> bool {
    replay.is_lost(Revision::new(since as u64))
}

/// Reads the state and the revision of a record as strictly as the scripts do: see
/// `scripts/competition.lua`.
fn read_record(
    user: String,
    record: &str,
    letters: &str,
) -> Option<(UserId, RegistrationState, Revision)> {
    let mut words = record.split(' ');
    let state = match words.next().filter(|letter| letters.contains(letter))? {
        "C" => RegistrationState::Confirmed,
        "W" => RegistrationState::Waitlisted,
        "D" => RegistrationState::Withdrawn,
        "R" => RegistrationState::Removed,
        _ => return None,
    };
    let revision = words.next()?.parse().ok()?;
    let _created_at: u64 = words.next()?.parse().ok()?;
    let added_by = words.next()?;
    let is_added = added_by == "-" || AdminId::parse(added_by).is_ok();
    let mut requests = words.map(|request| {
        let (id, revision) = request.split_once('=')?;
        RequestId::parse(id).ok()?;
        revision.parse::<u64>().ok()
    });
    if !is_added || !requests.all(|request| request.is_some()) {
        return None;
    }
    Some((UserId::parse(user).ok()?, state, Revision::new(revision)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_whole_or_not_at_all() {
        let read = |record: &str| read_record("ada".to_owned(), record, "CW");
        let request = "0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90=12";
        assert!(read("C 12 1700000000000 -").is_some());
        assert!(read(&format!("W 12 1700000000000 olga {request}")).is_some());
        for bad in [
            "",
            "C",
            "C 12",
            "C 12 1700000000000",
            "C twelve 1700000000000 -",
            "X 12 1700000000000 -",
            "CW 12 1700000000000 -",
            "D 12 1700000000000 -",
            "C 12 1700000000000 - request",
            "C 12 1700000000000 Olga!",
        ] {
            assert!(read(bad).is_none(), "{bad}");
        }
        let nobody = read_record("A B".to_owned(), "C 12 1700000000000 -", "CW");
        assert!(nobody.is_none());
    }
}
