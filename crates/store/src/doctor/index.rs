//! Users' indexes: what they lack, which must not be, and what they hold too much, which does no harm.

use deadpool_redis::redis::Pipeline;
use domain::{CompetitionId, UserId};

use super::look::{ask_last_event, read_erasure};
use super::report::{Problems, Repair};
use super::{Examination, STEP};
use crate::error::Result;
use crate::keys::{self, Account};
use crate::records::index_entry::written_at;

/// An entry of an index that is older than any call that can be under way.
struct OldEntry<'a> {
    user: &'a UserId,
    index: &'a str,
    competition: CompetitionId,
    value: String,
}

/// Somebody who is in or waits, with the record that says so.
pub(super) struct Registered {
    pub(super) user: UserId,
    pub(super) record: String,
}

impl Examination {
    /// Every current registration must be in its user's index, and every user must have an account.
    pub(super) async fn examine_registered(
        &self,
        id: &CompetitionId,
        registered: &[Registered],
        problems: &mut Problems,
    ) -> Result<()> {
        let users = registered.iter().map(|registered| &registered.user);
        let has_no_account = self.seen.users.missing(users.clone());
        let is_not_listed = self.seen.indexed.missing(users.map(|user| (user, id)));
        let missing = has_no_account.into_iter().zip(is_not_listed);
        let suspects = registered.iter().zip(missing);
        let suspects = suspects.filter(|(_, (account, entry))| *account || *entry);
        let suspects: Vec<_> = suspects.map(|(registered, _)| registered).collect();
        for suspects in suspects.chunks(STEP) {
            self.confirm_registered(id, suspects, problems).await?;
        }
        Ok(())
    }

    /// Says of whose registration the index or the account is missing, if the registration is still the same:
    /// then it stood when they were missed.
    async fn confirm_registered(
        &self,
        id: &CompetitionId,
        suspects: &[&Registered],
        problems: &mut Problems,
    ) -> Result<()> {
        let competition = keys::Competition::of(id);
        let [_, registrations, ..] = competition.for_registrations();
        let mut pipeline = Pipeline::with_capacity(6 * suspects.len() + 1);
        pipeline.cmd("HGET").arg(competition.meta()).arg("ends_at");
        for Registered { user, .. } in suspects {
            let account = Account::of_user(user);
            for index in [account.competitions(), account.added()] {
                pipeline.cmd("HEXISTS").arg(index).arg(id.as_str());
            }
            pipeline.cmd("EXISTS").arg(account.profile());
            ask_last_event(&mut pipeline, user.as_str());
            pipeline.cmd("HGET").arg(&registrations).arg(user.as_str());
        }
        let mut answers = self.look(&pipeline).await?;
        let ends_at: Option<i64> = answers.read();
        let is_over = ends_at.is_some_and(|ends_at| ends_at <= self.store.now().as_millis());
        for Registered { user, record } in suspects {
            // An index of a wrong type is named by the walk.
            let is_listed = [answers.read(), answers.read()].map(|is| is != Some(false));
            let has_account: Option<bool> = answers.read();
            let erased_at = read_erasure(&mut answers);
            let record_now: Option<String> = answers.read();
            if record_now.as_ref() != Some(record) {
                continue;
            }
            if has_account != Some(false) {
                if !is_listed.contains(&true) {
                    problems.find_repairable(
                        format!("user {user}"),
                        format!("the index lacks the registration for {id}"),
                        Repair::EnterInIndex {
                            user: user.clone(),
                            competition: id.clone(),
                        },
                    );
                }
                continue;
            }
            match erased_at {
                None => problems.find(
                    format!("competition {id}"),
                    format!("{user} is registered and has no account"),
                ),
                // What is over keeps its records, and an erasure may be under way.
                Some(at) if is_over || !self.is_long_ago(at) => {}
                Some(_) => problems.orphan(
                    format!("user {user}"),
                    format!("is registered for {id}, and the account was erased"),
                    Some(Repair::Withdraw {
                        user: user.clone(),
                        competition: id.clone(),
                    }),
                ),
            }
        }
        Ok(())
    }

