//! What a foreign reader, Python's `email`, sees in the mails that rules write.

use crate::support::{Program, tools};
use sealpost::mail::{Address, Correspondent, Letter, one_line};
use serde::Deserialize;
use time::macros::datetime;

/// Reads a message from standard input and tells what it sees.
const READER: &str = r#"
import email, email.policy, json, sys
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
attached = [part for part in message.walk() if part.get_content_type() == "message/rfc822"]
text = message.get_body(("plain", "html"))
print(json.dumps({
    "names": [name for name in message.keys()],
    "subject": str(message["Subject"]),
    "from": [[one.display_name, one.addr_spec] for one in message["From"].addresses],
    "to": [[one.display_name, one.addr_spec] for one in message["To"].addresses],
    "date": message["Date"].datetime.isoformat(),
    "media_type": text.get_content_type(),
    "text": text.get_content().replace("\r\n", "\n"),
    "attached": [str(part.get_content()["Subject"]) for part in attached],
    "defects": [repr(defect) for part in message.walk() for defect in part.defects],
}))
"#;

#[derive(Deserialize, Debug, PartialEq)]
struct Seen {
    names: Vec<String>,
    subject: String,
    from: Vec<(String, String)>,
    to: Vec<(String, String)>,
    date: String,
    media_type: String,
    text: String,
    attached: Vec<String>,
    defects: Vec<String>,
}

fn seen(letter: Letter<'_>) -> Seen {
    let told = Program::new("python3").args(["-c", READER]).input(letter.bytes()).run().ok();
    serde_json::from_slice(&told).unwrap()
}

fn someone(name: Option<&str>, address: &str) -> Correspondent {
    Correspondent { name: name.map(str::to_owned), address: Address::parse(address).unwrap() }
}

fn letter<'t>(subject: &str, name: &str, text: &'t str) -> Letter<'t> {
    Letter {
        from: someone(Some(name), "bob@north.example"),
        reply_to: Vec::new(),
        to: (0..30).map(|at| someone(None, &format!("carol{at}@far.example"))).collect(),
        cc: Vec::new(),
        subject: subject.to_owned(),
        date: datetime!(2026-11-01 12:00 UTC),
        message_id: "1@north.example".into(),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        fields: vec![("Auto-Submitted".into(), "auto-replied".into())],
        media_type: "text/plain",
        text,
        attached: None,
    }
}

const NAMES: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

#[test]
fn python_reads_what_was_meant_and_nothing_else() {
    if !tools(&["python3"]) {
        return;
    }
    let long = "Grüße ".repeat(60);
    for (subject, name, text) in [
        ("pay", "Bob", "I am away.\n"),
        ("Grüße aus Köln", "Jürgen \"JJ\" Müller, Köln", "Grüße\n.\n..\nFrom me\n\ttab\n"),
        ("a\r\nBcc: x@y.example\r\n\r\nbody", "Bob\r\nBcc: x@y.example", "a\r\nb\rc\nd\n"),
        ("=?utf-8?q?a=0D=0ABcc:_x@y.example?=", "=?utf-8?q?Eve?= <eve@evil.example>", "=?utf-8?q?x?=\n"),
        // Not the name: Python 3.11 puts a blank between the encoded words of a long one.
        (long.as_str(), "Bob", long.as_str()),
        ("", "\\\"", ""),
    ] {
        let seen = seen(letter(subject, name, text));
        assert_eq!(seen.names, NAMES);
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&seen.subject), squeezed(&one_line(subject)));
        let [(display, address)] = seen.from.as_slice() else { panic!("{seen:?}") };
        assert_eq!((squeezed(display), address.as_str()), (squeezed(&one_line(name)), "bob@north.example"));
        assert_eq!(seen.to.len(), 30);
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(seen.text.trim_end(), lines.trim_end());
        assert_eq!(seen.date, "2026-11-01T12:00:00+00:00");
        assert_eq!(seen.defects, [""; 0]);
    }
}

#[test]
fn python_finds_the_attached_message_whole() {
    if !tools(&["python3"]) {
        return;
    }
    let message = "Subject: inner\r\nContent-Type: multipart/mixed; boundary=\"=_a\"\r\n\r\n--=_a\r\n\r\nüx\r\n--=_a--\r\n";
    let attached = Some((message.as_bytes(), "=_0123456789abcdef".to_owned()));
    let seen = seen(Letter { attached, ..letter("Fwd: inner", "Bob", "Forwarded.\n") });
    assert_eq!((seen.attached, seen.defects), (vec!["inner".to_owned()], Vec::<String>::new()));
    assert_eq!(seen.text.trim_end(), "Forwarded.");
}
