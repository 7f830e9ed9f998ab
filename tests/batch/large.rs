//! Messages above `memory-limit`: each goes alone, in its turn, and is not held.

use super::house::{BOB, House, Parts, lines, parcel};
use crate::hostile::memory::floor;
use crate::support::{Ended, Mount, Program, Site, Store, crlf, path, root, tools};
use sealpost::engine::{Batch, Engine, InFlight, Load, Outcome, Parcel};
use sealpost::mail::Source;
use sealpost::store::MaildirStore;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const MIB: u64 = 1 << 20;
const TO_BOB: &str = "--recipient bob@north.example";

/// Octets that somebody else keeps, of which a part may be lost, or changed meanwhile.
struct Kept {
    octets: Vec<u8>,
    sound: usize,
    is_changed: bool,
    most_at_once: Arc<AtomicUsize>,
}

impl Source for Kept {
    fn len(&self) -> u64 {
        self.octets.len() as u64
    }
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let at = usize::try_from(at).unwrap();
        self.most_at_once.fetch_max(into.len(), Ordering::SeqCst);
        if at + into.len() > self.sound {
            return Err(ErrorKind::InvalidData.into());
        }
        into.copy_from_slice(&self.octets[at..at + into.len()]);
        Ok(())
    }
    fn check(&self) -> io::Result<()> {
        if self.is_changed { Err(ErrorKind::InvalidData.into()) } else { Ok(()) }
    }
}

fn text(subject: &str, octets: usize) -> Vec<u8> {
    let line = "The secret body, line after line.\n";
    let body = line.repeat(octets / line.len() + 1);
    format!("From: carol@far.example\nSubject: {subject}\n\n{body}").into_bytes()
}

/// It, and how many octets of it were asked for at once, at most.
fn large(subject: &str, change: impl FnOnce(&mut Kept)) -> (Parcel, Arc<AtomicUsize>) {
    let most_at_once = Arc::<AtomicUsize>::default();
    let octets = text(subject, 300_000);
    let mut kept =
        Kept { sound: octets.len(), octets, is_changed: false, most_at_once: Arc::clone(&most_at_once) };
    change(&mut kept);
    (Parcel { message: Load::Large(Box::new(kept)), ..parcel(&[BOB], subject) }, most_at_once)
}

#[test]
fn a_large_message_goes_in_its_turn_and_is_read_in_pieces() {
    let house = House::new();
    let disk = house.disk();
    let (huge, most) = large("large", |_| {});
    let mail = vec![parcel(&[BOB], "a"), parcel(&[BOB], "b"), huge, parcel(&[BOB], "c")];
    let outcomes = house.together(&disk.store, mail, InFlight::default());
    assert_eq!(lines(&outcomes), ["2.0.0 stored"; 4]);
    assert_eq!(house.subjects(&disk, "bob", "INBOX"), ["a", "b", "large", "c"]);
    assert!(most.load(Ordering::SeqCst) <= 64 << 10, "{most:?} at once");
    let sealed = stored(&disk.store).into_iter().max_by_key(Vec::len).unwrap();
    assert!(house.opened(&sealed) == crlf(&text("large", 300_000)));
}

