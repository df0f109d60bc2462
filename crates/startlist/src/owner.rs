//! The first owner. There is no default password: unless one is given, a random one is made.

use std::fs;
use std::io;
use std::path::{self, PathBuf};

use domain::password::WeakPassword;
use domain::{Email, Password};
use store::AdminStore;
use thiserror::Error;

use crate::data_dir::DataDir;
use crate::failure::Failure;
use crate::settings::Settings;

/// Somebody who can sign in as the owner, or will be able to in a moment.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) email: Email,
    pub(crate) password: PasswordFile,
}

impl Owner {
    /// The owner whose password is given, or was made on an earlier run, or is made now because there is
    /// none. `None` if there is an owner whose password is not known here, or Redis cannot be asked: then
    /// admin-service sees to it.
    pub(crate) async fn find(
        settings: &Settings,
        data: &DataDir,
        store: &AdminStore,
    ) -> Result<Option<Self>, Failure> {
        let password = match &settings.owner_password_file {
            Some(given) => given.clone(),
            None if data.has_owner_password() || store.has_owner().await.is_ok_and(|has| !has) => {
                PasswordFile::read(data.owner_password()?)?
            }
            None => return Ok(None),
        };
        Ok(Some(Self {
            email: settings.owner_email.clone(),
            password,
        }))
    }
}

/// A file that holds a password.
#[derive(Debug, Clone)]
pub(crate) struct PasswordFile {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) password: Password,
}

/// Why a file holds no password that can be set.
#[derive(Debug, Error)]
pub(crate) enum NoPassword {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the password in {} {why}", path.display())]
    Weak { path: PathBuf, why: WeakPassword },
}

impl PasswordFile {
    /// Reads the password, without the line's end.
    pub(crate) fn read(path: impl Into<PathBuf>) -> Result<Self, NoPassword> {
        let path = path.into();
        let text = path::absolute(&path).and_then(|path| Ok((fs::read_to_string(&path)?, path)));
        let (text, path) = text.map_err(|source| NoPassword::Unreadable { path, source })?;
        match Password::parse(text.trim_end_matches(['\r', '\n']).to_owned()) {
            Ok(password) => Ok(Self { path, password }),
            Err(why) => Err(NoPassword::Weak { path, why }),
        }
    }
}