    /// Says which entries are old and have no registration.
    pub(super) async fn examine_indexes(&self, indexes: &[(UserId, String)]) -> Result<Problems> {
        let mut problems = Problems::default();
        let mut pipeline = Pipeline::with_capacity(indexes.len());
        for (_, key) in indexes {
            pipeline.cmd("HGETALL").arg(key);
        }
        let mut answers = self.look(&pipeline).await?;
        let mut old = Vec::new();
        let mut listed = Vec::new();
        for (user, key) in indexes {
            let Some(entries) = answers.read::<Vec<(String, String)>>() else {
                problems.find(format!("key {key}"), "the index cannot be read");
                continue;
            };
            for (competition, value) in entries {
                let (Ok(competition), Ok(at)) =
                    (CompetitionId::parse(competition), written_at(&value))
                else {
                    let problem = "an entry of the index cannot be read";
                    problems.find(format!("key {key}"), problem);
                    continue;
                };
                listed.push((user, competition.clone()));
                if self.is_long_ago(at) {
                    old.push(OldEntry {
                        user,
                        index: key,
                        competition,
                        value,
                    });
                }
            }
        }
        self.seen.indexed.extend(listed);
        for entries in old.chunks(STEP) {
            let absent = self.not_current(entries).await?;
            self.confirm_stale(&absent, &mut problems).await?;
        }
        Ok(problems)
    }

    /// Those entries that no current registration was seen for.
    async fn not_current<'a, 'b>(
        &self,
        entries: &'a [OldEntry<'b>],
    ) -> Result<Vec<&'a OldEntry<'b>>> {
        let mut pipeline = Pipeline::with_capacity(entries.len());
        for entry in entries {
            let [_, registrations, ..] =
                keys::Competition::of(&entry.competition).for_registrations();
            pipeline
                .cmd("HEXISTS")
                .arg(registrations)
                .arg(entry.user.as_str());
        }
        let mut answers = self.look(&pipeline).await?;
        let absent = entries.iter().filter(|_| answers.read() == Some(false));
        Ok(absent.collect())
    }

    /// Says which entries have no registration: at one revision of the competition, and with an entry that
    /// nobody wrote again.
    async fn confirm_stale(
        &self,
        entries: &[&OldEntry<'_>],
        problems: &mut Problems,
    ) -> Result<()> {
        let mut pipeline = Pipeline::with_capacity(5 * entries.len());
        for entry in entries {
            let revision = keys::Competition::of(&entry.competition).revision();
            pipeline.cmd("GET").arg(&revision);
            ask_truth(&mut pipeline, entry);
            pipeline.cmd("GET").arg(&revision);
            pipeline
                .cmd("HGET")
                .arg(entry.index)
                .arg(entry.competition.as_str());
        }
        let mut answers = self.look(&pipeline).await?;
        for entry in entries {
            let before: Option<Option<String>> = answers.read();
            let current: Option<bool> = answers.read();
            let past: Option<bool> = answers.read();
            let after: Option<Option<String>> = answers.read();
            let value: Option<Option<String>> = answers.read();
            let is_absent = before == after && current == Some(false) && past == Some(false);
            if is_absent && value.flatten().as_ref() == Some(&entry.value) {
                let competition = &entry.competition;
                let repair = Repair::ForgetIndexEntry {
                    index: entry.index.to_owned(),
                    competition: competition.clone(),
                    value: entry.value.clone(),
                };
                let problem = format!("the index holds {competition}, where no registration is");
                problems.leave(format!("user {}", entry.user), problem, repair);
            }
        }
        Ok(())
    }
}

/// Asks whether the user is in, and whether the user was.
fn ask_truth(pipeline: &mut Pipeline, entry: &OldEntry<'_>) {
    let [_, registrations, past, ..] =
        keys::Competition::of(&entry.competition).for_registrations();
    for truth in [registrations, past] {
        pipeline.cmd("HEXISTS").arg(truth).arg(entry.user.as_str());
    }
}