fn stored(store: &MaildirStore) -> Vec<Vec<u8>> {
    let inbox = sealpost::mail::MailboxName::inbox();
    let folder = store.folder(&super::house::address("bob"), &inbox).join("new");
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

/// What takes the whole gets it.
#[test]
fn what_needs_the_whole_holds_it() {
    let house = House::new();
    house.rules(
        "--account bob@north.example",
        "[[rule]]\nname = \"files\"\npriority = 5\nwhen = []\nthen = [[\"Copy Attachments into\", \"in\"]]\n",
    );
    let disk = house.disk();
    let (huge, most) = large("large", |_| {});
    let outcomes = house.together(&disk.store, vec![huge, parcel(&[BOB], "b")], InFlight::default());
    assert_eq!(lines(&outcomes), ["2.0.0 stored"; 2]);
    assert_eq!(house.subjects(&disk, "bob", "INBOX"), ["large", "b"]);
    assert!(most.load(Ordering::SeqCst) > 300_000, "held after all: {most:?} at once");
}

/// It is one outcome, and nothing of it is stored.
#[test]
fn a_large_message_that_cannot_be_read_fails_alone() {
    let damages: [fn(&mut Kept); 3] =
        [|kept| kept.sound = 0, |kept| kept.sound = 200_000, |kept| kept.is_changed = true];
    for rules in [
        "",
        "[[rule]]\nname = \"files\"\npriority = 5\nwhen = []\nthen = [[\"Copy Attachments into\", \"in\"]]\n",
    ] {
        for damage in damages {
            let house = House::new();
            if !rules.is_empty() {
                house.rules("--account bob@north.example", rules);
            }
            let disk = house.disk();
            let mail = vec![parcel(&[BOB], "a"), large("large", damage).0, parcel(&[BOB], "c")];
            let outcomes = house.together(&disk.store, mail, InFlight::default());
            let codes: Vec<u8> = outcomes.iter().map(|outcome| outcome.disposition.exit_code()).collect();
            assert_eq!(codes, [0, 75, 0], "{:?}", outcomes[1].cause);
            assert_eq!(house.subjects(&disk, "bob", "INBOX"), ["a", "c"]);
        }
    }
}

/// However many there are, one is taken in hand at a time.
#[test]
fn no_two_large_messages_are_open_at_once_in_a_window() {
    let house = House::new();
    let (disk, parts) = (house.disk(), Parts::default());
    let (read, told, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let engine: Engine<'_> = house.engine(&disk.store, &parts);
    let batch = Batch { engine, in_flight: InFlight::default(), stop: &AtomicBool::new(false) };
    let parcels = (0..8).map(|number| {
        let now = read.fetch_add(1, Ordering::SeqCst) + 1 - told.load(Ordering::SeqCst);
        most.fetch_max(now, Ordering::SeqCst);
        (number, large(&number.to_string(), |_| {}).0)
    });
    let outcomes = Mutex::new(Vec::<(i32, Outcome)>::new());
    batch.run(parcels, |number, request, outcome| {
        assert!(request.size() > 300_000, "{}", request.size());
        told.fetch_add(1, Ordering::SeqCst);
        outcomes.lock().unwrap().push((number, outcome));
    });
    let numbers: Vec<i32> = outcomes.into_inner().unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, (0..8).collect::<Vec<_>>());
    assert!(most.into_inner() <= 3);
}

fn folder(store: &Store, mail: &[(&str, usize)]) -> PathBuf {
    let folder = store.file("mail");
    std::fs::create_dir_all(&folder).unwrap();
    mail.iter().for_each(|(name, octets)| std::fs::write(folder.join(name), text(name, *octets)).unwrap());
    folder
}

fn deliver(store: &Store, folder: &Path, more: &str) -> Ended {
    store.command("deliver --batch").args([path(folder)]).words(more).run()
}

/// The whole program over a folder.
#[test]
fn memory_stays_flat_over_large_files() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "memory-limit = \"1M\"\n").unwrap();
    let small = folder(&store, &[("a", 100)]);
    let floor = floor(|| deliver(&store, &small, TO_BOB));
    std::fs::remove_dir_all(store.root().join("mail")).unwrap();
    let size = 24 << 20;
    let mail = folder(&store, &[("a", 100), ("b", size), ("c", size), ("d", 100)]);
    let done = store.file("done");
    std::fs::create_dir(&done).unwrap();
    let ended = deliver(&store, &mail, &format!("{TO_BOB} --done {} --json", path(&done)));
    println!("{} KiB, and {} KiB for a small one", ended.peak_memory >> 10, floor >> 10);
    assert!(ended.peak_memory < floor + 10 * MIB, "{} over {floor}", ended.peak_memory);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told[1]["bytes"], text("b", size).len());
    assert_eq!(std::fs::read_dir(&done).unwrap().count(), 4, "each was moved");
    let sealed = store.inbox();
    assert_eq!(sealed.len(), 4);
    let opened: Vec<Vec<u8>> = sealed.iter().map(|sealed| store.open(sealed)).collect();
    assert!(["b", "c"].iter().all(|name| opened.contains(&crlf(&text(name, size)))));
}

/// The same of an mbox through a pipe: what is too large waits encrypted, and each message comes out as it went in.
#[test]
fn memory_stays_flat_over_a_large_message_of_an_mbox() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "memory-limit = \"1M\"\n").unwrap();
    let from = "From carol@far.example Thu Nov 26 03:41:02 2026\n";
    let mbox = |messages: &[Vec<u8>]| {
        messages.iter().flat_map(|one| [from.as_bytes(), one.as_slice(), b"\n"].concat()).collect::<Vec<u8>>()
    };
    let deliver = |mbox: Vec<u8>| store.command("deliver --batch - --json").words(TO_BOB).input(mbox).run();
    let floor = floor(|| deliver(mbox(&[text("a", 100)])));
    std::fs::remove_dir_all(store.root().join("mail")).unwrap();
    let size = 24 << 20;
    let ended = deliver(mbox(&[text("a", 100), text("b", size), text("c", size), text("d", 100)]));
    println!("{} KiB, and {} KiB for a small one", ended.peak_memory >> 10, floor >> 10);
    assert!(ended.peak_memory < floor + 10 * MIB, "{} over {floor}", ended.peak_memory);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&told[2]["number"], &told[2]["bytes"]), (&3.into(), &text("c", size).len().into()));
    let opened: Vec<Vec<u8>> = store.inbox().iter().map(|sealed| store.open(sealed)).collect();
    let sizes = [("a", 100), ("b", size), ("c", size), ("d", 100)];
    assert!(opened.len() == 4 && sizes.iter().all(|(name, size)| opened.contains(&crlf(&text(name, *size)))));
    assert!(!store.holds(b"The secret body"));
    std::fs::write(store.root().join("sealpost.toml"), "memory-limit = \"1M\"\nmax-message = \"2M\"\n")
        .unwrap();
    let ended = deliver(mbox(&[text("b", 3 << 20), text("a", 100)]));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let status: Vec<String> = ended
        .text()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["status"].to_string())
        .collect();
    assert_eq!(status, ["\"5.3.4\"", "\"2.0.0\"", "null"]);
}

