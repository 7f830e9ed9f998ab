use super::*;
use crate::lmtp::want::Envelope;

/// A host that keeps everything in memory: bob and anna exist, carol's mailbox is full, and nobody else is here.
struct Host {
    session: Session,
    /// What was said by this side.
    said: String,
    /// Octets of the message that is in hand.
    message: Option<Vec<u8>>,
    delivered: Vec<(Envelope, Vec<u8>)>,
    begun: Vec<Option<u64>>,
    forgotten: usize,
    is_closed: bool,
}

impl Host {
    fn new() -> Host {
        Host {
            session: Session::new(Terms { host: "north.example".into(), max_message: 2000 }),
            said: String::new(),
            message: None,
            delivered: Vec::new(),
            begun: Vec::new(),
            forgotten: 0,
            is_closed: false,
        }
    }

    /// With MAIL and these recipients, and what was said until then put away.
    fn with(recipients: &[&str]) -> Host {
        let mut host = Host::new();
        host.hear("LHLO a\r\nMAIL FROM:<s@far.example>\r\n");
        recipients.iter().for_each(|to| host.hear(&format!("RCPT TO:<{to}@north.example>\r\n")));
        host.said.clear();
        host
    }

    fn hear(&mut self, text: &str) {
        self.take(text.as_bytes());
    }

    fn take(&mut self, mut octets: &[u8]) {
        while !self.is_closed {
            let Taken { used, want } = self.session.take(octets);
            octets = &octets[used..];
            match want {
                Want::More => {
                    assert!(octets.is_empty());
                    return self.send();
                }
                Want::Send => self.send(),
                Want::Judge(address) => self.session.judged(&judge(&address)),
                Want::Begin { declared, return_path } => {
                    assert!(return_path.starts_with("Return-Path: <") && return_path.ends_with(">\r\n"));
                    assert!(self.message.replace(Vec::new()).is_none());
                    self.begun.push(declared);
                }
                Want::Content(octets) => self.message.as_mut().unwrap().extend_from_slice(octets),
                Want::Deliver(envelope) => {
                    let each: Vec<_> = envelope.recipients.iter().map(store).collect();
                    self.session.delivered(&each);
                    self.delivered.push((envelope, self.message.take().unwrap()));
                }
                Want::Forget => {
                    self.message.take().unwrap();
                    self.forgotten += 1;
                }
                Want::Close => {
                    self.is_closed = true;
                    self.send();
                }
            }
        }
    }

    fn send(&mut self) {
        self.said += &String::from_utf8(self.session.replies()).unwrap();
    }

    /// What is said to it, and nothing before.
    fn answer(&mut self, text: &str) -> String {
        self.send();
        self.said.clear();
        self.hear(text);
        self.said.clone()
    }
}

fn judge(address: &Address) -> Disposition {
    match address.local() {
        "bob" | "anna" | "carol" | "jürgen" | "Postmaster" => Disposition::Delivered,
        _ => Disposition::Reject { detail: (1, 1), text: "no such user here".into(), unknown_user: true },
    }
}

fn store(address: &Address) -> Disposition {
    match address.local() {
        "carol" => Disposition::Retry { detail: (2, 2), text: "the mailbox is full".into() },
        _ => Disposition::Delivered,
    }
}

#[test]
fn a_message_goes_to_two_and_each_has_his_reply() {
    let mut host = Host::new();
    assert_eq!(host.answer(""), "");
    host.hear(
        "LHLO client.example\r\nMAIL FROM:<s@far.example> BODY=8BITMIME SIZE=20\r\nRCPT TO:<bob@north.example>\r\n\
         RCPT TO:<nobody@north.example>\r\nRCPT TO:<carol@north.example>\r\nDATA\r\n",
    );
    assert_eq!(
        host.said,
        "250-north.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n\
         250 ENHANCEDSTATUSCODES\r\n250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n550 5.1.1 no such user here\r\n\
         250 2.1.5 recipient ok\r\n354 go on, and end with a dot\r\n"
    );
    assert_eq!(
        host.answer("Subject: x\r\n\r\n..\r\n.a\r\n.\r\nQUIT\r\n"),
        "250 2.0.0 stored\r\n452 4.2.2 the mailbox is full\r\n221 2.0.0 bye\r\n"
    );
    let (envelope, message) = &host.delivered[0];
    assert_eq!(message, b"Subject: x\r\n\r\n.\r\na\r\n");
    assert_eq!(envelope.sender, "s@far.example");
    let to: Vec<_> = envelope.recipients.iter().map(Address::to_string).collect();
    assert_eq!(to, ["bob@north.example", "carol@north.example"]);
    assert_eq!((host.begun.as_slice(), host.forgotten, host.is_closed), (&[Some(20)][..], 0, true));
}

