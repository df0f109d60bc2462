//! One walk over all keys: what there is, and what nobody knows.

use std::collections::HashSet;

use deadpool_redis::redis::cmd;
use domain::{CompetitionId, UserId};

use super::{Progress, Report};
use crate::Store;
use crate::error::Result;
use crate::keys;
use crate::page::PageRequest;
use crate::reply::decode;

/// What there is.
#[derive(Default)]
pub(super) struct Keyspace {
    /// All that have a log, deleted drafts included.
    pub(super) competitions: Vec<CompetitionId>,
    /// All that have a profile.
    pub(super) users: Vec<UserId>,
    /// The claims of users' addresses.
    pub(super) claims: Vec<String>,
    /// Users that have an index.
    pub(super) indexed: HashSet<UserId>,
}

impl Store {
    pub(super) async fn walk_keyspace(
        &self,
        report: &mut Report,
        show: &mut impl FnMut(Progress),
    ) -> Result<Keyspace> {
        let mut keyspace = Keyspace::default();
        // SCAN may name a key twice.
        let mut seen = HashSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("COUNT").arg(1_000);
            let (next, found): (u64, Vec<Vec<u8>>) = decode(self.redis.command(scan).await?)?;
            for key in found {
                let key = String::from_utf8_lossy(&key).into_owned();
                if !keyspace.take(&key, &mut seen) {
                    report.find("the keyspace", format!("nobody knows the key {key}"));
                }
                report.examined.keys += 1;
            }
            show(report.examined);
            cursor = next;
            if cursor == 0 {
                return Ok(keyspace);
            }
        }
    }

    /// The ids of all competitions that the catalogue holds.
    pub(super) async fn whole_catalogue(&self) -> Result<HashSet<CompetitionId>> {
        let mut all = HashSet::new();
        let mut page = PageRequest {
            size: 1_000,
            after: None,
        };
        loop {
            let (ids, next) = self.catalogue_page(&page).await?;
            all.extend(ids);
            match next {
                Some(cursor) => page.after = Some(cursor),
                None => return Ok(all),
            }
        }
    }
}

impl Keyspace {
    /// Notes a key. Answers whether it is one of ours.
    fn take(&mut self, key: &str, seen: &mut HashSet<String>) -> bool {
        if [
            keys::INSTALLATION,
            keys::BOOTSTRAP,
            keys::ADMINS,
            keys::OWNERS,
        ]
        .contains(&key)
        {
            return true;
        }
        let Some((kind, tag, holds)) = split(key) else {
            return false;
        };
        match (kind, holds) {
            ("c:", "log") => {
                if let (Ok(id), true) = (CompetitionId::parse(tag), seen.insert(key.to_owned())) {
                    self.competitions.push(id);
                }
                true
            }
            ("u:", "profile") => {
                if let (Ok(id), true) = (UserId::parse(tag), seen.insert(key.to_owned())) {
                    self.users.push(id);
                }
                true
            }
            ("u:", "competitions" | "added") => {
                self.indexed.extend(UserId::parse(tag));
                true
            }
            ("email:", "") => {
                if seen.insert(key.to_owned()) {
                    self.claims.push(key.to_owned());
                }
                true
            }
            ("c:", "meta" | "revision" | "registrations" | "past" | "waitlist" | "seal")
            | ("u:" | "a:", "credential" | "sessions" | "log" | "throttle")
            | ("a:", "profile")
            | ("admin-email:" | "catalogue:" | "directory:", "")
            | ("request:", _) => true,
            ("u:" | "a:", holds) => holds.starts_with("request:"),
            _ => false,
        }
    }
}

/// Splits `kind:{tag}:holds`.
fn split(key: &str) -> Option<(&str, &str, &str)> {
    let (kind, rest) = key.split_once('{')?;
    let (tag, holds) = rest.split_once('}')?;
    Some((kind, tag, holds.strip_prefix(':').unwrap_or(holds)))
}
