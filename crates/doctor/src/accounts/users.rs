//! Users: the profile is valid, there is a password, the account has the claim of its e-mail address
//! and is listed in the directory.

use domain::UserId;
use store::inspect::{Commands, Stored};
use store::keys::{AccountKey, People, directory, shard_of};
use store::records::{Fields, user};

use super::{EmailHolder, NO_CLAIM, check_secret, lack_claims};
use crate::reading::command;
use crate::suspicion::{Condition, Suspicion, confirm};
use crate::{BATCH_SIZE, Examination, Finding, Repair, Result};

pub(crate) async fn check(on: &Examination, users: &[UserId]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for users in users.chunks(BATCH_SIZE) {
        let (mut suspicions, holders) = read_accounts(on, users).await?;
        if !holders.is_empty() {
            match check_secret(on).await? {
                Some(finding) => findings.push(finding),
                None => suspicions.extend(suspect_claims(on, &holders).await?),
            }
        }
        findings.extend(confirm(on, suspicions).await?);
        on.counters.accounts.add(users.len());
    }
    Ok(findings)
}

/// Reads accounts. Returns what may be wrong, and the accounts that have an e-mail address.
async fn read_accounts<'a>(
    on: &Examination,
    users: &'a [UserId],
) -> Result<(Vec<Suspicion>, Vec<EmailHolder<'a>>)> {
    let mut commands = Commands::with_capacity(2 * users.len());
    for user in users {
        commands.push(command("HGETALL", &[&AccountKey::Profile.of_user(user)]));
        commands.push(command("TYPE", &[&AccountKey::Credential.of_user(user)]));
    }
    let mut replies = on.read(&commands).await?;
    let ids = users.iter().map(|user| user.as_str().as_bytes());
    let is_unlisted = on.seen.directory.missing(ids);
    let (mut suspicions, mut holders) = (Vec::new(), Vec::new());
    for (user, is_unlisted) in users.iter().zip(is_unlisted) {
        let profile: Stored<Fields> = replies.take();
        let credential: Stored<String> = replies.take();
        // The account was erased since the scan.
        if profile.is_absent() {
            continue;
        }
        if credential.present().as_deref() != Some("string") {
            suspicions.push(suspect(user, "the account has no password"));
        }
        if is_unlisted {
            suspicions.push(suspect_unlisted(user));
        }
        match profile.parse(|profile| user::parse(user.clone(), profile)) {
            Stored::Present(parsed) => holders.push(EmailHolder {
                id: user.as_str(),
                email: parsed.email,
            }),
            _ => suspicions.push(suspect(user, "invalid profile")),
        }
    }
    on.seen.accounts.extend(users);
    Ok((suspicions, holders))
}

async fn suspect_claims(on: &Examination, holders: &[EmailHolder<'_>]) -> Result<Vec<Suspicion>> {
    let lack_claims = lack_claims(on, People::Users, holders).await?;
    let holders = holders.iter().zip(lack_claims);
    let suspicions = holders
        .filter(|(_, lacks)| *lacks)
        .filter_map(|(holder, _)| {
            let user = UserId::parse(holder.id).ok()?;
            Some(Suspicion {
                finding: Finding::orphan(format!("user {user}"), NO_CLAIM),
                conditions: vec![exists(&user)],
            })
        });
    Ok(suspicions.collect())
}

fn suspect(user: &UserId, problem: &str) -> Suspicion {
    Suspicion {
        finding: Finding::broken(format!("user {user}"), problem),
        conditions: vec![exists(user)],
    }
}

fn suspect_unlisted(user: &UserId) -> Suspicion {
    let directory = directory(shard_of(user.as_str()));
    let problem = format!("the user is missing in {directory}");
    let repair = Repair::AddToDirectory { user: user.clone() };
    Suspicion {
        finding: Finding::broken(format!("user {user}"), problem).with_repair(repair),
        conditions: vec![
            // The user may have been added since the directory was read.
            Condition::Lacks {
                key: directory,
                member: user.to_string(),
            },
            exists(user),
        ],
    }
}

/// An account that still exists existed during the first read too, because ids are never used again.
fn exists(user: &UserId) -> Condition {
    Condition::Exists {
        key: AccountKey::Profile.of_user(user),
    }
}
