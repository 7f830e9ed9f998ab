//! Encrypt, decrypt and rekey: what becomes of the files.

use super::folders::{Lying, Maildir, contents, kept};
use crate::support::{Ended, Identity, Site, Store, path};
use sealpost::cms::{Enveloped, Protection, RecipientId, find};
use sealpost::mail::Message;
use sealpost::pki::Certificate;
use std::path::{Path, PathBuf};

/// Of every kind of line ends, with and without body, in several folders, with flags, keywords and dates.
const MAIL: &[(&str, &[u8])] = &[
    ("new/1577836801.a.host", b"From: carol@far.example\r\nSubject: unread\r\n\r\nThe first.\r\n"),
    ("cur/1577836802.b.host,S=1,W=1:2,FSab", b"From: carol@far.example\nSubject: flags\n\nThe second.\n"),
    ("cur/1577836803.c.host:2,", b"Subject: no body\n"),
    (
        ".Archive/cur/1577836804.d.host:2,RS",
        b"From carol Mon Jan  1 00:00:00 2020\nSubject: a From line\n\nThird.\n",
    ),
    (".Archive/cur/1577836805.e.host:2,T", b"\n\nno header at all\n"),
    (".Archive.2019/cur/1577836806.f.host:2,DS", b"Subject: 8-bit \xff\xfe\n\n\x00\xe4 without an end"),
];

fn fill(root: &Path) -> Maildir {
    let maildir = Maildir::of(root, "bob");
    maildir.make(".Archive");
    maildir.make(".Archive.2019");
    for (day, (place, bytes)) in MAIL.iter().enumerate() {
        maildir.put(place, bytes, day as u64);
    }
    maildir
}

/// What a command says with `--json`: an event a line.
pub(super) fn events(ended: &Ended) -> Vec<serde_json::Value> {
    events_of(&ended.text())
}

