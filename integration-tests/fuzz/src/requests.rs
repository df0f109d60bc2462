//! Every request of the contract, from bytes to the types of the domain. The first byte selects the
//! request.
//!
//! A request is accepted if the contract finds it valid. Otherwise the error names every invalid
//! field once, and no valid one. No error repeats a password, and every error fits into the
//! trailers of a response. An accepted request is unchanged when it is sent again.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use api::request::{
    AddRegistration, CancelCompetition, ChangePassword, CreateAdmin, CreateCompetition,
    DeleteCompetition, DeleteMe, DisableAdmin, GetRegistration, ListAuditEntries, ListCompetitions,
    ListRegistrations, ListUsers, PublishCompetition, Register, RemoveRegistration, RequestedPage,
    SignIn, SignUp, UpdateCompetition, UpdateMe, Withdraw,
};
use api::{admin, diagnostics, user, v1};
use domain::{CompetitionId, InvalidFields, UserId};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage as _,
    Value,
};
use testkit::Random;

use crate::contract::{self, VALID_ADDRESS};
use crate::mutation;

/// A request of the contract.
pub struct Request {
    /// The full name of the message.
    pub name: &'static str,
    /// Reads it as a server does; `None` if the bytes are not such a message.
    parse: fn(&[u8]) -> Option<Result<(), InvalidFields>>,
}

/// Decodes a message, and checks that encoding it loses nothing.
fn decode<M: Message + Default + PartialEq>(bytes: &[u8]) -> Option<M> {
    let message = M::decode(bytes).ok()?;
    let again = M::decode(message.encode_to_vec().as_slice());
    assert!(
        again.is_ok_and(|again| again == message),
        "the message changes when it is encoded"
    );
    Some(message)
}

/// Checks an accepted request.
trait Check {
    fn check(&self) {}
}

macro_rules! requests {
    (
        parsed [$($service:ident::$message:ident => $parsed:ty;)*]
        not parsed [$($plain_service:ident::$plain:ident;)*]
    ) => {
        pub const REQUESTS: &[Request] = &[
            $(Request {
                name: concat!("startlist.", stringify!($service), ".v1.", stringify!($message)),
                parse: |bytes| {
                    let message: $service::$message = decode(bytes)?;
                    Some(<$parsed>::try_from(message).map(|accepted| accepted.check()))
                },
            },)*
            $(Request {
                name: concat!("startlist.", stringify!($plain_service), ".v1.", stringify!($plain)),
                parse: |bytes| decode::<$plain_service::$plain>(bytes).map(|_| Ok(())),
            },)*
        ];
    };
}

requests! { parsed [
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
    user::ListMyRegistrationsRequest => RequestedPage;
    user::ExportMeRequest => RequestedPage;
    admin::SignInRequest => SignIn;
    admin::CreateAdminRequest => CreateAdmin;
    admin::ListAdminsRequest => RequestedPage;
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
] not parsed [
    user::SignOutRequest;
    user::GetMeRequest;
    admin::SignOutRequest;
    admin::GetMeRequest;
    diagnostics::GetHealthReportRequest;
] }

macro_rules! unchecked { ($($parsed:ty),*) => { $(impl Check for $parsed {})* }; }

unchecked! {
    SignIn, UpdateMe, ChangePassword, DeleteMe, CreateAdmin, DisableAdmin, UpdateCompetition,
    PublishCompetition, CancelCompetition, DeleteCompetition, GetRegistration, AddRegistration,
    RemoveRegistration, Register, Withdraw
}

impl Check for CreateCompetition {
    fn check(&self) {
        let request = admin::CreateCompetitionRequest {
            competition_id: self.competition_id.clone().map(String::from),
            competition: Some(v1::Competition::from(self.details.clone())),
            request_id: self.request_id.to_string(),
        };
        let again = Self::try_from(request).expect("accepted before");
        let content = |it: &Self| (it.details.clone(), it.competition_id.clone(), it.request_id);
        assert_eq!(content(&again), content(self));
    }
}

impl Check for SignUp {
    fn check(&self) {
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
        let again = Self::try_from(request).expect("accepted before");
        let content = |it: &Self| (it.email.clone(), it.profile.clone(), it.request_id);
        assert_eq!(content(&again), content(self));
    }
}

fn is_size(page_size: u32) -> bool {
    (1..=200).contains(&page_size)
}

macro_rules! checks {
    ($($parsed:ty: |$it:ident| $check:expr;)*) => {
        $(impl Check for $parsed {
            fn check(&self) {
                let $it = self;
                assert!($check);
            }
        })*
    };
}

checks! {
    CompetitionId: |id| Self::parse(id.as_str()).as_ref() == Ok(id);
    UserId: |id| Self::parse(id.as_str()).as_ref() == Ok(id);
    RequestedPage: |page| is_size(page.size);
    ListUsers: |list| is_size(list.page.size);
    ListAuditEntries: |list| is_size(list.page.size);
    ListRegistrations: |list| is_size(list.page.size) && (1..=4).contains(&list.states.len());
    ListCompetitions: |list| is_size(list.page.size) && (1..=3).contains(&list.states.len());
}

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(api::DESCRIPTOR_SET).expect("the contract"));

