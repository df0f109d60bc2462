//! The example clients, against running services.

use integration_tests::{PASSWORD, Startlist};
use testkit::Program;

#[tokio::test]
async fn the_example_registers_a_user_and_explains_a_refusal() {
    let app = Startlist::start().await;
    let ada = app.new_user("ada").await;
    let race = app.competition().open().await;
    let arguments = [ada.email.as_str(), PASSWORD, race.competition_id.as_str()];
    let register = || Program::start("register", &arguments, &[("STARTLIST_URL", app.user_url())]);

    let first = register().exit().await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(first.stdout, "REGISTRATION_STATE_CONFIRMED\n");

    // Another run is another request, so it is not taken for a repetition.
    let second = register().exit().await;
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("ALREADY_REGISTERED"), "{second:?}");
}

#[tokio::test]
async fn the_example_prints_each_change_of_the_health() {
    let mut app = Startlist::start().await;
    let url = app.user_url().to_owned();
    let watch = Program::start("watch_health", &[&url, "redis"], &[]);
    watch.wait_for_stdout("SERVING\n").await;

    app.redis.kill();
    watch.wait_for_stdout("NOT_SERVING\n").await;
}