pub(super) fn events_of(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The number behind a label of the table that is printed.
pub(super) fn number(ended: &Ended, label: &str) -> Option<u64> {
    let text = ended.text();
    text.lines().find_map(|line| line.strip_prefix(label)?.trim().parse().ok())
}

pub(super) fn enveloped(message: &[u8]) -> Enveloped {
    match find(&Message::new(message)) {
        Protection::Encrypted(enveloped) => *enveloped,
        other => panic!("not encrypted: {other:?}"),
    }
}

/// Whom a message names, sorted.
pub(super) fn named(message: &[u8]) -> Vec<RecipientId> {
    let mut named: Vec<_> = enveloped(message).recipients.into_iter().filter_map(|to| to.id).collect();
    named.sort_by_key(|id| format!("{id:?}"));
    named
}

/// By issuer and serial number, as messages name it.
fn name_of(certificate: &Path) -> RecipientId {
    let pem = std::fs::read(certificate).unwrap();
    let certificate = sealpost::pki::read_certificates(&pem).unwrap().remove(0);
    by_issuer(&certificate)
}

fn by_issuer(certificate: &Certificate) -> RecipientId {
    let ids = certificate.recipient_ids();
    ids.into_iter().find(|id| matches!(id, RecipientId::IssuerAndSerialNumber { .. })).unwrap()
}

pub(super) fn names_of<const N: usize>(people: [&Identity; N]) -> Vec<RecipientId> {
    let mut names: Vec<_> = people.iter().map(|person| name_of(&person.certificate)).collect();
    names.sort_by_key(|id| format!("{id:?}"));
    names
}

fn crlf(bytes: &[u8]) -> Vec<u8> {
    crate::support::crlf(bytes)
}

#[test]
fn what_is_stored_is_sealed_and_a_peer_opens_it() {
    let store = Store::new();
    let maildir = fill(&store.root());
    let before = maildir.messages();
    let ended = store.command("mailbox encrypt --account bob@north.example --all").run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let after = maildir.messages();
    assert_eq!(kept(&after), kept(&before));
    assert!(maildir.is_tidy());
    for (old, new) in before.iter().zip(&after) {
        assert!(new.is_sealed() && new.file != old.file && new.inode != old.inode, "{new:?}");
        assert!(new.name().contains(&format!(",S={}", new.bytes.len())), "{}", new.name());
        if old.bytes.starts_with(b"From: ") {
            assert_eq!(store.open(&new.bytes), crlf(&old.bytes));
        }
    }
    assert_eq!(number(&ended, "looked at"), Some(6), "{}", ended.text());
    assert_eq!(number(&ended, "sealed now"), Some(6));
    assert_eq!(number(&ended, "failed"), Some(0));
    let sizes = |messages: &[Lying]| messages.iter().map(|lying| lying.bytes.len() as u64).sum::<u64>();
    assert_eq!(number(&ended, "bytes before"), Some(sizes(&before)));
    assert_eq!(number(&ended, "bytes after"), Some(sizes(&after)));
}

#[test]
fn a_second_run_changes_no_file() {
    let store = Store::new();
    let maildir = fill(&store.root());
    store.command("mailbox encrypt --account bob@north.example --all").run().ok();
    let once = maildir.messages();
    let ended = store.command("mailbox encrypt --account bob@north.example --all").run();
    assert_eq!(number(&ended, "already right"), Some(6), "{}", ended.text());
    assert_eq!(number(&ended, "sealed now"), Some(0));
    assert_eq!(maildir.messages(), once, "inodes too");
}

#[test]
fn one_mailbox_is_worked_on_and_the_others_are_not() {
    let store = Store::new();
    let maildir = fill(&store.root());
    store.command("mailbox encrypt --account bob@north.example --mailbox Archive --all").run().ok();
    let sealed: Vec<bool> = maildir.messages().iter().map(Lying::is_sealed).collect();
    let archive = |lying: &Lying| lying.file.to_string_lossy().contains("/.Archive/");
    assert_eq!(sealed, maildir.messages().iter().map(archive).collect::<Vec<_>>());
    assert_eq!(sealed.iter().filter(|sealed| **sealed).count(), 2);
}

#[test]
fn decrypting_gives_back_byte_for_byte_with_flags_and_dates() {
    let (site, password) = Site::certified();
    let maildir = fill(&site.root());
    let before = maildir.messages();
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    assert!(maildir.messages().iter().all(Lying::is_sealed));
    let decrypt =
        format!("mailbox decrypt --account bob@north.example --password-file {} --all", path(&password));
    let ended = site.run(&decrypt);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(number(&ended, "decrypted now"), Some(6), "{}", ended.text());
    let after = maildir.messages();
    assert_eq!(contents(&after), contents(&before));
    assert_eq!(kept(&after), kept(&before));
    assert!(maildir.is_tidy());
    let again = site.run(&decrypt);
    assert_eq!(number(&again, "in the clear, left"), Some(6), "{}", again.text());
    assert_eq!(maildir.messages(), after, "inodes too");
}

/// Mixed line ends come back as CRLF, and the report says so.
#[test]
fn mixed_line_ends_are_noted() {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", b"Subject: mixed\r\n\none\r\ntwo\n", 1);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let decrypt =
        format!("mailbox decrypt --account bob@north.example --password-file {} --all", path(&password));
    let ended = site.run(&decrypt);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(contents(&maildir.messages()), [b"Subject: mixed\r\n\r\none\r\ntwo\r\n"]);
    assert_eq!(number(&ended, "with a note"), Some(1), "{}", ended.text());
    assert!(ended.stderr.contains("sealpost: note: bob@north.example INBOX 1577836801."), "{}", ended.stderr);
}

#[test]
fn after_a_rotated_key_the_mail_goes_to_the_new_one() {
    let (site, password) = Site::certified();
    let maildir = fill(&site.root());
    let before = maildir.messages();
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let sealed = maildir.messages();
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(&password)]).run().ok();
    let old = site.json("cert show --account bob@north.example")["certificates"][0]["fingerprint"].clone();
    site.run("cert issue --account bob@north.example --renew").ok();
    site.run(&format!("cert retire --account bob@north.example --fingerprint {}", old.as_str().unwrap()))
        .ok();
    let rekey =
        format!("mailbox rekey --account bob@north.example --password-file {} --all", path(&password));
    let ended = site.run(&rekey);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(number(&ended, "rekeyed now"), Some(6), "{}", ended.text());
    let rekeyed = maildir.messages();
    assert_eq!(kept(&rekeyed), kept(&before));
    let certificates = site.json("cert show --account bob@north.example");
    let active = certificates["certificates"].as_array().unwrap().iter().find(|one| one["state"] == "active");
    let active = site.write("active.pem", active.unwrap()["pem"].as_str().unwrap());
    for (old, new) in sealed.iter().zip(&rekeyed) {
        assert_eq!(named(&new.bytes), [name_of(&active)]);
        let contents = [&old.bytes, &new.bytes].map(|bytes| enveloped(bytes).encrypted_content);
        assert_eq!(contents[0], contents[1], "octet for octet");
    }
    assert_eq!(number(&site.run(&rekey), "already right"), Some(6));
    assert_eq!(maildir.messages(), rekeyed);
    site.run(&format!(
        "mailbox decrypt --account bob@north.example --password-file {} --all",
        path(&password)
    ))
    .ok();
    assert_eq!(contents(&maildir.messages()), contents(&before));
}

