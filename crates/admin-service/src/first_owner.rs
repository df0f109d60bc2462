//! Creates the first owner. Only an owner can create admins, and there is no default password.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use domain::{DisplayName, Email, Password, Rejection, RequestId, Role, SessionToken, Timestamp};
use server::ServerUrl;
use server::config::RunSettings;
use server::telemetry::LogFormat;
use server::{Failure, HashCaller, PasswordMatch, Passwords};
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
    /// Warns if there is an owner and the settings name another one.
    pub(crate) async fn ensure(
        self,
        store: AdminStore,
        passwords: Passwords,
        listening: SocketAddr,
        run: RunSettings,
    ) {
        let has_owner = retry(|| store.has_owner()).await;
        match (self, run.log_format) {
            (Self::Named { email, password }, _) => {
                let ensured = if has_owner {
                    Ensured::Exists
                } else {
                    create(&store, &passwords, &email, &password).await
                };
                let is_owner = is_owner(&store, &passwords, &email, &password);
                if ensured == Ensured::Exists && matches!(is_owner.await, Ok(false)) {
                    warn!(
                        "there is an owner already, with another address or password, so --owner-email and --owner-password-file are not used"
                    );
                }
            }
            _ if has_owner => {}
            (Self::ByToken, LogFormat::Text) => {
                print_token(&store, listening, run.reflection).await;
            }
            // JSON logs are collected and stored, so a secret must not be printed beside them.
            (Self::ByToken, LogFormat::Json) => warn!(
                "there is no owner; set --owner-email and --owner-password-file, or start once with --log-format text to get a token that creates one"
            ),
        }
    }
}

/// Whether an owner can sign in with this address and password.
pub async fn is_owner(
    store: &AdminStore,
    passwords: &Passwords,
    email: &Email,
    password: &Password,
) -> Result<bool, Failure> {
    let found = store.find_admin(email).await?;
    let Some(owner) = found.filter(|admin| admin.role == Role::Owner && !admin.disabled) else {
        return Ok(false);
    };
    let stored = store.admin_credential(&owner.id).await?;
    let permit = passwords.acquire(HashCaller::SERVER).await?;
    let matched = Passwords::verify(permit, password.clone(), Some(&stored)).await?;
    Ok(matched != PasswordMatch::No)
}

/// What an attempt to create the first owner has found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ensured {
    Created,
    /// There is an owner already.
    Exists,
    /// Another admin has the address.
    Refused,
}

async fn create(
    store: &AdminStore,
    passwords: &Passwords,
    email: &Email,
    password: &Password,
) -> Ensured {
    let owner = NewAdmin {
        email: email.clone(),
        display_name: display_name(),
        role: Role::Owner,
        // The same id for all attempts, so that an attempt whose reply was lost is not repeated.
        request_id: RequestId::random(),
    };
    let hash = retry(|| passwords.hash(HashCaller::SERVER, password.clone())).await;
    let ensured = retry(async || match store.ensure_owner(&owner, &hash).await {
        Ok(true) => Ok(Ensured::Created),
        Ok(false) => Ok(Ensured::Exists),
        Err(store::Error::Rejected(no)) if no.rejection == Rejection::EmailTaken => {
            Ok(Ensured::Refused)
        }
        Err(error) => Err(error),
    });
    let ensured = ensured.await;
    match ensured {
        Ensured::Created => info!("created the first owner, with the address of --owner-email"),
        Ensured::Exists => {}
        Ensured::Refused => error!(
            "cannot create the first owner: an admin who is no owner, or is disabled, has the address of --owner-email; set another one"
        ),
    }
    ensured
}

/// The initial display name of the first owner.
fn display_name() -> DisplayName {
    DisplayName::parse("Owner").unwrap_or_else(|_| unreachable!("the name is short and not empty"))
}

/// Prints a token on stdout, because stderr is the log.
async fn print_token(store: &AdminStore, listening: SocketAddr, reflection: bool) {
    let token = retry(|| store.new_bootstrap_token()).await;
    let until = store.now().after(BOOTSTRAP_TOKEN_LIFETIME);
    let text = instructions(&token, until, listening, reflection);
    // Ignore a closed pipe, which `println!` would panic on.
    let _ = writeln!(io::stdout(), "{text}");
}

const SCHEMA: &str = "-import-path proto -proto startlist/admin/v1/admin_service.proto ";

/// The address and the password are left empty, so that pasting the line unchanged creates no
/// account.
fn instructions(
    token: &SessionToken,
    until: Timestamp,
    listening: SocketAddr,
    reflection: bool,
) -> String {
    let token = token.expose();
    let server = ServerUrl::try_from(listening)
        .map_or_else(|_| listening.to_string(), |server| server.to_string());
    let request =
        r#"{"email": "", "password": "", "display_name": "Owner", "role": "ADMIN_ROLE_OWNER"}"#;
    // Without reflection grpcurl reads the contract from files.
    let (schema, folder) = if reflection {
        ("", "")
    } else {
        (SCHEMA, " in the folder of the sources")
    };
    format!(
        "There is no owner yet. This command{folder} creates one, once, until {until}. Fill in an e-mail address and a password:\n\
         grpcurl -plaintext {schema}-H 'authorization: Bearer {token}' -d '{request}' {server} startlist.admin.v1.AdminService/CreateAdmin\n\
         After that time, or once another admin-service has printed a token, restart admin-service to get a new one."
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
        let text = instructions(&token, Timestamp::MIN, all_addresses, true);
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
