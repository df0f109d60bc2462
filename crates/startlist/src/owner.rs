//! The first owner. There is no default password: without a given one, a random one is created.

use domain::Email;
use server::config::PasswordFile;
use store::AdminStore;

use crate::data_dir::DataDir;
use crate::error::StartlistError;
use crate::settings::Settings;

/// The credentials of the first owner, whom admin-service creates if there is none.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) email: Email,
    pub(crate) password: PasswordFile,
}

impl Owner {
    /// Fails if the password that the settings give is the address.
    pub(crate) fn check(settings: &Settings) -> Result<(), StartlistError> {
        match &settings.owner_password_file {
            Some(given) => given
                .check_not_email(&settings.owner_email)
                .map_err(StartlistError::OwnerPasswordFile),
            None => Ok(()),
        }
    }

    /// Returns the owner whose password is given, was created by an earlier run, or is created now
    /// because there is no owner.
    ///
    /// `None` if there is an owner with an unknown password, or if Redis cannot be reached. In the
    /// second case admin-service creates the owner later, with a token.
    pub(crate) async fn find(
        settings: &Settings,
        data: &DataDir,
        store: &AdminStore,
    ) -> Result<Option<Self>, StartlistError> {
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
