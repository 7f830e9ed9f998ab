//! Whatever a client says over LMTP: it is told what the protocol says, and what is delivered is what it sent.

use sealpost::courier::{Reply, ReplyReader};
use sealpost::engine::Disposition;
use sealpost::lmtp::{Envelope, Session, Taken, Terms, Want};

/// Octets of a message that may be sent.
const SIZE: u64 = 2000;
/// With the field Return-Path.
const MAX_MESSAGE: u64 = SIZE + 1000;

/// The first octet says in pieces of which size the rest comes, which is what a client says, and how the host is:
///
/// - However it is cut into pieces, the same is told, delivered and forgotten.
/// - Each command has one reply, a message one for each recipient who was accepted, and nothing else is said: a client that
///   knows the RFCs and reads what was sent once more finds each reply in its place.
/// - Classes of codes agree; only messages that the host delivered are said to be delivered.
/// - What is delivered is what was sent between DATA and the first CR LF dot CR LF with one dot less where a line begins with
///   one, or the octets of all chunks; its lines end with CR LF if it came by DATA.
/// - The work grows as the octets, and what waits is bounded.
pub(crate) fn hold(input: &[u8]) {
    let Some((&choice, said)) = input.split_first() else { return };
    let whole = talk(said, choice, usize::MAX);
    for piece in [1, 2 + usize::from(choice >> 2)] {
        assert!(whole == talk(said, choice, piece), "in pieces of {piece}");
    }
    Client::new(said, &whole).read();
}

/// How many messages are delivered.
pub(crate) fn messages(input: &[u8]) -> usize {
    input
        .split_first()
        .map_or(0, |(&choice, said)| talk(said, choice, usize::MAX).messages.iter().flatten().count())
}

/// What came of it.
#[derive(Default, PartialEq)]
struct Talk {
    told: Vec<u8>,
    /// Those that were delivered, and nothing for one that the host refused.
    messages: Vec<Option<(Envelope, Vec<u8>)>>,
    forgotten: usize,
    message: Option<Vec<u8>>,
    is_closed: bool,
}

/// A host that knows those whose names begin with a small letter up to s, is busy for others, and by `choice` refuses each second
/// message.
fn talk(said: &[u8], choice: u8, piece: usize) -> Talk {
    let mut session = Session::new(Terms { host: "north.example".into(), max_message: MAX_MESSAGE });
    let (mut talk, mut begun, mut steps) = (Talk::default(), 0, 0);
    let mut pieces = said.chunks(piece.min(said.len().max(1)));
    let mut rest = &[][..];
    loop {
        let Taken { used, want } = session.take(rest);
        rest = &rest[used..];
        steps += 1;
        assert!(steps <= 4 * said.len() + 10, "it goes on and on");
        match want {
            Want::More => {
                assert!(rest.is_empty());
                send(&mut session, &mut talk);
                match pieces.next() {
                    Some(more) => rest = more,
                    None => break,
                }
            }
            Want::Send => send(&mut session, &mut talk),
            Want::Judge(address) => session.judged(&match address.local().as_bytes()[0] {
                b'a'..=b's' => Disposition::Delivered,
                b'A'..=b'Z' => busy(),
                _ => nobody(),
            }),
            Want::Begin { declared, return_path } => {
                begun += 1;
                assert!(declared.is_none_or(|declared| declared <= SIZE));
                assert!(return_path.len() <= 1000 && !return_path.trim_end().contains(char::is_control));
                assert!(talk.message.is_none(), "one message at a time");
                if choice & 1 == 1 && begun % 2 == 0 {
                    talk.messages.push(None);
                    session.refuse(&busy());
                } else {
                    talk.message = Some(Vec::new());
                }
            }
            Want::Content(octets) => {
                assert!(!octets.is_empty());
                let message = talk.message.as_mut().expect("a message that was begun");
                message.extend_from_slice(octets);
                assert!(message.len() as u64 <= SIZE);
            }
            Want::Deliver(envelope) => {
                let each = envelope.recipients.iter().map(|to| match to.local().as_bytes()[0] {
                    b'a'..=b'k' => Disposition::Delivered,
                    _ => busy(),
                });
                session.delivered(&each.collect::<Vec<_>>());
                assert!(!envelope.recipients.is_empty());
                let message = talk.message.take().expect("a message that was begun");
                talk.messages.push(Some((envelope, message)));
            }
            Want::Forget => {
                talk.message.take().expect("a message that was begun");
                talk.forgotten += 1;
            }
            Want::Close => {
                send(&mut session, &mut talk);
                talk.is_closed = true;
                break;
            }
        }
    }
    talk
}

fn send(session: &mut Session, talk: &mut Talk) {
    let replies = session.replies();
    assert!(replies.len() <= 300_000);
    talk.told.extend_from_slice(&replies);
}

fn busy() -> Disposition {
    Disposition::Retry { detail: (3, 1), text: "busy".into() }
}

