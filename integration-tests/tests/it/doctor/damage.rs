//! What somebody's hand did to a system is named, all of it, and nothing else is.

use api::v1::Competition;
use domain::Role;
use integration_tests::User;

use super::{Clinic, assert_said, key_of, key_of_user};

/// A competition with one place: ada has it, ben and cyd wait, dan has withdrawn. Its log has 7 entries.
struct Race {
    race: Competition,
    people: [User; 4],
}

impl Race {
    async fn begin(clinic: &Clinic, people: &[User; 4]) -> Self {
        let race = clinic.app.competition().capacity(1).open().await;
        for user in people {
            user.register(&race).await.expect("registered");
        }
        people[3].withdraw(&race).await.expect("withdrawn");
        Self {
            race,
            people: people.clone(),
        }
    }

    fn key(&self, holds: &str) -> String {
        key_of(&self.race, holds)
    }

    fn id(&self, n: usize) -> &str {
        &self.people[n].id
    }

    /// What is said of it.
    fn finding(&self, problem: &str) -> String {
        format!(
            "finding: competition {}: {problem}",
            self.race.competition_id
        )
    }
}

async fn people(clinic: &Clinic) -> [User; 4] {
    let app = &clinic.app;
    [
        app.new_user("ada").await,
        app.new_user("ben").await,
        app.new_user("cyd").await,
        app.new_user("dan").await,
    ]
}

#[tokio::test]
async fn records_and_queues_that_are_not_as_the_log_says_are_named_and_hide_no_other() {
    let clinic = Clinic::open().await;
    let people = people(&clinic).await;
    let mut said = Vec::new();
    let begin = async || Race::begin(&clinic, &people).await;

    let race = begin().await;
    clinic
        .damage(&["HDEL", &race.key("registrations"), race.id(0)])
        .await;
    let problem = format!(
        "{} has no record, and by the log is confirmed since revision 3",
        race.id(0)
    );
    said.push(race.finding(&problem));

    let race = begin().await;
    clinic
        .damage(&["ZADD", &race.key("waitlist"), "9", race.id(1)])
        .await;
    let problem = format!(
        "{} stands in the queue since revision 9, and by the log is waitlisted since revision 4",
        race.id(1)
    );
    said.push(race.finding(&problem));

    let race = begin().await;
    clinic
        .damage(&["ZREM", &race.key("waitlist"), race.id(2)])
        .await;
    let problem = format!(
        "{} does not stand in the queue, and by the log is waitlisted since revision 5",
        race.id(2)
    );
    said.push(race.finding(&problem));

    let race = begin().await;
    clinic
        .damage(&["ZADD", &race.key("waitlist"), "9", "somebody@example.org"])
        .await;
    said.push(race.finding("the queue holds somebody whose id is none"));

    // A record of a user without a log entry, who has an account that does not list it.
    let race = begin().await;
    let eve = clinic.app.new_user(&format!("eve-{}", said.len())).await;
    clinic
        .damage(&[
            "HSET",
            &race.key("registrations"),
            &eve.id,
            "C 9 1700000000000 -",
        ])
        .await;
    let problem = format!(
        "{} is recorded as confirmed since revision 9, and has no log entry",
        eve.id
    );
    said.push(race.finding(&problem));
    said.push(format!(
        "finding: user {}: the index lacks the registration for {}",
        eve.id, race.race.competition_id
    ));

    let race = begin().await;
    clinic
        .damage(&["HSET", &race.key("registrations"), race.id(0), "C three"])
        .await;
    said.push(race.finding(&format!("the record of {} cannot be read", race.id(0))));

    let race = begin().await;
    let ended = "W 7 1700000000000 -";
    clinic
        .damage(&["HSET", &race.key("past"), race.id(3), ended])
        .await;
    said.push(race.finding(&format!("the record of {} cannot be read", race.id(3))));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
}

#[tokio::test]
async fn a_log_that_was_changed_or_cut_is_named() {
    let clinic = Clinic::open().await;
    let people = people(&clinic).await;
    let mut said = Vec::new();
    let begin = async || Race::begin(&clinic, &people).await;

    // Changed behind the seal, so that the rules allow it still.
    let race = begin().await;
    clinic.seal().await;
    change_entry(&clinic, &race.key("log"), "3-0", |fields| {
        fields[1] = (fields[1].parse::<i64>().expect("a time") + 1).to_string();
    })
    .await;
    said.push(race.finding(
        "the log is not what was sealed at revision 7: an entry up to there was changed or taken away",
    ));

    let race = begin().await;
    change_entry(&clinic, &race.key("log"), "7-0", |fields| {
        fields[5] = "promote".to_owned();
    })
    .await;
    said.push(race.finding(&format!(
        "the log breaks the rules: revision 7: {} was promoted, first in the queue was {}",
        race.id(3),
        race.id(1)
    )));

    let race = begin().await;
    clinic
        .damage(&["XTRIM", &race.key("log"), "MAXLEN", "3"])
        .await;
    said.push(race.finding("the log lacks revisions 1 to 4"));

    let race = begin().await;
    clinic.damage(&["XDEL", &race.key("log"), "7-0"]).await;
    said.push(race.finding("the log ends at revision 6, and the counter says 7"));

    let race = begin().await;
    clinic.damage(&["SET", &race.key("revision"), "2"]).await;
    said.push(race.finding("the log ends at revision 7, and the counter says 2"));

    let race = begin().await;
    clinic
        .damage(&["SET", &race.key("revision"), "seven"])
        .await;
    said.push(race.finding("the counter of revisions cannot be read"));

    let race = begin().await;
    clinic.damage(&["SET", &race.key("seal"), "nonsense"]).await;
    said.push(race.finding("the seal cannot be read"));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
}

