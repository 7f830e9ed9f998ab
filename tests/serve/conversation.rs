//! What a client says to the daemon and is told: octet by octet, all at once, by many, by a client that others wrote, and by somebody
//! who hides one message in another.

use super::daemon::{Client, Daemon, STORED, maildir, message, stored};
use crate::batch::house::{ADA, BOB};
use crate::support::{Program, path, tools};
use std::io;

const ACCEPTED: &str = "250 2.1.5 recipient ok";

/// The last line of each reply until the connection is closed.
fn all_told(client: &mut Client) -> Vec<String> {
    std::iter::from_fn(|| client.reply().ok()).collect()
}

/// A message to two of four, and one in chunks, whose lines may end anyhow.
fn talk() -> String {
    let to =
        [BOB, "nobody@north.example", "somebody@far.example", ADA].map(|to| format!("RCPT TO:<{to}>\r\n"));
    format!(
        "LHLO client.example\r\nMAIL FROM:<carol@far.example> BODY=8BITMIME SIZE=60\r\n{}DATA\r\n\
         Subject: dots\r\n\r\n..\r\n.a\r\n...b\r\nc.\r\n.\r\n\
         MAIL FROM:<j\u{fc}rgen@far.example> SMTPUTF8\r\nRCPT TO:<{ADA}>\r\nNOOP\r\n\
         BDAT 20\r\nSubject: chunks\n\na\n.BDAT 0\r\nBDAT 4 LAST\r\n\nb\r\nQUIT\r\nNOOP\r\n",
        to.concat()
    )
}

fn talk_is_right(cut: fn(&str) -> Vec<&[u8]>) {
    let daemon = Daemon::start("");
    let mut client = Client::raw(&daemon.socket());
    for piece in cut(&talk()) {
        // The end may close it while the last command is sent.
        let _ = client.write(piece);
    }
    let expected = [
        &["220 ", "250 ENHANCEDSTATUSCODES", "250 2.1.0 sender ok", ACCEPTED, "550 5.1.1 no such user here"]
            [..],
        &["451 4.3.5 the recipient's domain is not ready here", ACCEPTED, "354 ", STORED, STORED],
        &[
            "250 2.1.0 sender ok",
            ACCEPTED,
            "250 2.0.0 ok",
            "250 2.0.0 octets received",
            "250 2.0.0 octets received",
        ],
        &[STORED, "221 2.0.0 bye"],
    ];
    let told = all_told(&mut client);
    assert_eq!(told.len(), expected.concat().len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected.concat()) {
        assert!(told.starts_with(expected), "{told:?} {expected:?}");
    }
    let dots = "Return-Path: <carol@far.example>\r\nSubject: dots\r\n\r\n.\r\na\r\n..b\r\nc.\r\n";
    let chunks = "Return-Path: <j\u{fc}rgen@far.example>\r\nSubject: chunks\r\n\r\na\r\n.\r\nb\r\n";
    assert_eq!(daemon.inbox("bob"), [dots]);
    let mut ada = daemon.inbox("ada");
    ada.sort();
    assert_eq!(ada, [dots, chunks]);
    daemon.stop();
}

#[test]
fn a_client_may_say_everything_at_once() {
    talk_is_right(|talk| vec![talk.as_bytes()]);
}

#[test]
fn a_client_may_say_it_octet_by_octet() {
    talk_is_right(|talk| talk.as_bytes().chunks(1).collect());
}