const HELLO: &str = "LHLO a\r\n";

#[test]
fn only_lhlo_greets() {
    let mut host = Host::new();
    assert_eq!(host.answer("EHLO a\r\nHELO a\r\n"), "500 5.5.1 this is LMTP: say LHLO\r\n".repeat(2));
    assert_eq!(host.answer("MAIL FROM:<>\r\n"), "503 5.5.1 LHLO comes first\r\n");
    assert_eq!(host.answer("LHLO\r\n"), "501 5.5.4 say who you are\r\n");
    assert!(host.answer("lhlo a\r\n").starts_with("250-north.example\r\n"));
    assert_eq!(host.answer("mail from:<>\r\n"), "250 2.1.0 sender ok\r\n");
    host.hear("LHLO a\r\n");
    assert_eq!(host.answer("RCPT TO:<bob@north.example>\r\n"), "503 5.5.1 MAIL comes first\r\n");
}

#[test]
fn what_needs_no_sender() {
    let mut host = Host::new();
    for (command, reply) in [
        ("NOOP", "250 2.0.0 ok"),
        ("noop whatever", "250 2.0.0 ok"),
        ("RSET", "250 2.0.0 ok"),
        ("RSET x", "501 5.5.4 this command takes no argument"),
        ("VRFY bob", "252 2.1.5 nobody is verified here: RCPT tells who is known"),
        ("VRFY", "501 5.5.4 an argument is missing"),
        ("HELP me", "214 2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT"),
        ("EXPN bob", "502 5.5.1 not here"),
        ("AUTH PLAIN AAAA", "502 5.5.1 not here"),
        ("STARTTLS", "502 5.5.1 not here"),
        ("", "500 5.5.1 no such command"),
        ("XYZZY", "500 5.5.1 no such command"),
        ("DATA", "503 5.5.1 MAIL comes first"),
        ("DATA x", "501 5.5.4 this command takes no argument"),
        ("NOOP \t ", "250 2.0.0 ok"),
        ("NOOP\t", "250 2.0.0 ok"),
        ("QUIT now", "501 5.5.4 this command takes no argument"),
    ] {
        assert_eq!(host.answer(&format!("{command}\r\n")), format!("{reply}\r\n"), "{command:?}");
    }
    assert_eq!(host.answer("QUIT\r\nNOOP\r\n"), "221 2.0.0 bye\r\n");
    assert!(host.is_closed);
}

