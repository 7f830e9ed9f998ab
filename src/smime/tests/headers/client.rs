//! What a client makes of it that follows RFC 9788, and knows nothing of us.

use super::*;
use crate::mail::MediaType;
use proptest::prelude::*;

/// Names and values: unfolded, without the white space around the value.
type Fields = Vec<(String, String)>;

/// The header of an entity with lines ended by CRLF, up to the first empty line.
fn header(entity: &[u8]) -> Fields {
    let text: String = entity.iter().map(|&octet| char::from(octet)).collect();
    let header = text.split("\r\n\r\n").next().unwrap();
    let unfolded = header.replace("\r\n ", " ").replace("\r\n\t", "\t");
    let fields = unfolded.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.trim_end().to_owned(), value.trim().to_owned())).collect()
}

/// RFC 9787 1.1.1.
fn is_structural(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "mime-version" || name.starts_with("content-")
}

/// HeaderSetsFromMessage of RFC 9788 4.2.1: what the composer left outside, and what he protected.
fn header_sets(payload: &[u8]) -> (Fields, Fields) {
    let (mut outer, mut protected) = (Fields::new(), Fields::new());
    for (name, value) in header(payload) {
        if name.eq_ignore_ascii_case("HP-Outer") {
            let (name, value) = value.split_once(':').unwrap();
            outer.push((name.to_owned(), value.trim_start().to_owned()));
        } else {
            protected.push((name, value));
        }
    }
    (outer, protected)
}

struct Client {
    /// The header beside the encryption.
    outside: Fields,
    outer: Fields,
    protected: Fields,
}

impl Client {
    fn read(message: &[u8], headers: HeaderPolicy) -> Client {
        let sealed = seal_hiding(message, headers);
        assert_eq!(sealed.facts().headers_kept, None);
        let outside = header(&crlf(sealed.bytes()));
        let Protection::Encrypted(enveloped) = find(&Message::new(sealed.bytes())) else { panic!("sealed") };
        let payload = open::open_content(*enveloped, &[alice().opening()], &Policy::READING).unwrap();
        assert!(payload.expose() == inside(message, headers, 1000));
        let (outer, protected) = header_sets(payload.expose());
        Client { outside, outer, protected }
    }

    fn is_protected(&self) -> bool {
        let types = self.protected.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
        let types: Vec<_> = types.map(|(_, value)| MediaType::parse(value.as_bytes()).unwrap()).collect();
        types.len() == 1 && types[0].parameter("hp") == Some("cipher")
    }

    fn values(&self, name: &str) -> Vec<&str> {
        let named = self.protected.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// HeaderFieldProtection of RFC 9788 4.3.1, for a message without a signature.
    fn is_confidential(&self, name: &str) -> bool {
        let mut own = self.protected.iter().filter(|(other, _)| other == name);
        self.is_protected() && own.all(|field| !self.outer.contains(field))
    }

    /// What the composer says that he left outside is what is outside.
    fn assert_agrees(&self) {
        let outside = self.outside.iter().filter(|(name, _)| !is_structural(name));
        assert_eq!(outside.collect::<Vec<_>>(), self.outer.iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_client_comes_to_the_subject_and_knows_what_is_confidential() {
    for (headers, names) in [(HeaderPolicy::HideSubject, false), (HeaderPolicy::HideMost, true)] {
        let client = Client::read(MESSAGE.as_bytes(), headers);
        client.assert_agrees();
        assert!(client.is_protected());
        assert_eq!(client.values("Subject"), ["Handling the Jones contract"]);
        assert_eq!(client.values("From"), ["Bob <bob@example.net>"]);
        assert!(client.is_confidential("Subject") && client.is_confidential("Keywords"));
        assert!(!client.is_confidential("Message-ID") && !client.is_confidential("Received"));
        for name in ["From", "To", "Date"] {
            assert_eq!(client.is_confidential(name), names, "{name}");
        }
    }
    assert!(!Client::read(MESSAGE.as_bytes(), HeaderPolicy::Keep).is_protected());
}

/// What arrives in these names is not ours, and the client does not see it.
#[test]
fn forged_protection_is_not_believed_under_any_policy() {
    let message = b"HP-Outer: Subject: forged\nSubject: s\nhp-outer: From: eve@x.example\n\
        Sealpost-Marker: v=1; added=9\nContent-Type: text/plain; hp=\"clear\"; hp*=x\n\nx";
    for headers in HeaderPolicy::ALL {
        let client = Client::read(message, headers);
        assert_eq!(client.is_protected(), headers != HeaderPolicy::Keep);
        assert!(client.outer.iter().all(|(name, value)| name != "From" && value != "forged"));
        match headers {
            HeaderPolicy::Keep => assert_eq!(client.outer, []),
            _ => client.assert_agrees(),
        }
    }
}

#[test]
fn lines_of_white_space_and_long_lines_agree_too() {
    let long = "x".repeat(985);
    let message =
        format!("To:\n \n \t\n a@b.example\n \nEmpty:\nOdd \t:\ta \n\t b  \n  \nLong: {long}\nLast: y\n\nx");
    let client = Client::read(message.as_bytes(), HeaderPolicy::HideSubject);
    client.assert_agrees();
    let inside = inside(message.as_bytes(), HeaderPolicy::HideSubject, 999);
    let added = inside.split(|&octet| octet == b'\n').take_while(|line| !line.starts_with(b"To:"));
    let mut count = 0;
    for line in added {
        count += 1;
        assert!(line.len() <= 999 && !line.trim_ascii().is_empty(), "{}", line.escape_ascii());
    }
    assert!(count > 8 && client.outer.iter().any(|(name, value)| name == "Long" && *value == long));
}

fn field() -> impl Strategy<Value = String> {
    let names = ["Subject", "From", "To", "Date", "X-Any", "Comments", "HP-Outer", "Sealpost-Marker"];
    let value = "([ -~\u{e4}]{0,20}| A <a@b\\.example>)(\r?\n[ \t][ -~]{0,9}){0,3}";
    (prop::sample::select(names.to_vec()), value, "\r?\n")
        .prop_map(|(name, value, end)| format!("{name}:{value}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_said_of_the_outside_is_the_outside(
        before in prop::collection::vec(field(), 0..6),
        content_type in prop::sample::select(vec!["", "Content-Type: text/plain; charset=utf-8;\n"]),
        after in prop::collection::vec(field(), 1..6),
        most: bool,
    ) {
        let message = format!("{}{content_type}{}\nx", before.concat(), after.concat()).into_bytes();
        let client = Client::read(&message, if most { HeaderPolicy::HideMost } else { HeaderPolicy::HideSubject });
        client.assert_agrees();
        prop_assert!(client.is_protected());
        let arrived = header(&crlf(&message));
        let subjects = arrived.iter().filter(|(name, _)| name == "Subject").map(|(_, value)| value.as_str());
        prop_assert_eq!(client.values("Subject"), subjects.collect::<Vec<_>>());
        prop_assert!(client.outside.iter().all(|(name, value)| name != "Subject" || value == "[...]"));
    }
}
