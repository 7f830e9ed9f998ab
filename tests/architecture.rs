//! The laws of the house, held by reading `src/`: who uses whom, where IO may be, who makes the types that carry
//! the promises.

mod source;

use source::{Source, sources};

/// A room uses only rooms of groups to its left; rooms inside one group do not know each other.
const GROUPS: &[&[&str]] = &[
    &["crypto", "mail"],
    &["cms"],
    &["pki", "rules"],
    &["smime"],
    &["vault"],
    &["engine"],
    &["system"],
    &["directory", "store", "config", "courier", "helper"],
    &["mailbox", "lmtp"],
    &["cli"],
];

/// These do no IO, read no clock and draw no randomness: time, seeds and look-ups are arguments.
const PURE: &[&str] = &["crypto", "mail", "cms", "pki", "rules", "smime", "vault", "engine"];

/// Of `lmtp` all is pure but its server.
fn is_pure(file: &Source) -> bool {
    let is_conversation = file.room() == Some("lmtp") && !file.name.starts_with("lmtp/server");
    is_conversation || file.room().is_some_and(|room| PURE.contains(&room))
}

/// What a pure room may not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::os",
    "fs::",
    "env::var",
    "net::",
    "nix::",
    "rusqlite::",
    "SystemTime",
    "Instant::now",
    "OffsetDateTime::now",
    "UtcDateTime::now",
    "SysRng",
    "OsRng",
    "ThreadRng",
    "rand::rng",
    "getrandom",
    "thread::sleep",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
];

/// Of `std::io` a pure room may name what an error is, and nothing that reads or writes.
const PURE_IO: &[&str] = &["Error", "ErrorKind", "Result"];

/// Types that carry a promise, and the files that may write them down. With private fields the compiler holds the
/// module; this holds the file.
const MAKERS: &[(&str, &[&str])] = &[
    ("Sealed", &["smime/recognise.rs", "smime/rekey.rs", "smime/seal/settle.rs", "smime/sealed.rs"]),
    ("LargeSealed", &["smime/large/recognise.rs", "smime/large/seal.rs"]),
    ("ValidatedCertificate", &["pki/validated.rs"]),
    ("PlainConsent", &["engine/consent.rs"]),
    ("Seed", &["crypto/seed.rs"]),
];

/// The sources of the consent to clear text, and the one file that draws on each.
const CONSENTS: &[(&str, &str)] = &[
    ("rule_stores_plain", "engine/plan.rs"),
    ("inbox_is_plain", "engine/plan.rs"),
    ("attachments_are_plain", "engine/plan.rs"),
    ("missing_certificate_is_plain", "engine/plan.rs"),
    ("person_decrypts", "mailbox/decrypt.rs"),
];

/// Who spreads work over the threads of rayon, which are for the processor alone: what may wait for the disk is in other files.
/// What runs on them there is made of closures in these files and of rooms without IO.
const RAYON: &[&str] = &[
    "cli/bench/sealing.rs",
    "cli/cert_bulk.rs",
    "mailbox/decrypt.rs",
    "mailbox/encrypt.rs",
    "mailbox/look.rs",
    "mailbox/rekey.rs",
    "smime/seal/crew.rs",
];

/// Lines of code, tests not counted.
const LONGEST_FILE: usize = 450;

fn rank(room: &str) -> Option<usize> {
    GROUPS.iter().position(|group| group.contains(&room))
}

fn may_use(room: &str, used: &str) -> bool {
    room == used || rank(used) < rank(room)
}

