//! Ordered lists that are too large for one key: 32 sorted sets whose members are ordered as text,
//! merged into one list. They may hold outdated members, which the caller has to drop.

use deadpool_redis::redis::Cmd;

use crate::error::Result;
use crate::keys::SHARDS;
use crate::redis::{Redis, decode};

/// Members in order.
pub(crate) struct Slice {
    pub(crate) members: Vec<String>,
    /// Whether no members follow.
    pub(crate) is_last: bool,
}

/// Reads the members after `after` (empty = from the first) and before `before` (empty = to the
/// last). Returns at least `wanted` of them, unless the list ends or is spread unevenly over the
/// shards. One round trip; its cost grows with `wanted`, not with the list.
pub(crate) async fn read(
    redis: &Redis,
    key: fn(u8) -> String,
    after: &str,
    before: &str,
    wanted: usize,
) -> Result<Slice> {
    // Members are spread by a hash. Three times the fair share, and 4, hardly ever is too few.
    let limit = wanted * 3 / usize::from(SHARDS) + 4;
    let (from, to) = (bound(after, "-"), bound(before, "+"));
    let count = isize::try_from(limit).unwrap_or(isize::MAX);
    let ranges = (0..SHARDS).map(|shard| Cmd::zrangebylex_limit(key(shard), &from, &to, 0, count));
    let mut members = Vec::with_capacity(wanted * 2);
    // If LIMIT cut a shard off, its later members are unknown. So the merged list is complete only
    // up to the smallest such last member.
    let mut complete_to: Option<String> = None;
    for reply in redis.read_all(&ranges.collect()).await? {
        let shard: Vec<String> = decode(reply)?;
        if shard.len() == limit
            && let Some(last) = shard.last()
            && complete_to
                .as_ref()
                .is_none_or(|complete_to| last < complete_to)
        {
            complete_to = Some(last.clone());
        }
        members.extend(shard);
    }
    members.sort_unstable();
    if let Some(complete_to) = &complete_to {
        members.truncate(members.partition_point(|member| member <= complete_to));
    }
    Ok(Slice {
        members,
        is_last: complete_to.is_none(),
    })
}

fn bound(member: &str, open_end: &str) -> String {
    match member {
        "" => open_end.to_owned(),
        member => format!("({member}"),
    }
}
