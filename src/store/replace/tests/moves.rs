//! Clients that move and copy a message while it is replaced, as Dovecot does it: a hard link, and later no old name.

use super::*;

/// Commits one message whose file gets a second name just before the old one would be removed.
fn replace_while(then: impl FnOnce(&Path) + Send + 'static) -> (Replaced, Duration, World) {
    let world = World::new(&NAMES[1..2]);
    let staged = world.staged();
    let old = world.mailbox.folder.join(NAMES[1]);
    let elsewhere = world.mailbox.folder.join("tmp/elsewhere");
    let mut client = Some(then);
    world.watch(move |call, _| {
        if let Some(then) = (call == Call::SyncFolder).then(|| client.take()).flatten() {
            fs::hard_link(&old, &elsewhere).unwrap();
            let old = old.clone();
            std::thread::spawn(move || then(&old));
        }
        Answer::Works
    });
    let begin = std::time::Instant::now();
    let replaced = Replacement::commit_all(staged).remove(0).unwrap();
    (replaced, begin.elapsed(), world)
}

#[test]
fn what_is_moved_away_meanwhile_leaves_no_second_one() {
    let (replaced, _, world) = replace_while(|old| {
        std::thread::sleep(Duration::from_millis(100));
        fs::remove_file(old).unwrap();
    });
    assert_eq!(replaced, Replaced::Gone);
    assert_eq!(world.visible(), []);
}

#[test]
fn what_was_copied_is_replaced_a_moment_later() {
    let (replaced, took, world) = replace_while(|_| {});
    assert_eq!(replaced, Replaced::Done);
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert_eq!(world.with("new 0").len(), 1);
    assert_eq!(world.with("old 0"), Vec::<String>::new());
}

#[test]
fn a_copy_of_long_ago_takes_no_time() {
    let world = World::new(&NAMES[1..2]);
    fs::hard_link(world.mailbox.folder.join(NAMES[1]), world.mailbox.folder.join("tmp/elsewhere")).unwrap();
    std::thread::sleep(Duration::from_millis(1050));
    let begin = std::time::Instant::now();
    assert_eq!(Replacement::commit_all(world.staged()).remove(0).unwrap(), Replaced::Done);
    assert!(begin.elapsed() < Duration::from_millis(500));
}

#[test]
fn many_that_were_copied_wait_together() {
    let names: Vec<String> = (0..200).map(|at| format!("cur/{at}.a:2,")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(&names);
    let staged = world.staged();
    for (at, name) in names.iter().enumerate() {
        let copy = world.mailbox.folder.join(format!("tmp/elsewhere-{at}"));
        fs::hard_link(world.mailbox.folder.join(name), copy).unwrap();
    }
    let begin = std::time::Instant::now();
    let replaced = Replacement::commit_all(staged);
    let took = begin.elapsed();
    assert!(replaced.into_iter().all(|one| one.unwrap() == Replaced::Done));
    assert!((Duration::from_millis(900)..Duration::from_millis(2500)).contains(&took), "{took:?}");
}
