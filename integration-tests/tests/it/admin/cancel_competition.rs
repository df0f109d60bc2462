use api::admin::AuditAction;
use api::v1::CompetitionState;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_cancelled_competition_keeps_its_registrations_and_the_reason() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    app.registered(&race, ["ada", "ben"]).await;
    let cancelled = olga
        .cancel_because(&race, "snow ❄️")
        .await
        .expect("cancelled");
    assert_eq!(cancelled.state(), CompetitionState::Cancelled);
    assert_eq!(
        (cancelled.confirmed_count, cancelled.waitlisted_count),
        (1, 1)
    );
    assert_eq!(olga.registrations(&race).await.len(), 2);
    let log = olga.audit_entries(&race).await;
    let last = log.last().expect("an entry");
    assert_eq!(last.action(), AuditAction::CompetitionCancelled);
    assert_eq!(last.reason, "snow ❄️");
}

#[tokio::test]
async fn only_a_published_competition_can_be_cancelled() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let draft = app.competition().draft().await;
    assert_rejected(olga.cancel(&draft).await, reason::COMPETITION_NOT_PUBLISHED);
    let race = app.competition().open().await;
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(olga.cancel(&race).await, reason::COMPETITION_CANCELLED);
}
