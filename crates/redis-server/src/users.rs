//! The users of the server: the ACL file with a password for each.

use std::collections::BTreeMap;
use std::io;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The users that have a password.
#[derive(Debug)]
pub(crate) struct Users {
    /// The ACL file.
    pub(crate) file: String,
    passwords: BTreeMap<String, String>,
}

impl Users {
    /// Puts the SHA-256 of a password in the place that the template has for it: a given one, or 256
    /// random bits.
    pub(crate) fn render(template: &str, given: &[(String, String)]) -> io::Result<Self> {
        let mut file = String::with_capacity(template.len() + 256);
        let mut passwords = BTreeMap::new();
        for line in template.lines() {
            match user_of(line) {
                Some((name, place)) => {
                    let password = match given.iter().find(|(user, _)| user == name) {
                        Some((_, password)) => password.clone(),
                        None => random_password()?,
                    };
                    file.push_str(&line.replace(&place, &sha256(&password)));
                    passwords.insert(name.to_owned(), password);
                }
                None => file.push_str(line),
            }
            file.push('\n');
        }
        if passwords.is_empty() {
            return Err(invalid("the ACL has no place for a password"));
        }
        if file.contains("_SHA256@") {
            return Err(invalid("the ACL has a place for a password of no user"));
        }
        Ok(Self { file, passwords })
    }

    pub(crate) fn password_of(&self, user: &str) -> Option<&str> {
        self.passwords.get(user).map(String::as_str)
    }

    /// A user to ask whether the server answers.
    pub(crate) fn any(&self) -> Option<(&str, &str)> {
        let (user, password) = self.passwords.first_key_value()?;
        Some((user, password))
    }
}

/// The user of a line of an ACL file, and the place for the password, if the line has both.
fn user_of(line: &str) -> Option<(&str, String)> {
    let name = line.strip_prefix("user ")?.split_whitespace().next()?;
    let place = format!("@{}_SHA256@", name.to_uppercase().replace('-', "_"));
    line.contains(&place).then_some((name, place))
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
    fn a_user_gets_a_random_password_of_which_the_file_holds_the_hash() {
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
    fn a_given_password_is_taken() {
        let given = [("some-name".to_owned(), "secret".to_owned())];
        let users = Users::render(TEMPLATE, &given).expect("a good template");
        assert_eq!(users.any(), Some(("some-name", "secret")));
    }

    #[test]
    fn a_template_without_a_password_or_with_one_of_nobody_is_refused() {
        for bad in [
            "user default on nopass",
            "user one on #@ANOTHER_SHA256@\nuser a on #@A_SHA256@",
        ] {
            let refused = Users::render(bad, &[]).expect_err("a bad template");
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{bad}");
        }
    }
}