/// What other servers take for the end of a message. The client that hands over the one message wrote no other.
#[test]
fn no_message_hides_in_another() {
    let daemon = Daemon::start("");
    let hidden = format!("MAIL FROM:<evil@far.example>\r\nRCPT TO:<{ADA}>\r\nDATA\r\nSubject: hidden");
    for end in
        ["\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\n.\r", "\r\n.\r\r\n", "\0\n.\r\n"]
    {
        let mut client = daemon.client();
        client.begin(&[BOB, ADA]);
        let replies = client.finish(&format!("Subject: outside\r\n\r\na{end}{hidden}"), 2).unwrap();
        assert_eq!(replies, ["550 5.6.0 a CR or LF stands alone in the message"; 2], "{end:?}");
        assert_eq!(client.say("QUIT"), "221 2.0.0 bye", "{end:?}");
    }
    assert!(daemon.inbox("bob").is_empty() && daemon.inbox("ada").is_empty());
    // As chunks it is one message, whatever is in it.
    let mut client = daemon.client();
    client.say("MAIL FROM:<carol@far.example>");
    assert_eq!(client.say(&format!("RCPT TO:<{BOB}>")), ACCEPTED);
    let text = format!("Subject: outside\r\n\r\na\r\n.\r\n{hidden}\r\n.\r\n");
    assert_eq!(client.say(&format!("BDAT {} LAST\r\n{}", text.len(), text.trim_end())), STORED);
    assert_eq!(daemon.inbox("bob"), [format!("Return-Path: <carol@far.example>\r\n{text}")]);
    assert!(daemon.inbox("ada").is_empty());
    daemon.stop();
}

/// Each sends its commands together, in pieces of its own size, and nobody gets the answer or the message of another.
#[test]
fn sixty_four_clients_at_once_are_told_the_truth() {
    const CLIENTS: usize = 64;
    const MESSAGES: usize = 4;
    let daemon = Daemon::start("");
    let subject = |client: usize, turn: usize| message(&format!("{client} {turn}"));
    std::thread::scope(|threads| {
        for number in 0..CLIENTS {
            let daemon = &daemon;
            threads.spawn(move || {
                let mut client = daemon.client();
                for turn in 0..MESSAGES {
                    let text = subject(number, turn) + "\r\n";
                    let to = format!("RCPT TO:<{BOB}>\r\nRCPT TO:<x@north.example>\r\nRCPT TO:<{ADA}>\r\n");
                    let said =
                        format!("MAIL FROM:<carol@far.example>\r\n{to}BDAT {} LAST\r\n{text}", text.len());
                    for piece in said.as_bytes().chunks(1 + number) {
                        client.write(piece).unwrap();
                    }
                    let told: io::Result<Vec<String>> = (0..6).map(|_| client.reply()).collect();
                    let unknown = "550 5.1.1 no such user here";
                    let expected = ["250 2.1.0 sender ok", ACCEPTED, unknown, ACCEPTED, STORED, STORED];
                    assert_eq!(told.unwrap(), expected, "{number} {turn}");
                }
            });
        }
    });
    let each = (0..CLIENTS).flat_map(|client| (0..MESSAGES).map(move |turn| stored(&subject(client, turn))));
    let mut expected: Vec<String> = each.collect();
    expected.sort();
    for account in ["bob", "ada"] {
        let mut found = daemon.inbox(account);
        found.sort();
        assert!(found == expected, "{account}: {} of {}", found.len(), expected.len());
    }
    daemon.stop();
}

/// The Return-Path comes on top of what may be sent.
#[test]
fn what_is_too_large_is_told_at_once_or_at_the_end_and_then_cut() {
    const LARGE: &str = "552 5.3.4 the message is too large";
    let daemon = Daemon::start("max-message = \"3K\"");
    let size = 3 * 1024 - 1000;
    let mut client = daemon.client();
    let too_large = format!("MAIL FROM:<carol@far.example> SIZE={}", size + 1);
    assert_eq!(client.say(&too_large), LARGE);
    let fits = format!("{}\r\n{}", message("fits"), "a".repeat(size - message("fits").len() - 4));
    assert_eq!(client.deliver(&[BOB], &fits), [STORED]);
    client.begin(&[BOB, ADA]);
    assert_eq!(client.finish(&format!("{fits}a"), 2).unwrap(), [LARGE; 2]);
    assert_eq!(client.say("NOOP"), "250 2.0.0 ok");
    client.begin(&[BOB, ADA]);
    let line = format!("{}\r\n", "a".repeat(998)).repeat(10);
    while client.write(line.as_bytes()).is_ok() {}
    assert_eq!([client.reply().unwrap(), client.reply().unwrap()], [LARGE; 2]);
    assert!(client.is_closed());
    assert_eq!(daemon.inbox("bob"), [stored(&fits)]);
    daemon.stop();
}

