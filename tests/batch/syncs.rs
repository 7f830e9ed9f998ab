//! The threads of rayon are for the processor: nothing that may wait for the disk runs on one of them.

use super::house::{ADA, BOB, House, TEMPLATE, numbers, parcel};
use sealpost::engine::{Disposition, InFlight};
use sealpost::store::{Call, Files, MaildirStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The disk, for everybody but the threads of rayon.
#[derive(Clone, Default)]
struct Watched {
    syncs: Arc<AtomicUsize>,
}

impl Files for Watched {
    fn around<T>(&self, call: Call, _: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        assert_eq!(rayon::current_thread_index(), None, "a thread of rayon waits for the disk");
        self.syncs.fetch_add(usize::from([Call::Sync, Call::SyncFolder].contains(&call)), Ordering::SeqCst);
        run()
    }
}

#[test]
fn no_thread_of_rayon_waits_for_the_disk() {
    const MESSAGES: usize = 200;
    let (house, root, watched) = (House::new(), tempfile::tempdir().unwrap(), Watched::default());
    let store = MaildirStore::with_files(root.path(), TEMPLATE, watched.clone()).unwrap();
    for messages in [7, 512] {
        let before = watched.syncs.load(Ordering::SeqCst);
        let parcels = numbers(MESSAGES).iter().map(|subject| parcel(&[BOB, ADA], subject)).collect();
        let told = house.together(&store, parcels, InFlight { messages, ..InFlight::default() });
        let delivered = told.iter().filter(|told| told.disposition == Disposition::Delivered).count();
        assert_eq!(delivered, MESSAGES);
        assert!(watched.syncs.load(Ordering::SeqCst) - before >= 2 * MESSAGES, "each file is synced");
    }
    // That it would be seen.
    let caught =
        rayon::scope(|_| std::panic::catch_unwind(|| watched.around(Call::Write, root.path(), || Ok(()))));
    assert!(caught.is_err());
}
