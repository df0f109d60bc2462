//! Users' indexes: the competitions that each user may have entered. An index must not lack a
//! registration. It may hold too much, which is harmless.

use domain::{CompetitionId, Timestamp, UserId};
use store::inspect::{Cmd, Commands, Stored};
use store::keys::{AccountKey, CompetitionKey};
use store::records::index_entry::written_at;

use crate::reading::{last_entry, take_erased_at};
use crate::{BATCH_SIZE, Examination, Finding, Repair, Result};

/// An index entry that is older than any running call.
struct OldEntry<'a> {
    user: &'a UserId,
    /// The key of the index.
    index: &'a str,
    competition: CompetitionId,
    value: String,
}

/// A confirmed or waitlisted user.
pub(crate) struct Registered {
    pub(crate) user: UserId,
    /// The registration as it is stored.
    pub(crate) record: String,
}

/// Checks that each registered user has an account, whose index lists the competition.
pub(crate) async fn check_registered(
    examination: &Examination,
    id: &CompetitionId,
    registered: &[Registered],
) -> Result<Vec<Finding>> {
    let seen = &examination.seen;
    let users = registered.iter().map(|registered| &registered.user);
    let lacks_account = seen.accounts.missing(users.clone());
    let lacks_entry = seen.index_entries.missing(users.map(|user| (user, id)));
    let lacks = lacks_account.into_iter().zip(lacks_entry);
    let suspects = registered.iter().zip(lacks);
    let suspects = suspects.filter(|(_, (account, entry))| *account || *entry);
    let suspects: Vec<_> = suspects.map(|(registered, _)| registered).collect();
    let mut findings = Vec::new();
    for suspects in suspects.chunks(BATCH_SIZE) {
        findings.extend(confirm_registered(examination, id, suspects).await?);
    }
    Ok(findings)
}

/// Reads accounts and indexes again. Each registration is read last: if it is still the same, it
/// existed when the account or the index entry was missing.
async fn confirm_registered(
    examination: &Examination,
    id: &CompetitionId,
    suspects: &[&Registered],
) -> Result<Vec<Finding>> {
    let registrations = CompetitionKey::Registrations.of(id);
    let mut commands = Commands::with_capacity(5 * suspects.len() + 1);
    commands.push(Cmd::hget(CompetitionKey::Meta.of(id), "ends_at"));
    for Registered { user, .. } in suspects {
        for index in [AccountKey::Competitions, AccountKey::Added] {
            commands.push(Cmd::hexists(index.of_user(user), id.as_str()));
        }
        commands.push(Cmd::exists(AccountKey::Profile.of_user(user)));
        commands.push(last_entry(&AccountKey::Log.of_user(user)));
        commands.push(Cmd::hget(&registrations, user.as_str()));
    }
    let mut replies = examination.read(&commands).await?;
    let ends_at: Option<i64> = replies.take().present();
    let is_over = ends_at.is_some_and(|ends_at| ends_at <= examination.inspector.now().as_millis());
    let mut findings = Vec::new();
    for Registered { user, record } in suspects {
        let is_listed: [Stored<bool>; 2] = [replies.take(), replies.take()];
        let has_account: Stored<bool> = replies.take();
        let erased_at = take_erased_at(&mut replies);
        let record_now: Option<String> = replies.take().present();
        if record_now.as_ref() != Some(record) {
            continue;
        }
        if has_account == Stored::Present(false) {
            findings.extend(report_without_account(
                examination,
                id,
                user,
                is_over,
                erased_at,
            ));
        } else if is_listed == [Stored::Present(false); 2] {
            let problem = format!("registered for {id}, which is missing in the index");
            let repair = Repair::AddToIndex {
                user: user.clone(),
                competition: id.clone(),
            };
            findings.push(Finding::broken(format!("user {user}"), problem).with_repair(repair));
        }
    }
    Ok(findings)
}

