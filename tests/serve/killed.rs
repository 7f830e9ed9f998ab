//! A daemon that is killed: nobody was told "stored" whose message is not there for good, and none is half visible.

use super::daemon::{Client, Daemon, configure, inbox, message, socket, stored};
use crate::batch::house::{BOB, House};
use crate::support::{ended_calls, path, tools};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

const CLIENTS: usize = 16;

/// One message after the other, until it hears nothing more: the subjects that it was told are stored.
fn send(client: &mut Client, number: usize, told: &Mutex<Vec<String>>) -> io::Result<()> {
    for turn in 0..3 {
        let subject = format!("{number} {turn}");
        client.write(format!("MAIL FROM:<carol@far.example>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n").as_bytes())?;
        for _ in 0..3 {
            client.reply()?;
        }
        if client.finish(&message(&subject), 1)?[0].starts_with("250") {
            told.lock().unwrap().push(subject);
        }
    }
    Ok(())
}

/// Each message that is visible, with how often; every one is whole.
fn visible(house: &House) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for text in inbox(house, "bob") {
        let subject = text.split("Subject: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
        assert_eq!(text, stored(&message(&subject)));
        *found.entry(subject).or_default() += 1;
    }
    found
}

/// Killed in the n-th call of a thread that makes a promise true, while sixteen clients send.
#[test]
fn who_was_told_finds_his_message() {
    if !tools(&["strace"]) {
        return;
    }
    let mut house = House::lasting();
    // Some of it goes by the threads of its sessions.
    let rule = "[[rule]]\nname = \"alone\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"*5 *\"]]\n\
                then = [[\"Remember 'From' in\", \"Friends\"]]\n";
    house.rules("--account bob@north.example", rule);
    configure(&house, "");
    for call in ["fsync", "linkat", "unlink"] {
        let mut killed = 0;
        for nth in 1..=6 {
            let _ = std::fs::remove_dir_all(house.folder.path().join("store/mail"));
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
            let before = ["strace", "-D", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            // -D: the daemon is the process that is started, and the tracer stands aside.
            let daemon = Daemon::under(house, &before);
            let told = Mutex::new(Vec::new());
            std::thread::scope(|threads| {
                for number in 0..CLIENTS {
                    let (daemon, told) = (&daemon, &told);
                    threads.spawn(move || {
                        // It may be gone before this one comes.
                        let connected = std::os::unix::net::UnixStream::connect(daemon.socket());
                        let sent =
                            connected.and_then(|stream| send(&mut Client::over(stream)?, number, told));
                        drop(sent);
                    });
                }
            });
            let told = told.into_inner().unwrap();
            if told.len() == CLIENTS * 3 {
                // Its end makes such calls too.
                daemon.signal(Signal::SIGTERM);
            }
            let (back, status, _) = daemon.ended();
            assert!(status.code().is_none_or(|code| code == 0), "{status}");
            killed += u32::from(status.code().is_none());
            house = back;
            let found = visible(&house);
            for subject in &told {
                assert_eq!(found.get(subject), Some(&1), "{call} {nth}: told, and {found:?}");
            }
            assert!(found.values().all(|count| *count == 1), "{call} {nth}: {found:?}");
        }
        assert!(killed > 0, "{call} killed nobody");
        // A dead daemon's socket and state are no hindrance.
        let daemon = Daemon::under(house, &[]);
        assert_eq!(daemon.client().deliver(&[BOB], &message("after")), [super::daemon::STORED]);
        house = daemon.stop();
        assert!(!socket(&house).exists());
    }
}

/// Before a client is told "stored", its file was synced, became visible, and its folder was synced after that.
#[test]
fn nothing_is_told_that_is_not_synced() {
    if !tools(&["strace"]) {
        return;
    }
    let house = House::lasting();
    let rule = "[[rule]]\nname = \"alone\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"1\"]]\n\
                then = [[\"Remember 'From' in\", \"Friends\"]]\n";
    house.rules("--account bob@north.example", rule);
    configure(&house, "memory-limit = \"32K\"");
    let file = house.folder.path().join("trace");
    let words =
        ["-D", "-f", "-y", "-s", "200", "-e", "trace=fsync,linkat,write,sendto", "-e", "signal=none", "-o"];
    let before = [&["strace"][..], &words, &[path(&file)]].concat();
    let daemon = Daemon::under(house, &before);
    let mut client = daemon.client();
    let large = format!("{}{}", message("large"), "\r\nmore of it".repeat(10_000));
    for text in [&message("0"), &message("1"), &message("2"), &large] {
        assert_eq!(client.deliver(&[BOB], text), [super::daemon::STORED]);
    }
    drop(client);
    let _house = daemon.stop();
    let trace = std::fs::read_to_string(&file).unwrap();
    let (mut synced, mut visible, mut lasting, mut told) = (Vec::new(), 0, 0, 0);
    for called in ended_calls(&trace) {
        if called.starts_with("fsync(") {
            let file = called.split('<').nth(1).unwrap().split('>').next().unwrap().to_owned();
            if file.ends_with("/bob/Maildir/new") {
                lasting = visible;
            }
            synced.push(file.rsplit('/').next().unwrap().to_owned());
        } else if called.starts_with("linkat(") && called.contains("/new/") {
            let name = called.rsplit("/new/").next().unwrap().split('"').next().unwrap().to_owned();
            assert!(synced.contains(&name), "{name} is visible and was not synced");
            visible += 1;
        } else if called.contains("250 2.0.0 stored") && !called.contains("/log>") {
            told += 1;
            assert!(told <= lasting, "{told} are told, and {lasting} are there for good");
        }
    }
    assert_eq!((told, lasting, visible), (4, 4, 4), "{trace}");
}
