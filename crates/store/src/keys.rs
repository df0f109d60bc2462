//! Every Redis key. Each name is spelled here and nowhere else, and [`Key::classify`] is the way
//! back from a name to what the key holds.
//!
//! The part of a name in `{}`, the hash tag, selects the slot of a Redis Cluster. A script uses the
//! keys of one tag only, so that the same scripts can run on a cluster.

use domain::{AdminId, CompetitionId, RequestId, UserId};
use sha2::{Digest, Sha256};

/// The type of a key's value, as the command TYPE names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    Text,
    Hash,
    Set,
    SortedSet,
    Stream,
}

impl ValueType {
    /// The name that the command TYPE replies.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Stream => "stream",
        }
    }
}

/// A key of one competition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompetitionKey {
    /// The record. Only admin-service writes it.
    Meta,
    /// The number of the last change.
    Revision,
    /// Confirmed and waitlisted registrations by user id. The source of truth.
    Registrations,
    /// Withdrawn and removed registrations by user id.
    Past,
    /// The waitlisted users, ordered by the revision at which they were waitlisted.
    Waitlist,
    /// The log of all changes. The id of an entry is its revision.
    Log,
    /// A SHA-256 chain over the log up to a revision. Only admin-service writes it.
    Seal,
}

impl CompetitionKey {
    const ALL: [(Self, &'static str, ValueType); 7] = [
        (Self::Meta, "meta", ValueType::Hash),
        (Self::Revision, "revision", ValueType::Text),
        (Self::Registrations, "registrations", ValueType::Hash),
        (Self::Past, "past", ValueType::Hash),
        (Self::Waitlist, "waitlist", ValueType::SortedSet),
        (Self::Log, "log", ValueType::Stream),
        (Self::Seal, "seal", ValueType::Text),
    ];

    /// The name of the key.
    #[must_use]
    pub fn of(self, id: &CompetitionId) -> String {
        ["c:{", id.as_str(), "}:", self.entry().1].concat()
    }

    fn entry(self) -> &'static (Self, &'static str, ValueType) {
        &Self::ALL[self as usize]
    }
}

/// The keys that every script about a competition takes, in this order.
pub(crate) fn for_registrations(id: &CompetitionId) -> [String; 5] {
    [
        CompetitionKey::Revision,
        CompetitionKey::Registrations,
        CompetitionKey::Past,
        CompetitionKey::Waitlist,
        CompetitionKey::Log,
    ]
    .map(|key| key.of(id))
}

/// The keys that every script takes that changes a competition itself, in this order.
pub(crate) fn for_organisers(id: &CompetitionId, request: RequestId) -> Vec<String> {
    let mut keys = for_registrations(id).to_vec();
    keys.push(CompetitionKey::Meta.of(id));
    keys.push(competition_request(id, request));
    keys
}

/// The first reply to a request that changed a competition. Kept for 24 hours.
#[must_use]
pub fn competition_request(id: &CompetitionId, request: RequestId) -> String {
    format!("request:{{{id}}}:{request}")
}

/// The reasons of a user's removals from a competition, by revision. A key of its own for each user,
/// so that an erasure deletes it without a search.
#[must_use]
pub fn removal_reasons(id: &CompetitionId, user: &UserId) -> String {
    format!("c:{{{id}}}:reasons:{user}")
}

/// The ids of the requests that changed a competition last, at most 8. Kept for 24 hours.
#[must_use]
pub fn competition_recent(id: &CompetitionId) -> String {
    format!("request:{{{id}}}:{RECENT}")
}

/// The end of the key that lists the requests beside it.
const RECENT: &str = "recent";

/// The two kinds of people. Each kind has accounts and claims of e-mail addresses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum People {
    /// Users, who enter competitions.
    Users,
    /// Admins, who run them.
    Admins,
}

/// Identifies an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountId {
    User(UserId),
    Admin(AdminId),
    /// Takes the place of the account of an e-mail address that has none: see [`unclaimed`]. It has
    /// failed sign-ins and nothing else, so that an unknown address is limited like any other.
    Unclaimed(People, String),
}

impl AccountId {
    /// Parses the id of an account. `None` if it is not valid.
    #[must_use]
    pub fn parse(people: People, id: &str) -> Option<Self> {
        match people {
            People::Users => UserId::parse(id).map(Self::User).ok(),
            People::Admins => AdminId::parse(id).map(Self::Admin).ok(),
        }
    }

