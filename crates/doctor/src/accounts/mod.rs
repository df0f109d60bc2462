//! Accounts of users and admins, and the claims of their e-mail addresses.

mod admins;
mod claims;
mod users;

use domain::Email;
use store::inspect::{Cmd, Commands, SECRET_BYTES, Stored};
use store::keys::{INSTALLATION, People};
use store::records::email_claim::EmailClaim;

use crate::{Examination, Finding, Result};

pub(crate) use admins::check as check_admins;
pub(crate) use claims::check as check_claims;
pub(crate) use users::check as check_users;

/// The problem of an account without a claim of its e-mail address. The account was never
/// completed, or has lost the claim.
const NO_CLAIM: &str =
    "the account has no claim of its e-mail address: it was not completed, so nobody can sign in";

/// Returns for each account whether its e-mail address is not claimed by it.
async fn lack_claims<'a>(
    examination: &Examination,
    people: People,
    accounts: impl Iterator<Item = (&'a str, &'a Email)> + Clone,
) -> Result<Vec<bool>> {
    let mut commands = Commands::new();
    let mut key_counts = Vec::new();
    for (_, email) in accounts.clone() {
        let keys = examination
            .inspector
            .email_claim_keys(people, email)
            .await?;
        key_counts.push(keys.len());
        for key in keys {
            commands.push(Cmd::get(key));
        }
    }
    let mut replies = examination.read(&commands).await?;
    let lacks = accounts.zip(key_counts).map(|((id, _), key_count)| {
        let claims: Vec<Option<String>> =
            (0..key_count).map(|_| replies.take().present()).collect();
        !claims
            .iter()
            .flatten()
            .any(|claim| EmailClaim::parse(claim).is_of(id))
    });
    Ok(lacks.collect())
}

/// Returns a finding if the secret is damaged that e-mail addresses are hashed with. Claims cannot
/// be found without it.
async fn check_secret(examination: &Examination) -> Result<Option<Finding>> {
    let length = examination.read_one(Cmd::strlen(INSTALLATION)).await?;
    let problem = format!(
        "the secret is missing or not {SECRET_BYTES} bytes long: no e-mail address can be looked up"
    );
    Ok((length != Stored::Present(SECRET_BYTES))
        .then(|| Finding::broken(format!("key {INSTALLATION}"), problem)))
}
