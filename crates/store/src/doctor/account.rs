//! Accounts: each has the claim of its address, each claim its account, each index entry its
//! registration. Where one is missing, a call was cut off half way: the other is left over.

use std::collections::HashSet;

use deadpool_redis::redis::{Pipeline, cmd};
use domain::{CompetitionId, Email, UserId};

use super::keyspace::Keyspace;
use super::{Finding, Progress, Repair, Report};
use crate::Store;
use crate::accounts::PENDING;
use crate::error::Result;
use crate::keys::{self, Account, People};
use crate::redis::Kind;
use crate::registrations::{INDEX_GRACE, written_at};
use crate::reply::{decode, unreadable};
use crate::{installation, script};

/// How many accounts one round trip reads.
const STEP: usize = 1_000;

impl Store {
    pub(super) async fn examine_accounts(
        &self,
        keyspace: &Keyspace,
        report: &mut Report,
        show: &mut impl FnMut(Progress),
    ) -> Result<()> {
        for users in keyspace.users.chunks(STEP) {
            self.examine_claims_of(users, report).await?;
            report.examined.accounts += users.len() as u64;
            show(report.examined);
        }
        let known: HashSet<_> = keyspace.users.iter().map(UserId::as_str).collect();
        for claims in keyspace.claims.chunks(STEP) {
            self.examine_claims(claims, &known, report).await?;
        }
        let indexed: Vec<_> = keyspace.indexed.iter().collect();
        for users in indexed.chunks(STEP) {
            self.examine_indexes(users, report).await?;
        }
        Ok(())
    }

    /// An account without its claim was begun and never finished: nobody can sign in to it.
    async fn examine_claims_of(&self, users: &[UserId], report: &mut Report) -> Result<()> {
        let mut profiles = Pipeline::with_capacity(users.len());
        for user in users {
            profiles
                .cmd("HGET")
                .arg(Account::of_user(user).profile())
                .arg("email");
        }
        let emails = self.redis.pipeline(&profiles, Kind::Harmless).await?;
        let mut claims = Pipeline::with_capacity(users.len());
        let mut claimed_by = Vec::with_capacity(users.len());
        for (user, email) in users.iter().zip(emails) {
            let email: Option<String> = decode(email)?;
            let Some(email) = email.and_then(|email| Email::parse(email).ok()) else {
                report.find(format!("user {user}"), "the profile has no address");
                continue;
            };
            let hash = self.installation.email_hash(&self.redis, &email).await?;
            claims
                .cmd("GET")
                .arg(keys::email_claim(People::Users, &hash));
            claimed_by.push(user);
        }
        let held = self.redis.pipeline(&claims, Kind::Harmless).await?;
        for (user, claim) in claimed_by.into_iter().zip(held) {
            let claim: Option<String> = decode(claim)?;
            let is_half_made = claim.as_deref().is_none_or(|claim| claim != user.as_str());
            let is_under_way = claim
                .as_deref()
                .is_some_and(|claim| claim.starts_with(PENDING));
            if is_half_made && !is_under_way {
                let problem = "the account was not finished: it does not hold its address, so nobody can sign in";
                report
                    .leftovers
                    .push(Finding::new(format!("user {user}"), problem, None));
            }
        }
        Ok(())
    }

    async fn examine_claims(
        &self,
        claims: &[String],
        known: &HashSet<&str>,
        report: &mut Report,
    ) -> Result<()> {
        let mut pipeline = Pipeline::with_capacity(2 * claims.len());
        for claim in claims {
            pipeline.cmd("GET").arg(claim);
            pipeline.cmd("TTL").arg(claim);
        }
        let answers = self.redis.pipeline(&pipeline, Kind::Harmless).await?;
        for (key, answers) in claims.iter().zip(answers.chunks(2)) {
            let [owner, seconds] = answers else { break };
            let owner: Option<String> = decode(owner.clone())?;
            let seconds: i64 = decode(seconds.clone())?;
            let Some(owner) = owner else { continue };
            let is_pending = owner.starts_with(PENDING);
            let problem = if is_pending && seconds < 0 {
                "the claim of an address is pending for ever"
            } else if !is_pending
                && !known.contains(owner.as_str())
                && !self.is_there(&owner).await?
            {
                "the claim of an address is held by an account that is not there"
            } else {
                continue;
            };
            let repair = Repair::ReleaseClaim {
                key: key.clone(),
                owner,
            };
            report
                .leftovers
                .push(Finding::new(key, problem, Some(repair)));
        }
        Ok(())
    }

