//! The first owner. There is no default password: without a given one, a random one is created.

use std::time::Duration;

use admin_service::{FirstOwner, is_owner};
use domain::Email;
use server::Passwords;
use server::config::PasswordFile;
use store::AdminStore;
use tokio::time::sleep;

use crate::data_dir::DataDir;
use crate::error::StartlistError;
use crate::settings::Settings;

const DEFAULT_EMAIL: &str = "owner@example.org";

const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The credentials of an owner.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) email: Email,
    pub(crate) password: PasswordFile,
}

/// The credentials that an owner may have.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// Those of the settings first, then those of an earlier run.
    owners: Vec<Owner>,
    /// The flags that were given.
    given: Vec<&'static str>,
    /// Whether there was an owner at the start, as far as Redis could be reached.
    has_owner: bool,
}

/// What is known about the owner once both services are SERVING.
#[derive(Debug)]
pub(crate) struct KnownOwner {
    /// The credentials with which an owner can sign in; `None` if they are unknown.
    pub(crate) owner: Option<Owner>,
    /// The flags that were given and are not used, because there was an owner.
    pub(crate) unused: Vec<&'static str>,
}

impl Candidates {
    /// Fails if the password that the settings give is the address.
    pub(crate) fn check_settings(settings: &Settings) -> Result<(), StartlistError> {
        let email = settings.owner_email.clone().unwrap_or_else(default_email);
        match &settings.owner_password_file {
            Some(given) => given
                .check_not_email(&email)
                .map_err(StartlistError::OwnerPasswordFile),
            None => Ok(()),
        }
    }

    /// Collects the credentials that the settings name, and those that an earlier run created.
    /// Creates some if there is no owner and nothing is known.
    pub(crate) async fn find(
        settings: &Settings,
        data: &DataDir,
        store: &AdminStore,
    ) -> Result<Self, StartlistError> {
        let default = default_email();
        let email = settings.owner_email.as_ref().unwrap_or(&default);
        let has_owner = store.has_owner().await;
        let mut owners = Vec::new();
        let mut add = |email: &Email, password: &PasswordFile| {
            owners.push(Owner {
                email: email.clone(),
                password: password.clone(),
            });
        };
        let given = settings.owner_password_file.as_ref();
        if let Some(given) = given {
            add(email, given);
        }
        let is_needed = given.is_none() && has_owner.as_ref().is_ok_and(|has_owner| !has_owner);
        if data.has_owner_password() || is_needed {
            let kept = PasswordFile::read(data.owner_password()?)?;
            add(email, &kept);
            add(&default, &kept);
        }
        Ok(Self {
            owners,
            given: settings.given_owner_flags(),
            has_owner: has_owner.unwrap_or(false),
        })
    }

    /// The owner whom admin-service creates if there is none.
    pub(crate) fn first_owner(&self) -> FirstOwner {
        match self.owners.first() {
            Some(Owner { email, password }) if !self.has_owner => FirstOwner::Named {
                email: email.clone(),
                password: password.password().clone(),
            },
            _ => FirstOwner::ByToken,
        }
    }

    /// Finds out which credentials an owner has, by checking them as a sign-in does. Waits for
    /// Redis.
    pub(crate) async fn check(self, store: &AdminStore) -> KnownOwner {
        let passwords = Passwords::new();
        let mut unused = Vec::new();
        for owner in self.owners {
            if opens(store, &passwords, &owner).await {
                let owner = Some(owner);
                return KnownOwner { owner, unused };
            }
            unused.clone_from(&self.given);
        }
        let has_owner = store.has_owner().await.unwrap_or(self.has_owner);
        KnownOwner {
            owner: None,
            unused: if has_owner { self.given } else { Vec::new() },
        }
    }
}

fn default_email() -> Email {
    Email::parse(DEFAULT_EMAIL).unwrap_or_else(|_| unreachable!("an address"))
}

async fn opens(store: &AdminStore, passwords: &Passwords, owner: &Owner) -> bool {
    loop {
        let password = owner.password.password();
        match is_owner(store, passwords, &owner.email, password).await {
            Ok(is_owner) => return is_owner,
            Err(_) => sleep(RETRY_PAUSE).await,
        }
    }
}
