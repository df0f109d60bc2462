//! One competition: its log is replayed through the rules, then what stands beside it must agree.

use std::collections::{HashMap, HashSet};

use deadpool_redis::redis::{Pipeline, cmd};
use domain::model::Model;
use domain::{CompetitionId, RegistrationState, Revision, UserId};

use super::{Finding, Progress, Repair, Report};
use crate::Store;
use crate::audit::read_entry;
use crate::error::Result;
use crate::keys::{self, Account};
use crate::redis::Kind;
use crate::reply::{Fields, decode};
use crate::seal::Seal;

/// How many records one round trip reads.
const STEP: usize = 1_000;

/// A log as far as it was replayed.
struct Replay {
    model: Model,
    /// Of each user: the last entry, and who added.
    last: HashMap<UserId, Revision>,
    chain: Seal,
    /// The seal that was made, while the replay has not reached it.
    made: Seal,
}

/// What stands beside the log.
struct Standing {
    /// State and revision of every user, in or gone.
    records: HashMap<UserId, (RegistrationState, Revision)>,
    /// Who waits, in order, each with the revision since which.
    waitlist: Vec<(UserId, Revision)>,
}

impl Store {
    pub(super) async fn examine_competition(
        &self,
        id: &CompetitionId,
        catalogue: &HashSet<CompetitionId>,
        report: &mut Report,
        show: &mut impl FnMut(Progress),
    ) -> Result<()> {
        let subject = format!("competition {id}");
        let mut replay = Replay {
            model: Model::default(),
            last: HashMap::new(),
            chain: Seal::EMPTY,
            made: self.seal(id).await?,
        };
        let before = self.revision_of(id).await?;
        if !self.replay(id, before, &mut replay, report, show).await? {
            return Ok(());
        }
        let standing = self.standing(id, report, show).await?;
        // Who changed while the records were read is left to the next examination.
        let seen = replay.last.clone();
        let after = self.revision_of(id).await?;
        if !self.replay(id, after, &mut replay, report, show).await? {
            return Ok(());
        }
        if replay.model.revision() != after {
            let end = replay.model.revision();
            report.find(
                &subject,
                format!("the log ends at revision {end}, the counter says {after}"),
            );
        }
        if replay.made != Seal::EMPTY {
            report.find(
                &subject,
                "the log does not have the seal that was made of it",
            );
        }
        let is_settled = |user: &UserId| replay.last.get(user) == seen.get(user);
        compare(&subject, &replay, &standing, is_settled, report);
        if replay.model.state().is_some() && !catalogue.contains(id) {
            report.find(&subject, "the catalogue lacks it");
        }
        self.examine_index(id, &standing, report).await
    }

    async fn revision_of(&self, id: &CompetitionId) -> Result<Revision> {
        let mut get = cmd("GET");
        get.arg(keys::Competition::of(id).revision());
        let revision: Option<u64> = decode(self.redis.command(get).await?)?;
        Ok(Revision(revision.unwrap_or(0)))
    }

    /// Goes on with the replay to this revision. Answers whether the rules allow all of it.
    async fn replay(
        &self,
        id: &CompetitionId,
        to: Revision,
        replay: &mut Replay,
        report: &mut Report,
        show: &mut impl FnMut(Progress),
    ) -> Result<bool> {
        while replay.model.revision() < to {
            let entries = self.log_after(id, replay.model.revision()).await?;
            if entries.is_empty() {
                break;
            }
            for (revision, fields) in entries {
                if revision > to {
                    break;
                }
                if !replay.take(id, revision, fields, report) {
                    return Ok(false);
                }
                report.examined.log_entries += 1;
            }
            show(report.examined);
        }
        Ok(true)
    }

