//! Ctrl-C, in a process of its own: signals are its own affair.

use super::house::{House, Seal};
use super::kills::{place, start};
use crate::support::wait_for;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use sealpost::mailbox::Ended;
use sealpost::store::RunId;
use sealpost::system::Interrupt;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::Ordering;
use std::time::Duration;

const MESSAGES: usize = 700;

/// Waits in the first batch for the signal, and goes on with it then.
#[test]
fn a_process_that_is_interrupted() {
    let Some(place) = place() else { return };
    let place: &Path = place.as_ref();
    let house = House::at(place);
    let told = place.join("told");
    let interrupt = Interrupt::listen(move || std::fs::write(told, "").unwrap()).unwrap();
    let seal = Seal {
        before: Box::new(|_| {
            std::fs::write(place.join("works"), "").unwrap();
            if place.join("deaf").exists() {
                std::thread::sleep(Duration::from_secs(600));
            }
            while !interrupt.flag().load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            house.stop.store(true, Ordering::Relaxed);
        }),
        ..Seal::default()
    };
    assert_eq!(house.run(RunId(1), &seal).ended.unwrap(), Ended::Stopped);
    std::fs::write(place.join("ended"), "").unwrap();
}

fn house() -> (tempfile::TempDir, House) {
    let folder = tempfile::tempdir().unwrap();
    let house = House::make(folder.path());
    (0..MESSAGES).for_each(|number| house.add(number));
    (folder, house)
}

fn working(place: &Path) -> Child {
    // It inherits that they are blocked, in all its threads; a program that is no test has one thread when it begins.
    let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().unwrap();
    let child = start("mailbox::run::signals::a_process_that_is_interrupted", place);
    signals.thread_unblock().unwrap();
    wait_for("the child to be at work", 60, || place.join("works").exists().then_some(()));
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[test]
fn the_first_signal_ends_the_run_cleanly() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let (folder, house) = house();
        let mut child = working(folder.path());
        send(&child, signal);
        assert!(child.wait().unwrap().success(), "{signal}");
        assert!(folder.path().join("told").exists() && folder.path().join("ended").exists(), "{signal}");
        assert_eq!(house.files().len(), MESSAGES, "{signal}: nothing is there twice");
        assert_eq!(house.steps(), 0, "{signal}");
    }
}

#[test]
fn the_second_signal_ends_the_process() {
    let (folder, _house) = house();
    std::fs::write(folder.path().join("deaf"), "").unwrap();
    let mut child = working(folder.path());
    send(&child, Signal::SIGINT);
    wait_for("the first signal to be heard", 60, || folder.path().join("told").exists().then_some(()));
    send(&child, Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!folder.path().join("ended").exists());
}
