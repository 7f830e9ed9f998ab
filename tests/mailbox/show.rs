//! Show: one message, opened, to standard output.

use super::works::openpgp;
use crate::support::{Ended, Site, path};
use std::path::PathBuf;

const LETTER: &[u8] = b"Message-ID: <1@far.example>\nSubject: one\n\nThe secret.\n";

/// A store with a sealed message and a clear one in bob's INBOX.
fn desk() -> (Site, PathBuf) {
    let (site, password) = Site::certified();
    // With a tag, every damage shows.
    site.run("account set bob@north.example --profile modern").ok();
    let mbox = [b"From - Tue Nov 24 03:41:02 2026\n", LETTER, b"\n"].concat();
    site.program("mailbox import --account bob@north.example -").input(mbox).run().ok();
    let inbox = site.root().join("mail/north.example/bob/Maildir");
    std::fs::write(inbox.join("cur/1577836801.a.host:2,S"), b"Message-ID: <2@far.example>\n\nclear\r\n")
        .unwrap();
    std::fs::write(inbox.join("cur/1577836802.b.host:2,S"), b"Message-ID: <2@far.example>\n\nthe same\n")
        .unwrap();
    (site, password)
}

fn show(site: &Site, words: &str, keys: &[&str]) -> Ended {
    site.program("mailbox show --account bob@north.example").words(words).args(keys).run()
}

#[test]
fn a_message_comes_byte_for_byte() {
    let (site, password) = desk();
    let keys = ["--password-file", path(&password)];
    assert_eq!(show(&site, "<1@far.example>", &keys).ok(), LETTER);
    assert_eq!(
        show(&site, "1577836801.a", &[]).ok(),
        b"Message-ID: <2@far.example>\n\nclear\r\n",
        "a clear one, without a key"
    );
    // The key is renewed: the old one is found in the vault's history.
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(&password)]).run().ok();
    site.run("cert issue --account bob@north.example").ok();
    assert_eq!(show(&site, "<1@far.example>", &keys).ok(), LETTER);
}

#[test]
fn nothing_in_the_mailbox_changes() {
    let (site, password) = desk();
    let names = || {
        let inbox = site.root().join("mail/north.example/bob/Maildir");
        let files = ["new", "cur"].map(|part| std::fs::read_dir(inbox.join(part)).unwrap());
        let mut names: Vec<_> = files.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    let before = names();
    show(&site, "<1@far.example>", &["--password-file", path(&password)]).ok();
    assert_eq!(names(), before);
}

#[test]
fn four_things_can_be_wrong_and_each_is_told_apart() {
    let (site, password) = desk();
    let right = ["--password-file", path(&password)];
    let told = |ended: Ended| {
        assert_eq!(ended.text(), "");
        (ended.code.unwrap(), ended.stderr.lines().next().unwrap().to_owned())
    };
    let (code, text) = told(show(&site, "<3@far.example>", &right));
    assert_eq!(code, 66);
    assert!(text.contains("<3@far.example>"), "{text}");

    let wrong = site.write("wrong", "battery staple\n");
    let wrong = told(show(&site, "<1@far.example>", &["--password-file", path(&wrong)]));
    assert_eq!(wrong, (77, "sealpost: wrong Secure Mail password of bob@north.example".to_owned()));

    site.run("account add eve@north.example").ok();
    site.program("key generate --account eve@north.example --type rsa-2048 --password-file")
        .args([path(&password)])
        .run()
        .ok();
    let key = site.folder().join("eve.p12");
    site.run("cert issue --account eve@north.example").ok();
    let sealed = site.program("mailbox import --account eve@north.example -");
    let bob = site.run("mailbox export --account bob@north.example <1@far.example>").ok();
    sealed.input(bob).run().ok();
    let eves = site.program("mailbox show --account eve@north.example <1@far.example>").args(right).run();
    assert_eq!(told(eves), (66, "sealpost: the message is not sealed to this key".to_owned()));
    assert!(!key.exists());

    let inbox = site.root().join("mail/north.example/bob/Maildir/new");
    let file = std::fs::read_dir(inbox).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let end = text.trim_end().len() - 40;
    std::fs::write(&file, format!("{}AAAAAAAA{}", &text[..end], &text[end + 8..])).unwrap();
    let broken = told(show(&site, "<1@far.example>", &right));
    assert_eq!(broken, (65, "sealpost: the message could not be opened with this key".to_owned()));
}

#[test]
fn a_name_that_means_several_is_refused_and_they_are_named() {
    let (site, _) = desk();
    let ended = show(&site, "<2@far.example>", &[]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""));
    let lines: Vec<&str> = ended.stderr.lines().map(str::trim).collect();
    assert_eq!(lines[..2], ["sealpost: <2@far.example> means 2 messages", "name one of them:"]);
    let mut named = lines[2..].to_vec();
    named.sort_unstable();
    assert_eq!(named, ["1577836801.a.host", "1577836802.b.host"]);
}

