//! Registrations: who is in, who waits, and how one gets in and out.

use std::time::Duration;

use deadpool_redis::redis::{Pipeline, cmd};
use domain::{
    AdminId, Competition, CompetitionId, CompetitionState, Reason, Registration, RegistrationState,
    Rejected, Rejection, RequestId, Revision, Timestamp, User, UserId,
};

use crate::audit::read_state;
use crate::competitions::{read_answer, read_competition, refused};
use crate::error::{Error, Result};
use crate::page::{Cursor, Page, PageRequest};
use crate::redis::Kind;
use crate::reply::{Reply, decode, unreadable};
use crate::script;
use crate::{Store, installation, keys};

/// A registration as an organiser sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The registration.
    pub registration: Registration,
    /// Whose it is; `None` = the account was deleted.
    pub user: Option<User>,
    /// Which admin added it; `None` = the user registered.
    pub added_by: Option<AdminId>,
}

/// A registration, and who added it.
struct Held {
    registration: Registration,
    added_by: Option<AdminId>,
}

/// How an organiser adds somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddOptions {
    /// Also before the window opens and after it has closed.
    pub ignore_window: bool,
    /// Also when no place is free, and past the queue.
    pub over_capacity: bool,
}

/// Until when one can withdraw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Start,
    End,
}

/// An entry of an index that is younger than this may belong to a call that is still on its way.
const INDEX_GRACE: Duration = Duration::from_secs(10 * 60);

impl Store {
    /// Registers a user: confirmed, or queued if no place is free.
    ///
    /// Two slots: first the user's index, which may hold too much, then the competition, which decides.
    /// The decision is refused 30 s after the index was written, so that an old index entry without a
    /// registration can be taken away safely.
    pub async fn register(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        let call = || {
            script::REGISTER
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(self.redis.write_deadline())
                .arg("register")
                .arg("end")
        };
        let index = keys::Account::of_user(user).competitions();
        loop {
            let mut pipeline = Pipeline::with_capacity(2);
            pipeline
                .cmd("HSET")
                .arg(&index)
                .arg(competition.as_str())
                .arg(self.index_value()?);
            pipeline.add_command(call().into_command());
            let mut answers = self
                .redis
                .run_pipeline(&script::REGISTER, &pipeline, Kind::Deciding)
                .await?;
            if let Some(reply) = one_of_batch(answers.pop())? {
                return read_held(reply, user, competition).map(|held| held.registration);
            }
        }
    }