fn nobody() -> Disposition {
    Disposition::Reject { detail: (1, 1), text: "nobody".into(), unknown_user: true }
}

/// Somebody who knows what was said and told, and how a client reads it.
struct Client<'t> {
    said: &'t [u8],
    replies: std::vec::IntoIter<Reply>,
    messages: std::slice::Iter<'t, Option<(Envelope, Vec<u8>)>>,
    is_closed: bool,
    /// Recipients who were accepted.
    accepted: usize,
    /// Of a message that comes in chunks: its octets, and whether one of them was refused.
    chunks: Option<(Vec<u8>, bool)>,
}

impl<'t> Client<'t> {
    fn new(said: &'t [u8], talk: &'t Talk) -> Client<'t> {
        let (mut reader, mut rest, mut replies) = (ReplyReader::default(), talk.told.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (taken, reply) = reader.take(rest).expect("replies");
            replies.push(reply.expect("a whole reply"));
            rest = &rest[taken..];
        }
        replies.iter().for_each(assert_classes_agree);
        Client {
            said,
            replies: replies.into_iter(),
            messages: talk.messages.iter(),
            is_closed: talk.is_closed,
            accepted: 0,
            chunks: None,
        }
    }

    fn read(mut self) {
        assert_eq!(self.replies.next().map(|reply| reply.code), Some(220));
        while let Some(line) = self.line() {
            let reply = if verb(&line) == "BDAT" { self.chunk(&line) } else { self.command(&line) };
            match reply {
                Some(221 | 421) => {
                    assert!(self.is_closed);
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
        assert_eq!(self.replies.as_slice(), [], "replies to nothing");
        // One that was refused may be without its end.
        self.was_refused();
        assert!(self.messages.as_slice().is_empty(), "delivered, and nobody was told");
    }

    fn next(&mut self) -> u16 {
        self.replies.next().expect("a reply to what was said").code
    }

    /// Up to LF.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.said.iter().position(|octet| *octet == b'\n')?;
        let (line, rest) = self.said.split_at(end + 1);
        self.said = rest;
        Some(line.to_vec())
    }

    /// Anything but BDAT: the code of its reply, or nothing if there is nothing more to read.
    fn command(&mut self, line: &[u8]) -> Option<u16> {
        let code = self.next();
        match (verb(line).as_str(), code) {
            ("LHLO" | "RSET", 250) => {
                self.accepted = 0;
                self.chunks = None;
            }
            ("MAIL", 250) => assert_eq!(self.accepted, 0),
            ("RCPT", 250) => self.accepted += 1,
            ("DATA", 354) => return self.data(),
            // The host had no room.
            ("DATA", 452) => {
                self.accepted = 0;
                assert!(self.was_refused());
            }
            (_, 250) => assert!(verb(line).starts_with("NOOP")),
            (_, 354) => panic!("nobody asked for it"),
            _ => {}
        }
        Some(code)
    }

    fn data(&mut self) -> Option<u16> {
        assert!(self.accepted > 0);
        let sent = [b"\r\n", self.said].concat();
        let end = sent.windows(5).position(|octets| octets == b"\r\n.\r\n")?;
        self.said = &self.said[end + 3..];
        let text = sent[2..end + 2].to_vec();
        let message =
            lines(&text).map(|line| line.strip_prefix(b".").unwrap_or(line).to_vec()).collect::<Vec<_>>();
        let is_bare = lines(&text).any(|line| {
            let line = line.strip_suffix(b"\r\n").unwrap_or(line);
            line.contains(&b'\r') || line.contains(&b'\n')
        });
        self.ended(&message.concat(), is_bare)
    }

    /// A message that is whole: one reply for each recipient.
    fn ended(&mut self, message: &[u8], is_bad: bool) -> Option<u16> {
        let codes: Vec<u16> = (0..std::mem::take(&mut self.accepted)).map(|_| self.next()).collect();
        if codes.iter().all(|code| *code == 452) && (is_bad || self.was_refused()) {
            return codes.first().copied();
        }
        if message.len() as u64 > SIZE || is_bad {
            assert!(codes.iter().all(|code| matches!(code, 550 | 552)), "{codes:?}");
            return codes.first().copied();
        }
        let (envelope, delivered) =
            self.messages.next().and_then(Option::as_ref).expect("a message that was delivered");
        assert!(delivered == message, "not what was sent");
        let wanted = envelope.recipients.iter().map(|to| match to.local().as_bytes()[0] {
            b'a'..=b'k' => 250,
            _ => 452,
        });
        assert_eq!(wanted.collect::<Vec<u16>>(), codes);
        codes.first().copied()
    }

    /// Did the host refuse the next message?
    fn was_refused(&mut self) -> bool {
        let is_refused = matches!(self.messages.as_slice(), [None, ..]);
        if is_refused {
            self.messages.next();
        }
        is_refused
    }

    fn chunk(&mut self, line: &[u8]) -> Option<u16> {
        let Ok(line) = std::str::from_utf8(line) else { return Some(self.next()) };
        let words: Vec<String> =
            words(line).split(' ').filter(|word| !word.is_empty()).map(str::to_uppercase).collect();
        let length = words.get(1).and_then(|word| word.parse::<u64>().ok());
        let is_last = words.get(2).is_some_and(|word| word == "LAST");
        // A line that is none, or a length that is none: the reply says so at once.
        if self.replies.as_slice().first().is_some_and(|reply| matches!(reply.code, 500 | 421)) {
            return Some(self.next());
        }
        let length = usize::try_from(length?).ok().filter(|length| *length <= self.said.len())?;
        let (octets, rest) = self.said.split_at(length);
        self.said = rest;
        if self.accepted == 0 {
            return Some(self.next()).inspect(|code| assert_eq!(*code, 503));
        }
        let (mut message, was_refused) = self.chunks.take().unwrap_or_default();
        message.extend_from_slice(octets);
        if is_last {
            return self.ended(&message, was_refused);
        }
        let code = self.next();
        assert!(matches!(code, 250 | 552 | 452));
        assert!(code != 452 || was_refused || self.was_refused());
        self.chunks = Some((message, was_refused || code != 250));
        Some(code)
    }
}

/// With their CR LF.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.windows(2).position(|octets| octets == b"\r\n").map_or(rest.len(), |at| at + 2);
        let (line, more) = rest.split_at(end);
        rest = more;
        (!line.is_empty()).then_some(line)
    })
}

