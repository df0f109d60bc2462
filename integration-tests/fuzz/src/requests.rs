//! Every request of the contract, from bytes to words of the domain.
//!
//! The first byte says which. What must hold: a request is accepted if the contract finds nothing wrong
//! with it; otherwise every wrong field is named, once, and no good one. No sentence repeats a password,
//! and all of them fit into the trailers of an answer. What was accepted says the same when it is sent again.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use api::request::{
    AddRegistration, CancelCompetition, ChangePassword, CreateAdmin, CreateCompetition,
    DeleteCompetition, DeleteMe, DisableAdmin, GetRegistration, ListAuditEntries, ListCompetitions,
    ListRegistrations, ListUsers, Page, PublishCompetition, Register, RemoveRegistration, SignIn,
    SignUp, UpdateCompetition, UpdateMe, Withdraw,
};
use api::{admin, diagnostics, user, v1};
use domain::{CompetitionId, InvalidFields, UserId};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};

use crate::contract::{self, GOOD_ADDRESS};
use crate::mutation::{self, Random};

/// A request of the contract.
pub struct Request {
    /// Its full name.
    pub name: &'static str,
    /// Reads it as a server does. `None` = these bytes are no such message.
    parse: fn(&[u8]) -> Option<Result<(), InvalidFields>>,
}

/// Reads a message, and sees that it is read again from what it is written as.
fn decode<M: Message + Default + PartialEq>(bytes: &[u8]) -> Option<M> {
    let message = M::decode(bytes).ok()?;
    let again = M::decode(message.encode_to_vec().as_slice());
    assert!(
        again.is_ok_and(|again| again == message),
        "it is not what it is written as"
    );
    Some(message)
}

/// What an accepted request holds, said again.
trait Again: Sized {
    fn holds(&self) {}
}

macro_rules! requests {
    ([$($service:ident::$message:ident => $parsed:ty;)*] and as they are [$($plain_service:ident::$plain:ident;)*]) => {
        /// All of them.
        pub const REQUESTS: &[Request] = &[
            $(Request {
                name: concat!("startlist.", stringify!($service), ".v1.", stringify!($message)),
                parse: |bytes| {
                    let message: $service::$message = decode(bytes)?;
                    Some(<$parsed>::try_from(message).map(|accepted| accepted.holds()))
                },
            },)*
            $(Request {
                name: concat!("startlist.", stringify!($plain_service), ".v1.", stringify!($plain)),
                parse: |bytes| decode::<$plain_service::$plain>(bytes).map(|_| Ok(())),
            },)*
        ];
    };
}

requests! { [
    user::SignUpRequest => SignUp;
    user::SignInRequest => SignIn;
    user::UpdateMeRequest => UpdateMe;
    user::ChangePasswordRequest => ChangePassword;
    user::DeleteMeRequest => DeleteMe;
    user::ListCompetitionsRequest => ListCompetitions;
    user::GetCompetitionRequest => CompetitionId;
    user::RegisterRequest => Register;
    user::WithdrawRequest => Withdraw;
    user::GetMyRegistrationRequest => CompetitionId;
    user::ListMyRegistrationsRequest => Page;
    admin::SignInRequest => SignIn;
    admin::CreateAdminRequest => CreateAdmin;
    admin::ListAdminsRequest => Page;
    admin::DisableAdminRequest => DisableAdmin;
    admin::CreateCompetitionRequest => CreateCompetition;
    admin::GetCompetitionRequest => CompetitionId;
    admin::ListCompetitionsRequest => ListCompetitions;
    admin::UpdateCompetitionRequest => UpdateCompetition;
    admin::PublishCompetitionRequest => PublishCompetition;
    admin::CancelCompetitionRequest => CancelCompetition;
    admin::DeleteCompetitionRequest => DeleteCompetition;
    admin::ListRegistrationsRequest => ListRegistrations;
    admin::GetRegistrationRequest => GetRegistration;
    admin::AddRegistrationRequest => AddRegistration;
    admin::RemoveRegistrationRequest => RemoveRegistration;
    admin::ListUsersRequest => ListUsers;
    admin::GetUserRequest => UserId;
    admin::ListAuditEntriesRequest => ListAuditEntries;
] and as they are [
    user::SignOutRequest;
    user::GetMeRequest;
    user::ExportMeRequest;
    admin::SignOutRequest;
    admin::GetMeRequest;
    diagnostics::GetHealthReportRequest;
] }

/// Nothing more is to be said of these.
macro_rules! said { ($($parsed:ty),*) => { $(impl Again for $parsed {})* }; }

