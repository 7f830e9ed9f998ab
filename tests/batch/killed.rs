//! A batch that is killed: no message is lost, none is half visible, and none was told as stored that is not there for good.

use super::house::{BOB, House};
use crate::support::{Ended, Program, ended_calls, path, tools, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that is delivered to bob, whose files go to another one.
struct Import {
    house: House,
    names: Vec<String>,
}

impl Import {
    /// One of its messages in the middle goes alone.
    fn new(count: usize) -> Import {
        let house = House::lasting();
        let rule = "[[rule]]\nname = \"alone\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"0002\"]]\n\
                    then = [[\"Remember 'From' in\", \"Friends\"]]\n";
        house.rules("--account bob@north.example", rule);
        std::fs::write(house.folder.path().join("store/sealpost.toml"), "log = \"none\"\n").unwrap();
        Import { house, names: super::house::numbers(count) }
    }

    fn root(&self) -> PathBuf {
        self.house.folder.path().join("store")
    }

    fn from(&self) -> PathBuf {
        self.house.folder.path().join("from")
    }

    fn done(&self) -> PathBuf {
        self.house.folder.path().join("done")
    }

    fn inbox(&self) -> PathBuf {
        self.root().join("mail/north.example/bob/Maildir/new")
    }

    /// As before the first run.
    fn furnish(&self) {
        for folder in [self.from(), self.done(), self.root().join("mail")] {
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir(folder).unwrap();
        }
        for name in &self.names {
            let text = format!("From: carol@far.example\nSubject: {name}\n\nThe body of {name}.\n");
            std::fs::write(self.from().join(name), text).unwrap();
        }
    }

    fn words(&self) -> Vec<String> {
        let (root, from, done) = (self.root(), self.from(), self.done());
        let words = ["--root", path(&root), "deliver", "--batch", path(&from), "--done", path(&done)];
        words.into_iter().chain(["--recipient", BOB, "--json"]).map(str::to_owned).collect()
    }

    /// Each message that is visible, with how often; every one is whole.
    fn stored(&self) -> BTreeMap<String, usize> {
        let mut stored = BTreeMap::new();
        for file in names_in(&self.inbox()) {
            let opened = self.house.opened(&std::fs::read(self.inbox().join(file)).unwrap());
            let opened = String::from_utf8(opened).unwrap();
            let name = opened.split("Subject: ").nth(1).unwrap()[..4].to_owned();
            let whole = format!("From: carol@far.example\r\nSubject: {name}\r\n\r\nThe body of {name}.\r\n");
            assert_eq!(opened, whole);
            *stored.entry(name).or_default() += 1;
        }
        stored
    }

    /// Holds after a kill: `told` is what the run printed.
    fn check(&self, told: &str, what: &str) {
        let stored = self.stored();
        let (from, done) = (names_in(&self.from()), names_in(&self.done()));
        for name in reported(told).iter().chain(&done) {
            assert!(stored.contains_key(name), "{what}: {name} is told or moved, and not there");
        }
        for name in &self.names {
            assert!(from.contains(name) || done.contains(name), "{what}: the file {name} is lost");
            assert!(from.contains(name) || stored.contains_key(name), "{what}: {name} is lost");
        }
        assert!(stored.values().all(|count| *count == 1), "{what}: {stored:?}");
    }

    /// The same command again brings everything to its end; what was in hand may be there twice.
    fn finish(&self, what: &str) {
        Program::sealpost().args(self.words()).run().ok();
        let stored = self.stored();
        assert_eq!(stored.keys().collect::<Vec<_>>(), self.names.iter().collect::<Vec<_>>(), "{what}");
        assert!(stored.values().all(|count| *count <= 2), "{what}: {stored:?}");
        assert_eq!(
            (names_in(&self.from()).len(), names_in(&self.done()).len()),
            (0, self.names.len()),
            "{what}"
        );
    }
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).map(Vec::from_iter).unwrap_or_default();
    entries.into_iter().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The names of the messages that whole lines tell as stored.
fn reported(told: &str) -> Vec<String> {
    let whole = told.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let events = whole.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let stored = events.filter(|event| event["outcome"] == "stored");
    stored.map(|event| event["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// Killed in the n-th of each kind of system call that makes a promise true, for every n.
#[test]
fn a_kill_in_every_deciding_system_call_of_a_batch_keeps_the_promise() {
    if !tools(&["strace"]) {
        return;
    }
    let import = Import::new(5);
    for call in ["fsync", "linkat", "unlink"] {
        let mut killed = 0;
        loop {
            import.furnish();
            let inject = format!("inject={call}:signal=KILL:when={}", killed + 1);
            let ended = Program::new("strace")
                .args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject])
                .args([env!("CARGO_BIN_EXE_sealpost")])
                .args(import.words())
                .run();
            let what = format!("{call} {}", killed + 1);
            if ended.code == Some(0) {
                break;
            }
            assert_eq!(ended.code, None, "{what}: {}", ended.stderr);
            import.check(&ended.text(), &what);
            import.finish(&what);
            killed += 1;
            assert!(killed < 100, "{call} never ends");
        }
        // At least one of each message.
        assert!(killed >= 5, "{call}: {killed}");
    }
}

/// Killed once so many messages are visible, whatever happens then.
#[test]
fn a_kill_between_windows_keeps_the_promise() {
    let import = Import::new(600);
    let mut killed = 0;
    for visible in [1, 3, 100, 256, 300] {
        import.furnish();
        let mut run = Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .args(import.words())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for("messages", 60, || (names_in(&import.inbox()).len() >= visible).then_some(()));
        kill(Pid::from_raw(i32::try_from(run.id()).unwrap()), Signal::SIGKILL).unwrap();
        let mut told = String::new();
        std::io::Read::read_to_string(&mut run.stdout.take().unwrap(), &mut told).unwrap();
        killed += usize::from(run.wait().unwrap().code().is_none());
        import.check(&told, &format!("{visible} visible"));
        import.finish(&format!("{visible} visible"));
    }
    assert!(killed > 0, "each run came to its end");
}

/// What a traced call did.
enum Call {
    /// The file of this name was synced.
    Synced(String),
    /// The folder with what is visible was synced.
    FolderSynced,
    /// A file with that name became visible.
    Visible(String),
    /// A message was told as stored.
    Told,
}

/// The calls of a run in the order in which they ended.
fn calls(trace: &str, inbox: &Path) -> Vec<Call> {
    let mut calls = Vec::new();
    for whole in ended_calls(trace) {
        let base = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(rest) = whole.strip_prefix("fsync(") {
            let file = rest.split_once('<').unwrap().1.split('>').next().unwrap();
            let is_folder = Path::new(file) == inbox;
            calls.push(if is_folder { Call::FolderSynced } else { Call::Synced(base(file)) });
        } else if whole.starts_with("linkat(") {
            let names: Vec<&str> = whole.split('"').skip(1).step_by(2).collect();
            if names[1].contains("/new/") {
                assert_eq!(base(names[0]), base(names[1]), "a file keeps its name when it becomes visible");
                calls.push(Call::Visible(base(names[1])));
            }
        } else if whole.starts_with("write(1<") {
            let told = whole.matches("\\\"outcome\\\":\\\"stored\\\"").count();
            calls.extend((0..told).map(|_| Call::Told));
        }
    }
    calls
}

/// Before a message is told as stored its file was synced, became visible, and its folder was synced after that.
#[test]
fn nothing_is_told_that_is_not_synced() {
    if !tools(&["strace"]) {
        return;
    }
    let import = Import::new(5);
    import.furnish();
    let trace = import.house.folder.path().join("trace");
    let ended: Ended = Program::new("strace")
        .args([
            "-f",
            "-y",
            "-s",
            "100000",
            "-e",
            "trace=fsync,linkat,write",
            "-e",
            "signal=none",
            "-o",
            path(&trace),
        ])
        .args([env!("CARGO_BIN_EXE_sealpost")])
        .args(import.words())
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (mut synced, mut visible) = (BTreeSet::new(), 0);
    let (mut lasting, mut told) = (0, 0);
    for call in calls(&std::fs::read_to_string(&trace).unwrap(), &import.inbox()) {
        match call {
            Call::Synced(file) => {
                synced.insert(file);
            }
            Call::Visible(file) => {
                assert!(synced.contains(&file), "{file} is visible and was not synced");
                visible += 1;
            }
            Call::FolderSynced => lasting = visible,
            Call::Told => {
                told += 1;
                assert!(told <= lasting, "{told} are told, and {lasting} are there for good");
            }
        }
    }
    assert_eq!((told, lasting, visible), (5, 5, 5));
}
