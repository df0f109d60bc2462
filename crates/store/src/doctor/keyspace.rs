//! One walk over all keys: what nobody knows, and what has a wrong type. What can be examined by itself is
//! examined on the way, so that the keys of a million accounts need not be kept.

use std::collections::BTreeSet;

use deadpool_redis::redis::Pipeline;
use domain::{AdminId, CompetitionId, RequestId, UserId};

use super::look::Page;
use super::report::Problems;
use super::{Crew, Examination, STEP};
use crate::error::Result;
use crate::keys::{self, PARTS, People};
use crate::legacy::unreadable;

/// What is examined once all keys are known.
#[derive(Default)]
pub(super) struct Keyspace {
    /// All that have any key, deleted drafts included.
    pub(super) competitions: BTreeSet<CompetitionId>,
    /// All that have a profile.
    pub(super) admins: BTreeSet<AdminId>,
}

/// A key that the services write.
struct Known {
    key: String,
    kind: Kind,
    holds: Holds,
}

/// A type of Redis's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Hash,
    Set,
    SortedSet,
    Stream,
}

/// What a key leads to.
#[derive(Debug, PartialEq, Eq)]
enum Holds {
    /// A part of a competition.
    Competition(CompetitionId),
    /// An admin.
    Admin(AdminId),
    /// A user.
    User(UserId),
    /// A user's index.
    Index(UserId),
    /// The claim of an address.
    Claim(People),
    /// A password, which is read with its account.
    Password,
    /// Something that stands for itself.
    Itself,
}

impl Examination {
    pub(super) async fn walk_keyspace(&self, crew: &mut Crew) -> Result<Keyspace> {
        let mut size = Pipeline::with_capacity(1);
        size.cmd("DBSIZE");
        self.counters
            .all_keys(self.look(&size).await?.read().unwrap_or(0));
        let mut keyspace = Keyspace::default();
        let mut cursor = 0_u64;
        loop {
            let mut scan = Pipeline::with_capacity(1);
            scan.cmd("SCAN").arg(cursor).arg("COUNT").arg(STEP);
            let found: Page<Vec<u8>> = self.look(&scan).await?.read();
            let (next, found) = found.ok_or_else(|| unreadable("a page of keys"))?;
            self.counters.keys(found.len());
            let mut page = Vec::with_capacity(found.len());
            for key in found {
                match know(&key) {
                    Some(known) => {
                        keyspace.note(&known.holds);
                        page.push(known);
                    }
                    None => crew.problems.find(
                        format!("key {}", String::from_utf8_lossy(&key)),
                        "none of the services knows it",
                    ),
                }
            }
            let part = self.clone();
            crew.begin(async move { part.examine_keys(page).await })
                .await?;
            cursor = next;
            if cursor == 0 {
                return Ok(keyspace);
            }
        }
    }

    /// Examines a page of keys: their types, and the accounts, claims and indexes among them.
    async fn examine_keys(&self, page: Vec<Known>) -> Result<Problems> {
        let mut users = Vec::new();
        let mut claims = Vec::new();
        let mut indexes = Vec::new();
        let mut others = Vec::with_capacity(page.len());
        for Known { key, kind, holds } in page {
            match holds {
                Holds::User(user) => users.push(user),
                Holds::Index(user) => indexes.push((user, key)),
                Holds::Claim(people) => claims.push((people, key)),
                Holds::Password => {}
                Holds::Competition(_) | Holds::Admin(_) | Holds::Itself => others.push((key, kind)),
            }
        }
        let mut problems = self.examine_types(&others).await?;
        let (users, claims, indexes) = tokio::try_join!(
            self.examine_users(&users),
            self.examine_claims(&claims),
            self.examine_indexes(&indexes),
        )?;
        for part in [users, claims, indexes] {
            problems.append(part);
        }
        Ok(problems)
    }

    /// The types of keys that are not read whole: whoever reads one notices a wrong type.
    async fn examine_types(&self, keys: &[(String, Kind)]) -> Result<Problems> {
        let mut problems = Problems::default();
        let mut types = Pipeline::with_capacity(keys.len());
        for (key, _) in keys {
            types.cmd("TYPE").arg(key);
        }
        let mut types = self.look(&types).await?;
        for (key, kind) in keys {
            let found: String = types.read().unwrap_or_default();
            // What ended meanwhile is nothing any more.
            if found != "none" && found != kind.word() {
                let problem = format!("is of type {found}, not {}", kind.word());
                problems.find(format!("key {key}"), problem);
            }
        }
        Ok(problems)
    }
}

impl Keyspace {
    fn note(&mut self, holds: &Holds) {
        match holds {
            Holds::Competition(id) if !self.competitions.contains(id) => {
                self.competitions.insert(id.clone());
            }
            Holds::Admin(id) => {
                self.admins.insert(id.clone());
            }
            _ => {}
        }
    }
}

impl Kind {
    /// As TYPE answers it.
    fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Stream => "stream",
        }
    }
}

