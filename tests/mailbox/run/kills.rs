//! A run that is killed at any moment, and goes on: this binary starts itself as the process that is killed.

use super::house::{House, Seal};
use sealpost::mailbox::Event;
use sealpost::store::RunId;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Where the child works.
const PLACE: &str = "SEALPOST_TEST_RUN_IN";
const MESSAGES: usize = 3000;
const KILLS: usize = 15;

/// Starts one test of this binary with the place in its environment.
pub(super) fn start(test: &str, place: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(PLACE, place).env("RUST_TEST_THREADS", "1");
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The place, in the child.
pub(super) fn place() -> Option<impl AsRef<OsStr> + AsRef<Path>> {
    std::env::var_os(PLACE)
}

/// The child: goes on with the one task until it is done.
#[test]
fn a_process_that_is_killed() {
    let Some(place) = place() else { return };
    let house = House::at(place.as_ref());
    let begun = house.directory.begin_run("task", rand::random()).unwrap();
    let run = |work| match begun.resumed {
        true => house.resume(RunId(begun.id), work),
        false => house.run(RunId(begun.id), work),
    };
    run(&Seal::default()).whole();
    house.directory.end_run(begun.id).unwrap();
}

#[test]
fn a_run_that_is_killed_fifteen_times_does_every_message_once() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::make(folder.path());
    (0..MESSAGES).for_each(|number| house.add(number));
    let (mut killed, mut stepped) = (0, 0);
    for kill in 0..KILLS {
        // What the last one left would be counted; what the last kill leaves is for the run at the end.
        house.empty_tmp();
        let mut child = start("mailbox::run::kills::a_process_that_is_killed", folder.path());
        wait_for_moment(&house, &mut child, kill);
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().code().is_none());
        stepped += usize::from(house.steps() > 0);
        house.assert_none_is_lost(MESSAGES);
    }
    assert!(killed >= 5 && stepped >= 2, "{killed} killed, {stepped} of them with steps in the journal");
    let begun = house.directory.begin_run("task", 77).unwrap();
    let told = house.resume(RunId(begun.id), &Seal::default());
    let finished = told.events.iter().filter(|event| matches!(event, Event::Finished(_))).count();
    println!("{killed} kills, {stepped} with steps in the journal, {finished} steps finished at the end");
    told.whole();
    assert_eq!(house.steps(), 0);
    house.assert_sealed(MESSAGES);
}

/// Staging, all staged, committing: at other counts each time.
fn wait_for_moment(house: &House, child: &mut Child, kill: usize) {
    let (staged, made_before, end) = (house.staged(), made(house), Instant::now() + Duration::from_secs(20));
    let is_there = || match kill % 3 {
        0 => house.staged() > staged + kill * 131 % 400,
        1 => house.staged() > staged + 400,
        _ => made(house) > made_before + kill * 97 % 300,
    };
    while !is_there() && child.try_wait().unwrap().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(kill as u64 % 3 * 7));
}

fn made(house: &House) -> usize {
    house.files().iter().filter(|file| file.name.contains('X')).count()
}
