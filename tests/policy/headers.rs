//! What is hidden of the header, and what another program finds inside: OpenSSL opens, Python's `email` reads.

use super::CLEAR;
use crate::hook::assert_answer;
use crate::support::{Program, Store, crlf, path, tools};
use serde_json::Value;

const MESSAGE: &[u8] = b"Received: from x\n\tby y\nDate: Wed, 11 Jan 2023 16:08:43 -0500\n\
From: Anna Lind <anna@south.example>\nTo: Bob <bob@north.example>\nSubject: The Jones\n contract\n\
Keywords: Contract\nThread-Topic: The Jones contract\nMessage-ID: <1@south.example>\n\
Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nThe word is xyzzy-plugh-4711.\n";

/// The fields of a message as JSON, unfolded, in their order; the last word is its parameter `hp`.
const READER: &str = "import sys, json, email, email.policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.compat32)
unfolded = lambda value: value.replace('\\r', '').replace('\\n', '').strip()
print(json.dumps([[name, unfolded(value)] for name, value in message.items()] + [message.get_param('hp')]))";

type Fields = Vec<(String, String)>;

fn read(entity: &[u8]) -> (Fields, Option<String>) {
    let json = Program::new("python3").args(["-c", READER]).input(entity).run().ok();
    let mut values: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let parameter = values.pop().unwrap().as_str().map(str::to_owned);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (values.iter().map(|field| (text(&field[0]), text(&field[1]))).collect(), parameter)
}

/// What the composer says that he left outside (HeaderSetsFromMessage, RFC 9788 4.2.1), and the header itself.
fn header_sets(payload: Fields) -> (Fields, Fields) {
    let (outer, protected): (Fields, Fields) = payload.into_iter().partition(|(name, _)| name == "HP-Outer");
    let outer = outer.iter().map(|(_, value)| value.split_once(": ").unwrap());
    (outer.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(), protected)
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

fn is_structural(name: &str) -> bool {
    name == "MIME-Version" || name.starts_with("Content-")
}

fn assert_hidden(store: &Store, sealed: &[u8], policy: &str, from: &str) {
    let (mut outside, _) = read(sealed);
    let opened = store.open(sealed);
    let (payload, parameter) = read(&opened);
    let (outer, protected) = header_sets(payload);
    outside.retain(|(name, _)| !is_structural(name));
    assert_eq!(outer, outside, "what is said of the outside is the outside");
    assert_eq!(parameter.as_deref(), Some("cipher"));
    assert_eq!(value(&outside, "Subject"), Some("[...]"));
    assert_eq!(value(&protected, "Subject"), Some("The Jones contract"));
    assert_eq!(value(&outside, "From"), Some(from));
    assert_eq!(value(&protected, "From"), Some("Anna Lind <anna@south.example>"));
    for gone in ["Keywords", "Thread-Topic"] {
        assert_eq!((value(&outside, gone), value(&protected, gone).is_some()), (None, true), "{gone}");
    }
    assert!(value(&outside, "Sealpost-Sealed").unwrap().contains(&format!("; headers={policy}; eol=lf")));
    assert!(opened.ends_with(b"8bit\r\n\r\nThe word is xyzzy-plugh-4711.\r\n"), "the body is as it was");
    let args = ["open", "--key", path(&store.bob.key), "--cert", path(&store.bob.certificate)];
    assert_eq!(Program::sealpost().args(args).input(sealed).run().ok(), crlf(MESSAGE));
}

#[test]
fn site_and_rule_say_what_is_hidden() {
    if !tools(&["openssl", "python3"]) {
        return;
    }
    let store = Store::new();
    store.config("headers = \"hide-subject\"\n");
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert_hidden(&store, &store.inbox()[0], "hide-subject", "Anna Lind <anna@south.example>");
    assert!(!store.holds(CLEAR) && !store.holds(b"Jones") && !store.holds(b"Contract"));
    let most = "[\"Store Encrypted in\", \"INBOX\", {headers = \"hide-most\"}], [\"Discard\"]";
    store.rule("--account bob@north.example", most);
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let shy = store
        .inbox()
        .into_iter()
        .find(|stored| read(stored).0.iter().any(|(_, value)| value.contains("hide-most")));
    let shy = shy.unwrap();
    assert_hidden(&store, &shy, "hide-most", "anna@south.example");
    let (outside, _) = read(&shy);
    assert_eq!(value(&outside, "Date"), Some("Wed, 11 Jan 2023 21:08:43 +0000"));
    assert_eq!(value(&outside, "To"), Some("bob@north.example"));
    assert_eq!(value(&outside, "Received"), Some("from x\tby y"));
    assert_eq!(value(&outside, "Message-ID"), Some("<1@south.example>"));
}

#[test]
fn the_log_says_why_a_header_is_not_hidden() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let log = store.file("log");
    store.config(&format!("headers = \"hide-subject\"\nlog = \"{}\"\n", path(&log)));
    let signed = Program::new("openssl")
        .words("cms -sign -md sha256 -subject Contract")
        .args(["-signer", path(&store.bob.certificate), "-inkey", path(&store.bob.key)])
        .input(MESSAGE)
        .run()
        .ok();
    let doubled = [b"Content-Type: text/plain\n", MESSAGE].concat();
    for (message, reason) in [
        (signed.as_slice(), "the message is signed or encrypted by its sender, or says so"),
        (&doubled, "the message has several Content-Type fields, or one that does not parse"),
    ] {
        assert_answer(&store.deliver(message), 0, "2.0.0");
        let text = std::fs::read_to_string(&log).unwrap();
        let line = text.lines().find(|line| line.contains(reason)).unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains(" WARN ") && line.contains("owner=bob@north.example"), "{line}");
        assert!(!text.contains("Contract") && !text.contains("Jones"), "{text}");
    }
    let subjects = store.inbox().iter().filter(|stored| !read_header(stored).contains("[...]")).count();
    assert_eq!(subjects, 2);
}

fn read_header(message: &[u8]) -> String {
    String::from_utf8_lossy(message).replace("\r\n", "\n").split("\n\n").next().unwrap().to_owned()
}