said! {
    SignIn, UpdateMe, ChangePassword, DeleteMe, CreateAdmin, DisableAdmin, UpdateCompetition, PublishCompetition,
    CancelCompetition, DeleteCompetition, GetRegistration, AddRegistration, RemoveRegistration, Register, Withdraw
}

impl Again for CreateCompetition {
    fn holds(&self) {
        let request = admin::CreateCompetitionRequest {
            competition_id: self.competition_id.clone().map(String::from),
            competition: Some(v1::Competition::from(self.details.clone())),
            request_id: self.request_id.to_string(),
        };
        let again = Self::try_from(request).expect("what was accepted");
        assert_eq!(again.details, self.details);
        assert_eq!(
            (&again.competition_id, again.request_id),
            (&self.competition_id, self.request_id)
        );
    }
}

impl Again for SignUp {
    fn holds(&self) {
        let profile = self.profile.clone();
        let request = user::SignUpRequest {
            email: self.email.clone().into(),
            password: String::from_utf8(self.password.as_bytes().to_vec()).expect("a text"),
            display_name: profile.display_name.into(),
            country_code: profile.country_code.map(String::from).unwrap_or_default(),
            birth_date: profile.birth_date.map(v1::Date::from),
            club: profile.club.into(),
            request_id: self.request_id.to_string(),
        };
        let again = Self::try_from(request).expect("what was accepted");
        assert_eq!(again.email.as_str(), self.email.as_str());
        assert_eq!(
            (again.profile, again.request_id),
            (self.profile.clone(), self.request_id)
        );
    }
}

impl Again for CompetitionId {
    fn holds(&self) {
        assert_eq!(Self::parse(self.as_str()).as_ref(), Ok(self));
    }
}

impl Again for UserId {
    fn holds(&self) {
        assert_eq!(Self::parse(self.as_str()).as_ref(), Ok(self));
    }
}

impl Again for Page {
    fn holds(&self) {
        assert!((1..=200).contains(&self.size), "a page of {}", self.size);
    }
}

impl Again for ListUsers {
    fn holds(&self) {
        self.page.holds();
    }
}

impl Again for ListAuditEntries {
    fn holds(&self) {
        self.page.holds();
    }
}

impl Again for ListRegistrations {
    fn holds(&self) {
        self.page.holds();
        assert!((1..=4).contains(&self.states.len()), "{:?}", self.states);
    }
}

impl Again for ListCompetitions {
    fn holds(&self) {
        self.page.holds();
        assert!((1..=3).contains(&self.states.len()), "{:?}", self.states);
    }
}

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(api::DESCRIPTOR_SET).expect("the contract"));

/// The descriptor of a request.
#[must_use]
pub fn descriptor(request: &Request) -> MessageDescriptor {
    POOL.get_message_by_name(request.name)
        .expect("a message of the contract")
}

const ABOUT_PASSWORDS: [&str; 2] = [
    "must be 8 to 128 characters",
    "is among the 3,000 most common passwords, choose another",
];

/// The target.
pub fn check(data: &[u8]) {
    let Some((&which, bytes)) = data.split_first() else {
        return;
    };
    let request = &REQUESTS[usize::from(which) % REQUESTS.len()];
    let Some(answer) = (request.parse)(bytes) else {
        return;
    };
    let message = DynamicMessage::decode(descriptor(request), bytes).expect("prost read it");
    let wrong = contract::wrong(&message);
    let name = request.name;
    let invalid = match &answer {
        Ok(()) => {
            assert!(
                wrong.surely.is_empty(),
                "{name} was accepted with wrong {:?}",
                wrong.surely
            );
            return;
        }
        Err(invalid) => invalid,
    };
    let mut named = BTreeSet::new();
    for field in invalid.fields() {
        assert!(
            named.insert(field.field.clone()),
            "{name} names {} twice",
            field.field
        );
        assert!(
            exists(&descriptor(request), &field.field),
            "{name} names {}, which it has not",
            field.field
        );
        assert!(
            !field.description.is_empty(),
            "{name} does not say what {} must be",
            field.field
        );
        if field.field.ends_with("password") {
            // Word for word, so that nothing of what was typed is repeated.
            assert!(
                ABOUT_PASSWORDS.contains(&field.description.as_str()),
                "{name}: {}",
                field.description
            );
        }
    }
    assert!(!named.is_empty(), "{name} was refused for nothing");
    assert!(
        invalid.to_string().len() < 4096,
        "{name} says more than trailers hold"
    );
    let missing: Vec<_> = wrong.surely.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "{name} does not name {missing:?}, but {named:?}"
    );
    let good: Vec<_> = named
        .iter()
        .filter(|field| !wrong.surely.contains(*field) && !wrong.perhaps.contains(*field))
        .collect();
    assert!(good.is_empty(), "{name} names {good:?}, which are good");
}

