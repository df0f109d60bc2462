//! What a user changes: the profile and the password.

use deadpool_redis::redis::cmd;
use domain::{Etag, ProfilePatch, Rejection, RequestId, TokenHash, User, UserId};

use crate::accounts::{PasswordHash, user_not_found};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::keys::Account;
use crate::records::user;
use crate::redis::Effect;
use crate::redis::{ReplyReader, decode};
use crate::{Store, script};

impl Store {
    /// Changes what the patch names. With an etag only that version is changed; without one the
    /// patch is applied to whatever version is there.
    pub async fn update_user(
        &self,
        id: &UserId,
        patch: &ProfilePatch,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<User> {
        /// How many others may change the profile meanwhile.
        const MOST_CONFLICTS: usize = 16;
        let account = Account::of_user(id);
        let print = fingerprint(&("update", format!("{patch:?}"), etag.map(Etag::as_str)))?;
        let keys = [account.profile(), account.log(), account.request(request)];
        for _ in 0..MOST_CONFLICTS {
            let user = self.get_user(id).await?;
            let profile = patch.clone().apply(user.profile.clone());
            let is_old = etag.is_some_and(|etag| *etag != user.etag());
            // An old etag is refused by the script, unless the request is a repetition.
            let version = if is_old { 0 } else { user.version };
            let mut call = script::UPDATE_PROFILE
                .on(&keys)
                .arg(request.to_string())
                .arg(&print)
                .arg(version);
            for (name, value) in user::to_fields(&profile) {
                call = call.arg(name).arg(value);
            }
            let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
            match reply.word() {
                "changed" => return user::parse(id.clone(), reply.into_fields()),
                "old_version" if !is_old => {}
                "old_version" => break,
                "absent" => return Err(user_not_found(id).into()),
                "request_id_reused" => return Err(Rejection::RequestIdReused.into()),
                _ => return Err(reply.unexpected()),
            }
        }
        Err(Rejection::EtagMismatch.into())
    }

    /// Whether this request of the user changed something in the last 24 hours.
    pub async fn user_request_is_known(&self, user: &UserId, request: RequestId) -> Result<bool> {
        let mut exists = cmd("EXISTS");
        exists.arg(Account::of_user(user).request(request));
        decode(self.redis.command(exists).await?)
    }

    /// Sets a new password, if `checked` is still the old one, and ends all sessions but `kept`. A
    /// repetition changes nothing, whatever its passwords are: they are never part of a fingerprint.
    pub async fn change_password(
        &self,
        user: &UserId,
        checked: &PasswordHash,
        new: &PasswordHash,
        kept: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let account = Account::of_user(user);
        let keys = [
            account.credential(),
            account.sessions(),
            account.log(),
            account.request(request),
        ];
        let call = script::CHANGE_PASSWORD
            .on(&keys)
            .arg(request.to_string())
            .arg(&checked.0)
            .arg(&new.0)
            .arg(kept.to_string());
        let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
        match reply.word() {
            "changed" => Ok(()),
            "refused" => Err(Rejection::Unauthenticated.into()),
            "request_id_reused" => Err(Rejection::RequestIdReused.into()),
            _ => Err(reply.unexpected()),
        }
    }
}
