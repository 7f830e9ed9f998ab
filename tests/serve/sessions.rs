//! How many there may be, and who wears out the daemon's patience.

use super::daemon::{Client, Daemon, STORED, message, stored};
use crate::batch::house::{BOB, House, Parts};
use crate::support::{wait_for, with_more_time};
use sealpost::config::{Listen, LmtpSettings};
use sealpost::engine::{DirectoryError, InFlight, Outcome, Queue, Request, Service};
use sealpost::lmtp::Terms;
use sealpost::lmtp::server::{Host, Limits, Listeners, Server, Stop};
use sealpost::mail::MailboxName;
use sealpost::store::MemoryStore;
use std::path::Path;
use std::time::Duration;

#[test]
fn one_more_than_there_may_be_is_told_to_come_again() {
    let daemon = Daemon::start("lmtp-sessions = 3");
    // The one that looked whether it listens has gone.
    let first = wait_for("an empty house", 60, || {
        let clients: Vec<Client> = (0..3).map(|_| Client::raw(&daemon.socket())).collect();
        let greeted =
            |mut client: Client| client.reply().is_ok_and(|line| line.starts_with("220")).then_some(client);
        clients.into_iter().map(greeted).collect::<Option<Vec<Client>>>()
    });
    let mut fourth = Client::raw(&daemon.socket());
    assert_eq!(fourth.reply().unwrap(), "421 4.3.2 too many sessions, try again");
    assert!(fourth.is_closed());
    drop(first);
    let mut next = wait_for("a seat", 60, || {
        let mut client = Client::raw(&daemon.socket());
        client.reply().is_ok_and(|line| line.starts_with("220")).then_some(client)
    });
    assert!(next.say("LHLO x").starts_with("250"));
    assert_eq!(next.deliver(&[BOB], &message("late")), [STORED]);
}

/// Nothing is done beside delivering.
struct Nobody;

impl Host for Nobody {
    fn told(&self, _: &Request<'_>, _: &Outcome) {}
    fn afterwards(&self) {}
    fn domains(&self) -> Result<Vec<String>, DirectoryError> {
        Ok(vec!["south.example".into(), "north.example".into()])
    }
}

/// A server of this process over a store in memory, while `visit` runs.
fn with_patience<T>(patience: Duration, memory: u64, visit: impl FnOnce(&Path, &MemoryStore) -> T) -> T {
    let (house, store, parts) = (House::new(), MemoryStore::default(), Parts::default());
    let socket = super::daemon::socket(&house);
    let settings = LmtpSettings {
        listen: vec![Listen::Unix(socket.clone())],
        socket_mode: 0o600,
        ..LmtpSettings::default()
    };
    let listeners = Listeners::open(&settings, nix::unistd::geteuid().as_raw()).unwrap();
    let service =
        Service { engine: house.engine(&store, &parts), window: InFlight::default(), memory_limit: memory };
    let (queue, stop) = (Queue::default(), Stop::new().unwrap());
    let limits = Limits {
        sessions: 64,
        memory,
        memory_limit: memory,
        spool: house.folder.path().to_owned(),
        deadline: Duration::from_secs(60),
        patience,
    };
    let terms = Terms { host: "here".into(), max_message: 1 << 24 };
    let server = Server::new(terms, limits, (&service, &queue), &Nobody, &stop);
    std::thread::scope(|threads| {
        threads.spawn(|| service.run(&queue));
        let serving = threads.spawn(|| server.run(listeners));
        let visited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| visit(&socket, &store)));
        stop.call();
        serving.join().unwrap().unwrap();
        queue.close();
        visited.unwrap()
    })
}

/// With little patience, and with more where a client of the test was held up: to it `visit` gives nothing.
fn with_little_patience(visit: impl Fn(&Path, &MemoryStore) -> Option<()>) {
    with_more_time(|times| with_patience(Duration::from_millis(300) * times, 1 << 20, &visit));
}

const LATE: &str = "421 4.4.2 this took too long";

/// The replies to what a client says one after the other, if all of it came in time.
fn said(client: &mut Client, commands: &[&str]) -> Option<()> {
    commands.iter().try_for_each(|command| {
        client.write(format!("{command}\r\n").as_bytes()).ok()?;
        client.reply().ok().filter(|reply| reply != LATE).map(drop)
    })
}

