//! Keys out of files, and vaults that do not open.

use super::folders::{Maildir, contents, everything};
use super::verbs::number;
use crate::support::{Site, Store, path};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";
const NAME: &str = "1577836801.a.host";

/// Bob with so many sealed messages, which are the same one.
fn desk(messages: u64) -> (Site, PathBuf, Maildir) {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put(&format!("cur/{NAME}:2,S"), CLEAR, 1);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let sealed = maildir.messages().remove(0).bytes;
    (1..messages).for_each(|day| drop(maildir.put(&format!("cur/15778{day:05}.b.host:2,S"), &sealed, day)));
    (site, password, maildir)
}

/// Writes the newest key to a file with a password of its own.
fn exported(site: &Site, password: &Path, name: &str) -> [PathBuf; 2] {
    let own = site.write(&format!("{name}.password"), &format!("only for {name}\n"));
    let file = site.folder().join(format!("{name}.p12"));
    let export =
        site.program("key export --account bob@north.example --password-file").args([path(password)]);
    export.args(["--file-password-file", path(&own), "--output", path(&file)]).run().ok();
    [file, own]
}

#[test]
fn an_exported_key_opens_what_was_sealed_to_it() {
    let (site, password, maildir) = desk(2);
    let sealed = contents(&maildir.messages());
    let [old, own] = exported(&site, &password, "old");
    let with_old = ["--key", path(&old), "--password-file", path(&own)];
    let bob = |words: &str| site.program(&format!("mailbox {words} --account bob@north.example"));
    let before = everything(&site.root().join("mail"));

    let shown = bob("show 157783680").args(with_old).run();
    assert_eq!(shown.ok(), CLEAR);
    let vaults = bob("show 157783680").args(["--key", path(&old), "--password-file", path(&password)]).run();
    assert_eq!((vaults.code, vaults.text().as_str()), (Some(77), ""), "{}", vaults.stderr);
    assert!(vaults.stderr.contains(path(&old)), "{}", vaults.stderr);

    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(&password)]).run().ok();
    let certificates = site.json("cert show --account bob@north.example");
    let fingerprint = certificates["certificates"][0]["fingerprint"].as_str().unwrap().to_owned();
    site.run("cert issue --account bob@north.example --renew").ok();
    site.run(&format!("cert retire --account bob@north.example --fingerprint {fingerprint}")).ok();

    let dry = bob("rekey --all --dry-run").args(with_old).run();
    assert_eq!((dry.code, number(&dry, "would be rekeyed")), (Some(0), Some(2)), "{}", dry.stderr);
    assert_eq!(everything(&site.root().join("mail")), before, "a dry run changes nothing");
    let rekeyed = bob("rekey --all").args(with_old).run();
    assert_eq!((rekeyed.code, number(&rekeyed, "rekeyed now")), (Some(0), Some(2)), "{}", rekeyed.stderr);
    assert!(contents(&maildir.messages()).iter().zip(&sealed).all(|(new, old)| new != old));

    let failed = bob("decrypt --all").args(with_old).run();
    assert_eq!((failed.code, number(&failed, "failed")), (Some(1), Some(2)), "{}", failed.stderr);
    let [new, own] = exported(&site, &password, "new");
    let decrypted = bob("decrypt --all").args(["--key", path(&new), "--password-file", path(&own)]).run();
    assert_eq!(
        (decrypted.code, number(&decrypted, "decrypted now")),
        (Some(0), Some(2)),
        "{}",
        decrypted.stderr
    );
    assert_eq!(contents(&maildir.messages()), [CLEAR, CLEAR]);
}

