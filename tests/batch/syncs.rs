//! The threads of rayon are for the processor: nothing that may wait for the disk runs on one of them.

use super::house::{ADA, BOB, House, TEMPLATE, numbers, parcel};
use crate::support::Watched;
use sealpost::engine::{Disposition, InFlight};
use sealpost::store::MaildirStore;

#[test]
fn no_thread_of_rayon_waits_for_the_disk() {
    const MESSAGES: usize = 200;
    let (house, root, disk) = (House::new(), tempfile::tempdir().unwrap(), Watched::default());
    let store = MaildirStore::with_files(root.path(), TEMPLATE, disk.clone()).unwrap();
    for messages in [7, 512] {
        let parcels = numbers(MESSAGES).iter().map(|subject| parcel(&[BOB, ADA], subject)).collect();
        let told = house.together(&store, parcels, InFlight { messages, ..InFlight::default() });
        let delivered = told.iter().filter(|told| told.disposition == Disposition::Delivered).count();
        assert_eq!(delivered, MESSAGES);
        assert!(disk.take_syncs() >= 2 * MESSAGES, "each file is synced");
    }
}
