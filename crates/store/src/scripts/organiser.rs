//! What the scripts that change a competition itself have in common.

use deadpool_redis::redis::Value;
use domain::{AdminId, Competition, CompetitionDetails, CompetitionId, RequestId};

use super::refusal::refusal;
use super::{Call, Source};
use crate::error::Result;
use crate::keys;
use crate::records::competition;
use crate::redis::ReplyReader;

/// A change of a competition by an organiser.
pub(crate) struct OrganiserRequest<'a> {
    pub(crate) competition: &'a CompetitionId,
    pub(crate) by: &'a AdminId,
    pub(crate) request: RequestId,
    /// Identifies what the request asks for. See [`crate::fingerprint`].
    pub(crate) fingerprint: String,
}

impl OrganiserRequest<'_> {
    /// Begins a call with the arguments that all these scripts have.
    pub(super) fn call(&self, source: &'static Source) -> Call {
        let keys = keys::for_organisers(self.competition, self.request);
        Call::new(source, &keys)
            .arg(self.by.as_str())
            .arg(self.request.to_string())
            .arg(&self.fingerprint)
    }

    /// Decodes the competition after the change, or a refusal.
    pub(super) fn decode(&self, reply: Value) -> Result<Competition> {
        self.decode_changed(ReplyReader::new(reply)?)
    }

    pub(super) fn decode_changed(&self, reply: ReplyReader) -> Result<Competition> {
        match reply.word() {
            "changed" => competition::parse(self.competition.clone(), reply.into_fields()),
            _ => Err(refusal(reply, self.competition, None)),
        }
    }
}

/// Adds the details of a competition, as names and values.
pub(super) fn with_details(call: Call, details: &CompetitionDetails) -> Call {
    let fields = competition::to_fields(details).into_iter();
    fields.fold(call, |call, (name, value)| call.arg(name).arg(value))
}
