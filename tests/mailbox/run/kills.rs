//! A run that is killed at any moment, and goes on: this binary starts itself as the process that is killed.

use super::house::{House, Seal};
use crate::support::{Program, tools};
use sealpost::mailbox::Event;
use sealpost::store::RunId;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where the child works.
const PLACE: &str = "SEALPOST_TEST_RUN_IN";
const MESSAGES: usize = 3000;
const KILLS: usize = 12;

/// Starts one test of this binary with the place in its environment.
pub(super) fn start(test: &str, place: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments(test)).env(PLACE, place).env("RUST_TEST_THREADS", "1");
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// For one test of this binary.
fn arguments(test: &str) -> [&str; 3] {
    ["--exact", test, "--nocapture"]
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
fn a_run_that_is_killed_again_and_again_does_every_message_once() {
    if !tools(&["strace"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let house = House::make(folder.path());
    (0..MESSAGES).for_each(|number| house.add(number));
    let mut stepped = 0;
    for kill in 0..KILLS {
        // What the last one left would be counted; what the last kill leaves is for the run at the end.
        house.empty_tmp();
        // While files are staged, while they become visible, while the old ones go: at other counts each time.
        let (call, nth) = (["fsync", "linkat", "unlink"][kill % 3], 1 + kill / 3);
        let program = Program::killed_in(call, nth, &[]).args([std::env::current_exe().unwrap()]);
        let program = program.args(arguments("mailbox::run::kills::a_process_that_is_killed"));
        let ended = program.env(PLACE, folder.path()).env("RUST_TEST_THREADS", "1").run();
        assert_eq!(ended.code, None, "{call} {nth}: {}{}", ended.text(), ended.stderr);
        stepped += usize::from(house.steps() > 0);
        house.assert_none_is_lost(MESSAGES);
    }
    assert!(stepped >= KILLS / 3, "{stepped} of {KILLS} with steps in the journal");
    let begun = house.directory.begin_run("task", 77).unwrap();
    let told = house.resume(RunId(begun.id), &Seal::default());
    let finished = told.events.iter().filter(|event| matches!(event, Event::Finished(_))).count();
    println!("{KILLS} kills, {stepped} with steps in the journal, {finished} steps finished at the end");
    assert!(told.replaced() > 0, "something was left to do");
    told.whole();
    assert_eq!(house.steps(), 0);
    house.assert_sealed(MESSAGES);
}
