//! Users' accounts: each can be read, holds its address, has a password and stands in the directory.

use deadpool_redis::redis::Pipeline;
use domain::{Email, UserId};

use super::report::{Problems, Repair};
use super::{Examination, STEP};
use crate::error::Result;
use crate::installation::SECRET_BYTES;
use crate::keys::{self, Account, People};
use crate::records::Fields;
use crate::records::user;

/// What is wrong with an account, if the account is still there.
enum Suspicion<'a> {
    Unreadable(&'a UserId),
    NoPassword(&'a UserId),
    NotInDirectory(&'a UserId),
    HalfMade(&'a UserId),
}

impl Suspicion<'_> {
    fn user(&self) -> &UserId {
        match self {
            Self::Unreadable(user)
            | Self::NoPassword(user)
            | Self::NotInDirectory(user)
            | Self::HalfMade(user) => user,
        }
    }
}

impl Examination {
    pub(super) async fn examine_users(&self, users: &[UserId]) -> Result<Problems> {
        let mut problems = Problems::default();
        for users in users.chunks(STEP) {
            let mut suspicions = Vec::new();
            let claimants = self.read_accounts(users, &mut suspicions).await?;
            self.check_claims_of(&claimants, &mut suspicions, &mut problems)
                .await?;
            self.confirm(&suspicions, &mut problems).await?;
            self.counters.accounts(users.len());
        }
        Ok(problems)
    }

    /// Reads accounts. Answers those of them that have an address.
    async fn read_accounts<'a>(
        &self,
        users: &'a [UserId],
        suspicions: &mut Vec<Suspicion<'a>>,
    ) -> Result<Vec<(&'a UserId, Email)>> {
        let mut pipeline = Pipeline::with_capacity(2 * users.len());
        for user in users {
            let account = Account::of_user(user);
            pipeline.cmd("HGETALL").arg(account.profile());
            pipeline.cmd("TYPE").arg(account.credential());
        }
        let mut answers = self.look(&pipeline).await?;
        let ids = users.iter().map(|user| user.as_str().as_bytes());
        let is_missing = self.seen.directory.missing(ids);
        let mut claimants = Vec::with_capacity(users.len());
        for (user, is_missing) in users.iter().zip(is_missing) {
            let profile: Option<Vec<String>> = answers.read();
            let password: Option<String> = answers.read();
            // Erased meanwhile.
            if profile.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            if password.as_deref() != Some("string") {
                suspicions.push(Suspicion::NoPassword(user));
            }
            if is_missing {
                suspicions.push(Suspicion::NotInDirectory(user));
            }
            let profile = profile.map(Fields::from_pairs);
            match profile.and_then(|fields| user::parse(user.clone(), fields).ok()) {
                Some(read) => claimants.push((user, read.email)),
                None => suspicions.push(Suspicion::Unreadable(user)),
            }
        }
        self.seen.users.extend(users);
        Ok(claimants)
    }

    /// An account without the claim of its address was begun and never finished, or has lost it.
    async fn check_claims_of<'a>(
        &self,
        claimants: &[(&'a UserId, Email)],
        suspicions: &mut Vec<Suspicion<'a>>,
        problems: &mut Problems,
    ) -> Result<()> {
        if claimants.is_empty() || !self.has_secret(problems).await? {
            return Ok(());
        }
        let mut claims = Pipeline::with_capacity(claimants.len());
        for (_, email) in claimants {
            claims
                .cmd("GET")
                .arg(self.claim_of(People::Users, email).await?);
        }
        let mut held = self.look(&claims).await?;
        for (user, _) in claimants {
            let claim: Option<Option<String>> = held.read();
            if !is_claimed_by(user.as_str(), claim.flatten().as_deref()) {
                suspicions.push(Suspicion::HalfMade(user));
            }
        }
        Ok(())
    }

    /// Says what was suspected of accounts that are still there: then they were there before, too.
    async fn confirm(&self, suspicions: &[Suspicion<'_>], problems: &mut Problems) -> Result<()> {
        let mut pipeline = Pipeline::with_capacity(2 * suspicions.len());
        for suspicion in suspicions {
            let user = suspicion.user();
            pipeline
                .cmd("ZSCORE")
                .arg(keys::directory(keys::part_of(user.as_str())))
                .arg(user.as_str());
            pipeline.cmd("EXISTS").arg(Account::of_user(user).profile());
        }
        let mut answers = self.look(&pipeline).await?;
        for suspicion in suspicions {
            let place: Option<Option<f64>> = answers.read();
            if answers.read() != Some(true) {
                continue;
            }
            let subject = format!("user {}", suspicion.user());
            match suspicion {
                Suspicion::Unreadable(_) => problems.find(subject, "the profile cannot be read"),
                Suspicion::NoPassword(_) => problems.find(subject, "the account has no password"),
                // Entered since the directory was read, or of a wrong type: named by the walk.
                Suspicion::NotInDirectory(_) if place != Some(None) => {}
                Suspicion::NotInDirectory(user) => problems.find_repairable(
                    subject,
                    "the directory lacks the user",
                    Repair::EnterInDirectory {
                        user: (*user).clone(),
                    },
                ),
                Suspicion::HalfMade(_) => problems.orphan(subject, HALF_MADE, None),
            }
        }
        Ok(())
    }

    /// Whether the secret is there that finds the claims of addresses.
    pub(super) async fn has_secret(&self, problems: &mut Problems) -> Result<bool> {
        let mut get = Pipeline::with_capacity(1);
        get.cmd("STRLEN").arg(keys::INSTALLATION);
        let length: Option<usize> = self.look(&get).await?.read();
        let is_whole = length == Some(SECRET_BYTES);
        if !is_whole {
            let problem =
                "the secret of the installation is not there or not whole: no address can be found";
            problems.find(format!("key {}", keys::INSTALLATION), problem);
        }
        Ok(is_whole)
    }

    /// The key of the claim of this address.
    pub(super) async fn claim_of(&self, people: People, email: &Email) -> Result<String> {
        let store = &self.store;
        let hash = store.installation.email_hash(email).await?;
        Ok(keys::email_claim(people, &hash))
    }
}

/// What is said of an account that does not hold its address.
pub(super) const HALF_MADE: &str =
    "the account was not finished: it does not hold its address, so nobody can sign in to it";

/// Whether a claim is an account's, or will be in a moment.
pub(super) fn is_claimed_by(id: &str, claim: Option<&str>) -> bool {
    let pending_of_it = |claim: &str| {
        let rest = claim.strip_prefix("pending:");
        rest.and_then(|rest| rest.strip_prefix(id))
            .is_some_and(|rest| rest.starts_with(':'))
    };
    claim.is_some_and(|claim| claim == id || pending_of_it(claim))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_an_account_s_if_it_names_it_pending_or_not() {
        assert!(is_claimed_by("ada", Some("ada")));
        assert!(is_claimed_by("ada", Some("pending:ada:nonce")));
        for others in [
            None,
            Some("ben"),
            Some("pending:adam:nonce"),
            Some("pending:ben:ada"),
        ] {
            assert!(!is_claimed_by("ada", others), "{others:?}");
        }
    }
}
