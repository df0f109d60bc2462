//! Reflection: tools read the contract and its comments from a running server.

use http::uri::PathAndQuery;
use integration_tests::Startlist;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::contract::{ADMIN, USER};

/// Both versions are in use by tools. Their messages are the same.
const VERSIONS: [&str; 2] = ["v1", "v1alpha"];

async fn ask(
    channel: Channel,
    version: &str,
    request: MessageRequest,
) -> Result<MessageResponse, Status> {
    let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
    let path: PathAndQuery = path.parse().expect("a path");
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let mut client = Grpc::new(channel);
    client.ready().await.expect("a connection");
    let codec = ProstCodec::<ServerReflectionRequest, ServerReflectionResponse>::default();
    let request = Request::new(tokio_stream::once(request));
    let mut replies = client.streaming(request, path, codec).await?.into_inner();
    let reply = replies.message().await?.expect("a reply");
    Ok(reply.message_response.expect("a response"))
}

/// The names of all services.
async fn services(channel: Channel, version: &str) -> Result<Vec<String>, Status> {
    match ask(
        channel,
        version,
        MessageRequest::ListServices(String::new()),
    )
    .await?
    {
        MessageResponse::ListServicesResponse(list) => Ok(list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect()),
        other => panic!("{other:?}"),
    }
}

/// The file that defines a symbol.
async fn file_of(channel: Channel, version: &str, symbol: &str) -> FileDescriptorProto {
    let request = MessageRequest::FileContainingSymbol(symbol.to_owned());
    match ask(channel, version, request).await.expect("a reply") {
        MessageResponse::FileDescriptorResponse(files) => {
            let file = files.file_descriptor_proto.first().expect("a file");
            FileDescriptorProto::decode(file.as_slice()).expect("a file")
        }
        other => panic!("{symbol}: {other:?}"),
    }
}

#[tokio::test]
async fn each_server_lists_its_own_services_and_not_those_of_the_other() {
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
async fn the_comments_of_the_contract_are_included() {
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
            .expect("source information")
            .location
            .into_iter()
            .filter_map(|location| location.leading_comments)
            .collect();
        let has = |text: &str| comments.iter().any(|comment| comment.contains(text));
        assert!(
            has("Registers the caller: CONFIRMED if a place is free"),
            "the comment of an RPC"
        );
        assert!(
            has("Changes nothing and returns what the call would return now"),
            "the comment of a field"
        );
    }
}

#[tokio::test]
async fn imported_messages_and_services_are_included() {
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
async fn a_setting_switches_reflection_off() {
    let app = Startlist::with(&["--reflection", "false"]).await;
    for version in VERSIONS {
        for channel in [app.admin_channel(), app.user_channel()] {
            let status = services(channel, version)
                .await
                .expect_err("reflection is off");
            assert_eq!(status.code(), Code::Unimplemented);
        }
    }
}
