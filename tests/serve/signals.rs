//! What the process itself is told and given: a hang-up, and open files.

use super::daemon::{Daemon, STORED, configure, message, socket};
use crate::batch::house::{BOB, House};
use crate::support::{Program, path, tools};
use nix::sys::signal::Signal;

/// What rotates logs sends it to a daemon, and a terminal that is closed: no reason to leave mail waiting.
#[test]
fn a_hang_up_ends_nothing() {
    let daemon = Daemon::start("");
    let mut client = daemon.client();
    client.begin(&[BOB]);
    for _ in 0..3 {
        daemon.signal(Signal::SIGHUP);
    }
    assert_eq!(client.finish(&message("one"), 1).unwrap(), [STORED]);
    assert_eq!(daemon.client().deliver(&[BOB], &message("two")), [STORED]);
    assert!(!daemon.log().contains("ending"), "{}", daemon.log());
    daemon.signal(Signal::SIGHUP);
    assert_eq!(daemon.inbox("bob").len(), 2);
    daemon.stop();
}

/// The signal falls into a system call: as it begins itself anew, before it listens, while it has no log and while it opens the
/// directory.
#[test]
fn who_tells_it_to_end_while_it_starts_is_heard_and_it_leaves_no_socket() {
    if !tools(&["strace"]) {
        return;
    }
    let house = House::lasting();
    configure(&house, "");
    let (root, log) = (house.folder.path().join("store"), house.folder.path().join("log"));
    let (settings, directory) = (root.join("sealpost.toml"), root.join("directory.sqlite"));
    let files = [&settings, &log, &directory].map(|file| ("openat", Some(file)));
    for (call, file) in [("execve", None), ("bind", None)].into_iter().chain(files) {
        let (trace, told) = (format!("trace={call}"), format!("inject={call}:signal=TERM:when=1"));
        let traced = Program::new("strace").args(["-D", "-f", "-o", "/dev/null", "-e", &trace, "-e", &told]);
        let traced = traced.args(file.into_iter().flat_map(|file| ["-P", path(file)]));
        let ended = traced.args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&root), "serve"]).run();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{call} {file:?}");
        assert!(!socket(&house).exists(), "{call} {file:?}: its name goes with it");
        assert!(std::fs::read_to_string(&log).unwrap().contains("ended"), "{call} {file:?}");
        std::fs::remove_file(&log).unwrap();
    }
}

#[test]
fn it_opens_as_many_files_as_it_may() {
    let house = House::lasting();
    configure(&house, "");
    let daemon = Daemon::under(house, &["sh", "-c", "ulimit -Sn 64; exec \"$0\" \"$@\""]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "soft and hard");
    assert_ne!(numbers[0], "64");
    daemon.stop();
}
