//! A batch whose n-th call fails, lies or is the last one, for every n.

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// This call fails, the next ones work.
    Error,
    /// It works and says that it failed.
    Lie,
    /// It fails and so does everything behind it.
    Death,
    /// It works and was the last one that did: killed right behind it.
    DeathBehind,
}

const FAULTS: [Fault; 4] = [Fault::Error, Fault::Lie, Fault::Death, Fault::DeathBehind];

fn faulty(world: &World, fault: Fault, at: usize) -> Arc<Mutex<usize>> {
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    world.watch(move |_, _| {
        let mut call = counted.lock().unwrap();
        *call += 1;
        match fault {
            Fault::Error if *call == at => Answer::Fails,
            Fault::Lie if *call == at => Answer::Lies,
            Fault::Death if *call >= at => Answer::Fails,
            Fault::DeathBehind if *call == at => Answer::Lies,
            Fault::DeathBehind if *call > at => Answer::Fails,
            _ => Answer::Works,
        }
    });
    calls
}

/// Of the messages of three names, one of which has another name than when it was listed.
fn batch(world: &World) -> (Vec<Replacement<Watched>>, Vec<Step>) {
    let staged = world.staged();
    let old = world.mailbox.folder.join(NAMES[1]);
    fs::rename(&old, old.with_file_name("1700000002.567_1.mx:2,RS")).unwrap();
    let steps = staged.iter().map(Replacement::step).collect();
    (staged, steps)
}

/// How many calls there were.
fn check(fault: Fault, at: usize) -> usize {
    let world = World::new(&NAMES);
    fs::write(world.mailbox.folder.join("maildirsize"), "9S\n15 3\n").unwrap();
    let (staged, steps) = batch(&world);
    let calls = faulty(&world, fault, at);
    let outcomes = Replacement::commit_all(staged);
    let done = *calls.lock().unwrap();
    let about = format!("{fault:?} at {at}: {outcomes:?}, {:?}", world.visible());
    for (number, outcome) in outcomes.iter().enumerate() {
        let [old, new] = ["old", "new"].map(|age| world.with(&format!("{age} {number}")).len());
        assert!(old <= 1 && new <= 1 && old + new >= 1, "{about}");
        match outcome {
            Ok(Replaced::Done) => assert_eq!((old, new), (0, 1), "{about}"),
            Ok(Replaced::Gone) => panic!("nobody removed anything: {about}"),
            // A single fault is cleared up.
            Err(_) => assert!(fault != Fault::Error || old + new == 1, "{about}"),
        }
    }
    finish(&world, &steps);
    let visible = world.visible();
    let about = format!("{about}, then {visible:?}");
    assert_eq!(visible.len(), 3, "{about}");
    for (number, expected) in ["", "RS", "FSa"].iter().enumerate() {
        let survivor = visible.iter().find(|(_, content)| content.ends_with(&number.to_string()));
        assert_eq!(letters(&survivor.unwrap().0), *expected, "{about}");
    }
    done
}

/// The next run comes to a sound disk.
fn finish(world: &World, steps: &[Step]) {
    world.watch(|_, _| Answer::Works);
    assert!(world.store.finish_all(steps).iter().all(Result::is_ok));
}

#[test]
fn a_fault_at_every_call_of_a_batch_leaves_the_old_or_both() {
    let calls = check(Fault::Error, usize::MAX);
    assert!(calls > 12, "{calls}");
    for fault in FAULTS {
        for at in 1..=calls + 6 {
            check(fault, at);
        }
    }
}

/// Whoever died left both; clients go on with both, and what they did to either counts.
#[test]
fn what_clients_did_to_both_before_the_finish_is_kept() {
    let calls = check(Fault::Error, usize::MAX);
    let mut both = 0;
    for at in 1..=calls {
        let world = World::new(&NAMES);
        let (staged, steps) = batch(&world);
        faulty(&world, Fault::Death, at);
        drop(Replacement::commit_all(staged));
        if world.with("old 2").len() + world.with("new 2").len() == 2 {
            both += 1;
            let [old, new] = ["old 2", "new 2"].map(|content| world.with(content).remove(0));
            let change = |name: &str, letters: &str| {
                let other = format!("{}:2,{letters}", name.split_once(':').unwrap().0);
                fs::rename(world.mailbox.folder.join(name), world.mailbox.folder.join(other)).unwrap();
            };
            change(&old, "RSa");
            change(&new, "FPS");
            finish(&world, &steps);
            assert_eq!(world.with("old 2").len(), 0);
            // F was taken from the old one, a from the new one; R was set on the old one, P on the new one.
            assert_eq!(letters(&world.with("new 2")[0]), "PRS");
        }
    }
    assert!(both > 2, "{both}");
}

