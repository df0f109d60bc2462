use api::admin::{AuditAction, AuditEntry, GetCompetitionRequest, ListCompetitionsRequest};
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

#[tokio::test]
async fn a_deleted_draft_is_gone_and_its_log_stays() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let draft = app.competition().draft().await;
    olga.delete(&draft).await.expect("deleted");

    let competition_id = draft.competition_id.clone();
    let answer = olga
        .calls()
        .get_competition(GetCompetitionRequest { competition_id })
        .await;
    assert_rejected(answer, Code::NotFound, "COMPETITION_NOT_FOUND");
    let list = olga
        .calls()
        .list_competitions(ListCompetitionsRequest::default())
        .await;
    assert_eq!(list.expect("a list").into_inner().competitions, []);
    let actions: Vec<_> = olga
        .audit_entries(&draft)
        .await
        .iter()
        .map(AuditEntry::action)
        .collect();
    assert_eq!(
        actions,
        [
            AuditAction::CompetitionCreated,
            AuditAction::CompetitionDeleted
        ]
    );
}

#[tokio::test]
async fn what_users_have_seen_cannot_be_deleted() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    assert_rejected(
        olga.delete(&race).await,
        Code::FailedPrecondition,
        "COMPETITION_NOT_DRAFT",
    );
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(
        olga.delete(&race).await,
        Code::FailedPrecondition,
        "COMPETITION_NOT_DRAFT",
    );
}