fn greeted(socket: &Path) -> Option<Client> {
    let mut client = Client::raw(socket);
    let greeting = client.reply().ok()?;
    assert!(greeting == LATE || greeting.starts_with("220 "), "{greeting}");
    said(&mut client, &["LHLO client.example"])?;
    Some(client)
}

/// Up to the 354.
fn began(socket: &Path, size: &str) -> Option<Client> {
    let mut client = greeted(socket)?;
    let (mail, to) = (format!("MAIL FROM:<carol@far.example>{size}"), format!("RCPT TO:<{BOB}>"));
    said(&mut client, &[&mail, &to, "DATA"])?;
    Some(client)
}

/// An octet after the other until it hears something.
fn drip(client: &mut Client, octet: &[u8]) -> String {
    while client.write(octet).is_ok() && !client.has_heard() {
        std::thread::sleep(Duration::from_millis(20));
    }
    client.reply().unwrap()
}

#[test]
fn who_is_silent_or_drips_is_left_alone_and_holds_no_room() {
    with_little_patience(|socket, store| {
        let mut silent = greeted(socket)?;
        // All the room that there is.
        let mut stalled = began(socket, &format!(" SIZE={}", (1 << 20) - 1000))?;
        let mut dripping = greeted(socket)?;
        said(&mut dripping, &["NOOP"])?;
        let drips = std::thread::spawn(move || drip(&mut dripping, b"N"));
        // It waits for the room of the one that says nothing more, and gets it.
        let mut next = began(socket, "")?;
        let told = next.finish(&message("next"), 1).ok().filter(|told| told[0] != LATE)?;
        assert_eq!(told, [STORED]);
        assert_eq!(drips.join().unwrap(), LATE);
        for one in [&mut silent, &mut stalled] {
            assert_eq!(one.reply().unwrap(), LATE);
            assert!(one.is_closed());
        }
        assert_eq!(store.total(), 1);
        Some(())
    });
}

/// Octet for octet it is never silent.
#[test]
fn who_drips_a_message_is_cut_off() {
    with_little_patience(|socket, store| {
        let mut client = began(socket, "")?;
        assert_eq!(drip(&mut client, b"x"), LATE);
        assert_eq!(store.total(), 0);
        Some(())
    });
}

/// Those who find no room for what they said wait; those who grow beyond their room wait on the disk. All come to their end.
#[test]
fn many_at_once_find_room_one_after_the_other() {
    with_patience(Duration::from_secs(60), 100_000, |socket, store| {
        let text = |number: usize| format!("{}\r\n{}", message(&number.to_string()), "word ".repeat(6000));
        std::thread::scope(|threads| {
            for number in 0..24 {
                let send = move || {
                    let mut client = Client::connect(socket);
                    if number % 2 == 0 {
                        client.say("MAIL FROM:<carol@far.example> SIZE=40000");
                        client.say(&format!("RCPT TO:<{BOB}>"));
                        assert!(client.say("DATA").starts_with("354 "));
                        client.finish(&text(number), 1).unwrap()
                    } else {
                        client.deliver(&[BOB], &text(number))
                    }
                };
                threads.spawn(move || assert_eq!(send(), [STORED], "{number}"));
            }
        });
        let bob = sealpost::mail::Address::parse(BOB).unwrap();
        assert_eq!(store.messages(&bob, &MailboxName::inbox()).len(), 24);
    });
}

/// Nobody holds up anybody: sixty-four clients, each with several messages over one connection, in pieces.
#[test]
fn clients_side_by_side_get_their_own_answers() {
    let daemon = Daemon::start("");
    std::thread::scope(|threads| {
        for number in 0..32 {
            let daemon = &daemon;
            threads.spawn(move || {
                let mut client = daemon.client();
                for turn in 0..3 {
                    let replies = client.begin(&["nobody@north.example", BOB]);
                    assert!(
                        replies[0].starts_with("550 5.1.1") && replies[1].starts_with("250"),
                        "{replies:?}"
                    );
                    let text = message(&format!("{number} {turn}"));
                    assert_eq!(client.finish(&text, 1).unwrap(), [STORED]);
                }
            });
        }
    });
    let mut found = daemon.inbox("bob");
    found.sort();
    let mut expected: Vec<String> = (0..32)
        .flat_map(|number| (0..3).map(move |turn| stored(&message(&format!("{number} {turn}")))))
        .collect();
    expected.sort();
    assert!(found == expected, "{} of {}", found.len(), expected.len());
    daemon.stop();
}