/// The old key lies in a file; the directory knows its certificate still, or it is named.
#[test]
fn a_key_out_of_a_file_opens_what_no_vault_can() {
    let store = Store::new();
    let maildir = fill(&store.root());
    store.command("mailbox encrypt --account bob@north.example --all").run().ok();
    let sealed = maildir.messages();
    let [key, certificate] = [&store.bob.key, &store.bob.certificate].map(|file| {
        let old = PathBuf::from(format!("{}.old", path(file)));
        std::fs::rename(file, &old).unwrap();
        old
    });
    let new = store.authority.p256("bob");
    store.certify(&new);
    store
        .command("cert retire --account bob@north.example --fingerprint")
        .args([fingerprint(&certificate)])
        .run()
        .ok();
    let rekey = "mailbox rekey --account bob@north.example --all --key";
    let stranger = store.authority.p256("eve");
    let failed = store.command(rekey).args([path(&stranger.key)]).run();
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert_eq!(failed.stderr.matches(": sealed to no key at hand").count(), 6, "{}", failed.stderr);
    assert!(
        failed.stderr.contains("sealpost: 6 messages failed\n  mend it and run the same"),
        "{}",
        failed.stderr
    );
    assert_eq!(maildir.messages(), sealed, "untouched");
    let [old, eve] = [path(&key), path(&stranger.key)];
    let done = store.command(rekey).args([eve, "--key", old, "--old-cert", path(&certificate)]).run();
    assert_eq!(number(&done, "rekeyed now"), Some(6), "{} {}", done.text(), done.stderr);
    for lying in maildir.messages() {
        assert_eq!(named(&lying.bytes), names_of([&new]));
    }
}

fn fingerprint(certificate: &Path) -> String {
    let pem = std::fs::read(certificate).unwrap();
    sealpost::pki::read_certificates(&pem).unwrap().remove(0).fingerprint().to_string()
}

