//! Accounts and sessions. They are made through the store, without a password hash for each.

use std::time::Duration;

use domain::{Actor, AdminId, Email, RequestId, Role, UserId};
use store::admins::NewAdmin;
use store::users::NewUser;
use store::{AdminStore, PasswordHash, UserStore};
use testkit::TIMEOUT;
use testkit::fixtures::{display_name, email, profile};
use tokio::time::{Instant, sleep};

/// An account with an open session.
#[derive(Debug, Clone)]
pub struct SignedInAccount {
    pub actor: Actor,
    pub email: String,
    pub token: String,
}

impl SignedInAccount {
    /// Panics for an admin.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        match &self.actor {
            Actor::User(user) => user,
            other => panic!("{other:?} is not a user"),
        }
    }

    #[must_use]
    pub fn is_organiser(&self) -> bool {
        matches!(self.actor, Actor::Admin(_))
    }
}

/// Makes accounts, and gives access to the stores.
#[derive(Clone)]
pub struct Accounts {
    /// Has the Redis user of user-service.
    pub users: UserStore,
    /// Has the Redis user of admin-service.
    pub admins: AdminStore,
    pub(super) password: PasswordHash,
}

impl Accounts {
    /// Makes a user with a unique name. Retries while Redis is down.
    pub async fn user(&self, name: &str) -> SignedInAccount {
        const PAUSE: Duration = Duration::from_millis(50);
        let new = NewUser {
            email: email(name),
            profile: profile(name),
            request_id: RequestId::random(),
        };
        let start = Instant::now();
        let (user, session) = loop {
            match self.users.sign_up(&new, &self.password).await {
                Ok(made) => break made,
                Err(error) => assert!(start.elapsed() < TIMEOUT, "no account: {error}"),
            }
            sleep(PAUSE).await;
        };
        SignedInAccount {
            actor: Actor::User(user.id),
            email: new.email.as_str().to_owned(),
            token: session.token.expose().to_owned(),
        }
    }

    /// Opens a session of a user. Returns its token.
    pub async fn open_user_session(&self, email: &str) -> String {
        let email = Email::parse(email).expect("a valid address");
        let credentials = self.users.credentials();
        let attempt = credentials.find(&email).await.expect("an account");
        let session = credentials.open_session(&attempt).await;
        session.expect("a session").token.expose().to_owned()
    }

    /// Makes an organiser with a unique name.
    pub async fn organiser(&self, name: &str) -> SignedInAccount {
        let new = new_admin(name, Role::Organiser);
        let by = AdminId::parse("torture").expect("an id");
        let made = self.admins.create_admin(&by, &new, &self.password);
        made.await.expect("an account");
        self.sign_in(&new.email).await
    }

    pub(super) async fn owner(&self) -> SignedInAccount {
        let new = new_admin("owner", Role::Owner);
        let made = self.admins.ensure_owner(&new, &self.password);
        made.await.expect("an owner");
        self.sign_in(&new.email).await
    }

    async fn sign_in(&self, email: &Email) -> SignedInAccount {
        let credentials = self.admins.credentials();
        let attempt = credentials.find(email).await.expect("an account");
        let session = credentials.open_session(&attempt).await;
        let session = session.expect("a session");
        SignedInAccount {
            actor: Actor::Admin(session.person),
            email: email.as_str().to_owned(),
            token: session.token.expose().to_owned(),
        }
    }
}

fn new_admin(name: &str, role: Role) -> NewAdmin {
    NewAdmin {
        email: email(name),
        display_name: display_name(name),
        role,
        request_id: RequestId::random(),
    }
}
