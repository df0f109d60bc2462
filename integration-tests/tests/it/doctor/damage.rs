//! Damaged data: each damage is reported, with no other line. The services are not affected, and
//! one damage hides no other.
//!
//! - Registrations: a record is missing, contradicts the log, has no log entry, is invalid, is in
//!   the wrong hash; a user is missing in the waitlist, has a wrong score, is invalid.
//! - Log: an entry was changed under the seal, breaks the rules, is missing at the start or at the
//!   end; the counter or the seal contradicts it or is invalid.
//! - Competition: a field differs, is missing; the record is missing; the catalogue lacks it.
//! - Reasons: the text or the revision differs from the log.
//! - Accounts: the claim, the password, the index is missing; the profile, an index entry is
//!   invalid; the account is missing; an owner is missing in the owners, or is none.
//! - Claims: of no account, of an account with another address, pending without an expiry, owned
//!   with an expiry.
//! - Keys: unknown, of a wrong type; a list with an invalid member; the secret is missing.

use api::v1::Competition;
use domain::Role;
use integration_tests::User;

use super::{System, assert_printed, key_of, key_of_user};

const NO_CLAIM: &str =
    "the account has no claim of its e-mail address: it was not completed, so nobody can sign in";

/// A system that is damaged, and the lines that the doctor must print.
struct DamageTest {
    system: System,
    users: Vec<User>,
    expected: Vec<String>,
}

/// A competition with one place: ada has it, ben and cyd wait, dan has withdrawn. Its log has 7
/// entries.
struct Race<'a> {
    test: &'a mut DamageTest,
    race: Competition,
}

impl DamageTest {
    async fn start() -> Self {
        Self {
            system: System::start().await,
            users: Vec::new(),
            expected: Vec::new(),
        }
    }

    async fn damage(&self, command: &[&str]) {
        self.system.damage(command).await;
    }

    fn expect(&mut self, line: impl Into<String>) {
        self.expected.push(line.into());
    }

    async fn race(&mut self) -> Race<'_> {
        if self.users.is_empty() {
            for name in ["ada", "ben", "cyd", "dan"] {
                self.users.push(self.system.app.new_user(name).await);
            }
        }
        let race = self.system.app.competition().capacity(1).open().await;
        for user in &self.users {
            user.register(&race).await.expect("registered");
        }
        self.users[3].withdraw(&race).await.expect("withdrawn");
        Race { test: self, race }
    }

    /// Examines the system. The doctor must print exactly the expected lines and a summary, which
    /// is returned.
    async fn examine(self) -> String {
        let ended = self.system.examine().await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_printed(&ended, &self.expected);
        let summary = ended.stdout.lines().last().expect("a summary");
        summary.to_owned()
    }
}

impl Race<'_> {
    fn key(&self, suffix: &str) -> String {
        key_of(&self.race, suffix)
    }

    /// The id of one of the four users.
    fn user(&self, number: usize) -> String {
        self.test.users[number].id.clone()
    }

    /// Sends a command on one of the competition's keys.
    async fn damage(&self, command: &str, suffix: &str, arguments: &[&str]) {
        let key = self.key(suffix);
        let command = [&[command, &key], arguments].concat();
        self.test.damage(&command).await;
    }

    fn expect(self, problem: &str) {
        let id = &self.race.competition_id;
        let line = format!("finding: competition {id}: {problem}");
        self.test.expect(line);
    }

    /// Writes the log again, with one entry changed.
    async fn change_entry(&self, id: &str, change: impl Fn(&mut Vec<String>)) {
        let log = self.key("log");
        let read = ["XRANGE", &log, "-", "+"];
        let entries: Vec<(String, Vec<String>)> = self.test.system.command(&read).await;
        self.damage("DEL", "log", &[]).await;
        for (entry, mut fields) in entries {
            if entry == id {
                change(&mut fields);
            }
            let fields = fields.iter().map(String::as_str);
            let arguments: Vec<_> = [entry.as_str()].into_iter().chain(fields).collect();
            self.damage("XADD", "log", &arguments).await;
        }
    }
}