#[test]
fn the_acting_account_reads_too_and_must_be_one() {
    let store = Store::new();
    store.command("account add anna@north.example").run().ok();
    let anna = store.authority.rsa("anna");
    store.certify(&anna);
    let maildir = fill(&store.root());
    let encrypt = "mailbox encrypt --account bob@north.example --all --acting";
    let ended = store.command(encrypt).args(["eve@north.example"]).run();
    assert_eq!((ended.code, ended.text().as_str()), (Some(66), ""), "{}", ended.stderr);
    store.command(encrypt).args(["anna@north.example"]).run().ok();
    for lying in maildir.messages() {
        assert_eq!(named(&lying.bytes), names_of([&store.bob, &anna]));
    }
    let other = store.command("mailbox encrypt --account bob@north.example --all").run();
    assert_eq!(number(&other, "sealed to them and others, left"), Some(6), "{}", other.text());
    let retire = "cert retire --account bob@north.example --fingerprint";
    store.command(retire).args([fingerprint(&store.bob.certificate)]).run().ok();
    store.certify(&store.authority.p256("bob"));
    let past =
        store.command("mailbox encrypt --account bob@north.example --all --sealed-to-others wrap").run();
    assert_eq!(number(&past, "on other keys of the account, left"), Some(6), "{}", past.text());
    assert!(past.stderr.contains("sealpost mailbox rekey"), "{}", past.stderr);
}

#[test]
fn what_is_sealed_to_others_is_left_or_wrapped() {
    let store = Store::new();
    let maildir = Maildir::of(&store.root(), "bob");
    let anna = store.authority.rsa("anna");
    let clear = b"From: bob@north.example\r\nSubject: for anna\r\n\r\nSecret.\r\n";
    let seal = store.command("seal --cert").args([path(&anna.certificate)]);
    let for_anna = seal.input(*clear).run().ok();
    maildir.put("cur/1577836801.a.host:2,S", &for_anna, 1);
    let encrypt = "mailbox encrypt --account bob@north.example --all";
    let left = store.command(encrypt).run();
    assert_eq!(number(&left, "sealed to others, left"), Some(1), "{}", left.text());
    assert_eq!(contents(&maildir.messages()), std::slice::from_ref(&for_anna));
    std::fs::write(store.root().join("sealpost.toml"), "sealed-to-others = \"wrap\"\n").unwrap();
    let left = store.command(&format!("{encrypt} --sealed-to-others leave")).run();
    assert_eq!(
        number(&left, "sealed to others, left"),
        Some(1),
        "the command line goes before: {}",
        left.text()
    );
    let wrapped = store.command(encrypt).run();
    assert_eq!(number(&wrapped, "sealed now"), Some(1), "{}", wrapped.text());
    let lying = maildir.messages().remove(0);
    assert_eq!(store.open(&lying.bytes), crlf(&for_anna));
}

#[test]
fn the_command_line_says_that_it_is_wrapped() {
    let store = Store::new();
    let maildir = Maildir::of(&store.root(), "bob");
    let anna = store.authority.rsa("anna");
    let clear = b"From: bob@north.example\r\nSubject: for anna\r\n\r\nSecret.\r\n";
    let for_anna = store.command("seal --cert").args([path(&anna.certificate)]).input(*clear).run().ok();
    maildir.put("cur/1577836801.a.host:2,S", &for_anna, 1);
    let encrypt = "mailbox encrypt --account bob@north.example --all --sealed-to-others wrap";
    let wrapped = store.command(encrypt).run();
    assert_eq!((wrapped.code, number(&wrapped, "sealed now")), (Some(0), Some(1)), "{}", wrapped.stderr);
    assert_eq!(store.open(&maildir.messages()[0].bytes), crlf(&for_anna));
    assert_eq!(number(&store.command(encrypt).run(), "already right"), Some(1), "once is enough");
}

/// A message of bob that names anna, who has a newer certificate by now, and one that names a stranger. And whom bob's mail is
/// handed to.
struct Foreign {
    store: Store,
    maildir: Maildir,
    anna: Identity,
}

const PAY: &[u8] = b"From: carol@far.example\r\nSubject: pay\r\n\r\nThe body.\r\n";

