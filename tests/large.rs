//! Messages above the memory limit: the same results with flat memory, and no word of them on a disk.

mod batch;
mod deliver;
mod flat;
mod killed;

use crate::hostile::memory::floor;
use crate::support::{Authority, Ended, Identity, Program, path, tools};
use std::path::{Path, PathBuf};

const MIB: u64 = 1024 * 1024;
/// The whole process may hold so much, whatever comes (spec/performance.md).
const FLAT: u64 = 16 * MIB;
/// So much more than for a small message: a debug build is larger than that before it begins.
const MORE: u64 = 10 * MIB;
const WORD: &str = "xyzzyplugh4711";

struct Place {
    folder: tempfile::TempDir,
    bob: Identity,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let bob = Authority::new(folder.path()).rsa("bob");
        Place { folder, bob }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A message of so many MiB, with the word in every line.
    fn message(&self, mib: usize) -> PathBuf {
        let line = format!("{WORD} is a word in a line of this message, which is long enough\n");
        let body = line.repeat((mib << 20) / line.len() + 1);
        let message = self.path("message.eml");
        std::fs::write(&message, format!("From: carol@far.example\nSubject: long\n\n{body}")).unwrap();
        message
    }

    fn seal(&self) -> String {
        format!("seal --cert {}", path(&self.bob.certificate))
    }

    fn open(&self) -> String {
        format!("open --key {} --cert {}", path(&self.bob.key), path(&self.bob.certificate))
    }
}

/// With a file on standard input.
fn from_file(words: &str, input: &Path) -> Ended {
    let line = format!("exec {} {words} < {}", env!("CARGO_BIN_EXE_sealpost"), path(input));
    Program::new("sh").args(["-c", &line]).run()
}

/// The same through a pipe, which cannot be read twice.
fn through_a_pipe(words: &str, input: &Path) -> Ended {
    Program::sealpost().words(words).input(std::fs::read(input).unwrap()).run()
}

/// Over what the program holds for a small message; the whole of it where that is not a debug build.
fn assert_flat(what: &str, ended: &Ended, floor: u64) {
    let held = ended.peak_memory;
    println!("{what}: {} KiB, and {} KiB for a small one", held / 1024, floor / 1024);
    assert!(held < floor + MORE, "{what}: {} KiB over {} KiB", held / 1024, floor / 1024);
    assert!(cfg!(debug_assertions) || held < FLAT, "{what}: {} KiB", held / 1024);
}

fn crlf(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text).replace('\n', "\r\n").into_bytes()
}

#[test]
fn the_filters_hold_no_large_message() {
    let place = Place::new();
    let message = place.message(64);
    let expected = crlf(&std::fs::read(&message).unwrap());
    let (sealed, opened) = (place.path("sealed.eml"), place.path("opened.eml"));
    let small = place.path("small.eml");
    std::fs::write(&small, "Subject: s\n\nx\n").unwrap();
    let seal_floor = floor(|| from_file(&place.seal(), &small));
    std::fs::write(&sealed, from_file(&place.seal(), &small).ok()).unwrap();
    let open_floor = floor(|| from_file(&place.open(), &sealed));
    for profile in ["compatible", "modern"] {
        for run in [from_file, through_a_pipe] {
            let seals = format!("{} --profile {profile} --output {}", place.seal(), path(&sealed));
            let opens = format!("{} --output {}", place.open(), path(&opened));
            let (seal, open) = (run(&seals, &message), run(&opens, &sealed));
            assert_flat(&format!("seal, {profile}"), &seal, seal_floor);
            assert_flat(&format!("open, {profile}"), &open, open_floor);
            assert_eq!((seal.ok(), open.ok()), (Vec::new(), Vec::new()));
            assert!(std::fs::read(&opened).unwrap() == expected, "{profile}");
        }
    }
}

#[test]
fn a_limit_changes_memory_and_no_octet_of_what_is_opened() {
    let place = Place::new();
    let message = place.message(3);
    let held = from_file(&place.seal(), &message).ok();
    let sealed = place.path("sealed.eml");
    std::fs::write(&sealed, &held).unwrap();
    let expected = crlf(&std::fs::read(&message).unwrap());
    for limit in ["1", "100K", "2M", "1G"] {
        let open = format!("{} --memory-limit {limit}", place.open());
        assert!(from_file(&open, &sealed).ok() == expected, "{limit}");
        let seal = format!("{} --memory-limit {limit}", place.seal());
        assert_eq!(through_a_pipe(&seal, &message).ok().len(), held.len(), "{limit}");
        std::fs::write(place.path("again.eml"), from_file(&seal, &message).ok()).unwrap();
        assert!(through_a_pipe(&place.open(), &place.path("again.eml")).ok() == expected, "{limit}");
        let raw = format!("{open} --raw");
        assert!(from_file(&raw, &sealed).ok() == expected, "{limit}");
    }
    let wrong = from_file(&format!("{} --memory-limit 1X", place.seal()), &message);
    assert_eq!(wrong.code, Some(64), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("a size like 100M"), "{}", wrong.stderr);
}

