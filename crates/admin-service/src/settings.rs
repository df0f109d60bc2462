//! The command line of the binary.

use std::net::SocketAddr;

use clap::Parser;
use domain::Email;
use server::config::{PasswordFile, UnusablePassword};
use server::{ServiceCommand, ServiceProgram, ServiceSettings};
use store::keys::People;

use crate::FirstOwner;

/// The gRPC service for organisers: competitions, registrations, admins
///
/// Without a subcommand it serves until SIGTERM or Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "admin-service", version)]
pub struct Settings {
    #[command(subcommand)]
    command: Option<ServiceCommand>,

    /// The address to listen on
    #[arg(long, env = "STARTLIST_ADMIN_LISTEN", value_name = "IP:PORT")]
    #[arg(default_value = "127.0.0.1:50051")]
    listen: SocketAddr,

    /// The e-mail address of the first owner, who is created if there is none; without it, a
    /// single-use token that creates the first owner is printed
    #[arg(long, env = "STARTLIST_OWNER_EMAIL", value_name = "EMAIL")]
    #[arg(value_parser = |text: &str| Email::parse(text), requires = "owner_password_file")]
    owner_email: Option<Email>,

    /// The file that holds the password of the first owner
    #[arg(long, env = "STARTLIST_OWNER_PASSWORD_FILE", value_name = "FILE")]
    #[arg(value_parser = |path: &str| PasswordFile::read(path), requires = "owner_email")]
    owner_password_file: Option<PasswordFile>,

    #[command(flatten)]
    service: ServiceSettings,
}

impl Settings {
    /// Fails if the password in the file is the address.
    pub fn first_owner(&self) -> Result<FirstOwner, UnusablePassword> {
        let (Some(email), Some(file)) = (&self.owner_email, &self.owner_password_file) else {
            return Ok(FirstOwner::ByToken);
        };
        file.check_not_email(email)?;
        Ok(FirstOwner::Named {
            email: email.clone(),
            password: file.password().clone(),
        })
    }

    #[must_use]
    pub fn program(self) -> ServiceProgram {
        ServiceProgram {
            name: "admin-service",
            people: People::Admins,
            command: self.command,
            listen: self.listen,
            listen_setting: "--listen (STARTLIST_ADMIN_LISTEN)",
            settings: self.service,
        }
    }
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
        Settings::try_parse_from(flags).map(|settings| settings.first_owner().expect("usable"))
    }

    fn with_password_file(path: &str) -> Result<FirstOwner, clap::Error> {
        let email = ["--owner-email", "ada@example.org"];
        parse(&[&email[..], &["--owner-password-file", path]].concat())
    }

    #[test]
    fn the_first_owner_has_the_password_in_the_file() {
        let file = file("four words by the lake\n");
        let path = file.path().to_str().expect("a path");
        let Ok(FirstOwner::Named { password, .. }) = with_password_file(path) else {
            panic!("the password is strong enough");
        };
        assert_eq!(password.as_bytes(), b"four words by the lake");
    }

    #[test]
    fn without_a_named_owner_a_token_is_used() {
        assert!(matches!(parse(&[]), Ok(FirstOwner::ByToken)));
    }

    #[test]
    fn an_unusable_password_is_refused_and_not_shown() {
        let file = file("s3cret\n");
        let path = file.path().to_str().expect("a path");
        for path in [path, "/nowhere/secret"] {
            let error = with_password_file(path).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::ValueValidation);
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn a_password_that_is_the_address_is_refused() {
        let file = file("Ada@example.ORG\n");
        let path = file.path().to_str().expect("a path");
        let flags = ["admin-service", "--owner-email", "ada@example.org"];
        let flags = flags.into_iter().chain(["--owner-password-file", path]);
        let settings = Settings::try_parse_from(flags).expect("each is valid alone");
        let sentence = settings.first_owner().expect_err("refused").to_string();
        assert!(
            sentence.ends_with("must not be the e-mail address or the part of it before the @")
        );
    }

    #[test]
    fn an_email_and_a_password_belong_together() {
        let file = file("four words by the lake");
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
