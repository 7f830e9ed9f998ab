//! Keys, certificates, chains and trust of domains: each message of an administrator's pages with its command.

mod authority;
mod certificates;
mod chains;
mod keys;
mod outer;
mod trust;

use crate::support::{Ended, Site};

/// A message for bob.
fn deliver(site: &Site) -> Ended {
    let words = "deliver --sender=x@y.example --recipient=bob@north.example";
    site.program(words).input("From: a@b.example\nSubject: x\n\nhello\n").run()
}
