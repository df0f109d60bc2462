//! Whether a page costs more where there is more: the same pages as in other lines, of lists that are
//! a hundred times as long.

use domain::{CompetitionId, UserId};

use super::{Bench, catalogue, names, organiser, say};
use crate::Result;
use crate::report::Report;
use crate::seed::Shape;

const MANY_COMPETITIONS: usize = 100_000;
const SOME_REGISTRATIONS: usize = 10_000;
const MANY_REGISTRATIONS: usize = 1_000_000;

/// Pages of the longest lists.
pub(super) async fn scale(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let two = bench.seeder.competitions("long", 2, Shape::OPEN).await?;
    say(&format!("  making {SOME_REGISTRATIONS} registrations"));
    register(bench, &two[0], SOME_REGISTRATIONS).await?;
    let row = organiser::first_page(bench, names::ENTRIES_OF_10_000, &two[0]);
    report.rows.push(row.await?);

    say(&format!("  making {MANY_REGISTRATIONS} registrations"));
    let before = bench.counters.read().await?;
    register(bench, &two[1], MANY_REGISTRATIONS).await?;
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

/// Registers so many for a competition: first people with accounts, who are on the first page, then ids
/// of nobody.
async fn register(bench: &Bench<'_>, competition: &CompetitionId, count: usize) -> Result<()> {
    const FIRST: usize = 1_000;
    let members = &bench.members().await?[..FIRST];
    let members = members.iter().map(|member| (&member.id, competition));
    bench.seeder.register(members).await?;
    let others: Vec<_> = (FIRST..count)
        .map(|number| UserId::parse(format!("nobody-{number:09}")))
        .collect::<Result<_, _>>()?;
    let others = others.iter().map(|user| (user, competition));
    bench.seeder.register(others).await
}
