//! What was looked up is kept until the directory changes, and no judgement outlives its second.

use super::house::{BOB, House, LASTS, Parts, parcel};
use crate::support::{EngineParts, Site};
use sealpost::crypto::{Entropy, EntropyError, Seed};
use sealpost::directory::SqliteDirectory;
use sealpost::engine::{Batch, Engine, Expired, InFlight};
use sealpost::store::MemoryStore;
use sealpost::system::SystemEntropy;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Two messages a window.
const PAIRS: InFlight = InFlight { octets: 1 << 20, messages: 4 };

/// Another process takes the certificate back while the batch runs.
#[test]
fn a_certificate_that_is_revoked_meanwhile_is_not_sealed_to() {
    let (site, _) = Site::certified();
    let directory = SqliteDirectory::open_for_reading(&site.root()).unwrap();
    let (store, parts) = (MemoryStore::default(), EngineParts::default());
    let engine = parts.engine(&directory, &store);
    let batch = Batch { engine, in_flight: PAIRS, stop: &AtomicBool::new(false) };
    let read = (0..8).map(|number| {
        if number == 4 {
            site.run("cert revoke --account bob@north.example --reason key-compromise").ok();
        }
        (number, parcel(&[BOB], "x"))
    });
    let told = Mutex::new(Vec::new());
    batch.run(read, |_, _, outcome| told.lock().unwrap().push(outcome));
    let told = told.into_inner().unwrap();
    let codes: Vec<u8> = told.iter().map(|outcome| outcome.disposition.exit_code()).collect();
    assert_eq!(codes, [0, 0, 0, 0, 75, 75, 75, 75], "{:?}", told.last());
    assert!(told[4].cause.as_ref().is_some_and(|cause| cause.contains("revoked")), "{:?}", told[4].cause);
    assert_eq!(store.total(), 4);
}

/// Another process installs rules while the batch runs, and takes them back.
#[test]
fn rules_that_are_changed_meanwhile_hold_for_what_comes_after() {
    let house = House::new();
    let (store, parts) = (MemoryStore::default(), Parts::default());
    let batch =
        Batch { engine: house.engine(&store, &parts), in_flight: PAIRS, stop: &AtomicBool::new(false) };
    let rule = "[[rule]]\nname = \"no\"\npriority = 9\nwhen = []\nthen = [[\"Reject with\", \"no\"]]\n";
    let read = (0..12).map(|number| {
        match number {
            4 => house.rules("--account bob@north.example", rule),
            8 => house.rules("--account bob@north.example", &rule.replace("priority = 9", "priority = 0")),
            _ => (),
        }
        (number, parcel(&[BOB], "x"))
    });
    let codes = Mutex::new(Vec::new());
    batch.run(read, |_, _, outcome| codes.lock().unwrap().push(outcome.disposition.exit_code()));
    assert_eq!(codes.into_inner().unwrap(), [0, 0, 0, 0, 65, 65, 65, 65, 0, 0, 0, 0]);
}

/// Nothing in the directory changes; the clock goes on.
#[test]
fn a_certificate_that_ends_in_the_middle_of_a_run_is_refused_from_then_on() {
    let mut house = House::new();
    house.settings.certificates.expired = Expired::Defer;
    let (store, parts) = (MemoryStore::default(), Parts::default());
    let batch =
        Batch { engine: house.engine(&store, &parts), in_flight: PAIRS, stop: &AtomicBool::new(false) };
    house.clock.0.store(LASTS - 2, Ordering::SeqCst);
    let read = (0..8).map(|number| {
        if number == 4 {
            house.clock.0.store(LASTS + 2, Ordering::SeqCst);
        }
        (number, parcel(&[BOB], "x"))
    });
    let told = Mutex::new(Vec::new());
    batch.run(read, |_, _, outcome| told.lock().unwrap().push(outcome));
    let told = told.into_inner().unwrap();
    let stored: Vec<bool> = told.iter().map(|outcome| outcome.copies.len() == 1).collect();
    assert_eq!(stored, [true, true, true, true, false, false, false, false], "{:?}", told.last());
}

/// Whose first seed comes late: another process took the certificate back between the look at it and the sealing.
struct Late<'s> {
    site: &'s Site,
    drawn: AtomicUsize,
}

impl Entropy for Late<'_> {
    fn seed(&self) -> Result<Seed, EntropyError> {
        if self.drawn.fetch_add(1, Ordering::SeqCst) == 0 {
            self.site.run("cert revoke --account bob@north.example --reason key-compromise").ok();
        }
        SystemEntropy.seed()
    }
}

/// The window that was sealed is not stored: the directory is another one.
#[test]
fn a_certificate_that_is_revoked_after_the_sealing_is_not_delivered_to() {
    let (site, _) = Site::certified();
    let directory = SqliteDirectory::open_for_reading(&site.root()).unwrap();
    let (store, parts) = (MemoryStore::default(), EngineParts::default());
    let late = Late { site: &site, drawn: AtomicUsize::new(0) };
    let engine = Engine { entropy: &late, ..parts.engine(&directory, &store) };
    let batch = Batch { engine, in_flight: PAIRS, stop: &AtomicBool::new(false) };
    // One that bounces, so that it is seen that each has its own answer.
    let read = (0..6).map(|number| {
        let to = if number == 1 { "nobody@north.example" } else { BOB };
        (number, parcel(&[to], "x"))
    });
    let told = Mutex::new(Vec::new());
    batch.run(read, |number, _, outcome| told.lock().unwrap().push((number, outcome)));
    let told = told.into_inner().unwrap();
    let codes: Vec<(i32, u8)> =
        told.iter().map(|(number, outcome)| (*number, outcome.disposition.exit_code())).collect();
    assert_eq!(codes, [(0, 75), (1, 67), (2, 75), (3, 75), (4, 75), (5, 75)], "{told:?}");
    assert!(told[0].1.cause.as_ref().is_some_and(|cause| cause.contains("revoked")), "{:?}", told[0].1.cause);
    assert_eq!((late.drawn.load(Ordering::SeqCst) > 0, store.total()), (true, 0));
}
