//! The command line of the binary.

use std::net::SocketAddr;

use clap::{Args, Parser};
use server::config::count;
use server::{ServiceCommand, ServiceProgram, ServiceSettings};
use store::keys::People;

use crate::SignUpLimit;

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
    sign_ups: SignUpSettings,

    #[command(flatten)]
    service: ServiceSettings,
}

/// The limits of sign-ups, which `startlist` has too.
#[derive(Debug, Clone, Args)]
pub struct SignUpSettings {
    /// The accounts that one network may create at once, and per hour on average; 0 = no limit
    ///
    /// The default lets the classes of a school sign up together behind one address. It keeps a
    /// stranger from filling Redis: 200 accounts take some 1.2 MB.
    #[arg(long, env = "STARTLIST_SIGN_UPS_PER_HOUR", value_name = "NUMBER")]
    #[arg(default_value = "200", value_parser = count, allow_negative_numbers = true)]
    sign_ups_per_hour: u32,
}

impl SignUpSettings {
    #[must_use]
    pub fn limit(&self) -> SignUpLimit {
        SignUpLimit::new(self.sign_ups_per_hour)
    }
}

impl Settings {
    #[must_use]
    pub fn sign_up_limit(&self) -> SignUpLimit {
        self.sign_ups.limit()
    }

    #[must_use]
    pub fn program(self) -> ServiceProgram {
        ServiceProgram {
            name: "user-service",
            people: People::Users,
            command: self.command,
            listen: self.listen,
            listen_setting: "--listen (STARTLIST_USER_LISTEN)",
            settings: self.service,
        }
    }
}