/// Whether a server takes these bytes.
#[must_use]
pub fn is_accepted(data: &[u8]) -> bool {
    data.split_first().is_some_and(|(&which, bytes)| {
        let request = &REQUESTS[usize::from(which) % REQUESTS.len()];
        (request.parse)(bytes).is_some_and(|answer| answer.is_ok())
    })
}

fn exists(message: &MessageDescriptor, path: &str) -> bool {
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    message
        .get_field_by_name(first)
        .is_some_and(|field| match (rest, field.kind()) {
            (None, _) => true,
            (Some(rest), Kind::Message(part)) => exists(&part, rest),
            _ => false,
        })
}

/// A good request, of which some fields are odd, and now and then some bytes.
pub fn make(random: &mut Random) -> Vec<u8> {
    let which = random.below(REQUESTS.len());
    let mut message = good(&descriptor(&REQUESTS[which]));
    for _ in 0..random.below(4) {
        spoil(random, &mut message);
    }
    let mut bytes = message.encode_to_vec();
    if random.one_in(4) {
        mutation::bytes(random, &mut bytes);
    }
    bytes.insert(0, u8::try_from(which).expect("few requests"));
    bytes
}

/// A request of this kind that has to be accepted.
#[must_use]
pub fn good(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        message.set_field(&field, good_value(&field));
    }
    message
}

fn good_value(field: &FieldDescriptor) -> Value {
    let value = match (field.name(), field.kind()) {
        ("email", _) => Value::String(GOOD_ADDRESS.to_owned()),
        ("password" | "new_password" | "current_password", _) => {
            Value::String("vier worte am see".to_owned())
        }
        ("request_id", _) => Value::String("0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90".to_owned()),
        ("country_code", _) => Value::String("CH".to_owned()),
        ("paths", _) => Value::String("*".to_owned()),
        (name, Kind::Message(message)) => {
            let mut value = good(&message);
            let at = [
                "registration_opens_at",
                "registration_closes_at",
                "starts_at",
                "ends_at",
            ];
            if let Some(n) = at.iter().position(|moment| *moment == name) {
                value.set_field_by_name(
                    "seconds",
                    Value::I64(2_000_000_000 + i64::try_from(n).expect("few")),
                );
            }
            Value::Message(value)
        }
        ("year", _) => Value::I32(2004),
        ("month", _) => Value::I32(2),
        ("day", _) => Value::I32(29),
        (_, Kind::String) => Value::String("spring-cup".to_owned()),
        (_, Kind::Int32) => Value::I32(3),
        (_, Kind::Int64) => Value::I64(3),
        (_, Kind::Enum(_)) => Value::EnumNumber(1),
        (_, Kind::Bool) => Value::Bool(true),
        (_, kind) => Value::default_value(&kind),
    };
    if field.is_list() {
        Value::List(vec![value])
    } else {
        value
    }
}

fn spoil(random: &mut Random, message: &mut DynamicMessage) {
    let fields: Vec<_> = message.descriptor().fields().collect();
    if fields.is_empty() {
        return;
    }
    let field = &fields[random.below(fields.len())];
    if random.one_in(8) {
        message.clear_field(field);
        return;
    }
    if field.is_list() {
        let count = random.pick(&[0, 1, 2, 3, 300]);
        let values = (0..count).map(|_| odd(random, field)).collect();
        message.set_field(field, Value::List(values));
    } else if let Kind::Message(_) = field.kind() {
        if let Some(part) = message.get_field_mut(field).as_message_mut() {
            spoil(random, part);
        }
    } else {
        message.set_field(field, odd(random, field));
    }
}

fn odd(random: &mut Random, field: &FieldDescriptor) -> Value {
    let number = mutation::number(random);
    let small = i32::try_from(number).unwrap_or(i32::MIN);
    match field.kind() {
        Kind::String if field.name() == "paths" && !random.one_in(4) => {
            let path = random.pick(&[
                "title",
                "capacity",
                "starts_at",
                "club",
                "display_name",
                "birth_date",
            ]);
            Value::String(path.to_owned())
        }
        Kind::String => Value::String(mutation::text(random)),
        Kind::Int32 => Value::I32(small),
        Kind::Int64 => Value::I64(number),
        Kind::Enum(_) => Value::EnumNumber(small),
        Kind::Bool => Value::Bool(random.one_in(2)),
        kind => Value::default_value(&kind),
    }
}
