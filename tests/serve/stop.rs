//! Its end: who is served, who is told to come again, and when it is over.

use super::daemon::{Daemon, STORED, configure, inbox, listen_also, message, socket, stored};
use crate::batch::house::{BOB, House};
use crate::support::{Port, tools, wait_for};
use nix::sys::signal::Signal;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// The daemon has heard the signal.
fn ends(daemon: &Daemon) {
    wait_for("the end to begin", 60, || daemon.log().contains("ending").then_some(()));
}

const LATER: &str = "421 4.3.2 this server ends, try again";

#[test]
fn who_sends_a_message_gets_its_answer_and_others_are_told_to_come_again() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let daemon = Daemon::start("");
        let (mut idle, mut named, mut sending, mut chunks) =
            (daemon.client(), daemon.client(), daemon.client(), daemon.client());
        assert!(named.say("MAIL FROM:<carol@far.example>").starts_with("250"));
        assert!(named.say(&format!("RCPT TO:<{BOB}>")).starts_with("250"));
        sending.begin(&[BOB]);
        sending.write(b"Subject: half").unwrap();
        chunks.say("MAIL FROM:<carol@far.example>");
        chunks.say(&format!("RCPT TO:<{BOB}>"));
        assert_eq!(chunks.say("BDAT 7\r\nab\r\nc"), "250 2.0.0 octets received");
        daemon.signal(signal);
        for waiting in [&mut idle, &mut named] {
            assert_eq!(waiting.reply().unwrap(), LATER);
            assert!(waiting.is_closed());
        }
        ends(&daemon);
        assert!(!daemon.socket().exists(), "no name");
        assert!(UnixStream::connect(daemon.socket()).is_err());
        assert_eq!(sending.finish("\r\n\r\nwhole", 1).unwrap(), [STORED]);
        assert_eq!(sending.reply().unwrap(), LATER);
        assert_eq!(chunks.say("BDAT 3 LAST\r\nd"), STORED);
        assert_eq!(chunks.reply().unwrap(), LATER);
        let (house, status, said) = daemon.ended();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""));
        let mut found = inbox(&house, "bob");
        found.sort();
        let expected = [
            stored("Subject: half\r\n\r\nwhole"),
            "Return-Path: <carol@far.example>\r\nab\r\nc\r\nd\r\n".into(),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn a_second_signal_does_not_wait_and_loses_nothing_that_was_told() {
    let daemon = Daemon::start("");
    let mut client = daemon.client();
    assert_eq!(client.deliver(&[BOB], &message("told")), [STORED]);
    client.begin(&[BOB]);
    daemon.signal(Signal::SIGTERM);
    ends(&daemon);
    daemon.signal(Signal::SIGTERM);
    assert!(client.is_closed());
    let (house, status, _) = daemon.ended();
    assert_eq!(status.code(), Some(75));
    assert_eq!(inbox(&house, "bob"), [stored(&message("told"))]);
    assert!(!socket(&house).exists());
}

/// Whoever has no name to go by, or came by the name that a daemon of somebody else could not take away, does not wait either.
#[test]
fn nobody_comes_in_while_it_ends() {
    let port = Port::reserved();
    let free = ("127.0.0.1", port.number());
    let house = House::lasting();
    configure(&house, "");
    listen_also(&house, &format!("127.0.0.1:{}", port.number()));
    let daemon = Daemon::under(house, &[]);
    let other = daemon.house.folder.path().join("other name");
    std::fs::hard_link(daemon.socket(), &other).unwrap();
    let mut sending = daemon.client();
    sending.begin(&[BOB]);
    daemon.signal(Signal::SIGTERM);
    ends(&daemon);
    assert_eq!(TcpStream::connect(free).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(UnixStream::connect(&other).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(sending.finish(&message("last"), 1).unwrap(), [STORED]);
    assert_eq!(daemon.ended().1.code(), Some(0));
}

/// Where the system lets it watch no more places: it ends, and with it do those who are there.
#[test]
fn who_is_there_is_told_when_nobody_can_be_let_in_any_more() {
    if !tools(&["prlimit"]) {
        return;
    }
    let house = House::lasting();
    configure(&house, "");
    listen_also(&house, &format!("unix:{}", house.folder.path().join("second").display()));
    let daemon = Daemon::under(house, &[]);
    let mut waiting = daemon.client();
    let limited = ["--pid", &daemon.id().to_string(), "--nofile=2:2"];
    assert!(std::process::Command::new("prlimit").args(limited).status().unwrap().success());
    drop(UnixStream::connect(daemon.socket()));
    assert_eq!(waiting.reply().unwrap(), LATER);
    let (_, status, said) = daemon.ended();
    assert_eq!(status.code(), Some(74), "{said}");
    assert!(said.starts_with("sealpost: cannot wait for clients"), "{said}");
}

/// A client that has gone in the middle of a message keeps nobody.
#[test]
fn a_client_that_dies_in_the_middle_leaves_nothing() {
    let daemon = Daemon::start("");
    let mut client = daemon.client();
    client.begin(&[BOB]);
    client.write(message("lost").as_bytes()).unwrap();
    drop(client);
    let mut client = daemon.client();
    client.say("MAIL FROM:<>");
    client.say(&format!("RCPT TO:<{BOB}>"));
    client.write(b"BDAT 100 LAST\r\nnot a hundred").unwrap();
    drop(client);
    let house = daemon.stop();
    assert_eq!(inbox(&house, "bob"), [""; 0]);
}
