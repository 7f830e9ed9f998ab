//! A disk that knows who waits for it.

use sealpost::store::{Call, Files};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The disk, for everybody but the threads of rayon, which are for the processor.
#[derive(Clone, Default)]
pub(crate) struct Watched {
    syncs: Arc<AtomicUsize>,
}

impl Watched {
    /// So many files and folders were synced since the last time.
    pub(crate) fn take_syncs(&self) -> usize {
        self.syncs.swap(0, Ordering::SeqCst)
    }
}

impl Files for Watched {
    fn around<T>(&self, call: Call, _: &Path, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        assert_eq!(rayon::current_thread_index(), None, "a thread of rayon waits for the disk");
        self.syncs.fetch_add(usize::from([Call::Sync, Call::SyncFolder].contains(&call)), Ordering::SeqCst);
        run()
    }
}

#[test]
fn a_thread_of_rayon_that_waits_is_seen() {
    let wait = || Watched::default().around(Call::Write, Path::new(""), || Ok(())).is_ok();
    assert!(wait());
    assert!(rayon::scope(|_| std::panic::catch_unwind(wait)).is_err());
}
