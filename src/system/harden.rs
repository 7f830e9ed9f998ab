//! What keeps secrets in this process.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// No core dumps, no debugger of the same user, and no file of ours that others may read. What the kernel refuses is
/// left as it is: none of it is needed for right results.
pub fn harden() {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    forbid_dumps();
}

/// As many open files as the machine lets this process have: for one that serves many at a time.
pub fn allow_many_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// Closes what the process was started with beside the three standard files: it would reach every program that we start.
/// For the very begin of a process that was handed no file on purpose: what is opened later closes itself (close-on-exec).
pub fn close_inherited() {
    let names =
        std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let numbers = names.filter_map(|name| name.to_str()?.parse::<i32>().ok());
    // Read to its end first: the listing is one of them, and closed by then.
    let beyond: Vec<i32> = numbers.filter(|number| *number > 2).collect();
    for number in beyond {
        let _ = nix::unistd::close(number);
    }
}

/// Asked again whenever the process changes its user: the kernel forgets it then (prctl(2), PR_SET_DUMPABLE), and a
/// core that goes to a program (core(5), systemd-coredump) is not held back by its limit of size.
pub(super) fn forbid_dumps() {
    let _ = set_dumpable(false);
}
