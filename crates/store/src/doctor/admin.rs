//! Admins' accounts: as users' are, and the owners, without whom nobody could make an admin.

use std::collections::BTreeSet;

use deadpool_redis::redis::Pipeline;
use domain::{Admin, AdminId, Role};
use tokio::time::sleep;

use super::account::{HALF_MADE, is_claimed_by};
use super::look::{LOOKS, MOMENT};
use super::report::Problems;
use super::{Examination, STEP};
use crate::error::Result;
use crate::keys::{self, Account, People};
use crate::records::Fields;
use crate::records::admin;

/// What a call leaves that is cut off before it has made, or after it has begun to disable, an owner.
const NOT_AMONG_THE_OWNERS: &str = "is an owner and not among the owners";

impl Examination {
    pub(super) async fn examine_admins(&self, admins: BTreeSet<AdminId>) -> Result<Problems> {
        let mut problems = Problems::default();
        let ids: Vec<_> = admins.into_iter().collect();
        let mut read = Vec::with_capacity(ids.len());
        for ids in ids.chunks(STEP) {
            read.append(&mut self.read_admins(ids, &mut problems).await?);
            self.counters.accounts(ids.len());
        }
        for admins in read.chunks(STEP) {
            self.check_claims_of_admins(admins, &mut problems).await?;
        }
        self.examine_owners(&read, &mut problems).await?;
        Ok(problems)
    }

    /// Reads accounts that are never erased: what is missed is missing.
    async fn read_admins(&self, ids: &[AdminId], problems: &mut Problems) -> Result<Vec<Admin>> {
        let mut pipeline = Pipeline::with_capacity(3 * ids.len());
        for id in ids {
            let account = Account::of_admin(id);
            pipeline.cmd("HGETALL").arg(account.profile());
            pipeline.cmd("TYPE").arg(account.credential());
            pipeline.cmd("ZSCORE").arg(keys::ADMINS).arg(id.as_str());
        }
        let mut answers = self.look(&pipeline).await?;
        let mut admins = Vec::with_capacity(ids.len());
        for id in ids {
            let subject = format!("admin {id}");
            let profile: Option<Vec<String>> = answers.read();
            let admin = profile
                .and_then(|profile| admin::parse(id.clone(), Fields::from_pairs(profile)).ok());
            match admin {
                Some(admin) => admins.push(admin),
                None => problems.find(&subject, "the profile cannot be read"),
            }
            if answers.read::<String>().as_deref() != Some("string") {
                problems.find(&subject, "the account has no password");
            }
            if answers.read::<Option<f64>>() == Some(None) {
                problems.find(&subject, "the list of admins lacks the admin");
            }
        }
        Ok(admins)
    }

    async fn check_claims_of_admins(
        &self,
        admins: &[Admin],
        problems: &mut Problems,
    ) -> Result<()> {
        if admins.is_empty() || !self.has_secret(problems).await? {
            return Ok(());
        }
        let mut claims = Pipeline::with_capacity(admins.len());
        for admin in admins {
            let claim = self.claim_of(People::Admins, &admin.email).await?;
            claims.cmd("GET").arg(claim);
        }
        let mut held = self.look(&claims).await?;
        for admin in admins {
            let claim: Option<Option<String>> = held.read();
            if !is_claimed_by(admin.id.as_str(), claim.flatten().as_deref()) {
                problems.orphan(format!("admin {}", admin.id), HALF_MADE, None);
            }
        }
        Ok(())
    }

    /// The set of the owners must hold every enabled owner, and nobody else: by it an installation knows
    /// whether it has an owner, and who must not be disabled.
    async fn examine_owners(&self, admins: &[Admin], problems: &mut Problems) -> Result<()> {
        let mut wrong = self.wrong_owners(admins).await?;
        for _ in 0..LOOKS {
            if wrong.is_empty() {
                break;
            }
            // A call that makes or disables an owner leaves it so for a moment.
            sleep(MOMENT).await;
            let still = self.wrong_owners(admins).await?;
            wrong = wrong.intersection(&still).cloned().collect();
        }
        for (id, problem) in wrong {
            let subject = format!("admin {id}");
            if problem == NOT_AMONG_THE_OWNERS {
                problems.orphan(subject, problem, None);
            } else {
                problems.find(subject, problem);
            }
        }
        Ok(())
    }

    async fn wrong_owners(&self, admins: &[Admin]) -> Result<BTreeSet<(AdminId, &'static str)>> {
        let mut members = Pipeline::with_capacity(1);
        members.cmd("SMEMBERS").arg(keys::OWNERS);
        let members: Option<BTreeSet<String>> = self.look(&members).await?.read();
        // Of a wrong type: named by the walk.
        let Some(mut members) = members else {
            return Ok(BTreeSet::new());
        };
        let mut pipeline = Pipeline::with_capacity(admins.len());
        for admin in admins {
            let profile = Account::of_admin(&admin.id).profile();
            pipeline.cmd("HGET").arg(profile).arg("disabled");
        }
        let mut answers = self.look(&pipeline).await?;
        let mut wrong = BTreeSet::new();
        for admin in admins {
            let disabled: Option<String> = answers.read();
            let is_owner = admin.role == Role::Owner && disabled.as_deref() != Some("1");
            let is_member = members.remove(admin.id.as_str());
            if is_owner && !is_member {
                wrong.insert((admin.id.clone(), NOT_AMONG_THE_OWNERS));
            } else if is_member && !is_owner {
                wrong.insert((admin.id.clone(), "is among the owners and no owner"));
            }
        }
        // Whose account was made since is no less an owner.
        let others = members.into_iter().filter_map(|id| AdminId::parse(id).ok());
        let mut others: Vec<_> = others.collect();
        others.retain(|id| admins.iter().all(|admin| admin.id != *id));
        let mut pipeline = Pipeline::with_capacity(others.len());
        for id in &others {
            pipeline.cmd("EXISTS").arg(Account::of_admin(id).profile());
        }
        let mut answers = self.look(&pipeline).await?;
        for id in others {
            if answers.read() == Some(false) {
                wrong.insert((id, "is among the owners and has no account"));
            }
        }
        Ok(wrong)
    }
}
