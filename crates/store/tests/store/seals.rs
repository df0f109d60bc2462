//! The seals of the logs follow the logs to their ends, and show every later change.

use domain::{CompetitionId, Revision};
use store::Seal;

use crate::world::{World, places};

#[tokio::test]
async fn a_log_of_any_length_is_sealed_to_its_end_and_its_seal_shows_a_deleted_entry() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let user = world.person().await;
    // Created and published; in the end the log is longer than two steps of 200 entries.
    let mut entries = 2;
    while entries < 401 {
        world.register(&user, &cup).await.expect("in");
        world.withdraw(&user, &cup).await.expect("out");
        entries += 2;
    }

    let sealed = async || world.admin.seal_all().await.expect("sealed");
    assert_eq!(sealed().await, 1, "one log was longer than its seal");
    assert_eq!(
        stored_seal(&world, &cup).await.revision,
        Revision::new(entries)
    );
    assert_eq!(sealed().await, 0);

    world.register(&user, &cup).await.expect("in");
    assert_eq!(sealed().await, 1);
    let seal = stored_seal(&world, &cup).await;
    assert_eq!(seal.revision, Revision::new(entries + 1));

    assert_eq!(seal_of_log(&world, &cup).await, seal);
    world
        .root::<u32>(&["XDEL", &key(&cup, "log"), "300-0"])
        .await;
    assert_ne!(seal_of_log(&world, &cup).await, seal);
}

fn key(cup: &CompetitionId, name: &str) -> String {
    format!("c:{{{cup}}}:{name}")
}

async fn stored_seal(world: &World, cup: &CompetitionId) -> Seal {
    let stored: String = world.root(&["GET", &key(cup, "seal")]).await;
    Seal::parse(&stored).expect("a seal")
}

/// Calculates the seal again from the log.
async fn seal_of_log(world: &World, cup: &CompetitionId) -> Seal {
    let log: Vec<(String, Vec<String>)> = world.root(&["XRANGE", &key(cup, "log"), "-", "+"]).await;
    log.iter().fold(Seal::EMPTY, |seal, (id, fields)| {
        let revision = id.strip_suffix("-0").and_then(|id| id.parse().ok());
        seal.with_entry(Revision::new(revision.expect("a revision")), fields)
    })
}