/// Browsers and servers that are made to talk to this port by somebody who may not.
#[test]
fn http_gets_nowhere() {
    let daemon = Daemon::start("");
    let mut client = Client::raw(&daemon.socket());
    let body = talk();
    client
        .write(format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .unwrap();
    let told = all_told(&mut client);
    assert_eq!(told.last().unwrap(), "421 4.7.0 this is no web server");
    assert_eq!(told.len(), 2);
    assert!(daemon.inbox("bob").is_empty());
    daemon.stop();
}

/// Python's client stuffs dots itself.
const PYTHON: &str = r#"
import smtplib, sys
place, known, unknown = sys.argv[1:]
with smtplib.LMTP(place) as client:
    client.ehlo_or_helo_if_needed()
    wanted = ["pipelining", "size", "8bitmime", "smtputf8", "chunking", "enhancedstatuscodes"]
    assert all(map(client.has_extn, wanted)), client.esmtp_features
    text = "Subject: jürgen\r\n\r\n.\r\n..\r\n.a\r\nFrom b\r\n".encode()
    assert client.sendmail("carol@far.example", [known], text, ["BODY=8BITMIME"]) == {}
    assert client.sendmail("", [unknown, known], text) == {unknown: (550, b"5.1.1 no such user here")}
    try:
        client.sendmail("jürgen@far.example", [unknown], text, ["SMTPUTF8"])
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients == {unknown: (550, b"5.1.1 no such user here")}, refused
    else:
        raise AssertionError("nobody was refused")
    assert client.verify(known)[0] == 252 and client.noop()[0] == 250
"#;

#[test]
fn pythons_client_is_understood() {
    if !tools(&["python3"]) {
        return;
    }
    let daemon = Daemon::start("");
    let place = daemon.socket();
    let args = ["-c", PYTHON, path(&place), BOB, "nobody@north.example"];
    Program::new("python3").args(args).run().ok();
    let text = "Subject: j\u{fc}rgen\r\n\r\n.\r\n..\r\n.a\r\nFrom b\r\n";
    let mut found = daemon.inbox("bob");
    found.sort();
    let with = |sender: &str| format!("Return-Path: <{sender}>\r\n{text}");
    assert_eq!(found, [with(""), with("carol@far.example")]);
    daemon.stop();
}

/// A text that begins with a space would be the second half of the line that stands in front of it, and its header with it.
#[test]
fn what_begins_with_a_space_does_not_go_on_in_our_header() {
    let daemon = Daemon::start("");
    let mut client = daemon.client();
    for (text, sent) in [(" a@b>\r\nX: y", " a@b>\r\nX: y"), ("\tb", "\tb"), (" dot", ". dot"), (" ", " ")] {
        assert_eq!(client.deliver(&[BOB], sent), [STORED]);
        let found = daemon.inbox("bob").pop().unwrap();
        assert_eq!(found, format!("Return-Path: <carol@far.example>\r\n\r\n{text}\r\n"));
        for file in std::fs::read_dir(maildir(&daemon.house, "bob").join("new")).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
    }
    client.say("MAIL FROM:<carol@far.example>");
    client.say(&format!("RCPT TO:<{BOB}>"));
    assert!(client.say("BDAT 3\r\n ").starts_with("250"));
    assert_eq!(client.say("BDAT 4 LAST\r\n x\r\n"), STORED);
    assert_eq!(daemon.inbox("bob"), ["Return-Path: <carol@far.example>\r\n\r\n \r\n x\r\n"]);
}

/// The host of these tests is no domain: its postmaster is that of the first domain that has one.
#[test]
fn the_postmaster_needs_no_domain() {
    let daemon = Daemon::start("");
    daemon.house.run(&["domain", "add", "a.example"]);
    let mut client = daemon.client();
    assert_eq!(client.say("MAIL FROM:<>"), "250 2.1.0 sender ok");
    let refused = client.say("RCPT TO:<Postmaster>");
    assert!(refused.starts_with("550 5.1.1 "), "{refused}");
    daemon.house.run(&["account", "set", BOB, "--alias", "postmaster@north.example"]);
    assert_eq!(client.say("RCPT TO:<PostMaster>"), "250 2.1.5 recipient ok");
    assert!(client.say("DATA").starts_with("354"));
    assert_eq!(client.finish(&message("to whom it may concern"), 1).unwrap(), [STORED]);
    assert_eq!(daemon.inbox("bob").len(), 1);
}
