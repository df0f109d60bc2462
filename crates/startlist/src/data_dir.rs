//! The folder that is kept across runs:
//!
//! | name | what it is |
//! |---|---|
//! | `lock` | held by the `startlist` that uses the folder |
//! | `owner-password` | of the owner who was made on the first run |
//! | `redis/` | what the private Redis holds, its settings and its log |
//! | `admin-service-password`, `user-service-password`, `doctor-password` | of the users of that Redis |

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::failure::Failure;
use crate::secret;

/// The folder, in use by this process until it is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    /// Absolute.
    path: PathBuf,
    _lock: Flock<File>,
}

impl DataDir {
    /// Makes the folder if need be, for nobody but its owner. Fails if another `startlist` uses it.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let unusable = |source| Failure::DataDir {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let path_from_root = path.canonicalize().map_err(unusable)?;
        match lock(&path.join("lock")).map_err(unusable)? {
            Some(lock) => Ok(Self {
                path: path_from_root,
                _lock: lock,
            }),
            None => Err(Failure::InUse(path.to_owned())),
        }
    }

    /// Where the private Redis keeps what it holds.
    pub(crate) fn redis(&self) -> PathBuf {
        self.path.join("redis")
    }

    /// Whether an earlier run made an owner.
    pub(crate) fn has_owner_password(&self) -> bool {
        self.path.join(OWNER_PASSWORD).exists()
    }

    /// The file with the password of the owner who was made on the first run; made if there is none yet.
    pub(crate) fn owner_password(&self) -> Result<PathBuf, Failure> {
        self.secret(OWNER_PASSWORD)?;
        Ok(self.path.join(OWNER_PASSWORD))
    }

    /// The password of a user of the private Redis, made if there is none yet.
    pub(crate) fn redis_password(&self, user: &str) -> Result<String, Failure> {
        self.secret(&format!("{user}-password"))
    }

    fn secret(&self, name: &str) -> Result<String, Failure> {
        let path = self.path.join(name);
        secret::read_or_make(&path).map_err(|source| Failure::DataDir { path, source })
    }
}

const OWNER_PASSWORD: &str = "owner-password";

/// Locks a file, which is made if need be; `None` if somebody else has locked it.
fn lock(path: &Path) -> io::Result<Option<Flock<File>>> {
    let mut open = OpenOptions::new();
    let file = open.write(true).create(true).truncate(false).open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_is_made_for_nobody_but_its_owner() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("a/b");
        let folder = DataDir::open(&path).expect("a new folder");
        let mode = fs::metadata(&path).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(folder.redis().is_absolute());
    }

    #[test]
    fn one_at_a_time_uses_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = DataDir::open(folder.path()).expect("it is free");
        let refused = DataDir::open(folder.path()).expect_err("it is taken");
        let sentence = refused.to_string();
        assert!(
            sentence.ends_with("is in use by another startlist"),
            "{sentence}"
        );
        drop(first);
        DataDir::open(folder.path()).expect("it is free again");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let refused = DataDir::open(&file.path().join("below")).expect_err("a file is no folder");
        let sentence = refused.to_string();
        assert!(
            sentence.starts_with("--data-dir (STARTLIST_DATA_DIR): "),
            "{sentence}"
        );
        assert!(sentence.contains("/below"), "{sentence}");
    }

    #[test]
    fn a_password_of_redis_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let password = |user| {
            let folder = DataDir::open(folder.path()).expect("it is free");
            folder.redis_password(user).expect("a password")
        };
        assert_eq!(password("doctor"), password("doctor"));
        assert_ne!(password("doctor"), password("user-service"));
    }
}