#[tokio::test]
async fn damaged_registrations_are_reported() {
    let mut test = DamageTest::start().await;

    let race = test.race().await;
    let ada = race.user(0);
    race.damage("HDEL", "registrations", &[&ada]).await;
    race.expect(&format!(
        "{ada} has no registration record, but by the log confirmed since revision 3"
    ));

    let race = test.race().await;
    let (ben, waitlist) = (race.user(1), race.key("waitlist"));
    race.damage("ZADD", "waitlist", &["9", &ben]).await;
    race.expect(&format!(
        "{ben} is in {waitlist} since revision 9, but by the log waitlisted since revision 4"
    ));

    let race = test.race().await;
    let (cyd, waitlist) = (race.user(2), race.key("waitlist"));
    race.damage("ZREM", "waitlist", &[&cyd]).await;
    race.expect(&format!(
        "{cyd} is not in {waitlist}, but by the log waitlisted since revision 5"
    ));

    let race = test.race().await;
    let waitlist = race.key("waitlist");
    race.damage("ZADD", "waitlist", &["9", "somebody@example.org"])
        .await;
    race.expect(&format!("invalid user id in {waitlist}"));

    let race = test.race().await;
    let (ada, registrations) = (race.user(0), race.key("registrations"));
    race.damage("HSET", "registrations", &[&ada, "C three"])
        .await;
    race.expect(&format!("invalid record of {ada} in {registrations}"));

    let race = test.race().await;
    let (dan, past) = (race.user(3), race.key("past"));
    race.damage("HSET", "past", &[&dan, "W 7 1700000000000 -"])
        .await;
    race.expect(&format!("invalid record of {dan} in {past}"));

    // A record without a log entry, of a user whose index does not list the competition.
    let eve = test.system.app.new_user("eve").await.id;
    let race = test.race().await;
    let id = race.race.competition_id.clone();
    race.damage("HSET", "registrations", &[&eve, "C 9 1700000000000 -"])
        .await;
    race.expect(&format!(
        "{eve} is confirmed since revision 9, but has no log entry"
    ));
    test.expect(format!(
        "finding: user {eve}: registered for {id}, which is missing in the index"
    ));

    test.examine().await;
}

#[tokio::test]
async fn a_changed_or_truncated_log_is_reported() {
    let mut test = DamageTest::start().await;

    // A change under the seal that the rules allow.
    let race = test.race().await;
    race.test.system.seal().await;
    race.change_entry("3-0", |fields| {
        fields[1] = (fields[1].parse::<i64>().expect("a time") + 1).to_string();
    })
    .await;
    race.expect(
        "the log does not match its seal of revision 7: an entry up to there was changed or deleted",
    );

    let race = test.race().await;
    race.change_entry("7-0", |fields| fields[5] = "promote".to_owned())
        .await;
    let (ben, dan) = (race.user(1), race.user(3));
    race.expect(&format!(
        "the log breaks the rules: revision 7: {dan} was promoted, first in the queue was {ben}"
    ));

    let race = test.race().await;
    race.damage("XTRIM", "log", &["MAXLEN", "3"]).await;
    race.expect("log entries 1 to 4 are missing");

    let race = test.race().await;
    race.damage("XDEL", "log", &["7-0"]).await;
    race.expect("the log ends at revision 6, but the revision counter is 7");

    let race = test.race().await;
    race.damage("SET", "revision", &["2"]).await;
    race.expect("the log ends at revision 7, but the revision counter is 2");

    for (suffix, problem) in [
        ("revision", "invalid revision counter in"),
        ("seal", "invalid seal in"),
    ] {
        let race = test.race().await;
        let key = race.key(suffix);
        race.damage("SET", suffix, &["nonsense"]).await;
        race.expect(&format!("{problem} {key}"));
    }

    test.examine().await;
}

#[tokio::test]
async fn a_damaged_record_or_catalogue_is_reported() {
    let mut test = DamageTest::start().await;

    let race = test.race().await;
    let meta = race.key("meta");
    race.damage("HSET", "meta", &["capacity", "100"]).await;
    race.expect(&format!("capacity in {meta} differs from the log"));

    let race = test.race().await;
    let meta = race.key("meta");
    race.damage("HDEL", "meta", &["updated_at"]).await;
    race.expect(&format!(
        "invalid record in {meta}: unreadable: the field updated_at"
    ));

    let race = test.race().await;
    let meta = race.key("meta");
    race.damage("DEL", "meta", &[]).await;
    race.expect(&format!("the record {meta} is missing"));

    let race = test.race().await;
    let mut listed_in = None;
    for shard in 0..32 {
        let catalogue = format!("catalogue:{{{shard:02x}}}");
        let list = ["ZRANGE", &catalogue, "0", "-1"];
        let members: Vec<String> = race.test.system.command(&list).await;
        for member in members {
            if member.ends_with(&race.race.competition_id) {
                race.test.damage(&["ZREM", &catalogue, &member]).await;
                listed_in = Some(catalogue.clone());
            }
        }
    }
    let catalogue = listed_in.expect("a catalogue");
    race.expect(&format!("the competition is missing in {catalogue}"));

    test.examine().await;
}