impl Foreign {
    fn new() -> Foreign {
        let store = Store::new();
        store.command("account add anna@north.example").run().ok();
        let anna = store.authority.rsa("anna");
        store.certify(&anna);
        let maildir = Maildir::of(&store.root(), "bob");
        maildir.put("cur/1577836801.a.host:2,S", PAY, 1);
        let encrypt = "mailbox encrypt --account bob@north.example --acting anna@north.example --all";
        store.command(encrypt).run().ok();
        let stranger = store.authority.rsa("eve");
        let certificates = [path(&store.bob.certificate), "--cert", path(&stranger.certificate)];
        let for_both = store.command("seal --cert").args(certificates).input(PAY).run().ok();
        maildir.put("cur/1577836802.b.host:2,S", &for_both, 2);
        let retire = store.command("cert retire --account anna@north.example --fingerprint");
        retire.args([fingerprint(&anna.certificate)]).run().ok();
        let of_anna = PathBuf::from(format!("{}.old", path(&anna.certificate)));
        std::fs::rename(&anna.certificate, of_anna).unwrap();
        let anna = store.authority.p256("anna");
        store.certify(&anna);
        Foreign { store, maildir, anna }
    }

    fn rekey(&self, options: &str) -> Ended {
        let rekey = self.store.command("mailbox rekey --account bob@north.example --all --key");
        rekey.args([path(&self.store.bob.key)]).words(options).run()
    }

    fn grant(&self) {
        let grant = "acl grant --mailbox ~bob@north.example/INBOX --account anna@north.example";
        self.store.command(grant).run().ok();
    }

    /// Both messages can be opened by bob; anna opens the first as well.
    fn assert_kept(&self, ended: &Ended) {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(number(ended, "rekeyed now"), Some(2), "{}", ended.text());
        let after = self.maildir.messages();
        assert_eq!(named(&after[0].bytes), names_of([&self.store.bob, &self.anna]));
        assert_eq!(named(&after[1].bytes), names_of([&self.store.bob]));
        assert_eq!(self.store.open(&after[0].bytes), PAY);
        let stays = ": it stays open to anna@north.example\n";
        assert!(ended.stderr.contains(stays), "{}", ended.stderr);
        let row = "anna@north.example         1  keeps its copy\n";
        assert!(ended.text().ends_with(row), "{}", ended.text());
    }
}

const STRANGER: &str = " 1577836802.b.host: 1 recipient that is no account here can no longer open it\n";

/// The account that has the right to store in a mailbox of another one keeps its copy, under its certificate of today; whom the
/// directory does not know falls away, which is said.
#[test]
fn who_may_store_there_keeps_his_copy() {
    let foreign = Foreign::new();
    foreign.grant();
    let ended = foreign.rekey("");
    foreign.assert_kept(&ended);
    assert_eq!(number(&ended, "with a note"), Some(2), "{}", ended.text());
    assert!(ended.stderr.contains(STRANGER), "{}", ended.stderr);
}

#[test]
fn who_is_named_by_keep_keeps_his_copy() {
    let foreign = Foreign::new();
    foreign.assert_kept(&foreign.rekey("--keep anna@north.example"));
}

/// Whoever can write to a stored file can add his name to it: that hands him nothing.
#[test]
fn a_name_in_a_message_gives_nobody_the_key() {
    let foreign = Foreign::new();
    let before = foreign.maildir.messages();
    // A right on another mailbox is none on this one.
    let grant = "acl grant --mailbox ~bob@north.example/Other --create --account anna@north.example";
    foreign.store.command(grant).run().ok();
    let note = ": anna@north.example can no longer open it: it has no right on the mailbox; \
        to keep it: --keep anna@north.example\n";
    let dry = foreign.rekey("--dry-run");
    assert!(dry.stderr.contains(note) && dry.stderr.contains(STRANGER), "{}", dry.stderr);
    let row = "anna@north.example         1  could no longer open it: no right on the mailbox, no --keep\n";
    assert!(dry.text().ends_with(row), "{}", dry.text());
    assert_eq!(foreign.maildir.messages(), before);
    let dry = events(&foreign.rekey("--dry-run --json"));
    assert!(dry[0]["notes"][0].as_str().unwrap().contains("--keep anna@"), "{}", dry[0]);
    let ended = foreign.rekey("--json");
    let summary = events(&ended).pop().unwrap();
    assert_eq!(summary["kept_by"], serde_json::json!([]), "{summary}");
    let anna = serde_json::json!([{"account": "anna@north.example", "messages": 1}]);
    assert_eq!((&summary["lost_by"], &dry.last().unwrap()["lost_by"]), (&anna, &anna));
    for lying in foreign.maildir.messages() {
        assert_eq!(named(&lying.bytes), names_of([&foreign.store.bob]));
    }
}

