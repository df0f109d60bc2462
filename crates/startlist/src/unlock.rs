//! The subcommand `unlock`: clears the failed sign-ins of the user and of the admin with an address.

use std::process::ExitCode;

use server::unlock::UnlockCommand;
use store::Redis;
use store::keys::People;

use crate::data_dir::RunningDataDir;
use crate::error::StartlistError;
use crate::settings::Settings;

/// Unlocks both accounts, prints a line for each, and returns the exit code.
pub(crate) async fn run(
    settings: &Settings,
    unlock: &UnlockCommand,
) -> Result<ExitCode, StartlistError> {
    let mut is_unlocked = false;
    for (people, redis_user) in [
        (People::Users, "user-service"),
        (People::Admins, "admin-service"),
    ] {
        let address = match &settings.redis_url {
            Some(url) => url.clone(),
            None => RunningDataDir::new(&settings.data_dir).redis_url_for(redis_user)?,
        };
        let redis = Redis::new(address.expose(), None);
        let redis = redis.map_err(|error| StartlistError::RedisUrl(error.into()))?;
        let report = unlock.run(&redis, people).await;
        let report = report.map_err(|source| StartlistError::Store { address, source })?;
        println!("{}", report.message);
        is_unlocked |= report.is_unlocked;
    }
    Ok(if is_unlocked {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
