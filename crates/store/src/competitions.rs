//! Competitions: made, changed and read.

use deadpool_redis::redis::{Value, cmd};
use domain::competition::Moments;
use domain::{
    AdminId, Competition, CompetitionDetails, CompetitionId, CompetitionPatch, CompetitionState,
    CountryCode, Etag, Reason, Rejected, Rejection, RequestId, Revision, Schedule, Timestamp,
};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;
use crate::page::{Cursor, Page, PageRequest};
use crate::redis::Kind;
use crate::reply::{Fields, Reply, decode, unreadable};
use crate::script::{self, Call};
use crate::{Store, keys, shards};

/// What to make.
#[derive(Debug, Clone)]
pub struct NewCompetition {
    /// The organiser's own slug, or `None` for one that the store makes.
    pub id: Option<CompetitionId>,
    /// What the organiser says of it.
    pub details: CompetitionDetails,
    /// Which intention this is.
    pub request_id: RequestId,
}

/// Which competitions to list, in the order of start, then id.
#[derive(Debug, Clone)]
pub struct ListCompetitions {
    /// In these states only; empty = in all.
    pub states: Vec<CompetitionState>,
    /// Only those whose registration is open now, by the clock of the server that lists.
    pub open_at: Option<Timestamp>,
    /// Only those that start at this moment or later.
    pub starts_after: Option<Timestamp>,
    /// Only those that start before this moment.
    pub starts_before: Option<Timestamp>,
    /// Which part of the list.
    pub page: PageRequest,
}

impl Store {
    /// Makes a competition as a draft, at revision 1.
    pub async fn create_competition(
        &self,
        by: &AdminId,
        new: NewCompetition,
    ) -> Result<Competition> {
        let request = new.request_id;
        let id = match &new.id {
            Some(id) => id.clone(),
            None => {
                let made =
                    self.installation
                        .made_id(&self.redis, "competition", by.as_str(), request);
                CompetitionId::from_bytes(made.await?)
            }
        };
        self.enter_in_catalogue(&id, new.details.schedule).await?;
        let print = fingerprint(&("create", by, &id, &new.details))?;
        let mut call = script::CREATE_COMPETITION
            .on(&keys::Competition::of(&id).for_organisers(request))
            .arg(by.as_str())
            .arg(request.to_string())
            .arg(print)
            .arg(json(&written(&new.details))?)
            .arg(self.redis.write_deadline());
        call = with_fields(call, &new.details);
        let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        match reply.word() {
            "changed" => read_competition(id, reply.fields()),
            "taken" => Err(Rejected::from(Rejection::CompetitionIdTaken)
                .in_competition(&id)
                .into()),
            _ => Err(refused(reply, &id)),
        }
    }

    /// Reads a competition in any state.
    pub async fn get_competition(&self, id: &CompetitionId) -> Result<Competition> {
        let call = script::READ_COMPETITION.on(&keys::Competition::of(id).for_registrations());
        let (fields, _) = read_answer(self.redis.run(call, Kind::Harmless).await?)?;
        if fields.is_empty() {
            return Err(Rejected::from(Rejection::CompetitionNotFound)
                .in_competition(id)
                .into());
        }
        read_competition(id.clone(), fields)
    }

    /// Reads a competition that is open to the public: a draft does not exist.
    pub async fn get_public_competition(&self, id: &CompetitionId) -> Result<Competition> {
        let competition = self.get_competition(id).await?;
        if competition.state == CompetitionState::Draft {
            return Err(Rejected::from(Rejection::CompetitionNotFound)
                .in_competition(id)
                .into());
        }
        Ok(competition)
    }

