//! How the first owner comes to be: only an owner can make admins, and there is no default password.

use std::net::SocketAddr;
use std::time::Duration;

use domain::{DisplayName, Email, Password, RequestId, Role, SessionToken, Timestamp};
use server::ServerUrl;
use server::telemetry::LogFormat;
use server::{Failure, Passwords};
use store::AdminStore;
use store::admins::{BOOTSTRAP_TOKEN, NewAdmin};
use tokio::time::sleep;
use tracing::{error, info, warn};

/// Who becomes the first owner, in an installation that has none.
#[derive(Debug, Clone)]
pub enum FirstOwner {
    /// Somebody with this address and this password.
    Named {
        /// How to sign in.
        email: Email,
        /// The first password.
        password: Password,
    },
    /// Whoever uses the single-use token that is printed at the start, which is good for 15 minutes. With
    /// a JSON log none is printed.
    ByToken,
}

/// How long to wait before the next try: Redis is away, or another server is at it.
const PAUSE: Duration = Duration::from_secs(1);
/// The same after a fault, which seldom goes away by itself.
const LONG_PAUSE: Duration = Duration::from_secs(60);

impl FirstOwner {
    /// Sees to it that there is an owner, or a token that makes one. Waits for Redis as long as it takes.
    pub(crate) async fn see_to(
        self,
        store: AdminStore,
        passwords: Passwords,
        listening: SocketAddr,
        log_format: LogFormat,
    ) {
        if patiently(|| store.has_owner()).await {
            return;
        }
        match (self, log_format) {
            (Self::Named { email, password }, _) => make(&store, &passwords, email, password).await,
            (Self::ByToken, LogFormat::Text) => invite(&store, listening).await,
            // A log of this kind is collected, kept, and read by many: no place for a secret.
            (Self::ByToken, LogFormat::Json) => warn!(
                "there is no owner; set --owner-email and --owner-password-file, or start once with --log-format text to get a token that makes one"
            ),
        }
    }
}

async fn make(store: &AdminStore, passwords: &Passwords, email: Email, password: Password) {
    let owner = NewAdmin {
        email,
        display_name: display_name(),
        role: Role::Owner,
        // One for all tries, so that a try whose answer was lost is not made twice.
        request_id: RequestId::random(),
    };
    let hash = patiently(|| passwords.hash(password.clone())).await;
    if patiently(|| store.ensure_owner(&owner, &hash)).await {
        info!("made the first owner, with the address of --owner-email");
    }
}

/// What the first owner is called until somebody says more.
fn display_name() -> DisplayName {
    DisplayName::parse("Owner").unwrap_or_else(|_| unreachable!("it is short and says something"))
}

/// Prints a token, for the person at the terminal: on stdout, since stderr is where the log goes.
async fn invite(store: &AdminStore, listening: SocketAddr) {
    let token = patiently(|| store.new_bootstrap_token()).await;
    let until = store.now().after(BOOTSTRAP_TOKEN);
    println!("{}", invitation(&token, until, listening));
}

/// Neither the address nor the password is filled in: a line that is pasted as it stands makes nobody.
fn invitation(token: &SessionToken, until: Timestamp, listening: SocketAddr) -> String {
    let token = token.expose();
    let server = ServerUrl::try_from(listening)
        .map_or_else(|_| listening.to_string(), |server| server.to_string());
    let request =
        r#"{"email": "", "password": "", "display_name": "Owner", "role": "ADMIN_ROLE_OWNER"}"#;
    format!(
        "There is no owner yet. This line makes one, once, until {until}; fill in an e-mail address and a password:\n\
         grpcurl -plaintext -H 'authorization: Bearer {token}' -d '{request}' {server} startlist.admin.v1.AdminService/CreateAdmin\n\
         After that time, start admin-service again for another one."
    )
}

/// Tries until it works.
async fn patiently<T, E, Try>(attempt: impl Fn() -> Try) -> T
where
    E: Into<Failure>,
    Try: Future<Output = Result<T, E>>,
{
    loop {
        match attempt().await.map_err(Into::into) {
            Ok(done) => return done,
            Err(Failure::Internal(detail)) => {
                error!(detail, "the first owner cannot be made");
                sleep(LONG_PAUSE).await;
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn redis_is_waited_for() {
        let tries = Cell::new(0);
        let began_at = Instant::now();
        let answer = patiently(async || {
            tries.set(tries.get() + 1);
            match tries.get() {
                1 | 2 => Err(Failure::Unavailable("connection refused".to_owned())),
                try_number => Ok(try_number),
            }
        });
        assert_eq!(answer.await, 3);
        assert_eq!(began_at.elapsed(), 2 * PAUSE);
    }

    #[test]
    fn the_invitation_can_be_pasted_and_has_to_be_filled_in() {
        let token = SessionToken::of_bootstrap(&[7; 32]);
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 50051));
        let invitation = invitation(&token, Timestamp::MIN, everywhere);
        let line = invitation.lines().nth(1).expect("a line to paste");
        assert!(line.starts_with("grpcurl -plaintext "), "{line}");
        assert!(line.contains(token.expose()), "{line}");
        assert!(line.contains(r#""email": "", "password": """#), "{line}");
        assert!(
            line.ends_with(" 127.0.0.1:50051 startlist.admin.v1.AdminService/CreateAdmin"),
            "{line}"
        );
        assert!(invitation.contains("until 1970-01-01T00:00:00Z"));
    }
}