/// Puts a message into bob's INBOX.
fn put(site: &Site, name: &str, bytes: &[u8]) {
    std::fs::write(site.root().join("mail/north.example/bob/Maildir/cur").join(name), bytes).unwrap();
}

/// The octets, and what is said of them.
fn shown(ended: Ended) -> (Vec<u8>, String) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    (ended.stdout, ended.stderr)
}

#[test]
fn what_is_not_as_it_was_is_said() {
    let (site, password) = desk();
    let keys = ["--password-file", path(&password)];
    put(&site, "1577836803.c.host:2,S", b"Message-ID: <3@far.example>\r\n\nmixed\n");
    site.run("mailbox encrypt --account bob@north.example 1577836803.c.host").ok();
    let mixed = (
        b"Message-ID: <3@far.example>\r\n\r\nmixed\r\n".to_vec(),
        "sealpost: its line ends were mixed: all of them are CR LF now\n".to_owned(),
    );
    assert_eq!(shown(show(&site, "<3@far.example>", &keys)), mixed);

    // What its sender encrypted has no Subject inside.
    let certificate = site.json("cert show --account bob@north.example")["certificates"][0]["pem"].clone();
    let certificate = site.write("bob.pem", certificate.as_str().unwrap());
    let entity = *b"Content-Type: text/plain\r\n\r\nxyzzy\r\n";
    let sealed = site.program("seal --cert").args([path(&certificate)]).input(entity).run().ok();
    let outside = b"Message-ID: <4@far.example>\r\nSubject: figures\r\n";
    put(&site, "1577836804.d.host:2,S", &[outside, sealed.as_slice()].concat());
    let whole = (
        [outside, entity.as_slice()].concat(),
        "sealpost: 2 header fields that stood outside of the encryption only stand in front now\n".to_owned(),
    );
    assert_eq!(shown(show(&site, "<4@far.example>", &keys)), whole);

    put(&site, "1577836805.e.host:2,S", &openpgp());
    let pgp = (openpgp(), "sealpost: it is encrypted with OpenPGP, and comes as it is\n".to_owned());
    assert_eq!(shown(show(&site, "1577836805.e", &[])), pgp);
}

/// It says what is wrong instead of giving what nobody can read, and asks for no key.
#[test]
fn a_broken_encryption_is_told() {
    let (site, _) = desk();
    let inbox = site.root().join("mail/north.example/bob/Maildir/new");
    let file = std::fs::read_dir(inbox).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    std::fs::write(&file, lines[..lines.len() - 3].concat()).unwrap();
    let ended = show(&site, "<1@far.example>", &["--password-file", path(&site.write("wrong", "battery\n"))]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(65), ""));
    assert_eq!(
        ended.stderr,
        "sealpost: the message cannot be opened: the CMS structure is broken: it is cut off\n  \
         as it is stored, without a key: sealpost mailbox export\n"
    );
}

#[test]
fn a_message_is_named_by_its_number_and_a_mailbox_must_be_there() {
    let (site, _) = desk();
    let uidlist = "3 V1577836800 N8\n5 :1577836801.a.host\n7 :1577836802.b.host\n";
    std::fs::write(site.root().join("mail/north.example/bob/Maildir/dovecot-uidlist"), uidlist).unwrap();
    assert_eq!(show(&site, "uid:7", &[]).ok(), b"Message-ID: <2@far.example>\n\nthe same\n");
    assert_eq!(show(&site, "uid:5", &[]).ok(), b"Message-ID: <2@far.example>\n\nclear\r\n");
    let none = show(&site, "uid:6", &[]);
    assert_eq!((none.code, none.text().as_str()), (Some(66), ""), "{}", none.stderr);
    let nowhere = show(&site, "--mailbox Nowhere uid:7", &[]);
    assert_eq!((nowhere.code, nowhere.text().as_str()), (Some(66), ""));
    assert_eq!(
        nowhere.stderr,
        "sealpost: mailbox Nowhere of bob@north.example does not exist\n  see: sealpost mailbox list\n"
    );
}
