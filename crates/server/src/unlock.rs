//! The subcommand `unlock`: lets a person sign in again at once, whom failed sign-ins lock out.

use std::net::IpAddr;

use clap::Args;
use domain::Email;
use store::accounts::Unlocked;
use store::keys::People;
use store::{AdminStore, Redis, UserStore};

use crate::network::Network;

/// Clears the failed sign-ins of an account, at once and for all running servers
///
/// Exit codes: 0 if the account can sign in, 1 if no account has the address, 64 if a setting cannot
/// be used, 69 if Redis cannot be reached, 77 if Redis refuses the user.
#[derive(Debug, Clone, Args)]
pub struct UnlockCommand {
    /// The e-mail address of the account
    #[arg(long, value_name = "EMAIL", value_parser = |text: &str| Email::typed(text))]
    pub email: Email,

    /// The address of the person: sign-ins from its network then pass whatever fails elsewhere, as
    /// if the person had signed in from there before
    #[arg(long, value_name = "IP")]
    pub from: Option<IpAddr>,
}

/// What an unlocking did.
#[derive(Debug)]
pub struct UnlockReport {
    /// Whether there is such an account.
    pub is_unlocked: bool,
    /// One sentence for people, without a line end.
    pub message: String,
}

impl UnlockCommand {
    /// Clears the failed sign-ins of the user or the admin.
    pub async fn run(&self, redis: &Redis, people: People) -> store::Result<UnlockReport> {
        let (email, from) = (&self.email, self.from.map(Network::containing));
        let network = from.map(Network::address);
        let (who, unlocked) = match people {
            People::Users => {
                let credentials = UserStore::new(redis).credentials();
                ("user", credentials.unlock(email, network).await?)
            }
            People::Admins => {
                let credentials = AdminStore::new(redis).credentials();
                ("admin", credentials.unlock(email, network).await?)
            }
        };
        let found = match unlocked {
            Unlocked::NoAccount => format!("no {who} has the address {}", email.as_str()),
            Unlocked::NothingCounted => {
                format!("no failed sign-in of the {who} {} counts", email.as_str())
            }
            Unlocked::Cleared => {
                format!("the {who} {} can sign in again", email.as_str())
            }
        };
        let is_unlocked = unlocked != Unlocked::NoAccount;
        let from = self.from.filter(|_| is_unlocked);
        let known = from.map(|from| format!("; the network of {from} is known from now on"));
        Ok(UnlockReport {
            is_unlocked,
            message: found + &known.unwrap_or_default(),
        })
    }
}
