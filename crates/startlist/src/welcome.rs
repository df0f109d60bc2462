//! The text that is printed once both services are SERVING: their addresses and commands to try.

use std::fmt::{self, Display};

use domain::Password;
use server::ServerUrl;

use crate::owner::{KnownOwner, Owner};

/// The text. Its first line begins with `ready`.
pub(crate) struct Welcome {
    pub(crate) admin: ServerUrl,
    pub(crate) user: ServerUrl,
    pub(crate) owner: KnownOwner,
    /// The commands need reflection.
    pub(crate) reflection: bool,
}

impl Display for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { admin, user, .. } = self;
        writeln!(f, "ready: admin-service on {admin}, user-service on {user}")?;
        if !self.owner.unused.is_empty() {
            let unused = self.owner.unused.join(" and ");
            writeln!(f, "\nThere is an owner already. Not used: {unused}.")?;
        }
        if self.reflection {
            self.commands(f)?;
        }
        writeln!(
            f,
            "\nREADME.md shows more commands. Ctrl-C ends everything."
        )
    }
}

impl Welcome {
    fn commands(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { admin, user, .. } = self;
        writeln!(f, "\nTo continue, in another terminal:")?;
        if let Some(owner) = &self.owner.owner {
            let file = owner.password.path().display();
            let sign_in = sign_in(owner);
            writeln!(f, "\n# Sign in as the owner; the password is in {file}")?;
            writeln!(
                f,
                "grpcurl -plaintext -d {sign_in} {admin} startlist.admin.v1.AdminService/SignIn"
            )?;
        }
        writeln!(f, "\n# List the competitions")?;
        writeln!(
            f,
            "grpcurl -plaintext {user} startlist.user.v1.UserService/ListCompetitions"
        )?;
        writeln!(f, "\n# Create an account for a user")?;
        writeln!(
            f,
            "grpcurl -plaintext -d {SIGN_UP} {user} startlist.user.v1.UserService/SignUp"
        )
    }
}

const SIGN_UP: &str = r#"'{"email": "ada@example.org", "password": "a start list of my own", "display_name": "Ada"}'"#;

/// Returns the request as one word of a shell command. The shell reads the password from its file,
/// so that the password is neither on the screen nor in the shell's history.
fn sign_in(owner: &Owner) -> String {
    let email = serde_json::Value::from(owner.email.as_str());
    let before = quoted(&format!(r#"{{"email": {email}, "password": ""#));
    let read = read_command(owner.password.password());
    let file = quoted(&owner.password.path().display().to_string());
    format!(r#"{before}"$({read} {file})"'"}}'"#)
}

/// Returns the command that prints a password with the escapes of JSON.
fn read_command(password: &Password) -> &'static str {
    let needs_escape = |byte| matches!(byte, b'"' | b'\\');
    if password.as_bytes().iter().copied().any(needs_escape) {
        r#"sed 's/["\\]/\\&/g'"#
    } else {
        "cat"
    }
}

/// Quotes a word for the shell if necessary.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use domain::Email;
    use server::config::PasswordFile;
    use tempfile::TempDir;

    use super::*;

    fn owner(email: &str, password: &str) -> (Owner, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("the owner's password");
        fs::write(&file, format!("{password}\n")).expect("written");
        let owner = Owner {
            email: Email::parse(email).expect("an address"),
            password: PasswordFile::read(file).expect("a password"),
        };
        (owner, folder)
    }

    fn printed(owner: Option<Owner>, reflection: bool) -> String {
        let url = |text: &str| text.parse::<ServerUrl>().expect("a URL");
        let welcome = Welcome {
            admin: url("127.0.0.1:1"),
            user: url("127.0.0.1:2"),
            owner: KnownOwner {
                owner,
                unused: Vec::new(),
            },
            reflection,
        };
        welcome.to_string()
    }

    /// Returns the request of the sign-in as the shell passes it to the command.
    fn request_of(email: &str, password: &str) -> String {
        let (owner, _folder) = owner(email, password);
        let command = format!("printf %s {}", sign_in(&owner));
        let output = Command::new("sh")
            .args(["-c", &command])
            .output()
            .expect("a shell");
        String::from_utf8(output.stdout).expect("text")
    }

    #[test]
    fn the_first_line_begins_with_ready_and_names_both_addresses() {
        let text = printed(None, true);
        assert!(
            text.starts_with("ready: admin-service on 127.0.0.1:1, user-service on 127.0.0.1:2\n"),
            "{text}"
        );
    }

    #[test]
    fn there_are_three_commands_without_a_password() {
        let (owner, _folder) = owner("owner@example.org", "s3cret-enough");
        let text = printed(Some(owner.clone()), true);
        assert_eq!(
            text.lines()
                .filter(|line| line.starts_with("grpcurl "))
                .count(),
            3,
            "{text}"
        );
        assert!(!text.contains("s3cret"), "{text}");
        assert!(!printed(Some(owner), false).contains("grpcurl"));
    }

    #[test]
    fn flags_that_are_not_used_are_named_also_without_commands() {
        let url = |text: &str| text.parse::<ServerUrl>().expect("a URL");
        let welcome = Welcome {
            admin: url("127.0.0.1:1"),
            user: url("127.0.0.1:2"),
            owner: KnownOwner {
                owner: None,
                unused: vec!["--owner-email", "--owner-password-file"],
            },
            reflection: false,
        };
        let text = welcome.to_string();
        let line = "There is an owner already. Not used: --owner-email and --owner-password-file.";
        assert!(text.lines().any(|printed| printed == line), "{text}");
    }

    #[test]
    fn the_shell_reads_any_password_from_its_file() {
        for (email, password) in [
            ("owner@example.org", "plain and simple"),
            ("o'hara@example.org", "it's $HOME `here`"),
            ("owner@example.org", r#"with "quotes" and a \ backslash"#),
        ] {
            let request: serde_json::Value =
                serde_json::from_str(&request_of(email, password)).expect("JSON");
            assert_eq!(request["email"], email);
            assert_eq!(request["password"], password);
        }
    }
}
