//! The refusals of the scripts about a competition.

use domain::{CompetitionId, Rejected, Rejection, Revision, UserId};

use crate::error::{Error, Result};
use crate::redis::ReplyReader;

/// There is no such competition, or the caller must not see it.
///
/// Has no revision: that would tell a draft from a competition that does not exist.
pub(crate) fn competition_not_found(id: &CompetitionId) -> Rejected {
    Rejected::from(Rejection::CompetitionNotFound).in_competition(id)
}

/// Decodes a reply that is a refusal. `user` is the user whose registration was to change.
pub(super) fn refusal(
    reply: ReplyReader,
    competition: &CompetitionId,
    user: Option<&UserId>,
) -> Error {
    let (rejection, revision) = match decode(reply) {
        Ok((Rejection::CompetitionNotFound, _)) => {
            return competition_not_found(competition).into();
        }
        Ok(refusal) => refusal,
        Err(error) => return error,
    };
    let user = user.filter(|_| is_about_user(&rejection));
    let mut rejected = Rejected::from(rejection).in_competition(competition);
    if let Some(user) = user {
        rejected = rejected.about_user(user);
    }
    if let Some(revision) = revision {
        rejected = rejected.at(revision);
    }
    rejected.into()
}

/// Decodes the word, the revision of the competition, and the facts behind it.
fn decode(mut reply: ReplyReader) -> Result<(Rejection, Option<Revision>)> {
    let word = reply.word().to_owned();
    match word.as_str() {
        "too_late" => return Err(Error::TooLate),
        "corrupt" => return Err(Error::Corrupt(reply.text()?)),
        "taken" => return Ok((Rejection::CompetitionIdTaken, None)),
        // Without a revision if the request was about the competition itself.
        "request_id_reused" => return Ok((Rejection::RequestIdReused, reply.revision().ok())),
        _ => {}
    }
    let Ok(revision) = reply.revision() else {
        return Err(reply.unexpected());
    };
    let rejection = match word.as_str() {
        "no_competition" => Rejection::CompetitionNotFound,
        "not_draft" => Rejection::CompetitionNotDraft,
        "not_published" => Rejection::CompetitionNotPublished,
        "cancelled" => Rejection::CompetitionCancelled,
        "already_registered" => Rejection::AlreadyRegistered,
        "removed" => Rejection::RemovedByOrganiser,
        "not_registered" => Rejection::NotRegistered,
        "not_open_yet" => Rejection::RegistrationNotOpenYet {
            opens_at: reply.timestamp()?,
        },
        "closed" => Rejection::RegistrationClosed {
            closed_at: reply.timestamp()?,
        },
        "started" => Rejection::CompetitionStarted {
            started_at: reply.timestamp()?,
        },
        "full" => Rejection::CompetitionFull {
            capacity: reply.optional()?,
            confirmed_count: reply.number()?,
            waitlisted_count: reply.number()?,
        },
        _ => return Err(reply.unexpected()),
    };
    Ok((rejection, Some(revision)))
}

/// Whether a rejection depends on the user, and not only on the competition and the request.
fn is_about_user(rejection: &Rejection) -> bool {
    !matches!(
        rejection,
        Rejection::CompetitionNotFound
            | Rejection::CompetitionNotDraft
            | Rejection::CompetitionNotPublished
            | Rejection::CompetitionCancelled
            | Rejection::CompetitionIdTaken
            | Rejection::RequestIdReused
    )
}