#[test]
fn senders() {
    for (argument, reply) in [
        ("FROM:<>", "250 2.1.0 sender ok"),
        ("from: <a@b>", "250 2.1.0 sender ok"),
        ("FROM:<a..b@[192.0.2.1]>", "250 2.1.0 sender ok"),
        ("FROM:<\"a > b\\\"\"@far.example> SIZE=1", "250 2.1.0 sender ok"),
        ("FROM:<@one.example,@[IPv6:::1]:a@b>", "250 2.1.0 sender ok"),
        ("FROM:<j\u{fc}rgen@b\u{fc}cher.example> SMTPUTF8", "250 2.1.0 sender ok"),
        ("FROM:<a@b> body=7bit size=1000 smtputf8", "250 2.1.0 sender ok"),
        ("FROM:<a@b>  SIZE=99999999999999999999", "552 5.3.4 the message is too large"),
        ("FROM:<a@b> SIZE=1001", "552 5.3.4 the message is too large"),
        ("FROM:<j\u{fc}rgen@far.example>", "553 5.6.7 an address beyond ASCII takes SMTPUTF8"),
        ("FROM:<a@b> SIZE", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> SIZE=", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> SIZE=-1", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> SIZE=000000000000000000001", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> SIZE=1 SIZE=1", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> BODY=7BIT BODY=7BIT", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> SMTPUTF8=1", "501 5.5.4 a parameter is malformed or given twice"),
        ("FROM:<a@b> BODY=BINARYMIME", "555 5.5.4 a parameter is not known here"),
        ("FROM:<a@b> AUTH=<>", "555 5.5.4 a parameter is not known here"),
        ("FROM:<a@b> RET=FULL", "555 5.5.4 a parameter is not known here"),
        ("FROM:<a@b>SIZE=1", "501 5.1.7 the sender is no address"),
        ("FROM:a@b", "501 5.1.7 the sender is no address"),
        ("FROM:<a@b", "501 5.1.7 the sender is no address"),
        ("FROM:<a b@c>", "501 5.1.7 the sender is no address"),
        ("FROM:<<a@b>>", "501 5.1.7 the sender is no address"),
        ("FROM:<a\0@b>", "501 5.1.7 the sender is no address"),
        ("FROM:<\"a\u{1b}\"@b>", "501 5.1.7 the sender is no address"),
        ("TO:<a@b>", "501 5.5.4 say MAIL FROM:<address>"),
        ("", "501 5.5.4 say MAIL FROM:<address>"),
    ] {
        let mut host = Host::new();
        host.hear(HELLO);
        assert_eq!(host.answer(&format!("MAIL {argument}\r\n")), format!("{reply}\r\n"), "{argument:?}");
    }
}

#[test]
fn the_return_path_is_a_line_of_a_message() {
    let sender = |path: &str| {
        let mut session = Session::new(Terms { host: "n".into(), max_message: 2000 });
        let said = format!("LHLO a\r\nMAIL FROM:<{path}>\r\nRCPT TO:<bob@north.example>\r\n");
        let used = session.take(said.as_bytes()).used;
        assert_eq!(used, said.len());
        session.judged(&Disposition::Delivered);
        match session.take(b"DATA\r\n").want {
            Want::Begin { return_path, .. } => Some(return_path),
            _ => None,
        }
    };
    assert_eq!(sender("").unwrap(), "Return-Path: <>\r\n");
    assert_eq!(sender("@far.example:a@b").unwrap(), "Return-Path: <a@b>\r\n");
    assert_eq!(sender("\"a >\"@b").unwrap(), "Return-Path: <\"a >\"@b>\r\n");
    let longest = "a".repeat(1000 - "Return-Path: <>\r\n".len());
    assert_eq!(sender(&longest).unwrap().len(), 1000);
    let mut host = Host::new();
    host.hear(HELLO);
    let reply = host.answer(&format!("MAIL FROM:<a{longest}>\r\n"));
    assert_eq!(reply, "501 5.1.7 the sender is no address\r\n");
}

#[test]
fn recipients() {
    for (argument, reply) in [
        ("TO:<bob@north.example>", "250 2.1.5 recipient ok"),
        ("to: <\"bob\"@NORTH.example>", "250 2.1.5 recipient ok"),
        ("TO:<@far.example:bob@north.example>", "250 2.1.5 recipient ok"),
        ("TO:<Postmaster>", "250 2.1.5 recipient ok"),
        ("TO:<x@north.example>", "550 5.1.1 no such user here"),
        ("TO:<bob>", "501 5.1.3 the recipient is no address"),
        ("TO:<>", "501 5.1.3 the recipient is no address"),
        ("TO:<bob@[192.0.2.1]>", "501 5.1.3 the recipient is no address"),
        ("TO:bob@north.example", "501 5.1.3 the recipient is no address"),
        ("TO:<j\u{fc}rgen@north.example>", "553 5.6.7 an address beyond ASCII takes SMTPUTF8"),
        ("TO:<bob@b\u{fc}cher.example>", "553 5.6.7 an address beyond ASCII takes SMTPUTF8"),
        ("TO:<bob@north.example> NOTIFY=NEVER", "555 5.5.4 a parameter is not known here"),
        ("TO:<bob@north.example> ORCPT=rfc822;b", "555 5.5.4 a parameter is not known here"),
        ("FROM:<bob@north.example>", "501 5.5.4 say RCPT TO:<address>"),
    ] {
        let mut host = Host::with(&[]);
        assert_eq!(host.answer(&format!("RCPT {argument}\r\n")), format!("{reply}\r\n"), "{argument:?}");
    }
    let mut host = Host::new();
    host.hear("LHLO a\r\nMAIL FROM:<> SMTPUTF8\r\n");
    assert_eq!(host.answer("RCPT TO:<j\u{fc}rgen@north.example>\r\n"), "250 2.1.5 recipient ok\r\n");
}

