//! The command line of the binary.

use std::fs;
use std::io;
use std::net::SocketAddr;

use clap::{Parser, Subcommand};
use domain::password::WeakPassword;
use domain::{Email, Password};
use server::ServiceSettings;
use server::config::{RedisPassword, UnreadableFile};
use server::health::ProbeCommand;
use store::{AdminStore, InvalidUrl, Redis};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::FirstOwner;

/// The gRPC service for people who run competitions: competitions, who is registered, who runs them
///
/// Without a subcommand it serves until SIGTERM or Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "admin-service", version)]
pub struct Settings {
    /// What to do; `None` = serve.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where to listen
    #[arg(long, env = "STARTLIST_ADMIN_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,

    /// The e-mail address of the first owner, who is made if there is none; without one, a single-use
    /// token that makes the first owner is printed
    #[arg(long, env = "STARTLIST_OWNER_EMAIL", value_name = "EMAIL")]
    #[arg(value_parser = |text: &str| Email::parse(text), requires = "owner_password")]
    pub owner_email: Option<Email>,

    /// The file that holds the password of the first owner
    #[arg(long = "owner-password-file", env = "STARTLIST_OWNER_PASSWORD_FILE")]
    #[arg(value_name = "FILE", value_parser = password_in, requires = "owner_email")]
    pub owner_password: Option<Password>,

    /// What both services have.
    #[command(flatten)]
    pub service: ServiceSettings,
}

/// What the binary does beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Asks a running server for its health, says one line about it, and ends with 0 if it is SERVING, 1
    /// if it is not, 2 if nobody could be reached, 3 if no answer came in time.
    Probe(ProbeCommand),
}

/// A setting that is well-formed and still cannot be used. The sentence names it.
#[derive(Debug, Error)]
pub enum UnusableSetting {
    /// The password of the Redis user.
    #[error(transparent)]
    RedisPassword(#[from] UnreadableFile),
    /// Where Redis is.
    #[error("--redis-url (STARTLIST_REDIS_URL): {0}")]
    RedisUrl(#[from] InvalidUrl),
    /// Where to listen.
    #[error("--listen (STARTLIST_ADMIN_LISTEN): cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why the system refused it.
        source: io::Error,
    },
}

impl Settings {
    /// How the first owner comes to be.
    #[must_use]
    pub fn first_owner(&self) -> FirstOwner {
        match (self.owner_email.clone(), self.owner_password.clone()) {
            (Some(email), Some(password)) => FirstOwner::Named { email, password },
            _ => FirstOwner::ByToken,
        }
    }

    /// Prepares the store. Redis need not be there yet.
    pub fn connect(&self) -> Result<AdminStore, UnusableSetting> {
        let password = self.service.redis_password()?;
        let password = password.as_ref().map(RedisPassword::expose);
        let redis = Redis::new(self.service.redis_url.expose(), password)?;
        Ok(AdminStore::new(&redis))
    }

    /// Takes the address, so that clients can connect from now on.
    pub async fn bind(&self) -> Result<TcpListener, UnusableSetting> {
        let address = self.listen;
        let bound = TcpListener::bind(address).await;
        bound.map_err(|source| UnusableSetting::Listen { address, source })
    }
}

/// Why a file holds no password that can be set.
#[derive(Debug, Error)]
enum NoPassword {
    #[error("cannot read {path}: {source}")]
    Unreadable { path: String, source: io::Error },
    #[error("the password in the file {0}")]
    Weak(#[from] WeakPassword),
}

/// Reads a password, without the line's end.
fn password_in(path: &str) -> Result<Password, NoPassword> {
    let text = fs::read_to_string(path).map_err(|source| NoPassword::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let line = text.trim_end_matches(['\r', '\n']);
    Ok(Password::parse(line.to_owned())?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use clap::error::ErrorKind;
    use tempfile::NamedTempFile;

    use super::*;

    fn file(text: &str) -> NamedTempFile {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    }

    fn parse(flags: &[&str]) -> Result<FirstOwner, clap::Error> {
        let flags = ["admin-service"].iter().chain(flags);
        Settings::try_parse_from(flags).map(|settings| settings.first_owner())
    }

    #[test]
    fn the_first_owner_has_the_password_in_the_file_without_the_end_of_the_line() {
        for text in [
            "vier worte am see",
            "vier worte am see\n",
            "vier worte am see\r\n",
        ] {
            let file = file(text);
            let path = file.path().to_str().expect("a path");
            let flags = [
                "--owner-email",
                "ada@example.org",
                "--owner-password-file",
                path,
            ];
            let Ok(FirstOwner::Named { password, .. }) = parse(&flags) else {
                panic!("{text:?} is a good password");
            };
            assert_eq!(password.as_bytes(), b"vier worte am see");
        }
    }

    #[test]
    fn without_a_named_owner_there_is_a_token() {
        assert!(matches!(parse(&[]), Ok(FirstOwner::ByToken)));
    }

    #[test]
    fn a_password_that_cannot_be_set_is_refused_and_not_shown() {
        let file = file("s3cret\n");
        let path = file.path().to_str().expect("a path");
        for path in [path, "/nowhere/secret"] {
            let flags = [
                "--owner-email",
                "ada@example.org",
                "--owner-password-file",
                path,
            ];
            let error = parse(&flags).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::ValueValidation);
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn an_email_and_a_password_belong_together() {
        let file = file("vier worte am see");
        let path = file.path().to_str().expect("a path");
        for half in [
            ["--owner-email", "ada@example.org"],
            ["--owner-password-file", path],
        ] {
            let error = parse(&half).expect_err("the other half is missing");
            assert_eq!(error.kind(), ErrorKind::MissingRequiredArgument);
        }
    }
}
