//! Users: the profile is valid, there is a password, the account has the claim of its e-mail
//! address and is listed in the directory.

use domain::{User, UserId};
use store::inspect::{Cmd, Commands, Stored};
use store::keys::{AccountKey, People, directory, shard_of};
use store::records::{Fields, user};

use super::{NO_CLAIM, check_secret, lack_claims};
use crate::suspicion::{Condition, Suspicion, confirm};
use crate::{BATCH_SIZE, Examination, Finding, Repair, Result};

pub(crate) async fn check(examination: &Examination, users: &[UserId]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for users in users.chunks(BATCH_SIZE) {
        let (mut suspicions, profiles) = read_accounts(examination, users).await?;
        if !profiles.is_empty() {
            match check_secret(examination).await? {
                Some(finding) => findings.push(finding),
                None => suspicions.extend(suspect_claims(examination, &profiles).await?),
            }
        }
        findings.extend(confirm(examination, suspicions).await?);
        examination.count(|progress| progress.accounts += users.len());
    }
    Ok(findings)
}

/// Reads accounts. Returns what may be wrong, and the valid profiles.
async fn read_accounts(
    examination: &Examination,
    ids: &[UserId],
) -> Result<(Vec<Suspicion>, Vec<User>)> {
    let mut commands = Commands::with_capacity(2 * ids.len());
    for id in ids {
        commands.push(Cmd::hgetall(AccountKey::Profile.of_user(id)));
        commands.push(Cmd::key_type(AccountKey::Credential.of_user(id)));
    }
    let mut replies = examination.read(&commands).await?;
    let is_unlisted = ids.iter().map(|id| id.as_str().as_bytes());
    let is_unlisted = examination.seen.directory.missing(is_unlisted);
    let (mut suspicions, mut users) = (Vec::new(), Vec::with_capacity(ids.len()));
    for (id, is_unlisted) in ids.iter().zip(is_unlisted) {
        let profile: Stored<Fields> = replies.take();
        let credential: Stored<String> = replies.take();
        // The account was erased since the scan.
        if profile.is_absent() {
            continue;
        }
        let suspect = |problem| suspect(id, Finding::broken(format!("user {id}"), problem));
        if credential.present().as_deref() != Some("string") {
            suspicions.push(suspect("the account has no password"));
        }
        if is_unlisted {
            suspicions.push(suspect_unlisted(id));
        }
        match profile.parse(|profile| user::parse(id.clone(), profile)) {
            Stored::Present(user) => users.push(user),
            _ => suspicions.push(suspect("invalid profile")),
        }
    }
    examination.seen.accounts.extend(ids);
    Ok((suspicions, users))
}

async fn suspect_claims(examination: &Examination, users: &[User]) -> Result<Vec<Suspicion>> {
    let emails = users.iter().map(|user| (user.id.as_str(), &user.email));
    let lack_claims = lack_claims(examination, People::Users, emails).await?;
    let suspects = users.iter().zip(lack_claims).filter(|(_, lacks)| *lacks);
    let suspicions = suspects
        .map(|(User { id, .. }, _)| suspect(id, Finding::orphan(format!("user {id}"), NO_CLAIM)));
    Ok(suspicions.collect())
}

/// A finding about an account that still exists: then it existed during the first read too, because
/// ids are never used again.
fn suspect(user: &UserId, finding: Finding) -> Suspicion {
    let profile = AccountKey::Profile.of_user(user);
    Suspicion {
        finding,
        conditions: vec![Condition::Exists { key: profile }],
    }
}

fn suspect_unlisted(user: &UserId) -> Suspicion {
    let directory = directory(shard_of(user.as_str()));
    let problem = format!("the user is missing in {directory}");
    let repair = Repair::AddToDirectory { user: user.clone() };
    let finding = Finding::broken(format!("user {user}"), problem).with_repair(repair);
    let mut suspicion = suspect(user, finding);
    // The user may have been added since the directory was read.
    let is_unlisted = Condition::Lacks {
        key: directory,
        member: user.to_string(),
    };
    suspicion.conditions.insert(0, is_unlisted);
    suspicion
}
