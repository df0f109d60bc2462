//! Admins: like users, and the set of the owners, without whom nobody can create an admin.

use std::collections::BTreeSet;

use domain::{Admin, AdminId, Role};
use store::inspect::{Commands, Stored};
use store::keys::{ADMINS, AccountKey, OWNERS, People};
use store::records::{Fields, admin};
use tokio::time::sleep;

use super::{EmailHolder, NO_CLAIM, check_secret, lack_claims};
use crate::reading::{RECHECK_INTERVAL, RECHECKS, command};
use crate::{BATCH_SIZE, Examination, Finding, Result};

/// What may be wrong with the set of the owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OwnerProblem {
    /// A call that creates or disables an owner was cut off.
    Missing,
    NotAnOwner,
    NoAccount,
}

pub(crate) async fn check(on: &Examination, ids: BTreeSet<AdminId>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut admins = Vec::with_capacity(ids.len());
    let ids: Vec<_> = ids.into_iter().collect();
    for ids in ids.chunks(BATCH_SIZE) {
        let (mut read, found) = read_admins(on, ids).await?;
        findings.extend(found);
        findings.extend(check_email_claims(on, &read).await?);
        admins.append(&mut read);
        on.counters.accounts.add(ids.len());
    }
    findings.extend(check_owners(on, &admins).await?);
    Ok(findings)
}

/// Reads accounts. Admins are never erased, so that whatever is missing is a finding at once.
async fn read_admins(on: &Examination, ids: &[AdminId]) -> Result<(Vec<Admin>, Vec<Finding>)> {
    let mut commands = Commands::with_capacity(3 * ids.len());
    for id in ids {
        commands.push(command("HGETALL", &[&AccountKey::Profile.of_admin(id)]));
        commands.push(command("TYPE", &[&AccountKey::Credential.of_admin(id)]));
        commands.push(command("ZSCORE", &[ADMINS, id.as_str()]));
    }
    let mut replies = on.read(&commands).await?;
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

async fn check_email_claims(on: &Examination, admins: &[Admin]) -> Result<Vec<Finding>> {
    if admins.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(finding) = check_secret(on).await? {
        return Ok(vec![finding]);
    }
    let holders: Vec<_> = admins
        .iter()
        .map(|admin| EmailHolder {
            id: admin.id.as_str(),
            email: admin.email.clone(),
        })
        .collect();
    let lack_claims = lack_claims(on, People::Admins, &holders).await?;
    let orphans = admins.iter().zip(lack_claims).filter(|(_, lacks)| *lacks);
    let orphans =
        orphans.map(|(admin, _)| Finding::orphan(format!("admin {}", admin.id), NO_CLAIM));
    Ok(orphans.collect())
}

/// The set of the owners must hold every enabled owner and no other admin. It decides whether an
/// installation has an owner, and whether an owner is the last one, who cannot be disabled.
async fn check_owners(on: &Examination, admins: &[Admin]) -> Result<Vec<Finding>> {
    let mut problems = find_owner_problems(on, admins).await?;
    for _ in 0..RECHECKS {
        if problems.is_empty() {
            break;
        }
        // A call that creates or disables an owner changes the account and the set one after the
        // other.
        sleep(RECHECK_INTERVAL).await;
        let still = find_owner_problems(on, admins).await?;
        problems.retain(|problem| still.contains(problem));
    }
    let findings = problems.into_iter().map(|(id, problem)| {
        let subject = format!("admin {id}");
        match problem {
            OwnerProblem::Missing => Finding::orphan(
                subject,
                format!("an enabled owner who is missing in {OWNERS}"),
            ),
            OwnerProblem::NotAnOwner => {
                Finding::broken(subject, format!("in {OWNERS}, but not an enabled owner"))
            }
            OwnerProblem::NoAccount => Finding::broken(
                subject,
                format!("in {OWNERS}, but the account does not exist"),
            ),
        }
    });
    Ok(findings.collect())
}

async fn find_owner_problems(
    on: &Examination,
    admins: &[Admin],
) -> Result<BTreeSet<(AdminId, OwnerProblem)>> {
    let members = on.read_one(command("SMEMBERS", &[OWNERS])).await?;
    let mut members: BTreeSet<String> = match members {
        Stored::Present(members) => members,
        Stored::Absent => BTreeSet::new(),
        // The check of the keyspace reports the wrong type.
        Stored::Unreadable => return Ok(BTreeSet::new()),
    };
    let mut problems = BTreeSet::new();
    let is_disabled = |admin: &Admin| {
        let profile = AccountKey::Profile.of_admin(&admin.id);
        command("HGET", &[&profile, "disabled"])
    };
    let mut replies = on.read(&admins.iter().map(is_disabled).collect()).await?;
    for admin in admins {
        let disabled: Option<String> = replies.take().present();
        let is_owner = admin.role == Role::Owner && disabled.as_deref() != Some("1");
        let is_member = members.remove(admin.id.as_str());
        if is_owner && !is_member {
            problems.insert((admin.id.clone(), OwnerProblem::Missing));
        } else if is_member && !is_owner {
            problems.insert((admin.id.clone(), OwnerProblem::NotAnOwner));
        }
    }
    // The accounts of the remaining members may have been created since the scan.
    let ids = members.into_iter().filter_map(|id| AdminId::parse(id).ok());
    let ids: Vec<_> = ids.collect();
    let exists = |id| command("EXISTS", &[&AccountKey::Profile.of_admin(id)]);
    let mut replies = on.read(&ids.iter().map(exists).collect()).await?;
    for id in ids {
        if replies.take().present() == Some(false) {
            problems.insert((id, OwnerProblem::NoAccount));
        }
    }
    Ok(problems)
}
