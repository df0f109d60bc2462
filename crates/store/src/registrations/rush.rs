//! Many who register for one competition in the same moment go in together.
//!
//! A script costs Redis the same fixed work for one user as for a hundred, so a rush costs half.

use deadpool_redis::redis::Pipeline;
use deadpool_redis::redis::Value;
use domain::{CompetitionId, RequestId, UserId};

use crate::batching::Batch;
use crate::error::Result;
use crate::legacy::unreadable;
use crate::records::index_entry;
use crate::redis::{ConnectionId, Effect, Redis, checked, write_deadline};
use crate::redis::{ReplyReader, decode};
use crate::{keys, script};

/// Those who register together.
pub(crate) struct Rush;

/// Who wants to get in.
#[derive(Debug, Clone)]
pub(crate) struct Entrant {
    pub(super) user: UserId,
    pub(super) request: RequestId,
}

/// What became of one who wanted to get in.
pub(crate) struct Decided {
    /// What the script says.
    pub(super) reply: ReplyReader,
    /// Whether the account was there once its index was written.
    pub(super) has_account: bool,
}

impl Batch for Rush {
    type Key = CompetitionId;
    type Item = Entrant;
    type Reply = Decided;

    const EFFECT: Effect = Effect::Decide;
    const MAX_WORKERS: usize = 2;
    /// Some 3 ms of Redis's time.
    const MAX_ITEMS: usize = 128;

    /// Writes the index of each user, then runs the script that decides; answers one reply for each. Whose
    /// index could not be written hears that and no more: a repetition writes it, and answers what was decided.
    async fn run(
        &self,
        redis: &Redis,
        lane: ConnectionId,
        competition: &CompetitionId,
        entrants: &[Entrant],
    ) -> Result<Vec<Result<Decided>>> {
        loop {
            let now = redis.current_time().await?;
            let deadline = write_deadline(now);
            let mut pipeline = Pipeline::with_capacity(2 * entrants.len() + 1);
            let mut call = script::REGISTER
                .on(&keys::Competition::of(competition).for_registrations())
                .arg("register");
            for entrant in entrants {
                let account = keys::Account::of_user(&entrant.user);
                pipeline
                    .cmd("HSET")
                    .arg(account.competitions())
                    .arg(competition.as_str())
                    .arg(index_entry::new_value(now));
                // After the index: who erases the account later sees the entry.
                pipeline.cmd("EXISTS").arg(account.profile());
                call = call
                    .arg(entrant.user.as_str())
                    .arg(entrant.request.to_string())
                    .arg(deadline);
            }
            pipeline.add_command(call.into_command());
            let mut answers = redis
                .run_each(&script::REGISTER, &pipeline, Effect::Decide, lane)
                .await?;
            let decided = answers.pop().ok_or_else(|| unreadable("no answer"))?;
            if let Some(replies) = read_batch(checked(decided)?)? {
                let mut answers = answers.into_iter();
                let mut next = || answers.next().ok_or_else(|| unreadable("a short answer"));
                let mut decide = |reply| {
                    let (entered, account) = (next()?, next()?);
                    checked(entered)?;
                    let has_account = decode(checked(account)?)?;
                    Ok(Decided { reply, has_account })
                };
                return Ok(replies.into_iter().map(&mut decide).collect());
            }
        }
    }
}

/// The replies of `register.lua`; `None` = call again.
pub(super) fn read_batch(answer: Value) -> Result<Option<Vec<ReplyReader>>> {
    let replies: Vec<Vec<String>> = decode(answer)?;
    let replies = replies
        .into_iter()
        .map(ReplyReader::from_values)
        .collect::<Result<Vec<_>>>()?;
    let is_settled = replies.iter().all(|reply| reply.word() != "unsettled");
    Ok(is_settled.then_some(replies))
}
