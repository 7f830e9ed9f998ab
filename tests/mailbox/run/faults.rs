//! Messages that are not as they should be, among good ones.

use super::house::{House, Seal, message};
use sealpost::mailbox::Outcome;
use sealpost::store::RunId;
use std::sync::atomic::Ordering;

fn failures(seen: &[sealpost::mailbox::Seen]) -> Vec<&str> {
    seen.iter()
        .filter_map(|seen| match &seen.outcome {
            Outcome::Failed(reason) => Some(reason.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_message_that_brings_the_work_down_fails_alone() {
    let house = House::with(60);
    let poisoned = Seal { poison: Some(b"The body of 33."), ..Seal::default() };
    let seen = house.run(RunId(1), &poisoned).whole();
    assert_eq!(failures(&seen), ["internal error: this is a bug, please report it"]);
    let failed = seen.iter().find(|seen| matches!(seen.outcome, Outcome::Failed(_))).unwrap();
    assert_eq!(std::fs::read(failed.stored.path()).unwrap(), message(33), "it is as it was");
    assert_eq!(seen.len(), 60);
    assert_eq!(house.run(RunId(2), &Seal::default()).replaced(), 1);
    house.assert_sealed(60);
}

#[test]
fn a_message_above_the_limit_fails_with_its_size() {
    let mut house = House::with(3);
    house.largest = 1000;
    house.store_message(&house.owner, 3, &[b'a'; 1001]);
    let seal = Seal::default();
    let seen = house.run(RunId(1), &seal).whole();
    assert_eq!(failures(&seen), ["it has 1001 octets, more than the 1000 that max-message allows"]);
    assert_eq!((seen.len(), seal.made.load(Ordering::Relaxed)), (4, 3));
}

/// What does not prove right is not put in the place of what is there.
#[test]
fn what_is_read_back_wrong_replaces_nothing() {
    let house = House::with(40);
    let before = house.files();
    let seen = house.run(RunId(1), &Seal { spoilt: true, ..Seal::default() }).whole();
    assert_eq!(failures(&seen), ["what was read back from the disk is not what was written"; 40]);
    assert_eq!(house.files(), before);
    assert_eq!(house.steps(), 0);
    assert_eq!(std::fs::read_dir(house.maildir().join("tmp")).unwrap().count(), 0);
}

/// A pipe would make a reader wait for ever, and a link leads out of the mailbox.
#[test]
fn what_is_no_file_fails_with_its_name() {
    let house = House::with(3);
    let cur = house.maildir().join("cur");
    nix::unistd::mkfifo(&cur.join("5.pipe.mx:2,"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", cur.join("5.link.mx:2,")).unwrap();
    let seen = house.run(RunId(1), &Seal::default()).whole();
    assert_eq!(seen.iter().filter(|seen| matches!(seen.outcome, Outcome::Replaced { .. })).count(), 3);
    let mut failed = failures(&seen);
    failed.sort_unstable();
    let [link, pipe] = failed[..] else { panic!("{failed:?}") };
    assert!(link.contains("/cur/5.link.mx:2,") && pipe.contains("/cur/5.pipe.mx:2,"), "{failed:?}");
    assert!(cur.join("5.pipe.mx:2,").symlink_metadata().is_ok() && cur.join("5.link.mx:2,").is_symlink());
}

#[test]
fn batches_are_bounded_in_number_and_octets() {
    let house = House::with(1100);
    let seal = Seal::default();
    house.run(RunId(1), &seal).whole();
    assert_eq!(*seal.largest_batch.lock().unwrap(), 512);
    let house = House::with(0);
    let large = [&b"Subject: large\r\n\r\n"[..], &b"0123456789abcde\n".repeat(4 << 16)].concat();
    (0..10).for_each(|number| house.store_message(&house.owner, number, &large));
    let seal = Seal::default();
    house.dry_run(RunId(1), &seal).whole();
    assert_eq!(*seal.largest_batch.lock().unwrap(), 3, "of 4 MiB and a little more, in 16 MiB");
}
