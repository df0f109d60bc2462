//! Whether Redis is set up as a system of record: a warning names each setting that is not.

use crate::world::World;

#[tokio::test]
async fn a_system_of_record_needs_no_warning() {
    let world = World::new().await;
    for redis in [world.admin.redis(), world.user.redis()] {
        assert_eq!(redis.setup_warnings().await.expect("an answer"), [""; 0]);
    }
}

#[tokio::test]
async fn each_warning_names_its_setting_and_what_it_is() {
    let wrong = [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("maxmemory-policy", "allkeys-lru"),
    ];
    let world = World::with_settings(&wrong).await;
    for redis in [world.admin.redis(), world.user.redis()] {
        let warnings = redis.setup_warnings().await.expect("an answer");
        assert_eq!(warnings.len(), wrong.len(), "{warnings:?}");
        for ((name, value), warning) in wrong.iter().zip(&warnings) {
            assert!(warning.contains(&format!("{name} {value}")), "{warning}");
        }
    }
}

#[tokio::test]
async fn one_wrong_setting_makes_one_warning() {
    let world = World::with_settings(&[("appendfsync", "no")]).await;
    let warnings = world
        .user
        .redis()
        .setup_warnings()
        .await
        .expect("an answer");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("appendfsync no"), "{warnings:?}");
}
