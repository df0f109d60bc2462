//! Reflection: the contract and its comments, for tools.

use http::uri::PathAndQuery;
use integration_tests::Startlist;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest as Question;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse as Answer;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::contract::{ADMIN, USER};

/// Both are asked by tools, old and new. Their messages are the same.
const VERSIONS: [&str; 2] = ["v1", "v1alpha"];

async fn ask(channel: Channel, version: &str, question: Question) -> Result<Answer, Status> {
    let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
    let path: PathAndQuery = path.parse().expect("a path");
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    let mut client = Grpc::new(channel);
    client.ready().await.expect("a connection");
    let codec = ProstCodec::<ServerReflectionRequest, ServerReflectionResponse>::default();
    let request = Request::new(tokio_stream::once(question));
    let mut answers = client.streaming(request, path, codec).await?.into_inner();
    let answer = answers.message().await?.expect("an answer");
    Ok(answer.message_response.expect("what was asked"))
}

/// The names of all services.
async fn services(channel: Channel, version: &str) -> Result<Vec<String>, Status> {
    match ask(channel, version, Question::ListServices(String::new())).await? {
        Answer::ListServicesResponse(list) => Ok(list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect()),
        other => panic!("{other:?}"),
    }
}

/// The file that defines a symbol.
async fn file_of(channel: Channel, version: &str, symbol: &str) -> FileDescriptorProto {
    let question = Question::FileContainingSymbol(symbol.to_owned());
    match ask(channel, version, question).await.expect("an answer") {
        Answer::FileDescriptorResponse(files) => {
            let file = files.file_descriptor_proto.first().expect("a file");
            FileDescriptorProto::decode(file.as_slice()).expect("a file")
        }
        other => panic!("{symbol}: {other:?}"),
    }
}

#[tokio::test]
async fn each_server_lists_what_it_serves_and_not_what_the_other_one_does() {
    let app = Startlist::start().await;
    for version in VERSIONS {
        for (channel, own, other) in [
            (app.admin_channel(), ADMIN, USER),
            (app.user_channel(), USER, ADMIN),
        ] {
            let listed = services(channel, version).await.expect("a list");
            let has = |name: &str| listed.iter().any(|listed| listed == name);
            assert!(has(own) && !has(other), "{listed:?}");
            assert!(has("grpc.health.v1.Health"), "{listed:?}");
            assert!(
                has("startlist.diagnostics.v1.DiagnosticsService"),
                "{listed:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_comments_of_the_contract_reach_it() {
    let app = Startlist::start().await;
    for version in VERSIONS {
        let file = file_of(app.user_channel(), version, USER).await;
        let request: Vec<&DescriptorProto> = file
            .message_type
            .iter()
            .filter(|message| message.name() == "RegisterRequest")
            .collect();
        assert_eq!(request.len(), 1);
        let comments: Vec<_> = file
            .source_code_info
            .expect("where things stand")
            .location
            .into_iter()
            .filter_map(|location| location.leading_comments)
            .collect();
        let said = |words: &str| comments.iter().any(|comment| comment.contains(words));
        assert!(
            said("Registers the caller: CONFIRMED if a place is free"),
            "of an RPC"
        );
        assert!(
            said("Changes nothing and returns what the call would return now"),
            "of a field"
        );
    }
}

#[tokio::test]
async fn what_a_message_refers_to_can_be_asked_for() {
    let app = Startlist::start().await;
    for version in VERSIONS {
        for symbol in [
            "startlist.v1.Competition",
            "google.protobuf.FieldMask",
            "grpc.health.v1.Health",
        ] {
            file_of(app.admin_channel(), version, symbol).await;
        }
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let app = Startlist::with(&["--reflection", "false"]).await;
    for version in VERSIONS {
        for channel in [app.admin_channel(), app.user_channel()] {
            let status = services(channel, version).await.expect_err("it is off");
            assert_eq!(status.code(), Code::Unimplemented);
        }
    }
}
