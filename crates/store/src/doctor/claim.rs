//! The claims of addresses: each is held by the account that has the address, or for ten minutes by one that
//! is being made.

use deadpool_redis::redis::Pipeline;
use domain::{Email, UserId};

use super::look::{ask_last_event, read_erasure};
use super::report::{Problems, Repair};
use super::{Examination, STEP};
use crate::error::Result;
use crate::keys::{Account, People};

/// What a claim says.
struct Claim<'a> {
    people: People,
    key: &'a str,
    owner: String,
}

/// What is wrong with how long a claim lasts, if it still says the same: one that changes is one that a call
/// is using.
enum Suspicion<'a> {
    PendingForEver(&'a Claim<'a>),
    Ends(&'a Claim<'a>),
}

impl Examination {
    pub(super) async fn examine_claims(&self, claims: &[(People, String)]) -> Result<Problems> {
        let mut problems = Problems::default();
        for claims in claims.chunks(STEP) {
            let read = self.read_claims(claims, &mut problems).await?;
            let suspicions = read.iter().filter_map(|(claim, seconds_left)| {
                match (claim.is_pending(), *seconds_left >= 0) {
                    (true, false) => Some(Suspicion::PendingForEver(claim)),
                    (false, true) => Some(Suspicion::Ends(claim)),
                    _ => None,
                }
            });
            let suspicions: Vec<_> = suspicions.collect();
            self.confirm_lasting(&suspicions, &mut problems).await?;
            let confirmed = read.iter().map(|(claim, _)| claim);
            let confirmed: Vec<_> = confirmed.filter(|claim| !claim.is_pending()).collect();
            self.examine_confirmed(&confirmed, &mut problems).await?;
        }
        Ok(problems)
    }

    /// Reads claims, and how many seconds each of them lasts; negative = it does not end.
    async fn read_claims<'a>(
        &self,
        claims: &'a [(People, String)],
        problems: &mut Problems,
    ) -> Result<Vec<(Claim<'a>, i64)>> {
        let mut pipeline = Pipeline::with_capacity(2 * claims.len());
        for (_, key) in claims {
            pipeline.cmd("GET").arg(key);
            pipeline.cmd("TTL").arg(key);
        }
        let mut answers = self.look(&pipeline).await?;
        let mut read = Vec::with_capacity(claims.len());
        for (people, key) in claims {
            let owner: Option<Option<String>> = answers.read();
            let seconds_left = answers.read().unwrap_or(-1);
            match owner {
                None => problems.find(format!("key {key}"), "the claim cannot be read"),
                Some(None) => {}
                Some(Some(owner)) => {
                    let people = *people;
                    read.push((Claim { people, key, owner }, seconds_left));
                }
            }
        }
        Ok(read)
    }

    async fn confirm_lasting(
        &self,
        suspicions: &[Suspicion<'_>],
        problems: &mut Problems,
    ) -> Result<()> {
        let mut pipeline = Pipeline::with_capacity(suspicions.len());
        for suspicion in suspicions {
            pipeline.cmd("GET").arg(suspicion.claim().key);
        }
        let mut answers = self.look(&pipeline).await?;
        for suspicion in suspicions {
            let claim = suspicion.claim();
            let owner: Option<Option<String>> = answers.read();
            if owner.flatten().as_ref() != Some(&claim.owner) {
                continue;
            }
            match suspicion {
                Suspicion::PendingForEver(_) => {
                    let problem = "the claim of an address is pending for ever";
                    problems.orphan(claim.subject(), problem, claim.release());
                }
                Suspicion::Ends(_) => {
                    let holder = claim.holder();
                    let problem = format!("{holder} loses the address: its claim ends by itself");
                    problems.find(claim.subject(), problem);
                }
            }
        }
        Ok(())
    }

    /// Each confirmed claim must be that of its holder's address.
    async fn examine_confirmed(
        &self,
        claims: &[&Claim<'_>],
        problems: &mut Problems,
    ) -> Result<()> {
        if claims.is_empty() || !self.has_secret(problems).await? {
            return Ok(());
        }
        let mut pipeline = Pipeline::with_capacity(claims.len());
        for claim in claims {
            let account = Account::of(claim.people, &claim.owner);
            pipeline.cmd("HGET").arg(account.profile()).arg("email");
        }
        let mut answers = self.look(&pipeline).await?;
        let mut orphans = Vec::new();
        for claim in claims {
            let email: Option<Option<String>> = answers.read();
            match email {
                // A profile that cannot be read is named by itself.
                None => {}
                Some(None) => orphans.push(*claim),
                Some(Some(email)) => {
                    let Ok(email) = Email::parse(email) else {
                        continue;
                    };
                    if self.claim_of(claim.people, &email).await? != claim.key {
                        let problem = format!(
                            "the claim of an address is held by {}, who has another one",
                            claim.holder()
                        );
                        problems.orphan(claim.subject(), problem, claim.release());
                    }
                }
            }
        }
        self.confirm_orphans(&orphans, problems).await
    }

    /// Says which claims are held by an account that is not there, and has not been for longer than an
    /// erasure takes.
    async fn confirm_orphans(&self, orphans: &[&Claim<'_>], problems: &mut Problems) -> Result<()> {
        let mut pipeline = Pipeline::with_capacity(2 * orphans.len());
        for claim in orphans {
            // Only users erase their accounts.
            ask_last_event(&mut pipeline, &claim.owner);
            pipeline.cmd("GET").arg(claim.key);
        }
        let mut answers = self.look(&pipeline).await?;
        for claim in orphans {
            let erased_at = read_erasure(&mut answers);
            let held: Option<Option<String>> = answers.read();
            let is_under_way = erased_at.is_some_and(|at| !self.is_long_ago(at));
            if held.flatten().as_ref() == Some(&claim.owner) && !is_under_way {
                let problem = format!(
                    "the claim of an address is held by {}, whose account is not there",
                    claim.holder()
                );
                problems.orphan(claim.subject(), problem, claim.release());
            }
        }
        Ok(())
    }
}

impl Suspicion<'_> {
    fn claim(&self) -> &Claim<'_> {
        match self {
            Self::PendingForEver(claim) | Self::Ends(claim) => claim,
        }
    }
}

impl Claim<'_> {
    fn is_pending(&self) -> bool {
        self.owner.starts_with("pending:")
    }

    fn subject(&self) -> String {
        format!("key {}", self.key)
    }

    /// Who holds it, as it may be shown.
    fn holder(&self) -> String {
        let who = match self.people {
            People::Users => "user",
            People::Admins => "admin",
        };
        match UserId::parse(self.owner.as_str()) {
            Ok(id) => format!("{who} {id}"),
            Err(_) => format!("a {who} whose id is none"),
        }
    }

    /// user-service, as which repairs are made, has no access to admins. Nothing is lost: who wants the
    /// address gets it.
    fn release(&self) -> Option<Repair> {
        (self.people == People::Users).then(|| Repair::ReleaseClaim {
            key: self.key.to_owned(),
            owner: self.owner.clone(),
        })
    }
}
