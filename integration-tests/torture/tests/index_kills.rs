//! A user's index and the competition are written one after the other. Here the service is killed between
//! the two, for real: the index was written, the script that decides is still on its way, and never arrives.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use domain::AddOptions;
use domain::{Action, CompetitionId, RequestId};
use integration_tests::{DAY, eventually, from_now};
use torture::ask::{Asker, Says, Try, Who};
use torture::history::{Answer, Call};
use torture::rewrite::Rewrite;
use torture::world::{Person, Service, World};

/// How often.
const KILLS: usize = 10;

async fn open(world: &World) -> CompetitionId {
    let cup = CompetitionId::parse("cup").expect("an id");
    let says = Says {
        details: api::v1::Competition {
            title: "Cup".to_owned(),
            registration_opens_at: Some(from_now(-DAY)),
            registration_closes_at: Some(from_now(29 * DAY)),
            starts_at: Some(from_now(30 * DAY)),
            ends_at: Some(from_now(31 * DAY)),
            ..api::v1::Competition::default()
        },
        ..Says::default()
    };
    for action in [Action::Create, Action::Publish] {
        let call = Call::Change(action);
        let asker = Asker::new(world);
        let made = asker.ask(&world.owner, &cup, RequestId::random(), &call, &says);
        assert!(matches!(made.await, Try::Answered(Answer::Competition(_))));
    }
    cup
}

/// How often the log has a request.
async fn times(world: &World, cup: &CompetitionId, request: RequestId) -> usize {
    let logs = world.logs(std::slice::from_ref(cup)).await;
    let of_request = logs[cup].iter();
    of_request
        .filter(|entry| entry.request_id == Some(request))
        .count()
}

/// Kills the service that is asked between the two writes, looks, and asks again.
async fn kill_between(
    world: &mut World,
    service: fn(&mut World) -> &mut Service,
    who: &Who,
    person: &Person,
    cup: &CompetitionId,
    call: Call,
) {
    let request = RequestId::random();
    let index = if who.is_organiser() {
        "added"
    } else {
        "competitions"
    };
    let index = format!("u:{{{}}}:{index}", person.id);
    let (asker, says) = (Asker::new(world), Says::default());

    service(world).to_redis.hold_scripts();
    let lost = {
        let ask = asker.ask(who, cup, request, &call, &says);
        let kill = async {
            eventually("the index is written", async || {
                world.root(&["HEXISTS", &index, cup.as_str()]).await
            })
            .await;
            service(world).kill().await;
        };
        tokio::join!(ask, kill).0
    };
    assert!(matches!(lost, Try::Lost), "{lost:?}");
    service(world).to_redis.throw_away();
    service(world).run(&[]).await;
    world.is_well().await;

    assert_eq!(times(world, cup, request).await, 0, "nothing was decided");
    let own = asker.my_registrations(&Who::from(person)).await;
    assert_eq!(own.expect("a list"), [], "nothing is shown");
    assert_eq!(world.findings().await, Vec::<String>::new());

    let again = asker.ask(who, cup, request, &call, &says).await;
    assert!(
        matches!(again, Try::Answered(Answer::Registration(_))),
        "{again:?}"
    );
    assert_eq!(times(world, cup, request).await, 1);
    let own = asker.my_registrations(&Who::from(person)).await;
    assert_eq!(own.expect("a list").len(), 1);
    assert_eq!(world.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_dies_between_index_and_decision_leaves_nothing_that_shows() {
    let mut world = World::with(&[], Some(Rewrite::new(|_| {}))).await;
    let cup = open(&world).await;
    for n in 0..KILLS {
        let person = world.accounts.person(&format!("runner-{n}")).await;
        let (who, call) = (Who::from(&person), Call::Register(person.id.clone()));
        kill_between(
            &mut world,
            |world| &mut world.user,
            &who,
            &person,
            &cup,
            call,
        )
        .await;
    }
    for n in 0..KILLS {
        let person = world.accounts.person(&format!("added-{n}")).await;
        let (who, call) = (
            world.owner.clone(),
            Call::Add(person.id.clone(), AddOptions::default()),
        );
        kill_between(
            &mut world,
            |world| &mut world.admin,
            &who,
            &person,
            &cup,
            call,
        )
        .await;
    }
}
