//! Which messages a run changes, and what the names of the new files say.

use super::folders::{Lying, Maildir, contents};
use super::verbs::number;
use crate::support::{Site, Store, path};
use std::path::PathBuf;

/// One message for each way to choose: nothing but that way means it.
const MAIL: &[(&str, u64, &str)] = &[
    ("S", 40, "--since 2020-02-01"),
    ("S", 0, "--before 2020-01-03"),
    ("S", 12, "--larger 50K"),
    ("S", 13, "--smaller 4K"),
    ("FS", 14, "--flag flagged"),
    ("", 15, "--not-flag seen"),
    ("S", 16, "--from carol@far.example"),
    ("S", 17, "--sealed-to"),
];

/// The last message is sealed to Anna too.
const FOR_ANNA: &str = "1577836807.m7.host";

fn message(at: usize) -> Vec<u8> {
    let from = if MAIL[at].2.contains("carol") { "carol" } else { "dave" };
    let lines = match MAIL[at].2.split(' ').next() {
        Some("--larger") => 2000,
        Some("--smaller") => 1,
        _ => 120,
    };
    let body = "Fifty octets, so that the size of a message is it.\n".repeat(lines);
    format!("From: {from}@far.example\nSubject: {at}\n\n{body}").into_bytes()
}

fn fill(store: &Store) -> Maildir {
    let maildir = Maildir::of(&store.root(), "bob");
    for (at, (letters, day, _)) in MAIL.iter().enumerate() {
        maildir.put(&format!("cur/157783680{at}.m{at}.host:2,{letters}"), &message(at), *day);
    }
    maildir
}

/// The places of the messages whose files are others now; of the rest nothing changed.
fn changed(before: &[Lying], after: &[Lying]) -> Vec<usize> {
    assert_eq!(before.len(), after.len());
    let places = 0..before.len();
    places.filter(|at| before[*at].inode != after[*at].inode || before[*at] != after[*at]).collect()
}

/// Chooses each message by its own way, and demands that it changes and no other one.
fn assert_each(
    store: &Store,
    maildir: &Maildir,
    verb: &str,
    key: Option<&PathBuf>,
    ways: &[(usize, String)],
) {
    for (at, way) in ways {
        let before = maildir.messages();
        let key = key.map(|key| ["--key", path(key)]);
        let command = store.command(&format!("mailbox {verb} --account bob@north.example {way}"));
        let ended = command.args(key.into_iter().flatten()).run();
        assert_eq!(ended.code, Some(0), "{verb} {way}: {}", ended.stderr);
        assert_eq!(changed(&before, &maildir.messages()), [*at], "{verb} {way}");
        assert_eq!(number(&ended, "looked at"), Some(1), "{verb} {way}: {}", ended.text());
    }
}

#[test]
fn each_way_to_choose_means_its_message_and_no_other() {
    let store = Store::new();
    store.command("account add anna@north.example").run().ok();
    let anna = store.authority.p256("anna");
    store.certify(&anna);
    // Or a rekey would take the copy from her.
    store.command("acl grant --mailbox ~bob@north.example/INBOX --account anna@north.example").run().ok();
    let maildir = fill(&store);
    let before = maildir.messages();
    let sealed_to = format!("--sealed-to {}", path(&anna.certificate));
    let mut ways: Vec<(usize, String)> = MAIL
        .iter()
        .enumerate()
        .map(|(at, (_, _, way))| (at, way.replace("--sealed-to", &sealed_to)))
        .collect();
    let to_anna = ways.pop().unwrap();
    assert_each(&store, &maildir, "encrypt", None, &ways);
    let acting = (to_anna.0, format!("--acting anna@north.example {FOR_ANNA}"));
    assert_each(&store, &maildir, "encrypt", None, &[acting]);
    ways.push(to_anna);
    let [old, certificate] = [&store.bob.key, &store.bob.certificate].map(|file| {
        let old = PathBuf::from(format!("{}.old", path(file)));
        std::fs::rename(file, &old).unwrap();
        old
    });
    let new = store.authority.p256("bob");
    store.certify(&new);
    let pem = std::fs::read(certificate).unwrap();
    let fingerprint = sealpost::pki::read_certificates(&pem).unwrap().remove(0).fingerprint().to_string();
    let retire = store.command("cert retire --account bob@north.example --fingerprint");
    retire.args([fingerprint]).run().ok();
    assert_each(&store, &maildir, "rekey", Some(&old), &ways);
    assert_each(&store, &maildir, "decrypt", Some(&new.key), &ways);
    assert_eq!(contents(&maildir.messages()), contents(&before));
}

/// Ways that are given together must all hold.
#[test]
fn what_only_some_of_the_ways_mean_is_not_meant() {
    let store = Store::new();
    let maildir = fill(&store);
    let before = maildir.messages();
    for ways in
        ["--since 2020-02-01 --flag flagged", "--larger 50K --smaller 4K", "--before 2020-01-03 --larger 50K"]
    {
        let ended = store.command(&format!("mailbox encrypt --account bob@north.example {ways}")).run();
        assert_eq!((ended.code, number(&ended, "looked at")), (Some(0), Some(0)), "{}", ended.stderr);
        assert_eq!(changed(&before, &maildir.messages()), [0; 0], "{ways}");
    }
}

/// What Maildir++ and Dovecot take the name's word for: octets of the file, and octets with CRLF.
fn assert_names_say_sizes(messages: &[Lying]) {
    for lying in messages {
        let (octets, lines) = (&lying.bytes, lying.bytes.iter().filter(|octet| **octet == b'\n').count());
        let with_cr = octets.windows(2).filter(|pair| pair == b"\r\n").count();
        let sizes = format!(",S={},W={}", octets.len(), octets.len() + lines - with_cr);
        let base = lying.name().split(":2,").next().unwrap().to_owned();
        assert!(base.ends_with(&sizes), "{base} without {sizes}");
    }
}

#[test]
fn new_names_say_the_sizes_of_the_new_files() {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    let mail: [&[u8]; 3] = [
        b"From: carol@far.example\nSubject: LF\n\nOne.\nTwo.\n",
        b"Subject: CRLF\r\n\r\nOne.\r\n",
        b"Subject: none",
    ];
    for (at, bytes) in mail.iter().enumerate() {
        maildir.put(&format!("cur/157783680{at}.m.host,S=7,W=8:2,FS"), bytes, 1);
        maildir.put(&format!("new/157783681{at}.m.host,S=7,W=8"), bytes, 1);
    }
    let before = maildir.messages();
    let account = "--account bob@north.example";
    let opening = format!("{account} --password-file {} --all", path(&password));
    site.run(&format!("mailbox encrypt {account} --all")).ok();
    assert_names_say_sizes(&maildir.messages());
    let generate = format!("key generate {account} --type ec-p256 --password-file");
    site.program(&generate).args([path(&password)]).run().ok();
    site.run(&format!("cert issue {account} --renew")).ok();
    let ended = site.run(&format!("mailbox rekey {opening}"));
    assert_eq!(number(&ended, "rekeyed now"), Some(6), "{}", ended.text());
    assert_names_say_sizes(&maildir.messages());
    site.run(&format!("mailbox decrypt {opening}")).ok();
    let after = maildir.messages();
    assert_eq!(contents(&after), contents(&before));
    assert_names_say_sizes(&after);
    let lf = after.iter().find(|lying| lying.bytes == mail[0]).unwrap();
    assert!(lf.name().contains(",S=47,W=52"), "{}", lf.name());
}
