//! Memory has an end, whoever sends; what finds no room in it waits on the disk, and no word of it lies there in the clear.

use super::daemon::{Client, Daemon, STORED, message, stored};
use crate::batch::house::{ADA, BOB, House};
use crate::doubts::Mount;
use crate::support::{Program, high_water, path, root};

const WORD: &str = "xyzzyplugh4711";
const MIB: usize = 1 << 20;

fn body(octets: usize) -> String {
    let line = format!("{WORD} is a word in a line of this message, which is long enough\r\n");
    let text = line.repeat(octets / line.len() + 1);
    format!("{}\r\n{}", message("large"), text.trim_end())
}

fn held(daemon: &Daemon) -> u64 {
    high_water(&format!("/proc/{}/status", daemon.id())).unwrap()
}

/// What the daemon has open that has no name.
fn nameless(daemon: &Daemon) -> Vec<Vec<u8>> {
    let folder = format!("/proc/{}/fd", daemon.id());
    let open = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_nameless = |file: &std::path::PathBuf| {
        let target = std::fs::read_link(file).unwrap_or_default();
        target.starts_with(daemon.house.folder.path()) && target.to_string_lossy().ends_with(" (deleted)")
    };
    open.filter(is_nameless).map(|file| std::fs::read(file).unwrap()).collect()
}

fn says(octets: &[u8]) -> bool {
    memchr::memmem::find(octets, WORD.as_bytes()).is_some()
}

#[test]
fn messages_that_find_no_room_wait_on_the_disk_without_a_word_in_the_clear() {
    if !root(&[]) {
        return;
    }
    let daemon = Daemon::start("lmtp-memory = \"8M\"\nmemory-limit = \"4M\"\nlmtp-sessions = 64");
    let text = body(3 * MIB);
    assert_eq!(daemon.client().deliver(&[BOB], &text), [STORED]);
    let before = held(&daemon);
    // Most of each message, and no end.
    let mut clients: Vec<Client> = (0..40).map(|_| daemon.client()).collect();
    for client in &mut clients {
        client.begin(&[BOB]);
        client.write(text.as_bytes()).unwrap();
    }
    // Whoever is answered has read all that came before, as the last one was.
    for client in &mut clients {
        client.write(b"\r\n.\r").unwrap();
    }
    let waiting = nameless(&daemon);
    assert!(waiting.len() >= 35, "{}", waiting.len());
    assert!(waiting.iter().all(|file| file.len() > MIB / 2 && !says(file)), "a word in the clear");
    let more = held(&daemon) - before;
    assert!(more < 40 * MIB as u64, "{} KiB for 120 MiB of messages", more / 1024);
    // Of those that come to their end each is whole: one that is held, and those that wait.
    for client in clients.iter_mut().step_by(13) {
        client.write(b"\n").unwrap();
        assert_eq!(client.reply().unwrap(), STORED);
    }
    drop(clients);
    let expected = stored(&text);
    let found = daemon.inbox("bob");
    assert!(found.len() == 5 && found.iter().all(|one| *one == expected), "{}", found.len());
    daemon.stop();
}

/// A large message to several is sealed for each as it is written, and what takes the whole of it is delivered for each by itself.
#[test]
fn a_large_message_comes_to_all() {
    let house = House::lasting();
    house.add("eve");
    // All of it is needed for its attachments.
    let rule =
        "[[rule]]\nname = \"files\"\npriority = 5\nwhen = []\nthen = [[\"Copy Attachments into\", \"in\"]]\n";
    house.rules("--account eve@north.example", rule);
    let daemon = Daemon::of(house, "memory-limit = \"1M\"\nmax-message = \"3M\"");
    let mut client = daemon.client();
    let text = body(2 * MIB);
    assert_eq!(client.deliver(&[BOB, ADA], &text), [STORED; 2]);
    assert_eq!(client.deliver(&[BOB, ADA, "eve@north.example"], &text), [STORED; 3]);
    // Held, and too large for that many copies.
    let medium = body(MIB / 2);
    assert_eq!(client.deliver(&[BOB, ADA, "eve@north.example"], &medium), [STORED; 3]);
    for (local, count) in [("bob", 3), ("ada", 3), ("eve", 2)] {
        let found = daemon.inbox(local);
        assert_eq!(found.len(), count, "{local}");
        assert!(found.iter().all(|one| *one == stored(&text) || *one == stored(&medium)), "{local}");
    }
    // And what is too large is read, refused once for each, and the connection goes on.
    let huge = body(3 * MIB);
    assert_eq!(client.deliver(&[BOB, ADA], &huge), ["552 5.3.4 the message is too large"; 2]);
    assert_eq!(client.deliver(&[BOB], &message("small")), [STORED]);
    daemon.stop();
}

/// Where a message would wait there is no room, or where it would be stored.
#[test]
fn a_full_disk_is_told_and_nothing_of_the_message_stays() {
    if !root(&["mount", "umount", "cp"]) {
        return;
    }
    let house = House::lasting();
    let mount = Mount::new(house.folder.path().join("small"), "size=64k,mode=0700");
    let settings =
        format!("mail-root = \"{}/{{domain}}/{{local}}/Maildir\"\nmemory-limit = \"256K\"", path(&mount.0));
    let daemon = Daemon::of(house, &settings);
    let mut client = daemon.client();
    let full = "452 4.3.1 the mail system's disk is full";
    assert_eq!(client.deliver(&[BOB, ADA], &body(100_000)), [full; 2]);
    assert_eq!(client.deliver(&[BOB], &body(MIB)), [full], "one that waits on another disk");
    for local in ["bob", "ada"] {
        for part in ["tmp", "new", "cur"] {
            let folder = mount.0.join(format!("north.example/{local}/Maildir/{part}"));
            assert_eq!(std::fs::read_dir(folder).map_or(0, Iterator::count), 0, "{local} {part}");
        }
    }
    assert_eq!(client.deliver(&[BOB, ADA], &message("small")), [STORED; 2]);
    drop(daemon.stop());
}

/// The disk on which large messages wait is full.
#[test]
fn a_message_that_can_wait_nowhere_is_told_to_come_again() {
    if !root(&["mount", "umount"]) {
        return;
    }
    let house = House::lasting();
    let mount = Mount::new(house.folder.path().join("disk"), "size=4m,mode=0700");
    let store = house.folder.path().join("store");
    Program::new("cp").args(["-a", path(&store), path(&mount.0)]).run().ok();
    std::fs::rename(&store, house.folder.path().join("away")).unwrap();
    std::os::unix::fs::symlink(mount.0.join("store"), &store).unwrap();
    let daemon = Daemon::of(house, "memory-limit = \"128K\"");
    let mut client = daemon.client();
    assert_eq!(client.deliver(&[BOB], &body(9 * MIB)), ["452 4.3.1 the mail system's disk is full"]);
    assert_eq!(client.deliver(&[BOB], &body(MIB)), [STORED]);
    drop(daemon.stop());
}
