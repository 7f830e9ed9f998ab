//! What the process itself is told and given: a hang-up, and open files.

use super::daemon::{Daemon, STORED, message};
use crate::batch::house::{BOB, House};
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
