//! The threads of rayon are for the processor: nothing that may wait for the disk runs on one of them.

use super::house::{House, Seal, TEMPLATE};
use crate::support::Watched;
use sealpost::mailbox::Run;
use sealpost::store::{MaildirStore, RunId};

/// Of whole batches, with the end of a dead run before them.
#[test]
fn no_thread_of_rayon_waits_for_the_disk() {
    const MESSAGES: usize = 700;
    let (root, disk) = (tempfile::tempdir().unwrap(), Watched::default());
    let house = House::make(root.path());
    (0..MESSAGES).for_each(|number| house.add(number));
    house.leave_behind(3, RunId(9));
    let store = MaildirStore::with_files(root.path(), TEMPLATE, disk.clone()).unwrap();
    let House { directory: journal, stop, largest, .. } = &house;
    let run =
        Run { store: &store, journal, stop, id: RunId(1), resumed: false, dry_run: false, largest: *largest };
    let told = house.go(&run, &Seal::default());
    assert_eq!(told.whole().len(), MESSAGES);
    assert!(disk.take_syncs() >= MESSAGES, "each file is synced");
    house.assert_sealed(MESSAGES);
}
