//! Whether the cost of a page depends on the length of the list: the pages of other scenarios, of
//! lists a hundred times as long.

use domain::{CompetitionId, UserId};
use testkit::redis_client::pipe;

use super::{competitions, list_registrations, names};
use crate::context::Context;
use crate::report::BenchReport;
use crate::result::Result;
use crate::seed::open_competition;
use crate::stack::redis;

const MANY_COMPETITIONS: usize = 100_000;
const SOME_REGISTRATIONS: usize = 10_000;
const MANY_REGISTRATIONS: usize = 1_000_000;
/// Users with complete accounts. They register first and so fill the first page.
const COMPLETE_USERS: usize = 1_000;
const PIPELINE_LENGTH: usize = 1_000;

pub(super) async fn run(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    let seeder = &context.seeder;
    let both = seeder.competitions("long", 2, open_competition()).await?;
    eprintln!("  creating {MANY_REGISTRATIONS} accounts");
    let profiles = create_profiles(context, MANY_REGISTRATIONS - COMPLETE_USERS).await?;
    eprintln!("  creating {SOME_REGISTRATIONS} registrations");
    let some = &profiles[..SOME_REGISTRATIONS - COMPLETE_USERS];
    register(context, &both[0], some).await?;
    let name = names::REGISTRATIONS_OF_10_000;
    list_registrations::first_page(context, report, name, &both[0]).await?;

    eprintln!("  creating {MANY_REGISTRATIONS} registrations");
    let before = context.counters.read().await?;
    register(context, &both[1], &profiles).await?;
    let after = context.counters.read().await?;
    let bytes = after.bytes_per_change_since(&before);
    report.add_figure(names::MEMORY_LARGE, bytes, "bytes");
    let name = names::REGISTRATIONS_OF_1_000_000;
    list_registrations::first_page(context, report, name, &both[1]).await?;

    eprintln!("  creating {MANY_COMPETITIONS} competitions");
    seeder
        .competitions("many", MANY_COMPETITIONS, open_competition())
        .await?;
    competitions::first_page(context, report, names::COMPETITIONS_OF_100_000).await
}

/// Writes profiles without the rest of an account. They can register, and signing up a million
/// users would take longer than all other scenarios together.
async fn create_profiles(context: &Context<'_>, count: usize) -> Result<Vec<UserId>> {
    let ids: Vec<_> = (0..count)
        .map(|number| UserId::parse(format!("shell-{number:09}")))
        .collect::<Result<_, _>>()?;
    let mut connection = redis::connect(&context.stack.redis, "user-service").await?;
    for some in ids.chunks(PIPELINE_LENGTH) {
        let mut commands = pipe();
        for id in some {
            let key = format!("u:{{{id}}}:profile");
            commands.hset(key, "display_name", "Shell").ignore();
        }
        commands.query_async::<()>(&mut connection).await?;
    }
    Ok(ids)
}

/// Registers the complete users for a competition, then the others.
async fn register(
    context: &Context<'_>,
    competition: &CompetitionId,
    others: &[UserId],
) -> Result<()> {
    let users = &context.users().await?[..COMPLETE_USERS];
    let users = users.iter().map(|user| (&user.id, competition));
    context.seeder.register(users).await?;
    let others = others.iter().map(|user| (user, competition));
    context.seeder.register(others).await
}
