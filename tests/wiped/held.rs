//! How much memory work holds at a time, as the allocator of this test binary counts it.

use super::{job, person};
use sealpost::crypto::Profile;
use sealpost::mail::HeaderPolicy;
use sealpost::pki::KeyType;
use sealpost::smime::seal_many;
use std::cell::Cell;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Must not allocate.
pub(super) fn taken(octets: usize) {
    let held = HELD.get().wrapping_add(octets);
    HELD.set(held);
    // What another thread took and this one gave back is no debt.
    if held < isize::MAX as usize {
        PEAK.set(PEAK.get().max(held));
    }
}

/// Must not allocate.
pub(super) fn given_back(octets: usize) {
    HELD.set(HELD.get().wrapping_sub(octets));
}

/// The most that the work holds on this thread over what was held before.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    let done = work();
    let peak = PEAK.get() - before;
    drop(done);
    peak
}

const MIB: usize = 1024 * 1024;

/// The output, which is 1.37 times the message, and nothing else of its size.
#[test]
fn sealing_holds_the_sealed_message_and_nothing_of_its_size_beside_it() {
    let person = person(KeyType::Rsa2048);
    let line = format!("{}\r\n", "x".repeat(76));
    let message = format!("From: a@b\r\nSubject: large\r\n\r\n{}", line.repeat(25 * MIB / line.len()));
    for profile in [Profile::Compatible, Profile::Modern] {
        let mut length = 0;
        let peak = peak(|| {
            let job = job(message.as_bytes(), &person, profile, HeaderPolicy::Keep);
            let sealed = seal_many(vec![job]).remove(0).unwrap();
            length = sealed.bytes().len();
            sealed
        });
        assert!(peak >= length && length > message.len(), "the allocator counts");
        assert!(peak <= message.len() / 10 * 14 + 4 * MIB, "{profile:?}: {peak}");
    }
}
