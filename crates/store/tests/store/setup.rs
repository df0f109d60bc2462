//! The checks of Redis's settings.

use crate::world::World;

/// The warnings, which both services get.
async fn warnings(settings: &[(&str, &str)]) -> Vec<String> {
    let world = World::with_settings(settings).await;
    let of_admin = world.admin.redis().setup_warnings().await;
    let of_user = world.user.redis().setup_warnings().await;
    let of_admin = of_admin.expect("a reply");
    assert_eq!(of_user.expect("a reply"), of_admin);
    of_admin
}

#[tokio::test]
async fn the_settings_of_a_system_of_record_give_no_warning() {
    assert_eq!(warnings(&[]).await, [""; 0]);
}

#[tokio::test]
async fn each_warning_names_its_setting_and_the_value() {
    let unsafe_settings = [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("maxmemory-policy", "allkeys-lru"),
    ];
    let warnings = warnings(&unsafe_settings).await;
    assert_eq!(warnings.len(), unsafe_settings.len(), "{warnings:?}");
    for ((name, value), warning) in unsafe_settings.iter().zip(&warnings) {
        assert!(warning.contains(&format!("{name} {value}")), "{warning}");
    }
}

#[tokio::test]
async fn one_unsafe_setting_gives_one_warning() {
    let warnings = warnings(&[("appendfsync", "no")]).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("appendfsync no"), "{warnings:?}");
}
