//! A disk that is soon full: a small tmpfs. Needs Linux and root.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk. Dropping it unmounts it.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of this size over a directory; `None` if this user may not mount.
    #[must_use]
    pub fn mount(folder: &Path, kibibytes: u32) -> Option<Self> {
        let size = format!("size={kibibytes}k");
        let is_mounted = mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder);
        is_mounted.then(|| Self {
            folder: folder.to_owned(),
        })
    }

    pub fn grow(&self, kibibytes: u32) {
        let size = format!("remount,size={kibibytes}k");
        assert!(
            mount(&["-o", &size], &self.folder),
            "the disk does not grow"
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process may still have files open.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).output();
        let _ = std::fs::remove_dir(&self.folder);
    }
}

fn mount(options: &[&str], folder: &Path) -> bool {
    let mount = Command::new("mount").args(options).arg(folder).output();
    mount.is_ok_and(|output| output.status.success())
}
