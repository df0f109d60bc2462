//! Sign-up, and the user's own profile.

use domain::birth_date::NotABirthDate;
use domain::read_only::Sent;
use domain::{
    BirthDate, Club, DisplayName, Email, Etag, InvalidFields, Password, Profile, ProfilePatch,
    ReadOnlyUser, RequestId, UserId,
};

use super::field::{country, new_password, request_id, sent_time};
use super::mask::{Mask, MaskedFields};
use crate::{user, v1};

#[derive(Debug, Clone)]
pub struct SignUp {
    pub email: Email,
    pub password: Password,
    pub profile: Profile,
    pub request_id: RequestId,
}

impl TryFrom<user::SignUpRequest> for SignUp {
    type Error = InvalidFields;

    fn try_from(request: user::SignUpRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let email = invalid.check("email", Email::parse(request.email));
        let password = invalid.check("password", new_password(request.password, email.as_ref()));
        let profile = invalid.absorb(profile(
            request.display_name,
            &request.country_code,
            request.birth_date,
            request.club,
        ));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        match (email, password, profile, request_id) {
            (Some(email), Some(password), Some(profile), Some(request_id)) => Ok(Self {
                email,
                password,
                profile,
                request_id,
            }),
            _ => Err(invalid),
        }
    }
}

fn profile(
    display_name: String,
    country_code: &str,
    date: Option<v1::Date>,
    club: String,
) -> Result<Profile, InvalidFields> {
    let mut invalid = InvalidFields::default();
    let display_name = invalid.check("display_name", DisplayName::parse(display_name));
    let country_code = invalid.check("country_code", country(country_code));
    let birth_date = invalid.check("birth_date", birth_date(date));
    let club = invalid.check("club", Club::parse(club));
    match (display_name, country_code, birth_date, club) {
        (Some(display_name), Some(country_code), Some(birth_date), Some(club)) => Ok(Profile {
            display_name,
            country_code,
            birth_date,
            club,
        }),
        _ => Err(invalid),
    }
}

#[derive(Debug, Clone)]
pub struct UpdateMe {
    pub patch: ProfilePatch,
    pub read_only: ReadOnlyUser,
    /// The version that the client read; `None` = overwrite any.
    pub etag: Option<Etag>,
    pub request_id: RequestId,
}

/// The fields that a user may change.
const CHANGEABLE: [&str; 4] = ["display_name", "country_code", "birth_date", "club"];

impl TryFrom<user::UpdateMeRequest> for UpdateMe {
    type Error = InvalidFields;

    fn try_from(request: user::UpdateMeRequest) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let mask = Mask::parse(request.update_mask, &CHANGEABLE);
        let mask = invalid.check("update_mask", mask);
        let user = invalid.require("user", request.user).unwrap_or_default();
        let etag = Etag::from_client(user.etag.clone());
        let mask = mask.as_ref();
        let read_only = mask.map(|mask| read_only(mask, &user));
        let patch = mask.and_then(|mask| invalid.absorb(patch(mask, user)));
        let request_id = invalid.check("request_id", request_id(&request.request_id));
        match (patch, read_only, request_id) {
            // An absent user leaves an empty patch behind, so `invalid` must be empty too.
            (Some(patch), Some(read_only), Some(request_id)) => invalid.into_result(Self {
                patch,
                read_only,
                etag,
                request_id,
            }),
            _ => Err(invalid),
        }
    }
}

/// Returns the read-only fields that are set, unless the mask excludes them.
fn read_only(mask: &Mask, user: &v1::User) -> ReadOnlyUser {
    if !mask.covers_message() {
        return ReadOnlyUser::default();
    }
    let set = |text: &String| (!text.is_empty()).then(|| text.clone());
    ReadOnlyUser {
        user_id: set(&user.user_id).map_or(Sent::Absent, |id| Sent::parse(UserId::parse(id))),
        email: set(&user.email).map_or(Sent::Absent, Sent::Value),
        created_at: sent_time(user.created_at),
        updated_at: sent_time(user.updated_at),
    }
}