/// It is tried again, and those around it are delivered.
#[test]
fn a_large_message_of_an_mbox_that_finds_no_room_to_wait_fails_alone() {
    if !tools(&["openssl"]) || !root(&["mount", "umount"]) {
        return;
    }
    let store = Store::new();
    let mount = Mount::new(store.file("small"), "size=3m,mode=0700");
    let moved = mount.path().join("root");
    Program::new("cp").args(["-a", path(&store.root()), path(&moved)]).run().ok();
    let mail_root = format!("{}/mail/{{domain}}/{{local}}/Maildir", path(&store.root()));
    let config = format!("memory-limit = \"1M\"\nmail-root = \"{mail_root}\"\n");
    std::fs::write(moved.join("sealpost.toml"), config).unwrap();
    let deliver = |messages: &[(&str, usize)]| {
        let from = b"From carol@far.example Thu Nov 26 03:41:02 2026\n";
        let one = |(name, octets): &(&str, usize)| [from, text(name, *octets).as_slice(), b"\n"].concat();
        let mbox: Vec<u8> = messages.iter().flat_map(one).collect();
        let program = Program::sealpost().args(["--root", path(&moved)]).words("deliver --batch - --json");
        program.words(TO_BOB).input(mbox).run()
    };
    let ended = deliver(&[("a", 100), ("b", 8 << 20), ("c", 100)]);
    let told: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |number: usize| told.iter().find(|one| one["number"] == number).unwrap();
    let outcomes = [1, 2, 3].map(|number| of(number)["outcome"].as_str().unwrap());
    assert_eq!((ended.code, outcomes), (Some(75), ["stored", "try-again", "stored"]), "{}", ended.text());
    let reason = of(2)["reason"].as_str().unwrap();
    assert!(reason.ends_with("in which it waits: No space left on device"), "{reason}");
    assert_eq!(store.inbox().len(), 2);
    assert!(!store.holds(b"The secret body"));
    mount.remount("size=32m");
    assert_eq!(deliver(&[("b", 8 << 20)]).code, Some(0));
    assert_eq!(store.inbox().len(), 3);
}

/// Their addresses are read in their begin, and the limit of the site holds.
#[test]
fn a_large_file_names_its_recipient_and_is_refused_above_the_limit() {
    let (site, _) = Site::certified();
    let config = "memory-limit = \"100K\"\nmax-message = \"1M\"\n";
    std::fs::write(site.root().join("sealpost.toml"), config).unwrap();
    let mail = site.folder().join("mail");
    std::fs::create_dir(&mail).unwrap();
    let write = |name: &str, fields: &str, octets| {
        std::fs::write(mail.join(name), [fields.as_bytes(), &text(name, octets)].concat()).unwrap();
    };
    write("a", "From x Thu Nov 26 03:41:02 2026\nDelivered-To: <bob@north.example>\n", 300_000);
    write("b", "", 300_000);
    write("c", "Delivered-To: bob@north.example\n", 2 << 20);
    let ended = site
        .program("deliver --batch")
        .args([path(&mail)])
        .words("--recipient-field Delivered-To --json")
        .run();
    let told: Vec<serde_json::Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let status: Vec<_> = told.iter().filter_map(|one| one["status"].as_str()).collect();
    assert_eq!((ended.code, status), (Some(1), vec!["2.0.0", "5.1.3", "5.3.4"]), "{}", ended.stderr);
}

/// However far behind: it is the same message, held or not.
#[test]
fn a_field_far_behind_names_the_recipient_of_a_large_file() {
    for memory_limit in ["100K", "16M"] {
        let (site, _) = Site::certified();
        let config = format!("memory-limit = \"{memory_limit}\"\nmax-message = \"4M\"\n");
        std::fs::write(site.root().join("sealpost.toml"), config).unwrap();
        let mail = site.folder().join("mail");
        std::fs::create_dir(&mail).unwrap();
        let far = "X-Long: word\n".repeat((1 << 20) / 12);
        let field = "Delivered-To: bob@north.example\n";
        std::fs::write(mail.join("a"), [far.as_bytes(), field.as_bytes(), &text("a", 100)].concat()).unwrap();
        // No end of the header, and no end of the last line.
        let open = format!("{}Delivered-To: bob@north.example", "X-Long: word\n".repeat(20_000));
        std::fs::write(mail.join("b"), open).unwrap();
        let above = [far.repeat(5).as_bytes(), field.as_bytes(), &text("c", 100)].concat();
        std::fs::write(mail.join("c"), above).unwrap();
        let words = "--recipient-field Delivered-To --json";
        let ended = site.program("deliver --batch").args([path(&mail)]).words(words).run();
        let told: Vec<serde_json::Value> =
            ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut status: Vec<_> = told.iter().filter_map(|one| one["status"].as_str()).collect();
        status.sort_unstable();
        assert_eq!((ended.code, status), (Some(1), vec!["2.0.0", "2.0.0", "5.1.3"]), "{memory_limit}");
    }
}
