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
