//! A journal that cannot be written, and steps that cannot be finished.

use super::house::{House, Seal};
use sealpost::mailbox::{Event, RunError};
use sealpost::store::RunId;
use std::path::Path;

fn state(root: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(root.join("store/state.sqlite")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection
}

/// From now on no step is remembered.
fn refuse(root: &Path) {
    let sql =
        "CREATE TRIGGER refuse BEFORE INSERT ON mailbox_steps BEGIN SELECT RAISE(ABORT, 'no step more'); END";
    state(root).execute_batch(sql).unwrap();
}

fn allow(root: &Path) {
    state(root).execute_batch("DROP TRIGGER refuse").unwrap();
}

fn house(messages: usize) -> (tempfile::TempDir, House) {
    let folder = tempfile::tempdir().unwrap();
    let house = House::make(folder.path());
    (0..messages).for_each(|number| house.add(number));
    assert_eq!(house.steps(), 0, "the table is there");
    (folder, house)
}

#[test]
fn without_a_journal_nothing_is_replaced() {
    let (folder, house) = house(60);
    let before = house.files();
    refuse(folder.path());
    let told = house.run(RunId(1), &Seal::default());
    assert_eq!(told.replaced(), 0);
    let error = told.ended.unwrap_err();
    assert!(matches!(error, RunError::Directory(_)), "{error}");
    assert_eq!((house.files(), house.staged(), house.steps()), (before, 0, 0));
    allow(folder.path());
    assert_eq!(house.resume(RunId(1), &Seal::default()).replaced(), 60);
    house.assert_sealed(60);
}

/// What was done before stays done; what was in hand is as it was.
#[test]
fn a_journal_that_fails_in_between_ends_the_account() {
    let (folder, house) = house(520);
    let before = house.files();
    let failing = Seal {
        before: Box::new(|made| {
            if made == 512 {
                refuse(folder.path());
            }
        }),
        ..Seal::default()
    };
    let told = house.run(RunId(1), &failing);
    let replaced = told.replaced();
    assert!(matches!(told.ended, Err(RunError::Directory(_))), "{:?}", told.ended);
    let after = house.files();
    let same = after.iter().filter(|file| before.contains(file)).count();
    assert_eq!((after.len(), same, house.staged()), (520, 520 - replaced, 0));
    assert!(replaced <= 512, "{replaced}");
    allow(folder.path());
    let rest = house.resume(RunId(1), &Seal::default());
    assert_eq!(rest.replaced(), 520 - replaced);
    assert_eq!(house.steps(), 0);
    house.assert_sealed(520);
}

/// The run would take the old file for a message of which nothing was made.
#[test]
fn a_step_that_cannot_be_finished_keeps_the_run_out_of_that_mailbox_alone() {
    let (_folder, house) = house(5);
    house.leave_behind(1, RunId(9));
    let (new, away) = (house.maildir().join(".Archive/new"), house.maildir().join("away"));
    std::fs::rename(&new, &away).unwrap();
    // It leads to itself: nobody can list it, root neither.
    std::os::unix::fs::symlink(&new, &new).unwrap();
    let archived = || {
        let mut files = house.files();
        files.retain(|file| file.name.starts_with(".Archive/"));
        files
    };
    let (before, seal) = (archived(), Seal::default());
    let told = house.run(RunId(1), &seal);
    let left_out =
        |event: &&Event| matches!(event, Event::LeftOut { mailbox, .. } if mailbox.name == "Archive");
    assert_eq!(told.events.iter().filter(left_out).count(), 1, "{:?}", told.events);
    assert!(told.replaced() > 0, "the other mailbox is worked on");
    assert_eq!((archived(), house.steps()), (before, 1));
    std::fs::remove_file(&new).unwrap();
    std::fs::rename(&away, &new).unwrap();
    house.run(RunId(1), &seal).whole();
    assert_eq!(house.steps(), 0);
    house.assert_sealed(5);
}
