//! What keeps secrets in this process.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

/// No core dumps, no debugger of the same user, and no file of ours that others may read. What the kernel refuses is
/// left as it is: none of it is needed for right results.
pub fn harden() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    let _ = set_dumpable(false);
}
