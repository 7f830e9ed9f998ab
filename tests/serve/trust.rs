//! The built-in set of authorities while the daemon runs.

use super::daemon::{Daemon, STORED, message};
use crate::batch::house::{BOB, House, Parts, address, parcel};
use crate::support::{issued, path};
use sealpost::config::TrustBundle;
use sealpost::engine::{Batch, Disposition, Engine, InFlight, Trust};
use sealpost::pki::{Certificate, Validity};
use sealpost::store::MemoryStore;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use time::{Duration, OffsetDateTime};

/// Somebody else.
fn stranger() -> Certificate {
    issued(&[address("eve")], Validity::lasting(OffsetDateTime::now_utc(), Duration::DAY)).1
}

fn write(bundle: &Path, one: &Certificate) {
    std::fs::write(bundle, one.to_pem().unwrap()).unwrap();
}

const UNREAD: &str = "451 4.3.5 the trusted authorities are not ready here";

#[test]
fn a_bundle_is_followed_at_once_and_read_as_soon_as_it_can_be() {
    let house = House::lasting();
    let bundle = house.folder.path().join("bundle.pem");
    let settings = format!("trust = \"chain\"\ntrust-bundle = \"{}\"", path(&bundle));
    let certificate = house.certificate.clone();
    let daemon = Daemon::of(house, &settings);
    let mut client = daemon.client();
    let mut told = |subject: &str| client.deliver(&[BOB], &message(subject)).remove(0);
    assert_eq!(told("before it is there"), UNREAD);
    write(&bundle, &certificate);
    assert_eq!(told("one"), STORED);
    write(&bundle, &stranger());
    let refused = told("taken out");
    assert!(refused.starts_with("451 4.7.5"), "{refused}");
    std::fs::remove_file(&bundle).unwrap();
    assert_eq!(told("gone"), UNREAD);
    write(&bundle, &certificate);
    assert_eq!(told("two"), STORED);
    assert_eq!(daemon.inbox("bob").len(), 2);
    daemon.stop();
}

/// The clock stands: what was judged in this second would hold.
#[test]
fn what_the_old_set_judged_is_forgotten() {
    let mut house = House::new();
    house.settings.certificates.trust = Trust::Chain;
    let file = house.folder.path().join("bundle.pem");
    let bundle = TrustBundle::named(path(&file)).unwrap();
    write(&file, &house.certificate);
    let (store, parts) = (MemoryStore::default(), Parts::default());
    let engine = Engine { built_in: &bundle, ..house.engine(&store, &parts) };
    // A message a window. The third comes when the second is told of, and the bundle is another one then.
    let in_flight = InFlight { messages: 2, ..InFlight::default() };
    let batch = Batch { engine, in_flight, stop: &AtomicBool::new(false) };
    let ((tell, told), mut outcomes) = (channel(), Vec::new());
    let file = &file;
    let parcels = ["one", "two", "three"].into_iter().map(move |subject| {
        if subject == "three" {
            told.iter().take(2).for_each(drop);
            write(file, &stranger());
        }
        ((), parcel(&[BOB], subject))
    });
    batch.run(parcels, |(), _, outcome| {
        outcomes.push(outcome.disposition == Disposition::Delivered);
        tell.send(()).unwrap();
    });
    assert_eq!(outcomes, [true, true, false]);
}
