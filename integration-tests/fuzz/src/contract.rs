//! The limits of the contract, stated independently of the code that enforces them.
//!
//! A field is valid, invalid, or unspecified: the finer points of addresses and of characters, the
//! list of countries and the list of common passwords are not repeated here.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

/// An address that must be accepted.
pub const VALID_ADDRESS: &str = "ada@example.org";

const USER_FIELDS: [&str; 4] = ["display_name", "country_code", "birth_date", "club"];
const COMPETITION_FIELDS: [&str; 10] = [
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

/// The fields of a request that an error must name, by their paths.
#[derive(Debug, Default)]
pub struct Expected {
    /// Must be named.
    pub invalid: BTreeSet<String>,
    /// May be named.
    pub unspecified: BTreeSet<String>,
}

enum Verdict {
    Valid,
    Invalid,
    Unspecified,
}

impl From<bool> for Verdict {
    fn from(is_valid: bool) -> Self {
        if is_valid { Self::Valid } else { Self::Invalid }
    }
}

impl Expected {
    fn add(&mut self, path: String, verdict: &Verdict) {
        match verdict {
            Verdict::Valid => {}
            Verdict::Invalid => drop(self.invalid.insert(path)),
            Verdict::Unspecified => drop(self.unspecified.insert(path)),
        }
    }
}

/// Returns what an error of this request must name. If it is empty, the request is valid.
#[must_use]
pub fn expected(request: &DynamicMessage) -> Expected {
    let mut expected = Expected::default();
    let message = request.descriptor().name().to_owned();
    let nested = ["competition", "user"].into_iter().find(|name| {
        let field = request.descriptor().get_field_by_name(name);
        field.is_some_and(|field| field.kind().as_message().is_some())
    });
    for field in request.descriptor().fields() {
        let is_set = request.has_field(&field);
        let oneof = field.containing_oneof();
        let is_other_choice = !is_set && oneof.is_some_and(|oneof| oneof.name() == "user");
        if is_other_choice || Some(field.name()) == nested {
            continue;
        }
        let value = request.get_field(&field);
        let verdict = request_field(&message, field.name(), is_set, &value);
        expected.add(field.name().to_owned(), &verdict);
    }
    let has = |field| request.has_field_by_name(field);
    if message == "AddRegistrationRequest" && !has("user_id") && !has("email") {
        expected.invalid.insert("user_id".to_owned());
    }
    if let Some(name) = nested {
        if !has(name) {
            expected.invalid.insert(name.to_owned());
        }
        // The missing fields of an absent user are named too.
        if has(name) || name == "user" {
            add_nested(&mut expected, request, name);
        }
    }
    expected
}

/// Adds the fields of the competition or of the user in a request.
fn add_nested(expected: &mut Expected, request: &DynamicMessage, name: &str) {
    let value = request.get_field_by_name(name).expect("a field");
    let nested = value.as_message().expect("a message");
    let is_update = request.descriptor().name().starts_with("Update");
    let mask = request.get_field_by_name("update_mask");
    let mask = match mask {
        Some(mask) if is_update => paths(&mask),
        _ => vec!["*".to_owned()],
    };
    let fields: &[&str] = match name {
        "user" => &USER_FIELDS,
        _ => &COMPETITION_FIELDS,
    };
    let is_mask_valid = !expected.invalid.contains("update_mask");
    for field in fields.iter().filter(|_| is_mask_valid) {
        let is_set = nested.has_field_by_name(field);
        let is_masked = mask == ["*"] || mask.iter().any(|path| path == field);
        // An empty mask means all fields that are set.
        if is_masked || (mask.is_empty() && is_set) {
            let value = nested.get_field_by_name(field).expect("a field");
            let verdict = nested_field(field, is_set, &value);
            expected.add(format!("{name}.{field}"), &verdict);
        }
    }
    if is_update && name == "competition" {
        let id = nested.get_field_by_name("competition_id").expect("a field");
        expected.add(format!("{name}.competition_id"), &is_id(&id).into());
    } else if name == "competition" {
        add_schedule(expected, nested);
    }
}

/// Adds the order of a new competition's moments: `opens < closes <= starts < ends`. The order of
/// an updated competition depends on the stored moments.
fn add_schedule(expected: &mut Expected, competition: &DynamicMessage) {
    let at = |field| {
        let value = competition.get_field_by_name(field)?;
        competition
            .has_field_by_name(field)
            .then(|| moment(&value))?
    };
    let (Some(opens), Some(closes), Some(starts), Some(ends)) = (
        at("registration_opens_at"),
        at("registration_closes_at"),
        at("starts_at"),
        at("ends_at"),
    ) else {
        return;
    };
    expected.add("competition.ends_at".to_owned(), &(starts < ends).into());
    let is_closing_valid = opens < closes && closes <= starts;
    let closes_at = "competition.registration_closes_at".to_owned();
    expected.add(closes_at, &is_closing_valid.into());
}

fn request_field(message: &str, field: &str, is_set: bool, value: &Value) -> Verdict {
    let text = text(value);
    let makes_account = matches!(message, "SignUpRequest" | "CreateAdminRequest");
    let is_enum_in = |range: std::ops::RangeInclusive<i32>, value: &Value| {
        value
            .as_enum_number()
            .is_some_and(|number| range.contains(&number))
    };
    match field {
        "competition_id" if message == "CreateCompetitionRequest" => {
            (text.is_empty() || is_id(value)).into()
        }
        "competition_id" | "user_id" | "admin_id" => is_id(value).into(),
        "request_id" => (text.is_empty() || is_uuid(text)).into(),
        "email" if message == "ListUsersRequest" && text.is_empty() => Verdict::Valid,
        "email" => address(text),
        "new_password" => new_password(text),
        "password" if makes_account => new_password(text),
        "password" | "current_password" => typed_password(text),
        "reason" => is_text(text, 0, 500, false),
        "role" => is_enum_in(1..=3, value).into(),
        "states" => {
            let last = if message == "ListCompetitionsRequest" {
                3
            } else {
                4
            };
            let mut states = value.as_list().unwrap_or_default().iter();
            states.all(|state| is_enum_in(1..=last, state)).into()
        }
        "page_size" => value.as_i32().is_some_and(|size| size >= 0).into(),
        "starts_after" | "starts_before" => (!is_set || moment(value).is_some()).into(),
        "update_mask" => {
            let known: &[&str] = match message {
                "UpdateMeRequest" => &USER_FIELDS,
                _ => &COMPETITION_FIELDS,
            };
            let paths = paths(value);
            (paths == ["*"] || paths.iter().all(|path| known.contains(&path.as_str()))).into()
        }
        _ => nested_field(field, is_set, value),
    }
}

/// A field that competitions or users have too.
fn nested_field(field: &str, is_set: bool, value: &Value) -> Verdict {
    let text = text(value);
    let is_count_from = |min| {
        let count = value.as_i32();
        !is_set || count.is_some_and(|count| (min..=1_000_000).contains(&count))
    };
    match field {
        "title" => is_text(text, 1, 120, false),
        "description" => is_text(text, 0, 5000, true),
        "venue" => is_text(text, 0, 240, false),
        "display_name" => is_text(text, 1, 80, false),
        "club" => is_text(text, 0, 120, false),
        "country_code" => match text.as_bytes() {
            [] => Verdict::Valid,
            [b'A'..=b'Z', b'A'..=b'Z'] => Verdict::Unspecified,
            _ => Verdict::Invalid,
        },
        "starts_at" | "ends_at" | "registration_opens_at" | "registration_closes_at" => {
            (is_set && moment(value).is_some()).into()
        }
        "capacity" => is_count_from(1).into(),
        "waitlist_capacity" => is_count_from(0).into(),
        "birth_date" => (!is_set || is_birth_date(value)).into(),
        _ => Verdict::Valid,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_id(value: &Value) -> bool {
    let text = text(value);
    let is_allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    (3..=64).contains(&text.len()) && text.chars().all(is_allowed)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    let is_hex = |group: &&str| group.chars().all(|c| c.is_ascii_hexdigit());
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(is_hex)
}

fn address(text: &str) -> Verdict {
    let is_forbidden = |c: char| c.is_control() || c.is_whitespace();
    let host = text.rsplit('@').next().unwrap_or_default();
    let is_short = text.len() <= 254 && host.contains('.');
    if !text.contains('@') || text.contains(is_forbidden) || (text.is_ascii() && !is_short) {
        Verdict::Invalid
    } else if text == VALID_ADDRESS {
        Verdict::Valid
    } else {
        Verdict::Unspecified
    }
}

fn new_password(text: &str) -> Verdict {
    if !is_plain(text) || (8..=128).contains(&text.chars().count()) {
        Verdict::Unspecified
    } else {
        Verdict::Invalid
    }
}

fn typed_password(text: &str) -> Verdict {
    match text.chars().count() {
        0..=128 => Verdict::Valid,
        _ if is_plain(text) => Verdict::Invalid,
        _ => Verdict::Unspecified,
    }
}

fn is_text(text: &str, min: usize, max: usize, has_lines: bool) -> Verdict {
    let is_layout = |c: char| has_lines && matches!(c, '\n' | '\r' | '\t');
    if text.contains(|c: char| c.is_control() && !is_layout(c)) {
        return Verdict::Invalid;
    }
    if !is_plain(text) {
        return Verdict::Unspecified;
    }
    let is_visible = has_lines || text.is_empty() || !text.trim().is_empty();
    ((min..=max).contains(&text.chars().count()) && is_visible).into()
}

/// Whether a text has one form only, and every character is visible or white space.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii() || "é🏆".contains(c))
}

/// The milliseconds since 1970 of a moment before the year 10000.
fn moment(value: &Value) -> Option<i64> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    let is_valid = (0..=253_402_300_799).contains(&seconds) && (0..=999_999_999).contains(&nanos);
    is_valid.then(|| seconds * 1000 + i64::from(nanos) / 1_000_000)
}

fn is_birth_date(value: &Value) -> bool {
    let number = |field| {
        let message = value.as_message()?;
        message.get_field_by_name(field)?.as_i32()
    };
    let (Some(year), Some(month), Some(day)) = (number("year"), number("month"), number("day"))
    else {
        return false;
    };
    let is_leap_year = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 if is_leap_year => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1900..=9999).contains(&year) && (1..=days).contains(&day)
}

fn paths(mask: &Value) -> Vec<String> {
    let paths = mask
        .as_message()
        .and_then(|mask| mask.get_field_by_name("paths"));
    let paths = paths.as_ref().and_then(|paths| paths.as_list());
    let paths = paths.unwrap_or_default().iter();
    paths.map(|path| text(path).to_owned()).collect()
}
