//! The contract as Rust types, generated from `proto/`.
//!
//! 1. [`v1`] – the messages that both services share
//! 2. [`admin`] – `AdminService`
//! 3. [`user`] – `UserService`
//! 4. [`diagnostics`] – `DiagnosticsService`, served by both
//! 5. [`health`] – the standard's `Health`, served by both
//! 6. [`DESCRIPTOR_SET`] – the contract as data, for reflection

#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    reason = "written by prost and tonic"
)]
mod generated;

pub use generated::grpc::health::v1 as health;
pub use generated::startlist::admin::v1 as admin;
pub use generated::startlist::diagnostics::v1 as diagnostics;
pub use generated::startlist::user::v1 as user;
pub use generated::startlist::v1;

/// All of `proto/` as an encoded `google.protobuf.FileDescriptorSet`, with
/// imports and comments, so that reflection can show both.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/startlist.binpb"));
