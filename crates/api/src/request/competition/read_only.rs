//! The fields of an update that only the server sets.

use domain::read_only::Sent;
use domain::{CompetitionState, ReadOnlyCompetition};

use crate::request::field::sent_time;
use crate::request::mask::Mask;
use crate::v1;

/// Returns the read-only fields that are set, unless the mask excludes them.
pub(super) fn read_only(mask: &Mask, competition: &v1::Competition) -> ReadOnlyCompetition {
    if !mask.covers_message() {
        return ReadOnlyCompetition::default();
    }
    ReadOnlyCompetition {
        state: state(competition.state),
        confirmed_count: number(competition.confirmed_count),
        waitlisted_count: number(competition.waitlisted_count),
        revision: number(competition.revision),
        created_at: sent_time(competition.created_at),
        updated_at: sent_time(competition.updated_at),
    }
}

/// A number that is absent if it is 0, as proto3 sends it.
fn number<N: Default + PartialEq, T: PartialEq + TryFrom<N>>(sent: N) -> Sent<T> {
    if sent == N::default() {
        return Sent::Absent;
    }
    Sent::parse(T::try_from(sent))
}

fn state(sent: i32) -> Sent<CompetitionState> {
    match v1::CompetitionState::try_from(sent) {
        Ok(v1::CompetitionState::Unspecified) => Sent::Absent,
        Ok(v1::CompetitionState::Draft) => Sent::Value(CompetitionState::Draft),
        Ok(v1::CompetitionState::Published) => Sent::Value(CompetitionState::Published),
        Ok(v1::CompetitionState::Cancelled) => Sent::Value(CompetitionState::Cancelled),
        Err(_) => Sent::Unreadable,
    }
}
