use api::admin::{AuditAction, CancelCompetitionRequest};
use api::v1::{CompetitionState, RegistrationState};
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn cancelling_keeps_the_records_and_the_reason() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    for name in ["ada", "ben"] {
        app.new_user(name)
            .await
            .register(&race)
            .await
            .expect("in or waiting");
    }
    let request = CancelCompetitionRequest {
        competition_id: race.competition_id.clone(),
        reason: "snow ❄️".to_owned(),
        ..Default::default()
    };
    let answer = olga
        .calls()
        .cancel_competition(request)
        .await
        .expect("cancelled")
        .into_inner();
    let cancelled = answer.competition.expect("a competition");
    assert_eq!(cancelled.state(), CompetitionState::Cancelled);
    assert_eq!(
        (cancelled.confirmed_count, cancelled.waitlisted_count),
        (1, 1)
    );
    assert_eq!(olga.registrations(&race).await.len(), 2);
    let log = olga.audit_entries(&race).await;
    let last = log.last().expect("an entry");
    assert_eq!(
        (last.action(), last.reason.as_str()),
        (AuditAction::CompetitionCancelled, "snow ❄️")
    );
}

#[tokio::test]
async fn one_can_still_withdraw_and_nobody_is_promoted() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().capacity(1).open().await;
    let (ada, ben) = (app.new_user("ada").await, app.new_user("ben").await);
    ada.register(&race).await.expect("a place");
    ben.register(&race).await.expect("a place in the queue");
    olga.cancel(&race).await.expect("cancelled");
    ada.withdraw(&race)
        .await
        .expect("withdrawing is always possible");
    let waiting = ben.registration(&race).await.expect("a registration");
    assert_eq!(waiting.state(), RegistrationState::Waitlisted);
}

#[tokio::test]
async fn only_a_published_competition_can_be_cancelled() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let draft = app.competition().draft().await;
    assert_rejected(
        olga.cancel(&draft).await,
        Code::FailedPrecondition,
        "COMPETITION_NOT_PUBLISHED",
    );
    let race = app.competition().open().await;
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(
        olga.cancel(&race).await,
        Code::FailedPrecondition,
        "COMPETITION_CANCELLED",
    );
}
