//! Mail that rules send: the queue, the couriers that carry it, and the commands around it.

mod commands;
mod couriers;
mod deliveries;

use crate::support::{Site, path};
use sealpost::crypto::SecretBytes;
use sealpost::directory::{SqliteDirectory, SqliteOutbox};
use sealpost::engine::{Outbox, OutgoingMail, Submission};
use sealpost::mail::Address;
use sealpost::system::SystemEntropy;
use time::OffsetDateTime;

/// A word that stands in the subject and in the body, and nowhere else.
const WORD: &str = "xyzzy-plugh-4711";
const PASSWORD: &str = "tanstaaftanstaaf";

fn message() -> Vec<u8> {
    format!("From: carol@far.example\nSubject: {WORD}\n\n.{WORD}\nThe end\n").into_bytes()
}

/// On the wire, and as the server reads it.
fn arrived() -> String {
    format!("From: carol@far.example\r\nSubject: {WORD}\r\n\r\n.{WORD}\r\nThe end\r\n")
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn mail(to: &[&str]) -> OutgoingMail {
    OutgoingMail {
        sender: "carol@far.example".into(),
        recipients: to.iter().map(|to| address(to)).collect(),
        message: SecretBytes::new(message()),
        account: Some(address("bob@north.example")),
        rule: "Copy to anna".into(),
        action: "Redirect to",
        replies_to: None,
        identity: None,
    }
}

/// A site that logs to a file and says these lines besides.
fn site(settings: &str) -> Site {
    let site = Site::furnished();
    configure(&site, settings);
    site
}

fn configure(site: &Site, settings: &str) {
    let log = site.folder().join("log");
    let text = format!("log = \"{}\"\nlog-level = \"debug\"\n{settings}\n", path(&log));
    std::fs::write(site.root().join("sealpost.toml"), text).unwrap();
}

/// As a delivery does it, some time ago.
fn enqueue(site: &Site, mail: OutgoingMail, seconds_ago: i64) -> String {
    let id = hold(site, mail, seconds_ago);
    with_outbox(site, |outbox| {
        outbox.release(&sealpost::engine::Held(vec![id.clone()]), OffsetDateTime::now_utc(), None)
    })
    .unwrap();
    id
}

fn hold(site: &Site, mail: OutgoingMail, seconds_ago: i64) -> String {
    let at = OffsetDateTime::now_utc() - time::Duration::seconds(seconds_ago);
    with_outbox(site, |outbox| outbox.hold(vec![mail], &[], at)).unwrap().0.remove(0)
}

fn with_outbox<T>(site: &Site, work: impl FnOnce(&SqliteOutbox<'_>) -> T) -> T {
    let directory = SqliteDirectory::open(&site.root()).unwrap();
    let submission = Submission::parse("smtp://127.0.0.1:1").unwrap();
    work(&SqliteOutbox::new(&directory, &SystemEntropy, Some(&submission)))
}