#[tokio::test]
async fn an_account_without_a_claim_and_a_claim_without_an_account_are_reported() {
    let mut test = DamageTest::start().await;
    let app = &test.system.app;
    let ada = app.new_user("ada").await.id;
    let zoe = app.new_admin("zoe", Role::Viewer).await.id;
    let ben = app.new_user("ben").await.id;
    let cyd = app.new_user("cyd").await.id;

    let claim = test.system.claim_of("email:*", &ada).await;
    test.damage(&["DEL", &claim]).await;
    test.expect(format!("orphan: user {ada}: {NO_CLAIM}"));
    let claim = test.system.claim_of("admin-email:*", &zoe).await;
    test.damage(&["DEL", &claim]).await;
    test.expect(format!("orphan: admin {zoe}: {NO_CLAIM}"));

    for (key, claim, problem) in [
        (
            "email:{0a1b2c}",
            "nobody",
            "claimed by user nobody, whose account does not exist",
        ),
        (
            "email:{dddd}",
            "Ada Example",
            "claimed by an invalid user id, whose account does not exist",
        ),
        (
            "admin-email:{0a1b2c}",
            "nobody",
            "claimed by admin nobody, whose account does not exist",
        ),
        (
            "email:{ffff}",
            "pending:somebody:nonce",
            "pending claim without an expiry",
        ),
        (
            "email:{eeee}",
            &ben,
            &format!("claimed by user {ben}, who has another address"),
        ),
    ] {
        test.damage(&["SET", key, claim]).await;
        test.expect(format!("orphan: key {key}: {problem}"));
    }

    let claim = test.system.claim_of("email:*", &cyd).await;
    test.damage(&["EXPIRE", &claim, "1000"]).await;
    test.expect(format!(
        "finding: key {claim}: user {cyd} loses this claim: it has an expiry"
    ));

    test.examine().await;
}

#[tokio::test]
async fn a_damaged_account_or_index_is_reported() {
    let mut test = DamageTest::start().await;
    let app = &test.system.app;
    let race = app.competition().open().await;
    let id = race.competition_id.clone();
    let cyd = test.system.runner("cyd", &race).await;
    let gus = test.system.runner("gus", &race).await;
    let (dan, eve, fay) = (
        app.new_user("dan").await,
        app.new_user("eve").await,
        app.new_user("fay").await,
    );

    let index = key_of_user(&cyd, "competitions");
    test.damage(&["DEL", &index]).await;
    test.expect(format!(
        "finding: user {}: registered for {id}, which is missing in the index",
        cyd.id
    ));

    test.damage(&["DEL", &key_of_user(&dan, "credential")])
        .await;
    test.expect(format!(
        "finding: user {}: the account has no password",
        dan.id
    ));

    let profile = key_of_user(&eve, "profile");
    test.damage(&["HDEL", &profile, "version"]).await;
    test.expect(format!("finding: user {}: invalid profile", eve.id));

    let index = key_of_user(&fay, "competitions");
    test.damage(&["HSET", &index, &id, "yesterday"]).await;
    test.expect(format!("finding: key {index}: invalid index entry"));

    // The account was deleted by hand, so that there is no erasure in its log.
    let claim = test.system.claim_of("email:*", &gus.id).await;
    for suffix in ["profile", "credential", "sessions", "log"] {
        test.damage(&["DEL", &key_of_user(&gus, suffix)]).await;
    }
    test.expect(format!(
        "finding: competition {id}: user {} is registered, but the account does not exist",
        gus.id
    ));
    test.expect(format!(
        "orphan: key {claim}: claimed by user {}, whose account does not exist",
        gus.id
    ));

    test.examine().await;
}

