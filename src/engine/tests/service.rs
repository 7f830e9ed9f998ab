//! What a lane takes of the messages that wait.

use super::*;
use crate::engine::service::LANES;
use std::any::Any;
use std::sync::Condvar;
use std::time::Instant;

/// A store that is busy until its gate is opened, with the number of copies that came by each call.
#[derive(Default)]
struct Busy {
    store: MemoryStore,
    calls: Mutex<Vec<usize>>,
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Busy {
    fn calls(&self) -> Vec<usize> {
        self.calls.lock().unwrap().clone()
    }
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl Mailstore for Busy {
    fn stage(&self, copy: &Copy<'_>) -> Result<Box<dyn Staged>, StoreError> {
        self.store.stage(copy)
    }
    fn stage_all(&self, copies: &[&Copy<'_>]) -> Vec<Result<Box<dyn Staged>, StoreError>> {
        // Each lane ends with a window of nothing, when the queue is closed.
        if !copies.is_empty() {
            self.calls.lock().unwrap().push(copies.len());
        }
        drop(self.opened.wait_while(self.is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        self.store.stage_all(copies)
    }
    fn exists(&self, owner: &Address, mailbox: &MailboxName) -> Result<bool, StoreError> {
        self.store.exists(owner, mailbox)
    }
    fn mailboxes(&self, owner: &Address) -> Result<Vec<String>, StoreError> {
        self.store.mailboxes(owner)
    }
    fn holds(&self, owner: &Address, mailbox: &MailboxName, name: &str) -> Result<bool, StoreError> {
        self.store.holds(owner, mailbox, name)
    }
    fn holds_file(
        &self,
        owner: &Address,
        folder: &crate::mail::FolderName,
        name: &str,
    ) -> Result<bool, StoreError> {
        self.store.holds_file(owner, folder, name)
    }
}

/// There is room.
struct Roomy;

impl House for Roomy {
    fn hold(&self, _: u64) -> Box<dyn Any> {
        Box::new(())
    }
    fn work(&self, _: u64) -> Box<dyn Any> {
        Box::new(())
    }
}

pub(super) fn parcel(message: &[u8], recipients: &[&str]) -> Parcel {
    let Request { sender, recipients, source, .. } = request(message, recipients);
    let message = Load::Held(crate::crypto::SecretBytes::new(message.to_vec()));
    let (client, queue_id, known_by_content, until) = (None, None, false, None);
    Parcel { message, sender, recipients, source, client, queue_id, known_by_content, until }
}

/// Waits for another thread. False if it never comes to that: then a test is to end, and to fail.
fn comes(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + std::time::Duration::from_secs(300);
    while !is_so() && Instant::now() < end {
        std::thread::yield_now();
    }
    is_so()
}

/// The copies that came by each call to the store: of messages of which each came while all before were in a lane and no other
/// waited, one for each lane; and of twenty that came when all lanes were busy.
fn copies_by_call(window: InFlight, recipients: &[&str]) -> (Vec<usize>, Vec<usize>) {
    let (world, store, queue) = (World::new(), Busy::default(), Queue::default());
    let engine = Engine { store: &store, ..world.engine() };
    let service = Service { engine, window, memory_limit: 1 << 20 };
    let told = AtomicU8::new(0);
    let send = || {
        service.deliver(&queue, &Arc::new(parcel(MAIL, recipients)), &Roomy, &mut |_, _, outcome| {
            assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
            told.fetch_add(1, Ordering::SeqCst);
        });
    };
    let all = LANES + 20;
    std::thread::scope(|threads| {
        threads.spawn(|| service.run(&queue));
        let mut is_well = true;
        for lane in 1..=LANES {
            threads.spawn(send);
            is_well = is_well && comes(|| store.calls().len() == lane);
        }
        (LANES..all).for_each(|_| drop(threads.spawn(send)));
        is_well = is_well && comes(|| queue.count() == 20) && store.calls().len() == LANES;
        store.open();
        is_well = is_well && comes(|| usize::from(told.load(Ordering::SeqCst)) == all);
        queue.close();
        assert!(is_well, "{:?}", store.calls());
    });
    let (first, mut then) = (store.calls()[..LANES].to_vec(), store.calls()[LANES..].to_vec());
    // One lane may be quicker to the store than the one that took before it.
    then.sort_unstable();
    (first, then)
}

#[test]
fn a_lane_takes_one_that_is_alone_and_all_that_wait() {
    assert_eq!(copies_by_call(InFlight::default(), &[BOB]), (vec![1; LANES], vec![20]));
}

#[test]
fn a_lane_takes_no_more_than_a_window_holds() {
    let by_number = InFlight { messages: 8, ..InFlight::default() };
    assert_eq!(copies_by_call(by_number, &[BOB]), (vec![1; LANES], vec![4, 8, 8]));
    // Each counts for both.
    let by_octets = InFlight { octets: 2 * 8 * MAIL.len() as u64, ..InFlight::default() };
    assert_eq!(copies_by_call(by_octets, &[BOB, ADA]), (vec![2; LANES], vec![8, 16, 16]));
}
