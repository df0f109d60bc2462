//! Accounts of users and admins, and the claims of their e-mail addresses.

mod admins;
mod claims;
mod users;

use domain::Email;
use store::inspect::{Commands, SECRET_BYTES, Stored};
use store::keys::{INSTALLATION, People};
use store::records::email_claim::EmailClaim;

use crate::reading::command;
use crate::{Examination, Finding, Result};

pub(crate) use admins::check as check_admins;
pub(crate) use claims::check as check_claims;
pub(crate) use users::check as check_users;

/// The problem of an account without a claim of its e-mail address. The account was never completed,
/// or has lost the claim.
const NO_CLAIM: &str =
    "the account has no claim of its e-mail address: it was not completed, so nobody can sign in";

/// An account and its e-mail address.
struct EmailHolder<'a> {
    id: &'a str,
    email: Email,
}

/// Returns for each account whether the claim of its e-mail address is of another account or missing.
async fn lack_claims(
    on: &Examination,
    people: People,
    holders: &[EmailHolder<'_>],
) -> Result<Vec<bool>> {
    let mut commands = Commands::with_capacity(holders.len());
    for holder in holders {
        let claim = on.inspector.email_claim_key(people, &holder.email).await?;
        commands.push(command("GET", &[&claim]));
    }
    let mut claims = on.read(&commands).await?;
    let lacks = holders.iter().map(|holder| {
        let claim: Option<String> = claims.take().present();
        claim.is_none_or(|claim| !EmailClaim::parse(&claim).is_of(holder.id))
    });
    Ok(lacks.collect())
}

/// Returns a finding if the secret is damaged that e-mail addresses are hashed with. Claims cannot be
/// found without it.
async fn check_secret(on: &Examination) -> Result<Option<Finding>> {
    let length = on.read_one(command("STRLEN", &[INSTALLATION])).await?;
    let problem = format!(
        "the secret is missing or not {SECRET_BYTES} bytes long: no e-mail address can be looked up"
    );
    Ok((length != Stored::Present(SECRET_BYTES))
        .then(|| Finding::broken(format!("key {INSTALLATION}"), problem)))
}
