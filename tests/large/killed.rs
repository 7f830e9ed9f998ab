//! `open --output` that is killed: nothing of the clear text stays, under no name but the one that the help tells.

use super::{Place, WORD, crlf, from_file};
use crate::support::{Ended, Program, path, tools};
use std::collections::BTreeMap;
use std::path::Path;

/// Under strace, which writes down what `calls` says and does what `inject` says.
fn traced(words: &str, input: &Path, trace: &Path, inject: &[&str]) -> Ended {
    let calls = "trace=openat,write,fsync,linkat,rename,renameat,renameat2";
    let inject = inject.iter().map(|inject| format!(" -e inject={inject}")).collect::<String>();
    let program = env!("CARGO_BIN_EXE_sealpost");
    let line = format!(
        "exec strace -f -y -s 8 -e {calls} -e signal=none{inject} -o {} {program} {words} < {}",
        path(trace),
        path(input)
    );
    Program::new("sh").args(["-c", &line]).run()
}

/// Names and octets.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

/// The calls of one name, by the numbers under which strace counts them, with their lines.
fn numbered<'a>(trace: &'a str, call: &str) -> Vec<(usize, &'a str)> {
    let begin = format!(" {call}(");
    (1..).zip(trace.lines().filter(|line| line.contains(&begin))).collect()
}

/// First, in the middle, and last.
fn some<T: Copy>(all: &[T]) -> [T; 3] {
    [all[0], all[all.len() / 2], all[all.len() - 1]]
}

#[test]
fn whoever_kills_it_finds_nothing_of_the_message() {
    if !tools(&["strace"]) {
        return;
    }
    let place = Place::new();
    let message = place.message(3);
    let expected = crlf(&std::fs::read(&message).unwrap());
    let sealed = place.path("sealed.eml");
    from_file(&format!("{} --output {}", place.seal(), path(&sealed)), &message).ok();
    let target = tempfile::tempdir().unwrap();
    let opened = target.path().join("opened.eml");
    let trace = place.path("trace");
    // In pieces, in the place of nothing and of an older file, and as a whole.
    let cases: [(&str, &[Option<&str>]); 2] =
        [("--memory-limit 100K", &[None, Some("older")]), ("", &[Some("older")])];
    for (limit, befores) in cases {
        let open = format!("{} {limit} --output {}", place.open(), path(&opened));
        for before in befores {
            let reset = || {
                files(target.path())
                    .keys()
                    .for_each(|name| std::fs::remove_file(target.path().join(name)).unwrap());
                before.iter().for_each(|older| std::fs::write(&opened, older).unwrap());
                files(target.path())
            };
            reset();
            traced(&open, &sealed, &trace, &[]).ok();
            assert!(std::fs::read(&opened).unwrap() == expected);
            let calls = std::fs::read_to_string(&trace).unwrap();
            let writes: Vec<usize> = numbered(&calls, "write")
                .iter()
                .filter(|(_, line)| line.contains("(deleted)"))
                .map(|(at, _)| *at)
                .collect();
            assert!(if limit.is_empty() { !writes.is_empty() } else { writes.len() > 40 }, "{calls}");
            let mut at_writes = some(&writes).map(|at| format!("write:signal=KILL:when={at}")).to_vec();
            at_writes.dedup();
            let others = ["fsync", "linkat"].map(|call| format!("{call}:signal=KILL:when=1"));
            for kill in at_writes.iter().chain(&others) {
                let files_before = reset();
                let ended = traced(&open, &sealed, &trace, &[kill]);
                assert_eq!(ended.code, None, "{kill}: {}", ended.stderr);
                assert!(files(target.path()) == files_before, "{kill}: {:?}", files(target.path()).keys());
            }
        }
        // Whole and synced it has two names before the older file goes: that moment is the only one.
        std::fs::write(&opened, "older").unwrap();
        let ended = traced(&open, &sealed, &trace, &["rename:signal=KILL:when=1"]);
        assert_eq!(ended.code, None, "{}", ended.stderr);
        let left = files(target.path());
        assert_eq!((left.len(), left["opened.eml"].as_slice()), (2, &b"older"[..]));
        let hidden = left.keys().find_map(|name| name.strip_prefix(".opened.eml.")).unwrap();
        assert!(hidden.parse::<u32>().is_ok(), ".NAME.PID: {hidden}");
        assert!(left.values().any(|octets| *octets == expected));
        left.keys().for_each(|name| std::fs::remove_file(target.path().join(name)).unwrap());
    }
}

#[test]
fn the_help_says_what_a_kill_can_leave() {
    let program = Program::new(env!("CARGO_BIN_EXE_sealpost"));
    let help = program.words("open --help").run().text();
    let told = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("leaves all of the clear text beside it, as .NAME.PID"), "{help}");
}

/// The file system says that it makes no files without a name: so does the program, and goes on.
#[test]
fn where_files_must_have_names_a_person_is_told() {
    if !tools(&["strace"]) {
        return;
    }
    let place = Place::new();
    let message = place.message(2);
    let expected = crlf(&std::fs::read(&message).unwrap());
    let (sealed, opened, trace) = (place.path("sealed.eml"), place.path("opened.eml"), place.path("trace"));
    from_file(&format!("{} --output {}", place.seal(), path(&sealed)), &message).ok();
    let open = format!("{} --memory-limit 100K --output {}", place.open(), path(&opened));
    let silent = traced(&open, &sealed, &trace, &[]);
    assert_eq!((silent.code, silent.stderr.as_str()), (Some(0), ""));
    let calls = std::fs::read_to_string(&trace).unwrap();
    let nameless: Vec<usize> = numbered(&calls, "openat")
        .iter()
        .filter(|(_, line)| line.contains("O_TMPFILE"))
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(nameless.len(), 2, "one to look, one to write: {calls}");
    let both = format!("openat:error=EOPNOTSUPP:when={}..{}", nameless[0], nameless[1]);
    std::fs::remove_file(&opened).unwrap();
    let ended = traced(&open, &sealed, &trace, &[&both]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let begin =
        "sealpost: warning: files without a name cannot be made where the result goes: if this is killed, ";
    assert!(ended.stderr.starts_with(begin) && ended.stderr.contains("/.opened.eml."), "{}", ended.stderr);
    assert!(std::fs::read(&opened).unwrap() == expected);
    assert!(!files(place.folder.path()).keys().any(|name| name.starts_with(".opened")));
    assert!(!ended.stderr.contains(WORD));
}
