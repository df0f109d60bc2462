//! Generates the Rust code of `crates/api` from `proto/`, without `protoc` and without network.
//!
//! Cargo runs this with `crates/api` as the current directory.

use std::{env, error::Error, fs, path::PathBuf};

const PROTO: &str = "../../proto";

/// The files that define a service. Their imports are included.
const SERVICES: [&str; 4] = [
    "grpc/health/v1/health.proto",
    "startlist/admin/v1/admin_service.proto",
    "startlist/diagnostics/v1/diagnostics_service.proto",
    "startlist/user/v1/user_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");

    let mut compiler = protox::Compiler::new([PROTO])?;
    compiler
        .include_imports(true)
        .include_source_info(true)
        .open_files(SERVICES)?;

    // Encode with protox, because prost drops the options that it does not know.
    let descriptor_set = PathBuf::from(env::var("OUT_DIR")?).join("startlist.binpb");
    fs::write(descriptor_set, compiler.encode_file_descriptor_set())?;

    // tonic-health has these messages and their client. Only List and the server trait are missing
    // there.
    tonic_prost_build::configure()
        .extern_path(
            ".grpc.health.v1.HealthCheckRequest",
            "::tonic_health::pb::HealthCheckRequest",
        )
        .extern_path(
            ".grpc.health.v1.HealthCheckResponse",
            "::tonic_health::pb::HealthCheckResponse",
        )
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
