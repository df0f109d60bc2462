//! From responses and errors to observations.

use std::collections::BTreeMap;

use api::admin::RegistrationEntry;
use api::v1::{Competition, Registration};
use domain::Revision;
use tonic::Status;
use tonic_types::StatusExt;

use super::AttemptResult;
use crate::history::{Observation, SeenRegistration};

/// A registration in a response to its user.
pub(super) fn own_registration(registration: Option<Registration>) -> Observation {
    seen_registration(registration, None)
}

/// A registration in a response to an organiser.
pub(super) fn entry(entry: Option<RegistrationEntry>) -> Observation {
    let Some(entry) = entry else {
        return Observation::Invalid("a response without an entry".to_owned());
    };
    // The name of each user is the first part of the address. An erased account has neither.
    let is_erased = entry.email.is_empty() && entry.display_name.is_empty();
    if !is_erased && entry.email != format!("{}@example.org", entry.display_name) {
        return Observation::Invalid(format!("no user has this name and address: {entry:?}"));
    }
    seen_registration(entry.registration, Some(entry.added_by))
}

fn seen_registration(registration: Option<Registration>, added_by: Option<String>) -> Observation {
    match registration {
        Some(registration) => Observation::Registration(SeenRegistration {
            registration,
            added_by,
        }),
        None => Observation::Invalid("a response without a registration".to_owned()),
    }
}

pub(super) fn competition(competition: Option<Competition>) -> Observation {
    match competition {
        Some(competition) => Observation::Competition(Box::new(competition)),
        None => Observation::Invalid("a response without a competition".to_owned()),
    }
}

/// A created competition, which must have the requested details.
pub(super) fn created(details: &Competition, created: Option<Competition>) -> Observation {
    if let Some(created) = &created {
        let without_server_fields = Competition {
            competition_id: String::new(),
            state: 0,
            revision: 0,
            created_at: None,
            updated_at: None,
            etag: String::new(),
            ..created.clone()
        };
        if without_server_fields != *details {
            return Observation::Invalid(format!("{created:?} instead of {details:?}"));
        }
    }
    competition(created)
}

pub(super) fn error(status: &Status) -> AttemptResult {
    // An error without details comes from the connection, not from the service.
    let Some(info) = status.get_details_error_info() else {
        return AttemptResult::Lost;
    };
    match info.metadata.get("outcome").map(String::as_str) {
        Some("NOT_APPLIED") => return AttemptResult::NotApplied,
        Some(_) => return AttemptResult::Lost,
        None if info.reason == "OVERLOADED" => return AttemptResult::NotApplied,
        None => {}
    }
    let mut facts: BTreeMap<_, _> = info.metadata.into_iter().collect();
    let revision = facts.remove("revision");
    let revision = revision.and_then(|revision| revision.parse().ok());
    AttemptResult::Response(Observation::Refused {
        reason: info.reason,
        revision: revision.map(Revision::new),
        facts,
    })
}
