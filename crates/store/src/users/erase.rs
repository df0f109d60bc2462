//! How a user's account ends.

use deadpool_redis::redis::cmd;
use domain::{Rejection, RequestId, TokenHash, UserId};

use crate::accounts::PasswordHash;
use crate::error::Result;
use crate::keys::{self, Account, People};
use crate::redis::Effect;
use crate::redis::ReplyReader;
use crate::{Store, script};

impl Store {
    /// Withdraws a user from all that is not over, then erases the account and all personal data, if
    /// `checked` is still the password.
    pub async fn erase_user(
        &self,
        user: &UserId,
        checked: &PasswordHash,
        token: TokenHash,
        request: RequestId,
    ) -> Result<()> {
        let account = Account::of_user(user);
        let email = self.get_user(user).await?.email;
        let hash = self.installation.email_hash(&self.redis, &email).await?;
        loop {
            let seen = self.withdraw_from_all(user, request).await?;
            let keys = [
                account.profile(),
                account.credential(),
                account.sessions(),
                account.competitions(),
                account.added(),
                account.log(),
                account.throttle(),
                account.request(request),
            ];
            let mut call = script::ERASE_USER
                .on(&keys)
                .arg(request.to_string())
                .arg(&checked.0)
                .arg(token.to_string());
            for entry in seen {
                call = call.arg(entry.competition.as_str()).arg(entry.value);
            }
            let reply = ReplyReader::new(self.redis.run_call(call, Effect::Decide).await?)?;
            match reply.word() {
                "erased" => break,
                "more" => {}
                "refused" => return Err(Rejection::Unauthenticated.into()),
                _ => return Err(reply.unexpected()),
            }
        }
        let claim = keys::email_claim(People::Users, &hash);
        let release = script::RELEASE_EMAIL.on(&[claim]).arg(user.as_str());
        self.redis.run_call(release, Effect::Prepare).await?;
        let mut leave = cmd("ZREM");
        leave
            .arg(keys::directory(keys::part_of(user.as_str())))
            .arg(user.as_str());
        self.redis.command(leave).await?;
        self.withdraw_late(user, request).await
    }

    /// Gives up what was entered by a call that found its session just before the account was erased.
    pub(crate) async fn withdraw_late(&self, user: &UserId, request: RequestId) -> Result<()> {
        for entry in self.withdraw_from_all(user, request).await? {
            self.forget_now(user, &entry).await?;
        }
        Ok(())
    }
}
