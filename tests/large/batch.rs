//! Many messages, of which one is large.

use super::deliver::message;
use super::{MIB, WORD, assert_flat, written};
use crate::hostile::memory::floor;
use crate::support::{Ended, Program, Store, crlf, path, tools};
use std::path::Path;

const FROM: &[u8] = b"From carol@far.example Thu Nov 26 03:41:02 2026\n";
const SMALL: &[u8] = b"Subject: s\n\nx\n";

fn mbox(messages: &[&[u8]]) -> Vec<u8> {
    messages.iter().flat_map(|message| [FROM, message, b"\n"].concat()).collect()
}

fn words(store: &Store, source: &str) -> String {
    format!("--root {} deliver --batch {source} --recipient bob@north.example", path(&store.root()))
}

fn from_pipe(store: &Store, mbox: Vec<u8>) -> Ended {
    Program::sealpost().words(&words(store, "-")).input(mbox).limit(300).run()
}

fn from_folder(store: &Store, folder: &Path) -> Ended {
    Program::sealpost().words(&words(store, path(folder))).limit(300).run()
}

/// Where nobody has said how much may be held.
#[test]
fn a_large_message_of_a_batch_takes_no_more_memory_than_a_small_one() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let large = message(40);
    let folder = store.file("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("1"), SMALL).unwrap();
    let pipe_floor = floor(|| from_pipe(&store, mbox(&[SMALL])));
    let folder_floor = floor(|| from_folder(&store, &folder));
    std::fs::remove_dir_all(store.root().join("mail")).unwrap();
    for (name, octets) in [("2", large.as_slice()), ("3", SMALL)] {
        std::fs::write(folder.join(name), octets).unwrap();
    }
    for (what, ended, floor) in [
        ("mbox through a pipe", from_pipe(&store, mbox(&[SMALL, &large, SMALL])), pipe_floor),
        ("folder", from_folder(&store, &folder), folder_floor),
    ] {
        assert_flat(what, &ended, floor);
        ended.ok();
    }
    let mut stored = store.inbox();
    stored.retain(|sealed| sealed.len() as u64 > MIB);
    assert_eq!((store.inbox().len(), stored.len()), (6, 2));
    assert!(stored.iter().all(|sealed| store.open(sealed) == crlf(&large)));
}

/// Neither of one that is held in the end nor of one that is not.
#[test]
fn no_word_of_a_message_of_an_mbox_that_waits_is_on_a_disk() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "memory-limit = \"3M\"\n").unwrap();
    let (file, trace) = (store.file("list.mbox"), store.file("trace"));
    let spooled = |mib: usize| {
        let message = message(mib);
        std::fs::write(&file, mbox(&[&message, SMALL])).unwrap();
        let calls = written(&words(&store, "-"), &file, &trace);
        assert!(!calls.contains(WORD), "{mib} MiB: none of it in the clear");
        assert!(store.inbox().iter().any(|sealed| store.open(sealed) == crlf(&message)), "{mib} MiB");
        // What is staged has no name either, but for longer writes.
        let chunk = format!(") = {}", (64 << 10) + 16);
        calls.lines().filter(|line| line.contains("(deleted)") && line.contains(&chunk)).count()
    };
    for (mib, chunks) in [(0, 0), (2, 33), (4, 65)] {
        assert!(spooled(mib).abs_diff(chunks) <= 1, "{mib} MiB wait as {chunks} chunks");
    }
}
