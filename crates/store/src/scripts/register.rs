use deadpool_redis::redis::Value;
use domain::{CompetitionId, RequestId, UserId};

use super::described_registration::DescribedRegistration;
use super::{Call, Script, source};
use crate::error::{Error, Result};
use crate::keys;
use crate::redis::{Effect, ReplyReader, decode};

/// A user who wants to register.
#[derive(Debug, Clone)]
pub(crate) struct PendingRegistration {
    pub(crate) user: UserId,
    pub(crate) request: RequestId,
}

/// Registers users for a competition, in this order. A refusal or a damaged record of one user does
/// not affect the others.
pub(crate) struct Register<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) pending: &'a [PendingRegistration],
    /// See [`crate::redis::write_deadline`].
    pub(crate) deadline: i64,
}

impl Script for Register<'_> {
    /// One result per user, in the order of the call.
    type Reply = Vec<Result<DescribedRegistration>>;

    const EFFECT: Effect = Effect::Decide;

    source!("register.lua" after [SHARED_PRELUDE, COMPETITION_PRELUDE]);

    fn call(&self) -> Call {
        self.call_in_mode("register")
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        let replies: Vec<Vec<String>> = decode(reply)?;
        if replies.len() != self.pending.len() {
            return Err(Error::unreadable(
                "a batch with too few or too many replies",
            ));
        }
        let replies = self.pending.iter().zip(replies);
        let decoded = replies.map(|(pending, reply)| {
            let reply = ReplyReader::from_values(reply)?;
            DescribedRegistration::decode(reply, &pending.user, self.competition)
        });
        Ok(decoded.collect())
    }
}

impl Register<'_> {
    fn call_in_mode(&self, mode: &str) -> Call {
        let keys = keys::for_registrations(self.competition);
        let call = Call::new(Self::source(), &keys).arg(mode);
        self.pending.iter().fold(call, |call, pending| {
            call.arg(pending.user.as_str())
                .arg(pending.request.to_string())
                .arg(self.deadline)
        })
    }
}

/// Decides as [`Register`] does, and registers nobody. Makes promotions that are due, so that a
/// refusal is final, unlike one of [`PreviewRegister`].
pub(crate) struct AskRegister<'a>(pub(crate) Register<'a>);

impl<'a> Script for AskRegister<'a> {
    type Reply = <Register<'a> as Script>::Reply;

    const EFFECT: Effect = Effect::Prepare;

    fn source() -> &'static super::Source {
        Register::source()
    }

    fn call(&self) -> Call {
        self.0.call_in_mode("ask")
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        self.0.decode(reply)
    }
}

/// Decides as [`Register`] does, and writes nothing.
pub(crate) struct PreviewRegister<'a>(pub(crate) Register<'a>);

impl<'a> Script for PreviewRegister<'a> {
    type Reply = <Register<'a> as Script>::Reply;

    const EFFECT: Effect = Effect::Read;

    fn source() -> &'static super::Source {
        Register::source()
    }

    fn call(&self) -> Call {
        self.0.call_in_mode("preview")
    }

    fn decode(&self, reply: Value) -> Result<Self::Reply> {
        self.0.decode(reply)
    }
}
