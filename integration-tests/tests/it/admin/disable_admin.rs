use domain::Role;
use integration_tests::{Startlist, assert_rejected, reason};

#[tokio::test]
async fn a_disabled_admin_is_refused_from_the_next_call_on() {
    let app = Startlist::start().await;
    let (owner, olga) = (app.owner().await, app.organiser().await);
    assert!(owner.disable(&olga.id).await.expect("disabled").disabled);
    assert_rejected(olga.me().await, reason::UNAUTHENTICATED);
    let again = owner.disable(&olga.id).await;
    assert!(again.expect("disabled already").disabled);
}

#[tokio::test]
async fn the_last_owner_and_an_unknown_admin_cannot_be_disabled() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let refusal = assert_rejected(owner.disable(&owner.id).await, reason::LAST_OWNER);
    assert_eq!(refusal.fact("admin_id"), owner.id);

    let dora = app.new_admin("dora", Role::Owner).await;
    owner
        .disable(&owner.id)
        .await
        .expect("there is another owner");
    assert_rejected(dora.disable(&dora.id).await, reason::LAST_OWNER);
    let unknown = dora.disable("no-such-admin").await;
    let refusal = assert_rejected(unknown, reason::ADMIN_NOT_FOUND);
    let resource = refusal.details.resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_name, "no-such-admin");
}
