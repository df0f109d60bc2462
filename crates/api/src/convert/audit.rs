//! Entries of a competition's log.

use domain::{Action, Actor, AuditEntry, Change, FieldChange, Timestamp};

use super::number::{count, revision};
use super::time::timestamp;
use crate::{admin, v1};

impl From<AuditEntry> for admin::AuditEntry {
    fn from(entry: AuditEntry) -> Self {
        Self {
            revision: revision(entry.revision),
            at: Some(timestamp(entry.at)),
            actor: Some(entry.actor.into()),
            action: admin::AuditAction::from(entry.action).into(),
            request_id: entry
                .request_id
                .map(|id| id.to_string())
                .unwrap_or_default(),
            reason: entry.reason.into(),
            ignore_window: entry.options.ignore_window,
            over_capacity: entry.options.over_capacity,
            ..entry.change.into()
        }
    }
}

/// Fills in the fields of the change and leaves all others empty.
impl From<Change> for admin::AuditEntry {
    fn from(change: Change) -> Self {
        match change {
            Change::Registration {
                user_id,
                before,
                after,
                waitlist_position,
            } => Self {
                user_id: user_id.into(),
                registration_change: Some(admin::RegistrationChange {
                    before: before
                        .map(v1::RegistrationState::from)
                        .unwrap_or_default()
                        .into(),
                    after: v1::RegistrationState::from(after).into(),
                    waitlist_position: waitlist_position.map(count),
                }),
                ..Self::default()
            },
            Change::Competition(fields) => Self {
                field_changes: fields
                    .into_iter()
                    .filter(|field| field.before != field.after)
                    .map(Into::into)
                    .collect(),
                ..Self::default()
            },
        }
    }
}

impl From<FieldChange> for admin::FieldChange {
    fn from(change: FieldChange) -> Self {
        // The name of a time ends in `_at`, and no other name does.
        let is_time = change.field.ends_with("_at");
        let text = |stored: String| {
            let time = is_time.then(|| rfc_3339(&stored)).flatten();
            time.unwrap_or(stored)
        };
        Self {
            before: text(change.before),
            after: text(change.after),
            field: change.field,
        }
    }
}

/// Formats a stored time. Returns `None` if there is none.
fn rfc_3339(millis: &str) -> Option<String> {
    let time = Timestamp::from_millis(millis.parse().ok()?).ok()?;
    Some(time.to_string())
}

impl From<Actor> for admin::AuditActor {
    fn from(actor: Actor) -> Self {
        use admin::audit_actor::Id;
        let id = match actor {
            Actor::User(id) => Some(Id::UserId(id.into())),
            Actor::Admin(id) => Some(Id::AdminId(id.into())),
            Actor::Rules => None,
        };
        Self { id }
    }
}

impl From<Action> for admin::AuditAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Self::CompetitionCreated,
            Action::Update => Self::CompetitionUpdated,
            Action::Publish => Self::CompetitionPublished,
            Action::Cancel => Self::CompetitionCancelled,
            Action::Delete => Self::CompetitionDeleted,
            Action::Register => Self::Registered,
            Action::Add => Self::Added,
            Action::Promote => Self::Promoted,
            Action::Withdraw => Self::Withdrawn,
            Action::Remove => Self::Removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use domain::{
        AddOptions, AdminId, Reason, RegistrationState, RequestId, Revision, Timestamp, UserId,
    };

    fn entry(actor: Actor, action: Action, change: Change) -> admin::AuditEntry {
        let request_id = "0190b2a4-5b1c-4f7e-9d3a-2f6c8e1b7a90";
        let asked = actor != Actor::Rules;
        admin::AuditEntry::from(AuditEntry {
            revision: Revision::new(8),
            at: Timestamp::MIN,
            actor,
            action,
            change,
            request_id: RequestId::parse(request_id).ok().filter(|_| asked),
            options: AddOptions {
                ignore_window: action == Action::Add,
                over_capacity: false,
            },
            reason: Reason::parse("").expect("a reason"),
        })
    }

    #[test]
    fn every_action_has_its_own_enum_value() {
        let words: HashSet<_> = Action::ALL
            .into_iter()
            .map(admin::AuditAction::from)
            .collect();
        assert_eq!(words.len(), Action::ALL.len());
        assert!(!words.contains(&admin::AuditAction::Unspecified));
    }

    #[test]
    fn a_promotion_has_no_actor() {
        let promotion = entry(
            Actor::Rules,
            Action::Promote,
            Change::Registration {
                user_id: UserId::parse("ada-1815").expect("an id"),
                before: Some(RegistrationState::Waitlisted),
                after: RegistrationState::Confirmed,
                waitlist_position: None,
            },
        );
        let change = promotion.registration_change.expect("a change");
        assert_eq!(promotion.actor, Some(admin::AuditActor { id: None }));
        assert_eq!(promotion.request_id, "");
        assert_eq!(promotion.user_id, "ada-1815");
        assert_eq!(change.before(), v1::RegistrationState::Waitlisted);
        assert_eq!(change.after(), v1::RegistrationState::Confirmed);
        assert!(promotion.field_changes.is_empty());
    }

    #[test]
    fn a_change_of_a_competition_names_the_fields_that_changed_and_no_user() {
        let changes = [
            ("capacity", "", "12"),
            ("description", "", ""),
            ("registration_opens_at", "", "0"),
            ("starts_at", "4084070400000", "4084070400001"),
            ("venue", "4084070400000", ""),
        ];
        let field_change = |(field, before, after): (&str, &str, &str)| FieldChange {
            field: field.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let update = entry(
            Actor::Admin(AdminId::parse("grace-1906").expect("an id")),
            Action::Update,
            Change::Competition(changes.map(field_change).into()),
        );
        let shown: Vec<_> = update
            .field_changes
            .iter()
            .map(|change| (&*change.field, &*change.before, &*change.after))
            .collect();
        let expected = [
            ("capacity", "", "12"),
            ("registration_opens_at", "", "1970-01-01T00:00:00Z"),
            (
                "starts_at",
                "2099-06-02T08:00:00Z",
                "2099-06-02T08:00:00.001Z",
            ),
            ("venue", "4084070400000", ""),
        ];
        assert_eq!(shown, expected);
        assert_eq!(
            (update.user_id.as_str(), update.registration_change),
            ("", None)
        );
        assert!(!update.request_id.is_empty());
    }
}
