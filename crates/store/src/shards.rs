//! Ordered lists that are too large for one key: 32 sorted sets whose members are ordered as text,
//! read as one. They may hold too much, so a reader looks each member up in the truth.

use deadpool_redis::redis::{Pipeline, cmd};

use crate::error::Result;
use crate::keys::PARTS;
use crate::redis::decode;
use crate::redis::{Effect, Redis};

/// Members in order, and whether there may be more after them.
pub(crate) struct Slice {
    pub(crate) members: Vec<String>,
    pub(crate) is_last: bool,
}

/// The members after `after` (empty = from the first) and before `before` (empty = to the last), at
/// least `wanted` of them unless the list ends or is spread unevenly. One round trip; its cost grows
/// with `wanted`, not with the list.
pub(crate) async fn read(
    redis: &Redis,
    key: fn(u8) -> String,
    after: &str,
    before: &str,
    wanted: usize,
) -> Result<Slice> {
    // Ids are spread evenly: thrice the fair share, and 4, hardly ever falls short.
    let limit = wanted * 3 / usize::from(PARTS) + 4;
    let from = bound(after, "-");
    let to = bound(before, "+");
    let mut pipeline = Pipeline::with_capacity(usize::from(PARTS));
    for part in 0..PARTS {
        let range = cmd("ZRANGEBYLEX");
        pipeline
            .add_command(range)
            .arg(key(part))
            .arg(&from)
            .arg(&to)
            .arg("LIMIT")
            .arg(0)
            .arg(limit);
    }
    let mut members = Vec::with_capacity(wanted * 2);
    // What lies behind the last member of a part that has more is not known yet.
    let mut known_to: Option<String> = None;
    for answer in redis.pipeline(&pipeline, Effect::Prepare).await? {
        let part: Vec<String> = decode(answer)?;
        if part.len() == limit
            && let Some(last) = part.last()
            && known_to.as_ref().is_none_or(|known| last < known)
        {
            known_to = Some(last.clone());
        }
        members.extend(part);
    }
    members.sort_unstable();
    if let Some(known_to) = &known_to {
        members.truncate(members.partition_point(|member| member <= known_to));
    }
    Ok(Slice {
        members,
        is_last: known_to.is_none(),
    })
}

fn bound(member: &str, open_end: &str) -> String {
    if member.is_empty() {
        open_end.to_owned()
    } else {
        format!("({member}")
    }
}