/// The directory never knew the certificate, and the message names its key by nothing else.
#[test]
fn a_bare_key_needs_the_certificate_by_which_messages_name_it() {
    let store = Store::new();
    let eve = store.authority.rsa("eve");
    let maildir = Maildir::of(&store.root(), "bob");
    let clear = b"From: bob@north.example\r\nSubject: for eve\r\n\r\nSecret.\r\n";
    let seal = store.command("seal --name-by certificate --cert").args([path(&eve.certificate)]);
    let for_eve = seal.input(*clear).run().ok();
    maildir.put(&format!("cur/{NAME}:2,S"), &for_eve, 1);
    let key = ["--key", path(&eve.key)];
    let old_cert = ["--old-cert", path(&eve.certificate)];
    let show = || store.command(&format!("mailbox show --account bob@north.example {NAME}")).args(key);
    assert_eq!((show().run().code, show().args(old_cert).run().ok()), (Some(64), clear.to_vec()));
    let decrypt = || store.command("mailbox decrypt --account bob@north.example --all").args(key);
    let failed = decrypt().run();
    assert!(
        failed.code == Some(1) && failed.stderr.contains("add the key's certificate: --old-cert"),
        "{}",
        failed.stderr
    );
    assert_eq!(contents(&maildir.messages()), [for_eve]);
    let done = decrypt().args(old_cert).run();
    assert_eq!((done.code, number(&done, "decrypted now")), (Some(0), Some(1)), "{}", done.stderr);
    assert_eq!(contents(&maildir.messages()), [clear]);
}

fn state(site: &Site) -> rusqlite::Connection {
    rusqlite::Connection::open(site.root().join("state.sqlite")).unwrap()
}

fn wrong(site: &Site) -> u32 {
    state(site).query_row("SELECT coalesce(sum(count), 0) FROM failed_unlocks", [], |row| row.get(0)).unwrap()
}

/// All below the root but the file that counts, with its lock, and what SQLite shares between processes.
fn but_state(site: &Site) -> BTreeMap<PathBuf, (u64, u64, (i64, i64))> {
    let is_state = |file: &Path| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with("state.sqlite") || name == "unlock.lock" || name.ends_with("-shm")
    };
    everything(&site.root()).into_iter().filter(|(file, _)| !is_state(file)).collect()
}

/// However many messages there are, the password is tried once.
#[test]
fn a_wrong_password_is_one_attempt_and_a_locked_vault_says_so() {
    let (site, password, _) = desk(600);
    let eve = site.write("wrong", "battery staple\n");
    let out = site.folder().join("out.mbox");
    let doors = [
        "mailbox decrypt --all".to_owned(),
        "mailbox rekey --all".to_owned(),
        "mailbox show 1577836801.a".to_owned(),
        format!("mailbox export --output {}", path(&out)),
    ];
    let go = |door: &str, password: &Path| {
        let bob = ["--account", "bob@north.example", "--password-file", path(password)];
        let ended = site.program(door).args(bob).run();
        assert_eq!((ended.text().as_str(), out.exists()), ("", false), "{door}");
        (ended.code, ended.stderr)
    };
    let before = but_state(&site);
    for door in &doors {
        state(&site).execute("DELETE FROM failed_unlocks", []).unwrap();
        let refused = (Some(77), "sealpost: wrong Secure Mail password of bob@north.example\n".to_owned());
        assert_eq!(go(door, &eve), refused, "{door}");
        assert_eq!(wrong(&site), 1, "{door}");
    }
    // Nine in a row: not even the right one is taken now.
    let now: i64 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap();
    state(&site).execute("UPDATE failed_unlocks SET count = 9, last = ?1", [now]).unwrap();
    for door in &doors {
        let (code, stderr) = go(door, &password);
        assert_eq!(code, Some(77), "{door}: {stderr}");
        let told = "sealpost: after 9 wrong passwords the keys of bob@north.example stay locked for ";
        assert!(stderr.starts_with(told), "{door}: {stderr}");
        assert!(stderr.ends_with("sealpost account unlock bob@north.example\n"), "{door}: {stderr}");
        assert_eq!(wrong(&site), 9, "{door}");
    }
    let after = but_state(&site);
    let changed: Vec<&PathBuf> =
        before.keys().chain(after.keys()).filter(|file| before.get(*file) != after.get(*file)).collect();
    assert_eq!(changed, Vec::<&PathBuf>::new());
    site.run("account unlock bob@north.example").ok();
    let export =
        site.program("mailbox export --account bob@north.example --password-file").args([path(&password)]);
    assert_eq!(export.run().code, Some(0));
}