/// Killed between the links and the removals, by the next run too.
#[test]
fn a_fault_at_every_call_of_the_finish_leaves_something_to_finish() {
    for fault in FAULTS {
        for at in 1..=16 {
            let world = World::new(&NAMES);
            let (staged, steps) = batch(&world);
            world.watch(|call, _| if call == Call::Link { Answer::Works } else { Answer::Fails });
            drop(Replacement::commit_all(staged));
            assert_eq!(world.visible().len(), 6, "both are there");
            let calls = faulty(&world, fault, at);
            let finished = world.store.finish_all(&steps);
            let calls = *calls.lock().unwrap();
            let about = format!("{fault:?} at {at} of {calls}: {finished:?}, {:?}", world.visible());
            for (number, finished) in finished.iter().enumerate() {
                let [old, new] = ["old", "new"].map(|age| world.with(&format!("{age} {number}")).len());
                assert!(new == 1 && (old == 0 || !matches!(finished, Ok(Finished::Done))), "{about}");
                assert!(finished.is_err() || at > calls || old == 0, "{about}");
            }
            finish(&world, &steps);
            let contents: Vec<_> = world.visible().into_iter().map(|(_, content)| content).collect();
            assert_eq!(contents, ["new 1", "new 2", "new 0"], "{about}");
        }
    }
}

/// What a dead run made visible was perhaps not synced.
#[test]
fn the_finish_syncs_the_new_one_before_the_old_one_goes() {
    let world = World::new(&NAMES);
    let (staged, steps) = batch(&world);
    world.watch(|call, _| if call == Call::Link { Answer::Works } else { Answer::Fails });
    drop(Replacement::commit_all(staged));
    world.watch(|call, _| if call == Call::SyncFolder { Answer::Fails } else { Answer::Works });
    assert!(world.store.finish_all(&steps).iter().all(Result::is_err));
    assert_eq!(world.visible().len(), 6);
}

#[test]
fn a_fault_while_staging_leaves_nothing() {
    for fault in [Fault::Error, Fault::Lie] {
        for at in 1..=6 {
            let world = World::new(&NAMES);
            let old = world.listed().remove(0);
            fs::set_permissions(old.path(), fs::Permissions::from_mode(0o640)).unwrap();
            let calls = faulty(&world, fault, at);
            let staged = world.stage(&old, "other");
            let calls = *calls.lock().unwrap();
            match staged {
                // Create, write, mode, time, sync: none may fail.
                Ok(_) => assert_eq!((at, calls), (6, 5)),
                Err(error) => {
                    assert!(at <= 5, "{error}");
                    // One that was created with its answer lost is nobody's; readers sweep it.
                    assert!(world.is_tidy() || (at == 1 && fault == Fault::Lie), "{at} {fault:?}");
                }
            }
            assert_eq!(world.visible().len(), 3);
        }
    }
}

/// Not to be synced is a failure of every message of that folder, and of no other.
#[test]
fn where_a_folder_cannot_be_synced_its_old_files_stay() {
    let world = World::new(&NAMES);
    let staged = world.staged();
    world.watch(|call, path| match (call, path.ends_with("cur")) {
        (Call::SyncFolder, true) => Answer::Fails,
        _ => Answer::Works,
    });
    // In the order of the base names: the first is in new/.
    let outcomes = Replacement::commit_all(staged);
    assert!(matches!(outcomes[0], Ok(Replaced::Done)), "{outcomes:?}");
    for outcome in &outcomes[1..] {
        let error = outcome.as_ref().unwrap_err().to_string();
        assert!(error.starts_with("cannot sync the folder ") && error.ends_with("cur"), "{error}");
    }
    let contents: Vec<_> = world.visible().into_iter().map(|(_, content)| content).collect();
    assert_eq!(contents, ["old 1", "old 2", "new 0"]);
}

/// One that cannot be linked keeps the others from nothing.
#[test]
fn a_failed_link_is_the_failure_of_one() {
    let world = World::new(&NAMES);
    let staged = world.staged();
    let mut links = 0;
    world.watch(move |call, _| {
        links += usize::from(call == Call::Link);
        if call == Call::Link && links == 2 { Answer::Fails } else { Answer::Works }
    });
    let outcomes = Replacement::commit_all(staged);
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(world.with("old 1"), [NAMES[1]]);
    assert_eq!(world.visible().len(), 3);
}
