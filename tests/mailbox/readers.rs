//! Who reads a message beside its owner: the recovery certificate, and certificates that only wait.

use super::folders::Maildir;
use super::verbs::{named, names_of, number};
use crate::support::{Store, path, tools};

const CLEAR: &[u8] = b"From: carol@far.example\r\nSubject: pay\r\n\r\nThe body.\r\n";
const ENCRYPT: &str = "mailbox encrypt --account bob@north.example --all";
const REKEY: &str = "mailbox rekey --account bob@north.example --all --key";

#[test]
fn the_recovery_certificate_is_kept_until_it_is_removed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let recovery = store.authority.rsa("recovery");
    store
        .command("recovery set --domain north.example --file")
        .args([path(&recovery.certificate)])
        .run()
        .ok();
    store.command("account set bob@north.example --recovery yes").run().ok();
    let maildir = Maildir::of(&store.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    let encrypted = store.command(ENCRYPT).run();
    assert_eq!(number(&encrypted, "sealed now"), Some(1), "{} {}", encrypted.text(), encrypted.stderr);
    let sealed = maildir.messages().remove(0);
    assert_eq!(named(&sealed.bytes), names_of([&store.bob, &recovery]));
    assert_eq!(number(&store.command(ENCRYPT).run(), "already right"), Some(1));
    let rekey = || store.command(REKEY).args([path(&store.bob.key)]).run();
    assert_eq!(number(&rekey(), "already right"), Some(1));
    // bob's copy only: rekey adds the recovery certificate, and keeps it where it is, without a word.
    let only_bob = store.command("seal --cert").args([path(&store.bob.certificate)]).input(CLEAR).run().ok();
    maildir.put("cur/1577836802.b.host:2,S", &only_bob, 2);
    let stranger = store.authority.p256("eve");
    let three = [&store.bob, &recovery, &stranger].map(|person| path(&person.certificate));
    let three =
        store.command("seal").args(three.iter().flat_map(|file| ["--cert", file])).input(CLEAR).run().ok();
    maildir.put("cur/1577836803.c.host:2,S", &three, 3);
    let ended = rekey();
    assert_eq!(number(&ended, "rekeyed now"), Some(2), "{} {}", ended.text(), ended.stderr);
    let note = "1577836803.c.host: 1 recipient that is no account here can no longer open it\n";
    assert!(
        ended.stderr.contains(note) && ended.stderr.matches("sealpost: note: ").count() == 1,
        "{}",
        ended.stderr
    );
    for lying in maildir.messages() {
        assert_eq!(named(&lying.bytes), names_of([&store.bob, &recovery]));
    }
    store.command("recovery remove --domain north.example").run().ok();
    store.command("account set bob@north.example --recovery no").run().ok();
    let left = store.command(ENCRYPT).run();
    assert_eq!(number(&left, "sealed to them and others, left"), Some(3), "{} {}", left.text(), left.stderr);
    let dropped = rekey();
    assert_eq!(number(&dropped, "rekeyed now"), Some(3), "{} {}", dropped.text(), dropped.stderr);
    for lying in maildir.messages() {
        assert_eq!(named(&lying.bytes), names_of([&store.bob]));
        assert_eq!(store.open(&lying.bytes), CLEAR);
    }
}

/// Anybody may offer a certificate for an account: that alone gives nobody a copy.
#[test]
fn a_certificate_that_waits_makes_nobody_a_reader() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("account add anna@north.example").run().ok();
    let anna = store.authority.p256("anna");
    let folder = store.file("offered");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&anna.certificate, folder.join("anna.pem")).unwrap();
    store.command("cert add --from-folder").args([path(&folder)]).run().ok();
    assert_eq!(
        store.json("account show anna@north.example")["pending_certificates"].as_array().unwrap().len(),
        1
    );
    let maildir = Maildir::of(&store.root(), "bob");
    store.command("acl grant --mailbox ~bob@north.example/INBOX --account anna@north.example").run().ok();
    let both = [&store.bob, &anna].map(|person| path(&person.certificate));
    let both =
        store.command("seal").args(both.iter().flat_map(|file| ["--cert", file])).input(CLEAR).run().ok();
    maildir.put("cur/1577836801.a.host:2,S", &both, 1);
    let ended = store.command(REKEY).args([path(&store.bob.key)]).run();
    assert_eq!(number(&ended, "rekeyed now"), Some(1), "{} {}", ended.text(), ended.stderr);
    let note = ": 1 recipient that is no account here can no longer open it\n";
    assert!(ended.stderr.contains(note), "{}", ended.stderr);
    assert_eq!(named(&maildir.messages()[0].bytes), names_of([&store.bob]));
    // The same certificate once it is accepted.
    let pem = std::fs::read(&anna.certificate).unwrap();
    let print = sealpost::pki::read_certificates(&pem).unwrap().remove(0).fingerprint().to_string();
    store.command("cert accept --account anna@north.example --fingerprint").args([print]).run().ok();
    maildir.put("cur/1577836802.b.host:2,S", &both, 2);
    let grant = "acl grant --mailbox ~bob@north.example/INBOX --account anna@north.example";
    store.command(grant).run().ok();
    let right = store.command(REKEY).args([path(&store.bob.key)]).run();
    assert_eq!(number(&right, "already right"), Some(2), "{} {}", right.text(), right.stderr);
    assert_eq!(named(&maildir.messages()[1].bytes), names_of([&store.bob, &anna]));
}
