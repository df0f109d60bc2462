//! The people and the competitions of the load, written by the store itself, as the services write them.

use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

use domain::competition::Moments;
use domain::{
    AdminId, BirthDate, Capacity, Club, CompetitionDetails, CompetitionId, CountryCode,
    Description, DisplayName, Email, Password, Profile, RequestId, Schedule, SessionToken,
    Timestamp, Title, UserId, Venue,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use server::Passwords;
use store::competitions::NewCompetition;
use store::users::NewUser;
use store::{AdminStore, PasswordHash, Redis, Seal, UserStore};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use crate::Result;
use crate::stack::Stack;

/// How many things are written at the same time.
const TOGETHER: usize = 128;
/// How often something is tried that Redis did not answer in time, as on a machine that is busy with
/// something else. A repetition names the same request, and so changes nothing twice.
const TRIES: usize = 20;
/// The password of every user.
pub(crate) const PASSWORD: &str = "vier worte am see";

/// Writes what the load needs.
pub(crate) struct Seeder {
    /// As user-service may use it.
    pub(crate) users: UserStore,
    /// As admin-service may use it.
    organisers: AdminStore,
    /// One hash for all users: making one costs 20 ms.
    password: PasswordHash,
    admin: AdminId,
}

/// Somebody with an account and a session.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) token: SessionToken,
    credential: MetadataValue<Ascii>,
}

impl Member {
    /// A request of this person.
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        ask_as(&self.credential, message)
    }
}

/// A request of whoever has this credential.
pub(crate) fn ask_as<T>(credential: &MetadataValue<Ascii>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("authorization", credential.clone());
    request
}

/// What `authorization` says for this token.
pub(crate) fn credential(token: &str) -> Result<MetadataValue<Ascii>> {
    Ok(MetadataValue::try_from(format!("Bearer {token}"))?)
}

/// What a competition is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many places there are; `None` = no limit.
    pub(crate) capacity: Option<u32>,
    /// How many may wait; `None` = no limit.
    pub(crate) waitlist_capacity: Option<u32>,
    /// Whether one can register, or could until an hour ago.
    pub(crate) is_open: bool,
}

impl Shape {
    /// Room for everybody.
    pub(crate) const OPEN: Self = Self {
        capacity: None,
        waitlist_capacity: None,
        is_open: true,
    };
}

impl Seeder {
    pub(crate) async fn new(stack: &Stack) -> Result<Self> {
        let redis = |user| -> Result<Redis> {
            let url = stack
                .redis
                .url_for(user)
                .ok_or("the ACL has no such user")?;
            Ok(Redis::new(&url, None)?)
        };
        let password = Password::parse(PASSWORD.to_owned())?;
        let hash = Passwords::new().hash(password).await;
        Ok(Self {
            users: UserStore::new(&redis("user-service")?),
            organisers: AdminStore::new(&redis("admin-service")?),
            password: hash.map_err(|error| error.to_string())?,
            admin: AdminId::parse("bench")?,
        })
    }

    /// Makes an account with a session for each of these numbers.
    pub(crate) async fn members(&self, numbers: Range<usize>) -> Result<Vec<Member>> {
        stream::iter(numbers)
            .map(|number| self.member(number))
            .buffered(TOGETHER)
            .try_collect()
            .await
    }

    async fn member(&self, number: usize) -> Result<Member> {
        let new = NewUser {
            email: Email::parse(format!("member-{number}@example.org"))?,
            profile: Profile {
                display_name: DisplayName::parse(format!("Member Number {number}"))?,
                country_code: Some(CountryCode::parse("CH")?),
                birth_date: Some(BirthDate::parse(1990, 5, 17)?),
                club: Club::parse("Ski Club Davos")?,
            },
            request_id: RequestId::random(),
        };
        let signed_up = patiently(|| self.users.sign_up(&new, &self.password));
        let (user, session) = signed_up.await?;
        Ok(Member {
            id: user.id,
            email: new.email.as_str().to_owned(),
            credential: credential(session.token.expose())?,
            token: session.token,
        })
    }

