//! Files with one line, a secret, that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::BASE32_DNSSEC;

/// Reads a secret, or creates one if the file does not exist: 160 random bits from the operating
/// system, as 32 letters and digits.
///
/// A crash never leaves an incomplete secret, because the file gets its name after it was written.
pub(crate) fn read_or_create(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(line) => Ok(line.trim_end().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path),
        Err(error) => Err(error),
    }
}

fn create(path: &Path) -> io::Result<String> {
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

/// Creates an empty file with mode 0600.
fn private(path: &Path) -> io::Result<File> {
    // A file that an interrupted run left may have another mode, which opening would keep.
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
    fn a_secret_is_created_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let created = read_or_create(&path).expect("a new one");
        assert_eq!(created.len(), 32);
        assert_eq!(read_or_create(&path).expect("the same one"), created);

        let permissions = fs::metadata(&path).expect("a file").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 1, "no other file is left");
    }

    #[test]
    fn two_secrets_differ() {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = |name| read_or_create(&folder.path().join(name)).expect("a new one");
        assert_ne!(secret("one"), secret("other"));
    }

    #[test]
    fn the_file_of_an_interrupted_run_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        fs::write(path.with_extension("unfinished"), "half").expect("written");
        assert_eq!(read_or_create(&path).expect("a new one").len(), 32);
    }
}
