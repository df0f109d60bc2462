//! Whether a page costs more where there is more: the same pages as in other lines, of lists that are
//! a hundred times as long.

use std::fmt::Write;

use domain::{CompetitionId, UserId};

use super::{Bench, catalogue, names, organiser, say};
use crate::Result;
use crate::report::Report;
use crate::seed::Shape;
use crate::stack::resp::{Connection, Reply};

const MANY_COMPETITIONS: usize = 100_000;
const SOME_REGISTRATIONS: usize = 10_000;
const MANY_REGISTRATIONS: usize = 1_000_000;
/// People with whole accounts, who are on the first page.
const FIRST: usize = 1_000;

/// Pages of the longest lists.
pub(super) async fn scale(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let two = bench.seeder.competitions("long", 2, Shape::OPEN).await?;
    say(&format!("  making {MANY_REGISTRATIONS} accounts"));
    let shells = shells(bench, MANY_REGISTRATIONS - FIRST).await?;
    say(&format!("  making {SOME_REGISTRATIONS} registrations"));
    register(bench, &two[0], &shells[..SOME_REGISTRATIONS - FIRST]).await?;
    let row = organiser::first_page(bench, names::ENTRIES_OF_10_000, &two[0]);
    report.rows.push(row.await?);

    say(&format!("  making {MANY_REGISTRATIONS} registrations"));
    let before = bench.counters.read().await?;
    register(bench, &two[1], &shells).await?;
    let after = bench.counters.read().await?;
    report.fact(
        names::MEMORY_LARGE,
        after.bytes_a_change_since(&before),
        "bytes",
    );
    let row = organiser::first_page(bench, names::ENTRIES_OF_1_000_000, &two[1]);
    report.rows.push(row.await?);

    say(&format!("  making {MANY_COMPETITIONS} competitions"));
    bench
        .seeder
        .competitions("many", MANY_COMPETITIONS, Shape::OPEN)
        .await?;
    report
        .rows
        .push(catalogue::first_page(bench, names::COMPETITIONS_OF_100_000).await?);
    Ok(())
}

/// Makes the shells of so many accounts: ids with as much of a profile as can be registered. To sign up a
/// million people takes longer than all other lines together.
async fn shells(bench: &Bench<'_>, count: usize) -> Result<Vec<UserId>> {
    const TOGETHER: usize = 1_000;
    let ids: Vec<_> = (0..count)
        .map(|number| UserId::parse(format!("shell-{number:09}")))
        .collect::<Result<_, _>>()?;
    let mut connection = Connection::open(&bench.stack.redis, "user-service").await?;
    let mut commands = String::new();
    for some in ids.chunks(TOGETHER) {
        commands.clear();
        for id in some {
            let key = format!("u:{{{id}}}:profile");
            let begin = "*4\r\n$4\r\nHSET\r\n";
            let end = "$12\r\ndisplay_name\r\n$5\r\nShell\r\n";
            write!(commands, "{begin}${}\r\n{key}\r\n{end}", key.len())?;
        }
        connection.send(commands.as_bytes()).await?;
        let mut refused = None;
        let note = |reply: Reply<'_>| {
            if let Reply::Error(error) = reply {
                refused = Some(String::from_utf8_lossy(error).into_owned());
            }
        };
        connection.receive(some.len(), note).await?;
        if let Some(error) = refused {
            return Err(error.into());
        }
    }
    Ok(ids)
}

/// Registers the first people for a competition, then these shells.
async fn register(bench: &Bench<'_>, competition: &CompetitionId, shells: &[UserId]) -> Result<()> {
    let members = &bench.members().await?[..FIRST];
    let members = members.iter().map(|member| (&member.id, competition));
    bench.seeder.register(members).await?;
    let shells = shells.iter().map(|user| (user, competition));
    bench.seeder.register(shells).await
}
