//! Changes a profile or a password.

use deadpool_redis::redis::Cmd;
use domain::{Etag, ProfilePatch, ReadOnlyUser, Rejection, RequestId, TokenHash, User, UserId};

use super::Users;
use super::read::user_not_found;
use crate::accounts::PasswordHash;
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::{self, AccountId};
use crate::records::user;
use crate::scripts::change_password::{ChangePassword, ChangePasswordReply};
use crate::scripts::update_profile::{UpdateProfile, UpdateProfileReply};

/// How often an update without an etag is tried again because another one came first.
const MAX_CONFLICTS: usize = 16;

impl Users {
    /// Changes the fields that the patch names. With an etag only that version is changed; without
    /// one the patch is applied to the current version. Fails with `Error::Invalid` if a read-only
    /// field differs from the stored one.
    pub(crate) async fn update(
        &self,
        id: &UserId,
        patch: &ProfilePatch,
        read_only: &ReadOnlyUser,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<User> {
        let etag_text = etag.map(Etag::as_str);
        let fingerprints = [
            fingerprint(&("update_profile/2", patch, etag_text))?,
            former_fingerprint(patch, etag_text)?,
        ];
        let mut reply = UpdateProfileReply::RequestIdReused;
        // The former fingerprint is compared only with one that was stored under this request id.
        for print in &fingerprints {
            reply = self
                .try_update(id, patch, read_only, etag, request, print)
                .await?;
            if !matches!(reply, UpdateProfileReply::RequestIdReused) {
                break;
            }
        }
        match reply {
            UpdateProfileReply::Changed(fields) => user::parse(id.clone(), fields),
            UpdateProfileReply::OldVersion => Err(Rejection::EtagMismatch.into()),
            UpdateProfileReply::Absent => Err(user_not_found(id).into()),
            UpdateProfileReply::RequestIdReused => Err(Rejection::RequestIdReused.into()),
        }
    }

    /// Applies the patch to the current version, and to the next one if another update came first.
    async fn try_update(
        &self,
        id: &UserId,
        patch: &ProfilePatch,
        read_only: &ReadOnlyUser,
        etag: Option<&Etag>,
        request: RequestId,
        fingerprint: &str,
    ) -> Result<UpdateProfileReply> {
        for _ in 0..MAX_CONFLICTS {
            let user = self.get(id).await?;
            let is_outdated = etag.is_some_and(|etag| *etag != user.etag());
            let unchanged = read_only.check(&user);
            let profile = patch.clone().apply(user.profile);
            let update = UpdateProfile {
                account: &AccountId::User(id.clone()),
                request,
                fingerprint,
                // No profile has version 0: the script refuses the update, unless the request is a
                // repetition.
                version: if is_outdated || unchanged.is_err() {
                    0
                } else {
                    user.version
                },
                profile: &user::to_fields(&profile),
            };
            match self.redis.run(&update).await? {
                UpdateProfileReply::OldVersion if !is_outdated => unchanged?,
                reply => return Ok(reply),
            }
        }
        Ok(UpdateProfileReply::OldVersion)
    }

    /// Whether a request has changed this account in the last 24 hours.
    pub(crate) async fn is_known_request(&self, id: &UserId, request: RequestId) -> Result<bool> {
        let request = keys::account_request(&AccountId::User(id.clone()), request);
        self.redis.read(Cmd::exists(request)).await
    }

    /// Replaces the password, and ends all sessions but the one of `kept`. `checked` is the hash
    /// that the caller's password was checked against. A repetition changes nothing, whatever its
    /// passwords are, because they are never part of a fingerprint.
    pub(crate) async fn change_password(
        &self,
        id: &UserId,
        checked: &PasswordHash,
        new: &PasswordHash,
        kept: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let change = ChangePassword {
            account: &AccountId::User(id.clone()),
            request,
            checked,
            new,
            kept,
        };
        match self.redis.run(&change).await? {
            ChangePasswordReply::Changed => Ok(()),
            ChangePasswordReply::Refused => Err(Rejection::Unauthenticated.into()),
            ChangePasswordReply::RequestIdReused => Err(Rejection::RequestIdReused.into()),
        }
    }
}

/// The fingerprint that was stored before 0.1.0, over the `Debug` form of the patch. A request that
/// was made then must still be recognised for 24 hours. Can be removed in the release after 0.1.0.
fn former_fingerprint(patch: &ProfilePatch, etag: Option<&str>) -> Result<String> {
    fingerprint(&("update", format!("{patch:?}"), etag))
}

#[cfg(test)]
mod tests {
    use domain::{BirthDate, Club, CountryCode, DisplayName};

    use super::*;

    #[test]
    fn the_former_fingerprint_does_not_change() {
        let patch = ProfilePatch {
            display_name: DisplayName::parse("Ada \"A\" Lovelace").ok(),
            country_code: CountryCode::parse("CH").map(Some).ok(),
            birth_date: Some(None),
            club: Club::parse("").ok(),
        };
        assert_eq!(
            format!("{patch:?}"),
            "ProfilePatch { display_name: Some(DisplayName(\"Ada \\\"A\\\" Lovelace\")), \
             country_code: Some(Some(CountryCode([67, 72]))), birth_date: Some(None), \
             club: Some(Club(\"\")) }"
        );
        let birth_date = BirthDate::parse(1990, 12, 10).expect("a date");
        assert_eq!(format!("{birth_date:?}"), "BirthDate(1990-12-10)");
    }
}
