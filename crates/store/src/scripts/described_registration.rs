//! The reply of the scripts about one registration.

use domain::{AdminId, CompetitionId, Reason, Registration, UserId};

use super::refusal::refusal;
use crate::error::{Error, Result};
use crate::records::registration::{parse_added_by, parse_state};
use crate::redis::ReplyReader;

/// A registration, and the admin who added it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DescribedRegistration {
    pub(crate) registration: Registration,
    /// `None` = the user registered.
    pub(crate) added_by: Option<AdminId>,
}

impl DescribedRegistration {
    /// Decodes what `registration_reply` in `prelude_competition.lua` makes, or a refusal.
    pub(super) fn decode(
        mut reply: ReplyReader,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<Self> {
        if !matches!(reply.word(), "registered" | "ended" | "registration") {
            return Err(refusal(reply, competition, Some(user)));
        }
        let registration = Registration {
            competition_id: competition.clone(),
            user_id: user.clone(),
            state: parse_state(&reply.text()?)?,
            revision: reply.revision()?,
            waitlist_position: reply.optional()?,
            created_at: reply.timestamp()?,
            updated_at: reply.timestamp()?,
            removal_reason: Reason::try_from(reply.text()?)
                .map_err(|_| Error::unreadable("the reason of a removal"))?,
        };
        Ok(Self {
            registration,
            added_by: parse_added_by(&reply.text()?)?,
        })
    }
}
