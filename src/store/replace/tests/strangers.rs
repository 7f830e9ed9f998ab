//! Other files under the names of messages that are replaced, and mailboxes that are taken away.

use super::*;
use std::time::Instant;

/// As from a backup: the same name, size and time of modification.
fn restore(path: &Path, content: &str, date: SystemTime) {
    // The birth of a file is known to some ms.
    std::thread::sleep(Duration::from_millis(20));
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(date).unwrap();
}

/// A kill may leave the step of a replacement that was done already.
#[test]
fn what_was_restored_from_a_backup_is_not_removed_for_a_step_of_long_ago() {
    let world = World::new(&NAMES);
    let old = world.mailbox.folder.join(NAMES[1]);
    let date = fs::metadata(&old).unwrap().modified().unwrap();
    let staged = world.staged();
    let steps: Vec<Step> = staged.iter().map(Replacement::step).collect();
    assert!(Replacement::commit_all(staged).iter().all(Result::is_ok));
    restore(&old, "old 1", date);
    let finished: Vec<_> = world.store.finish_all(&steps).into_iter().map(Result::unwrap).collect();
    assert_eq!(finished, [Finished::Settled, Finished::Stranger, Finished::Settled]);
    assert_eq!(world.with("old 1"), [NAMES[1]]);
    assert_eq!(world.with("new 1").len(), 1);
}

#[test]
fn another_message_of_that_base_name_is_not_removed_for_a_step() {
    let world = World::new(&NAMES);
    let steps: Vec<Step> = world.staged().iter().map(Replacement::step).collect();
    Replacement::commit_all(world.staged());
    let staged_new = world.mailbox.folder.join("cur").join(format!("{}:2,S", steps[1].new));
    fs::write(staged_new, "new of the dead").unwrap();
    fs::write(world.mailbox.folder.join("new/1700000002.567_1.mx"), "another message").unwrap();
    assert_eq!(world.store.finish(&steps[1]).unwrap(), Finished::Stranger);
    assert_eq!(world.with("another message").len(), 1);
}

/// Before anything is visible, and right before the removal.
#[test]
fn what_takes_the_place_of_the_old_one_meanwhile_stays() {
    for (moment, new) in [(None, 0), (Some(Call::SyncFolder), 1)] {
        let world = World::new(&NAMES[1..2]);
        let old = world.mailbox.folder.join(NAMES[1]);
        let staged = world.staged();
        let exchange = move || {
            let other = old.with_file_name("other");
            fs::write(&other, "a stranger").unwrap();
            fs::rename(&other, &old).unwrap();
        };
        if moment.is_none() {
            exchange();
        } else {
            world.watch(move |call, _| {
                if moment == Some(call) {
                    exchange();
                }
                Answer::Works
            });
        }
        let error = Replacement::commit_all(staged).remove(0).unwrap_err();
        let StoreError::Io { source, .. } = &error else { panic!("{error}") };
        assert_eq!(source.to_string(), "another file has its name now, and is left as it is");
        assert_eq!(world.with("a stranger"), [NAMES[1]], "{moment:?}");
        assert_eq!(world.with("new 0").len(), new, "it may be the only copy: {moment:?}");
    }
}

/// Renamed between the link and the removal: both are in it, wherever it is.
#[test]
fn a_mailbox_that_is_taken_away_is_a_failure_and_no_message_is_gone() {
    let world = World::new(&NAMES[1..2]);
    let (staged, folder) = (world.staged(), world.mailbox.folder.clone());
    let step = staged[0].step();
    let away = folder.with_file_name("away");
    let renamed = away.clone();
    world.watch(move |call, _| {
        if call == Call::SyncFolder && !renamed.exists() {
            fs::rename(&folder, &renamed).unwrap();
        }
        Answer::Works
    });
    assert!(Replacement::commit_all(staged)[0].is_err(), "so that its step stays in the journal");
    world.watch(|_, _| Answer::Works);
    assert!(world.store.finish(&step).is_err());
    fs::rename(away, &world.mailbox.folder).unwrap();
    assert_eq!(world.store.finish(&step).unwrap(), Finished::Done);
    assert_eq!((world.with("old 0").len(), world.with("new 0").len()), (0, 1));
}

/// The first links of a large move are old when the last ones are made. Where the client was too slow for the last ones, as on a
/// busy machine, those were copies.
#[test]
fn old_links_are_left_while_others_of_the_batch_are_fresh() {
    let in_time = |_| {
        let world = World::new(&NAMES);
        let staged = world.staged();
        let folder = world.mailbox.folder.clone();
        fs::hard_link(folder.join(NAMES[1]), folder.join("elsewhere-1")).unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        let begin = Instant::now();
        fs::hard_link(folder.join(NAMES[2]), folder.join("elsewhere-2")).unwrap();
        let client = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            NAMES[1..].iter().for_each(|name| drop(fs::remove_file(folder.join(name))));
            begin.elapsed() < moves::SOON
        });
        let replaced: Vec<_> = Replacement::commit_all(staged).into_iter().map(Result::unwrap).collect();
        let was_soon = client.join().unwrap();
        if was_soon {
            assert_eq!(replaced, [Replaced::Done, Replaced::Gone, Replaced::Gone]);
            assert_eq!(world.visible().len(), 1, "the moved ones left no second one");
        }
        was_soon
    };
    assert!((0..30).any(in_time));
}
