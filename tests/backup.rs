//! `sealpost backup` and `sealpost restore`: a copy of the directory while others work with it, and back.

use crate::support::{Site, crlf, path, root};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\nAt noon.\n";

/// north.example with bob, an EC key each, and the file of the backup.
struct Desk {
    site: Site,
    password: PathBuf,
    backup: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let site = Site::furnished();
        std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
        let password = site.write("password", "correct horse\n");
        site.run("key generate --domain north.example --type ec-p256").ok();
        site.run("cert self-sign --domain north.example").ok();
        let words = "key generate --account bob@north.example --type ec-p256 --password-file";
        site.run(&format!("{words} {}", path(&password))).ok();
        site.run("cert issue --account bob@north.example").ok();
        let backup = site.folder().join("sealpost.backup");
        Desk { site, password, backup }
    }

    fn back_up(&self) {
        self.site.program("backup").args([path(&self.backup)]).run().ok();
    }

    fn restore(&self, words: &str) -> String {
        format!("restore {} {words}", path(&self.backup))
    }

    /// Nothing in the making is left in the root.
    fn assert_tidy(root: &Path) {
        let names = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(".backup-")).collect();
        assert_eq!(left, Vec::<std::ffi::OsString>::new());
    }
}

#[test]
fn a_backup_says_what_is_in_it_and_is_for_the_caller_only() {
    let desk = Desk::new();
    let ended = desk.site.program("backup").args([path(&desk.backup)]).run();
    let text = format!(
        "the directory is in {}: 1 domain, 1 account, 1 key of accounts under their passwords, 1 key of domains\n\
         keys of domains lie in it in the clear: whoever reads it can issue in their name\n\
         mail and sealpost.toml are not in it\n",
        path(&desk.backup)
    );
    assert_eq!((ended.code, ended.text()), (Some(0), text));
    assert_eq!(std::fs::metadata(&desk.backup).unwrap().permissions().mode() & 0o7777, 0o600);
    Desk::assert_tidy(&desk.site.root());
    let again = desk.site.program("backup").args([path(&desk.backup)]).run();
    assert_eq!(again.code, Some(1), "another backup is not overwritten");
    let json = desk.site.json(&format!("backup {}", path(&desk.site.folder().join("other"))));
    let counts =
        ["domains", "accounts", "vault_keys", "domain_keys"].map(|name| json[name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1, 1]);
    // One whole file, which needs no other beside it.
    let copy = rusqlite::Connection::open(&desk.backup).unwrap();
    let mode: String = copy.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    // Keys of accounts are as in the store: under their passwords.
    let record: Vec<u8> = copy.query_row("SELECT record FROM vault_keys", [], |row| row.get(0)).unwrap();
    assert!(sealpost::vault::unlock(&record, b"correct horse").is_ok());
    assert!(sealpost::vault::unlock(&record, b"battery").is_err());
}