#[tokio::test]
async fn a_competition_whose_record_or_place_in_the_catalogue_is_wrong_is_named() {
    let clinic = Clinic::open().await;
    let people = people(&clinic).await;
    let mut said = Vec::new();
    let begin = async || Race::begin(&clinic, &people).await;

    let race = begin().await;
    clinic
        .damage(&["HSET", &race.key("meta"), "capacity", "100"])
        .await;
    said.push(race.finding("the record has another capacity than the log"));

    let race = begin().await;
    clinic
        .damage(&["HDEL", &race.key("meta"), "updated_at"])
        .await;
    said.push(race.finding("the record cannot be read: unreadable: the field updated_at"));

    let race = begin().await;
    clinic.damage(&["DEL", &race.key("meta")]).await;
    said.push(race.finding("the record is gone"));

    let race = begin().await;
    for part in 0..32 {
        let key = format!("catalogue:{{{part:02x}}}");
        let members: Vec<String> = clinic.by_hand(&["ZRANGE", &key, "0", "-1"]).await;
        for member in members {
            if member.ends_with(&race.race.competition_id) {
                clinic.damage(&["ZREM", &key, &member]).await;
            }
        }
    }
    said.push(race.finding("the catalogue lacks it"));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
}

/// Writes a log anew, with one entry changed.
async fn change_entry(clinic: &Clinic, log: &str, id: &str, change: impl FnOnce(&mut Vec<String>)) {
    let entries: Vec<(String, Vec<String>)> = clinic.by_hand(&["XRANGE", log, "-", "+"]).await;
    clinic.damage(&["DEL", log]).await;
    let mut change = Some(change);
    for (entry, mut fields) in entries {
        if entry == id {
            change.take().expect("one entry")(&mut fields);
        }
        let mut add = vec!["XADD", log, &entry];
        add.extend(fields.iter().map(String::as_str));
        clinic.damage(&add).await;
    }
}

#[tokio::test]
async fn an_account_without_its_address_and_an_address_without_its_account_are_named() {
    let clinic = Clinic::open().await;
    let app = &clinic.app;
    let mut said = Vec::new();
    let half_made =
        "the account was not finished: it does not hold its address, so nobody can sign in to it";

    let ada = app.new_user("ada").await;
    clinic
        .damage(&["DEL", &clinic.claim_of("email:*", &ada.id).await])
        .await;
    said.push(format!("orphan: user {}: {half_made}", ada.id));

    let zoe = app.new_admin("zoe", Role::Viewer).await;
    clinic
        .damage(&["DEL", &clinic.claim_of("admin-email:*", &zoe.id).await])
        .await;
    said.push(format!("orphan: admin {}: {half_made}", zoe.id));

    clinic.damage(&["SET", "email:{0a1b2c}", "nobody"]).await;
    said.push(
        "orphan: key email:{0a1b2c}: the claim of an address is held by user nobody, whose account is not there"
            .to_owned(),
    );
    clinic
        .damage(&["SET", "admin-email:{0a1b2c}", "nobody"])
        .await;
    said.push(
        "orphan: key admin-email:{0a1b2c}: the claim of an address is held by admin nobody, whose account is not there"
            .to_owned(),
    );
    clinic
        .damage(&["SET", "email:{ffff}", "pending:somebody:nonce"])
        .await;
    said.push("orphan: key email:{ffff}: the claim of an address is pending for ever".to_owned());

    let ben = app.new_user("ben").await;
    clinic.damage(&["SET", "email:{eeee}", &ben.id]).await;
    said.push(format!(
        "orphan: key email:{{eeee}}: the claim of an address is held by user {}, who has another one",
        ben.id
    ));
    let claim = clinic
        .claim_of("email:*", &app.new_user("ben-2").await.id)
        .await;
    clinic.damage(&["EXPIRE", &claim, "1000"]).await;
    let owner: String = clinic.by_hand(&["GET", &claim]).await;
    said.push(format!(
        "finding: key {claim}: user {owner} loses the address: its claim ends by itself"
    ));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
}

