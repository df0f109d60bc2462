use api::admin::{AuditAction, AuditEntry, GetCompetitionRequest, ListCompetitionsRequest};
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_deleted_draft_is_not_found_and_its_log_stays() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let draft = app.competition().draft().await;
    olga.delete(&draft).await.expect("deleted");

    let competition_id = draft.competition_id.clone();
    let request = GetCompetitionRequest { competition_id };
    let reply = olga.calls().get_competition(request).await;
    assert_rejected(reply, reason::COMPETITION_NOT_FOUND);
    let request = ListCompetitionsRequest::default();
    let list = olga.calls().list_competitions(request).await;
    assert_eq!(list.expect("a list").into_inner().competitions, []);
    let log = olga.audit_entries(&draft).await;
    let actions: Vec<_> = log.iter().map(AuditEntry::action).collect();
    let expected = [
        AuditAction::CompetitionCreated,
        AuditAction::CompetitionDeleted,
    ];
    assert_eq!(actions, expected);
}

#[tokio::test]
async fn a_published_or_cancelled_competition_cannot_be_deleted() {
    let app = Startlist::start().await;
    let olga = app.organiser().await;
    let race = app.competition().open().await;
    assert_rejected(olga.delete(&race).await, reason::COMPETITION_NOT_DRAFT);
    olga.cancel(&race).await.expect("cancelled");
    assert_rejected(olga.delete(&race).await, reason::COMPETITION_NOT_DRAFT);
}
