//! One header field, and its decoded values.

use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, Address, HeaderValue};
use memchr::memchr;
use memchr::memmem;
use std::borrow::Cow;
use std::fmt;

/// One header field. A hostile header has 100 000 of them: it is kept small, and no field reaches the 4 GiB that a message
/// may have at most.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    raw: &'a [u8],
    /// Octets of its name.
    name_len: u32,
    /// Where the colon stands.
    colon: u32,
}

/// One mailbox of an address field, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Display name after RFC 2047, if there is one.
    pub name: Option<String>,
    /// The addr-spec as written.
    pub address: String,
}

impl<'a> Field<'a> {
    /// The field with its folds and its line end.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }
    /// Its name as spelled.
    pub fn name(&self) -> &'a str {
        // It was ASCII when the field was taken.
        str::from_utf8(self.raw_name()).unwrap_or_default()
    }
    /// The same in octets, which nobody has to look through again.
    pub(crate) fn raw_name(&self) -> &'a [u8] {
        self.raw.get(..self.name_len as usize).unwrap_or_default()
    }
    /// What stands after the colon, with folds, without the last line end.
    pub fn value(&self) -> &'a [u8] {
        let value = self.raw.get(self.colon as usize + 1..).unwrap_or_default();
        value.strip_suffix(b"\n").map_or(value, |line| line.strip_suffix(b"\r").unwrap_or(line))
    }
    /// Unfolded, RFC 2047 decoded, trimmed; of a value of more than 256 KiB, the begin. What is no UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        if let Some(plain) = plain(self.value()) {
            return plain.to_owned();
        }
        let value = decodable(self.value());
        match MessageStream::new(&value).parse_unstructured() {
            HeaderValue::Text(text) => text.trim().to_owned(),
            _ => String::new(),
        }
    }
    /// The mailboxes of an address field, groups flattened; of a value of more than 256 KiB, those at its begin. What has
    /// no addr-spec is left out.
    pub fn mailboxes(&self) -> Vec<Mailbox> {
        self.each_address(mailbox)
    }
    /// The display names of an address field after RFC 2047, of those without an addr-spec too: readers show
    /// them. A comment is part of the name beside it, or is the name.
    pub fn display_names(&self) -> Vec<String> {
        self.each_address(|found| found.name.map(Cow::into_owned).filter(|name| !name.is_empty()))
    }
    fn each_address<T>(&self, take: impl Fn(Addr<'_>) -> Option<T>) -> Vec<T> {
        let value = decodable(self.value());
        match MessageStream::new(&value).parse_address() {
            HeaderValue::Address(Address::List(list)) => list.into_iter().filter_map(take).collect(),
            HeaderValue::Address(Address::Group(groups)) => {
                groups.into_iter().flat_map(|group| group.addresses).filter_map(take).collect()
            }
            _ => Vec::new(),
        }
    }
    /// A parameter of a field like Content-Type, decoded (RFC 2231, and RFC 2047 as many write it); its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let value = decodable(self.value());
        match MessageStream::new(&value).parse_content_type() {
            HeaderValue::ContentType(found) => found.attribute(name).map(str::to_owned),
            _ => None,
        }
    }
}

/// Shows the name and sizes only: what a field says belongs into no log.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Field({}, {} octets)", self.name(), self.raw.len())
    }
}

fn mailbox(found: Addr<'_>) -> Option<Mailbox> {
    let address = found.address?.into_owned();
    Some(Mailbox { name: found.name.map(Cow::into_owned), address })
}

/// The field at the start of the bytes with all its continuation lines, and what follows it.
pub(super) fn take_field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (name_len, colon) = field_name(bytes)?;
    let (raw, rest) = bytes.split_at_checked(field_len(bytes))?;
    let (name_len, colon) = (u32::try_from(name_len).ok()?, u32::try_from(colon).ok()?);
    Some((Field { raw, name_len, colon }, rest))
}

/// The length of the name, and where the colon is: `1*ftext` (RFC 5322 3.6.8), then white space as the obsolete form
/// allows (4.5).
fn field_name(bytes: &[u8]) -> Option<(usize, usize)> {
    let len = bytes.iter().position(|&byte| !is_ftext(byte)).filter(|&len| len > 0)?;
    let rest = bytes.get(len..)?;
    let gap = rest.iter().position(|byte| !is_wsp(byte))?;
    (rest.get(gap) == Some(&b':')).then_some((len, len + gap))
}