    /// The kind of person.
    #[must_use]
    pub fn people(&self) -> People {
        match self {
            Self::User(_) => People::Users,
            Self::Admin(_) => People::Admins,
            Self::Unclaimed(people, _) => *people,
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Admin(id) => id.as_str(),
            Self::Unclaimed(_, id) => id,
        }
    }
}

/// A key of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKey {
    /// What the person entered, with `created_at`, `updated_at` and `version`.
    Profile,
    /// The hash of the password.
    Credential,
    /// The hash of a session token -> when the session was opened and when it ends.
    Sessions,
    /// What happened to the account: the newest 1,000 events.
    Log,
    /// The number of failed sign-ins, as releases up to 0.1.0 kept it. It expires within 15 minutes
    /// and is not read any more. Can be removed in the release after the next one.
    Throttle,
    /// Who failed to sign in, or is about to: a network -> the attempts, and when they stop to
    /// count.
    Failures,
    /// The same for the sessions that confirm the password of the account.
    Confirmations,
    /// The networks that the person signed in from -> when. At most 16.
    Networks,
    /// Users only: the competitions that the user may have entered. May hold too many.
    Competitions,
    /// Users only: the same for registrations that an admin added, because admin-service may not
    /// write the index of a user.
    Added,
}

impl AccountKey {
    const ALL: [(Self, &'static str, ValueType); 10] = [
        (Self::Profile, "profile", ValueType::Hash),
        (Self::Credential, "credential", ValueType::Text),
        (Self::Sessions, "sessions", ValueType::Hash),
        (Self::Log, "log", ValueType::Stream),
        (Self::Throttle, "throttle", ValueType::Text),
        (Self::Failures, "failures", ValueType::Hash),
        (Self::Confirmations, "confirmations", ValueType::Hash),
        (Self::Networks, "networks", ValueType::Hash),
        (Self::Competitions, "competitions", ValueType::Hash),
        (Self::Added, "added", ValueType::Hash),
    ];

    /// The name of the key.
    #[must_use]
    pub fn of(self, id: &AccountId) -> String {
        self.named(id.people(), id.as_str())
    }

    /// The name of the key of a user.
    #[must_use]
    pub fn of_user(self, id: &UserId) -> String {
        self.named(People::Users, id.as_str())
    }

    /// The name of the key of an admin.
    #[must_use]
    pub fn of_admin(self, id: &AdminId) -> String {
        self.named(People::Admins, id.as_str())
    }

    fn named(self, people: People, id: &str) -> String {
        account_key(people, id, self.entry().1)
    }

    fn entry(self) -> &'static (Self, &'static str, ValueType) {
        &Self::ALL[self as usize]
    }

    fn is_of_users_only(self) -> bool {
        matches!(self, Self::Competitions | Self::Added)
    }
}

/// The id that takes the place of an account id for the e-mail addresses without an account. One of
/// 65,536 by the keyed hash of the address, so that invented addresses fill at most some 20 MB of
/// Redis. The ids of accounts have another form.
#[must_use]
pub fn unclaimed(hash: &str) -> String {
    let digest = Sha256::digest(hash);
    format!("unclaimed-{:02x}{:02x}", digest[0], digest[1])
}

/// The first reply to a request that changed an account. Kept for 24 hours.
#[must_use]
pub fn account_request(id: &AccountId, request: RequestId) -> String {
    account_key(id.people(), id.as_str(), &format!("request:{request}"))
}

/// The ids of the requests that changed an account last, at most 8. Kept for 24 hours.
#[must_use]
pub fn account_recent(id: &AccountId) -> String {
    account_key(id.people(), id.as_str(), &format!("request:{RECENT}"))
}

fn account_key(people: People, id: &str, suffix: &str) -> String {
    let prefix = match people {
        People::Users => "u:{",
        People::Admins => "a:{",
    };
    [prefix, id, "}:", suffix].concat()
}

/// Which account has an e-mail address: the source of uniqueness. `hash` is keyed, so that no
/// address is part of a key.
#[must_use]
pub fn email_claim(people: People, hash: &str) -> String {
    match people {
        People::Users => format!("email:{{{hash}}}"),
        People::Admins => format!("admin-email:{{{hash}}}"),
    }
}

