//! The command line of the binary.

use std::net::SocketAddr;

use clap::Parser;
use server::{ServiceCommand, ServiceProgram, ServiceSettings};

/// The gRPC service for competitors: accounts, competitions, registrations
///
/// Without a subcommand it serves until SIGTERM or Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "user-service", version)]
pub struct Settings {
    #[command(subcommand)]
    command: Option<ServiceCommand>,

    /// The address to listen on
    #[arg(long, env = "STARTLIST_USER_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50052")]
    listen: SocketAddr,

    #[command(flatten)]
    service: ServiceSettings,
}

impl Settings {
    #[must_use]
    pub fn program(self) -> ServiceProgram {
        ServiceProgram {
            name: "user-service",
            command: self.command,
            listen: self.listen,
            listen_setting: "--listen (STARTLIST_USER_LISTEN)",
            settings: self.service,
        }
    }
}
