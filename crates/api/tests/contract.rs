//! The contract follows its own conventions. Checked on the descriptors that reflection serves.

#![allow(clippy::expect_used, reason = "in a test a panic is the report")]

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    MethodDescriptorProto,
};

/// Field numbers of `google/protobuf/descriptor.proto`, which make up the path of a comment.
mod path {
    pub(super) const FILE_MESSAGE: i32 = 4;
    pub(super) const FILE_ENUM: i32 = 5;
    pub(super) const FILE_SERVICE: i32 = 6;
    pub(super) const MESSAGE_FIELD: i32 = 2;
    pub(super) const MESSAGE_NESTED: i32 = 3;
    pub(super) const MESSAGE_ENUM: i32 = 4;
    pub(super) const MESSAGE_ONEOF: i32 = 8;
    pub(super) const ENUM_VALUE: i32 = 2;
    pub(super) const SERVICE_METHOD: i32 = 2;
}

fn all_files() -> Vec<FileDescriptorProto> {
    let set = FileDescriptorSet::decode(api::DESCRIPTOR_SET).expect("the descriptor set decodes");
    set.file
}

fn our_files() -> Vec<FileDescriptorProto> {
    let ours = |file: &FileDescriptorProto| file.package().starts_with("startlist.");
    all_files().into_iter().filter(ours).collect()
}

/// Returns the comments of a file by their paths.
fn comments(file: &FileDescriptorProto) -> HashMap<&[i32], &str> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    locations
        .map(|location| (location.path.as_slice(), location.leading_comments().trim()))
        .filter(|(_, comment)| !comment.is_empty())
        .collect()
}

/// Everything in a file that needs a comment: its name and its path.
#[derive(Default)]
struct Commentable(Vec<(String, Vec<i32>)>);

impl Commentable {
    fn of(file: &FileDescriptorProto) -> Vec<(String, Vec<i32>)> {
        let mut found = Self::default();
        for (n, message) in (0..).zip(&file.message_type) {
            found.message(&[path::FILE_MESSAGE, n], message);
        }
        for (n, one) in (0..).zip(&file.enum_type) {
            found.enumeration(&[path::FILE_ENUM, n], one);
        }
        for (n, service) in (0..).zip(&file.service) {
            found.add(&[path::FILE_SERVICE, n], service.name());
            for (m, method) in (0..).zip(&service.method) {
                let path = [path::FILE_SERVICE, n, path::SERVICE_METHOD, m];
                found.add(&path, method.name());
            }
        }
        found.0
    }

    fn add(&mut self, path: &[i32], name: &str) {
        self.0.push((name.to_owned(), path.to_vec()));
    }

    fn message(&mut self, path: &[i32], message: &DescriptorProto) {
        self.add(path, message.name());
        for (n, field) in (0..).zip(&message.field) {
            self.add(&[path, &[path::MESSAGE_FIELD, n]].concat(), field.name());
        }
        for (n, oneof) in (0..).zip(&message.oneof_decl) {
            // The compiler generates a oneof for every `optional` field.
            if !oneof.name().starts_with('_') {
                self.add(&[path, &[path::MESSAGE_ONEOF, n]].concat(), oneof.name());
            }
        }
        for (n, nested) in (0..).zip(&message.nested_type) {
            self.message(&[path, &[path::MESSAGE_NESTED, n]].concat(), nested);
        }
        for (n, one) in (0..).zip(&message.enum_type) {
            self.enumeration(&[path, &[path::MESSAGE_ENUM, n]].concat(), one);
        }
    }

    fn enumeration(&mut self, path: &[i32], one: &EnumDescriptorProto) {
        self.add(path, one.name());
        for (n, value) in (0..).zip(&one.value) {
            self.add(&[path, &[path::ENUM_VALUE, n]].concat(), value.name());
        }
    }
}

/// The RPCs of Startlist, and the field names of each message by its full name.
struct Calls {
    methods: Vec<MethodDescriptorProto>,
    fields: HashMap<String, HashSet<String>>,
}

impl Calls {
    fn of_ours() -> Self {
        let files = our_files();
        let mut fields = HashMap::new();
        for file in &files {
            for message in &file.message_type {
                let name = format!(".{}.{}", file.package(), message.name());
                let names = message.field.iter().map(|field| field.name().to_owned());
                fields.insert(name, names.collect());
            }
        }
        let services = files.into_iter().flat_map(|file| file.service);
        let methods = services.flat_map(|service| service.method).collect();
        Self { methods, fields }
    }