    /// Makes so many published competitions of one kind, with their logs sealed; their ids are the kind and five digits.
    pub(crate) async fn competitions(
        &self,
        kind: &str,
        count: usize,
        shape: Shape,
    ) -> Result<Vec<CompetitionId>> {
        stream::iter(0..count)
            .map(|number| self.competition(format!("{kind}-{number:05}"), shape))
            .buffered(TOGETHER)
            .try_collect()
            .await
    }

    async fn competition(&self, id: String, shape: Shape) -> Result<CompetitionId> {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        let id = CompetitionId::parse(id)?;
        let now = self.organisers.now();
        let opens_at = Timestamp::from_millis(now.as_millis() - 2 * millis(HOUR))?;
        let starts_at = now.after(HOUR * 24 * 30);
        let closes_at = if shape.is_open {
            starts_at
        } else {
            opens_at.after(HOUR)
        };
        let new = NewCompetition {
            id: Some(id.clone()),
            details: CompetitionDetails {
                title: Title::parse(format!("Spring Marathon {id}"))?,
                description: Description::parse(description()?)?,
                venue: Venue::parse("Davos, Congress Centre, Talstrasse 49a")?,
                country_code: Some(CountryCode::parse("CH")?),
                schedule: Schedule::parse(Moments {
                    starts_at,
                    ends_at: starts_at.after(HOUR * 8),
                    registration_opens_at: opens_at,
                    registration_closes_at: closes_at,
                })?,
                capacity: shape
                    .capacity
                    .map(|places| Capacity::parse(places.into()))
                    .transpose()?,
                waitlist_capacity: shape
                    .waitlist_capacity
                    .map(|places| domain::WaitlistCapacity::parse(places.into()))
                    .transpose()?,
            },
            request_id: RequestId::random(),
        };
        patiently(|| self.organisers.create_competition(&self.admin, new.clone())).await?;
        let request = RequestId::random();
        let publish = || {
            self.organisers
                .publish_competition(&self.admin, &id, request)
        };
        patiently(publish).await?;
        // Else admin-service does it for all of them at once, while something else is measured.
        patiently(|| self.organisers.seal_further(&id, Seal::EMPTY)).await?;
        Ok(id)
    }

    /// Registers each of these for the competition that is named beside.
    pub(crate) async fn register(
        &self,
        pairs: impl Iterator<Item = (&UserId, &CompetitionId)>,
    ) -> Result<()> {
        stream::iter(pairs)
            .map(Ok)
            .try_for_each_concurrent(TOGETHER, async |(user, competition)| {
                let request = RequestId::random();
                patiently(|| self.users.register(user, competition, request)).await?;
                Ok(())
            })
            .await
    }

    /// Registers these members for a competition; answers them in the order in which they came in.
    pub(crate) async fn fill(
        &self,
        competition: &CompetitionId,
        members: Vec<Member>,
    ) -> Result<Vec<Member>> {
        let mut queue: Vec<_> = stream::iter(members)
            .map(async |member| -> Result<_> {
                let request = RequestId::random();
                let register = || self.users.register(&member.id, competition, request);
                let registered = patiently(register).await?;
                Ok((registered.revision, member))
            })
            .buffer_unordered(TOGETHER)
            .try_collect()
            .await?;
        queue.sort_by_key(|(revision, _)| *revision);
        Ok(queue.into_iter().map(|(_, member)| member).collect())
    }
}

/// Tries again what Redis did not answer in time.
async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> store::Result<T>
where
    F: Future<Output = store::Result<T>>,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(store::Error::Unavailable(_)) => {}
            ended => return ended,
        }
    }
    attempt().await
}

/// Some 400 characters, as many as a short description has.
fn description() -> Result<String, std::fmt::Error> {
    let mut text = String::with_capacity(500);
    for kilometre in [0, 7, 14, 21, 28, 35, 42] {
        writeln!(
            text,
            "At kilometre {kilometre} there is water, fruit and a doctor."
        )?;
    }
    Ok(text)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
