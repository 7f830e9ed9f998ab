//! Clients that set flags, move and expunge while a batch is committed.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Which of the two files of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Old,
    New,
}

/// What a client does to a file that it sees, as Dovecot does it: by its present name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// From `new/` to `cur/`.
    See,
    /// Sets a flag.
    Set(char),
    /// Takes the flag `S`.
    Unset,
    /// Removes it.
    Expunge,
}

const DEEDS: [Deed; 6] =
    [Deed::See, Deed::Set('F'), Deed::Set('P'), Deed::Set('R'), Deed::Unset, Deed::Expunge];

/// Before the call of that number a client does that.
#[derive(Debug, Clone, Copy)]
struct Act {
    call: usize,
    message: usize,
    age: Age,
    deed: Deed,
}

impl Act {
    /// Does it. Was there something to do?
    fn is_done(&self, folder: &Path) -> bool {
        let Some(path) = find(folder, self.age, self.message) else { return false };
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut set: BTreeSet<char> = letters(name).chars().collect();
        let is_change = match self.deed {
            Deed::See => path.parent().unwrap().ends_with("new"),
            Deed::Set(letter) => set.insert(letter),
            Deed::Unset => set.remove(&'S'),
            Deed::Expunge => return fs::remove_file(&path).is_ok(),
        };
        let set: String = set.into_iter().collect();
        let base = name.split_once(':').map_or(name, |(base, _)| base);
        is_change && fs::rename(&path, folder.join(format!("cur/{base}:2,{set}"))).is_ok()
    }
}

fn find(folder: &Path, age: Age, message: usize) -> Option<PathBuf> {
    let content = format!("{} {message}", if age == Age::Old { "old" } else { "new" });
    ["new", "cur"].iter().find_map(|part| {
        let entries = fs::read_dir(folder.join(part)).unwrap();
        entries.map(|entry| entry.unwrap().path()).find(|path| fs::read_to_string(path).unwrap() == content)
    })
}

/// What was done and succeeded.
#[derive(Debug, Default)]
struct Story {
    done: Vec<(usize, Age, Deed)>,
    /// New files that were expunged when the old one was gone, or its removal was decided.
    late: Vec<usize>,
}

impl Story {
    fn has(&self, message: usize, age: Age, deed: Deed) -> bool {
        self.done.contains(&(message, age, deed))
    }

    fn play(&mut self, act: &Act, folder: &Path, (call, path): (Call, &Path)) {
        let old = find(folder, Age::Old, act.message);
        if act.is_done(folder) {
            self.done.push((act.message, act.age, act.deed));
            let is_late = old.is_none_or(|old| call == Call::Remove && old == path);
            if (act.age, act.deed) == (Age::New, Deed::Expunge) && is_late {
                self.late.push(act.message);
            }
        }
    }

    /// Holds what became of a message against what was done to it.
    fn judge(&self, message: usize, outcome: &Result<Replaced, StoreError>, world: &World) {
        let [old, new] = ["old", "new"].map(|age| world.with(&format!("{age} {message}")));
        let expunged = [Age::Old, Age::New].map(|age| self.has(message, age, Deed::Expunge));
        match (expunged, outcome, &old[..], &new[..]) {
            // Expunged by its old name: it does not come back.
            ([true, _], Ok(Replaced::Gone), [], []) => {}
            // By both, the new one first: the old one was left in its place, and went after that.
            ([true, true], Err(_), [], []) => {}
            ([false, true], Ok(Replaced::Done), [], []) => assert!(self.late.contains(&message), "lost"),
            // Expunged by its new name in time: the old one stays.
            ([false, true], Err(_), [old], []) => self.judge_name(message, old, &[Age::Old]),
            ([false, false], Ok(Replaced::Done), [], [new]) => {
                self.judge_name(message, new, &[Age::Old, Age::New]);
            }
            wrong => panic!("{message}: {wrong:?}"),
        }
    }

    /// Does the survivor carry what was done to these?
    fn judge_name(&self, message: usize, name: &str, ages: &[Age]) {
        let has = |deed| ages.iter().any(|age| self.has(message, *age, deed));
        for letter in ['F', 'P', 'R'] {
            let expected = has(Deed::Set(letter)) || letters(NAMES[message]).contains(letter);
            assert_eq!(letters(name).contains(letter), expected, "{message}: {letter} in {name}");
        }
        let expected = letters(NAMES[message]).contains('S') && !has(Deed::Unset);
        assert_eq!(letters(name).contains('S'), expected, "{message}: S in {name}");
        assert!(!letters(NAMES[message]).contains('a') || letters(name).contains('a'), "{name}");
        assert!(!has(Deed::See) || name.starts_with("cur/"), "{name}");
    }
}

/// Commits a batch among these acts. Gives the number of calls.
fn play(acts: &[Act]) -> usize {
    let world = World::new(&NAMES);
    let (staged, folder) = (world.staged(), world.mailbox.folder.clone());
    let told = Arc::new(Mutex::new((Story::default(), 0)));
    let (telling, acts) = (Arc::clone(&told), acts.to_vec());
    world.watch(move |name, path| {
        let (story, call) = &mut *telling.lock().unwrap();
        *call += 1;
        acts.iter().filter(|act| act.call == *call).for_each(|act| story.play(act, &folder, (name, path)));
        Answer::Works
    });
    let outcomes = Replacement::commit_all(staged);
    let (story, calls) = &*told.lock().unwrap();
    for (message, outcome) in outcomes.iter().enumerate() {
        story.judge(message, outcome, &world);
    }
    assert!(world.is_tidy());
    *calls
}

