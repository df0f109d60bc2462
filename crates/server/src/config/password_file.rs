//! Files that hold a password.

use std::fmt;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};

use domain::password::WeakPassword;
use domain::{Email, Password};
use thiserror::Error;

/// A file that a setting names cannot be read.
#[derive(Debug, Error)]
#[error("{setting}: cannot read {}: {source}", path.display())]
pub struct UnreadableFile {
    setting: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// A password for Redis. `Debug` leaves it out.
#[derive(Clone)]
pub struct RedisPassword(String);

impl RedisPassword {
    /// Reads the password from the file that this setting names, without the end of the line.
    pub fn read(setting: &'static str, path: &Path) -> Result<Self, UnreadableFile> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self(without_line_end(&text).to_owned())),
            Err(source) => Err(UnreadableFile {
                setting,
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Returns the password, for the connection to Redis only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RedisPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisPassword(..)")
    }
}

/// A file with the password of the first owner.
#[derive(Debug, Clone)]
pub struct PasswordFile {
    path: PathBuf,
    password: Password,
}

/// A file does not hold a password that can be set.
#[derive(Debug, Error)]
pub enum UnusablePassword {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the password in {} {source}", path.display())]
    Weak { path: PathBuf, source: WeakPassword },
}

impl PasswordFile {
    /// Reads the password, without the end of the line.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, UnusablePassword> {
        let path = path.into();
        let text = path::absolute(&path).and_then(|path| Ok((fs::read_to_string(&path)?, path)));
        let (text, path) = text.map_err(|source| UnusablePassword::Unreadable { path, source })?;
        match Password::parse(without_line_end(&text).to_owned()) {
            Ok(password) => Ok(Self { path, password }),
            Err(source) => Err(UnusablePassword::Weak { path, source }),
        }
    }

    /// Refuses the password for an account with this address, if it is the address.
    pub fn check_not_email(&self, email: &Email) -> Result<(), UnusablePassword> {
        let checked = self.password.check_not_email(email);
        checked.map_err(|source| UnusablePassword::Weak {
            path: self.path.clone(),
            source,
        })
    }

    /// Returns the absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn password(&self) -> &Password {
        &self.password
    }
}

fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn file(text: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        fs::write(&path, text).expect("written");
        (folder, path)
    }

    #[test]
    fn the_end_of_the_line_is_not_part_of_a_password() {
        for text in ["four words by the lake", "four words by the lake\r\n"] {
            let (_folder, path) = file(text);
            let owner = PasswordFile::read(&path).expect("a password");
            assert_eq!(owner.password().as_bytes(), b"four words by the lake");
            let redis = RedisPassword::read("--setting", &path).expect("a password");
            assert_eq!(redis.expose(), "four words by the lake");
        }
    }

    #[test]
    fn a_weak_password_is_refused_and_not_shown() {
        let (_folder, path) = file("s3cret\n");
        let sentence = PasswordFile::read(&path).expect_err("weak").to_string();
        let expected = format!("the password in {} ", path.display());
        assert!(sentence.starts_with(&expected), "{sentence}");
        assert!(!sentence.contains("s3cret"), "{sentence}");
    }

    #[test]
    fn a_redis_password_is_not_shown() {
        let (_folder, path) = file("in-the-file\n");
        let password = RedisPassword::read("--setting", &path).expect("a password");
        assert_eq!(format!("{password:?}"), "RedisPassword(..)");
    }
}
