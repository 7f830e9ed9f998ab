//! The threads of rayon are for the processor: nothing that may wait for the disk runs on one of them.

use super::house::{ADA, BOB, House, TEMPLATE, numbers, parcel};
use sealpost::engine::{Disposition, InFlight};
use sealpost::store::{Disk, Files, MaildirStore};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// The disk, for everybody but the threads of rayon.
#[derive(Clone, Default)]
struct Watched {
    syncs: Arc<AtomicUsize>,
}

impl Watched {
    fn call<T>(&self, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        assert_eq!(rayon::current_thread_index(), None, "a thread of rayon waits for the disk");
        run()
    }
}

impl Files for Watched {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.call(|| Disk.make_folder(path))
    }
    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(|| Disk.create(path))
    }
    fn open_to_append(&self, path: &Path) -> io::Result<File> {
        self.call(|| Disk.open_to_append(path))
    }
    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.call(|| Disk.write(file, bytes))
    }
    fn set_modified(&self, file: &File, time: SystemTime) -> io::Result<()> {
        self.call(|| Disk.set_modified(file, time))
    }
    fn set_group(&self, file: &File, group: u32) -> io::Result<()> {
        self.call(|| Disk.set_group(file, group))
    }
    fn set_mode(&self, file: &File, mode: u32) -> io::Result<()> {
        self.call(|| Disk.set_mode(file, mode))
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.call(|| Disk.sync(file))
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.call(|| Disk.sync_folder(path))
    }
    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| Disk.link(from, to))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| Disk.rename(from, to))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|| Disk.remove(path))
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
    let caught = rayon::scope(|_| std::panic::catch_unwind(|| watched.call(|| Ok(()))));
    assert!(caught.is_err());
}