#[test]
fn no_message_without_a_recipient() {
    let mut host = Host::with(&["x"]);
    assert_eq!(host.answer("DATA\r\n"), "503 5.5.1 no valid recipients\r\n");
    assert_eq!(host.answer("BDAT 3\r\nabc"), "503 5.5.1 no valid recipients\r\n");
    assert_eq!(host.answer("BDAT 6 LAST\r\nNOOP\r\n"), "503 5.5.1 no valid recipients\r\n");
    let bare = Host::new().answer("BDAT 6\r\nQUIT\r\nDATA\r\n");
    assert_eq!(bare, "503 5.5.1 no valid recipients\r\n503 5.5.1 MAIL comes first\r\n");
    let over = host.answer("RCPT TO:<bob@north.example>\r\n");
    assert_eq!(over, "503 5.5.1 MAIL comes first\r\n", "LAST ends it, whatever comes of it");
    assert_eq!((host.delivered.len(), host.begun.len(), host.forgotten), (0, 0, 0));
}

#[test]
fn who_is_named_twice_has_two_replies() {
    let mut host = Host::with(&["bob", "bob"]);
    host.hear("DATA\r\n");
    assert_eq!(host.answer(".\r\n"), "250 2.0.0 stored\r\n".repeat(2));
    assert_eq!(host.delivered[0].1, b"");
    assert_eq!(host.answer("MAIL FROM:<>\r\n"), "250 2.1.0 sender ok\r\n", "the transaction is over");
}

#[test]
fn there_are_not_too_many_recipients() {
    let mut host = Host::with(&[]);
    for _ in 0..1000 {
        assert_eq!(host.answer("RCPT TO:<bob@north.example>\r\n"), "250 2.1.5 recipient ok\r\n");
    }
    let many = host.answer("RCPT TO:<anna@north.example>\r\n");
    assert_eq!(many, "452 4.5.3 too many recipients in one message\r\n");
}

/// What other servers take for an end of the message, or of a line of it.
#[test]
fn a_cr_or_lf_alone_is_refused_and_ends_nothing() {
    for hidden in [
        "\n.\n",
        "\n.\r\n",
        "\r.\r\n",
        "\r\n.\n",
        "\r\n.\r",
        "\r.\r",
        "\n.\r",
        "\r\r\n.x\r\n",
        "x\n",
        "x\r",
        "\n",
        "\r",
        "\r\n.\r\r\n",
        "\0\n.\r\n",
        "..\n.\r\n",
    ] {
        let mut host = Host::with(&["bob", "anna"]);
        host.hear("DATA\r\n");
        let smuggled = "MAIL FROM:<evil@far.example>\r\nRCPT TO:<bob@north.example>\r\nDATA\r\nevil";
        let said = host.answer(&format!("a{hidden}{smuggled}\r\n.\r\nNOOP\r\n"));
        let each = "550 5.6.0 a CR or LF stands alone in the message\r\n".repeat(2);
        assert_eq!(said, format!("{each}250 2.0.0 ok\r\n"), "{hidden:?}");
        assert_eq!((host.delivered.len(), host.forgotten), (0, 1), "{hidden:?}");
    }
}

