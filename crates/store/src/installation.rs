//! The secret of this installation: it keys the hashes of e-mail addresses and makes ids and tokens
//! that a repeated request finds again. It lives in Redis, so that a backup holds all that belongs
//! together.

use data_encoding::BASE32_DNSSEC;
use deadpool_redis::redis::cmd;
use domain::id::MADE_ID_BYTES;
use domain::{Email, RequestId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::keys;
use crate::legacy::unreadable;
use crate::redis::Redis;
use crate::redis::decode;

/// The length of the secret.
pub const SECRET_BYTES: usize = 32;

#[derive(Default)]
pub(crate) struct Installation {
    secret: OnceCell<[u8; SECRET_BYTES]>,
}

impl Installation {
    /// Derives 32 bytes that nobody can guess without the secret, and that are the same each time.
    async fn derive(&self, redis: &Redis, purpose: &str, of: &[&[u8]]) -> Result<[u8; 32]> {
        let secret = self.secret.get_or_try_init(|| load(redis)).await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret)
            .map_err(|_| unreadable("the secret of the installation"))?;
        mac.update(purpose.as_bytes());
        for part in of {
            mac.update(&[0]);
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }

    /// The hash under which an address is claimed.
    pub(crate) async fn email_hash(&self, redis: &Redis, email: &Email) -> Result<String> {
        let canonical = email.canonical();
        let hash = self.derive(redis, "email", &[canonical.as_bytes()]).await?;
        Ok(BASE32_DNSSEC.encode(&hash[..20]))
    }

    /// The id of what this request makes: a repetition finds the same slot.
    pub(crate) async fn made_id(
        &self,
        redis: &Redis,
        what: &str,
        by: &str,
        request: RequestId,
    ) -> Result<[u8; MADE_ID_BYTES]> {
        let of: [&[u8]; 3] = [what.as_bytes(), by.as_bytes(), request.as_bytes()];
        let hash = self.derive(redis, "id", &of).await?;
        let mut id = [0; MADE_ID_BYTES];
        id.copy_from_slice(&hash[..MADE_ID_BYTES]);
        Ok(id)
    }

    /// The secret of the session that this sign-up opens: a repetition answers the same token, and
    /// only its hash is stored.
    pub(crate) async fn first_token(
        &self,
        redis: &Redis,
        user: &str,
        request: RequestId,
    ) -> Result<[u8; 32]> {
        let of: [&[u8]; 2] = [user.as_bytes(), request.as_bytes()];
        self.derive(redis, "first token", &of).await
    }
}

/// Reads the secret, or makes it if nobody has.
async fn load(redis: &Redis) -> Result<[u8; SECRET_BYTES]> {
    let read = async || -> Result<Option<Vec<u8>>> {
        let mut get = cmd("GET");
        get.arg(keys::INSTALLATION);
        decode(redis.command(get).await?)
    };
    let secret = if let Some(secret) = read().await? {
        secret
    } else {
        let mut set = cmd("SET");
        set.arg(keys::INSTALLATION)
            .arg(random()?.as_slice())
            .arg("NX");
        redis.command(set).await?;
        read().await?.unwrap_or_default()
    };
    secret
        .try_into()
        .map_err(|_| unreadable("the secret of the installation"))
}

/// 256 random bits from the operating system.
pub(crate) fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Corrupt(format!("no randomness from the system: {error}")))?;
    Ok(bytes)
}
