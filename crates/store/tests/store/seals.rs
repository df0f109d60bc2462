//! The seals of the logs: they follow to the end, and show what was taken away behind them.

use domain::Revision;

use crate::world::{World, places};

#[tokio::test]
async fn a_log_of_any_length_is_sealed_to_its_end_and_shows_what_was_taken_away() {
    let world = World::new().await;
    let cup = world.competition(places(1)).await;
    let user = world.person().await;
    // Created and published; in the end there is more than two steps of sealing read, of 200 entries each.
    let mut entries = 2;
    while entries < 401 {
        world.register(&user, &cup).await.expect("in");
        world.withdraw(&user, &cup).await.expect("out");
        entries += 2;
    }

    let sealed = async || world.admin.seal_all().await.expect("sealed");
    let revision = async || world.admin.seal(&cup).await.expect("a seal").revision;
    assert_eq!(sealed().await, 1, "one log was behind");
    assert_eq!(revision().await, Revision::new(entries));
    assert_eq!(sealed().await, 0);

    world.register(&user, &cup).await.expect("in");
    assert_eq!(sealed().await, 1);
    assert_eq!(revision().await, Revision::new(entries + 1));

    let holds = async || world.admin.seal_holds(&cup).await.expect("an answer");
    assert!(holds().await);
    let log = format!("c:{{{cup}}}:log");
    world.root::<u32>(&["XDEL", &log, "300-0"]).await;
    assert!(!holds().await);
}