fn patch(mask: &Mask, user: v1::User) -> Result<ProfilePatch, InvalidFields> {
    let mut fields = MaskedFields::new(mask);
    let patch = ProfilePatch {
        display_name: fields.parse("display_name", !user.display_name.is_empty(), || {
            DisplayName::parse(user.display_name)
        }),
        country_code: fields.parse("country_code", !user.country_code.is_empty(), || {
            country(&user.country_code)
        }),
        birth_date: fields.parse("birth_date", user.birth_date.is_some(), || {
            birth_date(user.birth_date)
        }),
        club: fields.parse("club", !user.club.is_empty(), || Club::parse(user.club)),
    };
    fields.into_invalid().within("user").into_result(patch)
}

/// Parses a birth date that may be absent.
fn birth_date(date: Option<v1::Date>) -> Result<Option<BirthDate>, NotABirthDate> {
    let date = date.map(|date| BirthDate::parse(date.year, date.month, date.day));
    date.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::paths;
    use prost_types::FieldMask;

    fn update(user: v1::User, mask: &[&str]) -> Result<UpdateMe, InvalidFields> {
        let paths = mask.iter().copied().map(String::from).collect();
        UpdateMe::try_from(user::UpdateMeRequest {
            user: Some(user),
            update_mask: Some(FieldMask { paths }),
            request_id: String::new(),
        })
    }

    #[test]
    fn a_sign_up_needs_an_email_a_password_and_a_name() {
        let error = SignUp::try_from(user::SignUpRequest::default()).expect_err("refused");
        assert_eq!(paths(&error), ["email", "password", "display_name"]);
    }

    #[test]
    fn every_invalid_field_of_a_sign_up_is_reported() {
        let request = user::SignUpRequest {
            email: "ada@".to_owned(),
            password: "short".to_owned(),
            display_name: "A\u{7}da".to_owned(),
            country_code: "Switzerland".to_owned(),
            birth_date: Some(v1::Date {
                year: 2003,
                month: 2,
                day: 29,
            }),
            club: "x".repeat(121),
            request_id: "7".to_owned(),
        };
        let error = SignUp::try_from(request).expect_err("refused");
        assert_eq!(
            paths(&error),
            [
                "email",
                "password",
                "display_name",
                "country_code",
                "birth_date",
                "club",
                "request_id"
            ]
        );
    }

    #[test]
    fn the_password_of_a_sign_up_must_not_be_the_address() {
        let request = user::SignUpRequest {
            email: "ada.lovelace@bücher.example".to_owned(),
            password: "Ada.Lovelace@xn--bcher-kva.example".to_owned(),
            display_name: "Ada".to_owned(),
            ..Default::default()
        };
        let error = SignUp::try_from(request).expect_err("refused");
        assert_eq!(paths(&error), ["password"]);
    }

    #[test]
    fn without_a_mask_only_the_fields_that_are_set_change() {
        let user = v1::User {
            club: "Analytical Engines".to_owned(),
            ..Default::default()
        };
        let patch = update(user, &[]).expect("an update").patch;
        let club = Club::parse("Analytical Engines").ok();
        assert_eq!(
            patch,
            ProfilePatch {
                club,
                ..Default::default()
            }
        );
    }

    #[test]
    fn an_empty_field_that_the_mask_names_is_cleared() {
        let mask = ["country_code", "birth_date", "club"];
        let patch = update(v1::User::default(), &mask).expect("an update").patch;
        assert_eq!(patch.country_code, Some(None));
        assert_eq!(patch.birth_date, Some(None));
        assert_eq!(patch.club, Club::parse("").ok());
        assert_eq!(patch.display_name, None);
    }

    #[test]
    fn a_full_replacement_needs_a_name() {
        let error = update(v1::User::default(), &["*"]).expect_err("refused");
        assert_eq!(paths(&error), ["user.display_name"]);
    }

    #[test]
    fn the_email_cannot_be_changed() {
        let error = update(v1::User::default(), &["email"]).expect_err("refused");
        assert_eq!(paths(&error), ["update_mask"]);
    }

    #[test]
    fn an_etag_is_optional() {
        let mut user = v1::User::default();
        assert_eq!(update(user.clone(), &[]).expect("an update").etag, None);
        user.etag = "v1".to_owned();
        let etag = update(user, &[]).expect("an update").etag;
        assert_eq!(etag, Some(Etag::of_version(1)));
    }

    #[test]
    fn an_update_without_a_user_is_refused() {
        let error = UpdateMe::try_from(user::UpdateMeRequest::default()).expect_err("refused");
        assert_eq!(paths(&error), ["user"]);
    }
}
