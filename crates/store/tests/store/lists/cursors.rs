//! Cursors that a client made up.

use domain::RegistrationState::Confirmed;
use store::{Cursor, PageRequest};

use super::list;
use crate::world::{World, places};

#[tokio::test]
async fn a_made_up_cursor_never_fails_a_list() {
    let world = World::new().await;
    let cup = world.competition(places(5)).await;
    let user = world.person().await;
    world.register(&user, &cup).await.expect("in");
    let long = [b'9'; 1000];
    for made_up in [
        &b"18446744073709551615"[..],
        b"99999999999999999999",
        b"-1",
        b"0",
        b"1e300",
        b"nan",
        b"[",
        b"(",
        b"+",
        b"\0",
        b"a\nb",
        "é".as_bytes(),
        b"\xff\xfe",
        &long,
    ] {
        let after = Cursor::from_bytes(made_up.to_vec());
        let made_up = &String::from_utf8_lossy(made_up);
        let page = PageRequest {
            size: 10,
            after: Some(after),
        };
        world.admin.audit_entries(&cup, &page).await.expect(made_up);
        world
            .admin
            .list_registrations(&cup, &[Confirmed], &page)
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
