//! The folder of the data, and the lock that keeps a second server away from it.

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

/// How long a server that lost its parent a moment ago may take to end.
const LEFT_BEHIND: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);
/// The file that says where the server listens.
const ADDRESS: &str = "address";

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

    /// Writes down where the server listens, for other processes of the same person. The file is whole as
    /// soon as it is there.
    pub(crate) fn write_address(&self, address: SocketAddr) -> io::Result<()> {
        let unfinished = self.write("address.unfinished", &format!("{address}\n"))?;
        fs::rename(unfinished, self.path.join(ADDRESS))
    }

    /// Takes back where the server listens.
    pub(crate) fn forget_address(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(ADDRESS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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

/// Where the server listens that uses this folder, as it wrote it down; `None` = none does, or none did
/// when it was last seen. One that was killed leaves its address behind, and somebody else may listen there
/// by now, who knows none of its passwords.
pub fn address_in(folder: &Path) -> io::Result<Option<SocketAddr>> {
    match fs::read_to_string(folder.join(ADDRESS)) {
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
    fn it_says_where_the_server_listens_as_long_as_it_does() {
        let path = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(path.path()).expect("it is free");
        let found = || address_in(path.path()).expect("readable");
        assert_eq!(found(), None);
        let address = "127.0.0.1:6379".parse().expect("an address");
        folder.write_address(address).expect("written");
        assert_eq!(found(), Some(address));
        folder.forget_address().expect("taken back");
        folder.forget_address().expect("as before");
        assert_eq!(found(), None);
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
