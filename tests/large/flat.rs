//! The size that the promise names. Half a minute of a debug build; the other tests of this folder do the same to less.

use super::{MIB, Place, assert_flat};
use crate::hook::assert_answer;
use crate::hostile::memory::floor;
use crate::support::{Ended, Program, Store, path, tools};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;

const HEADER: &str = "From: carol@far.example\nSubject: long\n\n";
const LENGTH: u64 = 256 * MIB;

/// The header, and nothing but NUL behind it: that takes no room on a disk, and is sealed like any other.
fn message(file: &Path) {
    std::fs::write(file, HEADER).unwrap();
    OpenOptions::new().write(true).open(file).unwrap().set_len(LENGTH).unwrap();
}

/// With a file on standard input that can be read once only.
fn through_a_fifo(words: &str, input: &Path) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (program, fifo, input) = (env!("CARGO_BIN_EXE_sealpost"), path(&fifo), path(input));
    let line = format!("cat {input} >{fifo} & exec {program} {words} <{fifo}");
    Program::new("sh").args(["-c", &line]).limit(800).run()
}

fn from_a_file(words: &str, input: &Path) -> Ended {
    let line = format!("exec {} {words} <{}", env!("CARGO_BIN_EXE_sealpost"), path(input));
    Program::new("sh").args(["-c", &line]).limit(800).run()
}

/// The message with canonical lines, byte for byte.
fn assert_whole(opened: &Path) {
    let header = HEADER.replace('\n', "\r\n");
    let longer = (header.len() - HEADER.len()) as u64;
    let mut file = File::open(opened).unwrap();
    assert_eq!(file.metadata().unwrap().len(), LENGTH + longer);
    let mut begin = vec![0; header.len()];
    file.read_exact(&mut begin).unwrap();
    assert!(begin == header.as_bytes());
    let mut piece = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut piece).unwrap();
        if length == 0 {
            return;
        }
        assert!(piece[..length].iter().all(|&octet| octet == 0));
    }
}

#[test]
fn a_quarter_of_a_gibibyte_is_sealed_and_opened_with_flat_memory() {
    let place = Place::new();
    let (large, small) = (place.path("large.eml"), place.path("small.eml"));
    let [sealed, opened] = ["sealed.eml", "opened.eml"].map(|name| place.path(name));
    message(&large);
    std::fs::write(&small, HEADER).unwrap();
    let seal = format!("{} --output {}", place.seal(), path(&sealed));
    let open = format!("{} --output {}", place.open(), path(&opened));
    let seal_floor = floor(|| from_a_file(&seal, &small));
    let open_floor = floor(|| from_a_file(&open, &sealed));
    let ended = through_a_fifo(&seal, &large);
    assert_flat("seal 256 MiB", &ended, seal_floor);
    ended.ok();
    let ended = from_a_file(&open, &sealed);
    assert_flat("open 256 MiB", &ended, open_floor);
    ended.ok();
    assert_whole(&opened);
}

#[test]
fn a_quarter_of_a_gibibyte_is_delivered_with_flat_memory() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    // However long it takes.
    std::fs::write(store.root().join("sealpost.toml"), "deadline = \"15m\"\n").unwrap();
    let large = store.file("large.eml");
    message(&large);
    let small = Store::new();
    let floor = floor(|| small.deliver(HEADER.as_bytes()));
    let deliver = format!("--root {} deliver --sender= --recipient=bob@north.example", path(&store.root()));
    let ended = through_a_fifo(&deliver, &large);
    assert_flat("deliver 256 MiB", &ended, floor);
    assert_answer(&ended, 0, "2.0.0");
    let (file, _) = store.stored().into_iter().max_by_key(|(_, octets)| octets.len()).unwrap();
    let opened = store.file("opened.eml");
    let (key, certificate) = (path(&store.bob.key), path(&store.bob.certificate));
    from_a_file(&format!("open --key {key} --cert {certificate} --output {}", path(&opened)), &file).ok();
    assert_whole(&opened);
}