#[tokio::test]
async fn what_an_account_or_an_index_lacks_is_named() {
    let clinic = Clinic::open().await;
    let app = &clinic.app;
    let race = app.competition().open().await;
    let mut said = Vec::new();

    let cyd = clinic.runner("cyd", &race).await;
    clinic
        .damage(&["DEL", &key_of_user(&cyd, "competitions")])
        .await;
    said.push(format!(
        "finding: user {}: the index lacks the registration for {}",
        cyd.id, race.competition_id
    ));

    let dan = app.new_user("dan").await;
    clinic
        .damage(&["DEL", &key_of_user(&dan, "credential")])
        .await;
    said.push(format!(
        "finding: user {}: the account has no password",
        dan.id
    ));

    let eve = app.new_user("eve").await;
    clinic
        .damage(&["HDEL", &key_of_user(&eve, "profile"), "version"])
        .await;
    said.push(format!(
        "finding: user {}: the profile cannot be read",
        eve.id
    ));

    let fay = app.new_user("fay").await;
    clinic
        .damage(&[
            "HSET",
            &key_of_user(&fay, "competitions"),
            &race.competition_id,
            "yesterday",
        ])
        .await;
    said.push(format!(
        "finding: key {}: an entry of the index cannot be read",
        key_of_user(&fay, "competitions")
    ));

    // Nobody erased this one.
    let gus = clinic.runner("gus", &race).await;
    let claim = clinic.claim_of("email:*", &gus.id).await;
    for key in ["profile", "credential", "sessions", "log"].map(|holds| key_of_user(&gus, holds)) {
        clinic.damage(&["DEL", &key]).await;
    }
    said.push(format!(
        "finding: competition {}: {} is registered and has no account",
        race.competition_id, gus.id
    ));
    said.push(format!(
        "orphan: key {claim}: the claim of an address is held by user {}, whose account is not there",
        gus.id
    ));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
}

#[tokio::test]
async fn admins_whom_the_lists_of_admins_and_owners_do_not_hold_rightly_are_named() {
    let clinic = Clinic::open().await;
    let app = &clinic.app;
    let mut said = Vec::new();

    let olga = app.organiser().await;
    clinic.damage(&["SADD", "a:{owners}", &olga.id]).await;
    said.push(format!(
        "finding: admin {}: is among the owners and no owner",
        olga.id
    ));
    clinic.damage(&["ZREM", "a:{index}", &olga.id]).await;
    said.push(format!(
        "finding: admin {}: the list of admins lacks the admin",
        olga.id
    ));
    let owner = app.owner().await;
    clinic.damage(&["SREM", "a:{owners}", &owner.id]).await;
    said.push(format!(
        "orphan: admin {}: is an owner and not among the owners",
        owner.id
    ));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
}

#[tokio::test]
async fn what_nobody_knows_and_what_has_a_wrong_type_is_named() {
    let clinic = Clinic::open().await;
    let app = &clinic.app;
    let race = app.competition().open().await;
    let other = app.competition().open().await;
    let ada = clinic.runner("ada", &race).await;
    let mut said = Vec::new();

    for key in ["somebody's", "c:{x}:log", "u:{ada}:notes", "two\nlines"] {
        clinic.damage(&["SET", key, "1"]).await;
        let shown = key.replace('\n', "\u{fffd}");
        said.push(format!(
            "finding: key {shown}: none of the services knows it"
        ));
    }
    for (key, kind) in [
        (key_of_user(&ada, "sessions"), "hash"),
        (key_of(&other, "registrations"), "hash"),
        ("a:{owners}".to_owned(), "set"),
    ] {
        clinic.damage(&["DEL", &key]).await;
        clinic.damage(&["RPUSH", &key, "1"]).await;
        said.push(format!("finding: key {key}: is of type list, not {kind}"));
    }
    // A log of a wrong type is one that has nothing to say.
    let log = key_of(&race, "log");
    clinic.damage(&["DEL", &log]).await;
    clinic.damage(&["SET", &log, "1"]).await;
    said.push(format!("finding: key {log}: is of type string, not stream"));
    said.push(format!(
        "finding: competition {}: the log ends at revision 0, and the counter says 3",
        race.competition_id
    ));

    let part = format!("directory:{{{:02x}}}", 31);
    clinic.damage(&["ZADD", &part, "0", "Ada Example"]).await;
    said.push(format!(
        "finding: key {part}: holds a member that cannot be read"
    ));

    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(&ended, &said);
    let summary = ended.stdout.lines().last().expect("a summary");
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
async fn without_the_secret_of_the_installation_no_address_can_be_found() {
    let clinic = Clinic::open().await;
    clinic.app.new_user("ada").await;
    clinic.damage(&["DEL", "installation:{key}"]).await;
    let ended = clinic.examine().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_said(
        &ended,
        &["finding: key installation:{key}: the secret of the installation is not there or not whole: no address can be found".to_owned()],
    );
    let there: bool = clinic.by_hand(&["EXISTS", "installation:{key}"]).await;
    assert!(!there, "who only looks makes none");
}
