//! The index of a user and the competition are written one after the other. These tests kill the
//! service between the two writes: the index is written, and the script that decides never arrives.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::sync::Arc;

use api::v1::Competition;
use domain::{AddOptions, CompetitionId};
use testkit::{CompetitionBuilder, Random, eventually};
use torture::client::{AttemptResult, Client, Request};
use torture::history::{Call, Observation};
use torture::world::rewrite::Rewrite;
use torture::world::{Service, SignedInAccount, World};

const KILLS: usize = 10;

fn client(world: &World, account: &SignedInAccount) -> Client {
    Client::new(world, account.clone(), Random::new(0), Arc::default())
}

async fn open_competition(world: &World) -> CompetitionId {
    let competition = CompetitionId::parse("cup").expect("a valid id");
    let details = Competition::from(CompetitionBuilder::new().build());
    let organiser = client(world, &world.owner);
    for call in [Call::Create(Box::new(details)), Call::Publish] {
        let request = organiser.request(competition.clone(), call);
        let result = organiser.attempt(&request).await;
        assert!(matches!(
            result,
            AttemptResult::Response(Observation::Competition(_))
        ));
    }
    competition
}

/// Registers a new user.
async fn register(world: &World, competition: &CompetitionId, name: &str) {
    let user = world.accounts.user(name).await;
    let client = client(world, &user);
    let call = Call::Register(user.user_id().clone());
    let request = client.request(competition.clone(), call);
    let result = client.attempt(&request).await;
    assert!(
        matches!(
            result,
            AttemptResult::Response(Observation::Registration(_))
        ),
        "{result:?}"
    );
}

/// Checks how often the log has a request, how many registrations the user sees, and all data in
/// Redis.
async fn assert_decided(world: &World, request: &Request, user: &SignedInAccount, count: usize) {
    let logs = world.logs(std::slice::from_ref(&request.competition)).await;
    let entries = logs[&request.competition].iter();
    let entries = entries.filter(|entry| entry.request_id == Some(request.id));
    assert_eq!(entries.count(), count);
    let listed = client(world, user).list_my_registrations().await;
    assert_eq!(listed.expect("a list").len(), count);
    assert_eq!(world.findings().await, Vec::<String>::new());
}

/// Sends a request, kills the service between the two writes, checks that nothing is visible, and
/// sends the request again.
async fn kill_between(
    world: &mut World,
    service: fn(&mut World) -> &mut Service,
    user: &SignedInAccount,
    request: &Request,
) {
    let client = client(world, &request.account);
    let index = if request.account.is_organiser() {
        format!("u:{{{}}}:added", user.user_id())
    } else {
        format!("u:{{{}}}:competitions", user.user_id())
    };
    service(world).to_redis.hold_scripts();
    let kill = async {
        eventually("the index is written", async || {
            let command = ["HEXISTS", &index, request.competition.as_str()];
            world.redis.root(&command).await
        })
        .await;
        service(world).kill().await;
    };
    let (lost, ()) = tokio::join!(client.attempt(request), kill);
    assert!(matches!(lost, AttemptResult::Lost), "{lost:?}");
    service(world).to_redis.discard_held_scripts();
    service(world).start().await;
    world.wait_until_serving().await;
    assert_decided(world, request, user, 0).await;

    let result = client.attempt(request).await;
    assert!(
        matches!(
            result,
            AttemptResult::Response(Observation::Registration(_))
        ),
        "{result:?}"
    );
    assert_decided(world, request, user, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_killed_between_index_and_decision_leaves_nothing_visible() {
    let mut world = World::with(&[], Some(Rewrite::nothing())).await;
    let competition = open_competition(&world).await;
    for n in 0..KILLS {
        // A service asks the competition before its first registration, with the same script.
        register(&world, &competition, &format!("first-{n}")).await;
        let user = world.accounts.user(&format!("runner-{n}")).await;
        let call = Call::Register(user.user_id().clone());
        let request = client(&world, &user).request(competition.clone(), call);
        kill_between(&mut world, |world| &mut world.user, &user, &request).await;
    }
    for n in 0..KILLS {
        let user = world.accounts.user(&format!("added-{n}")).await;
        let call = Call::Add {
            user: user.user_id().clone(),
            email: None,
            options: AddOptions::default(),
        };
        let request = client(&world, &world.owner).request(competition.clone(), call);
        kill_between(&mut world, |world| &mut world.admin, &user, &request).await;
    }
}