fn verb(line: &[u8]) -> String {
    words(&String::from_utf8_lossy(line)).split(' ').next().unwrap_or_default().to_ascii_uppercase()
}

/// Without the end of the line and white space before it.
fn words(line: &str) -> &str {
    line.strip_suffix("\r\n").unwrap_or(line).trim_end_matches([' ', '\t'])
}

fn assert_classes_agree(reply: &Reply) {
    let has_none = matches!(reply.code, 220 | 354) || (reply.code == 250 && reply.lines.len() > 1);
    let class = format!("{}.", reply.code / 100);
    assert!(has_none || reply.lines.iter().all(|line| line.starts_with(&class)), "{reply:?}");
}

/// Conversations that go well and otherwise, each as whole octets.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    let begin = "LHLO far.example\r\nMAIL FROM:<b@far.example> SIZE=30 BODY=8BITMIME\r\nRCPT TO:<a@north.example>\r\n\
        RCPT TO:<z@north.example>\r\nRCPT TO:<m@north.example>\r\n";
    let data = "DATA\r\nSubject: x\r\n\r\n..\r\n.a\r\nb\r\n.\r\n";
    let chunks = "BDAT 5\r\na\n.\r\nBDAT 0\r\nBDAT 3 LAST\r\n.\r\n";
    let utf8 = "MAIL FROM:<@r.example:j\u{fc}rgen@far.example> SMTPUTF8\r\nRCPT TO:<\"a b\"@b\u{fc}cher.example>\r\nRCPT TO:<j\u{fc}@b\u{fc}cher.example>\r\n";
    let talks = [
        ("data", format!("{begin}{data}QUIT\r\n")),
        (
            "twice",
            format!(
                "{begin}{data}MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nRCPT TO:<b@x.example>\r\n{data}QUIT\r\n"
            ),
        ),
        ("chunks", format!("{begin}{chunks}NOOP\r\n{begin}{chunks}")),
        ("utf8", format!("LHLO a\r\n{utf8}{data}")),
        ("bare", format!("{begin}DATA\r\na\n.\n.\r\nb\r.\r\n\r\n.\r\nRSET\r\n{begin}{data}")),
        (
            "nobody",
            "LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<z@b.example>\r\nDATA\r\nBDAT 4\r\nQUITBDAT 1 LAST\r\nx"
                .to_owned(),
        ),
        ("large", format!("{begin}DATA\r\n{}.\r\nNOOP\r\n", "0123456789\r\n".repeat(200))),
        (
            "forgotten",
            format!(
                "{begin}BDAT 2\r\nabRSET\r\n{begin}BDAT 2\r\nabDATA\r\nRCPT TO:<a@b>\r\nLHLO x\r\n{begin}BDAT 2\r\na"
            ),
        ),
        (
            "other",
            "EHLO a\r\nHELP\r\nVRFY b\r\nAUTH PLAIN\r\nSTARTTLS\r\nMAIL FROM:<a@b> X=1\r\nNOOP\nXYZZY\r\n"
                .to_owned(),
        ),
        ("web", "POST / HTTP/1.1\r\nHost: north.example\r\n\r\n".to_owned()),
        ("lost", format!("{begin}BDAT x LAST\r\nQUIT\r\n")),
    ];
    let each = talks.into_iter().zip([0_u8, 1, 1, 4, 8, 12, 16, 17, 20, 24, 28]);
    each.map(|((name, said), choice)| (name.to_owned(), [&[choice], said.as_bytes()].concat())).collect()
}