#[test]
fn a_room_uses_only_rooms_to_its_left() {
    let mut faults = Vec::new();
    for file in sources() {
        let Some(room) = file.room() else { continue };
        for (line, used) in file.rooms_used() {
            if !may_use(room, &used) {
                faults.push(format!("src/{}:{line}: {room} uses {used}", file.name));
            }
        }
        faults.extend(
            file.climbs_out().map(|line| format!("src/{}:{line}: super leads out of {room}", file.name)),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A sync on a thread of rayon would keep a core waiting for the disk, and hold up what has nothing to do with it.
#[test]
fn no_thread_of_rayon_waits_for_the_disk() {
    let users: Vec<_> = sources().into_iter().filter(|file| file.says("rayon::")).collect();
    let names: Vec<_> = users.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, RAYON, "whoever comes to this list does not stage, commit or sync");
    let waits = [
        ".stage(",
        ".stage_all(",
        ".commit(",
        "commit_all(",
        "sync_all",
        "sync_folder",
        "sync_parent",
        ".fill(",
    ];
    for file in users {
        let found: Vec<_> = waits.iter().filter(|word| file.says(word)).collect();
        assert!(found.is_empty(), "src/{}: {found:?}", file.name);
    }
}

#[test]
fn every_room_has_its_place() {
    let unplaced: Vec<String> = sources()
        .iter()
        .filter_map(|file| file.room().map(str::to_owned))
        .filter(|room| rank(room).is_none())
        .collect();
    assert!(unplaced.is_empty(), "no group names these rooms: {unplaced:?}");
}

#[test]
fn pure_rooms_do_no_io() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| is_pure(file)) {
        for (line, found) in file.paths_used(IMPURE).into_iter().chain(file.io_beyond(PURE_IO)) {
            faults.push(format!("src/{}:{line}: {found} in a room without IO", file.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A generator that lives longer than a message could be shared by threads or copied by a fork.
#[test]
fn randomness_comes_from_one_file() {
    const GENERATORS: &[&str] =
        &["SysRng", "OsRng", "ThreadRng", "rand::rng", "rand::random", "getrandom", "from_rng", "make_rng"];
    let drawers: Vec<String> = sources()
        .into_iter()
        .filter(|file| !file.paths_used(GENERATORS).is_empty())
        .map(|file| file.name)
        .collect();
    // The names of files and of rows must be unlike others and are no secrets.
    assert_eq!(drawers, ["directory/id.rs", "store/name.rs", "system/entropy.rs"]);
    let keepers: Vec<String> = sources()
        .into_iter()
        .filter(|file| !file.paths_used(&["thread_local!", "OnceLock", "LazyLock", "Mutex"]).is_empty())
        .filter(|file| !file.paths_used(&["Seed", "StdRng"]).is_empty())
        .map(|file| file.name)
        .collect();
    assert_eq!(keepers, [""; 0], "a seed or a generator that outlives its message");
}

#[test]
fn only_the_command_line_prints() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| file.room() != Some("cli")) {
        for (line, found) in
            file.paths_used(&["println!", "print!", "eprintln!", "eprint!", "io::stdout", "dbg!"])
        {
            faults.push(format!("src/{}:{line}: {found} outside cli", file.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_promise_has_one_maker() {
    for (name, makers) in MAKERS {
        let files: Vec<String> =
            sources().into_iter().filter(|file| file.makes(name)).map(|file| file.name).collect();
        assert_eq!(files, *makers, "only these files may write down a {name}");
    }
}

#[test]
fn each_consent_is_given_in_one_place() {
    for (maker, giver) in CONSENTS {
        let callers: Vec<String> = sources()
            .into_iter()
            .filter(|file| !file.paths_used(&[&format!("PlainConsent::{maker}")]).is_empty())
            .map(|file| file.name)
            .collect();
        assert_eq!(callers, [*giver], "who may call PlainConsent::{maker}");
    }
}

/// Whoever opens a key of an account comes by the door that counts wrong passwords.
#[test]
fn the_vault_has_one_door() {
    let opens = |file: &Source| !file.paths_used(&["vault::unlock"]).is_empty();
    let doors: Vec<String> = sources().into_iter().filter(opens).map(|file| file.name).collect();
    assert_eq!(doors, ["cli/keyring.rs"]);
}

/// What the compiler cannot check lies in one folder, where each block says why it is right.
#[test]
fn unsafe_code_lies_in_one_folder() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| !file.name.starts_with("crypto/lanes/")) {
        for (line, found) in file.paths_used(&["unsafe", "unsafe_code"]) {
            faults.push(format!("src/{}:{line}: {found} outside crypto/lanes", file.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_to_do() {
    let mut faults = Vec::new();
    for file in sources() {
        for (line, found) in file.paths_used(&["todo!", "unimplemented!"]) {
            faults.push(format!("src/{}:{line}: {found}", file.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|file| file.lines_of_code() > LONGEST_FILE)
        .map(|file| format!("src/{}: {} lines", file.name, file.lines_of_code()))
        .collect();
    assert!(
        long.is_empty(),
        "split these (at most {LONGEST_FILE} lines without tests):\n{}",
        long.join("\n")
    );
}

/// The reader must see what it is there to see.
#[test]
fn the_reader_sees_through_comments_strings_tests_and_groups() {
    let text = r##"//! crate::cli in a comment
use crate::{mail::{Address, Flag}, cli::{self, Output}};
use std::{fs::File, io};
/* nested /* crate::store */ */
fn one() { let a = "crate::directory \" more"; let b = r#"crate::config"#; let c = '"'; crate::system::now(); }
#[cfg(test)]
mod tests { use crate::vault::x; fn f() { io::stdin(); } }
fn two<'a>(x: &'a str) -> super::super::X { io::copy(); Sealed { bytes } }
impl Sealed { fn three() -> Sealed { Self { bytes } } }
"##;
    let file = Source::read("rules/toml.rs".into(), text);
    let used: Vec<String> = file.rooms_used().into_iter().map(|(_, room)| room).collect();
    assert_eq!(used, ["mail", "mail", "cli", "cli", "system"]);
    assert_eq!(file.paths_used(&["std::fs"]), [(3, "std::fs".to_owned())]);
    assert_eq!(file.io_beyond(PURE_IO), [(8, "io::copy".to_owned())]);
    assert_eq!(file.climbs_out().collect::<Vec<_>>(), [8]);
    assert!(file.makes("Sealed"));
    assert!(!Source::read("a/b.rs".into(), "fn f(x: &Sealed) -> Sealed { g(x) }").makes("Sealed"));
    assert!(!Source::read("a/b.rs".into(), "enum E { Sealed(Sealed) } E::Sealed { x }").makes("Sealed"));
    assert_eq!(file.lines_of_code(), 9);
}
