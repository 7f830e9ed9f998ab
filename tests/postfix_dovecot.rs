//! A private Postfix hands mail to the hook, a private Dovecot serves what it stored, OpenSSL opens it.

use crate::support::path;
use crate::support::servers::{Fate, House, Postfix, can_run};

const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\
Message-ID: <lunch@south.example>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\n\
The word is xyzzy-plugh-4711.\n.\n..two dots\nFrom the desk of Anna\n";

/// A site whose Postfix has the lines that `sealpost init --postfix` printed.
struct Site {
    postfix: Postfix,
    /// Last: the servers are stopped before their folder goes.
    house: House,
}

impl Site {
    fn new() -> Site {
        let house = House::new();
        house.furnish();
        Site { postfix: house.postfix(), house }
    }

    fn send(&self, recipient: &str) -> Fate {
        self.postfix.fate(&self.postfix.send("anna@south.example", recipient, MESSAGE))
    }
}

#[test]
fn mail_comes_in_by_postfix_and_goes_out_by_dovecot() {
    if !can_run() {
        return;
    }
    let site = Site::new();
    let fate = site.send("bob@north.example");
    assert_eq!(fate.told(), ("sent", "2.0.0"), "{}", fate.line);
    site.house.assert_served(MESSAGE);
}

#[test]
fn an_unknown_user_bounces() {
    if !can_run() {
        return;
    }
    let fate = Site::new().send("eve@north.example");
    assert_eq!(fate.told(), ("bounced", "5.1.1"), "{}", fate.line);
}

#[test]
fn a_missing_certificate_waits_and_goes_through_once_it_is_there() {
    if !can_run() {
        return;
    }
    let site = Site::new();
    site.house.run("account add carol@north.example");
    let id = site.postfix.send("anna@south.example", "carol@north.example", MESSAGE);
    let fate = site.postfix.fate(&id);
    assert_eq!(fate.status, "deferred", "{}", fate.line);
    assert!(fate.dsn.starts_with("4."), "{}", fate.line);
    site.house.certify(&site.house.authority.rsa("carol"));
    site.postfix.flush();
    site.postfix.wait_for(&id, "sent");
}

#[test]
fn a_rejection_stays_one_whatever_its_text_says() {
    if !can_run() {
        return;
    }
    let site = Site::new();
    let file = site.house.folder().join("rules.toml");
    let rule = "[[rule]]\nname = \"No\"\npriority = 5\nwhen = []\nthen = [[\"Reject with\", \"4.7.1 come again\"]]\n";
    std::fs::write(&file, rule).unwrap();
    site.house.run(&format!("rules install {} --account bob@north.example", path(&file)));
    let fate = site.send("bob@north.example");
    assert_eq!(fate.told(), ("bounced", "5.7.1"), "{}", fate.line);
}