/// The secret key of the keyed hashes, created by the first service that needs it.
pub const INSTALLATION: &str = "installation:{key}";

/// The hash of the single-use token that creates the first owner.
pub const BOOTSTRAP: &str = "a:{boot}";

/// All admins, by id.
pub const ADMINS: &str = "a:{index}";

/// The owners that are not disabled.
pub const OWNERS: &str = "a:{owners}";

/// The number of shards of the catalogue and of the directory, so that no slot is hot.
pub const SHARDS: u8 = 32;

/// One shard of the list of all competitions, ordered by start. May hold too many.
#[must_use]
pub fn catalogue(shard: u8) -> String {
    format!("catalogue:{{{shard:02x}}}")
}

/// One shard of the list of all users, ordered by id. May hold too many.
#[must_use]
pub fn directory(shard: u8) -> String {
    format!("directory:{{{shard:02x}}}")
}

/// The shard of the catalogue or of the directory that holds an id.
#[must_use]
pub fn shard_of(id: &str) -> u8 {
    Sha256::digest(id)[0] % SHARDS
}

/// A key that the services write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Competition(CompetitionId, CompetitionKey),
    CompetitionRequest(CompetitionId, RequestId),
    RemovalReasons(CompetitionId, UserId),
    Account(AccountId, AccountKey),
    AccountRequest(AccountId, RequestId),
    CompetitionRecent(CompetitionId),
    AccountRecent(AccountId),
    /// With the keyed hash of the address.
    EmailClaim(People, String),
    Installation,
    Bootstrap,
    Admins,
    Owners,
    /// With the number of the shard.
    Catalogue(u8),
    /// With the number of the shard.
    Directory(u8),
}

impl Key {
    /// Finds out what a key holds by its name. `None` if the services never write such a key.
    #[must_use]
    pub fn classify(name: &[u8]) -> Option<Self> {
        let name = str::from_utf8(name).ok()?;
        match name {
            INSTALLATION => return Some(Self::Installation),
            BOOTSTRAP => return Some(Self::Bootstrap),
            ADMINS => return Some(Self::Admins),
            OWNERS => return Some(Self::Owners),
            _ => {}
        }
        let (prefix, rest) = name.split_once(":{")?;
        let (tag, suffix) = rest.split_once('}')?;
        match (prefix, suffix.strip_prefix(':')) {
            ("c", Some(suffix)) => classify_competition(tag, suffix),
            ("u", Some(suffix)) => classify_account(People::Users, tag, suffix),
            ("a", Some(suffix)) => classify_account(People::Admins, tag, suffix),
            ("request", Some(RECENT)) => {
                Some(Self::CompetitionRecent(CompetitionId::parse(tag).ok()?))
            }
            ("request", Some(request)) => Some(Self::CompetitionRequest(
                CompetitionId::parse(tag).ok()?,
                RequestId::parse(request).ok()?,
            )),
            ("email", None) if is_email_hash(tag) => {
                Some(Self::EmailClaim(People::Users, tag.to_owned()))
            }
            ("admin-email", None) if is_email_hash(tag) => {
                Some(Self::EmailClaim(People::Admins, tag.to_owned()))
            }
            ("catalogue", None) => find_shard(name, catalogue).map(Self::Catalogue),
            ("directory", None) => find_shard(name, directory).map(Self::Directory),
            _ => None,
        }
    }

    /// The name of the key.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Competition(id, key) => key.of(id),
            Self::CompetitionRequest(id, request) => competition_request(id, *request),
            Self::RemovalReasons(id, user) => removal_reasons(id, user),
            Self::Account(id, key) => key.of(id),
            Self::AccountRequest(id, request) => account_request(id, *request),
            Self::CompetitionRecent(id) => competition_recent(id),
            Self::AccountRecent(id) => account_recent(id),
            Self::EmailClaim(people, hash) => email_claim(*people, hash),
            Self::Installation => INSTALLATION.to_owned(),
            Self::Bootstrap => BOOTSTRAP.to_owned(),
            Self::Admins => ADMINS.to_owned(),
            Self::Owners => OWNERS.to_owned(),
            Self::Catalogue(shard) => catalogue(*shard),
            Self::Directory(shard) => directory(*shard),
        }
    }

    /// The type of the key's value.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Competition(_, key) => key.entry().2,
            Self::Account(_, key) => key.entry().2,
            Self::CompetitionRequest(..) | Self::RemovalReasons(..) | Self::AccountRequest(..) => {
                ValueType::Hash
            }
            Self::EmailClaim(..)
            | Self::Installation
            | Self::Bootstrap
            | Self::CompetitionRecent(_)
            | Self::AccountRecent(_) => ValueType::Text,
            Self::Admins | Self::Catalogue(_) | Self::Directory(_) => ValueType::SortedSet,
            Self::Owners => ValueType::Set,
        }
    }
}

