//! What is in memory: a window and the largest message, and not the number of messages.

use super::house::{BOB, House, Parts, parcel};
use crate::support::{Site, path};
use sealpost::engine::{Batch, InFlight};
use sealpost::store::MemoryStore;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How many were read and not told of, at most.
fn most_in_hand(in_flight: InFlight, size: usize) -> usize {
    let house = House::new();
    let (store, parts) = (MemoryStore::default(), Parts::default());
    let batch = Batch { engine: house.engine(&store, &parts), in_flight, stop: &AtomicBool::new(false) };
    let (read, told, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let parcels = (0..200).map(|number| {
        let now = read.fetch_add(1, Ordering::SeqCst) + 1 - told.load(Ordering::SeqCst);
        most.fetch_max(now, Ordering::SeqCst);
        (number, parcel(&[BOB], &"x".repeat(size)))
    });
    batch.run(parcels, |_, _, _| {
        told.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!((store.total(), told.into_inner()), (200, 200));
    most.into_inner()
}

#[test]
fn no_more_is_read_than_may_be_in_hand() {
    let most = most_in_hand(InFlight { octets: 1 << 30, messages: 20 }, 10);
    assert!((11..=21).contains(&most), "{most} messages");
    // Each of 1,000 octets and a little.
    let most = most_in_hand(InFlight { octets: 20_000, messages: 512 }, 450);
    assert!((11..=21).contains(&most), "{most} by octets");
    let most = most_in_hand(InFlight { octets: 1, messages: 512 }, 10);
    assert!((1..=3).contains(&most), "{most}: one that is larger goes alone");
}

/// The flag is looked at before a message is read; what is in hand is stored and told.
#[test]
fn it_ends_after_what_is_in_hand() {
    let house = House::new();
    let (store, parts, stop) = (MemoryStore::default(), Parts::default(), AtomicBool::new(false));
    let in_flight = InFlight { octets: 1 << 20, messages: 20 };
    let batch = Batch { engine: house.engine(&store, &parts), in_flight, stop: &stop };
    let mut told = 0;
    let parcels = (0..1000).map(|number| {
        stop.store(number == 34, Ordering::SeqCst);
        (number, parcel(&[BOB], "x"))
    });
    batch.run(parcels, |number, _, outcome| {
        assert_eq!((number, outcome.copies.len()), (told, 1));
        told += 1;
    });
    assert_eq!((told, store.total()), (35, 35));
}

/// The whole program over a folder, and over four times as many.
#[test]
fn memory_does_not_grow_with_the_number_of_messages() {
    let (site, _) = Site::certified();
    let folder = site.folder().join("mail");
    std::fs::create_dir(&folder).unwrap();
    let message = format!("From: carol@far.example\nSubject: x\n\n{}", "A line of the body.\n".repeat(200));
    let mut peaks = Vec::new();
    for (from, to) in [(0, 1000), (1000, 4000)] {
        (from..to).for_each(|number| std::fs::write(folder.join(format!("{number:05}")), &message).unwrap());
        let deliver = format!("deliver --batch {} --recipient bob@north.example", path(&folder));
        let ended = site.program(&deliver).run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        println!("{to}: {} KiB in {:?}", ended.peak_memory >> 10, ended.took);
        peaks.push(ended.peak_memory);
    }
    assert!(peaks[1] < peaks[0] + (8 << 20), "{peaks:?}");
}