fn report_without_account(
    examination: &Examination,
    id: &CompetitionId,
    user: &UserId,
    is_over: bool,
    erased_at: Option<Timestamp>,
) -> Option<Finding> {
    match erased_at {
        None => {
            let problem = format!("user {user} is registered, but the account does not exist");
            Some(Finding::broken(format!("competition {id}"), problem))
        }
        // A competition that is over keeps the registrations of erased accounts. A recent erasure
        // may still be withdrawing the user.
        Some(at) if is_over || !examination.is_past_grace_period(at) => None,
        Some(_) => {
            let problem = format!("registered for {id}, but the account was erased");
            let repair = Repair::Withdraw {
                user: user.clone(),
                competition: id.clone(),
            };
            Some(Finding::orphan(format!("user {user}"), problem).with_repair(repair))
        }
    }
}

/// Checks that indexes can be decoded, and finds old entries without a registration.
pub(crate) async fn check_indexes(
    examination: &Examination,
    indexes: &[(UserId, String)],
) -> Result<Vec<Finding>> {
    let commands = indexes.iter().map(|(_, key)| Cmd::hgetall(key));
    let mut replies = examination.read(&commands.collect()).await?;
    let (mut old, mut seen, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for (user, key) in indexes {
        let entries: Vec<(String, String)> = match replies.take() {
            Stored::Present(entries) => entries,
            Stored::Absent => continue,
            Stored::Unreadable => {
                findings.push(Finding::broken(format!("key {key}"), "invalid index"));
                continue;
            }
        };
        for (competition, value) in entries {
            let (Ok(competition), Ok(at)) = (CompetitionId::parse(competition), written_at(&value))
            else {
                findings.push(Finding::broken(format!("key {key}"), "invalid index entry"));
                continue;
            };
            seen.push((user, competition.clone()));
            if examination.is_past_grace_period(at) {
                old.push(OldEntry {
                    user,
                    index: key,
                    competition,
                    value,
                });
            }
        }
    }
    examination.seen.index_entries.extend(seen);
    for entries in old.chunks(BATCH_SIZE) {
        let stale = without_registration(examination, entries).await?;
        findings.extend(confirm_stale(examination, &stale).await?);
    }
    Ok(findings)
}

/// Returns the entries without a current registration.
async fn without_registration<'a, 'b>(
    examination: &Examination,
    entries: &'a [OldEntry<'b>],
) -> Result<Vec<&'a OldEntry<'b>>> {
    let commands = entries.iter().map(|entry| {
        let registrations = CompetitionKey::Registrations.of(&entry.competition);
        Cmd::hexists(registrations, entry.user.as_str())
    });
    let mut replies = examination.read(&commands.collect()).await?;
    let stale = entries
        .iter()
        .filter(|_| replies.take() == Stored::Present(false));
    Ok(stale.collect())
}

/// Reports the entries that have no registration, current or past, at one revision of the
/// competition, and that no call wrote again.
async fn confirm_stale(
    examination: &Examination,
    entries: &[&OldEntry<'_>],
) -> Result<Vec<Finding>> {
    let mut commands = Commands::with_capacity(5 * entries.len());
    for entry in entries {
        let (id, user) = (&entry.competition, entry.user.as_str());
        let revision = CompetitionKey::Revision.of(id);
        commands.push(Cmd::get(&revision));
        for key in [CompetitionKey::Registrations, CompetitionKey::Past] {
            commands.push(Cmd::hexists(key.of(id), user));
        }
        commands.push(Cmd::get(revision));
        commands.push(Cmd::hget(entry.index, id.as_str()));
    }
    let mut replies = examination.read(&commands).await?;
    let mut findings = Vec::new();
    for entry in entries {
        let before: Stored<String> = replies.take();
        let exists: [Stored<bool>; 2] = [replies.take(), replies.take()];
        let after: Stored<String> = replies.take();
        let value: Option<String> = replies.take().present();
        let is_stale = before == after && exists == [Stored::Present(false); 2];
        if is_stale && value.as_ref() == Some(&entry.value) {
            let competition = &entry.competition;
            let repair = Repair::DeleteIndexEntry {
                index: entry.index.to_owned(),
                competition: competition.clone(),
                value: entry.value.clone(),
            };
            let problem = format!("index entry for {competition} without a registration");
            findings.push(
                Finding::leftover(format!("user {}", entry.user), problem).with_repair(repair),
            );
        }
    }
    Ok(findings)
}
