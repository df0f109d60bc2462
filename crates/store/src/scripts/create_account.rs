use std::time::Duration;

use deadpool_redis::redis::Value;
use domain::{RequestId, Timestamp, TokenHash};

use super::{Call, Script, millis, source};
use crate::accounts::PasswordHash;
use crate::error::Result;
use crate::keys::{self, AccountId, AccountKey};
use crate::redis::{Effect, ReplyReader};

pub(crate) struct CreateAccount<'a> {
    pub(crate) account: &'a AccountId,
    pub(crate) request: RequestId,
    pub(crate) fingerprint: &'a str,
    /// In milliseconds of Redis's clock.
    pub(crate) deadline: i64,
    pub(crate) password: &'a PasswordHash,
    /// The token and the lifetime of a first session.
    pub(crate) session: Option<(TokenHash, Duration)>,
    /// The hash of the network of the person, if it is known.
    pub(crate) network: Option<&'a str>,
    /// How long the network is known.
    pub(crate) known_for: Duration,
    pub(crate) profile: &'a [(&'static str, String)],
}

pub(crate) enum CreateAccountReply {
    Created {
        created_at: Timestamp,
        /// Equal to `created_at` if no session was opened.
        session_expires_at: Timestamp,
    },
    /// The id is taken, or was taken by an account that is erased.
    Exists,
    RequestIdReused,
    TooLate,
}

impl Script for CreateAccount<'_> {
    type Reply = CreateAccountReply;

    const EFFECT: Effect = Effect::Decide;

    source!("create_account.lua" after [SHARED_PRELUDE, ACCOUNT_PRELUDE, ATTEMPTS_PRELUDE]);

    fn call(&self) -> Call {
        let keys = [
            AccountKey::Profile.of(self.account),
            AccountKey::Credential.of(self.account),
            AccountKey::Sessions.of(self.account),
            AccountKey::Log.of(self.account),
            keys::account_request(self.account, self.request),
            AccountKey::Networks.of(self.account),
        ];
        let (token, lifetime) = match self.session {
            Some((token, lifetime)) => (token.to_string(), lifetime),
            None => (String::new(), Duration::ZERO),
        };
        let call = Call::new(Self::source(), &keys)
            .arg(self.request.to_string())
            .arg(self.fingerprint)
            .arg(self.deadline)
            .arg(self.password.as_str())
            .arg(token)
            .arg(millis(lifetime))
            .arg(self.network.unwrap_or_default())
            .arg(millis(self.known_for));
        let fields = self.profile.iter();
        fields.fold(call, |call, (name, value)| call.arg(*name).arg(value))
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let reply = ReplyReader::new(reply)?;
        Ok(match reply.word() {
            "created" => {
                let mut fields = reply.into_fields();
                CreateAccountReply::Created {
                    created_at: fields.timestamp("created_at")?,
                    session_expires_at: fields.timestamp("expires_at")?,
                }
            }
            "exists" => CreateAccountReply::Exists,
            "request_id_reused" => CreateAccountReply::RequestIdReused,
            "too_late" => CreateAccountReply::TooLate,
            _ => return Err(reply.unexpected()),
        })
    }
}