#[test]
fn chunks_take_any_octets() {
    let mut host = Host::with(&["bob", "carol"]);
    assert_eq!(host.answer("BDAT 7\r\na\n.\r\n\0\r"), "250 2.0.0 octets received\r\n");
    assert!(host.session.has_message());
    assert_eq!(host.answer("BDAT 0\r\nNOOP\r\n"), "250 2.0.0 octets received\r\n250 2.0.0 ok\r\n");
    let inside = "503 5.5.1 the message has begun: BDAT or RSET comes next\r\n";
    assert_eq!(host.answer("DATA\r\nRCPT TO:<anna@north.example>\r\n"), inside.repeat(2));
    assert_eq!(host.answer("MAIL FROM:<>\r\n"), "503 5.5.1 the sender is told already\r\n");
    let last = "250 2.0.0 stored\r\n452 4.2.2 the mailbox is full\r\n250 2.0.0 ok\r\n";
    assert_eq!(host.answer("bdat 3 last\r\n.\r\nNOOP\r\n"), last);
    assert_eq!(host.delivered[0].1, b"a\n.\r\n\0\r.\r\n");
    let mut host = Host::with(&["bob"]);
    assert_eq!(host.answer("BDAT 0 LAST\r\n"), "250 2.0.0 stored\r\n");
    assert_eq!(host.begun, [Some(0)]);
}

#[test]
fn nobody_knows_where_a_chunk_without_length_ends() {
    for argument in ["", "x", "-1", "1 FIRST", "1 LAST x", "1x", "LAST", "000000000000000000001"] {
        let mut host = Host::with(&["bob"]);
        let said = host.answer(&format!("BDAT {argument}\r\nQUIT\r\n"));
        assert_eq!(said, "421 4.5.4 BDAT takes a number of octets, and LAST\r\n", "{argument:?}");
        assert!(host.is_closed);
    }
}

#[test]
fn what_was_begun_is_forgotten() {
    for (end, reply) in [("RSET", "250 2.0.0 ok\r\n"), ("LHLO a", "250-north.example\r\n")] {
        let mut host = Host::with(&["bob"]);
        host.hear("BDAT 3\r\nabc");
        assert!(host.answer(&format!("{end}\r\n")).starts_with(reply));
        assert_eq!(host.forgotten, 1);
        assert!(host.message.is_none() && !host.session.has_message());
        assert_eq!(host.answer("DATA\r\n"), "503 5.5.1 MAIL comes first\r\n");
    }
}

#[test]
fn a_message_has_its_limit_and_its_client_hears_of_it() {
    let large = "552 5.3.4 the message is too large\r\n";
    let mut host = Host::with(&["bob", "anna"]);
    host.hear("DATA\r\n");
    let text = format!("..{}\r\n", "a".repeat(997));
    assert_eq!(host.answer(&format!("{text}.\r\n")), "250 2.0.0 stored\r\n".repeat(2));
    assert_eq!(host.delivered[0].1.len(), 1000);
    host.hear("MAIL FROM:<>\r\nRCPT TO:<bob@north.example>\r\nRCPT TO:<anna@north.example>\r\nDATA\r\n");
    assert_eq!(host.answer(&format!("a{text}.\r\nNOOP\r\n")), format!("{large}{large}250 2.0.0 ok\r\n"));
    assert_eq!((host.delivered.len(), host.forgotten), (1, 1));
    host.hear("MAIL FROM:<>\r\nRCPT TO:<bob@north.example>\r\n");
    assert_eq!(host.answer(&format!("BDAT 1000\r\n{:1000}", "")), "250 2.0.0 octets received\r\n");
    assert_eq!(host.answer("BDAT 1\r\na"), large);
    assert_eq!(host.answer("BDAT 1\r\na"), large);
    assert_eq!(host.answer("BDAT 1 LAST\r\na"), large);
    assert_eq!((host.delivered.len(), host.forgotten), (1, 2));
    host.hear("MAIL FROM:<>\r\nRCPT TO:<bob@north.example>\r\n");
    assert_eq!(
        host.answer(&format!("BDAT 1001 LAST\r\n{:1001}NOOP\r\n", "")),
        format!("{large}250 2.0.0 ok\r\n")
    );
    assert_eq!(host.begun.len(), 3, "there is no room to be made for it");
}