/// What `openssl cms -stream` writes: indefinite lengths, and the ciphertext in pieces.
#[test]
fn what_others_write_as_a_stream_is_opened_as_one() {
    if !tools(&["openssl"]) {
        return;
    }
    let place = Place::new();
    let (message, sealed) = (place.message(40), place.path("sealed.eml"));
    std::fs::write(&sealed, Program::sealpost().words(&place.seal()).input(*b"Subject: s\n\nx\n").run().ok())
        .unwrap();
    let open_floor = floor(|| from_file(&place.open(), &sealed));
    for form in ["SMIME", "DER", "PEM"] {
        let openssl =
            ["cms", "-encrypt", "-stream", "-aes256", "-outform", form, "-in", path(&message), "-out"];
        Program::new("openssl").args(openssl).args([path(&sealed), path(&place.bob.certificate)]).run().ok();
        let opened = through_a_pipe(&place.open(), &sealed);
        assert_flat(form, &opened, open_floor);
        assert!(opened.ok() == crlf(&std::fs::read(&message).unwrap()), "{form}");
    }
    let seal = format!("{} --memory-limit 1M --output {}", place.seal(), path(&sealed));
    from_file(&seal, &message).ok();
    let openssl = ["cms", "-decrypt", "-inkey", path(&place.bob.key), "-in", path(&sealed)];
    let opened = Program::new("openssl").args(openssl).args(["-binary"]).run().ok();
    assert!(opened == crlf(&std::fs::read(&message).unwrap()), "and theirs opens ours");
}

#[test]
fn what_can_be_known_before_is_known_before_anything_is_written() {
    let place = Place::new();
    let message = place.message(2);
    let sealed = place.path("sealed.eml");
    let limit = "--memory-limit 100K";
    from_file(&format!("{} {limit} --profile modern --output {}", place.seal(), path(&sealed)), &message)
        .ok();
    let mut damaged = std::fs::read(&sealed).unwrap();
    let at = damaged.len() - 1000;
    damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
    let broken = place.path("broken.eml");
    std::fs::write(&broken, damaged).unwrap();
    let out = place.path("out.eml");
    for target in [String::new(), format!("--output {}", path(&out))] {
        let open = format!("{} {limit} {target}", place.open());
        for (input, run) in [(&broken, from_file as fn(&str, &Path) -> Ended), (&broken, through_a_pipe)] {
            let ended = run(&open, input);
            assert_eq!((ended.code, ended.stdout), (Some(65), Vec::new()), "{}", ended.stderr);
            assert!(ended.stderr.contains("could not be opened with this key"), "{}", ended.stderr);
        }
        let ended = from_file(&open, &message);
        assert_eq!((ended.code, ended.stdout.len()), (Some(65), 0));
        assert!(ended.stderr.contains("is not encrypted with S/MIME"), "{}", ended.stderr);
    }
    let mut left: Vec<_> = std::fs::read_dir(place.folder.path()).unwrap().collect();
    left.retain(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("out.eml"));
    assert!(left.is_empty(), "neither the result nor a begin of it");
}

/// Every call that writes, with all that it writes.
fn written(words: &str, input: &Path, trace: &Path) -> String {
    let calls = "trace=write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,splice,linkat,link";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-s", "1000000", "-e", calls, "-e", "signal=none", "-o", path(trace)])
        .args([env!("CARGO_BIN_EXE_sealpost")])
        .words(words)
        .input(std::fs::read(input).unwrap())
        .run();
    assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
    std::fs::read_to_string(trace).unwrap()
}

#[test]
fn no_word_of_a_spooled_message_is_on_a_disk() {
    if !tools(&["strace"]) {
        return;
    }
    let place = Place::new();
    let (message, sealed, trace) = (place.message(40), place.path("sealed.eml"), place.path("trace"));
    let seal = format!("{} --output {}", place.seal(), path(&sealed));
    let calls = written(&seal, &message, &trace);
    let spooled = calls.lines().filter(|line| line.contains("(deleted)")).count();
    assert!(spooled > 600, "each chunk was written, and we see it: {spooled}");
    assert!(!calls.contains(WORD), "none of them in the clear");
    let copied = ["sendfile(", "copy_file_range(", "splice("].iter().any(|call| calls.contains(call));
    assert!(!copied, "what is copied past us is not seen here");
    // That such a write would be seen.
    let open = format!("{} --output {}", place.open(), path(&place.path("opened.eml")));
    assert!(written(&open, &sealed, &trace).contains(WORD));
}