    /// Changes what the patch names. With an etag only that version is changed; without one the
    /// patch is applied to whatever version is there.
    pub async fn update_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        patch: &CompetitionPatch,
        etag: Option<&Etag>,
        request: RequestId,
    ) -> Result<Competition, UpdateError> {
        /// How many others may change the competition meanwhile, before the caller is asked to look.
        const MOST_CONFLICTS: usize = 16;
        let mut conflicts = 0;
        let print = fingerprint(&(
            "update",
            by,
            id,
            format!("{patch:?}"),
            etag.map(Etag::as_str),
        ))?;
        while conflicts < MOST_CONFLICTS {
            let old = self.get_competition(id).await?;
            let is_repeated = self.is_remembered(id, request).await?;
            if !is_repeated && etag.is_some_and(|etag| *etag != old.etag()) {
                let old_etag = Rejected::from(Rejection::EtagMismatch).in_competition(id);
                return Err(Error::from(old_etag.at(old.revision)).into());
            }
            let details = match patch.apply(&old.details) {
                Ok(details) => details,
                // The answer of a repeated request is remembered, whatever the patch is to today's record.
                Err(_) if is_repeated => old.details.clone(),
                Err(invalid) => return Err(UpdateError::Invalid(invalid)),
            };
            if details.schedule != old.details.schedule {
                self.enter_in_catalogue(id, details.schedule).await?;
            }
            let (before, after) = changed_fields(&old.details, &details);
            if before.is_empty() && !is_repeated {
                return Ok(old);
            }
            let call = script::UPDATE_COMPETITION
                .on(&keys::Competition::of(id).for_organisers(request))
                .arg(by.as_str())
                .arg(request.to_string())
                .arg(&print)
                .arg(json(&before)?)
                .arg(json(&after)?)
                .arg(old.changed_at_revision.0)
                .arg(
                    details
                        .capacity
                        .map(|places| places.to_string())
                        .unwrap_or_default(),
                );
            let call = with_fields(call, &details);
            let mut reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
            match reply.word() {
                "unsettled" => {}
                "old_version" => conflicts += 1,
                "changed" => {
                    let updated = read_competition(id.clone(), reply.fields())?;
                    let updated = self.finish_promotions(updated, request).await?;
                    self.leave_catalogue(id, old.details.schedule, &updated.details)
                        .await;
                    return Ok(updated);
                }
                "capacity_below_confirmed" => {
                    let at = reply.revision()?;
                    let confirmed_count = reply.number()?;
                    let Some(capacity) = details.capacity else {
                        return Err(reply.unknown().into());
                    };
                    let too_small = Rejection::CapacityBelowConfirmed {
                        capacity,
                        confirmed_count,
                    };
                    return Err(
                        Error::from(Rejected::from(too_small).in_competition(id).at(at)).into(),
                    );
                }
                _ => return Err(refused(reply, id).into()),
            }
        }
        Err(Error::from(Rejected::from(Rejection::EtagMismatch).in_competition(id)).into())
    }

    /// Opens a draft to the public.
    pub async fn publish_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<Competition> {
        let call = organise(&script::PUBLISH_COMPETITION, "publish", by, id, request, "")?;
        self.change_state(call, id).await
    }

    /// Calls a published competition off.
    pub async fn cancel_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<Competition> {
        let call = organise(
            &script::CANCEL_COMPETITION,
            "cancel",
            by,
            id,
            request,
            reason.as_str(),
        )?;
        self.change_state(call.arg(reason.as_str()), id).await
    }

    async fn change_state(&self, call: Call, id: &CompetitionId) -> Result<Competition> {
        let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        match reply.word() {
            "changed" => read_competition(id.clone(), reply.fields()),
            _ => Err(refused(reply, id)),
        }
    }

    /// Deletes a draft. Its log stays.
    pub async fn delete_competition(
        &self,
        by: &AdminId,
        id: &CompetitionId,
        request: RequestId,
    ) -> Result<()> {
        let draft = self.get_competition(id).await;
        let call = organise(&script::DELETE_COMPETITION, "delete", by, id, request, "")?;
        let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
        if reply.word() != "changed" {
            return Err(refused(reply, id));
        }
        if let Ok(draft) = draft {
            self.remove_from_catalogue(id, draft.details.schedule).await;
        }
        Ok(())
    }

    /// Lists competitions in the order of start, then id. At most 3 round trips.
    pub async fn list_competitions(&self, list: &ListCompetitions) -> Result<Page<Competition>> {
        let size = list.page.size;
        // Nobody can register any longer for what has started.
        let from = list
            .starts_after
            .max(list.open_at)
            .map(catalogue_bound)
            .unwrap_or_default();
        let from = list.page.after_text().max(from.as_str());
        let to = list.starts_before.map(catalogue_bound).unwrap_or_default();
        let slice = shards::read(&self.redis, keys::catalogue, from, &to, size).await?;
        let mut items = Vec::with_capacity(size);
        let mut looked_at = 0;
        // What is filtered out leaves room: a second look fills the page from the same slice.
        for _ in 0..2 {
            let most = slice.members.len().min(looked_at + size);
            let candidates = &slice.members[looked_at..most];
            if items.len() == size || candidates.is_empty() {
                break;
            }
            for (member, competition) in candidates.iter().zip(self.look_up(candidates).await?) {
                if items.len() == size {
                    break;
                }
                looked_at += 1;
                items.extend(
                    competition
                        .filter(|found| list.wants(found) && catalogue_member(found) == *member),
                );
            }
        }
        let is_last = slice.is_last && looked_at == slice.members.len();
        let next = looked_at.checked_sub(1).filter(|_| !is_last);
        let next = next.map(|last| Cursor::of_text(&slice.members[last]));
        Ok(Page { items, next })
    }

    /// Reads the competitions of these members of the catalogue, in one round trip.
    async fn look_up(&self, members: &[String]) -> Result<Vec<Option<Competition>>> {
        let ids: Vec<_> = members
            .iter()
            .map(|member| id_of_member(member))
            .collect::<Result<_>>()?;
        self.read_competitions(&ids).await
    }

    /// Reads competitions, in one round trip.
    pub(crate) async fn read_competitions(
        &self,
        ids: &[CompetitionId],
    ) -> Result<Vec<Option<Competition>>> {
        let calls = ids
            .iter()
            .map(|id| script::READ_COMPETITION.on(&keys::Competition::of(id).for_registrations()));
        let answers = self.redis.run_all(&script::READ_COMPETITION, calls).await?;
        ids.iter()
            .zip(answers)
            .map(|(id, answer)| {
                let (fields, _) = read_answer(answer)?;
                let is_there = !fields.is_empty();
                is_there
                    .then(|| read_competition(id.clone(), fields))
                    .transpose()
            })
            .collect()
    }

    /// Goes on with promotions until nobody is left with a claim, and answers how it ended.
    async fn finish_promotions(
        &self,
        updated: Competition,
        request: RequestId,
    ) -> Result<Competition> {
        let places = updated
            .details
            .capacity
            .map_or(u32::MAX, domain::Capacity::get);
        if updated.waitlisted_count == 0 || updated.confirmed_count >= places {
            return Ok(updated);
        }
        loop {
            let keys = keys::Competition::of(&updated.id).for_organisers(request);
            let reply = Reply::read(
                self.redis
                    .run(script::PROMOTE.on(&keys), Kind::Deciding)
                    .await?,
            )?;
            match reply.word() {
                "unsettled" => {}
                "settled" => return self.get_competition(&updated.id).await,
                _ => return Err(reply.unknown()),
            }
        }
    }

    async fn is_remembered(&self, id: &CompetitionId, request: RequestId) -> Result<bool> {
        let keys = keys::Competition::of(id).for_organisers(request);
        let mut exists = cmd("EXISTS");
        exists.arg(keys.last());
        decode(self.redis.command(exists).await?)
    }

    /// Enters a competition in the catalogue: before the record, so that the catalogue never lacks one.
    async fn enter_in_catalogue(&self, id: &CompetitionId, schedule: Schedule) -> Result<()> {
        let mut add = cmd("ZADD");
        add.arg(keys::catalogue(keys::part_of(id.as_str())))
            .arg(0)
            .arg(member(schedule.moments().starts_at, id));
        self.redis.command(add).await.map(drop)
    }

    /// Takes the entry of an old start away. One that is left over is found out when it is read.
    async fn leave_catalogue(&self, id: &CompetitionId, old: Schedule, now: &CompetitionDetails) {
        if old.moments().starts_at != now.schedule.moments().starts_at {
            self.remove_from_catalogue(id, old).await;
        }
    }

    async fn remove_from_catalogue(&self, id: &CompetitionId, schedule: Schedule) {
        let mut remove = cmd("ZREM");
        remove
            .arg(keys::catalogue(keys::part_of(id.as_str())))
            .arg(member(schedule.moments().starts_at, id));
        if let Err(error) = self.redis.command(remove).await {
            tracing::debug!(%error, "a stale entry stays in the catalogue");
        }
    }
}

