//! What keeps secrets in this process.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};

/// No core dumps, no debugger of the same user, and no file of ours that others may read. What the kernel refuses is
/// left as it is: none of it is needed for right results.
pub fn harden() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    forbid_dumps();
}

/// Asked again whenever the process changes its user: the kernel forgets it then (prctl(2), PR_SET_DUMPABLE), and a
/// core that goes to a program (core(5), systemd-coredump) is not held back by its limit of size.
pub(super) fn forbid_dumps() {
    let _ = set_dumpable(false);
}
