//! What dead runs left, and what became of it since.

use super::house::{House, Seal};
use sealpost::mailbox::{Event, Outcome};
use sealpost::store::RunId;
use std::time::Duration;

/// One that lies in the mailbox `Archive`.
const ARCHIVED: usize = 3;

fn warnings(events: &[Event]) -> Vec<&str> {
    let mut texts = Vec::new();
    for event in events {
        if let Event::Warning { text, .. } = event {
            texts.push(text.as_str());
        }
    }
    texts
}

/// The step is one that was done, and then the administrator took the message back from a backup.
#[test]
fn what_was_restored_from_a_backup_is_a_message_like_others() {
    let house = House::with(5);
    house.leave_behind(3, RunId(9));
    house.remove(3);
    std::thread::sleep(Duration::from_millis(20));
    house.add(3);
    let run = house.run(RunId(1), &Seal::default());
    let told = warnings(&run.events);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("another file has the name of one that an earlier run replaced"), "{told:?}");
    assert_eq!(run.replaced(), 5, "the restored one too");
    assert_eq!((house.files().len(), house.steps()), (6, 0));
}

#[test]
fn steps_in_a_mailbox_that_was_renamed_are_finished_there() {
    let house = House::with(10);
    house.leave_behind(ARCHIVED, RunId(9));
    let [before, after] = [".Archive", ".Kept"].map(|name| house.maildir().join(name));
    std::fs::rename(&before, &after).unwrap();
    let run = house.run(RunId(1), &Seal::default());
    assert!(matches!(run.events[1], Event::Finished(_)), "{:?}", run.events[1]);
    assert_eq!(house.steps(), 0);
    std::fs::rename(after, before).unwrap();
    house.assert_sealed(10);
}

/// Until the mailbox is there again.
#[test]
fn steps_in_a_mailbox_that_is_away_are_kept() {
    let house = House::with(10);
    house.leave_behind(ARCHIVED, RunId(9));
    let [here, away] = [house.maildir().join(".Archive"), house.maildir().join("away")];
    std::fs::rename(&here, &away).unwrap();
    house.run(RunId(1), &Seal::default()).whole();
    assert_eq!(house.steps(), 1);
    std::fs::rename(away, here).unwrap();
    house.run(RunId(2), &Seal::default()).whole();
    assert_eq!(house.steps(), 0);
    house.assert_sealed(10);
}

#[test]
fn a_mailbox_whose_steps_cannot_be_finished_is_left_out_and_no_other() {
    let house = House::with(10);
    house.leave_behind(ARCHIVED, RunId(9));
    let cur = house.maildir().join(".Archive/cur");
    let kept = house.maildir().join(".Archive/kept");
    std::fs::rename(&cur, &kept).unwrap();
    std::os::unix::fs::symlink("cur", &cur).unwrap();
    let run = house.run(RunId(1), &Seal::default());
    let Event::LeftOut { mailbox, reason } = &run.events[1] else { panic!("{:?}", run.events[1]) };
    assert_eq!(mailbox.name, "Archive");
    assert!(reason.starts_with(
        "not worked on, because what an earlier run left there cannot be finished: cannot list "
    ));
    let seen = run.whole();
    assert!(!seen.is_empty() && seen.iter().all(|seen| seen.stored.mailbox().name == "INBOX"));
    assert!(seen.iter().all(|seen| matches!(seen.outcome, Outcome::Replaced { .. })));
    assert_eq!(house.steps(), 1);
    std::fs::remove_file(&cur).unwrap();
    std::fs::rename(kept, cur).unwrap();
    house.run(RunId(2), &Seal::default()).whole();
    house.assert_sealed(10);
}

/// A kill leaves clear text in `tmp`, and hard links of it; a delivery that is under way is none of ours.
#[test]
fn what_dead_runs_left_in_tmp_is_removed_first_and_nothing_else() {
    let house = House::with(5);
    let left = "1200000000.M5P5Q5R0000000000000005X0000000000000009.mx,S=5,W=5";
    for tmp in ["tmp", ".Archive/tmp"] {
        std::fs::write(house.maildir().join(tmp).join(left), "clear").unwrap();
    }
    let delivery = house.maildir().join("tmp/1200000000.M5P5Q5R0000000000000005.mx,S=5,W=5");
    std::fs::write(&delivery, "arriving").unwrap();
    house.dry_run(RunId(1), &Seal::default()).whole();
    assert_eq!(house.staged(), 3, "a dry run changes nothing");
    house.run(RunId(1), &Seal::default()).whole();
    assert_eq!(house.staged(), 1);
    std::fs::remove_file(delivery).unwrap();
    house.assert_sealed(5);
}

/// Bob's folder leads to Anna's: her messages are not his.
#[test]
fn a_mailbox_that_is_a_link_is_passed_over_and_told() {
    let house = House::with(10);
    let [real, link] = ["../elsewhere", ".Shared"].map(|name| house.maildir().join(name));
    std::fs::create_dir_all(real.join("cur")).unwrap();
    std::fs::write(real.join("cur/1.anna.mx:2,"), "Subject: Anna's\r\n\r\nclear\r\n").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let run = house.run(RunId(1), &Seal::default());
    assert_eq!(warnings(&run.events), ["mailbox Shared is a link to another folder, and is passed over"]);
    assert_eq!(run.whole().len(), 10);
    assert_eq!(std::fs::read(real.join("cur/1.anna.mx:2,")).unwrap(), b"Subject: Anna's\r\n\r\nclear\r\n");
}