    async fn standing(
        &self,
        id: &CompetitionId,
        report: &mut Report,
        show: &mut impl FnMut(Progress),
    ) -> Result<Standing> {
        let subject = format!("competition {id}");
        let [_, registrations, past, waitlist, _] = keys::Competition::of(id).for_registrations();
        let mut records = HashMap::new();
        for (key, letters) in [(registrations, "CW"), (past, "DR")] {
            let mut cursor = 0_u64;
            loop {
                let mut scan = cmd("HSCAN");
                scan.arg(&key).arg(cursor).arg("COUNT").arg(STEP);
                let (next, flat): (u64, Vec<(String, String)>) =
                    decode(self.redis.command(scan).await?)?;
                for (user, record) in flat {
                    report.examined.registrations += 1;
                    match read_record(&user, &record, letters) {
                        Some((user, standing)) => {
                            records.insert(user, standing);
                        }
                        None => {
                            report.find(&subject, format!("the record of {user} cannot be read"));
                        }
                    }
                }
                show(report.examined);
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
        }
        let mut range = cmd("ZRANGE");
        range.arg(waitlist).arg(0).arg(-1).arg("WITHSCORES");
        let waiting: Vec<(String, f64)> = decode(self.redis.command(range).await?)?;
        let waitlist = waiting.into_iter().filter_map(|(user, since)| {
            // Scores are revisions: whole, and far below 2^53.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let since = Revision(since as u64);
            UserId::parse(user).ok().map(|user| (user, since))
        });
        Ok(Standing {
            records,
            waitlist: waitlist.collect(),
        })
    }

    /// Every current registration must be in its user's index.
    async fn examine_index(
        &self,
        id: &CompetitionId,
        standing: &Standing,
        report: &mut Report,
    ) -> Result<()> {
        let current: Vec<_> = standing
            .records
            .iter()
            .filter(|(_, (state, _))| state.is_current())
            .map(|(user, _)| user)
            .collect();
        for users in current.chunks(STEP) {
            let mut pipeline = Pipeline::with_capacity(3 * users.len());
            for user in users {
                let account = Account::of_user(user);
                pipeline.cmd("EXISTS").arg(account.profile());
                pipeline
                    .cmd("HEXISTS")
                    .arg(account.competitions())
                    .arg(id.as_str());
                pipeline
                    .cmd("HEXISTS")
                    .arg(account.added())
                    .arg(id.as_str());
            }
            let answers = self.redis.pipeline(&pipeline, Kind::Harmless).await?;
            for (user, answers) in users.iter().zip(answers.chunks(3)) {
                let mut is = answers.iter().map(|answer| decode::<bool>(answer.clone()));
                let mut next = || is.next().unwrap_or(Ok(false));
                let (has_account, registered, added) = (next()?, next()?, next()?);
                if !has_account {
                    report.find(
                        format!("competition {id}"),
                        format!("{user} is registered and has no account"),
                    );
                } else if !registered && !added {
                    let repair = Repair::EnterInIndex {
                        user: (*user).clone(),
                        competition: id.clone(),
                    };
                    report.findings.push(Finding::new(
                        format!("user {user}"),
                        format!("the index lacks the registration for {id}"),
                        Some(repair),
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Replay {
    /// Takes the next entry. Answers whether the rules allow it.
    fn take(
        &mut self,
        id: &CompetitionId,
        revision: Revision,
        fields: Vec<String>,
        report: &mut Report,
    ) -> bool {
        self.chain = self.chain.with_entry(revision, &fields);
        if self.made == self.chain {
            self.made = Seal::EMPTY;
        }
        let read = read_entry(&format!("{revision}-0"), Fields::of(fields));
        let problem = match read {
            Err(error) => error.to_string(),
            Ok(entry) => {
                if let domain::Change::Registration { user_id, .. } = &entry.change {
                    self.last.insert(user_id.clone(), revision);
                }
                match self.model.apply(&entry) {
                    Ok(()) => return true,
                    Err(violation) => violation.to_string(),
                }
            }
        };
        report.find(
            format!("competition {id}"),
            format!("the log breaks the rules: {problem}"),
        );
        false
    }
}

/// Compares what stands with what the log makes of every user that did not change meanwhile.
fn compare(
    subject: &str,
    replay: &Replay,
    standing: &Standing,
    is_settled: impl Fn(&UserId) -> bool,
    report: &mut Report,
) {
    for (user, last) in &replay.last {
        let due = replay.model.registration(user).map(|state| (state, *last));
        let found = standing.records.get(user).copied();
        if due != found && is_settled(user) {
            report.find(
                subject,
                format!("{user} is {found:?}, and by the log {due:?}"),
            );
        }
    }
    for user in standing.records.keys() {
        if !replay.last.contains_key(user) {
            report.find(subject, format!("{user} has a record and no log entry"));
        }
    }
    let due: Vec<_> = replay
        .model
        .queue()
        .filter(|user| is_settled(user))
        .collect();
    let found = standing
        .waitlist
        .iter()
        .filter(|(user, _)| is_settled(user));
    if !found.clone().map(|(user, _)| user).eq(due.iter().copied()) {
        report.find(subject, "the queue is not what the log makes of it");
    }
    for (user, since) in found {
        if replay.last.get(user) != Some(since) {
            report.find(
                subject,
                format!("{user} waits since {since}, and by the log not since then"),
            );
        }
    }
}

/// Reads the state and the revision of a record: see `scripts/competition.lua`.
fn read_record(
    user: &str,
    record: &str,
    letters: &str,
) -> Option<(UserId, (RegistrationState, Revision))> {
    let mut words = record.split(' ');
    let state = match words.next().filter(|letter| letters.contains(letter))? {
        "C" => RegistrationState::Confirmed,
        "W" => RegistrationState::Waitlisted,
        "D" => RegistrationState::Withdrawn,
        "R" => RegistrationState::Removed,
        _ => return None,
    };
    let revision = words.next()?.parse().ok()?;
    Some((UserId::parse(user).ok()?, (state, Revision(revision))))
}
