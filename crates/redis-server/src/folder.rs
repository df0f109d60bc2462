//! The folder of the data, and the lock that keeps a second server away from it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// How long a server that lost its parent a moment ago may take to end.
const LEFT_BEHIND: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// The folder, in use until it is dropped, and until the last server in it has ended.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// It belongs to the open file, so a child that inherits the file holds it too.
    lock: Flock<File>,
}

impl Folder {
    /// Makes the folder if need be, for nobody but its owner, and locks it. Waits up to 5 s for a server
    /// that another one left behind, then fails with `ResourceBusy`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let path = path.canonicalize()?;
        let mut file = private()
            .create(true)
            .truncate(false)
            .open(path.join("lock"))?;
        let give_up = Instant::now() + LEFT_BEHIND;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(Self { path, lock }),
                Err((unlocked, Errno::EWOULDBLOCK)) if Instant::now() < give_up => file = unlocked,
                Err((_, Errno::EWOULDBLOCK)) => {
                    let taken = format!("another server uses {}", path.display());
                    return Err(io::Error::new(io::ErrorKind::ResourceBusy, taken));
                }
                Err((_, error)) => return Err(error.into()),
            }
            thread::sleep(BETWEEN_TRIES);
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only its owner can read, and answers where it is.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        let mut file = private().create(true).truncate(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// The lock for a child: as its input, since that is the one open file that it inherits and never reads.
    pub(crate) fn lock_for_child(&self) -> io::Result<Stdio> {
        self.lock.try_clone().map(Stdio::from)
    }

    /// An empty log for a child that is about to start.
    pub(crate) fn new_log(&self) -> io::Result<File> {
        private().create(true).truncate(true).open(self.log_path())
    }

    /// What the log says.
    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.path.join("redis.log")
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_its_owner_can_look_into_it() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(&parent.path().join("a/b")).expect("a new folder");
        let file = folder.write("users.acl", "secret").expect("written");
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn one_at_a_time_uses_it() {
        let path = tempfile::tempdir().expect("a folder");
        let first = Folder::open(path.path()).expect("it is free");
        let wait = thread::spawn({
            let path = path.path().to_owned();
            move || Folder::open(&path).map(drop)
        });
        thread::sleep(BETWEEN_TRIES * 4);
        assert!(!wait.is_finished(), "it waits for the first one");
        drop(first);
        wait.join().expect("no panic").expect("it is free again");
    }
}
