//! Whatever a server says: the conversation ends, everybody has an outcome, nothing secret goes in the clear, and the mail
//! goes to nobody who did not ask for it.

use sealpost::courier::{Dialect, Dialogue, Letter, Login, ReplyReader, Terms, Want, Way};
use sealpost::crypto::SecretBytes;
use sealpost::engine::Carried;
use sealpost::mail::Address;

const WORD: &str = "xyzzy-plugh-4711";
const WAYS: [Way; 4] = [Way::Clear, Way::StartTlsIfOffered, Way::StartTls, Way::Encrypted];

/// The first octet says who talks how; the rest is what the server says.
pub(crate) fn hold(input: &[u8]) {
    let Some((&choice, said)) = input.split_first() else { return };
    let login = Login::new("tim", SecretBytes::new(WORD.into()));
    let way = WAYS[usize::from(choice & 3)];
    let dialect = if choice & 4 == 0 { Dialect::Smtp } else { Dialect::Lmtp };
    let terms =
        Terms { dialect, name: "north.example", way, login: Some(&login).filter(|_| choice & 8 != 0) };
    let recipients =
        ["a@far.example", "jürgen@far.example", "c@far.example"].map(|to| Address::parse(to).unwrap());
    let message = format!("Subject: {WORD}\n\n.\n{WORD}\u{e9}\n");
    let letter = Letter { sender: "b@far.example", recipients: &recipients, message: message.as_bytes() };
    talk(Dialogue::new(terms, letter), said, way);
}

fn talk(mut dialogue: Dialogue<'_>, mut said: &[u8], way: Way) {
    let (mut reader, mut is_encrypted, mut was_asked) = (ReplyReader::default(), false, false);
    for _ in 0..30 {
        match dialogue.want() {
            Want::End => return judge(dialogue.outcomes(), was_asked),
            Want::Tls => {
                is_encrypted = true;
                dialogue.is_encrypted_now();
            }
            Want::Send(octets) => {
                let text = String::from_utf8_lossy(octets.expose()).into_owned();
                assert!(
                    text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']),
                    "{text:?}"
                );
                assert!(is_encrypted || !text.starts_with("AUTH"), "a login in the clear");
                if text.contains(WORD) {
                    assert!(was_asked && text.ends_with("\r\n.\r\n"));
                    assert!(is_encrypted || matches!(way, Way::Clear | Way::StartTlsIfOffered));
                }
            }
            Want::Reply => match reader.take(said) {
                Ok((taken, Some(reply))) => {
                    said = &said[taken..];
                    was_asked |= reply.code == 354;
                    dialogue.take(&reply);
                }
                Ok((_, None)) => dialogue.fail("the server is silent"),
                Err(error) => dialogue.fail(&error.to_string()),
            },
        }
    }
    panic!("it does not end");
}

fn judge(outcomes: Vec<Carried>, was_asked: bool) {
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        match outcome {
            Carried::Sent => assert!(was_asked),
            Carried::Later(why) | Carried::Refused(why) => {
                assert!(why.len() < 400 && why.is_ascii() && !why.chars().any(char::is_control), "{why:?}");
            }
        }
    }
}

/// Conversations that go well and otherwise, to begin with.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let good = "220 hi\r\n250-mail\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN\r\n\
        250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n452 full\r\n550 no\r\n221 bye\r\n";
    let tls = "220 hi\r\n250-mail\r\n250 STARTTLS\r\n220 go\r\n250-mail\r\n250-8BITMIME\r\n250 AUTH LOGIN\r\n334 VXNlcg==\r\n\
        334 UGFzcw==\r\n235 2.7.0 ok\r\n250 ok\r\n250 ok\r\n550 5.1.1 who\r\n354 go\r\n250 ok\r\n";
    let bad = "220-hi\r\n220 there\r\n250 mail\r\n421 4.3.2 gone\r\n";
    let each = [good, tls, bad].into_iter().flat_map(|said| (0..16).map(move |choice| (choice, said)));
    each.map(|(choice, said)| [&[choice], said.as_bytes()].concat()).collect()
}
