//! The data folder, and the lock that prevents a second server in it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// How long to wait for the end of a server whose parent process was killed.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_RETRY_PAUSE: Duration = Duration::from_millis(5);
/// The file with the address of the server.
const ADDRESS_FILE: &str = "address";

/// The folder. It stays locked until this value is dropped and the last server in it has ended.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The lock belongs to the open file, so a child that inherits the file holds it too.
    lock: Flock<File>,
}

impl Folder {
    /// Locks the folder, after creating it with mode 0700 if it does not exist. Waits up to 5 s for
    /// a server whose parent was killed, then fails with `ResourceBusy`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let path = path.canonicalize()?;
        let mut file = private()
            .create(true)
            .truncate(false)
            .open(path.join("lock"))?;
        let give_up = Instant::now() + LOCK_TIMEOUT;
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
            thread::sleep(LOCK_RETRY_PAUSE);
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that only its owner can read, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        let mut file = private().create(true).truncate(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// Writes the address of the server, for other processes of the same user. The rename makes the
    /// file appear complete.
    pub(crate) fn write_address(&self, address: SocketAddr) -> io::Result<()> {
        let unfinished = self.write("address.unfinished", &format!("{address}\n"))?;
        fs::rename(unfinished, self.path.join(ADDRESS_FILE))
    }

    /// Removes the file with the address.
    pub(crate) fn remove_address(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(ADDRESS_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the lock as the standard input of a child, which inherits that file and never reads
    /// it.
    pub(crate) fn lock_for_child(&self) -> io::Result<Stdio> {
        self.lock.try_clone().map(Stdio::from)
    }

    /// Creates an empty log for a new child.
    pub(crate) fn new_log(&self) -> io::Result<File> {
        private().create(true).truncate(true).open(self.log_path())
    }

    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.path.join("redis.log")
    }
}

/// Returns the address of the server in this folder; `None` if no server has written one.
///
/// A server that was killed leaves its address behind. Another process may listen there now, so the
/// caller has to log in with a password of the folder.
pub fn address_in(folder: &Path) -> io::Result<Option<SocketAddr>> {
    match fs::read_to_string(folder.join(ADDRESS_FILE)) {
        Ok(line) => Ok(line.trim_end().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
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
    fn only_the_owner_can_access_the_folder() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(&parent.path().join("a/b")).expect("a new folder");
        let file = folder.write("users.acl", "secret").expect("written");
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("the file exists")
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn the_address_is_in_the_folder_until_it_is_removed() {
        let path = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(path.path()).expect("it is free");
        let found = || address_in(path.path()).expect("readable");
        assert_eq!(found(), None);
        let address = "127.0.0.1:6379".parse().expect("an address");
        folder.write_address(address).expect("written");
        assert_eq!(found(), Some(address));
        folder.remove_address().expect("removed");
        folder.remove_address().expect("no file to remove");
        assert_eq!(found(), None);
    }

    #[test]
    fn a_second_server_waits_for_the_first_one() {
        let path = tempfile::tempdir().expect("a folder");
        let first = Folder::open(path.path()).expect("it is free");
        let wait = thread::spawn({
            let path = path.path().to_owned();
            move || Folder::open(&path).map(drop)
        });
        thread::sleep(LOCK_RETRY_PAUSE * 4);
        assert!(!wait.is_finished(), "the lock is held");
        drop(first);
        wait.join().expect("no panic").expect("it is free again");
    }
}