    /// Whether an account was made since the keys were walked over.
    async fn is_there(&self, user: &str) -> Result<bool> {
        let mut exists = cmd("EXISTS");
        exists.arg(Account::of(People::Users, user).profile());
        decode(self.redis.command(exists).await?)
    }

    /// What an index holds too much for longer than any call can be under way.
    async fn examine_indexes(&self, users: &[&UserId], report: &mut Report) -> Result<()> {
        let mut indexes = Vec::with_capacity(users.len());
        for user in users {
            indexes.push(Account::of_user(user).competitions());
            indexes.push(Account::of_user(user).added());
        }
        let mut pipeline = Pipeline::with_capacity(indexes.len());
        for key in &indexes {
            pipeline.cmd("HGETALL").arg(key);
        }
        let mut entries = Vec::new();
        let answers = self.redis.pipeline(&pipeline, Kind::Harmless).await?;
        for (n, (key, answer)) in indexes.iter().zip(answers).enumerate() {
            let index: Vec<(String, String)> = decode(answer)?;
            for (id, value) in index {
                let competition = CompetitionId::parse(id).map_err(|_| unreadable("an index"))?;
                if written_at(&value)?.after(INDEX_GRACE) < self.now() {
                    entries.push((users[n / 2], key, competition, value));
                }
            }
        }
        for entries in entries.chunks(STEP) {
            let mut pipeline = Pipeline::with_capacity(2 * entries.len());
            for (user, _, competition, _) in entries {
                let [_, registrations, past, ..] =
                    keys::Competition::of(competition).for_registrations();
                pipeline
                    .cmd("HEXISTS")
                    .arg(registrations)
                    .arg(user.as_str());
                pipeline.cmd("HEXISTS").arg(past).arg(user.as_str());
            }
            let answers = self.redis.pipeline(&pipeline, Kind::Harmless).await?;
            for ((user, key, competition, value), is_there) in entries.iter().zip(answers.chunks(2))
            {
                let is_there: Vec<bool> = is_there
                    .iter()
                    .cloned()
                    .map(decode)
                    .collect::<Result<_>>()?;
                if is_there.contains(&true) {
                    continue;
                }
                let repair = Repair::ForgetIndexEntry {
                    index: (*key).clone(),
                    competition: competition.clone(),
                    value: value.clone(),
                };
                let problem = format!("the index holds {competition}, where no registration is");
                report
                    .leftovers
                    .push(Finding::new(format!("user {user}"), problem, Some(repair)));
            }
        }
        Ok(())
    }

    /// Makes a repair, with a Redis user that may write what user-service writes.
    pub async fn repair(&self, finding: &Finding) -> Result<()> {
        match &finding.repair {
            None => Ok(()),
            Some(Repair::ForgetIndexEntry {
                index,
                competition,
                value,
            }) => {
                let call = script::FORGET_ENTRY
                    .on(&[index])
                    .arg(competition.as_str())
                    .arg(value);
                self.redis.run(call, Kind::Harmless).await.map(drop)
            }
            Some(Repair::EnterInIndex { user, competition }) => {
                let mut enter = cmd("HSET");
                enter
                    .arg(Account::of_user(user).competitions())
                    .arg(competition.as_str())
                    .arg(installation::index_value(self.now())?);
                self.redis.command(enter).await.map(drop)
            }
            Some(Repair::ReleaseClaim { key, owner }) => {
                let call = script::RELEASE_EMAIL.on(&[key]).arg(owner);
                self.redis.run(call, Kind::Harmless).await.map(drop)
            }
        }
    }
}