/// Why a competition was not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The patched record would be wrong.
    #[error(transparent)]
    Invalid(#[from] domain::InvalidFields),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] Error),
}

impl ListCompetitions {
    fn wants(&self, competition: &Competition) -> bool {
        let moments = competition.details.schedule.moments();
        let is_open = |now| {
            competition.state == CompetitionState::Published
                && (moments.registration_opens_at..moments.registration_closes_at).contains(&now)
        };
        (self.states.is_empty() || self.states.contains(&competition.state))
            && self.open_at.is_none_or(is_open)
    }
}

/// A member of the catalogue: the start in 15 digits, then the id, so that text order is the order of
/// the list.
fn member(starts_at: Timestamp, id: &CompetitionId) -> String {
    format!("{:015}:{id}", starts_at.as_millis())
}

fn catalogue_member(competition: &Competition) -> String {
    member(
        competition.details.schedule.moments().starts_at,
        &competition.id,
    )
}

/// Sorts before every member that starts at this moment, and after all that start earlier.
fn catalogue_bound(starts_at: Timestamp) -> String {
    format!("{:015}", starts_at.as_millis())
}

fn id_of_member(member: &str) -> Result<CompetitionId> {
    let id = member.split_once(':').map(|(_, id)| id);
    id.and_then(|id| CompetitionId::parse(id).ok())
        .ok_or_else(|| unreadable("a member of the catalogue"))
}

fn organise(
    script: &'static script::Script,
    action: &str,
    by: &AdminId,
    id: &CompetitionId,
    request: RequestId,
    reason: &str,
) -> Result<Call> {
    Ok(script
        .on(&keys::Competition::of(id).for_organisers(request))
        .arg(by.as_str())
        .arg(request.to_string())
        .arg(fingerprint(&(action, by, id, reason))?))
}

