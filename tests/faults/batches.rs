//! The same for a batch: three messages for two mailboxes, whose system calls run side by side.

use super::*;
use sealpost::crypto::SecretBytes;
use sealpost::engine::{Batch, InFlight, Load, Parcel};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

const SUBJECTS: [&str; 3] = ["one", "two", "three"];

fn message(subject: &str) -> Vec<u8> {
    format!("From: carol@far.example\r\nSubject: {subject}\r\n\r\nThe body.\r\n").into_bytes()
}

/// How often each message lies in each mailbox; every one must be whole and sealed.
fn counts(house: &House, root: &Path) -> [[usize; 2]; 3] {
    let store = MaildirStore::new(root, TEMPLATE).unwrap();
    let opening = OpeningKey { key: &house.key, certificate: Some(&house.certificate) };
    let mut counts = [[0; 2]; 3];
    for (side, owner) in house.people.iter().enumerate() {
        let maildir = store.folder(owner, &MailboxName::inbox());
        for file in [list(&maildir.join("new")), list(&maildir.join("cur"))].concat() {
            let bytes = std::fs::read(&file).unwrap();
            let opened = open(&bytes, std::slice::from_ref(&opening)).unwrap();
            let is_it = |subject: &&str| opened.message.expose() == message(subject);
            counts[SUBJECTS.iter().position(is_it).expect("one of the three")][side] += 1;
        }
    }
    counts
}

/// The exit codes of the three. So many may be in hand: one or all.
fn deliver(house: &House, root: &Path, files: Faulty, messages: usize) -> Vec<u8> {
    let store = MaildirStore::with_files(root, TEMPLATE, files).unwrap();
    let parts = EngineParts::default();
    let engine = parts.engine(&house.directory, &store);
    let recipient = |address: &Address| Recipient { address: address.clone(), original: None };
    let parcels = SUBJECTS.iter().map(|subject| {
        let parcel = Parcel {
            message: Load::Held(SecretBytes::new(message(subject))),
            sender: None,
            recipients: house.people.iter().map(recipient).collect(),
            source: Source::Pipe,
            client: None,
            queue_id: None,
            known_by_content: false,
            until: None,
        };
        ((), parcel)
    });
    let in_flight = InFlight { messages, ..InFlight::default() };
    let codes = Mutex::new(Vec::new());
    let batch = Batch { engine, in_flight, stop: &AtomicBool::new(false) };
    batch.run(parcels, |(), _, outcome| codes.lock().unwrap().push(outcome.disposition.exit_code()));
    codes.into_inner().unwrap()
}

/// Where a sync takes no time: which calls fail is the matter here, and there are hundreds of deliveries.
fn quick() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[test]
fn a_fault_at_every_call_of_a_batch_keeps_the_promise() {
    let house = House::new();
    for (old, messages) in [(0, 512), (1, 512)] {
        let root = quick();
        (0..old)
            .for_each(|_| assert_eq!(deliver(&house, root.path(), Faulty::new(Fault::None), 512), [0; 3]));
        let files = Faulty::new(Fault::None);
        assert_eq!(deliver(&house, root.path(), files.clone(), messages), [0; 3]);
        let calls = files.calls.load(Ordering::SeqCst);
        // Six files: each created, written, synced, linked and removed.
        assert!(calls > 30, "{calls}");
        for fault in (1..=calls).flat_map(|at| [Fault::Error(at), Fault::Death(at)]) {
            check(&house, (old, messages), fault);
        }
    }
}

fn check(house: &House, (old, messages): (usize, usize), fault: Fault) {
    let root = quick();
    (0..old).for_each(|_| assert_eq!(deliver(house, root.path(), Faulty::new(Fault::None), 512), [0; 3]));
    let codes = deliver(house, root.path(), Faulty::new(fault), messages);
    let there = counts(house, root.path());
    assert_eq!(codes.len(), 3, "{fault:?}");
    for (code, there) in codes.iter().zip(there) {
        assert!(there.iter().all(|count| (old..=old + 1).contains(count)), "{fault:?}: {there:?}");
        match code {
            0 => assert_eq!(there, [old + 1; 2], "{fault:?}: told as stored"),
            code => assert_eq!(*code, 75, "{fault:?}"),
        }
    }
    // The same again on a sound disk: nothing is lost, whatever lies around.
    assert_eq!(deliver(house, root.path(), Faulty::new(Fault::None), 512), [0; 3], "{fault:?}");
    let again = there.map(|of| of.map(|count| count + 1));
    assert_eq!(counts(house, root.path()), again, "{fault:?}");
}

/// One file that cannot be written is one outcome.
#[test]
fn a_file_that_fails_fails_one_message() {
    let house = House::new();
    let root = quick();
    assert_eq!(deliver(&house, root.path(), Faulty::new(Fault::None), 512), [0; 3]);
    // The mailboxes are there, so that the first call creates a file.
    let codes = deliver(&house, root.path(), Faulty::new(Fault::Error(1)), 512);
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 2, "{codes:?}");
}
