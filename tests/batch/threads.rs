//! The same bytes whatever the number of threads, and those of one call after the other.

use super::house::{ADA, BOB, House, address, numbers, parcel};
use sealpost::engine::{InFlight, Parcel};
use sealpost::mail::MailboxName;
use sealpost::store::MemoryStore;
use std::process::Command;

fn mail() -> Vec<Parcel> {
    let recipients = |number: usize| match number % 3 {
        0 => vec![BOB],
        1 => vec![BOB, ADA],
        _ => vec![ADA],
    };
    let subjects = numbers(40).into_iter().enumerate();
    subjects
        .map(|(at, subject)| parcel(&recipients(at), &format!("{subject} {}", "x".repeat(at * 37))))
        .collect()
}

/// Both mailboxes, whole, each in the order of its names.
fn bytes(store: &MemoryStore) -> Vec<Vec<u8>> {
    let of = |local| {
        let mut stored = store.messages(&address(local), &MailboxName::inbox());
        stored.sort_by_key(|message| message.name[1..].parse::<usize>().unwrap());
        stored
    };
    [of("bob"), of("ada")].concat().into_iter().map(|stored| stored.bytes).collect()
}

/// Run by the test below with a number of threads: the pool of a process is made once.
#[test]
#[ignore = "another test runs it"]
fn in_this_process() {
    let (house, alone) = (House::new(), MemoryStore::default());
    house.one_by_one(&alone, mail());
    let alone = bytes(&alone);
    assert_eq!(alone.len(), 53);
    for messages in [3, 512] {
        let together = MemoryStore::default();
        house.together(&together, mail(), InFlight { messages, ..InFlight::default() });
        assert!(bytes(&together) == alone, "{messages} in hand: other bytes");
    }
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    for threads in ["1", "2", "8"] {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "batch::threads::in_this_process", "--ignored", "--nocapture"])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(
            run.status.success() && text.contains("1 passed"),
            "{threads}: {text} {}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
}