#[tokio::test]
async fn damaged_lists_of_admins_and_owners_are_reported() {
    let mut test = DamageTest::start().await;
    let olga = test.system.app.organiser().await.id;
    let owner = test.system.app.owner().await.id;

    test.damage(&["SADD", "a:{owners}", &olga]).await;
    test.expect(format!(
        "finding: admin {olga}: in a:{{owners}}, but not an enabled owner"
    ));
    test.damage(&["ZREM", "a:{index}", &olga]).await;
    test.expect(format!(
        "finding: admin {olga}: the admin is missing in a:{{index}}"
    ));
    test.damage(&["SREM", "a:{owners}", &owner]).await;
    test.expect(format!(
        "orphan: admin {owner}: an enabled owner who is missing in a:{{owners}}"
    ));
    test.damage(&["SADD", "a:{owners}", "nobody"]).await;
    test.expect("finding: admin nobody: in a:{owners}, but the account does not exist");

    test.examine().await;
}

#[tokio::test]
async fn unknown_keys_and_wrong_types_are_reported() {
    let mut test = DamageTest::start().await;
    let app = &test.system.app;
    let race = app.competition().open().await;
    let other = app.competition().open().await;
    let ada = test.system.runner("ada", &race).await;

    for key in ["somebody's", "c:{x}:log", "u:{ada}:notes", "two\nlines"] {
        test.damage(&["SET", key, "1"]).await;
        let printed = key.replace('\n', "\u{fffd}");
        test.expect(format!(
            "finding: key {printed}: unknown key; no service uses it"
        ));
    }
    for (key, expected) in [
        (key_of_user(&ada, "sessions"), "hash"),
        (key_of(&other, "registrations"), "hash"),
        ("a:{owners}".to_owned(), "set"),
    ] {
        test.damage(&["DEL", &key]).await;
        test.damage(&["RPUSH", &key, "1"]).await;
        test.expect(format!(
            "finding: key {key}: has the type list instead of {expected}"
        ));
    }
    // A log of a wrong type is read as an empty one.
    let log = key_of(&race, "log");
    test.damage(&["DEL", &log]).await;
    test.damage(&["SET", &log, "1"]).await;
    test.expect(format!(
        "finding: key {log}: has the type string instead of stream"
    ));
    test.expect(format!(
        "finding: competition {}: the log ends at revision 0, but the revision counter is 3",
        race.competition_id
    ));

    let directory = "directory:{1f}";
    test.damage(&["ZADD", directory, "0", "Ada Example"]).await;
    test.expect(format!(
        "finding: key {directory}: contains an invalid member"
    ));

    let summary = test.examine().await;
    assert!(
        summary.starts_with("some invariants do not hold: "),
        "{summary}"
    );
    assert!(
        summary.ends_with(": 10 findings, 0 orphans, 0 leftovers"),
        "{summary}"
    );
}

#[tokio::test]
async fn a_missing_secret_is_reported_and_not_replaced() {
    let mut test = DamageTest::start().await;
    test.system.app.new_user("ada").await;
    test.damage(&["DEL", "installation:{key}"]).await;
    test.expect("finding: key installation:{key}: the secret is missing or not 32 bytes long: no e-mail address can be looked up");
    let ended = test.system.examine().await;
    assert_printed(&ended, &test.expected);
    let exists: bool = test.system.command(&["EXISTS", "installation:{key}"]).await;
    assert!(!exists, "the doctor created a secret");
}

#[tokio::test]
async fn a_changed_reason_of_a_removal_is_reported() {
    let mut test = DamageTest::start().await;
    let race = test.system.app.competition().open().await;
    let olga = test.system.app.organiser().await;
    for (name, damage) in [("ada", "text"), ("ben", "revision"), ("cyd", "nonsense")] {
        let user = test.system.runner(name, &race).await;
        let removed = olga.remove_because(&race, &user, "late").await;
        let revision = removed.expect("removed").revision.to_string();
        let key = key_of(&race, &format!("reasons:{}", user.id));
        let record: String = test.system.command(&["HGET", &key, &revision]).await;
        let of = match damage {
            "text" => {
                let changed = format!("{record}!");
                test.damage(&["HSET", &key, &revision, &changed]).await;
                format!("revision {revision}")
            }
            "revision" => {
                test.damage(&["HSET", &key, "1", &record]).await;
                "revision 1".to_owned()
            }
            _ => {
                test.damage(&["HSET", &key, "first", &record]).await;
                "an invalid revision".to_owned()
            }
        };
        test.expect(format!(
            "finding: key {key}: the reason of {of} does not match the log"
        ));
    }
    test.examine().await;
}
