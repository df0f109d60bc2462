//! A competition: the details that an organiser writes, and what the server adds.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::country::CountryCode;
use crate::id::{CompetitionId, Etag, Revision};
use crate::invalid::InvalidFields;
use crate::text::{Description, Title, Venue};
use crate::timestamp::Timestamp;

/// A competition as of one revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Competition {
    pub id: CompetitionId,
    pub details: CompetitionDetails,
    pub state: CompetitionState,
    pub confirmed_count: u32,
    pub waitlisted_count: u32,
    /// The last change of the competition or of a registration in it.
    pub revision: Revision,
    /// The last change of the details or the state. The etag is made from it.
    pub changed_at_revision: Revision,
    pub created_at: Timestamp,
    /// The time of the last change of the details or the state.
    pub updated_at: Timestamp,
}

impl Competition {
    /// Returns the etag of the details and the state. A registration does not change it.
    #[must_use]
    pub fn etag(&self) -> Etag {
        Etag::of_version(self.changed_at_revision.get())
    }
}

/// The part of a competition that an organiser writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompetitionDetails {
    pub title: Title,
    /// May be empty.
    pub description: Description,
    /// May be empty.
    pub venue: Venue,
    pub country_code: Option<CountryCode>,
    pub schedule: Schedule,
    /// The number of places; `None` = no limit.
    pub capacity: Option<Capacity>,
    /// The number of users who can wait; `None` = no limit.
    pub waitlist_capacity: Option<WaitlistCapacity>,
}

/// The state of a competition. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompetitionState {
    /// Visible to admins only.
    Draft,
    /// Visible to everybody. Accepts registrations within its window.
    Published,
    /// Final. The registrations are kept.
    Cancelled,
}

impl CompetitionState {
    /// Returns the word that Redis stores.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The four times of a competition, in order: `opens < closes <= starts < ends`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Moments", into = "Moments")]
pub struct Schedule(Moments);

/// The four times of a competition, not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moments {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The first moment at which users can register.
    pub registration_opens_at: Timestamp,
    /// The first moment at which they no longer can.
    pub registration_closes_at: Timestamp,
}

impl Schedule {
    /// Checks the order. Invalid fields are named without a prefix, such as `ends_at`.
    pub fn parse(moments: Moments) -> Result<Self, InvalidFields> {
        let mut invalid = InvalidFields::default();
        if moments.starts_at >= moments.ends_at {
            invalid.reject("ends_at", "must be after starts_at");
        }
        let closes_at = moments.registration_closes_at;
        if moments.registration_opens_at >= closes_at || closes_at > moments.starts_at {
            invalid.reject(
                "registration_closes_at",
                "must be after registration_opens_at, and not after starts_at",
            );
        }
        invalid.into_result(Self(moments))
    }

    #[must_use]
    pub fn moments(self) -> Moments {
        self.0
    }
}

impl TryFrom<Moments> for Schedule {
    type Error = InvalidFields;

    fn try_from(moments: Moments) -> Result<Self, InvalidFields> {
        Self::parse(moments)
    }
}

impl From<Schedule> for Moments {
    fn from(schedule: Schedule) -> Self {
        schedule.0
    }
}

/// The upper limit of [`Capacity`] and [`WaitlistCapacity`].
pub const MAX_CAPACITY: u32 = 1_000_000;

/// The number of places: 1 to [`MAX_CAPACITY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Capacity(u32);

/// The number of users who can wait: 0 to [`MAX_CAPACITY`]. 0 means that there is no waitlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct WaitlistCapacity(u32);

/// The number is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from {min} to 1000000")]
pub struct NotACapacity {
    min: u32,
}