fn is_ftext(byte: u8) -> bool {
    matches!(byte, 33..=57 | 59..=126)
}

fn is_wsp(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Octets up to the end of the first line that no continuation line follows.
fn field_len(bytes: &[u8]) -> usize {
    let mut len = 0;
    loop {
        let Some(line) = bytes.get(len..).and_then(|rest| memchr(b'\n', rest)) else { return bytes.len() };
        len += line + 1;
        if !bytes.get(len).is_some_and(is_wsp) {
            return len;
        }
    }
}

/// Values are decoded up to here. A decoder makes up to 25 bytes of each, which are to stay below 8 MiB, and MTAs cut
/// headers at far less (Postfix at 100 KiB).
pub(super) const MAX_DECODED: usize = 256 << 10;

/// The value without the spaces around it, if there is nothing in it to be unfolded or decoded: most are so.
fn plain(value: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
    let value = Some(value).filter(|value| value.len() <= MAX_DECODED && value.iter().all(is_plain))?;
    str::from_utf8(value).ok().map(str::trim)
}

/// The value as mail-parser wants it: with a line end. Values whose decoding would take more than linear time have
/// their encoded words disarmed and come out as they are written.
fn decodable(value: &[u8]) -> Vec<u8> {
    let value = value.get(..MAX_DECODED).unwrap_or(value);
    let mut out = Vec::with_capacity(value.len() + 2);
    if decodes_in_linear_time(value) {
        out.extend_from_slice(value);
    } else {
        out.extend(value.iter().copied().filter(|&byte| byte != b'?'));
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// The decoder looks for the end `?=` from every `=?` on, so a value of many starts and no end takes the square of
/// its length. Honest words lie side by side: their searches add up to a few times the length. The second `?=` is
/// counted because the text of a `Q` word may itself begin with `=`.
fn decodes_in_linear_time(value: &[u8]) -> bool {
    const SLACK: usize = 64 * 1024;
    const TIMES: usize = 8;
    // Every second octet may begin a search, and none is longer than the value.
    if value.len().saturating_mul(value.len()) / 2 <= SLACK {
        return true;
    }
    let ends: Vec<usize> = memmem::find_iter(value, b"?=").collect();
    let mut next = 0;
    let mut cost = 0_usize;
    for start in memmem::find_iter(value, b"=?") {
        while ends.get(next).is_some_and(|&end| end <= start) {
            next += 1;
        }
        let stop = ends.get(next + 1).copied().unwrap_or(value.len());
        cost = cost.saturating_add(stop - start);
    }
    cost <= value.len().saturating_mul(TIMES).saturating_add(SLACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::worked_since;
    use proptest::prelude::*;
    use std::time::Duration;

    fn field(bytes: &[u8]) -> Field<'_> {
        take_field(bytes).unwrap().0
    }

    fn text(bytes: &[u8]) -> String {
        field(bytes).text()
    }

    fn mailboxes(bytes: &[u8]) -> Vec<(Option<String>, String)> {
        field(bytes).mailboxes().into_iter().map(|m| (m.name, m.address)).collect()
    }

    proptest! {
        #[test]
        fn a_plain_value_is_as_the_decoder_gives_it(value in "[ -~]{0,60}") {
            let bytes = format!("A:{value}\n");
            let decodable = decodable(value.as_bytes());
            let decoded = match MessageStream::new(&decodable).parse_unstructured() {
                HeaderValue::Text(text) => text.trim().to_owned(),
                _ => String::new(),
            };
            prop_assert_eq!(text(bytes.as_bytes()), decoded);
        }
    }

    #[test]
    fn text_is_unfolded_decoded_and_trimmed() {
        assert_eq!(text(b"Subject:  a  b\r\n\tc \r\n"), "a  b c");
        assert_eq!(
            text(b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\n =?iso-8859-1?B?IGF1cyBL9mxu?=\n"),
            "Grüße aus Köln"
        );
        assert_eq!(text(b"Subject: a =?utf-8?q?b?= c"), "a b c");
        assert_eq!(text(b"Subject:"), "");
        assert_eq!(text(b"Subject: \r\n \r\n"), "");
        assert_eq!(text(b"Subject: \xe9t\xe9\n"), "\u{fffd}t\u{fffd}");
        assert_eq!(text(b"Subject: =?utf-8?q?open"), "=?utf-8?q?open");
    }

    #[test]
    fn mailboxes_are_flat_and_decoded() {
        let list = mailboxes(
            b"To: Bob <bob@a.example>, =?utf-8?q?J=C3=BCrgen?= <j@b.example>,\r\n c@d.example (Carl)\r\n",
        );
        let expected =
            [(Some("Bob"), "bob@a.example"), (Some("Jürgen"), "j@b.example"), (Some("Carl"), "c@d.example")];
        assert_eq!(list, expected.map(|(name, address)| (name.map(str::to_owned), address.to_owned())));
        let group = mailboxes(b"To: team: a@x.example, \"B, C\" <b@x.example>;, d@x.example\n");
        assert_eq!(
            group.iter().map(|m| m.1.as_str()).collect::<Vec<_>>(),
            ["a@x.example", "b@x.example", "d@x.example"]
        );
        assert_eq!(group[1].0.as_deref(), Some("B, C"));
        assert_eq!(mailboxes(b"To: undisclosed-recipients:;\n"), []);
        assert_eq!(mailboxes(b"To: just a name\n"), []);
        assert_eq!(mailboxes(b"From: <>\n"), []);
    }

    #[test]
    fn display_names_are_shown_without_an_address_too() {
        let names = |bytes: &[u8]| field(bytes).display_names();
        assert_eq!(
            names(b"From: =?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_X?= <j@b.example>, c@d.example,\n (x) \"B, C\" <b@x>\n"),
            ["Jürgen X", "B, C (x)"]
        );
        assert_eq!(names(b"From: just a name\n"), ["just a name"]);
        assert_eq!(names(b"From: \"The Boss\" <>\n"), ["The Boss"]);
        assert_eq!(names(b"From: team: Ann <a@x.example>, b@x.example;\n"), ["Ann"]);
        assert_eq!(names(b"From: a@x.example\n"), Vec::<String>::new());
    }

    #[test]
    fn hostile_words_cost_linear_time() {
        for piece in [&b"=?ab?q? "[..], b"=?ab?q?=41 ", b"=?ab?b?", b"=?", b"=?ab ", b"<(\"=?utf-8?q?"] {
            let bytes = [b"To: ", piece.repeat(200_000).as_slice()].concat();
            let begun = worked_since(Duration::ZERO);
            let _ = (field(&bytes).text(), field(&bytes).mailboxes());
            let _ = field(&bytes).parameter("name");
            assert!(worked_since(begun).as_secs() < 5, "{}", String::from_utf8_lossy(piece));
        }
        for piece in
            [&b"; a*1*=utf-8''%41"[..], b"; a=b", b"; a*9=\"", b";", b"; a*", b"(", b"\"\\", b"; name*0*=x"]
        {
            let bytes = [b"C: a/b", piece.repeat(100_000).as_slice()].concat();
            let begun = worked_since(Duration::ZERO);
            let _ = field(&bytes).parameter("name");
            assert!(worked_since(begun).as_secs() < 5, "{}", String::from_utf8_lossy(piece));
        }
        let many = [b"S: ", b"=?utf-8?q?=41=42?= ".repeat(10_000).as_slice()].concat();
        assert_eq!(text(&many), "AB".repeat(10_000));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            let bytes = [b"To:", bytes.as_slice()].concat();
            let _ = (field(&bytes).text(), field(&bytes).mailboxes());
        }

        #[test]
        fn no_syntax_panics(value in "([=?<>\"(),:;@\\\\ \r\n]|=\\?utf-8\\?[qb]\\?|\\?=|ab|\n |=C3){0,60}") {
            let bytes = format!("To:{value}").into_bytes();
            let _ = (field(&bytes).text(), field(&bytes).mailboxes());
        }
    }
}
