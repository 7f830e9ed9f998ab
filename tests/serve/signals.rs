//! What the process itself is told and given: a hang-up, and open files.

use super::daemon::{Daemon, STORED, message};
use crate::batch::house::{BOB, House};
use crate::support::{path, tools};
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

/// It listens, and has not come to its log yet.
#[test]
fn who_sees_its_socket_may_tell_it_to_end() {
    if !tools(&["strace"]) {
        return;
    }
    let house = House::lasting();
    super::daemon::configure(&house, "");
    let log = house.folder.path().join("log");
    let held = ["-e", "trace=openat", "-e", "inject=openat:delay_enter=1000000:when=1", "-P", path(&log)];
    let daemon = Daemon::under(house, &[&["strace", "-D", "-f", "-o", "/dev/null"], &held[..]].concat());
    daemon.signal(Signal::SIGTERM);
    let (house, status, said) = daemon.ended();
    assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{status}");
    assert!(!super::daemon::socket(&house).exists(), "its name goes with it");
}

#[test]
fn it_opens_as_many_files_as_it_may() {
    let house = House::lasting();
    super::daemon::configure(&house, "");
    let daemon = Daemon::under(house, &["sh", "-c", "ulimit -Sn 64; exec \"$0\" \"$@\""]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "soft and hard");
    assert_ne!(numbers[0], "64");
    daemon.stop();
}
