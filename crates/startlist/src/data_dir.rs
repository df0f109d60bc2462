//! The data folder, which is kept across runs:
//!
//! | name | content |
//! |---|---|
//! | `lock` | locked by the `startlist` that uses the folder |
//! | `owner-password` | the password of the owner that the first run created |
//! | `redis/` | the data, settings, log and address of the private Redis |
//! | `admin-service-password`, `user-service-password`, `doctor-password` | the passwords of the users of that Redis |

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use redis_server::address_in;
use server::config::{InvalidRedisUrl, RedisUrl};

use crate::error::StartlistError;
use crate::secret;

/// The data folder, locked by this process until it is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    /// Absolute.
    path: PathBuf,
    _lock: Flock<File>,
}

impl DataDir {
    /// Opens the folder. Creates it, with mode 0700, if it does not exist. Fails if another
    /// `startlist` uses it.
    pub(crate) fn open(path: &Path) -> Result<Self, StartlistError> {
        let unusable = |source| StartlistError::DataDir {
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
            None => Err(StartlistError::InUse(path.to_owned())),
        }
    }

    /// Returns the folder of the private Redis.
    pub(crate) fn redis(&self) -> PathBuf {
        self.path.join(REDIS)
    }

    /// Whether an earlier run created an owner.
    pub(crate) fn has_owner_password(&self) -> bool {
        self.path.join(OWNER_PASSWORD).exists()
    }

    /// Returns the file with the owner's password. Creates it if it does not exist.
    pub(crate) fn owner_password(&self) -> Result<PathBuf, StartlistError> {
        self.secret(OWNER_PASSWORD)?;
        Ok(self.path.join(OWNER_PASSWORD))
    }

    /// Returns the password of a user of the private Redis. Creates it if it does not exist.
    pub(crate) fn redis_password(&self, user: &str) -> Result<String, StartlistError> {
        self.secret(&password_file(user))
    }

    fn secret(&self, name: &str) -> Result<String, StartlistError> {
        let path = self.path.join(name);
        secret::read_or_create(&path).map_err(|source| StartlistError::DataDir { path, source })
    }
}

/// The data folder of another process, the `startlist` that runs in it. It is only read.
#[derive(Debug)]
pub(crate) struct RunningDataDir<'a> {
    path: &'a Path,
}

impl<'a> RunningDataDir<'a> {
    pub(crate) fn new(path: &'a Path) -> Self {
        Self { path }
    }

    /// Returns the URL of the private Redis for this user. Fails if no Redis has written its
    /// address to the folder.
    pub(crate) fn redis_url_for(&self, user: &str) -> Result<RedisUrl, StartlistError> {
        let unusable = |path: PathBuf| move |source| StartlistError::DataDir { path, source };
        let folder = self.path.join(REDIS);
        let address = address_in(&folder).map_err(unusable(folder))?;
        let address = address.ok_or_else(|| StartlistError::NotRunning(self.path.to_owned()))?;
        let file = self.path.join(password_file(user));
        let password = fs::read_to_string(&file).map_err(unusable(file))?;
        let url = format!("redis://{user}:{}@{address}", password.trim_end());
        url.parse()
            .map_err(|error: InvalidRedisUrl| StartlistError::RedisUrl(error.into()))
    }
}

const OWNER_PASSWORD: &str = "owner-password";
const REDIS: &str = "redis";

fn password_file(user: &str) -> String {
    format!("{user}-password")
}

/// Locks a file, and creates it if it does not exist. `None` if another process has locked it.
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_can_access_a_new_folder() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("a/b");
        let folder = DataDir::open(&path).expect("a new folder");
        let mode = fs::metadata(&path).expect("a folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(folder.redis().is_absolute());
    }

    #[test]
    fn a_folder_is_used_by_one_process_at_a_time() {
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
    fn the_error_names_a_folder_that_cannot_be_created() {
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
    fn the_url_of_a_running_redis_is_found_and_nothing_is_created() {
        let folder = tempfile::tempdir().expect("a folder");
        let nothing = folder.path().join("nothing");
        let refused = RunningDataDir::new(&nothing).redis_url_for("doctor");
        assert!(
            matches!(refused, Err(StartlistError::NotRunning(_))),
            "{refused:?}"
        );
        assert!(!nothing.exists());

        let data = DataDir::open(folder.path()).expect("it is free");
        let password = data.redis_password("doctor").expect("a password");
        fs::create_dir(data.redis()).expect("a folder");
        fs::write(data.redis().join("address"), "127.0.0.1:6379\n").expect("written");
        let url = RunningDataDir::new(folder.path()).redis_url_for("doctor");
        let url = url.expect("the lock is not needed");
        assert_eq!(
            url.expose(),
            format!("redis://doctor:{password}@127.0.0.1:6379")
        );
    }

    #[test]
    fn a_password_of_redis_stays_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let password = |user| {
            let folder = DataDir::open(folder.path()).expect("it is free");
            folder.redis_password(user).expect("a password")
        };
        assert_eq!(password("doctor"), password("doctor"));
        assert_ne!(password("doctor"), password("user-service"));
    }
}
