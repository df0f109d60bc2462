//! One scan of all keys. Reports unknown keys and keys with a wrong type, and examines accounts,
//! claims and indexes as it finds them, so that the keys of a million accounts are not kept.

use std::collections::BTreeSet;

use domain::{AdminId, CompetitionId, UserId};
use store::inspect::{Cmd, Commands, Stored, cmd};
use store::keys::{AccountId, AccountKey, Key, People, ValueType};

use crate::reading::Scan;
use crate::tasks::Tasks;
use crate::{Examination, Finding, Result, accounts, index, reasons};

/// What is examined after the scan.
#[derive(Default)]
pub(crate) struct Keyspace {
    /// All competitions that have any key, deleted drafts included.
    pub(crate) competitions: BTreeSet<CompetitionId>,
    /// All admins that have a profile.
    pub(crate) admins: BTreeSet<AdminId>,
}

/// The keys of one page of the scan, by the check that reads them.
#[derive(Default)]
struct KeyBatch {
    users: Vec<UserId>,
    claims: Vec<(People, String)>,
    indexes: Vec<(UserId, String)>,
    reasons: Vec<(CompetitionId, UserId)>,
    /// Keys of which only the type is checked here.
    others: Vec<(String, ValueType)>,
}

/// Scans all keys and starts their checks.
pub(crate) async fn check(examination: &Examination, tasks: &mut Tasks) -> Result<Keyspace> {
    let size = examination.read_one(cmd("DBSIZE")).await?.present();
    examination.count(|progress| progress.all_keys = size.unwrap_or(0));
    let mut keyspace = Keyspace::default();
    let mut scan = Scan::keys();
    while let Some(names) = scan.next_page::<Vec<u8>>(examination).await? {
        examination.count(|progress| progress.keys += names.len());
        let mut batch = KeyBatch::default();
        for name in names {
            let Some(key) = Key::classify(&name) else {
                let subject = format!("key {}", String::from_utf8_lossy(&name));
                tasks.report(Finding::broken(subject, "unknown key; no service uses it"));
                continue;
            };
            keyspace.add(&key);
            batch.add(key);
        }
        let examination = examination.clone();
        // Boxed, because the futures of the checks inside it are large.
        let check = async move { Box::pin(check_batch(&examination, batch)).await };
        tasks.spawn(check).await?;
    }
    if scan.is_complete() {
        Ok(keyspace)
    } else {
        Err(store::Error::Corrupt("unreadable reply to SCAN".to_owned()))
    }
}

impl Keyspace {
    fn add(&mut self, key: &Key) {
        match key {
            Key::Competition(id, _) if !self.competitions.contains(id) => {
                self.competitions.insert(id.clone());
            }
            Key::Account(AccountId::Admin(id), AccountKey::Profile) => {
                self.admins.insert(id.clone());
            }
            _ => {}
        }
    }
}

impl KeyBatch {
    /// Sorts a key by the check that reads it.
    fn add(&mut self, key: Key) {
        let name = key.name();
        let value_type = key.value_type();
        match key {
            Key::Account(AccountId::User(id), AccountKey::Profile) => self.users.push(id),
            Key::Account(AccountId::User(id), AccountKey::Competitions | AccountKey::Added) => {
                self.indexes.push((id, name));
            }
            Key::RemovalReasons(id, user) => self.reasons.push((id, user)),
            Key::EmailClaim(people, _) => self.claims.push((people, name)),
            // Read together with the profile of its account.
            Key::Account(_, AccountKey::Credential) => {}
            _ => self.others.push((name, value_type)),
        }
    }
}

async fn check_batch(examination: &Examination, batch: KeyBatch) -> Result<Vec<Finding>> {
    let mut findings = check_types(examination, &batch.others).await?;
    let (users, claims, indexes, reasons) = tokio::try_join!(
        accounts::check_users(examination, &batch.users),
        accounts::check_claims(examination, &batch.claims),
        index::check_indexes(examination, &batch.indexes),
        reasons::check(examination, &batch.reasons),
    )?;
    findings.extend([users, claims, indexes, reasons].into_iter().flatten());
    Ok(findings)
}

/// Checks the types of keys that no other check reads as a whole.
async fn check_types(
    examination: &Examination,
    keys: &[(String, ValueType)],
) -> Result<Vec<Finding>> {
    let commands: Commands = keys.iter().map(|(key, _)| Cmd::key_type(key)).collect();
    let mut replies = examination.read(&commands).await?;
    let mut findings = Vec::new();
    for (key, expected) in keys {
        let found: Stored<String> = replies.take();
        let found = found.present().unwrap_or_default();
        // A key that was deleted since the scan has the type "none".
        if found != "none" && found != expected.name() {
            let problem = format!("has the type {found} instead of {}", expected.name());
            findings.push(Finding::broken(format!("key {key}"), problem));
        }
    }
    Ok(findings)
}