    /// Says what [`Store::register`] would answer now, and changes nothing.
    pub async fn preview_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        loop {
            let call = script::REGISTER
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(self.redis.write_deadline())
                .arg("validate")
                .arg("end");
            let answer = self.redis.run(call, Kind::Harmless).await?;
            if let Some(reply) = one_of_batch(Some(answer))? {
                return read_held(reply, user, competition).map(|held| held.registration);
            }
        }
    }

    /// Withdraws a user, until the competition starts.
    pub async fn withdraw(
        &self,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        self.withdraw_until(Until::Start, user, competition, request)
            .await
    }

    async fn withdraw_until(
        &self,
        until: Until,
        user: &UserId,
        competition: &CompetitionId,
        request: RequestId,
    ) -> Result<Registration> {
        loop {
            let call = script::WITHDRAW
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(match until {
                    Until::Start => "start",
                    Until::End => "end",
                });
            let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
            if reply.word() != "unsettled" {
                return read_held(reply, user, competition).map(|held| held.registration);
            }
        }
    }

    /// Reads a user's own registration.
    pub async fn my_registration(
        &self,
        user: &UserId,
        competition: &CompetitionId,
    ) -> Result<Registration> {
        let found = self
            .look_at(user, std::slice::from_ref(competition))
            .await?
            .pop()
            .flatten();
        let (competition_found, held) = found.ok_or_else(|| {
            Rejected::from(Rejection::CompetitionNotFound).in_competition(competition)
        })?;
        if competition_found.state == CompetitionState::Draft {
            return Err(Rejected::from(Rejection::CompetitionNotFound)
                .in_competition(competition)
                .into());
        }
        held.map(|held| held.registration).ok_or_else(|| {
            not_registered(user, competition)
                .at(competition_found.revision)
                .into()
        })
    }

    /// Lists a user's registrations with their competitions, in the order of the competitions' ids. Takes away what
    /// the index holds too much, if it is old enough to be sure.
    pub async fn my_registrations(
        &self,
        user: &UserId,
        page: &PageRequest,
    ) -> Result<Page<(Registration, Competition)>> {
        let index = self.index_of(user).await?;
        let begin = index.partition_point(|entry| entry.competition.as_str() <= page.after_text());
        let wanted = &index[begin..];
        let shown = &wanted[..wanted.len().min(page.size)];
        let ids: Vec<_> = shown
            .iter()
            .map(|entry| entry.competition.clone())
            .collect();
        let mut items = Vec::with_capacity(shown.len());
        for (entry, found) in shown.iter().zip(self.look_at(user, &ids).await?) {
            match found {
                Some((competition, Some(held))) => items.push((held.registration, competition)),
                _ => self.forget(user, entry).await?,
            }
        }
        let next = (shown.len() < wanted.len()).then(|| shown.last()).flatten();
        let next = next.map(|last| Cursor::of_text(last.competition.as_str()));
        Ok(Page { items, next })
    }

    /// Adds a registration for an organiser.
    pub async fn add_registration(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        options: AddOptions,
        request: RequestId,
    ) -> Result<Entry> {
        let found = self.get_user(user).await?;
        let mut index = cmd("HSET");
        index
            .arg(keys::Account::of_user(user).added())
            .arg(competition.as_str())
            .arg(self.index_value()?);
        self.redis.command(index).await?;
        let deadline = self.redis.write_deadline();
        let flag = |set: bool| if set { "1" } else { "0" };
        loop {
            let call = script::ADD
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(by.as_str())
                .arg(flag(options.ignore_window))
                .arg(flag(options.over_capacity))
                .arg(deadline);
            let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
            if reply.word() != "unsettled" {
                return Ok(read_held(reply, user, competition)?.of(Some(found)));
            }
        }
    }

    /// Removes a registration for an organiser.
    pub async fn remove_registration(
        &self,
        by: &AdminId,
        competition: &CompetitionId,
        user: &UserId,
        reason: &Reason,
        request: RequestId,
    ) -> Result<Entry> {
        loop {
            let call = script::REMOVE
                .on(&keys::Competition::of(competition).for_registrations())
                .arg(user.as_str())
                .arg(request.to_string())
                .arg(by.as_str())
                .arg(reason.as_str());
            let reply = Reply::read(self.redis.run(call, Kind::Deciding).await?)?;
            if reply.word() != "unsettled" {
                let held = read_held(reply, user, competition)?;
                return Ok(held.of(self.find_user(user).await?));
            }
        }
    }

    /// Reads one entry of a competition in any state.
    pub async fn get_entry(&self, competition: &CompetitionId, user: &UserId) -> Result<Entry> {
        let found = self
            .look_at(user, std::slice::from_ref(competition))
            .await?
            .pop()
            .flatten();
        let (competition_found, held) = found.ok_or_else(|| {
            Rejected::from(Rejection::CompetitionNotFound).in_competition(competition)
        })?;
        let held =
            held.ok_or_else(|| not_registered(user, competition).at(competition_found.revision))?;
        Ok(held.of(self.find_user(user).await?))
    }

    /// Lists the entries of a competition in these states, in the order of revision. Two round trips.
    pub async fn list_entries(
        &self,
        competition: &CompetitionId,
        states: &[RegistrationState],
        page: &PageRequest,
    ) -> Result<Page<Entry>> {
        // Churn leaves log entries that are no longer current: look at some more than are wanted, and
        // never at so many that one call holds Redis up.
        let looks = page.size * 4;
        let letters: String = states.iter().map(|state| letter(*state)).collect();
        let call = script::LIST_REGISTRATIONS
            .on(&keys::Competition::of(competition).for_registrations())
            .arg(page.after_revision())
            .arg(page.size)
            .arg(looks)
            .arg(letters);
        let answer = self.redis.run(call, Kind::Harmless).await?;
        let mut values = Vec::<deadpool_redis::redis::Value>::into_iter(decode(answer)?);
        let head: String = values.next().map(decode).transpose()?.unwrap_or_default();
        if head == "no_competition" {
            return Err(Rejected::from(Rejection::CompetitionNotFound)
                .in_competition(competition)
                .into());
        }
        let mut held = Vec::new();
        for value in values {
            let (user, registration): (String, Vec<String>) = decode(value)?;
            let user = UserId::parse(user).map_err(|_| unreadable("a user id"))?;
            held.push(read_held(Reply::of(registration)?, &user, competition)?);
        }
        let ids: Vec<_> = held
            .iter()
            .map(|held| held.registration.user_id.clone())
            .collect();
        let users = self.find_users(&ids).await?;
        let items = held
            .into_iter()
            .zip(users)
            .map(|(held, user)| held.of(user))
            .collect();
        let next = (!head.is_empty()).then(|| Cursor::of_text(&head));
        Ok(Page { items, next })
    }

    /// Withdraws a user from all that is not over: before the account is erased. Answers every
    /// competition that was looked at.
    pub(crate) async fn withdraw_from_all(
        &self,
        user: &UserId,
        request: RequestId,
    ) -> Result<Vec<CompetitionId>> {
        let mut seen = Vec::new();
        for entry in self.index_of(user).await? {
            let withdrawn = self
                .withdraw_until(Until::End, user, &entry.competition, request)
                .await;
            match withdrawn {
                Ok(_) | Err(Error::Rejected(_)) => seen.push(entry.competition),
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }

    /// A fresh value of an index entry: always another one, so that compare-and-delete is safe.
    fn index_value(&self) -> Result<String> {
        let nonce = installation::random()?;
        let nonce = data_encoding::BASE32_DNSSEC.encode(&nonce[..5]);
        Ok(format!("{nonce}:{}", self.now().as_millis()))
    }

    /// The competitions that a user may have entered, in the order of their ids.
    async fn index_of(&self, user: &UserId) -> Result<Vec<IndexEntry>> {
        let account = keys::Account::of_user(user);
        let mut pipeline = Pipeline::with_capacity(2);
        for key in [account.competitions(), account.added()] {
            pipeline.cmd("HGETALL").arg(key);
        }
        let mut entries = Vec::new();
        let answers = self.redis.pipeline(&pipeline, Kind::Harmless).await?;
        for (answer, is_added) in answers.into_iter().zip([false, true]) {
            let flat: Vec<(String, String)> = decode(answer)?;
            for (id, value) in flat {
                let competition = CompetitionId::parse(id).map_err(|_| unreadable("an index"))?;
                entries.push(IndexEntry {
                    competition,
                    value,
                    is_added,
                });
            }
        }
        entries.sort_by(|a, b| a.competition.cmp(&b.competition));
        entries.dedup_by(|a, b| a.competition == b.competition);
        Ok(entries)
    }

    /// Reads a user's registrations in these competitions, in one round trip.
    async fn look_at(
        &self,
        user: &UserId,
        competitions: &[CompetitionId],
    ) -> Result<Vec<Option<(Competition, Option<Held>)>>> {
        let calls = competitions.iter().map(|id| {
            script::READ_COMPETITION
                .on(&keys::Competition::of(id).for_registrations())
                .arg(user.as_str())
        });
        let answers = self.redis.run_all(&script::READ_COMPETITION, calls).await?;
        competitions
            .iter()
            .zip(answers)
            .map(|(id, answer)| {
                let (fields, registration) = read_answer(answer)?;
                if fields.is_empty() {
                    return Ok(None);
                }
                let competition = read_competition(id.clone(), fields)?;
                let is_held = !registration.is_empty();
                let held = is_held
                    .then(|| read_held(Reply::of(registration)?, user, id))
                    .transpose()?;
                Ok(Some((competition, held)))
            })
            .collect()
    }

    /// Takes an entry from a user's index that has no registration, if it is old enough that none can
    /// follow any more, and unless it was written again meanwhile.
    async fn forget(&self, user: &UserId, entry: &IndexEntry) -> Result<()> {
        if entry.written_at()?.after(INDEX_GRACE) > self.now() {
            return Ok(());
        }
        let account = keys::Account::of_user(user);
        let key = if entry.is_added {
            account.added()
        } else {
            account.competitions()
        };
        let call = script::FORGET_ENTRY
            .on(&[key])
            .arg(entry.competition.as_str())
            .arg(&entry.value);
        self.redis.run(call, Kind::Harmless).await.map(drop)
    }
}

/// An entry of a user's index.
struct IndexEntry {
    competition: CompetitionId,
    /// `<nonce>:<milliseconds>`
    value: String,
    is_added: bool,
}

impl IndexEntry {
    fn written_at(&self) -> Result<Timestamp> {
        let millis = self
            .value
            .split_once(':')
            .and_then(|(_, millis)| millis.parse().ok());
        millis
            .and_then(|millis| Timestamp::from_millis(millis).ok())
            .ok_or_else(|| unreadable("an entry of an index"))
    }
}

impl Held {
    fn of(self, user: Option<User>) -> Entry {
        Entry {
            registration: self.registration,
            user,
            added_by: self.added_by,
        }
    }
}

/// The answer to the one user of a batch; `None` = call again.
fn one_of_batch(answer: Option<deadpool_redis::redis::Value>) -> Result<Option<Reply>> {
    let answer = answer.ok_or_else(|| unreadable("no answer"))?;
    let mut answers: Vec<Vec<String>> = decode(answer)?;
    let first = answers.pop().ok_or_else(|| unreadable("an empty batch"))?;
    let reply = Reply::of(first)?;
    Ok((reply.word() != "unsettled").then_some(reply))
}

/// Reads what a script says of one registration, or why it says no.
fn read_held(mut reply: Reply, user: &UserId, competition: &CompetitionId) -> Result<Held> {
    if !matches!(reply.word(), "registered" | "ended" | "registration") {
        return Err(refused_registration(reply, user, competition));
    }
    let state = read_state(&reply.text()?)?;
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

fn refused_registration(mut reply: Reply, user: &UserId, competition: &CompetitionId) -> Error {
    let read = |reply: &mut Reply| -> Result<Option<(Revision, Rejection)>> {
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

fn not_registered(user: &UserId, competition: &CompetitionId) -> Rejected {
    Rejected::from(Rejection::NotRegistered)
        .in_competition(competition)
        .about_user(user)
}

/// The letter of a state in a record.
fn letter(state: RegistrationState) -> char {
    match state {
        RegistrationState::Confirmed => 'C',
        RegistrationState::Waitlisted => 'W',
        RegistrationState::Withdrawn => 'D',
        RegistrationState::Removed => 'R',
    }
}