/// What [`keys`] says of a key; `None` = nothing.
fn know(key: &[u8]) -> Option<Known> {
    let key = str::from_utf8(key).ok()?;
    let (kind, holds) = match key {
        keys::INSTALLATION | keys::BOOTSTRAP => (Kind::Text, Holds::Itself),
        keys::ADMINS => (Kind::SortedSet, Holds::Itself),
        keys::OWNERS => (Kind::Set, Holds::Itself),
        _ => {
            let (whose, rest) = key.split_once(":{")?;
            let (tag, part) = rest.split_once('}')?;
            let part = part.strip_prefix(':').unwrap_or(part);
            match whose {
                "c" => (competition(part)?, Holds::Competition(parse(tag)?)),
                "u" => user(parse(tag)?, part)?,
                "a" => admin(parse(tag)?, part)?,
                "request" if is_request(part) && parse::<CompetitionId>(tag).is_some() => {
                    (Kind::Hash, Holds::Itself)
                }
                "email" if is_hash(tag) && part.is_empty() => {
                    (Kind::Text, Holds::Claim(People::Users))
                }
                "admin-email" if is_hash(tag) && part.is_empty() => {
                    (Kind::Text, Holds::Claim(People::Admins))
                }
                "catalogue" | "directory" if is_part(key) => (Kind::SortedSet, Holds::Itself),
                _ => return None,
            }
        }
    };
    Some(Known {
        key: key.to_owned(),
        kind,
        holds,
    })
}

fn competition(part: &str) -> Option<Kind> {
    Some(match part {
        "meta" | "registrations" | "past" => Kind::Hash,
        "revision" | "seal" => Kind::Text,
        "waitlist" => Kind::SortedSet,
        "log" => Kind::Stream,
        _ => return None,
    })
}

fn user(id: UserId, part: &str) -> Option<(Kind, Holds)> {
    Some(match part {
        "profile" => (Kind::Hash, Holds::User(id)),
        "competitions" | "added" => (Kind::Hash, Holds::Index(id)),
        _ => account(part)?,
    })
}

fn admin(id: AdminId, part: &str) -> Option<(Kind, Holds)> {
    Some(match part {
        "profile" => (Kind::Hash, Holds::Admin(id)),
        _ => account(part)?,
    })
}

/// What users and admins have alike. An address that nobody has has a throttle too, under its hash.
fn account(part: &str) -> Option<(Kind, Holds)> {
    Some(match part {
        "credential" => (Kind::Text, Holds::Password),
        "throttle" => (Kind::Text, Holds::Itself),
        "sessions" => (Kind::Hash, Holds::Itself),
        "log" => (Kind::Stream, Holds::Itself),
        _ => {
            let request = part.strip_prefix("request:")?;
            (Kind::Hash, is_request(request).then_some(Holds::Itself)?)
        }
    })
}

fn parse<T: TryFrom<String>>(tag: &str) -> Option<T> {
    T::try_from(tag.to_owned()).ok()
}

fn is_request(text: &str) -> bool {
    RequestId::parse(text).is_ok()
}

/// Whether this may be the keyed hash of an address: letters and digits.
fn is_hash(tag: &str) -> bool {
    !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_part(key: &str) -> bool {
    (0..PARTS).any(|part| keys::catalogue(part) == key || keys::directory(part) == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Account, Competition};

    fn known(key: &str) -> Option<(&'static str, Holds)> {
        know(key.as_bytes()).map(|known| (known.kind.word(), known.holds))
    }

    #[test]
    fn every_key_that_the_store_spells_is_known() {
        let id = CompetitionId::parse("spring-cup").expect("an id");
        let request = RequestId::random();
        let competition = Competition::of(&id);
        let mut keys = competition.for_organisers(request);
        keys.extend([competition.meta(), competition.log(), competition.seal()]);
        for people in [People::Users, People::Admins] {
            let account = Account::of(people, "ada");
            keys.extend([
                account.profile(),
                account.credential(),
                account.sessions(),
                account.log(),
                account.throttle(),
                account.request(request),
                keys::email_claim(people, "0a1b"),
            ]);
        }
        let user = Account::of(People::Users, "ada");
        keys.extend([user.competitions(), user.added()]);
        keys.extend([keys::catalogue(0), keys::directory(PARTS - 1)]);
        let single = [
            keys::INSTALLATION,
            keys::BOOTSTRAP,
            keys::ADMINS,
            keys::OWNERS,
        ];
        keys.extend(single.map(str::to_owned));
        for key in keys {
            assert!(known(&key).is_some(), "{key}");
        }
    }

    #[test]
    fn what_looks_like_a_key_of_ours_and_is_none_is_not_known() {
        for key in [
            "",
            "somebody's",
            "c:{spring-cup}:counter",
            "c:{Spring Cup}:log",
            "c:spring-cup:log",
            "u:{ada}:request:1",
            "a:{olga}:competitions",
            "catalogue:{20}",
            "email:{}",
            "request:{spring-cup}:",
        ] {
            assert_eq!(known(key), None, "{key}");
        }
        assert!(know(b"c:{\xff}:log").is_none());
    }
}