/// A run that is not whole goes on with the same number, unless something that decides its result is another one.
#[test]
fn what_decides_the_result_is_a_part_of_the_task() {
    let foreign = Foreign::new();
    Maildir::of(&foreign.store.root(), "anna");
    let of_anna = foreign.store.root().join("mail/north.example/anna/Maildir");
    let held = std::fs::File::open(of_anna).unwrap();
    held.lock().unwrap();
    let resumed = |words: &str| {
        let ended =
            foreign.store.command(&format!("mailbox {words} --domain north.example --all --json")).run();
        let summary = events(&ended).pop().unwrap();
        assert_eq!(summary["accounts_failed"], 1, "{summary}");
        summary["resumed"].as_bool().unwrap()
    };
    let rekey = format!("rekey --key {}", path(&foreign.store.bob.key));
    let keeping = format!("{rekey} --keep anna@north.example");
    assert_eq!([resumed(&rekey), resumed(&rekey), resumed(&keeping)], [false, true, false]);
    foreign.grant();
    assert_eq!([resumed(&rekey), resumed(&rekey)], [false, true], "a right was given");
    assert_eq!([resumed("encrypt"), resumed("encrypt")], [false, true]);
    let settings = foreign.store.root().join("sealpost.toml");
    for setting in ["headers = \"hide-subject\"", "profile = \"modern\""] {
        std::fs::write(&settings, format!("{setting}\n")).unwrap();
        assert_eq!([resumed("encrypt"), resumed("encrypt")], [false, true], "{setting}");
    }
}

#[test]
fn an_unknown_address_is_refused_before_anything() {
    let foreign = Foreign::new();
    let before = foreign.maildir.messages();
    let ended = foreign.rekey("--keep nobody@north.example");
    assert_eq!((ended.code, ended.text().as_str()), (Some(66), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("nobody@north.example"), "{}", ended.stderr);
    assert_eq!(foreign.maildir.messages(), before);
}

/// Those with which nothing is to be done have none.
#[test]
fn several_accounts_are_a_table_and_each_has_its_row() {
    let store = Store::new();
    for (name, messages) in [("anna", 2), ("zoe", 0)] {
        store.command(&format!("account add {name}@north.example")).run().ok();
        store.certify(&store.authority.p256(name));
        let maildir = Maildir::of(&store.root(), name);
        for number in 0..messages {
            maildir.put(&format!("new/157783680{number}.a.host"), MAIL[0].1, number);
        }
    }
    fill(&store.root());
    let ended = store.command("mailbox encrypt --domain north.example --all --dry-run").run();
    let table = "account             looked at  would be sealed  failed\n\
        anna@north.example          2                2       0\n\
        bob@north.example           6                6       0\n\
        all                         8                8       0\n";
    assert_eq!(ended.text(), table);
    let ended = store.command("mailbox encrypt --all-accounts --mailbox Archive --all").run();
    assert_eq!((ended.code, number(&ended, "all ").is_some()), (Some(0), false), "{}", ended.stderr);
    assert!(ended.text().contains("bob@north.example          2           2       0\n"), "{}", ended.text());
    let nowhere = store.command("mailbox encrypt --all-accounts --mailbox Nowhere --all").run();
    assert_eq!(nowhere.code, Some(66), "{}", nowhere.stderr);
    assert_eq!(
        nowhere.stderr,
        "sealpost: none of the accounts has a mailbox Nowhere\n  see: sealpost mailbox list\n"
    );
}
