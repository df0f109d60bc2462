//! Files that hold a secret: one line each, for nobody but their owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::BASE32_DNSSEC;

/// Reads a secret, or makes one: 160 random bits from the operating system, as 32 letters and digits.
///
/// The file is complete as soon as it has its name: no crash leaves half a secret behind.
pub(crate) fn read_or_make(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(line) => Ok(line.trim_end().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error),
    }
}

fn make(path: &Path) -> io::Result<String> {
    let mut bits = [0; 20];
    getrandom::fill(&mut bits).map_err(io::Error::other)?;
    let secret = BASE32_DNSSEC.encode(&bits);

    let unfinished = path.with_extension("unfinished");
    let mut file = private(&unfinished)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    Ok(secret)
}

/// Opens an empty file that only its owner can read: mode 0600.
fn private(path: &Path) -> io::Result<File> {
    // What is left of a run that was cut off may have another mode, which opening would keep.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let made = read_or_make(&path).expect("a new one");
        assert_eq!(made.len(), 32);
        assert_eq!(read_or_make(&path).expect("the same one"), made);

        let permissions = fs::metadata(&path).expect("a file").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 1, "nothing else is left");
    }

    #[test]
    fn two_secrets_differ() {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = |name| read_or_make(&folder.path().join(name)).expect("a new one");
        assert_ne!(secret("one"), secret("other"));
    }

    #[test]
    fn what_a_cut_off_run_left_behind_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        fs::write(path.with_extension("unfinished"), "half").expect("written");
        assert_eq!(read_or_make(&path).expect("a new one").len(), 32);
    }
}