macro_rules! capacity {
    ($name:ident, $min:literal) => {
        impl $name {
            pub fn parse(number: i64) -> Result<Self, NotACapacity> {
                match u32::try_from(number) {
                    Ok(number) if ($min..=MAX_CAPACITY).contains(&number) => Ok(Self(number)),
                    _ => Err(NotACapacity { min: $min }),
                }
            }

            #[must_use]
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = NotACapacity;

            fn try_from(number: i64) -> Result<Self, NotACapacity> {
                Self::parse(number)
            }
        }

        impl From<$name> for i64 {
            fn from(capacity: $name) -> Self {
                capacity.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

capacity!(Capacity, 1);
capacity!(WaitlistCapacity, 0);

/// The new values of an update. `None` leaves a field as it is; `Some(None)` clears it.
///
/// The serialised form holds only the fields that the update names. It identifies the request, so a
/// change of the form makes repeated requests unrecognisable for 24 hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CompetitionPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<Venue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country_code: Option<Option<CountryCode>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_opens_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_closes_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Option<Capacity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waitlist_capacity: Option<Option<WaitlistCapacity>>,
}

impl CompetitionPatch {
    /// Returns the details with the named fields replaced. Checks the order of the four times on
    /// the result, because a patch may name only some of them.
    pub fn apply(&self, details: &CompetitionDetails) -> Result<CompetitionDetails, InvalidFields> {
        let old = details.schedule.moments();
        let schedule = Schedule::parse(Moments {
            starts_at: self.starts_at.unwrap_or(old.starts_at),
            ends_at: self.ends_at.unwrap_or(old.ends_at),
            registration_opens_at: self
                .registration_opens_at
                .unwrap_or(old.registration_opens_at),
            registration_closes_at: self
                .registration_closes_at
                .unwrap_or(old.registration_closes_at),
        })?;
        Ok(CompetitionDetails {
            title: new_or_old(self.title.as_ref(), &details.title),
            description: new_or_old(self.description.as_ref(), &details.description),
            venue: new_or_old(self.venue.as_ref(), &details.venue),
            country_code: self.country_code.unwrap_or(details.country_code),
            schedule,
            capacity: self.capacity.unwrap_or(details.capacity),
            waitlist_capacity: self.waitlist_capacity.unwrap_or(details.waitlist_capacity),
        })
    }
}

fn new_or_old<T: Clone>(new: Option<&T>, old: &T) -> T {
    new.unwrap_or(old).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(starts: i64, ends: i64, opens: i64, closes: i64) -> Moments {
        let at = |millis| Timestamp::from_millis(millis).expect("a moment");
        Moments {
            starts_at: at(starts),
            ends_at: at(ends),
            registration_opens_at: at(opens),
            registration_closes_at: at(closes),
        }
    }

    fn details() -> CompetitionDetails {
        CompetitionDetails {
            title: Title::parse("Spring Cup").expect("a title"),
            description: Description::parse("").expect("a description"),
            venue: Venue::parse("Town Hall").expect("a venue"),
            country_code: None,
            schedule: Schedule::parse(moments(30, 40, 10, 20)).expect("a schedule"),
            capacity: Capacity::parse(10).ok(),
            waitlist_capacity: None,
        }
    }

    #[test]
    fn the_window_ends_by_the_start_and_the_start_is_before_the_end() {
        assert!(Schedule::parse(moments(20, 40, 10, 20)).is_ok());
        let wrong = Schedule::parse(moments(15, 15, 20, 20)).expect_err("all is wrong");
        let fields: Vec<_> = wrong.fields().iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["ends_at", "registration_closes_at"]);
    }

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let patch = CompetitionPatch {
            capacity: Some(None),
            venue: Some(Venue::parse("").expect("a venue")),
            ..CompetitionPatch::default()
        };
        let changed = patch.apply(&details()).expect("a good patch");
        assert_eq!(changed.capacity, None);
        assert_eq!(changed.venue.as_str(), "");
        assert_eq!(changed.title, details().title);
        assert_eq!(changed.schedule, details().schedule);
    }

    #[test]
    fn a_patch_that_breaks_the_order_of_the_moments_is_refused() {
        let patch = CompetitionPatch {
            starts_at: Timestamp::from_millis(19).ok(),
            ..CompetitionPatch::default()
        };
        assert!(patch.apply(&details()).is_err());
    }

    #[test]
    fn capacities_have_limits() {
        assert!(Capacity::parse(0).is_err());
        assert!(WaitlistCapacity::parse(0).is_ok());
        assert!(Capacity::parse(1_000_000).is_ok());
        assert_eq!(
            WaitlistCapacity::parse(1_000_001).map_err(|e| e.to_string()),
            Err("must be from 0 to 1000000".to_owned())
        );
    }
}
