//! Reads while many users sign in. Hashing a password takes some 20 ms of a core by design, so a
//! service must bound it, or the other calls become slow.

use std::time::Duration;

use api::user::user_service_client::UserServiceClient;
use api::user::{GetCompetitionRequest, SignInRequest};
use tonic::Code;

use super::names;
use crate::context::Context;
use crate::load::{CallStats, target_rate};
use crate::report::BenchReport;
use crate::result::Result;
use crate::seed::{PASSWORD, open_competition};
use crate::stack::usage::resident_bytes;

const READS_PER_SECOND: u32 = 2_000;
const SIGN_INS_PER_SECOND: u32 = 200;
/// How many accounts sign in. Each has at most 20 sessions.
const ACCOUNTS: usize = 500;
/// A rejected sign-in, which is expected: the service accepts only what its cores can hash.
const REJECTED: &str = "rejected for overload";

/// Reads at a steady rate, first alone, then during sign-ins.
pub(super) async fn run(context: &Context<'_>, report: &mut BenchReport) -> Result<()> {
    context
        .seeder
        .competitions("read", 1, open_competition())
        .await?;
    context.users().await?;
    let duration = context.settings.duration();
    reads(context, Duration::from_millis(500)).await?;

    let quiet = reads(context, duration).await?;
    let pid = context.stack.user.pid();
    let before = resident_bytes(pid);
    let (busy, signed_in) =
        tokio::try_join!(reads(context, duration), sign_ins(context, duration))?;
    let after = resident_bytes(pid);

    report.add_figure(names::QUIET_READS, quiet.quantile_ms(0.99), "ms");
    report.add_figure(names::BUSY_READS, busy.quantile_ms(0.99), "ms");
    report.add_figure(names::FAILED_READS, busy.failed as f64, "calls");
    let accepted = (signed_in.calls() - signed_in.failed) as f64 / duration.as_secs_f64();
    report.add_figure(names::SIGNED_IN, accepted, "a second");
    if let Some((after, before)) = after.zip(before) {
        let growth = (after as f64 - before as f64) / f64::from(1 << 20);
        report.add_figure(names::SIGN_IN_MEMORY, growth, "MiB");
    }
    Ok(())
}

async fn reads(context: &Context<'_>, duration: Duration) -> Result<CallStats> {
    let client = UserServiceClient::new(context.stack.user.connect().await?);
    let read = || {
        let mut client = client.clone();
        let competition_id = "read-00000".to_owned();
        async move {
            let response = client.get_competition(GetCompetitionRequest { competition_id });
            response
                .await
                .map(drop)
                .map_err(|status| status.to_string())
        }
    };
    target_rate::run(read, READS_PER_SECOND, duration).await
}

/// Rejected sign-ins count as failed; any other failure is an error.
async fn sign_ins(context: &Context<'_>, duration: Duration) -> Result<CallStats> {
    let client = UserServiceClient::new(context.stack.user.connect().await?);
    let accounts = &context.users().await?[..ACCOUNTS];
    let mut emails = accounts.iter().map(|user| &user.email).cycle();
    let sign_in = move || {
        let mut client = client.clone();
        let request = SignInRequest {
            email: emails.next().cloned().unwrap_or_default(),
            password: PASSWORD.to_owned(),
        };
        async move {
            let response = client.sign_in(request).await;
            response.map(drop).map_err(|status| match status.code() {
                Code::ResourceExhausted => REJECTED.to_owned(),
                _ => status.to_string(),
            })
        }
    };
    let stats = target_rate::run(sign_in, SIGN_INS_PER_SECOND, duration).await?;
    match &stats.first_failure {
        Some(failure) if failure != REJECTED => Err(failure.clone().into()),
        _ => Ok(stats),
    }
}
