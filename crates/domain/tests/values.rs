//! Each value accepts exactly what its documentation states, and is read as it was written.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::time::Duration;

use domain::competition::{MAX_CAPACITY, Moments};
use domain::{
    AdminId, BirthDate, Capacity, Club, CompetitionDetails, CompetitionId, CompetitionPatch,
    CountryCode, Description, DisplayName, Email, Etag, Password, Reason, RequestId, Schedule,
    SessionToken, Timestamp, Title, UserId, Venue, WaitlistCapacity,
};
use proptest::prelude::*;

/// Generates arbitrary texts, with an emphasis on texts near a limit.
fn some_text() -> impl Strategy<Value = String> {
    let at_a_limit = prop::sample::select(vec![
        0, 1, 2, 3, 64, 65, 80, 81, 120, 121, 128, 240, 241, 500, 501, 5000, 5001,
    ]);
    prop_oneof![
        any::<String>(),
        "[a-z0-9-]{1,70}",
        "[ \t\n\r\u{7f}\u{85}\u{a0}\u{2028}a]{0,6}",
        (at_a_limit, "[a🏆é]").prop_map(|(count, one)| one.repeat(count)),
        "[a-z0-9.+\"@-]{1,20}@[a-z0-9.@-]{1,20}",
        "\\PC{1,20}@[\\PC&&[^@]]{1,12}\\.[a-z]{2,4}",
        "[a-zéßΣσςİ\u{301}\u{323}\u{200d}]{1,20}@[a-zA-Züßσ\u{308}\u{ff41}-]{1,12}\u{3002}example",
    ]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let near = prop_oneof![
        0..6_i64,
        Just(Timestamp::MAX.as_millis()),
        0..=Timestamp::MAX.as_millis()
    ];
    near.prop_map(|millis| Timestamp::from_millis(millis).expect("a moment"))
}

fn moments() -> impl Strategy<Value = Moments> {
    (moment(), moment(), moment(), moment()).prop_map(|(starts_at, ends_at, opens, closes)| {
        Moments {
            starts_at,
            ends_at,
            registration_opens_at: opens,
            registration_closes_at: closes,
        }
    })
}

fn schedule() -> impl Strategy<Value = Schedule> {
    prop::collection::btree_set(moment(), 4).prop_map(|four| {
        let four: Vec<_> = four.into_iter().collect();
        Schedule::parse(Moments {
            registration_opens_at: four[0],
            registration_closes_at: four[1],
            starts_at: four[2],
            ends_at: four[3],
        })
        .expect("in order")
    })
}

fn details() -> impl Strategy<Value = CompetitionDetails> {
    let country = prop::option::of(prop::sample::select(vec!["CH", "GB", "BR"]));
    let capacity = prop::option::of(1..=i64::from(MAX_CAPACITY));
    let waitlist = prop::option::of(0..=i64::from(MAX_CAPACITY));
    let said = ("[a-zé🏆]{1,120}", "[a-z\n]{0,200}", "[a-z]{0,240}", country);
    (said, schedule(), capacity, waitlist).prop_map(
        |((title, description, venue, country), schedule, places, waiting)| CompetitionDetails {
            title: Title::parse(title).expect("a title"),
            description: Description::parse(description).expect("a description"),
            venue: Venue::parse(venue).expect("a venue"),
            country_code: country.map(|code| CountryCode::parse(code).expect("a country")),
            schedule,
            capacity: places.map(|count| Capacity::parse(count).expect("a capacity")),
            waitlist_capacity: waiting
                .map(|count| WaitlistCapacity::parse(count).expect("a capacity")),
        },
    )
}

/// Returns a patch that names every field.
fn all_of(details: &CompetitionDetails) -> CompetitionPatch {
    let moments = details.schedule.moments();
    CompetitionPatch {
        title: Some(details.title.clone()),
        description: Some(details.description.clone()),
        venue: Some(details.venue.clone()),
        country_code: Some(details.country_code),
        starts_at: Some(moments.starts_at),
        ends_at: Some(moments.ends_at),
        registration_opens_at: Some(moments.registration_opens_at),
        registration_closes_at: Some(moments.registration_closes_at),
        capacity: Some(details.capacity),
        waitlist_capacity: Some(details.waitlist_capacity),
    }
}

