//! Creates the first owner. Only an owner can create admins, and there is no default password.

use std::net::SocketAddr;
use std::time::Duration;

use domain::{DisplayName, Email, Password, RequestId, Role, SessionToken, Timestamp};
use server::ServerUrl;
use server::telemetry::LogFormat;
use server::{Failure, HashCaller, Passwords};
use store::AdminStore;
use store::admins::{BOOTSTRAP_TOKEN_LIFETIME, NewAdmin};
use tokio::time::sleep;
use tracing::{error, info, warn};

/// How the first owner is created in an installation without one.
#[derive(Debug, Clone)]
pub enum FirstOwner {
    /// With this address and password.
    Named { email: Email, password: Password },
    /// By `CreateAdmin` with a single-use token, which is printed at the start and valid for 15
    /// minutes. With a JSON log no token is printed.
    ByToken,
}

/// The pause if Redis cannot be reached or the server is busy.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The pause after an internal error, which a retry seldom fixes.
const INTERNAL_ERROR_PAUSE: Duration = Duration::from_secs(60);

impl FirstOwner {
    /// Creates the owner, or a token for it, unless there is an owner. Retries until Redis answers.
    pub(crate) async fn ensure(
        self,
        store: AdminStore,
        passwords: Passwords,
        listening: SocketAddr,
        log_format: LogFormat,
    ) {
        if retry(|| store.has_owner()).await {
            return;
        }
        match (self, log_format) {
            (Self::Named { email, password }, _) => {
                create(&store, &passwords, email, password).await;
            }
            (Self::ByToken, LogFormat::Text) => print_token(&store, listening).await,
            // JSON logs are collected and stored, so a secret must not be printed beside them.
            (Self::ByToken, LogFormat::Json) => warn!(
                "there is no owner; set --owner-email and --owner-password-file, or start once with --log-format text to get a token that creates one"
            ),
        }
    }
}

async fn create(store: &AdminStore, passwords: &Passwords, email: Email, password: Password) {
    let owner = NewAdmin {
        email,
        display_name: display_name(),
        role: Role::Owner,
        // The same id for all attempts, so that an attempt whose reply was lost is not repeated.
        request_id: RequestId::random(),
    };
    let hash = retry(|| passwords.hash(HashCaller::SERVER, password.clone())).await;
    if retry(|| store.ensure_owner(&owner, &hash)).await {
        info!("created the first owner, with the address of --owner-email");
    }
}

/// The initial display name of the first owner.
fn display_name() -> DisplayName {
    DisplayName::parse("Owner").unwrap_or_else(|_| unreachable!("the name is short and not empty"))
}

/// Prints a token on stdout, because stderr is the log.
async fn print_token(store: &AdminStore, listening: SocketAddr) {
    let token = retry(|| store.new_bootstrap_token()).await;
    let until = store.now().after(BOOTSTRAP_TOKEN_LIFETIME);
    println!("{}", instructions(&token, until, listening));
}

/// The address and the password are left empty, so that pasting the line unchanged creates no
/// account.
fn instructions(token: &SessionToken, until: Timestamp, listening: SocketAddr) -> String {
    let token = token.expose();
    let server = ServerUrl::try_from(listening)
        .map_or_else(|_| listening.to_string(), |server| server.to_string());
    let request =
        r#"{"email": "", "password": "", "display_name": "Owner", "role": "ADMIN_ROLE_OWNER"}"#;
    format!(
        "There is no owner yet. This command creates one, once, until {until}. Fill in an e-mail address and a password:\n\
         grpcurl -plaintext -H 'authorization: Bearer {token}' -d '{request}' {server} startlist.admin.v1.AdminService/CreateAdmin\n\
         After that time, restart admin-service to get a new token."
    )
}

/// Retries until the operation succeeds.
async fn retry<T, E, Attempt>(operation: impl Fn() -> Attempt) -> T
where
    E: Into<Failure>,
    Attempt: Future<Output = Result<T, E>>,
{
    loop {
        match operation().await.map_err(Into::into) {
            Ok(done) => return done,
            Err(Failure::Internal(detail)) => {
                error!(detail, "cannot create the first owner; retrying");
                sleep(INTERNAL_ERROR_PAUSE).await;
            }
            Err(_) => sleep(RETRY_PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_operation_is_retried_until_redis_answers() {
        let tries = Cell::new(0);
        let began_at = Instant::now();
        let answer = retry(async || {
            tries.set(tries.get() + 1);
            match tries.get() {
                1 | 2 => Err(Failure::Unavailable("connection refused".to_owned())),
                try_number => Ok(try_number),
            }
        });
        assert_eq!(answer.await, 3);
        assert_eq!(began_at.elapsed(), 2 * RETRY_PAUSE);
    }

    #[test]
    fn the_command_can_be_pasted_and_has_to_be_filled_in() {
        let token = SessionToken::of_bootstrap(&[7; 32]);
        let all_addresses = SocketAddr::from(([0, 0, 0, 0], 50051));
        let text = instructions(&token, Timestamp::MIN, all_addresses);
        let line = text.lines().nth(1).expect("a line to paste");
        assert!(line.starts_with("grpcurl -plaintext "), "{line}");
        assert!(line.contains(token.expose()), "{line}");
        assert!(line.contains(r#""email": "", "password": """#), "{line}");
        assert!(
            line.ends_with(" 127.0.0.1:50051 startlist.admin.v1.AdminService/CreateAdmin"),
            "{line}"
        );
        assert!(text.contains("until 1970-01-01T00:00:00Z"));
    }
}