#[test]
fn who_sends_without_end_is_cut() {
    let large = "552 5.3.4 the message is too large\r\n";
    let bare = "550 5.6.0 a CR or LF stands alone in the message\r\n";
    for (begin, piece, replies) in [
        ("DATA\r\n", "aaaaaaaa\r\n", large.repeat(2)),
        ("DATA\r\n\n", "aaaaaaaa\r\n", bare.repeat(2)),
        ("DATA\r\n", "..\r\n", large.repeat(2)),
        ("BDAT 18446744073709551615 LAST\r\n", "aaaa", large.repeat(2)),
        ("BDAT 99999999999999999999\r\n", "aaaa", large.to_owned()),
    ] {
        let mut host = Host::with(&["bob", "anna"]);
        host.hear(begin);
        host.said.clear();
        let piece = piece.repeat(1000);
        let mut sent = 0;
        while !host.is_closed {
            host.hear(&piece);
            sent += piece.len();
            assert!(sent < 2 * 1_048_576, "it is read for ever");
        }
        assert!(sent > 1_048_576, "whoever is a little over hears of it");
        assert_eq!(host.said, replies, "{begin:?}");
        assert!(host.delivered.is_empty());
    }
    let mut host = Host::new();
    host.hear("BDAT 18446744073709551615\r\n");
    (0..200).for_each(|_| host.hear(&"QUIT\r\n".repeat(1000)));
    assert!(host.is_closed && host.said.ends_with("503 5.5.1 no valid recipients\r\n"));
}

#[test]
fn lines_end_with_cr_lf_and_have_an_end() {
    let mut host = Host::new();
    assert_eq!(host.answer("NOOP\n"), "500 5.5.2 a command ends with CR LF\r\n");
    assert_eq!(host.answer("NO\rOP\r\n"), "500 5.5.2 a command ends with CR LF\r\n");
    assert_eq!(host.answer("NOOP\r\r\n"), "500 5.5.2 a command ends with CR LF\r\n");
    let longest = format!("NOOP {}\r\n", "x".repeat(2043));
    assert_eq!(host.answer(&longest), "250 2.0.0 ok\r\n");
    assert_eq!(host.answer(&format!("NOOP x{longest}")), "500 5.5.2 this line is too long\r\n");
    host.hear(&"x".repeat(1_000_000));
    assert_eq!(host.answer("\r\nNOOP\r\n"), "500 5.5.2 this line is too long\r\n250 2.0.0 ok\r\n");
    host.said.clear();
    host.take(b"MAIL FROM:<\xff@b>\r\n");
    assert_eq!(host.said, "500 5.5.2 a command is ASCII or UTF-8\r\n");
}

#[test]
fn too_many_faults_end_it_and_refused_recipients_are_none() {
    let mut host = Host::with(&["bob"]);
    for _ in 0..100 {
        assert!(host.answer("RCPT TO:<x@north.example>\r\nRCPT TO:<>\r\nRSET\r\n").starts_with("550 5.1.1 "));
        let said = host.answer("MAIL FROM:<> SIZE=1001\r\nMAIL FROM:<>\r\n");
        assert_eq!(said, "552 5.3.4 the message is too large\r\n250 2.1.0 sender ok\r\n");
        assert_eq!(host.answer("DATA\r\n"), "503 5.5.1 no valid recipients\r\n");
    }
    for _ in 0..20 {
        assert_eq!(host.answer("XYZZY\r\n"), "500 5.5.1 no such command\r\n");
    }
    assert_eq!(host.answer("XYZZY\r\nNOOP\r\n"), "421 4.7.0 too many bad commands\r\n");
    let mut host = Host::new();
    host.hear(HELLO);
    for _ in 0..100 {
        assert!(
            !host
                .answer("XYZZY\r\nMAIL FROM:<>\r\nRCPT TO:<bob@north.example>\r\nDATA\r\n.\r\n")
                .contains("421")
        );
    }
}

#[test]
fn browsers_are_sent_away() {
    for request in ["POST / HTTP/1.1", "get /", "CONNECT north.example:25 HTTP/1.1"] {
        let mut host = Host::new();
        let said = host.answer(&format!("{request}\r\nHost: x\r\n\r\nLHLO a\r\n"));
        assert!(said.ends_with("421 4.7.0 this is no web server\r\n") && host.is_closed, "{request}");
    }
}

