//! A message as a view over its bytes.

use super::field::{Field, take_field};
use std::{fmt, iter};

/// More fields than this are not looked at: what follows them counts as body (spec: "Limits").
pub const MAX_FIELDS: usize = 100_000;

/// Most messages have fewer.
const USUAL_FIELDS: usize = 32;

/// Header fields by offset, in their order and spelling, and the body. The header ends at the first line that is
/// neither a field nor a continuation. Making one never fails, and nothing is decoded until it is asked for.
pub struct Message<'a> {
    bytes: &'a [u8],
    fields: Vec<Field<'a>>,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// A view over the bytes.
    pub fn new(bytes: &'a [u8]) -> Message<'a> {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        let mut rest = bytes;
        while fields.len() < MAX_FIELDS
            && let Some((field, after)) = take_field(rest)
        {
            fields.push(field);
            rest = after;
        }
        Message { bytes, fields, body: without_empty_line(rest) }
    }
    /// All of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
    /// The fields in their order.
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }
    /// The fields of that name (ASCII case folded), in their order.
    pub fn fields_named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Field<'a>> + 's {
        self.fields.iter().filter(move |field| field.raw_name().eq_ignore_ascii_case(name.as_bytes()))
    }
    /// What follows the empty line after the header; if the header was cut off by a line that is no field, from that line on.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
    /// Would the header be the same if more octets followed? Asked of the begin of a message.
    pub fn has_whole_header(&self) -> bool {
        let header: usize = self.fields.iter().map(|field| field.raw().len()).sum();
        header + self.body.len() < self.bytes.len() || begins_no_field(self.body)
    }
}

/// Whatever follows.
fn begins_no_field(octets: &[u8]) -> bool {
    let name = octets.iter().take_while(|&&octet| octet.is_ascii_graphic() && octet != b':').count();
    let after = octets.iter().skip(name).find(|&&octet| octet != b' ' && octet != b'\t');
    match (name, after) {
        // An empty line may be cut between its two octets.
        (0, Some(b'\r')) => octets.len() > 1,
        (0, Some(_)) => true,
        (_, after) => after.is_some_and(|&octet| octet != b':'),
    }
}

/// The fields at the start of the bytes, without the limit of [`MAX_FIELDS`]: found one by one, none is kept.
pub fn header_fields(bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = bytes;
    iter::from_fn(move || {
        let (field, after) = take_field(rest)?;
        rest = after;
        Some(field)
    })
}

fn without_empty_line(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b"\n").or_else(|| rest.strip_prefix(b"\r\n")).unwrap_or(rest)
}

