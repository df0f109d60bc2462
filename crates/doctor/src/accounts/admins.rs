//! Admins: like users, and the set of the owners, without whom nobody can create an admin.

use std::collections::BTreeSet;

use domain::{Admin, AdminId, Role};
use store::inspect::{Cmd, Commands, Stored};
use store::keys::{ADMINS, AccountKey, OWNERS, People};
use store::records::{Fields, admin};
use tokio::time::sleep;

use super::{NO_CLAIM, check_secret, lack_claims};
use crate::reading::{RECHECK_INTERVAL, RECHECKS};
use crate::{BATCH_SIZE, Examination, Finding, Result};

pub(crate) async fn check(
    examination: &Examination,
    ids: BTreeSet<AdminId>,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut admins = Vec::with_capacity(ids.len());
    let ids: Vec<_> = ids.into_iter().collect();
    for ids in ids.chunks(BATCH_SIZE) {
        let (mut read, found) = read_admins(examination, ids).await?;
        findings.extend(found);
        findings.extend(check_email_claims(examination, &read).await?);
        admins.append(&mut read);
        examination.count(|progress| progress.accounts += ids.len());
    }
    findings.extend(check_owners(examination, &admins).await?);
    Ok(findings)
}

/// Reads accounts. Admins are never erased, so that whatever is missing is a finding at once.
async fn read_admins(
    examination: &Examination,
    ids: &[AdminId],
) -> Result<(Vec<Admin>, Vec<Finding>)> {
    let mut commands = Commands::with_capacity(3 * ids.len());
    for id in ids {
        commands.push(Cmd::hgetall(AccountKey::Profile.of_admin(id)));
        commands.push(Cmd::key_type(AccountKey::Credential.of_admin(id)));
        commands.push(Cmd::zscore(ADMINS, id.as_str()));
    }
    let mut replies = examination.read(&commands).await?;
    let (mut admins, mut findings) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        let mut report = |problem: &str| {
            findings.push(Finding::broken(format!("admin {id}"), problem));
        };
        let profile: Stored<Fields> = replies.take();
        match profile.parse(|profile| admin::parse(id.clone(), profile)) {
            Stored::Present(admin) => admins.push(admin),
            _ => report("invalid profile"),
        }
        if replies.take::<String>().present().as_deref() != Some("string") {
            report("the account has no password");
        }
        if replies.take::<f64>().is_absent() {
            report(&format!("the admin is missing in {ADMINS}"));
        }
    }
    Ok((admins, findings))
}

async fn check_email_claims(examination: &Examination, admins: &[Admin]) -> Result<Vec<Finding>> {
    if admins.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(finding) = check_secret(examination).await? {
        return Ok(vec![finding]);
    }
    let emails = admins.iter().map(|admin| (admin.id.as_str(), &admin.email));
    let lack_claims = lack_claims(examination, People::Admins, emails).await?;
    let orphans = admins.iter().zip(lack_claims).filter(|(_, lacks)| *lacks);
    let orphans =
        orphans.map(|(admin, _)| Finding::orphan(format!("admin {}", admin.id), NO_CLAIM));
    Ok(orphans.collect())
}

/// The set of the owners must hold every enabled owner and no other admin. It decides whether an
/// installation has an owner, and whether an owner is the last one, who cannot be disabled.
async fn check_owners(examination: &Examination, admins: &[Admin]) -> Result<BTreeSet<Finding>> {
    let mut findings = compare_owners(examination, admins).await?;
    for _ in 0..RECHECKS {
        if findings.is_empty() {
            break;
        }
        // A call that creates or disables an owner changes the account and the set one after the
        // other.
        sleep(RECHECK_INTERVAL).await;
        let still = compare_owners(examination, admins).await?;
        findings.retain(|finding| still.contains(finding));
    }
    Ok(findings)
}

async fn compare_owners(examination: &Examination, admins: &[Admin]) -> Result<BTreeSet<Finding>> {
    let mut findings = BTreeSet::new();
    let mut members: BTreeSet<String> = match examination.read_one(Cmd::smembers(OWNERS)).await? {
        Stored::Present(members) => members,
        Stored::Absent => BTreeSet::new(),
        // The check of the keyspace reports the wrong type.
        Stored::Unreadable => return Ok(findings),
    };
    let disabled = |admin: &Admin| Cmd::hget(AccountKey::Profile.of_admin(&admin.id), "disabled");
    let mut replies = examination
        .read(&admins.iter().map(disabled).collect())
        .await?;
    for admin in admins {
        let subject = format!("admin {}", admin.id);
        let disabled: Option<String> = replies.take().present();
        let is_owner = admin.role == Role::Owner && disabled.as_deref() != Some("1");
        let is_member = members.remove(admin.id.as_str());
        if is_owner && !is_member {
            // An orphan: a call that creates or disables an owner was cut off.
            let problem = format!("an enabled owner who is missing in {OWNERS}");
            findings.insert(Finding::orphan(subject, problem));
        } else if is_member && !is_owner {
            let problem = format!("in {OWNERS}, but not an enabled owner");
            findings.insert(Finding::broken(subject, problem));
        }
    }
    // The accounts of the remaining members may have been created since the scan.
    let ids = members.into_iter().filter_map(|id| AdminId::parse(id).ok());
    let ids: Vec<_> = ids.collect();
    let exists = |id| Cmd::exists(AccountKey::Profile.of_admin(id));
    let mut replies = examination.read(&ids.iter().map(exists).collect()).await?;
    for id in ids {
        if replies.take().present() == Some(false) {
            let problem = format!("in {OWNERS}, but the account does not exist");
            findings.insert(Finding::broken(format!("admin {id}"), problem));
        }
    }
    Ok(findings)
}