/// What every script about a competition says when it says no.
pub(crate) fn refused(mut reply: Reply, id: &CompetitionId) -> Error {
    let rejection = match reply.word() {
        "no_competition" => Rejection::CompetitionNotFound,
        "not_draft" => Rejection::CompetitionNotDraft,
        "not_published" => Rejection::CompetitionNotPublished,
        "cancelled" => Rejection::CompetitionCancelled,
        "request_id_reused" => Rejection::RequestIdReused,
        "too_late" => return Error::TooLate,
        _ => return reply.unknown(),
    };
    let rejected = Rejected::from(rejection).in_competition(id);
    match reply.optional() {
        Ok(Some(revision)) => rejected.at(Revision(revision)).into(),
        _ => rejected.into(),
    }
}

/// The fields of `meta` that the organiser says, by their names in the contract. Empty = absent.
fn written(details: &CompetitionDetails) -> Vec<(&'static str, String)> {
    let Moments {
        starts_at,
        ends_at,
        registration_opens_at,
        registration_closes_at,
    } = details.schedule.moments();
    let millis = |moment: Timestamp| moment.as_millis().to_string();
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        ("title", details.title.to_string()),
        ("description", details.description.to_string()),
        ("venue", details.venue.to_string()),
        (
            "country_code",
            text(details.country_code.map(|code| code.to_string())),
        ),
        ("starts_at", millis(starts_at)),
        ("ends_at", millis(ends_at)),
        ("registration_opens_at", millis(registration_opens_at)),
        ("registration_closes_at", millis(registration_closes_at)),
        (
            "capacity",
            text(details.capacity.map(|places| places.to_string())),
        ),
        (
            "waitlist_capacity",
            text(details.waitlist_capacity.map(|places| places.to_string())),
        ),
    ]
}

fn with_fields(mut call: Call, details: &CompetitionDetails) -> Call {
    for (name, value) in written(details) {
        call = call.arg(name).arg(value);
    }
    call
}

type NamedValues = Vec<(&'static str, String)>;

/// The fields that differ, before and after.
fn changed_fields(
    old: &CompetitionDetails,
    new: &CompetitionDetails,
) -> (NamedValues, NamedValues) {
    written(old)
        .into_iter()
        .zip(written(new))
        .filter(|(old, new)| old != new)
        .unzip()
}

/// A JSON object of names and values, for the log.
fn json(fields: &NamedValues) -> Result<String> {
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Object<'a>(std::collections::BTreeMap<&'a str, &'a str>);
    let object = Object(
        fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect(),
    );
    serde_json::to_string(&object).map_err(|error| Error::Corrupt(error.to_string()))
}

/// Splits the answer of `read_competition.lua`.
pub(crate) fn read_answer(value: Value) -> Result<(Fields, Vec<String>)> {
    let (competition, registration): (Vec<String>, Vec<String>) = decode(value)?;
    Ok((Fields::of(competition), registration))
}

pub(crate) fn read_competition(id: CompetitionId, mut fields: Fields) -> Result<Competition> {
    let state = match fields.text("state").as_str() {
        "draft" => CompetitionState::Draft,
        "published" => CompetitionState::Published,
        "cancelled" => CompetitionState::Cancelled,
        other => return Err(unreadable(&format!("the state {other}"))),
    };
    let schedule = Schedule::parse(Moments {
        starts_at: fields.timestamp("starts_at")?,
        ends_at: fields.timestamp("ends_at")?,
        registration_opens_at: fields.timestamp("registration_opens_at")?,
        registration_closes_at: fields.timestamp("registration_closes_at")?,
    })
    .map_err(|_| unreadable("the schedule of a competition"))?;
    let capacity: Option<i64> = fields.optional_number("capacity")?;
    let waitlist_capacity: Option<i64> = fields.optional_number("waitlist_capacity")?;
    Ok(Competition {
        details: CompetitionDetails {
            title: fields.get("title")?,
            description: fields.get("description")?,
            venue: fields.get("venue")?,
            country_code: fields.optional::<CountryCode>("country_code")?,
            schedule,
            capacity: capacity
                .map(domain::Capacity::parse)
                .transpose()
                .map_err(|_| unreadable("a capacity"))?,
            waitlist_capacity: waitlist_capacity
                .map(domain::WaitlistCapacity::parse)
                .transpose()
                .map_err(|_| unreadable("a capacity"))?,
        },
        state,
        confirmed_count: fields.number("confirmed_count")?,
        waitlisted_count: fields.number("waitlisted_count")?,
        revision: Revision(fields.number("revision")?),
        changed_at_revision: Revision(fields.number("changed_at_revision")?),
        created_at: fields.timestamp("created_at")?,
        updated_at: fields.timestamp("updated_at")?,
        id,
    })
}