/// Shows sizes only: what a message says belongs into no log.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Message")
            .field("bytes", &self.bytes.len())
            .field("fields", &self.fields.len())
            .field("body", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(bytes: &[u8]) -> Vec<String> {
        Message::new(bytes).fields().iter().map(|field| field.name().to_owned()).collect()
    }

    /// The fields joined are the header byte for byte, and what is left is the body, with or without an empty line.
    fn assert_splits(bytes: &[u8]) {
        let message = Message::new(bytes);
        let header: Vec<u8> = message.fields().iter().flat_map(|field| field.raw()).copied().collect();
        let rest = bytes.strip_prefix(&header[..]).expect("the fields are the start of the message");
        let body = message.body();
        assert!(
            rest == body
                || rest.strip_prefix(b"\n") == Some(body)
                || rest.strip_prefix(b"\r\n") == Some(body)
        );
    }

    #[test]
    fn splits_header_and_body() {
        let message = Message::new(b"To: a\r\nSubject: b\r\n c\r\n\r\nbody\r\n");
        assert_eq!(message.fields()[1].raw(), b"Subject: b\r\n c\r\n");
        assert_eq!(message.fields()[1].value(), b" b\r\n c");
        assert_eq!(message.body(), b"body\r\n");
        assert_eq!(message.fields_named("TO").count(), 1);
    }

    #[test]
    fn a_line_that_is_no_field_ends_the_header() {
        let message = Message::new(b"To: a\nno field here\nCc: b\n\nx");
        assert_eq!(message.fields().len(), 1);
        assert_eq!(message.body(), b"no field here\nCc: b\n\nx");
        for bytes in [&b" folded first\nTo: a\n"[..], b"\tx", b": x\n", b"F\xc3\xbc: x\n", b"a b: x\n", b"\r"]
        {
            assert_eq!(names(bytes), [""; 0]);
            assert_eq!(Message::new(bytes).body(), bytes);
        }
    }

    #[test]
    fn header_only_empty_and_obsolete_forms() {
        assert_eq!(names(b"To: a"), ["To"]);
        assert_eq!(Message::new(b"To: a").body(), b"");
        assert_eq!(names(b""), [""; 0]);
        assert_eq!(Message::new(b"\n\nx").body(), b"\nx");
        assert_eq!(names(b"To \t : a\n"), ["To"]);
        assert_eq!(Message::new(b"To \t : a\n").fields()[0].raw(), b"To \t : a\n");
        assert_eq!(names(b"To:\n \n \t\nCc: x\n"), ["To", "Cc"]);
    }

    #[test]
    fn fields_past_the_limit_are_body() {
        let bytes = b"a:\n".repeat(MAX_FIELDS + 2);
        let message = Message::new(&bytes);
        assert_eq!(message.fields().len(), MAX_FIELDS);
        assert_eq!(message.body(), b"a:\na:\n");
        assert_eq!(header_fields(&bytes).count(), MAX_FIELDS + 2);
    }

    proptest! {
        #[test]
        fn a_whole_header_stays_what_it_is(bytes in prop::collection::vec(prop::sample::select(b"\r\n :aT\t\0\xff".to_vec()), 0..30), more in prop::collection::vec(prop::sample::select(b"\n :a\0".to_vec()), 0..6)) {
            let begin = Message::new(&bytes);
            if begin.has_whole_header() {
                let all = [bytes.as_slice(), &more].concat();
                let whole = Message::new(&all);
                prop_assert_eq!(names(&all), names(&bytes));
                prop_assert_eq!(whole.body().len(), begin.body().len() + more.len());
            }
        }
    }

    #[test]
    fn a_header_is_known_when_nothing_behind_it_can_change_it() {
        for whole in [
            &b"A: b\n\n"[..],
            b"A: b\r\n\r\n",
            b"A: b\nno field\n",
            b"\n",
            b"x\n",
            b"A: b\n\nx",
            b"\0",
            b"a b",
        ] {
            assert!(Message::new(whole).has_whole_header(), "{}", whole.escape_ascii());
        }
        for open in [&b""[..], b"A: b", b"A: b\n", b"A: b\r\n\r", b"A: b\nnofiel", b"x", b"x  ", b"\r"] {
            assert!(!Message::new(open).has_whole_header(), "{}", open.escape_ascii());
        }
    }

    #[test]
    fn debug_shows_no_content() {
        let shown = format!("{:?}", Message::new(b"Subject: secret\n\nsecret"));
        assert_eq!(shown, "Message { bytes: 23, fields: 1, body: 6 }");
    }

    #[test]
    fn public_messages_split_byte_for_byte() {
        for (path, bytes) in crate::mail::vectors::files("mail") {
            let bytes = crate::mail::without_mbox_line(&bytes);
            assert_splits(bytes);
            let message = Message::new(bytes);
            for field in message.fields() {
                let _ = (field.text(), field.mailboxes());
            }
            assert!(!path.as_os_str().is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_split(bytes in prop::collection::vec(prop::sample::select(b"\r\n :aT\t\0\xff".to_vec()), 0..80)) {
            assert_splits(&bytes);
        }

        #[test]
        fn all_bytes_split(bytes: Vec<u8>) {
            assert_splits(&bytes);
        }
    }
}
