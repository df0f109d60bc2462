//! Others call while many sign in. A sign-in costs some 20 ms of a core, on purpose, so that it is not
//! the sign-ins that are fast: it is the others that must not become slow.

use std::time::Duration;

use api::user::user_service_client::UserServiceClient;
use api::user::{GetCompetitionRequest, SignInRequest};
use tonic::Code;

use super::{Bench, names};
use crate::Result;
use crate::load::{Tally, paced};
use crate::report::Report;
use crate::seed::{PASSWORD, Shape};
use crate::stack::usage::resident_bytes;

const READS_PER_SECOND: u32 = 2_000;
const SIGN_INS_PER_SECOND: u32 = 200;
/// How many accounts sign in: each has at most 20 sessions.
const ACCOUNTS: usize = 500;

/// Reads at a steady rate, first alone, then while others sign in.
pub(super) async fn sign_in(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    bench.seeder.competitions("read", 1, Shape::OPEN).await?;
    bench.members().await?;
    let length = bench.settings.length();
    reads(bench, Duration::from_millis(500)).await?;

    let quiet = reads(bench, length).await?;
    let pid = bench.stack.user.pid();
    let before = resident_bytes(pid);
    let (busy, signed_in) = tokio::try_join!(reads(bench, length), sign_ins(bench, length))?;
    let after = resident_bytes(pid);

    report.fact(names::QUIET_READS, quiet.quantile_ms(0.99), "ms");
    report.fact(names::BUSY_READS, busy.quantile_ms(0.99), "ms");
    report.fact(names::FAILED_READS, busy.failed as f64, "calls");
    let per_second = (signed_in.calls() - signed_in.failed) as f64 / length.as_secs_f64();
    report.fact(names::SIGNED_IN, per_second, "a second");
    if let Some(grown) = after
        .zip(before)
        .map(|(after, before)| after as f64 - before as f64)
    {
        report.fact(names::SIGN_IN_MEMORY, grown / f64::from(1 << 20), "MiB");
    }
    Ok(())
}

async fn reads(bench: &Bench<'_>, length: Duration) -> Result<Tally> {
    let client = UserServiceClient::new(bench.stack.user.connect().await?);
    let read = || {
        let mut client = client.clone();
        let competition_id = "read-00000".to_owned();
        async move {
            let read = client.get_competition(GetCompetitionRequest { competition_id });
            read.await.map(drop).map_err(|status| status.to_string())
        }
    };
    paced::run(read, READS_PER_SECOND, length).await
}

/// Those who are told to come back are counted as failed. Any other failure ends the run.
async fn sign_ins(bench: &Bench<'_>, length: Duration) -> Result<Tally> {
    let client = UserServiceClient::new(bench.stack.user.connect().await?);
    let accounts = &bench.members().await?[..ACCOUNTS];
    let mut accounts = accounts.iter().cycle();
    let sign_in = move || {
        let mut client = client.clone();
        let asked = SignInRequest {
            email: accounts
                .next()
                .map(|member| member.email.clone())
                .unwrap_or_default(),
            password: PASSWORD.to_owned(),
        };
        async move {
            let signed_in = client.sign_in(asked).await;
            signed_in.map(drop).map_err(|status| match status.code() {
                Code::ResourceExhausted => COME_BACK.to_owned(),
                _ => status.to_string(),
            })
        }
    };
    let tally = paced::run(sign_in, SIGN_INS_PER_SECOND, length).await?;
    match &tally.first_failure {
        Some(failure) if failure != COME_BACK => Err(failure.clone().into()),
        _ => Ok(tally),
    }
}

/// What a sign-in is told that finds too many others.
const COME_BACK: &str = "come back later";