/// Every deed to either file of every message, before every call.
#[test]
fn one_deed_at_every_point() {
    let calls = play(&[]);
    assert!(calls > 12, "{calls}");
    for call in 1..=calls + 4 {
        for message in 0..3 {
            for age in [Age::Old, Age::New] {
                for deed in DEEDS {
                    play(&[Act { call, message, age, deed }]);
                }
            }
        }
    }
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let age = prop::sample::select(vec![Age::Old, Age::New]);
    let one = (1_usize..30, 0_usize..3, age, prop::sample::select(DEEDS.to_vec()));
    prop::collection::vec(one.prop_map(|(call, message, age, deed)| Act { call, message, age, deed }), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]
    #[test]
    fn many_deeds_at_any_points(acts in acts()) {
        play(&acts);
    }
}

/// A client that never rests: the message stays, once, and that is said.
#[test]
fn a_message_whose_name_never_rests_stays() {
    let world = World::new(&["cur/123.x.mx:2,S"]);
    let (staged, folder, mut turn) = (world.staged(), world.mailbox.folder.clone(), 0);
    world.watch(move |call, path| {
        if call == Call::Remove && path.to_str().unwrap().contains("/cur/123.x.mx:") {
            turn += 1;
            let other = if turn % 2 == 0 { "S" } else { "FS" };
            fs::rename(path, folder.join(format!("cur/123.x.mx:2,{other}"))).unwrap();
        }
        Answer::Works
    });
    let error = Replacement::commit_all(staged).remove(0).unwrap_err();
    let StoreError::Io { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.to_string(), "its name changed 100 times meanwhile; try again");
    assert_eq!((world.visible().len(), world.with("old 0").len()), (1, 1));
    assert!(world.is_tidy());
}

/// The old one is gone before anything is made visible.
#[test]
fn what_was_expunged_before_the_commit_is_never_visible_again() {
    let world = World::new(&NAMES);
    let staged = world.staged();
    fs::remove_file(world.mailbox.folder.join(NAMES[1])).unwrap();
    world.watch(|call, path| {
        assert!(call != Call::Link || !path.to_str().unwrap().contains("/1700000002."));
        Answer::Works
    });
    let outcomes = Replacement::commit_all(staged);
    assert!(matches!(outcomes[..], [Ok(Replaced::Done), Ok(Replaced::Gone), Ok(Replaced::Done)]));
    assert_eq!(world.visible().len(), 2);
}

/// After a crash whoever sees both may have removed one because they saw both.
#[test]
fn finishing_never_drops_the_new_one() {
    let world = World::new(&NAMES);
    let staged = world.staged();
    let step = staged[1].step();
    let (old, new) = (world.mailbox.folder.join(NAMES[1]), staged[1].pair().new.path());
    fs::hard_link(&staged[1].temporary, new).unwrap();
    drop(staged);
    world.watch(move |call, path| {
        if call == Call::Remove {
            assert_eq!(path, old);
            fs::remove_file(&old).unwrap();
        }
        Answer::Works
    });
    assert_eq!(world.store.finish(&step).unwrap(), Finished::Settled);
    assert_eq!((world.with("old 1").len(), world.with("new 1").len()), (0, 1));
}

/// On the real disk, with a client that sets flags as fast as it can while folders are listed: names that are hidden from
/// one listing lose nothing.
#[test]
fn a_client_that_works_beside_loses_nothing() {
    let names: Vec<String> = (0..40).map(|at| format!("cur/17000000{at:02}.x.mx:2,")).collect();
    let world = World::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let staged = world.staged();
    let (folder, stop) = (world.mailbox.folder.clone(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = Arc::clone(&stop);
    let client = std::thread::spawn(move || {
        let mut set = [false; 40];
        for turn in 0_usize.. {
            if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            let (at, letter) = (turn * 7 % 40, if turn % 3 == 0 { "FS" } else { "S" });
            let prefix = format!("17000000{at:02}.x.mx:");
            let Some(old) = fs::read_dir(folder.join("cur"))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix))
            else {
                continue;
            };
            set[at] |= fs::rename(&old, old.with_file_name(format!("{prefix}2,{letter}"))).is_ok();
        }
        set
    });
    let outcomes = Replacement::commit_all(staged);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let set = client.join().unwrap();
    for (at, (outcome, set)) in outcomes.into_iter().zip(set).enumerate() {
        let [old, new] = ["old", "new"].map(|age| world.with(&format!("{age} {at}")));
        assert_eq!(old.len() + new.len(), 1, "{at}: {outcome:?} {old:?} {new:?}");
        if outcome.is_ok_and(|replaced| replaced == Replaced::Done) {
            assert!(old.is_empty());
            assert_eq!(letters(&new[0]).contains('S'), set, "{new:?}");
        }
    }
}
