use super::*;
use crate::directory::NewDomain;
use crate::engine::DirectoryError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

fn open(folder: &Path) -> SqliteDirectory {
    SqliteDirectory::create(folder).unwrap()
}

/// An older sealpost made it: it comes to the newest layout with the restore.
#[test]
fn a_backup_of_an_older_layout_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    for layout in 1..File::Directory.newest() {
        let _ = std::fs::remove_file(&old);
        let connection = Connection::open(&old).unwrap();
        schema::climb(&connection, File::Directory, layout).unwrap();
        let add = "INSERT INTO domains (id, mode) VALUES ('1', 'enabled');
            INSERT INTO domain_names VALUES ('north.example', '1', 1);";
        connection.execute_batch(add).unwrap();
        drop(connection);
        assert_eq!(SqliteDirectory::check_backup(&old).unwrap().domains, 1);
        let root = folder.path().join(layout.to_string());
        let directory = open(&root);
        assert_eq!(
            directory
                .restore(&old, &folder.path().join("none"), MayReplace::NoDomains)
                .unwrap()
                .contents
                .domains,
            1
        );
        assert_eq!(directory.domains().unwrap()[0].name, "north.example");
        let version = schema::version(&directory.connection(), File::Directory).unwrap();
        assert_eq!(version, File::Directory.newest());
    }
}

/// A reader that has the directory open sees the old state or the new one.
#[test]
fn who_reads_meanwhile_sees_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
    let directory = open(&root);
    let add = |name: &str| directory.add_domain(&NewDomain { name: name.into(), ..NewDomain::default() });
    add("north.example").unwrap();
    directory.back_up(&copy).unwrap();
    add("south.example").unwrap();
    let reader = SqliteDirectory::open_for_reading(&root).unwrap();
    reader
        .read(|at| {
            let count = |at: &Connection| backup::contents(at).unwrap().domains;
            assert_eq!(count(at), 2);
            directory.restore(&copy, &folder.path().join("kept"), MayReplace::Anything).unwrap();
            assert_eq!(count(at), 2);
            Ok(())
        })
        .unwrap();
    assert_eq!(reader.domains().unwrap().len(), 1);
    assert_eq!(SqliteDirectory::check_backup(&folder.path().join("kept")).unwrap().domains, 2);
}

/// Whatever was stored is in the kept file or still there: nothing comes between the copy and the overwriting. Somebody stores
/// all the time, and each restore comes when he has stored something since the last one, however slow the machine.
#[test]
fn what_is_stored_meanwhile_is_kept_or_stays() {
    const RESTORES: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
    let directory = open(&root);
    directory.add_domain(&NewDomain { name: "north.example".into(), ..NewDomain::default() }).unwrap();
    directory.back_up(&copy).unwrap();
    let (ended, (tell, told)) = (AtomicBool::new(false), channel());
    let (stored, kept) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let other = SqliteDirectory::open(&root).unwrap();
            let mut stored = Vec::new();
            for number in 0.. {
                let name = format!("d{number}.example");
                match other.add_domain(&NewDomain { name: name.clone(), ..NewDomain::default() }) {
                    // Five seconds are over in which a restore was in the way.
                    Err(AdminError::Directory(DirectoryError::Busy)) => {}
                    added => {
                        added.unwrap();
                        stored.push(name);
                        let _ = tell.send(());
                    }
                }
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                // SQLite lets nobody wait in line: without a pause the restore would rarely get in.
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            stored
        });
        let restore = |number: usize| {
            told.recv().unwrap();
            let file = folder.path().join(format!("kept-{number}"));
            directory.restore(&copy, &file, MayReplace::Anything).unwrap();
            // What was stored before its end is no news for the next one.
            told.try_iter().for_each(drop);
            file
        };
        let kept: Vec<PathBuf> = (0..RESTORES).map(restore).collect();
        ended.store(true, Ordering::Relaxed);
        (writer.join().unwrap(), kept)
    });
    let names = |at: &Connection| strings(at, "SELECT name FROM domain_names", []).unwrap();
    let mut found: HashSet<String> = names(&directory.connection()).into_iter().collect();
    found.extend(kept.iter().flat_map(|file| names(&backup::open_backup(file).unwrap())));
    let lost: Vec<_> = stored.iter().filter(|name| !found.contains(*name)).collect();
    assert!(stored.len() >= RESTORES && lost.is_empty(), "of {}: {lost:?}", stored.len());
}

/// A restore that fails leaves the directory and no file.
#[test]
fn what_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
    let directory = open(&root);
    let add = |name: &str| directory.add_domain(&NewDomain { name: name.into(), ..NewDomain::default() });
    directory.back_up(&copy).unwrap();
    let spoil = "ALTER TABLE trusted RENAME COLUMN added TO gone";
    Connection::open(&copy).unwrap().execute_batch(spoil).unwrap();
    add("north.example").unwrap();
    let kept = folder.path().join("kept");
    assert!(directory.restore(&copy, &kept, MayReplace::Anything).is_err());
    assert_eq!((directory.domains().unwrap().len(), kept.exists()), (1, false));
}

