//! A virtual environment for the peer, with what its requirements name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::Result;
use crate::lines::say;

/// The Python of an environment that has what the peer needs. It is made once, in `out`, and again when
/// the requirements have changed.
pub(super) async fn python(peer: &Path, out: &Path) -> Result<PathBuf> {
    let requirements = peer.join("requirements.txt");
    let environment = out.join("peer-venv");
    // A copy of the requirements, written last: who finds it knows that all of them are installed.
    let installed = environment.join("requirements.txt");
    let wanted = fs::read(&requirements)?;
    let python = std::path::absolute(environment.join("bin/python"))?;
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    say("  installing the Python packages of the peer");
    let make = ["-m", "venv", "--clear"];
    run(Command::new("python3").args(make).arg(&environment)).await?;
    let quietly = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let install = ["--requirement".as_ref(), requirements.as_os_str()];
    run(Command::new(&python).args(quietly).args(install)).await?;
    fs::write(installed, wanted)?;
    Ok(python)
}

async fn run(command: &mut Command) -> Result<()> {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().last().unwrap_or("python3 failed").into())
}
