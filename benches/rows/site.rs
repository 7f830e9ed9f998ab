//! Whole processes and the disk: the pipe hook, and storing many messages.
//!
//! `SEALPOST_BENCH_FOLDER` names a folder on the disk that is meant.

use super::one::OURS;
use super::race;
use crate::measure::record::{Row, Target};
use crate::measure::{Plan, Side, rounds};
use crate::peers::dovecot::{self, Dovecot};
use crate::sample::message_of;
use crate::sample::site::{OWNER, Person, Site};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Connections to Dovecot at once.
const SESSIONS: usize = 64;
/// Of a round.
const MESSAGES: usize = 2000;
const SIZE: usize = 4 << 10;

/// From the start of the program to the answer, the message synced; the peer's file is synced here, which costs it no
/// further program. What is overwritten needs no sync of its folder: so the second peer writes a new file each time, as a
/// delivery does, and its folder is synced too.
pub(crate) fn hook(name: &'static str) -> Row {
    let site = Site::new();
    let person = site.certify("now");
    let (message, theirs) = (site.folder.path().join("message"), site.folder.path().join("theirs"));
    std::fs::write(&message, message_of(SIZE)).expect("a file");
    let new_ones = site.folder.path().join("new");
    std::fs::create_dir(&new_ones).expect("a folder");
    let mut number = 0;
    race(
        name,
        Target::times(1.0, 2.0),
        Plan::WAITING,
        1,
        &mut [
            Side::new(OURS, || deliver(&site, &message)),
            Side::new("openssl cms -encrypt", || encrypt(&message, &person, &theirs)),
            Side::new("the same into a new file", || {
                number += 1;
                encrypt(&message, &person, &new_ones.join(number.to_string()));
                sync(&new_ones);
            }),
        ],
    )
}

fn encrypt(message: &Path, to: &Person, out: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", "-encrypt", "-binary", "-aes-256-cbc", "-in"]).arg(message);
    openssl.arg("-out").arg(out).arg(&to.certificate).stdin(Stdio::null());
    assert!(openssl.status().expect("openssl starts").success());
    sync(out);
}

fn sync(path: &Path) {
    File::open(path).and_then(|file| file.sync_all()).expect("it is synced");
}

fn deliver(site: &Site, message: &Path) {
    let mut deliver = site.program();
    deliver.args(["deliver", "--sender=bo@north.example"]).arg(format!("--recipient={OWNER}"));
    deliver.stdin(File::open(message).expect("the message"));
    assert!(deliver.status().expect("it starts").success());
}

/// The daemon of this row does not exist yet: `deliver --batch` stands in its place, a whole process that seals a folder
/// of messages and stores them, against Dovecot's LMTP that stores the same in clear over [`SESSIONS`] sessions.
pub(crate) fn batch_delivery(name: &'static str) -> Row {
    const UNIT: &str = "µs a message";
    let target = Target::times(1.0, 3.0);
    let site = Site::new();
    site.certify("now");
    let folder = folder_of_messages(&site);
    if let Some(why) = dovecot::missing() {
        return Row::missing(name, UNIT, target, why);
    }
    let (dovecot, message) = (Dovecot::start(SESSIONS), message_of(SIZE));
    if !batch(&site, &folder) {
        let mut alone = [Side::new(dovecot::NAME, || dovecot.deliver(&message, MESSAGES, SESSIONS))];
        let peers = rounds(&mut alone, Plan::WAITING).figures(MESSAGES);
        let row = Row::missing(name, UNIT, target, "this build has no `sealpost deliver --batch`");
        return Row { peers, ..row };
    }
    let row = race(
        name,
        target,
        Plan { budget: Duration::from_secs(15), ..Plan::WAITING },
        MESSAGES,
        &mut [
            Side::new(OURS, || assert!(batch(&site, &folder))),
            Side::new(dovecot::NAME, || dovecot.deliver(&message, MESSAGES, SESSIONS)),
        ],
    );
    let rate = |micro: f64| 1e6 / micro;
    let ours = row.ours.as_ref().map_or(f64::NAN, |ours| rate(ours.median));
    let theirs = row.peers.first().map_or(f64::NAN, |peer| rate(peer.median));
    row.with_note(format!(
        "{ours:.0} a second against {theirs:.0}, {MESSAGES} of 4 KiB, each synced; the LMTP daemon of this row does not exist \
         yet: `sealpost deliver --batch` stands in its place"
    ))
}

fn folder_of_messages(site: &Site) -> PathBuf {
    let folder = site.folder.path().join("batch");
    std::fs::create_dir(&folder).expect("a folder");
    let message = message_of(SIZE);
    for number in 0..MESSAGES {
        std::fs::write(folder.join(format!("{number:06}.eml")), &message).expect("a message");
    }
    folder
}

fn batch(site: &Site, folder: &Path) -> bool {
    let mut deliver = site.program();
    deliver.args(["deliver", "--batch"]).arg(folder).arg(format!("--recipient={OWNER}"));
    deliver.stdin(Stdio::null()).stderr(Stdio::null()).status().expect("it starts").success()
}