#[must_use]
pub fn descriptor(request: &Request) -> MessageDescriptor {
    POOL.get_message_by_name(request.name)
        .expect("a message of the contract")
}

const PASSWORD_ERRORS: [&str; 5] = [
    "must be 8 to 128 characters",
    "must not hold control characters",
    "must hold visible characters",
    "must not be the e-mail address or the part of it before the @",
    "is among the 3,000 most common passwords, choose another",
];

/// The target.
pub fn check(data: &[u8]) {
    let Some((request, bytes)) = select(data) else {
        return;
    };
    let Some(result) = (request.parse)(bytes) else {
        return;
    };
    let message = DynamicMessage::decode(descriptor(request), bytes).expect("prost decoded it");
    let expected = contract::expected(&message);
    match result {
        Ok(()) => assert!(
            expected.invalid.is_empty(),
            "{} was accepted with {:?}",
            request.name,
            expected.invalid
        ),
        Err(invalid) => check_error(request, &invalid, &expected),
    }
}

fn check_error(request: &Request, invalid: &InvalidFields, expected: &contract::Expected) {
    let name = request.name;
    let mut named = BTreeSet::new();
    for field in invalid.fields() {
        let (path, description) = (&field.field, &field.description);
        assert!(named.insert(path.clone()), "{name} names {path} twice");
        assert!(
            exists(&descriptor(request), path),
            "{name} has no field {path}"
        );
        assert!(!description.is_empty(), "{name} does not describe {path}");
        // Fixed sentences, so that nothing of the password is repeated.
        assert!(
            !path.ends_with("password") || PASSWORD_ERRORS.contains(&description.as_str()),
            "{name}: {description}"
        );
    }
    assert!(!named.is_empty(), "{name} was rejected without a reason");
    assert!(
        invalid.to_string().len() < 4096,
        "the error of {name} is too long for trailers"
    );
    let missing: Vec<_> = expected.invalid.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "{name} does not name {missing:?}, but {named:?}"
    );
    let may_be_named =
        |path: &&String| expected.invalid.contains(*path) || expected.unspecified.contains(*path);
    let valid: Vec<_> = named.iter().filter(|path| !may_be_named(path)).collect();
    assert!(valid.is_empty(), "{name} names the valid fields {valid:?}");
}

/// The selected request, and its bytes.
fn select(data: &[u8]) -> Option<(&'static Request, &[u8])> {
    let (&which, bytes) = data.split_first()?;
    Some((&REQUESTS[usize::from(which) % REQUESTS.len()], bytes))
}

#[must_use]
pub fn is_accepted(data: &[u8]) -> bool {
    let result = select(data).and_then(|(request, bytes)| (request.parse)(bytes));
    result.is_some_and(|result| result.is_ok())
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

/// Generates a request with up to three invalid fields, and sometimes with changed bytes.
pub fn generate(random: &mut Random) -> Vec<u8> {
    let which = random.below(REQUESTS.len());
    let mut message = valid(&descriptor(&REQUESTS[which]));
    for _ in 0..random.below(4) {
        spoil(random, &mut message);
    }
    let mut bytes = message.encode_to_vec();
    if random.one_in(4) {
        mutation::change_bytes(random, &mut bytes);
    }
    bytes.insert(0, u8::try_from(which).expect("few requests"));
    bytes
}

/// A request of this kind that must be accepted.
#[must_use]
pub fn valid(descriptor: &MessageDescriptor) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        message.set_field(&field, valid_value(&field));
    }
    message
}

fn valid_value(field: &FieldDescriptor) -> Value {
    let value = match (field.name(), field.kind()) {
        ("email", _) => Value::String(VALID_ADDRESS.to_owned()),
        ("password" | "new_password" | "current_password", _) => {
            Value::String("vier worte am see".to_owned())
        }
        ("request_id", _) => Value::String("0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90".to_owned()),
        ("country_code", _) => Value::String("CH".to_owned()),
        ("paths", _) => Value::String("*".to_owned()),
        (name, Kind::Message(message)) => {
            let mut value = valid(&message);
            let second = match name {
                "registration_opens_at" => Some(2_000_000_000),
                "registration_closes_at" => Some(2_000_000_001),
                "starts_at" => Some(2_000_000_002),
                "ends_at" => Some(2_000_000_003),
                _ => None,
            };
            if let Some(second) = second {
                value.set_field_by_name("seconds", Value::I64(second));
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
        let count = *random.pick(&[0, 1, 2, 3, 300]);
        let values = (0..count).map(|_| invalid_value(random, field)).collect();
        message.set_field(field, Value::List(values));
    } else if let Kind::Message(_) = field.kind() {
        if let Some(part) = message.get_field_mut(field).as_message_mut() {
            spoil(random, part);
        }
    } else {
        message.set_field(field, invalid_value(random, field));
    }
}

fn invalid_value(random: &mut Random, field: &FieldDescriptor) -> Value {
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
            Value::String((*path).to_owned())
        }
        Kind::String => Value::String(mutation::text(random)),
        Kind::Int32 => Value::I32(small),
        Kind::Int64 => Value::I64(number),
        Kind::Enum(_) => Value::EnumNumber(small),
        Kind::Bool => Value::Bool(random.one_in(2)),
        kind => Value::default_value(&kind),
    }
}
