//! What the standard says, and any client of it can rely on.

use std::time::Duration;

use ServingStatus::{NotServing, ServiceUnknown, Serving};
use api::health::health_check_response::ServingStatus;
use testkit::{TestRedis, eventually};
use tonic::Code;
use tonic::transport::Endpoint;

use crate::server::{NOWHERE, SERVICE, Server};

/// Long enough to notice a message that must not come.
const A_WHILE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn check_of_an_unknown_name_is_not_found() {
    let server = Server::start(NOWHERE, None).await;
    let client = server.client().await;
    assert_eq!(
        client.check("startlist.test.v1.Other").await,
        Err(Code::NotFound)
    );
    assert_eq!(client.check("DEEP").await, Err(Code::NotFound));
}

#[tokio::test]
async fn the_stubs_of_another_generator_work() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

    let server = Server::start(NOWHERE, None).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).expect("an address");
    let mut client = HealthClient::new(endpoint.connect().await.expect("a connection"));
    for (service, status) in [("", 1), ("readiness", 2)] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = client
            .check(request.clone())
            .await
            .expect("an answer")
            .into_inner();
        assert_eq!(answer.status, status, "Check {service:?}");
        let stream = client.watch(request).await.expect("a stream");
        let first = stream
            .into_inner()
            .message()
            .await
            .expect("a message")
            .expect("one");
        assert_eq!(first.status, status, "Watch {service:?}");
    }
}

#[tokio::test]
async fn before_it_is_initialised_a_server_is_alive_and_nothing_else() {
    let server = Server::begin_at("127.0.0.1:0", NOWHERE, None).await;
    let client = server.client().await;
    for name in ["", SERVICE, "readiness", "deep", "redis", "peer"] {
        assert_eq!(client.check(name).await, Ok(NotServing), "{name:?}");
    }
    assert_eq!(client.check("liveness").await, Ok(Serving));
    server.health.initialised();
    for name in ["", SERVICE, "liveness"] {
        assert_eq!(client.check(name).await, Ok(Serving), "{name:?}");
    }
}

#[tokio::test]
async fn list_answers_all_names() {
    let redis = TestRedis::start();
    let server = Server::start(&redis.url("user-service"), None).await;
    let client = server.client().await;
    let expected = [
        ("", Serving),
        ("deep", NotServing),
        ("liveness", Serving),
        ("peer", NotServing),
        ("readiness", Serving),
        ("redis", Serving),
        (SERVICE, Serving),
    ]
    .map(|(name, status)| (name.to_owned(), status));
    eventually("all names are listed", async || {
        client.list().await == Ok(expected.to_vec())
    })
    .await;
}

#[tokio::test]
async fn what_nobody_has_asked_before_is_asked_before_it_is_answered() {
    let redis = TestRedis::start();
    for method in ["Check", "List", "Watch"] {
        eventually(
            &format!("{method} says at first that redis is up"),
            async || {
                // Not initialised, it has asked nobody yet.
                let server =
                    Server::begin_at("127.0.0.1:0", &redis.url("user-service"), None).await;
                let client = server.client().await;
                let status = match method {
                    "Check" => client.check("redis").await.ok(),
                    "Watch" => client.watch("redis").await.next().await,
                    _ => {
                        let names = client.list().await.expect("the names");
                        let redis = names.into_iter().find(|(name, _)| name == "redis");
                        redis.map(|(_, status)| status)
                    }
                };
                status == Some(Serving)
            },
        )
        .await;
    }
}

#[tokio::test]
async fn watch_sends_the_status_at_once_and_then_only_changes() {
    let mut redis = TestRedis::start();
    redis.kill();
    let server = Server::start(&redis.url("user-service"), None).await;
    let mut watcher = server.client().await.watch("readiness").await;
    assert_eq!(watcher.next().await, Some(NotServing));
    assert!(watcher.is_silent_for(A_WHILE).await);
    redis.restart().expect("Redis is back");
    assert_eq!(watcher.next().await, Some(Serving));
    assert!(watcher.is_silent_for(A_WHILE).await);
    server.health.drain();
    assert_eq!(watcher.next().await, Some(NotServing));
    assert_eq!(watcher.next().await, None);
}

#[tokio::test]
async fn watch_of_an_unknown_name_stays_open() {
    let server = Server::start(NOWHERE, None).await;
    let mut watcher = server.client().await.watch("later").await;
    assert_eq!(watcher.next().await, Some(ServiceUnknown));
    assert!(watcher.is_silent_for(A_WHILE).await);
    server.health.drain();
    assert_eq!(watcher.next().await, None);
}