fn classify_competition(tag: &str, suffix: &str) -> Option<Key> {
    let id = CompetitionId::parse(tag).ok()?;
    if let Some(user) = suffix.strip_prefix("reasons:") {
        return Some(Key::RemovalReasons(id, UserId::parse(user).ok()?));
    }
    let (key, ..) = CompetitionKey::ALL
        .iter()
        .find(|(_, name, _)| *name == suffix)?;
    Some(Key::Competition(id, *key))
}

fn classify_account(people: People, tag: &str, suffix: &str) -> Option<Key> {
    let id = AccountId::parse(people, tag)?;
    if let Some(request) = suffix.strip_prefix("request:") {
        if request == RECENT {
            return Some(Key::AccountRecent(id));
        }
        return Some(Key::AccountRequest(id, RequestId::parse(request).ok()?));
    }
    let (key, ..) = AccountKey::ALL
        .iter()
        .find(|(_, name, _)| *name == suffix)?;
    let is_possible = people == People::Users || !key.is_of_users_only();
    is_possible.then_some(Key::Account(id, *key))
}

fn find_shard(name: &str, key: fn(u8) -> String) -> Option<u8> {
    (0..SHARDS).find(|shard| key(*shard) == name)
}

fn is_email_hash(tag: &str) -> bool {
    !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_classified_by_its_name() {
        let cup = CompetitionId::parse("spring-cup").expect("an id");
        let ada = AccountId::User(UserId::parse("ada").expect("an id"));
        let olga = AccountId::Admin(AdminId::parse("olga").expect("an id"));
        let request = RequestId::random();
        let mut keys = vec![
            Key::CompetitionRequest(cup.clone(), request),
            Key::RemovalReasons(cup.clone(), UserId::parse("ada").expect("an id")),
            Key::AccountRequest(ada.clone(), request),
            Key::AccountRequest(olga.clone(), request),
            Key::CompetitionRecent(cup.clone()),
            Key::AccountRecent(ada.clone()),
            Key::AccountRecent(olga.clone()),
            Key::EmailClaim(People::Users, "0a1b".to_owned()),
            Key::EmailClaim(People::Admins, "0a1b".to_owned()),
            Key::Installation,
            Key::Bootstrap,
            Key::Admins,
            Key::Owners,
            Key::Catalogue(0),
            Key::Directory(SHARDS - 1),
        ];
        for (key, ..) in CompetitionKey::ALL {
            keys.push(Key::Competition(cup.clone(), key));
        }
        for (key, ..) in AccountKey::ALL {
            keys.push(Key::Account(ada.clone(), key));
            if !key.is_of_users_only() {
                keys.push(Key::Account(olga.clone(), key));
            }
        }
        for key in keys {
            assert_eq!(Key::classify(key.name().as_bytes()), Some(key));
        }
    }

    #[test]
    fn the_tables_are_in_the_order_of_the_variants() {
        for (key, ..) in CompetitionKey::ALL {
            assert_eq!(key.entry().0, key);
        }
        for (key, ..) in AccountKey::ALL {
            assert_eq!(key.entry().0, key);
        }
    }

    #[test]
    fn a_name_that_only_resembles_a_key_is_not_classified() {
        for name in [
            "",
            "somebody's",
            "c:{spring-cup}:counter",
            "c:{Spring Cup}:log",
            "c:{spring-cup}log",
            "c:{spring-cup}:reasons",
            "c:{spring-cup}:reasons:",
            "c:spring-cup:log",
            "u:{ada}:request:1",
            "a:{olga}:competitions",
            "catalogue:{20}",
            "email:{}",
            "email:{0a1b}:",
            "request:{spring-cup}:",
        ] {
            assert_eq!(Key::classify(name.as_bytes()), None, "{name}");
        }
        assert!(Key::classify(b"c:{\xff}:log").is_none());
    }
}