    fn request_has(&self, method: &MethodDescriptorProto, field: &str) -> bool {
        self.fields[method.input_type()].contains(field)
    }

    fn response_has(&self, method: &MethodDescriptorProto, field: &str) -> bool {
        self.fields[method.output_type()].contains(field)
    }
}

#[test]
fn everything_has_a_comment_that_reflection_shows() {
    let (mut seen, mut without) = (0, Vec::new());
    for file in &our_files() {
        let comments = comments(file);
        for (name, path) in Commentable::of(file) {
            seen += 1;
            if !comments.contains_key(path.as_slice()) {
                without.push(format!("{}: {name}", file.name()));
            }
        }
    }
    assert!(without.is_empty(), "no comment: {without:#?}");
    assert!(seen > 300, "only {seen} items were checked");
}

#[test]
fn every_rpc_documents_its_errors() {
    let mut seen = 0;
    for file in &our_files() {
        for (path, comment) in comments(file) {
            if let [path::FILE_SERVICE, _, path::SERVICE_METHOD, _] = path {
                seen += 1;
                assert!(comment.contains("\n Errors: "), "{comment}");
            }
        }
    }
    assert_eq!(seen, Calls::of_ours().methods.len());
}

#[test]
fn every_rpc_that_writes_has_a_request_id() {
    let calls = Calls::of_ours();
    for method in &calls.methods {
        let starts_with = |verb: &&str| method.name().starts_with(*verb);
        let reads = ["Get", "List", "Export"].iter().any(starts_with);
        let is_session = ["SignIn", "SignOut"].contains(&method.name());
        let has_request_id = calls.request_has(method, "request_id");
        assert_eq!(has_request_id, !reads && !is_session, "{}", method.name());
    }
}

#[test]
fn every_list_and_the_export_have_pages_and_no_other_rpc_has() {
    let calls = Calls::of_ours();
    for method in &calls.methods {
        let name = method.name();
        let lists = name.starts_with("List") || name == "ExportMe";
        assert_eq!(calls.request_has(method, "page_size"), lists, "{name}");
        assert_eq!(calls.request_has(method, "page_token"), lists, "{name}");
        assert_eq!(
            calls.response_has(method, "next_page_token"),
            lists,
            "{name}"
        );
    }
}

/// Compares with `grpc/health/v1/health.proto` of github.com/grpc/grpc-proto, with `List` of gRFC
/// A90.
#[test]
fn the_health_protocol_is_the_standard_one() {
    let files = all_files();
    let health = files.iter().find(|file| file.package() == "grpc.health.v1");
    let health = health.expect("the health protocol");

    let calls = health.service[0].method.iter();
    let calls: Vec<_> = calls
        .map(|call| {
            (
                call.name(),
                call.input_type(),
                call.output_type(),
                call.server_streaming(),
            )
        })
        .collect();
    let (check, answer) = (
        ".grpc.health.v1.HealthCheckRequest",
        ".grpc.health.v1.HealthCheckResponse",
    );
    let (list, answers) = (
        ".grpc.health.v1.HealthListRequest",
        ".grpc.health.v1.HealthListResponse",
    );
    assert_eq!(health.service[0].name(), "Health");
    assert_eq!(
        calls,
        [
            ("Check", check, answer, false),
            ("List", list, answers, false),
            ("Watch", check, answer, true)
        ]
    );

    let fields = health
        .message_type
        .iter()
        .flat_map(|message| &message.field);
    let fields: Vec<_> = fields.map(|field| (field.name(), field.number())).collect();
    assert_eq!(fields, [("service", 1), ("status", 1), ("statuses", 1)]);

    let status = &health.message_type[1].enum_type[0];
    let values: Vec<_> = status
        .value
        .iter()
        .map(|value| (value.name(), value.number()))
        .collect();
    assert_eq!(status.name(), "ServingStatus");
    assert_eq!(
        values,
        [
            ("UNKNOWN", 0),
            ("SERVING", 1),
            ("NOT_SERVING", 2),
            ("SERVICE_UNKNOWN", 3)
        ]
    );
}
