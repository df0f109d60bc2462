//! The contract as Rust types, generated from `proto/`, and the way from and to the domain.
//!
//! In reading order:
//! - [`v1`], the messages that both services share.
//! - [`admin`], [`user`], the two services.
//! - [`diagnostics`], [`health`], what both of them serve beside.
//! - [`request`], what a request says, in words of the domain: each is parsed once, at the door.
//! - [`convert`], what the domain says, in words of the contract.
//! - [`DESCRIPTOR_SET`], the contract as data, for reflection.

pub mod convert;
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    reason = "written by prost and tonic"
)]
mod generated;
pub mod request;

pub use generated::grpc::health::v1 as health;
pub use generated::startlist::admin::v1 as admin;
pub use generated::startlist::diagnostics::v1 as diagnostics;
pub use generated::startlist::user::v1 as user;
pub use generated::startlist::v1;

/// All of `proto/` as an encoded `google.protobuf.FileDescriptorSet`, with imports and comments, so
/// that reflection can show both.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/startlist.binpb"));
