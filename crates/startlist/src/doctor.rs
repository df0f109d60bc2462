//! The subcommand `doctor`: examines a running system, and repairs it with `--repair`. It starts
//! and stops nothing and takes no lock.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use doctor::{Examiner, Repairer, Report, Severity};
use server::config::{RedisPassword, RedisUrl};
use store::{Error, Redis};

use crate::data_dir::RunningDataDir;
use crate::error::StartlistError;
use crate::progress::ProgressLine;
use crate::settings::{DoctorSettings, Settings};

/// The Redis user that can read every key and write none.
const READER: &str = "doctor";
/// The Redis user that can write every key that a repair changes.
const WRITER: &str = "user-service";

/// Examines, prints the report and returns the exit code.
pub(crate) async fn run(
    settings: &Settings,
    doctor: &DoctorSettings,
) -> Result<ExitCode, StartlistError> {
    let reader = Login::reader(settings, doctor)?;
    let writer = doctor.repair.then(|| Login::writer(settings, doctor));
    let writer = writer.transpose()?;
    reader.warn_about_settings().await;
    let mut examined = TimedReport::examine(&reader).await?;
    if let Some(writer) = writer
        && repair(&writer, &examined.report).await?
    {
        examined = TimedReport::examine(&reader).await?;
    }
    print(&examined.lines());
    Ok(if examined.report.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A Redis, and the user as whom the doctor logs in.
struct Login {
    address: RedisUrl,
    redis: Redis,
}

impl Login {
    fn reader(settings: &Settings, doctor: &DoctorSettings) -> Result<Self, StartlistError> {
        let setting = "--redis-password-file (STARTLIST_REDIS_PASSWORD_FILE)";
        let file = doctor.redis_password_file.as_ref();
        let password = file.map(|path| RedisPassword::read(setting, path));
        match (&settings.redis_url, password.transpose()?) {
            (Some(url), password) => Self::new(url.clone(), password.as_ref()),
            (None, Some(_)) => Err(StartlistError::NoUrl(setting)),
            (None, None) => Self::private(settings, READER),
        }
    }

    fn writer(settings: &Settings, doctor: &DoctorSettings) -> Result<Self, StartlistError> {
        let setting = "--repair-password-file (STARTLIST_REPAIR_PASSWORD_FILE)";
        let file = doctor.repair_password_file.as_ref();
        let password = file.map(|path| RedisPassword::read(setting, path));
        match (&settings.redis_url, password.transpose()?) {
            (Some(url), Some(password)) => Self::new(url.as_user(WRITER), Some(&password)),
            (Some(_), None) => Self::reader(settings, doctor),
            (None, Some(_)) => Err(StartlistError::NoUrl(setting)),
            (None, None) => Self::private(settings, WRITER),
        }
    }

    /// Returns the login to the private Redis of the `startlist` that runs in the data folder.
    fn private(settings: &Settings, user: &str) -> Result<Self, StartlistError> {
        let url = RunningDataDir::new(&settings.data_dir).redis_url_for(user)?;
        Self::new(url, None)
    }

    fn new(address: RedisUrl, password: Option<&RedisPassword>) -> Result<Self, StartlistError> {
        let redis = Redis::new(address.expose(), password.map(RedisPassword::expose));
        let redis = redis.map_err(|error| StartlistError::RedisUrl(error.into()))?;
        Ok(Self { address, redis })
    }

    /// Warns about unsafe Redis settings. They are not findings: the data may still be consistent.
    async fn warn_about_settings(&self) {
        // The examination reports it if Redis cannot be reached or refuses the user.
        for warning in self.redis.setup_warnings().await.unwrap_or_default() {
            eprintln!("startlist: {warning}");
        }
    }

    fn failed(&self, source: Error) -> StartlistError {
        StartlistError::Store {
            address: self.address.clone(),
            source,
        }
    }
}

struct TimedReport {
    report: Report,
    began: Instant,
}

impl TimedReport {
    async fn examine(login: &Login) -> Result<Self, StartlistError> {
        let began = Instant::now();
        let mut line = ProgressLine::new();
        let examiner = Examiner::new(&login.redis);
        let report = examiner.examine(|progress| line.show(&progress)).await;
        line.end();
        let report = report.map_err(|error| login.failed(error))?;
        Ok(Self { report, began })
    }

    fn lines(&self) -> String {
        let findings = self.report.findings.iter();
        let lines = findings.map(|finding| format!("{finding}\n"));
        lines.chain([self.summary()]).collect()
    }

    fn summary(&self) -> String {
        let examined = &self.report.examined;
        let examined = [
            counted(examined.keys, "key", "keys"),
            counted(examined.accounts, "account", "accounts"),
            counted(examined.competitions, "competition", "competitions"),
            counted(examined.log_entries, "log entry", "log entries"),
            counted(examined.registrations, "registration", "registrations"),
        ];
        let verdict = if self.report.is_sound() {
            "all invariants hold"
        } else {
            "some invariants do not hold"
        };
        let count = |severity| self.report.count(severity);
        let found = [
            counted(count(Severity::Broken), "finding", "findings"),
            counted(count(Severity::Orphan), "orphan", "orphans"),
            counted(count(Severity::Leftover), "leftover", "leftovers"),
        ];
        format!(
            "{verdict}: {} in {:.1} s: {}\n",
            examined.join(", "),
            self.began.elapsed().as_secs_f32(),
            found.join(", "),
        )
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Makes all repairs and prints each. Returns whether one changed something.
async fn repair(writer: &Login, report: &Report) -> Result<bool, StartlistError> {
    let repairer = Repairer::new(&writer.redis);
    let mut is_changed = false;
    for finding in &report.findings {
        let Some(repair) = &finding.repair else {
            continue;
        };
        let subject = &finding.subject;
        match repairer.make(repair).await {
            Ok(true) => {
                print(&format!("repaired: {subject}: {repair}\n"));
                is_changed = true;
            }
            // A call or another doctor has repaired it in the meantime.
            Ok(false) => {}
            Err(
                error @ (Error::Unavailable(_)
                | Error::Full(_)
                | Error::LoginRefused(_)
                | Error::PermissionDenied(_)),
            ) => return Err(writer.failed(error)),
            // The other repairs do not depend on this one.
            Err(error) => eprintln!("startlist: {subject}: the repair failed: {error}"),
        }
    }
    Ok(is_changed)
}

fn print(lines: &str) {
    // Ignore a closed pipe, which `println!` would panic on. The exit code still reports the result.
    let _ = io::stdout().lock().write_all(lines.as_bytes());
}
