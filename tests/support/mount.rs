//! A disk that is small, or that says no.

use super::{Program, path};
use std::path::{Path, PathBuf};

/// A small file system of its own, gone with the value. Takes root.
pub(crate) struct Mount(PathBuf);

impl Mount {
    pub(crate) fn new(place: PathBuf, options: &str) -> Mount {
        std::fs::create_dir(&place).unwrap();
        Program::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs", path(&place)]).run().ok();
        Mount(place)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn remount(&self, options: &str) {
        Program::new("mount").args(["-o", &format!("remount,{options}"), path(&self.0)]).run().ok();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        Program::new("umount").args([path(&self.0)]).run();
    }
}
