//! What the program holds in memory: the same whether a mailbox has two thousand messages or many more, and one large message
//! at a time.

use super::folders::Maildir;
use super::verbs::events;
use crate::support::{Site, path};
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;

/// With a key that is quick to use.
fn site() -> (Site, PathBuf) {
    let site = Site::furnished();
    let password = site.write("password", "correct horse\n");
    site.run("key generate --domain north.example --type ec-p256").ok();
    site.run("cert self-sign --domain north.example").ok();
    renew(&site, &password, "");
    (site, password)
}

fn renew(site: &Site, password: &Path, option: &str) {
    let generate = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(password)]).run().ok();
    site.run(&format!("cert issue --account bob@north.example {option}")).ok();
}

fn fill(site: &Site, messages: usize, bytes: &[u8]) {
    let maildir = Maildir::of(&site.root(), "bob");
    for number in 0..messages {
        maildir.put(&format!("cur/15778{number:05}.a.host:2,S"), bytes, 1);
    }
}

/// The message as it is sealed to Bob.
fn sealed(site: &Site, bytes: &[u8]) -> Vec<u8> {
    fill(site, 1, bytes);
    site.run("mailbox encrypt --account bob@north.example --all").ok();
    let maildir = Maildir::of(&site.root(), "bob");
    let lying = maildir.messages().remove(0);
    std::fs::remove_file(lying.file).unwrap();
    lying.bytes
}

/// The most that a command held, which looked at so many messages.
fn peak(site: &Site, words: &str, messages: usize) -> u64 {
    let ended = site.program(words).run();
    assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
    let told = events(&ended).iter().filter(|event| event["event"] == "message").count();
    assert_eq!(told, messages, "{words}");
    println!("{words}: {} KiB for {messages} messages in {:?}", ended.peak_memory >> 10, ended.took);
    ended.peak_memory
}

const SMALL: &[u8] = b"From: carol@far.example\nSubject: small\n\nThe body.\n";

/// Few fill all stages of a run. For each of the others there are 20 octets or so, by which a run knows it again.
const FEW: usize = 2_000;
const MANY: usize = 10_000;

fn assert_flat(few: u64, many: u64) {
    assert!(many < few + 6 * MIB, "{} MiB for few, {} MiB for many", few / MIB, many / MIB);
}

const ENCRYPT: &str = "mailbox encrypt --account bob@north.example --all --json";

#[test]
fn encrypting_many_small_messages_takes_no_more_memory_than_few() {
    let [few, many] = [FEW, MANY].map(|messages| {
        let (site, _) = site();
        fill(&site, messages, SMALL);
        peak(&site, ENCRYPT, messages)
    });
    assert_flat(few, many);
}

#[test]
fn rekeying_many_small_messages_takes_no_more_memory_than_few() {
    let [few, many] = [FEW, MANY].map(|messages| {
        let (site, password) = site();
        let sealed = sealed(&site, SMALL);
        fill(&site, messages, &sealed);
        renew(&site, &password, "--renew");
        let rekey = "mailbox rekey --account bob@north.example --all --json --password-file";
        peak(&site, &format!("{rekey} {}", path(&password)), messages)
    });
    assert_flat(few, many);
}

#[test]
fn inspecting_many_small_messages_takes_no_more_memory_than_few() {
    let (site, _) = site();
    let sealed = sealed(&site, SMALL);
    let [few, many] = [FEW, MANY].map(|messages| {
        fill(&site, messages, &sealed);
        peak(&site, "mailbox inspect --account bob@north.example --json", messages)
    });
    assert_flat(few, many);
}

#[test]
fn large_messages_are_in_memory_one_at_a_time() {
    let large = [&b"Subject: large\n\n"[..], &b"0123456789abcde\n".repeat(3 << 20)].concat();
    let [one, three] = [1, 3].map(|messages| {
        let (site, _) = site();
        fill(&site, messages, &large);
        peak(&site, ENCRYPT, messages)
    });
    assert!(three < one + one / 4, "{} MiB for one, {} MiB for three", one / MIB, three / MIB);
}
