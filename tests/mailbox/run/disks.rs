//! A disk that is full or read-only: failures with their reason, nothing lost, and an end to it.

use super::house::{House, Seal};
use crate::support::{Mount, Program, path, root};
use sealpost::mailbox::{Event, Outcome, RunError, Seen};
use sealpost::store::RunId;

/// The mail lies on the mount, the directory does not.
fn house(folder: &tempfile::TempDir, options: &str, messages: usize) -> (Mount, House) {
    std::fs::create_dir(folder.path().join("house")).unwrap();
    let mount = Mount::new(folder.path().join("house/mail"), options);
    let house = House::make(&folder.path().join("house"));
    (0..messages).for_each(|number| house.add(number));
    (mount, house)
}

fn failures(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Message(Seen { outcome: Outcome::Failed(reason), .. }) => Some(reason.as_str()),
            _ => None,
        })
        .collect()
}

/// The old messages take 4 KiB each; there is room for some of the new ones, which take as much.
#[test]
fn a_full_disk_ends_the_run_and_loses_nothing() {
    if !root(&["mount", "umount"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mount, house) = house(&folder, "size=2500k,mode=0700", 600);
    let told = house.run(RunId(1), &Seal::default());
    let failed = failures(&told.events);
    assert!(failed.len() >= 20 && failed.len() < 200, "{}", failed.len());
    assert!(failed.iter().all(|reason| reason.contains("No space left on device")), "{failed:?}");
    let error = told.ended.as_ref().unwrap_err();
    assert!(matches!(error, RunError::GaveUp { failures, .. } if *failures >= 20), "{error}");
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert_eq!(house.files().len(), 600);
    mount.remount("size=8m");
    let rest = house.resume(RunId(1), &Seal::default());
    assert_eq!(rest.replaced() + told.replaced(), 600);
    house.assert_sealed(600);
}

#[test]
fn a_read_only_folder_ends_the_run_and_changes_nothing() {
    if !root(&["mount", "umount"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mount, house) = house(&folder, "size=4m,mode=0700", 100);
    let before = house.files();
    mount.remount("ro");
    let told = house.run(RunId(1), &Seal::default());
    let failed = failures(&told.events);
    assert!(failed.len() >= 20 && failed.len() < 100, "{}", failed.len());
    assert!(failed.iter().all(|reason| reason.contains("Read-only file system")), "{failed:?}");
    assert!(matches!(told.ended, Err(RunError::GaveUp { .. })));
    assert_eq!(house.files(), before);
    mount.remount("rw");
    assert_eq!(house.run(RunId(2), &Seal::default()).replaced(), 100);
    house.assert_sealed(100);
}

/// Nobody can write into a `tmp` that is no folder, root neither; one without the permission says no the same way.
#[test]
fn a_mailbox_that_cannot_be_written_does_not_keep_the_later_ones() {
    let house = House::with(600);
    let refusing = house.maildir().join("tmp");
    std::fs::remove_dir(&refusing).unwrap();
    std::fs::write(&refusing, "").unwrap();
    let before = house.files();
    let told = house.run(RunId(1), &Seal::default());
    let failed = failures(&told.events);
    assert!(failed.len() >= 20 && failed.len() < 100, "{}", failed.len());
    assert!(failed.iter().all(|reason| reason.contains("/Maildir/tmp/")), "{failed:?}");
    let error = told.ended.as_ref().unwrap_err();
    let RunError::GaveUpOn(given_up) = error else { panic!("{error}") };
    assert!(given_up.len() == 1 && given_up[0].mailbox == "INBOX" && given_up[0].failures >= 20);
    assert!(error.to_string().starts_with("INBOX was given up: "), "{error}");
    assert!(error.to_string().contains("Not a directory"), "{error}");
    assert_eq!(told.replaced(), 300, "all of Archive, which comes after INBOX");
    let in_inbox = |files: Vec<super::house::Stored>| {
        files.into_iter().filter(|file| !file.name.starts_with('.')).collect::<Vec<_>>()
    };
    assert_eq!(in_inbox(house.files()), in_inbox(before), "as it was, inodes too");
    std::fs::remove_file(&refusing).unwrap();
    std::fs::create_dir(&refusing).unwrap();
    assert_eq!(house.resume(RunId(1), &Seal::default()).replaced(), 300);
    house.assert_sealed(600);
}

/// Staging works there, and making visible does not.
#[test]
fn neither_does_one_in_which_nothing_can_be_made_visible() {
    let house = House::with(0);
    let names: Vec<usize> = (0..200).filter(|number| number % 8 == 1 || number % 8 > 4).collect();
    names.iter().for_each(|number| house.add(*number));
    let cur = house.maildir().join("cur");
    if !root(&["chattr"]) {
        return;
    }
    if Program::new("chattr").args(["+i", path(&cur)]).run().code != Some(0) {
        return println!("skipped: {} knows no immutable folders", cur.display());
    }
    let told = house.run(RunId(1), &Seal::default());
    Program::new("chattr").args(["-i", path(&cur)]).run().ok();
    assert!(matches!(&told.ended, Err(RunError::GaveUpOn(_))), "{:?}", told.ended);
    assert_eq!(told.replaced(), 25, "the new ones of Archive");
    assert_eq!(house.resume(RunId(1), &Seal::default()).whole().len(), 75);
    assert_eq!(house.steps(), 0);
    house.assert_numbers_are(names.into_iter());
}