proptest! {
    #[test]
    fn an_id_is_3_to_64_of_its_characters(text in some_text()) {
        let good = (3..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        prop_assert_eq!(CompetitionId::parse(text.as_str()).is_ok(), good);
        let kept = good.then(|| text.clone());
        prop_assert_eq!(UserId::parse(text.as_str()).ok().map(String::from), kept);
        prop_assert_eq!(AdminId::parse(text.as_str()).ok().map(String::from), good.then_some(text));
    }

    #[test]
    fn a_made_id_is_valid_and_differs_with_its_bytes(one: [u8; 10], other: [u8; 10]) {
        let id = UserId::from_bytes(one);
        prop_assert_eq!(&UserId::parse(id.as_str()), &Ok(id.clone()));
        prop_assert_eq!(id == UserId::from_bytes(other), one == other);
    }

    #[test]
    fn a_text_that_is_accepted_has_a_fixed_form_and_is_read_from_the_store(text in some_text()) {
        macro_rules! check {
            ($($name:ident: $lengths:expr),+) => {$(
                let stored = $name::try_from(text.clone());
                if let Ok(accepted) = $name::parse(text.as_str()) {
                    prop_assert!($lengths.contains(&accepted.as_str().chars().count()));
                    prop_assert_eq!(&$name::parse(accepted.as_str()), &Ok(accepted.clone()));
                    prop_assert_eq!(&$name::try_from(accepted.to_string()), &Ok(accepted.clone()));
                    prop_assert!(!text.is_ascii() || accepted.as_str() == text);
                }
                let is_stored = $lengths.contains(&text.chars().count());
                prop_assert_eq!(stored.ok().map(String::from), is_stored.then(|| text.clone()));
            )+};
        }
        check!(Title: 1..=120, Description: 0..=5000, Venue: 0..=240);
        check!(DisplayName: 1..=80, Club: 0..=120, Reason: 0..=500);
    }

    #[test]
    fn an_address_is_bounded_and_has_one_canonical_form(text in some_text()) {
        if let Ok(email) = Email::parse(text.as_str()) {
            let canonical = email.canonical();
            prop_assert!(canonical.len() <= 254);
            let (local, host) = canonical.rsplit_once('@').expect("an @");
            prop_assert!(local.len() <= 64 && host.len() <= 253 && host.is_ascii());
            prop_assert_eq!(email.as_str(), &text);
            let again = Email::parse(canonical.as_str());
            prop_assert_eq!(again.as_ref().map(Email::canonical), Ok(canonical));
            prop_assert_eq!(&Email::typed(text.as_str()), &Ok(email.clone()));
            prop_assert_eq!(&Email::try_from(text.clone()), &Ok(email.clone()));
            let shown = format!("{email:?}");
            prop_assert_eq!(shown, "Email(..)");
        }
    }

    #[test]
    fn a_plain_address_is_accepted(name in "[a-z0-9]{1,60}", host in "[a-z]{1,40}\\.[a-z]{2,10}") {
        let text = format!("{name}@{host}");
        let shouted = Email::parse(text.to_uppercase()).expect("an address");
        prop_assert_eq!(Email::parse(text), Ok(shouted));
    }

    #[test]
    fn a_valid_new_password_is_valid_at_sign_in_and_never_shown(text in some_text()) {
        if let Ok(password) = Password::parse(text.clone()) {
            let typed = Password::typed(text.clone()).expect("valid at sign-in");
            prop_assert_eq!(typed.as_bytes(), password.as_bytes());
            let normalised = std::str::from_utf8(password.as_bytes()).expect("a text");
            prop_assert!((8..=128).contains(&normalised.chars().count()));
            let as_typed = (normalised != text).then_some(text.as_bytes());
            prop_assert_eq!(password.as_typed(), as_typed);
            let again = Password::parse(normalised.to_owned()).expect("valid in its own form");
            prop_assert_eq!(again.as_bytes(), password.as_bytes());
            prop_assert_eq!(format!("{password:?}"), "Password(..)");
        }
        let fits = text.chars().count() <= 128;
        prop_assert!(!fits || Password::typed(text).is_ok());
    }

    #[test]
    fn a_country_is_two_capital_letters(text in "[A-Za-z0-9é]{0,4}") {
        if let Ok(country) = CountryCode::parse(&text) {
            prop_assert!(text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase()));
            prop_assert_eq!(country.to_string(), text);
        }
    }

    #[test]
    fn a_request_id_is_a_uuid_whatever_its_case(bytes: [u8; 16], text in some_text()) {
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        let id = RequestId::parse(&uuid.to_uppercase()).expect("a UUID");
        prop_assert_eq!((id.to_string(), id.as_bytes()), (uuid, &bytes));
        if let Ok(id) = RequestId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.to_lowercase());
        }
    }

    #[test]
    fn an_etag_identifies_one_version(one: u64, other: u64, text: String) {
        let etag = Etag::of_version(one);
        prop_assert_eq!(etag == Etag::of_version(other), one == other);
        prop_assert_eq!(Etag::from_client(etag.as_str().to_owned()), Some(etag));
        let sent = Etag::from_client(text.clone()).map(|etag| etag.as_str().to_owned());
        prop_assert_eq!(sent.unwrap_or_default(), text);
    }

    #[test]
    fn a_timestamp_is_from_1970_to_9999(
        millis in prop_oneof![
            any::<i64>(), -2..3_i64, 253_402_300_799_990..253_402_300_800_010_i64,
        ],
    ) {
        let good = (0..=253_402_300_799_999).contains(&millis);
        let moment = Timestamp::from_millis(millis);
        prop_assert_eq!(moment.ok().map(Timestamp::as_millis), good.then_some(millis));
        if let Ok(moment) = moment {
            prop_assert!(moment.to_string().ends_with('Z'));
        }
    }

    #[test]
    fn a_later_timestamp_is_never_earlier_and_never_beyond_the_last(
        moment in moment(), wait: u64, more: u32,
    ) {
        let (wait, more) = (Duration::from_millis(wait), Duration::from_millis(more.into()));
        let later = moment.after(wait);
        prop_assert!(moment <= later && later <= Timestamp::MAX);
        prop_assert!(later <= moment.after(wait.saturating_add(more)));
        prop_assert_eq!(moment.after(Duration::ZERO), moment);
    }

    #[test]
    fn a_birth_date_is_kept_or_refused(
        year in prop_oneof![any::<i32>(), 1890..2110], month in -1..15, day in -1..35,
    ) {
        if let Ok(date) = BirthDate::parse(year, month, day) {
            prop_assert!((1900..=9999).contains(&year));
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
            prop_assert_eq!(date.year_month_day(), (year, month, day));
            prop_assert_eq!(BirthDate::try_from(date.to_string()), Ok(date));
        } else {
            let is_in_every_month = (1..=12).contains(&month) && (1..=28).contains(&day);
            prop_assert!(!(1900..=9999).contains(&year) || !is_in_every_month);
        }
    }

    #[test]
    fn an_arbitrary_text_is_at_most_a_valid_birth_date(text: String) {
        if let Ok(date) = BirthDate::try_from(text) {
            prop_assert!(date.year_month_day().0 >= 1900);
        }
    }

    #[test]
    fn a_capacity_is_in_its_range(
        number in prop_oneof![any::<i64>(), -2..3_i64, 999_998..1_000_003_i64],
    ) {
        let places = (1..=1_000_000).contains(&number).then_some(number);
        prop_assert_eq!(Capacity::parse(number).ok().map(i64::from), places);
        let waiting = (0..=1_000_000).contains(&number).then_some(number);
        prop_assert_eq!(WaitlistCapacity::parse(number).ok().map(i64::from), waiting);
    }

    #[test]
    fn times_are_in_order_and_each_invalid_one_is_named_once(moments in moments()) {
        let (opens, closes) = (moments.registration_opens_at, moments.registration_closes_at);
        let (starts, ends) = (moments.starts_at, moments.ends_at);
        let mut wrong = Vec::new();
        wrong.extend((starts >= ends).then_some("ends_at"));
        wrong.extend((opens >= closes || closes > starts).then_some("registration_closes_at"));
        match Schedule::parse(moments) {
            Ok(schedule) => {
                prop_assert!(opens < closes && closes <= starts && starts < ends);
                prop_assert_eq!(schedule.moments(), moments);
            }
            Err(invalid) => {
                let fields = invalid.fields().iter();
                let named: Vec<_> = fields.map(|invalid| invalid.field.as_str()).collect();
                prop_assert_eq!(named, wrong);
            }
        }
    }

    #[test]
    fn a_full_patch_replaces_everything_and_an_empty_one_nothing(
        old in details(), new in details(),
    ) {
        prop_assert_eq!(all_of(&new).apply(&old), Ok(new.clone()));
        prop_assert_eq!(CompetitionPatch::default().apply(&old), Ok(old.clone()));
        let places = CompetitionPatch {
            capacity: Some(new.capacity),
            ..CompetitionPatch::default()
        };
        let changed = places.apply(&old).expect("a good patch");
        prop_assert_eq!(places.apply(&changed), Ok(changed.clone()));
        prop_assert_eq!(changed, CompetitionDetails { capacity: new.capacity, ..old });
    }

    #[test]
    fn a_session_token_is_read_exactly_as_it_was_written(
        id in "[a-z0-9-]{3,64}", secret: [u8; 32], at: prop::sample::Index, other in "[0-9a-zA-Z_]",
    ) {
        let token = SessionToken::of_user(&UserId::parse(id.as_str()).expect("an id"), &secret);
        let read = SessionToken::parse(token.expose());
        prop_assert_eq!(read.as_ref(), Some(&token));
        prop_assert_eq!(token.subject(), id);
        let mut changed = token.expose().to_owned();
        let at = at.index(changed.len());
        changed.replace_range(at..=at, &other);
        prop_assume!(changed != token.expose());
        prop_assert_eq!(SessionToken::parse(&changed), None);
    }
}
