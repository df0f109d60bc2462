//! What the scripts answer about a registration.

use domain::{
    AdminId, CompetitionId, Reason, Registration, Rejected, Rejection, Revision, User, UserId,
};

use super::Entry;
use crate::competitions::refused;
use crate::error::{Error, Result};
use crate::legacy::unreadable;
use crate::records::registration::parse_state;
use crate::redis::ReplyReader;

/// A registration, and who added it.
pub(super) struct Held {
    pub(super) registration: Registration,
    pub(super) added_by: Option<AdminId>,
}

impl Held {
    pub(super) fn of(self, user: Option<User>) -> Entry {
        Entry {
            registration: self.registration,
            user,
            added_by: self.added_by,
        }
    }
}

/// Reads what a script says of one registration, or why it says no.
pub(super) fn read_held(
    mut reply: ReplyReader,
    user: &UserId,
    competition: &CompetitionId,
) -> Result<Held> {
    if !matches!(reply.word(), "registered" | "ended" | "registration") {
        return Err(refused_registration(reply, user, competition));
    }
    let state = parse_state(&reply.text()?)?;
    let registration = Registration {
        competition_id: competition.clone(),
        user_id: user.clone(),
        state,
        revision: reply.revision()?,
        waitlist_position: reply.optional()?,
        created_at: reply.timestamp()?,
        updated_at: reply.timestamp()?,
        removal_reason: Reason::parse(reply.text()?).map_err(|_| unreadable("a reason"))?,
    };
    let added_by = match reply.text()?.as_str() {
        "-" => None,
        id => Some(AdminId::parse(id).map_err(|_| unreadable("an admin id"))?),
    };
    Ok(Held {
        registration,
        added_by,
    })
}

fn refused_registration(
    mut reply: ReplyReader,
    user: &UserId,
    competition: &CompetitionId,
) -> Error {
    let read = |reply: &mut ReplyReader| -> Result<Option<(Revision, Rejection)>> {
        let word = reply.word().to_owned();
        let mut at = || reply.revision();
        Ok(Some(match word.as_str() {
            "already_registered" => (at()?, Rejection::AlreadyRegistered),
            "removed" => (at()?, Rejection::RemovedByOrganiser),
            "not_registered" => (at()?, Rejection::NotRegistered),
            "not_open_yet" => (
                at()?,
                Rejection::RegistrationNotOpenYet {
                    opens_at: reply.timestamp()?,
                },
            ),
            "closed" => (
                at()?,
                Rejection::RegistrationClosed {
                    closed_at: reply.timestamp()?,
                },
            ),
            "started" => (
                at()?,
                Rejection::CompetitionStarted {
                    started_at: reply.timestamp()?,
                },
            ),
            "full" => (
                at()?,
                Rejection::CompetitionFull {
                    capacity: reply.optional()?,
                    confirmed_count: reply.number()?,
                    waitlisted_count: reply.number()?,
                },
            ),
            _ => return Ok(None),
        }))
    };
    if reply.word() == "corrupt" {
        return reply.text().map_or_else(|error| error, Error::Corrupt);
    }
    match read(&mut reply) {
        Ok(Some((revision, rejection))) => Rejected::from(rejection)
            .in_competition(competition)
            .about_user(user)
            .at(revision)
            .into(),
        Ok(None) => refused(reply, competition),
        Err(error) => error,
    }
}

pub(super) fn not_registered(user: &UserId, competition: &CompetitionId) -> Rejected {
    Rejected::from(Rejection::NotRegistered)
        .in_competition(competition)
        .about_user(user)
}
