//! The limits that the contract states, written down once more, apart from the code that keeps them.
//!
//! A field is wrong, good, or for others to say: whether a country is assigned, whether a password is
//! common, and the finer points of an address are not repeated here.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

/// Which fields of a request are wrong, by their paths.
#[derive(Debug, Default)]
pub struct Wrong {
    /// These must be named in an error.
    pub surely: BTreeSet<String>,
    /// These may be named too.
    pub perhaps: BTreeSet<String>,
}

enum Is {
    Good,
    Wrong,
    ForOthersToSay,
}

fn is(good: bool) -> Is {
    if good { Is::Good } else { Is::Wrong }
}

/// What a request says about each of its fields.
#[must_use]
pub fn wrong(request: &DynamicMessage) -> Wrong {
    let mut wrong = Wrong::default();
    let message = request.descriptor().name().to_owned();
    let is_update = message.starts_with("Update");
    let part = ["competition", "user"].into_iter().find(|part| {
        let field = request.descriptor().get_field_by_name(part);
        field.is_some_and(|field| field.kind().as_message().is_some())
    });
    for field in request.descriptor().fields() {
        let name = field.name();
        let value = request.get_field(&field);
        let is_set = request.has_field(&field);
        if field
            .containing_oneof()
            .is_some_and(|oneof| oneof.name() == "user")
            && !is_set
        {
            continue;
        }
        if Some(name) != part {
            note(
                &mut wrong,
                name.to_owned(),
                &of_request(&message, name, is_set, &value),
            );
        }
    }
    if message == "AddRegistrationRequest" && !set(request, "user_id") && !set(request, "email") {
        wrong.surely.insert("user_id".to_owned());
    }
    if let Some(part) = part {
        let is_set = set(request, part);
        if !is_set {
            wrong.surely.insert(part.to_owned());
        }
        // Of a user who is absent it is said too what is missing.
        if is_set || part == "user" {
            let value = request.get_field_by_name(part).expect("a part");
            let mask_is_good = !wrong.surely.contains("update_mask");
            let paths = if is_update {
                mask(request)
            } else {
                vec!["*".to_owned()]
            };
            of_part(
                &mut wrong,
                part,
                value.as_message().expect("a message"),
                &paths,
                mask_is_good,
            );
            if message == "CreateCompetitionRequest" {
                of_schedule(&mut wrong, value.as_message().expect("a message"));
            }
            if is_update && part == "competition" {
                let id = value.as_message().expect("a message");
                let id = id.get_field_by_name("competition_id").expect("an id");
                let path = "competition.competition_id".to_owned();
                note(&mut wrong, path, &is(is_id(&id)));
            }
        }
    }
    wrong
}

fn note(wrong: &mut Wrong, path: String, is: &Is) {
    match is {
        Is::Good => {}
        Is::Wrong => drop(wrong.surely.insert(path)),
        Is::ForOthersToSay => drop(wrong.perhaps.insert(path)),
    }
}