/// A row of `issued`: issuer, serial, when and why it was taken back.
type IssuedRow<'a> = (&'a str, &'a str, Option<(i64, &'a str)>);

fn issue(at: &Connection, rows: &[IssuedRow<'_>]) {
    for (issuer, serial, revoked) in rows {
        let sql = "INSERT INTO issued (issuer, serial, account, der, issued, revoked, reason)
            VALUES (?1, ?2, 'bob@north.example', x'00', 5, ?3, ?4)";
        at.execute(sql, params![issuer, serial, revoked.map(|(at, _)| at), revoked.map(|(_, why)| why)])
            .unwrap();
    }
}

/// The stronger word holds, and for good is stronger than a hold. Of domains that the backup does not know only what was
/// revoked is of interest.
#[test]
fn revocations_and_numbers_outlive_a_restore() {
    let folder = tempfile::tempdir().unwrap();
    let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
    let directory = open(&root);
    let domain = "INSERT INTO domains (id, mode) VALUES ('1', 'enabled');
        INSERT INTO domain_names VALUES ('north.example', '1', 1);";
    directory.connection().execute_batch(domain).unwrap();
    let hold = Some((7, "certificate-hold"));
    let (lost, old) = (Some((9, "key-compromise")), Some((6, "superseded")));
    let before = [("1", "A", None), ("1", "B", hold), ("1", "C", old), ("1", "D", hold), ("1", "E", None)];
    issue(&directory.connection(), &before);
    directory.connection().execute_batch("INSERT INTO signed_crls VALUES ('1', 1, x'01', 5)").unwrap();
    directory.back_up(&copy).unwrap();
    directory.connection().execute_batch("DELETE FROM issued").unwrap();
    let after = [("1", "A", lost), ("1", "B", lost), ("1", "C", lost), ("1", "D", None), ("1", "E", None)];
    issue(&directory.connection(), &after);
    issue(&directory.connection(), &[("1", "F", None), ("1", "G", hold), ("2", "A", lost), ("2", "B", None)]);
    let more = "INSERT INTO signed_crls VALUES ('1', 2, x'02', 5), ('1', 3, x'03', 5), ('2', 1, x'04', 5);
        INSERT INTO foreign_crls VALUES ('a', 'aa', x'05', 5, 'x');";
    directory.connection().execute_batch(more).unwrap();
    let restored = directory.restore(&copy, &folder.path().join("kept"), MayReplace::Anything).unwrap();
    let carried = CarriedOver { revocations: 4, issued: 3, signed_lists: 2, foreign_lists: 1 };
    assert_eq!(restored.carried, carried);
    let sql =
        "SELECT issuer || serial || ' ' || coalesce(revoked || ' ' || reason, '-') FROM issued ORDER BY 1";
    let found = strings(&directory.connection(), sql, []).unwrap();
    let wanted = [
        "1A 9 key-compromise",
        "1B 9 key-compromise",
        "1C 6 superseded",
        "1D 7 certificate-hold",
        "1E -",
        "1F -",
        "1G 7 certificate-hold",
        "2A 9 key-compromise",
    ];
    assert_eq!(found, wanted);
    let sql = "SELECT issuer || number FROM signed_crls ORDER BY 1";
    assert_eq!(strings(&directory.connection(), sql, []).unwrap(), ["11", "12", "13"]);
    // A second time there is nothing that the directory does not have.
    let again = directory.restore(&copy, &folder.path().join("again"), MayReplace::Anything).unwrap();
    assert_eq!(again.carried, carried);
}

/// A store that was never furnished can hold trust, lists, and what removed domains issued.
#[test]
fn a_directory_without_domains_that_holds_something_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (root, copy) = (folder.path().join("root"), folder.path().join("copy"));
    let directory = open(&root);
    directory.back_up(&copy).unwrap();
    let kept = folder.path().join("kept");
    assert_eq!(directory.restore(&copy, &kept, MayReplace::NoDomains).unwrap().kept, None);
    assert!(!kept.exists());
    let trust = "INSERT INTO trusted VALUES ('a', NULL, 'aa', x'05', 5)";
    directory.connection().execute_batch(trust).unwrap();
    let restored = directory.restore(&copy, &kept, MayReplace::NoDomains).unwrap();
    assert_eq!(restored.kept.as_deref(), Some(kept.as_path()));
    let trusted = strings(&backup::open_backup(&kept).unwrap(), "SELECT fingerprint FROM trusted", []);
    assert_eq!(trusted.unwrap(), ["aa"]);
    assert!(is_empty(&directory.connection()).unwrap());
}
