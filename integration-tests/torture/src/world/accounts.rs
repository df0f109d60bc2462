//! Accounts and sessions. They are made through the store, without a password hash for each.

use std::net::Ipv4Addr;
use std::time::Duration;

use domain::{Actor, AdminId, Email, RequestId, Role, UserId};
use store::admins::NewAdmin;
use store::users::NewUser;
use store::{AdminStore, Origin, PasswordHash, UserStore};
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
    /// Makes a user with a unique name.
    pub async fn user(&self, name: &str) -> SignedInAccount {
        let new = NewUser {
            email: email(name),
            profile: profile(name),
            request_id: RequestId::random(),
            network: None,
        };
        let (user, session) = retry(|| self.users.sign_up(&new, &self.password)).await;
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
        let attempt = retry(|| credentials.begin(&email, here())).await;
        let session = retry(|| credentials.open_session(&attempt)).await;
        session.token.expose().to_owned()
    }

    /// Makes an organiser with a unique name.
    pub async fn organiser(&self, name: &str) -> SignedInAccount {
        let new = new_admin(name, Role::Organiser);
        let by = AdminId::parse("torture").expect("a valid id");
        retry(|| self.admins.create_admin(&by, &new, &self.password)).await;
        self.sign_in(&new.email).await
    }

    pub(super) async fn owner(&self) -> SignedInAccount {
        let new = new_admin("owner", Role::Owner);
        retry(|| self.admins.ensure_owner(&new, &self.password)).await;
        self.sign_in(&new.email).await
    }

    async fn sign_in(&self, email: &Email) -> SignedInAccount {
        let credentials = self.admins.credentials();
        let attempt = retry(|| credentials.begin(email, here())).await;
        let session = retry(|| credentials.open_session(&attempt)).await;
        SignedInAccount {
            actor: Actor::Admin(session.person),
            email: email.as_str().to_owned(),
            token: session.token.expose().to_owned(),
        }
    }
}

/// The network of all sign-ins.
fn here() -> Origin {
    Origin::network(Ipv4Addr::new(127, 0, 0, 0).into())
}

/// Repeats a call of the store while Redis is down or slow.
async fn retry<T, F: Future<Output = store::Result<T>>>(call: impl Fn() -> F) -> T {
    const PAUSE: Duration = Duration::from_millis(50);
    let start = Instant::now();
    loop {
        match call().await {
            Ok(result) => return result,
            Err(error) => assert!(start.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {error}"),
        }
        sleep(PAUSE).await;
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