fn set(message: &DynamicMessage, field: &str) -> bool {
    message.has_field_by_name(field)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn of_request(message: &str, field: &str, is_set: bool, value: &Value) -> Is {
    let makes_an_account = matches!(message, "SignUpRequest" | "CreateAdminRequest");
    match field {
        "competition_id" if message == "CreateCompetitionRequest" => {
            is(text(value).is_empty() || is_id(value))
        }
        "competition_id" | "user_id" | "admin_id" => is(is_id(value)),
        "request_id" => is(text(value).is_empty() || is_uuid(text(value))),
        "email" if message == "ListUsersRequest" && text(value).is_empty() => Is::Good,
        "email" => address(text(value)),
        "password" if makes_an_account => new_password(text(value)),
        "new_password" => new_password(text(value)),
        "password" | "current_password" => is(text(value).chars().count() <= 128),
        "reason" => is(is_text(text(value), 0, 500, false)),
        "role" => is(value
            .as_enum_number()
            .is_some_and(|role| (1..=3).contains(&role))),
        "states" => {
            let last = if message == "ListCompetitionsRequest" {
                3
            } else {
                4
            };
            let mut states = value.as_list().unwrap_or_default().iter();
            is(states.all(|state| {
                state
                    .as_enum_number()
                    .is_some_and(|state| (1..=last).contains(&state))
            }))
        }
        "page_size" => is(value.as_i32().is_some_and(|size| size >= 0)),
        "starts_after" | "starts_before" => is(!is_set || moment(value).is_some()),
        "update_mask" => {
            let known: &[&str] = if message == "UpdateMeRequest" {
                &USER
            } else {
                &COMPETITION
            };
            let paths = paths(value);
            is(paths == ["*"] || paths.iter().all(|path| known.contains(&path.as_str())))
        }
        _ => of_what_is_said(field, is_set, value),
    }
}

const USER: [&str; 4] = ["display_name", "country_code", "birth_date", "club"];
const COMPETITION: [&str; 10] = [
    "title",
    "description",
    "venue",
    "country_code",
    "starts_at",
    "ends_at",
    "registration_opens_at",
    "registration_closes_at",
    "capacity",
    "waitlist_capacity",
];

/// What people say of competitions and of themselves.
fn of_what_is_said(field: &str, is_set: bool, value: &Value) -> Is {
    match field {
        "title" => is(is_text(text(value), 1, 120, false)),
        "description" => is(is_text(text(value), 0, 5000, true)),
        "venue" => is(is_text(text(value), 0, 240, false)),
        "display_name" => is(is_text(text(value), 1, 80, false)),
        "club" => is(is_text(text(value), 0, 120, false)),
        "country_code" => match text(value).as_bytes() {
            [] => Is::Good,
            [b'A'..=b'Z', b'A'..=b'Z'] => Is::ForOthersToSay,
            _ => Is::Wrong,
        },
        "starts_at" | "ends_at" | "registration_opens_at" | "registration_closes_at" => {
            is(moment(value).is_some() && is_set)
        }
        "capacity" => is(!is_set
            || value
                .as_i32()
                .is_some_and(|places| (1..=1_000_000).contains(&places))),
        "waitlist_capacity" => is(!is_set
            || value
                .as_i32()
                .is_some_and(|places| (0..=1_000_000).contains(&places))),
        "birth_date" => is(!is_set || is_birth_date(value)),
        _ => Is::Good,
    }
}

/// The competition or the user that a request holds, as far as its mask goes.
fn of_part(
    wrong: &mut Wrong,
    part: &str,
    message: &DynamicMessage,
    mask: &[String],
    mask_is_good: bool,
) {
    if !mask_is_good {
        return;
    }
    let known: &[&str] = if part == "user" { &USER } else { &COMPETITION };
    let all = mask == ["*"];
    for field in known {
        let is_set = set(message, field);
        let covered = all || mask.iter().any(|path| path == field) || (mask.is_empty() && is_set);
        if covered {
            let value = message.get_field_by_name(field).expect("a field");
            note(
                wrong,
                format!("{part}.{field}"),
                &of_what_is_said(field, is_set, &value),
            );
        }
    }
}

/// The moments of a new competition, if each of them is good alone: `opens < closes <= starts < ends`.
/// Those of a change are put in order with what they change.
fn of_schedule(wrong: &mut Wrong, competition: &DynamicMessage) {
    let at = |field| {
        let value = competition.get_field_by_name(field)?;
        set(competition, field).then(|| moment(&value))?
    };
    let (Some(opens), Some(closes), Some(starts), Some(ends)) = (
        at("registration_opens_at"),
        at("registration_closes_at"),
        at("starts_at"),
        at("ends_at"),
    ) else {
        return;
    };
    if ends <= starts {
        wrong.surely.insert("competition.ends_at".to_owned());
    }
    if closes <= opens || closes > starts {
        let closes_at = "competition.registration_closes_at".to_owned();
        wrong.surely.insert(closes_at);
    }
}

fn is_id(value: &Value) -> bool {
    let text = text(value);
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    (3..=64).contains(&text.len()) && text.chars().all(allowed)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    let is_hex = |group: &&str| group.chars().all(|c| c.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(is_hex)
}

fn address(text: &str) -> Is {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let host = text.rsplit('@').next().unwrap_or_default();
    if text.len() > 254 || !text.contains('@') || !host.contains('.') || text.contains(odd) {
        return Is::Wrong;
    }
    if text == GOOD_ADDRESS {
        Is::Good
    } else {
        Is::ForOthersToSay
    }
}

/// An address that has to be accepted.
pub const GOOD_ADDRESS: &str = "ada@example.org";

fn new_password(text: &str) -> Is {
    if !(8..=128).contains(&text.chars().count()) {
        return Is::Wrong;
    }
    Is::ForOthersToSay
}

fn is_text(text: &str, min: usize, max: usize, lines: bool) -> bool {
    let layout = |c: char| lines && matches!(c, '\n' | '\r' | '\t');
    (min..=max).contains(&text.chars().count())
        && !text.contains(|c: char| c.is_control() && !layout(c))
        && (min == 0 || !text.trim().is_empty())
}

/// Milliseconds since 1970, if it is a moment from then to 9999.
fn moment(value: &Value) -> Option<i64> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    let good = (0..=253_402_300_799).contains(&seconds) && (0..=999_999_999).contains(&nanos);
    good.then(|| seconds * 1000 + i64::from(nanos) / 1_000_000)
}

fn is_birth_date(value: &Value) -> bool {
    let number = |field| {
        let message = value.as_message()?;
        message.get_field_by_name(field)?.as_i32()
    };
    let (year, month, day) = (number("year"), number("month"), number("day"));
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return false;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1900..=9999).contains(&year) && (1..=days).contains(&day)
}

fn mask(request: &DynamicMessage) -> Vec<String> {
    let mask = request.get_field_by_name("update_mask");
    mask.map(|mask| paths(&mask)).unwrap_or_default()
}

fn paths(mask: &Value) -> Vec<String> {
    let paths = mask.as_message().and_then(|mask| {
        let paths = mask.get_field_by_name("paths")?;
        Some(
            paths
                .as_list()?
                .iter()
                .map(|path| text(path).to_owned())
                .collect(),
        )
    });
    paths.unwrap_or_default()
}