#[test]
fn a_fresh_root_delivers_and_opens_what_the_old_one_did() {
    let desk = Desk::new();
    desk.back_up();
    let fresh = Site::bare();
    let ended = fresh.run(&desk.restore(""));
    let text = format!(
        "{} is restored: 1 domain, 1 account, 1 key of accounts under their passwords, 1 key of domains\n\
         mail and sealpost.toml are not in a backup, and there are none here: put them back, and see sealpost doctor\n",
        path(&fresh.root())
    );
    assert_eq!((ended.code, ended.text(), ended.stderr.as_str()), (Some(0), text, ""));
    Desk::assert_tidy(&fresh.root());
    std::fs::write(fresh.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
    let hook = fresh.program("deliver --sender= --recipient=bob@north.example").input(MESSAGE).run();
    assert_eq!(hook.code, Some(0), "{}", hook.text());
    let inbox = fresh.root().join("mail/north.example/bob/Maildir/new");
    let sealed = std::fs::read(std::fs::read_dir(inbox).unwrap().next().unwrap().unwrap().path()).unwrap();
    let open = format!("open --account bob@north.example --password-file {}", path(&desk.password));
    for site in [&fresh, &desk.site] {
        assert_eq!(site.program(&open).input(sealed.clone()).run().ok(), crlf(MESSAGE.as_bytes()));
    }
    // A store that was made and is still empty takes it as well.
    let made = Site::bare();
    made.run("init").ok();
    let said = made.run(&desk.restore("")).text();
    let as_before =
        "mail and sealpost.toml are as they were: sealpost doctor tells whether they go with it\n";
    assert!(said.ends_with(as_before), "{said}");
    assert_eq!(made.json("domain list"), desk.site.json("domain list"));
    assert_eq!(
        made.json("cert show --domain north.example"),
        desk.site.json("cert show --domain north.example")
    );
}

#[test]
fn a_store_with_domains_is_replaced_on_purpose_and_kept() {
    let desk = Desk::new();
    desk.back_up();
    desk.site.run("account add carol@north.example").ok();
    let words = format!(
        "key generate --account carol@north.example --type ec-p256 --password-file {}",
        path(&desk.password)
    );
    let carol = desk.site.json(&words)["fingerprint"].as_str().unwrap().to_owned();
    let refused = format!(
        "sealpost: the store in {} has domains already (1): nothing was restored\n  \
         to put the backup in its place, and keep it beside: --replace\n",
        path(&desk.site.root())
    );
    assert_eq!(desk.site.refused(&desk.restore("")), (1, refused));
    assert_eq!(desk.site.json("account list")["accounts"].as_array().unwrap().len(), 2);
    let restored = desk.site.json(&desk.restore("--replace"));
    assert_eq!(restored["keys_gone"], serde_json::json!([carol]));
    assert_eq!(desk.site.json("account list")["accounts"].as_array().unwrap().len(), 1);
    // What was there is a backup itself.
    let kept = restored["kept"].as_str().unwrap();
    assert_eq!(std::fs::metadata(kept).unwrap().permissions().mode() & 0o7777, 0o600);
    let back = Site::bare();
    back.run(&format!("restore {kept}")).ok();
    assert_eq!(back.json("account list")["accounts"].as_array().unwrap().len(), 2);
}

/// The backup of Sunday knows nothing of what was revoked, issued and signed on Monday.
#[test]
fn what_was_revoked_since_stays_revoked_and_numbers_go_on() {
    let desk = Desk::new();
    let number = |site: &Site| site.json("crl sign --domain north.example")["lists"][0]["number"].clone();
    assert_eq!(number(&desk.site), "1");
    desk.back_up();
    desk.site.run("cert revoke --account bob@north.example --reason key-compromise").ok();
    assert_eq!(number(&desk.site), "2");
    let restored = desk.site.run(&desk.restore("--replace")).text();
    let carried =
        "\ncarried over, because the backup does not have it: 1 revocation, 1 signed revocation list\n";
    assert!(restored.contains(carried), "{restored}");
    let hook = desk.site.program("deliver --sender= --recipient=bob@north.example").input(MESSAGE).run();
    assert_eq!(hook.code, Some(75), "{}", hook.text());
    assert_eq!(number(&desk.site), "3");
    let shown = desk.site.json("crl show --domain north.example");
    assert_eq!(shown["lists"][0]["revoked"][0]["reason"], "key-compromise");
    // Somebody else restored in this second.
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    (now..now + 120).for_each(|second| {
        let name = desk.site.root().join(format!("directory.sqlite.before-{second}"));
        let _ = std::fs::File::create_new(name);
    });
    let again = desk.site.json(&desk.restore("--replace"));
    let kept = again["kept"].as_str().unwrap();
    assert!(kept.ends_with("-2") && Path::new(kept).metadata().unwrap().len() > 0, "{kept}");
    let carried = serde_json::json!({"revocations": 1, "issued": 0, "signed_lists": 2, "foreign_lists": 0});
    assert_eq!(again["carried_over"], carried);
}

#[test]
fn what_is_no_backup_is_refused_and_changes_nothing() {
    let desk = Desk::new();
    desk.back_up();
    let whole = std::fs::read(&desk.backup).unwrap();
    let refused = |bytes: &[u8]| {
        let file = desk.site.folder().join("bad");
        std::fs::write(&file, bytes).unwrap();
        let fresh = Site::bare();
        let (code, text) = fresh.refused(&format!("restore {}", path(&file)));
        assert!(!fresh.root().exists(), "no store is made");
        let (again, same) = desk.site.refused(&format!("restore {} --replace", path(&file)));
        assert_eq!((again, &same), (code, &text));
        Desk::assert_tidy(&desk.site.root());
        (code, text.replace(path(&file), "FILE"))
    };
    let damaged = "sealpost: FILE is no backup of a directory: it is truncated or damaged";
    let mut flipped = whole.clone();
    flipped[4096..4200].fill(0xff);
    for bytes in [
        &whole[..whole.len() / 2],
        &whole[..whole.len() - 4096],
        &whole[..100],
        b"hello, this is no database",
        &flipped,
    ] {
        let (code, text) = refused(bytes);
        assert_eq!((code, text.starts_with(damaged)), (65, true), "{text}");
    }
    assert_eq!(
        refused(b""),
        (65, "sealpost: FILE is no backup of a directory: it is another database\n".to_owned())
    );
    let edit = |sql: &str| {
        let file = desk.site.folder().join("edited");
        std::fs::write(&file, &whole).unwrap();
        rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        std::fs::read(file).unwrap()
    };
    assert_eq!(
        refused(&edit("PRAGMA user_version = 99")),
        (78, "sealpost: the directory has layout 99 and this sealpost knows up to 5: use the newer sealpost that made it\n".to_owned())
    );
    assert_eq!(
        refused(&edit("PRAGMA foreign_keys = OFF; DELETE FROM domains")),
        (65, "sealpost: FILE is no backup of a directory: parts of it do not belong together\n".to_owned())
    );
    let (code, text) = desk.site.refused("restore /nonexistent");
    assert_eq!(
        (code, text.as_str()),
        (66, "sealpost: cannot read /nonexistent: No such file or directory\n")
    );
    assert_eq!(desk.site.json("account list")["accounts"].as_array().unwrap().len(), 1);
}

/// Eight hooks at once and a command that writes, while copies are made; each copy is whole.
#[test]
fn copies_are_made_while_mail_is_delivered_and_accounts_come() {
    let desk = Desk::new();
    let (site, stop) = (&desk.site, &AtomicBool::new(false));
    let deliveries = std::thread::scope(|scope| {
        let hooks: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    let mut delivered = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let hook = site
                            .program("deliver --sender= --recipient=bob@north.example")
                            .input(MESSAGE)
                            .run();
                        assert_eq!(hook.code, Some(0), "{}", hook.text());
                        delivered += 1;
                    }
                    delivered
                })
            })
            .collect();
        let writer = scope.spawn(move || {
            let mut made = 0;
            while !stop.load(Ordering::Relaxed) {
                site.run(&format!("account add new-{made}@north.example")).ok();
                made += 1;
            }
            made
        });
        let mut accounts = 0;
        for number in 0..5 {
            let file = site.folder().join(format!("copy-{number}"));
            let made = site.json(&format!("backup {}", path(&file)));
            let fresh = Site::bare();
            let restored = fresh.json(&format!("restore {}", path(&file)));
            assert_eq!(made["accounts"], restored["accounts"]);
            let found = made["accounts"].as_u64().unwrap();
            assert!(found >= accounts, "{found} after {accounts}");
            accounts = found;
        }
        // A restore in the middle of it is seen whole.
        site.run(&format!("restore {} --replace", path(&site.folder().join("copy-4")))).ok();
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        hooks.into_iter().map(|hook| hook.join().unwrap()).sum::<usize>()
    });
    let inbox = site.root().join("mail/north.example/bob/Maildir/new");
    assert_eq!(std::fs::read_dir(inbox).unwrap().count(), deliveries);
    assert!(deliveries >= 8);
}

