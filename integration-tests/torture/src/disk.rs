//! A disk that is soon full: a small tmpfs. Needs Linux, and root.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk. It is taken away with this value.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many KiB over a folder; `None` = this user may not.
    #[must_use]
    pub fn mount(folder: &Path, kibibytes: u32) -> Option<Self> {
        let size = format!("size={kibibytes}k");
        let is_mounted = mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder);
        is_mounted.then(|| Self {
            folder: folder.to_owned(),
        })
    }

    /// Makes it so many KiB large.
    pub fn grow(&self, kibibytes: u32) {
        let size = format!("remount,size={kibibytes}k");
        assert!(mount(&["-o", &size], &self.folder), "it does not grow");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Later, if something still has a file open there.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).output();
        let _ = std::fs::remove_dir(&self.folder);
    }
}

fn mount(options: &[&str], folder: &Path) -> bool {
    let mount = Command::new("mount").args(options).arg(folder).output();
    mount.is_ok_and(|said| said.status.success())
}
