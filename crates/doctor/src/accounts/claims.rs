//! Claims of e-mail addresses. A claim is owned by the account that has the address. While the
//! account is being created, its claim is pending and expires after ten minutes.

use domain::{AdminId, Email, UserId};
use store::inspect::{Cmd, Commands, Stored};
use store::keys::{AccountId, AccountKey, People};
use store::records::email_claim::EmailClaim;

use super::check_secret;
use crate::reading::{last_entry, take_erased_at};
use crate::suspicion::{Condition, Suspicion, confirm};
use crate::{BATCH_SIZE, Examination, Finding, Repair, Result};

/// A claim that was read.
struct ReadClaim<'a> {
    people: People,
    key: &'a str,
    /// As it is stored.
    text: String,
    parsed: EmailClaim,
    expires: bool,
}

pub(crate) async fn check(
    examination: &Examination,
    keys: &[(People, String)],
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for keys in keys.chunks(BATCH_SIZE) {
        let (claims, unreadable) = read_claims(examination, keys).await?;
        findings.extend(unreadable);
        let suspicions = claims.iter().filter_map(suspect_expiry).collect();
        findings.extend(confirm(examination, suspicions).await?);
        let is_owned = |claim: &&ReadClaim<'_>| matches!(claim.parsed, EmailClaim::Owned { .. });
        let owned: Vec<_> = claims.iter().filter(is_owned).collect();
        if owned.is_empty() {
            continue;
        }
        match check_secret(examination).await? {
            Some(finding) => findings.push(finding),
            None => findings.extend(check_owned(examination, &owned).await?),
        }
    }
    Ok(findings)
}

async fn read_claims<'a>(
    examination: &Examination,
    keys: &'a [(People, String)],
) -> Result<(Vec<ReadClaim<'a>>, Vec<Finding>)> {
    let mut commands = Commands::with_capacity(2 * keys.len());
    for (_, key) in keys {
        commands.push(Cmd::get(key));
        commands.push(Cmd::ttl(key));
    }
    let mut replies = examination.read(&commands).await?;
    let (mut claims, mut findings) = (Vec::with_capacity(keys.len()), Vec::new());
    for (people, key) in keys {
        let text: Stored<String> = replies.take();
        // Negative if the claim does not expire.
        let seconds_left: i64 = replies.take().present().unwrap_or(-1);
        match text {
            Stored::Absent => {}
            Stored::Unreadable => {
                findings.push(Finding::broken(format!("key {key}"), "invalid claim"));
            }
            Stored::Present(text) => claims.push(ReadClaim {
                people: *people,
                key,
                parsed: EmailClaim::parse(&text),
                text,
                expires: seconds_left >= 0,
            }),
        }
    }
    Ok((claims, findings))
}

/// A pending claim must expire, and an owned one must not.
fn suspect_expiry(claim: &ReadClaim<'_>) -> Option<Suspicion> {
    let finding = match (&claim.parsed, claim.expires) {
        (EmailClaim::Pending { .. }, false) => claim.orphan("pending claim without an expiry"),
        (EmailClaim::Owned { .. }, true) => {
            let problem = format!("{} loses this claim: it has an expiry", claim.owner());
            Finding::broken(format!("key {}", claim.key), problem)
        }
        _ => return None,
    };
    Some(claim.suspect(finding))
}

/// An owned claim must be that of its owner's e-mail address.
async fn check_owned(examination: &Examination, claims: &[&ReadClaim<'_>]) -> Result<Vec<Finding>> {
    let email = |claim: &&ReadClaim<'_>| {
        let profile = AccountKey::Profile.of(&claim.account());
        Cmd::hget(profile, "email")
    };
    let mut emails = examination
        .read(&claims.iter().map(email).collect())
        .await?;
    let (mut findings, mut without_account) = (Vec::new(), Vec::new());
    for claim in claims {
        match emails.take::<String>().parse(Email::try_from) {
            // The check of the account reports its invalid profile.
            Stored::Unreadable => {}
            Stored::Absent => without_account.push(*claim),
            Stored::Present(email) => {
                let inspector = &examination.inspector;
                let keys = inspector.email_claim_keys(claim.people, &email).await?;
                if !keys.iter().any(|key| key == claim.key) {
                    let problem = format!("claimed by {}, who has another address", claim.owner());
                    findings.push(claim.orphan(&problem));
                }
            }
        }
    }
    let suspicions = suspect_orphans(examination, &without_account).await?;
    findings.extend(confirm(examination, suspicions).await?);
    Ok(findings)
}

/// Suspects the claims whose accounts do not exist, and were not erased so recently that the
/// erasure may still release the claim.
async fn suspect_orphans(
    examination: &Examination,
    claims: &[&ReadClaim<'_>],
) -> Result<Vec<Suspicion>> {
    let last_event = |claim: &&ReadClaim<'_>| last_entry(&AccountKey::Log.of(&claim.account()));
    let mut events = examination
        .read(&claims.iter().map(last_event).collect())
        .await?;
    let mut suspicions = Vec::new();
    for claim in claims {
        let erased_at = take_erased_at(&mut events);
        if erased_at.is_none_or(|at| examination.is_past_grace_period(at)) {
            let problem = format!("claimed by {}, whose account does not exist", claim.owner());
            suspicions.push(claim.suspect(claim.orphan(&problem)));
        }
    }
    Ok(suspicions)
}

impl ReadClaim<'_> {
    /// The account that the claim names. Its id may be invalid.
    fn account(&self) -> AccountId {
        let (EmailClaim::Pending { account } | EmailClaim::Owned { account }) = &self.parsed;
        match self.people {
            People::Users => UserId::parse(account.as_str()).map(AccountId::User).ok(),
            People::Admins => AdminId::parse(account.as_str()).map(AccountId::Admin).ok(),
        }
        .unwrap_or_else(|| AccountId::Unclaimed(self.people, account.clone()))
    }

    /// The account in words. An invalid id is not printed: it may be personal data.
    fn owner(&self) -> String {
        match self.account() {
            AccountId::User(id) => format!("user {id}"),
            AccountId::Admin(id) => format!("admin {id}"),
            AccountId::Unclaimed(People::Users, _) => "an invalid user id".to_owned(),
            AccountId::Unclaimed(People::Admins, _) => "an invalid admin id".to_owned(),
        }
    }

    fn orphan(&self, problem: &str) -> Finding {
        // Repairs are made as user-service, which may not access admins. The claim of an admin does
        // no harm: the next account that needs the address takes it over.
        let repair = (self.people == People::Users).then(|| Repair::ReleaseClaim {
            key: self.key.to_owned(),
            value: self.text.clone(),
        });
        Finding::orphan(format!("key {}", self.key), problem).with_repair(repair)
    }

    /// A claim that has changed since the first read is being used by a call.
    fn suspect(&self, finding: Finding) -> Suspicion {
        Suspicion {
            finding,
            conditions: vec![Condition::Unchanged {
                key: self.key.to_owned(),
                text: self.text.clone(),
            }],
        }
    }
}
