//! What a client sends back as a cursor.

use domain::RegistrationState::Confirmed;
use store::{Cursor, PageRequest};

use super::list;
use crate::world::{World, places};

#[tokio::test]
async fn a_cursor_that_a_client_made_up_does_no_harm() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    let user = world.person().await;
    world.register(&user, &cup).await.expect("in");
    for made_up in [
        "18446744073709551615",
        "99999999999999999999",
        "-1",
        "0",
        "[",
        "(",
        "\u{0}",
        "é",
    ] {
        let page = PageRequest {
            size: 10,
            after: Some(Cursor(made_up.as_bytes().to_vec())),
        };
        world.admin.audit_entries(&cup, &page).await.expect(made_up);
        world
            .admin
            .list_entries(&cup, &[Confirmed], &page)
            .await
            .expect(made_up);
        world
            .admin
            .list_competitions(&list(page.clone()))
            .await
            .expect(made_up);
        world.admin.list_users(&page).await.expect(made_up);
        world.admin.list_admins(&page).await.expect(made_up);
        world
            .user
            .my_registrations(&user, &page)
            .await
            .expect(made_up);
    }
}
