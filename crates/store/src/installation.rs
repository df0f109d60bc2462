//! The secret of an installation. It keys the hashes of e-mail addresses, and derives the ids and
//! the tokens that a repeated request must get again. It is stored in Redis, so that one backup
//! holds everything that belongs together.

use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::BASE32_DNSSEC;
use deadpool_redis::redis::{Cmd, cmd};
use domain::RequestId;
use domain::id::MADE_ID_BYTES;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::keys;
use crate::redis::Redis;

/// The length of the secret.
pub const SECRET_BYTES: usize = 32;

/// The secret, read when it is first needed. Cheap to clone; all clones share it.
#[derive(Clone)]
pub(crate) struct Installation {
    redis: Redis,
    secret: Arc<OnceCell<[u8; SECRET_BYTES]>>,
}

impl Installation {
    pub(crate) fn new(redis: &Redis) -> Self {
        Self {
            redis: redis.clone(),
            secret: Arc::default(),
        }
    }

    /// The hash of a form of an e-mail address, which is part of the key of the address's claim.
    pub(crate) async fn email_hash(&self, form: &str) -> Result<String> {
        let hash = self.derive("email", &[form.as_bytes()]).await?;
        Ok(BASE32_DNSSEC.encode(&hash[..20]))
    }

    /// The hash of the network that an account signs in from. It differs from account to account.
    pub(crate) async fn network_hash(&self, account: &str, network: IpAddr) -> Result<String> {
        let network = network.to_string();
        let parts = [account.as_bytes(), network.as_bytes()];
        let hash = self.derive("network", &parts).await?;
        Ok(BASE32_DNSSEC.encode(&hash[..10]))
    }

    /// The id of what a request creates. A repetition of the request gets the same id.
    pub(crate) async fn made_id(
        &self,
        what: &str,
        by: &str,
        request: RequestId,
    ) -> Result<[u8; MADE_ID_BYTES]> {
        let parts = [what.as_bytes(), by.as_bytes(), request.as_bytes()];
        let hash = self.derive("id", &parts).await?;
        let mut id = [0; MADE_ID_BYTES];
        id.copy_from_slice(&hash[..MADE_ID_BYTES]);
        Ok(id)
    }

    /// The secret of the session that a sign-up opens. A repetition of the request gets the same
    /// token, although Redis stores only its hash.
    pub(crate) async fn first_token(&self, user: &str, request: RequestId) -> Result<[u8; 32]> {
        let parts = [user.as_bytes(), &request.as_bytes()[..]];
        self.derive("first token", &parts).await
    }

    /// Derives 32 bytes that cannot be guessed without the secret, and are always the same.
    async fn derive(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 32]> {
        let secret = self.secret.get_or_try_init(|| load(&self.redis)).await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| unreadable_secret())?;
        mac.update(purpose.as_bytes());
        for part in parts {
            // Separates the parts, so that `ab, c` and `a, bc` differ.
            mac.update(&[0]);
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }
}

/// Reads the secret, or creates it if there is none.
async fn load(redis: &Redis) -> Result<[u8; SECRET_BYTES]> {
    let read = || redis.read(Cmd::get(keys::INSTALLATION));
    let mut secret: Option<Vec<u8>> = read().await?;
    if secret.is_none() {
        let mut create = cmd("SET");
        create
            .arg(keys::INSTALLATION)
            .arg(random()?.as_slice())
            .arg("NX");
        redis.prepare(create).await?;
        // Another process may have created it first, so this reads which secret Redis has.
        secret = read().await?;
    }
    let secret = secret.unwrap_or_default();
    secret.try_into().map_err(|_| unreadable_secret())
}

fn unreadable_secret() -> Error {
    Error::unreadable(format_args!("the secret in {}", keys::INSTALLATION))
}

/// 256 random bits from the operating system.
pub(crate) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Corrupt(format!("no random bytes from the system: {error}")))?;
    Ok(bytes)
}
