//! What a run holds in memory does not grow with the mailbox, and with the largest message only.

use super::house::{House, Seal, message};
use super::kills::{place, start};
use crate::support::high_water;
use sealpost::store::RunId;
use std::path::Path;

const MIB: u64 = 1 << 20;

#[test]
fn a_process_that_is_measured() {
    let Some(place) = place() else { return };
    let place: &Path = place.as_ref();
    let house = House::at(place);
    let idle = Seal { idle: true, ..Seal::default() };
    house.run(RunId(1), &idle).whole();
    std::fs::write(place.join("peak"), high_water("/proc/self/status").unwrap().to_string()).unwrap();
}

fn peak(messages: impl Iterator<Item = Vec<u8>>) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let house = House::make(folder.path());
    messages.enumerate().for_each(|(number, bytes)| house.store_message(&house.owner, number, &bytes));
    let ended = start("mailbox::run::memory::a_process_that_is_measured", folder.path()).wait().unwrap();
    assert!(ended.success());
    std::fs::read_to_string(folder.path().join("peak")).unwrap().parse().unwrap()
}

/// The test keeps what is told of each message, which is 400 octets or so.
#[test]
fn ten_times_the_messages_take_no_more_memory() {
    let few = peak((0..2000).map(message));
    let many = peak((0..20_000).map(message));
    println!("2 000 messages: {} MiB, 20 000: {} MiB", few / MIB, many / MIB);
    assert!(many < few + 24 * MIB, "{} MiB and {} MiB", few / MIB, many / MIB);
}

#[test]
fn large_messages_are_in_memory_one_at_a_time() {
    let large = || [&b"Subject: large\r\n\r\n"[..], &b"0123456789abcd\r\n".repeat(4 << 20)].concat();
    let none = peak(std::iter::empty());
    let eight = peak((0..8).map(|_| large()));
    println!("8 messages of 64 MiB: {} MiB, none: {} MiB", eight / MIB, none / MIB);
    assert!(eight > none + 60 * MIB && eight < none + 80 * MIB, "{} MiB and {} MiB", eight / MIB, none / MIB);
}
