use api::admin::{DisableAdminRequest, GetMeRequest};
use domain::Role;
use integration_tests::{Startlist, assert_rejected};
use tonic::Code;

fn disable(admin_id: &str) -> DisableAdminRequest {
    DisableAdminRequest {
        admin_id: admin_id.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_disabled_admin_is_out_with_the_next_call() {
    let app = Startlist::start().await;
    let (owner, olga) = (app.owner().await, app.organiser().await);
    let disabled = owner
        .calls()
        .disable_admin(disable(&olga.id))
        .await
        .expect("disabled");
    assert!(disabled.into_inner().admin.expect("an admin").disabled);
    let answer = olga.calls().get_me(GetMeRequest {}).await;
    assert_rejected(answer, Code::Unauthenticated, "UNAUTHENTICATED");

    let again = owner
        .calls()
        .disable_admin(disable(&olga.id))
        .await
        .expect("it stays so");
    assert!(again.into_inner().admin.expect("an admin").disabled);
}

#[tokio::test]
async fn the_last_owner_cannot_be_disabled() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let answer = owner.calls().disable_admin(disable(&owner.id)).await;
    let refusal = assert_rejected(answer, Code::FailedPrecondition, "LAST_OWNER");
    assert_eq!(refusal.fact("admin_id"), owner.id);

    let second = app.new_admin("dora", Role::Owner).await;
    owner
        .calls()
        .disable_admin(disable(&owner.id))
        .await
        .expect("there is another one");
    let answer = second.calls().disable_admin(disable(&second.id)).await;
    assert_rejected(answer, Code::FailedPrecondition, "LAST_OWNER");
}

#[tokio::test]
async fn nobody_cannot_be_disabled() {
    let app = Startlist::start().await;
    let owner = app.owner().await;
    let answer = owner.calls().disable_admin(disable("no-such-admin")).await;
    let refusal = assert_rejected(answer, Code::NotFound, "ADMIN_NOT_FOUND");
    let resource = refusal.details.resource_info().expect("ResourceInfo");
    assert_eq!(resource.resource_name, "no-such-admin");
}
