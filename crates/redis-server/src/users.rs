//! The users of the server: the ACL file and the passwords.

use std::collections::BTreeMap;
use std::io;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The users with a password.
#[derive(Debug)]
pub(crate) struct Users {
    /// The content of the ACL file.
    pub(crate) file: String,
    passwords: BTreeMap<String, String>,
}

impl Users {
    /// Replaces each placeholder of the template by the SHA-256 of a password: a given one, or 256
    /// random bits.
    pub(crate) fn render(template: &str, given: &[(String, String)]) -> io::Result<Self> {
        let mut file = String::with_capacity(template.len() + 256);
        let mut passwords = BTreeMap::new();
        for line in template.lines() {
            match user_of(line) {
                Some((name, placeholder)) => {
                    let password = match given.iter().find(|(user, _)| user == name) {
                        Some((_, password)) => password.clone(),
                        None => random_password()?,
                    };
                    file.push_str(&line.replace(&placeholder, &sha256(&password)));
                    passwords.insert(name.to_owned(), password);
                }
                None => file.push_str(line),
            }
            file.push('\n');
        }
        if passwords.is_empty() {
            return Err(invalid("the ACL has no placeholder for a password"));
        }
        if file.contains("_SHA256@") {
            return Err(invalid("the ACL has a placeholder that belongs to no user"));
        }
        Ok(Self { file, passwords })
    }

    pub(crate) fn password_of(&self, user: &str) -> Option<&str> {
        self.passwords.get(user).map(String::as_str)
    }

    /// Returns a user with its password, for checking whether the server is ready.
    pub(crate) fn any(&self) -> Option<(&str, &str)> {
        let (user, password) = self.passwords.first_key_value()?;
        Some((user, password))
    }
}

/// Returns the user and the placeholder of a line, if it has both.
fn user_of(line: &str) -> Option<(&str, String)> {
    let name = line.strip_prefix("user ")?.split_whitespace().next()?;
    let placeholder = format!("@{}_SHA256@", name.to_uppercase().replace('-', "_"));
    line.contains(&placeholder).then_some((name, placeholder))
}

fn random_password() -> io::Result<String> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits).map_err(io::Error::other)?;
    Ok(HEXLOWER.encode(&bits))
}

fn sha256(password: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(password))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "user default off\n\nuser some-name on #@SOME_NAME_SHA256@ +@read ~*";

    #[test]
    fn the_file_has_the_hash_of_a_random_password() {
        let users = Users::render(TEMPLATE, &[]).expect("a good template");
        let password = users.password_of("some-name").expect("a password");
        assert_eq!(password.len(), 64);
        assert!(!users.file.contains(password));
        let line = format!("user some-name on #{} +@read ~*", sha256(password));
        assert_eq!(users.file, format!("user default off\n\n{line}\n"));

        let others = Users::render(TEMPLATE, &[]).expect("a good template");
        assert_ne!(others.password_of("some-name"), Some(password));
    }

    #[test]
    fn a_given_password_is_used() {
        let given = [("some-name".to_owned(), "secret".to_owned())];
        let users = Users::render(TEMPLATE, &given).expect("a good template");
        assert_eq!(users.any(), Some(("some-name", "secret")));
    }

    #[test]
    fn a_template_without_a_placeholder_or_with_an_unknown_one_is_refused() {
        for bad in [
            "user default on nopass",
            "user one on #@ANOTHER_SHA256@\nuser a on #@A_SHA256@",
        ] {
            let refused = Users::render(bad, &[]).expect_err("a bad template");
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{bad}");
        }
    }
}