/// Root makes and reads the file; the store stays its owner's.
#[test]
fn root_backs_up_and_restores_the_store_of_another_user() {
    if !root(&[]) {
        return;
    }
    let site = Site::bare();
    std::fs::set_permissions(site.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
    site.run("init --owner nobody").ok();
    site.run("domain add north.example").ok();
    let backup = site.folder().join("backup");
    site.run(&format!("backup {}", path(&backup))).ok();
    let made = std::fs::metadata(&backup).unwrap();
    assert_eq!((made.uid(), made.mode() & 0o7777), (0, 0o600));
    let other = Site::bare();
    std::fs::set_permissions(other.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
    other.run("init --owner nobody").ok();
    other.run(&format!("restore {}", path(&backup))).ok();
    let owner = std::fs::metadata(other.root()).unwrap().uid();
    for entry in std::fs::read_dir(other.root()).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().uid(), owner, "{}", entry.path().display());
    }
    assert_eq!(other.json("domain list")["domains"][0]["domain"], "north.example");
}

/// Datasets are written by hand, and nobody is answered twice; mail on its way is not of another day.
#[test]
fn datasets_and_who_was_answered_come_back_and_the_queue_stays_out() {
    let desk = Desk::new();
    let of = "--account bob@north.example";
    desk.site.run(&format!("dataset add {of} Friends anna@far.example carl@far.example")).ok();
    desk.site.run(&format!("dataset add {of} Foes eve@far.example")).ok();
    let state = |site: &Site| rusqlite::Connection::open(site.root().join("state.sqlite")).unwrap();
    let answered = |site: &Site| -> Vec<(String, i64)> {
        let file = state(site);
        let mut statement = file.prepare("SELECT sender, sent FROM replies ORDER BY sender").unwrap();
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        found.map(Result::unwrap).collect()
    };
    let answer = "INSERT INTO replies VALUES ('1', 'Vacation', 'anna@far.example', 1000)";
    state(&desk.site).execute(answer, []).unwrap();
    let waits =
        "INSERT INTO queue VALUES ('q', 'waiting', '', 'r', 'a', 0, 0, 0, 0, '', NULL, NULL, 1, 'k', x'00')";
    state(&desk.site).execute(waits, []).unwrap();
    let said = desk.site.run(&format!("backup {}", path(&desk.backup))).text();
    assert!(said.contains("1 key of domains, 2 datasets\n"), "{said}");
    let copy = rusqlite::Connection::open(&desk.backup).unwrap();
    let others = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'queue%' OR name LIKE 'sent_%' OR name LIKE 'server_copies%'";
    assert_eq!(copy.query_row(others, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    drop(copy);
    let shown = |site: &Site| site.json(&format!("dataset show {of} Friends --values"))["values"].clone();
    // On a new machine.
    let fresh = Site::bare();
    assert!(fresh.run(&desk.restore("")).text().contains("2 datasets"));
    assert_eq!(shown(&fresh), serde_json::json!(["anna@far.example", "carl@far.example"]));
    assert_eq!(answered(&fresh), [("anna@far.example".to_owned(), 1000)]);
    assert_eq!(fresh.json("queue list")["mails"].as_array().unwrap().len(), 0);
    // Over a later state: its datasets lie in the kept file, its replies count, and its mail still goes.
    desk.site.run(&format!("dataset add {of} Friends dora@far.example")).ok();
    desk.site.run(&format!("dataset remove {of} Foes --all")).ok();
    state(&desk.site).execute("UPDATE replies SET sent = 2000", []).unwrap();
    let restored = desk.site.json(&desk.restore("--replace"));
    assert_eq!(restored["datasets"], 2);
    assert_eq!(shown(&desk.site), shown(&fresh));
    assert_eq!(desk.site.json(&format!("dataset list {of}"))["datasets"].as_array().unwrap().len(), 2);
    assert_eq!(answered(&desk.site), [("anna@far.example".to_owned(), 2000)]);
    assert_eq!(desk.site.json("queue list")["mails"].as_array().unwrap().len(), 1);
    let back = Site::bare();
    back.program("restore").args([restored["kept"].as_str().unwrap()]).run().ok();
    assert_eq!(shown(&back), serde_json::json!(["anna@far.example", "carl@far.example", "dora@far.example"]));
    // One that was made before backups held datasets leaves them alone.
    let copy = rusqlite::Connection::open(&desk.backup).unwrap();
    copy.execute_batch("DROP TABLE state_datasets; DROP TABLE state_replies").unwrap();
    drop(copy);
    back.run(&desk.restore("--replace")).ok();
    assert_eq!(shown(&back).as_array().unwrap().len(), 3);
}
