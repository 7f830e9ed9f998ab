//! Clients that move and copy a message while it is replaced, as Dovecot does it: a hard link, and later no old name.

use super::*;
use std::time::Instant;

/// A client that needs no longer moves; whoever waits for one waits longer.
pub(super) const SOON: Duration = Duration::from_millis(900);

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
    let begin = Instant::now();
    let replaced = Replacement::commit_all(staged).remove(0).unwrap();
    (replaced, begin.elapsed(), world)
}

/// Where the client was too slow, as on a busy machine, that was a copy.
#[test]
fn what_is_moved_away_meanwhile_leaves_no_second_one() {
    let in_time = |_| {
        let (tell, told) = std::sync::mpsc::channel();
        let begin = Instant::now();
        let (replaced, _, world) = replace_while(move |old| {
            std::thread::sleep(Duration::from_millis(100));
            let _ = fs::remove_file(old);
            tell.send(Instant::now()).unwrap();
        });
        let was_soon = told.recv().unwrap() - begin < SOON;
        if was_soon {
            assert_eq!(replaced, Replaced::Gone);
            assert_eq!(world.visible(), []);
        }
        was_soon
    };
    assert!((0..100).any(in_time));
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
    let takes_no_time = |_| {
        let world = World::new(&NAMES[1..2]);
        let elsewhere = world.mailbox.folder.join("tmp/elsewhere");
        fs::hard_link(world.mailbox.folder.join(NAMES[1]), elsewhere).unwrap();
        std::thread::sleep(Duration::from_millis(1050));
        let begin = Instant::now();
        assert_eq!(Replacement::commit_all(world.staged()).remove(0).unwrap(), Replaced::Done);
        begin.elapsed() < Duration::from_millis(500)
    };
    assert!((0..30).any(takes_no_time));
}

/// One after the other they would take four seconds at least, whatever the machine.
#[test]
fn many_that_were_copied_wait_together() {
    assert!((0..30).map(|_| many_copied()).any(|took| took < Duration::from_millis(2500)));
}

/// How long they took.
fn many_copied() -> Duration {
    let names: Vec<String> = (0..200).map(|at| format!("cur/{at}.a:2,")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(&names);
    let staged = world.staged();
    let begin = Instant::now();
    for (at, name) in names.iter().enumerate() {
        let copy = world.mailbox.folder.join(format!("tmp/elsewhere-{at}"));
        fs::hard_link(world.mailbox.folder.join(name), copy).unwrap();
    }
    let replaced = Replacement::commit_all(staged);
    let took = begin.elapsed();
    assert!(replaced.into_iter().all(|one| one.unwrap() == Replaced::Done));
    assert!(took >= SOON, "{took:?}");
    assert_eq!(world.visible().len(), names.len());
    took
}