#[test]
fn this_side_can_leave() {
    let mut host = Host::with(&["bob"]);
    host.hear("DATA\r\nabc");
    assert!(host.session.has_message());
    host.said.clear();
    host.session.leave(Farewell::Idle);
    host.session.leave(Farewell::Stopping);
    host.hear("\r\n.\r\n");
    assert_eq!((host.said.as_str(), host.is_closed), ("421 4.4.2 this took too long\r\n", true));
    let away = String::from_utf8(Session::turned_away(Farewell::Crowded)).unwrap();
    assert_eq!(away, "421 4.3.2 too many sessions, try again\r\n");
}

fn full() -> Disposition {
    Disposition::Retry { detail: (3, 1), text: "no room".into() }
}

#[test]
fn a_host_without_room_refuses() {
    let begun = |said: &[u8]| {
        let mut session = Session::new(Terms { host: "n".into(), max_message: 2000 });
        let used = session.take(b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<bob@north.example>\r\n").used;
        assert_eq!(used, 51);
        session.judged(&Disposition::Delivered);
        assert!(matches!(session.take(said).want, Want::Begin { .. }));
        session.replies();
        session
    };
    let told = |session: &mut Session, said: &[u8]| {
        assert_eq!(session.take(said), Taken { used: said.len(), want: Want::More });
        String::from_utf8(session.replies()).unwrap()
    };
    let mut session = begun(b"DATA\r\n");
    session.refuse(&full());
    assert_eq!(told(&mut session, b"NOOP\r\n"), "452 4.3.1 no room\r\n250 2.0.0 ok\r\n");
    let mut session = begun(b"BDAT 5 LAST\r\n");
    session.refuse(&full());
    assert_eq!(told(&mut session, b"abcdeNOOP\r\n"), "452 4.3.1 no room\r\n250 2.0.0 ok\r\n");
    let mut session = begun(b"DATA\r\n");
    assert_eq!(session.take(b"abc"), Taken { used: 3, want: Want::Content(b"abc") });
    session.refuse(&full());
    let rest = told(&mut session, b"\r\nabc\n\r\n.\r\nNOOP\r\n");
    assert_eq!(rest, "354 go on, and end with a dot\r\n452 4.3.1 no room\r\n250 2.0.0 ok\r\n");
    let mut session = begun(b"BDAT 1\r\n");
    session.refuse(&Disposition::Delivered);
    assert_eq!(told(&mut session, b"a"), "451 4.3.0 internal error\r\n");
}

#[test]
fn a_host_that_says_nothing_is_answered_for() {
    let mut session = Session::new(Terms { host: "n".into(), max_message: 2000 });
    let said = b"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<bob@north.example>\r\n";
    assert!(matches!(session.take(said).want, Want::Judge(_)));
    session.replies();
    assert!(matches!(session.take(b"RCPT TO:<anna@north.example>\r\n").want, Want::Judge(_)));
    session.judged(&Disposition::Delivered);
    session.judged(&Disposition::Delivered);
    session.delivered(&[Disposition::Delivered]);
    assert!(matches!(session.take(b"BDAT 0 LAST\r\n").want, Want::Begin { .. }));
    assert!(matches!(session.take(b"").want, Want::Deliver(_)));
    assert_eq!(session.take(b"").want, Want::More);
    let said = String::from_utf8(session.replies()).unwrap();
    assert_eq!(said, "451 4.3.0 internal error\r\n250 2.1.5 recipient ok\r\n451 4.3.0 internal error\r\n");
}

#[test]
fn replies_do_not_pile_up() {
    let mut session = Session::new(Terms { host: "n".into(), max_message: 2000 });
    let said = "LHLO a\r\n".repeat(10_000);
    let (mut rest, mut sent) = (said.as_bytes(), 0);
    loop {
        let Taken { used, want } = session.take(rest);
        rest = &rest[used..];
        let replies = session.replies();
        assert!(replies.len() < 5000);
        sent += String::from_utf8(replies).unwrap().matches("250 ENHANCEDSTATUSCODES").count();
        match want {
            Want::Send => {}
            other => break assert_eq!(other, Want::More),
        }
    }
    assert_eq!((rest.len(), sent), (0, 10_000));
}
