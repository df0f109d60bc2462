//! Every Redis key, spelled once. What stands in `{}` decides the slot: a script touches one slot only.

use domain::{AdminId, CompetitionId, RequestId, UserId};

/// Of which people an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum People {
    /// Who enters competitions.
    Users,
    /// Who runs them.
    Admins,
}

/// The keys of one competition, in the order in which its scripts take them.
pub(crate) struct Competition {
    id: String,
}

impl Competition {
    pub(crate) fn of(id: &CompetitionId) -> Self {
        Self { id: id.to_string() }
    }

    fn key(&self, holds: &str) -> String {
        ["c:{", &self.id, "}:", holds].concat()
    }

    /// The record. Only admin-service writes it.
    pub(crate) fn meta(&self) -> String {
        self.key("meta")
    }

    /// The change log, the truth of who did what.
    pub(crate) fn log(&self) -> String {
        self.key("log")
    }

    /// The number of the last change.
    pub(crate) fn revision(&self) -> String {
        self.key("revision")
    }

    /// A SHA-256 chain over the log up to a revision. Only admin-service writes it.
    pub(crate) fn seal(&self) -> String {
        self.key("seal")
    }

    /// What the scripts of both services take.
    pub(crate) fn for_registrations(&self) -> [String; 5] {
        ["revision", "registrations", "past", "waitlist", "log"].map(|holds| self.key(holds))
    }

    /// What the scripts take that change the competition itself.
    pub(crate) fn for_organisers(&self, request: RequestId) -> Vec<String> {
        let mut keys = self.for_registrations().to_vec();
        keys.push(self.meta());
        keys.push(format!("request:{{{}}}:{request}", self.id));
        keys
    }
}

/// The keys of one account.
pub(crate) struct Account {
    people: People,
    id: String,
}

impl Account {
    pub(crate) fn of_user(id: &UserId) -> Self {
        Self::of(People::Users, id.as_str())
    }

    pub(crate) fn of_admin(id: &AdminId) -> Self {
        Self::of(People::Admins, id.as_str())
    }

    pub(crate) fn of(people: People, id: &str) -> Self {
        Self {
            people,
            id: id.to_owned(),
        }
    }

    fn key(&self, holds: &str) -> String {
        let letter = match self.people {
            People::Users => "u",
            People::Admins => "a",
        };
        format!("{letter}:{{{}}}:{holds}", self.id)
    }

    /// What the person said.
    pub(crate) fn profile(&self) -> String {
        self.key("profile")
    }

    /// The hash of the password.
    pub(crate) fn credential(&self) -> String {
        self.key("credential")
    }

    /// SHA-256 of a token -> when it was made and when it ends.
    pub(crate) fn sessions(&self) -> String {
        self.key("sessions")
    }

    /// A user's index: competition id -> nonce and time. May hold too much.
    pub(crate) fn competitions(&self) -> String {
        self.key("competitions")
    }

    /// The same for entries that an admin made: admin-service has no access to the user's own index.
    pub(crate) fn added(&self) -> String {
        self.key("added")
    }

    /// What happened to the account.
    pub(crate) fn log(&self) -> String {
        self.key("log")
    }

    /// Failed sign-ins.
    pub(crate) fn throttle(&self) -> String {
        self.key("throttle")
    }

    /// The first answer of a changing call.
    pub(crate) fn request(&self, request: RequestId) -> String {
        self.key(&format!("request:{request}"))
    }
}

/// Who has this address: the one source of uniqueness. `hash` is keyed, so that no address stands in
/// a key.
pub(crate) fn email_claim(people: People, hash: &str) -> String {
    match people {
        People::Users => format!("email:{{{hash}}}"),
        People::Admins => format!("admin-email:{{{hash}}}"),
    }
}

/// The key of the keyed hashes, made once by whoever comes first.
pub(crate) const INSTALLATION: &str = "installation:{key}";

/// The token that makes the first owner.
pub(crate) const BOOTSTRAP: &str = "a:{boot}";

/// All admins, by id.
pub(crate) const ADMINS: &str = "a:{index}";

/// The owners that are not disabled.
pub(crate) const OWNERS: &str = "a:{owners}";

/// How many parts the catalogue and the directory have, so that no slot is hot.
pub(crate) const PARTS: u8 = 32;

/// One part of the list of all competitions by start. May hold too much.
pub(crate) fn catalogue(part: u8) -> String {
    format!("catalogue:{{{part:02x}}}")
}

/// One part of the list of all users. May hold too much.
pub(crate) fn directory(part: u8) -> String {
    format!("directory:{{{part:02x}}}")
}

/// In which part of the catalogue or the directory an id is.
pub(crate) fn part_of(id: &str) -> u8 {
    use sha2::{Digest, Sha256};
    Sha256::digest(id)[0] % PARTS
}
