//! The folder that is kept across runs:
//!
//! | name | what it is |
//! |---|---|
//! | `lock` | held by the `startlist` that uses the folder |
//! | `owner-password` | of the owner who was made on the first run |
//! | `redis/` | what the private Redis holds, its settings, its log, and where it listens |
//! | `admin-service-password`, `user-service-password`, `doctor-password` | of the users of that Redis |

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use redis_server::address_in;
use server::config::{InvalidRedisUrl, RedisUrl};

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
        self.path.join(REDIS)
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
        self.secret(&password_file(user))
    }

    fn secret(&self, name: &str) -> Result<String, Failure> {
        let path = self.path.join(name);
        secret::read_or_make(&path).map_err(|source| Failure::DataDir { path, source })
    }
}

/// The folder as another process sees it, while a `startlist` uses it or not: only read, never locked.
#[derive(Debug)]
pub(crate) struct Guest<'a> {
    path: &'a Path,
}

impl<'a> Guest<'a> {
    pub(crate) fn of(path: &'a Path) -> Self {
        Self { path }
    }

    /// Where the private Redis is, and the password of its user. Fails if there is none, as far as the folder
    /// says.
    pub(crate) fn redis_url_for(&self, user: &str) -> Result<RedisUrl, Failure> {
        let unusable = |path: PathBuf| move |source| Failure::DataDir { path, source };
        let folder = self.path.join(REDIS);
        let address = address_in(&folder).map_err(unusable(folder))?;
        let address = address.ok_or_else(|| Failure::NotRunning(self.path.to_owned()))?;
        let file = self.path.join(password_file(user));
        let password = fs::read_to_string(&file).map_err(unusable(file))?;
        let url = format!("redis://{user}:{}@{address}", password.trim_end());
        url.parse()
            .map_err(|error: InvalidRedisUrl| Failure::RedisUrl(error.into()))
    }
}

const OWNER_PASSWORD: &str = "owner-password";
const REDIS: &str = "redis";

fn password_file(user: &str) -> String {
    format!("{user}-password")
}

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
    fn a_guest_finds_a_redis_where_one_runs_and_makes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let nothing = folder.path().join("nothing");
        let refused = Guest::of(&nothing).redis_url_for("doctor");
        assert!(
            matches!(refused, Err(Failure::NotRunning(_))),
            "{refused:?}"
        );
        assert!(!nothing.exists());

        let data = DataDir::open(folder.path()).expect("it is free");
        let password = data.redis_password("doctor").expect("a password");
        fs::create_dir(data.redis()).expect("a folder");
        fs::write(data.redis().join("address"), "127.0.0.1:6379\n").expect("written");
        let url = Guest::of(folder.path()).redis_url_for("doctor");
        let url = url.expect("although the folder is locked");
        assert_eq!(
            url.expose(),
            format!("redis://doctor:{password}@127.0.0.1:6379")
        );
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
