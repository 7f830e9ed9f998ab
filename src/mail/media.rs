//! Content-Type values (RFC 2045 5, parameters as RFC 2231 extends them).

use super::Message;
use std::collections::BTreeMap;

/// More parameters than this are not looked at.
const MAX_PARAMETERS: usize = 64;

/// A media type and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
    whole: bool,
}

impl MediaType {
    /// What the first Content-Type field says. RFC 2045 5.2 gives `text/plain` to a message without one, or with one
    /// that does not parse.
    pub fn of(message: &Message<'_>) -> MediaType {
        let field = message.fields_named("Content-Type").next();
        field.and_then(|field| MediaType::parse(field.value())).unwrap_or_else(MediaType::plain_text)
    }

    fn plain_text() -> MediaType {
        MediaType { essence: "text/plain".into(), parameters: Vec::new(), whole: true }
    }

    /// Reads the value of a Content-Type field. Parameters end where they stop making sense.
    pub fn parse(value: &[u8]) -> Option<MediaType> {
        let mut reader = Reader { rest: value, open: false };
        let kind = reader.token()?;
        let subtype = reader.skip(b'/').and_then(|()| reader.token())?;
        let mut essence = [kind, "/", subtype].concat();
        essence.make_ascii_lowercase();
        let parameters = join_sections(read_parameters(&mut reader));
        Some(MediaType { essence, parameters, whole: reader.is_at_end() })
    }

    /// Is the value what RFC 2045 5.1 says, up to its end? Readers agree on nothing else: not on what follows a parameter
    /// that makes no sense, nor on a quote or a comment that is not closed.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// `type/subtype` in lower case.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Is it of that type, whatever the subtype?
    pub fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }

    /// The value of a parameter (name in lower case), decoded; the first one if there are several.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

fn read_parameters(reader: &mut Reader<'_>) -> Vec<(String, Vec<u8>)> {
    let mut parameters = Vec::new();
    let mut rest = reader.rest;
    while parameters.len() < MAX_PARAMETERS
        && let Some(parameter) = reader.parameter()
    {
        parameters.push(parameter);
        rest = reader.rest;
    }
    reader.rest = rest;
    parameters
}

/// `name*0*`, `name*1`… become one parameter, in the order of their numbers (RFC 2231 3 and 4.1).
pub(crate) fn join_sections(raw: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    if raw.iter().all(|(name, _)| !name.contains('*')) {
        return first_of_each_name(raw);
    }
    let mut joined: Vec<(String, BTreeMap<u32, Vec<u8>>)> = Vec::new();
    for (full, octets) in raw {
        let section = Section::parse(&full);
        let octets = section.decode(octets);
        match joined.iter_mut().find(|(name, _)| name == section.name) {
            Some((_, sections)) => drop(sections.entry(section.number).or_insert(octets)),
            None => joined.push((section.name.to_owned(), BTreeMap::from([(section.number, octets)]))),
        }
    }
    let whole = |sections: BTreeMap<u32, Vec<u8>>| text(sections.into_values().flatten().collect());
    joined.into_iter().map(|(name, sections)| (name, whole(sections))).collect()
}

/// Nothing is in sections, as it mostly is.
fn first_of_each_name(raw: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let mut first: Vec<(String, String)> = Vec::with_capacity(raw.len());
    for (name, octets) in raw {
        if !first.iter().any(|(known, _)| *known == name) {
            first.push((name, text(octets)));
        }
    }
    first
}

fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A parameter's name taken apart: `name`, `*number`, and a last `*` if the value is percent-encoded.
struct Section<'a> {
    name: &'a str,
    number: u32,
    encoded: bool,
}

impl Section<'_> {
    fn parse(full: &str) -> Section<'_> {
        let (base, encoded) = full.strip_suffix('*').map_or((full, false), |base| (base, true));
        match base.rsplit_once('*').and_then(|(name, number)| Some((name, number.parse().ok()?))) {
            Some((name, number)) => Section { name, number, encoded },
            None => Section { name: base, number: 0, encoded },
        }
    }

    fn decode(&self, octets: Vec<u8>) -> Vec<u8> {
        match self.encoded {
            true => percent_decode(if self.number == 0 { without_charset(&octets) } else { &octets }),
            false => octets,
        }
    }
}

/// What follows `charset'language'`. The charset is not converted: what we read parameters for is ASCII.
fn without_charset(octets: &[u8]) -> &[u8] {
    let mut pieces = octets.splitn(3, |&byte| byte == b'\'');
    pieces.nth(2).unwrap_or(octets)
}

fn percent_decode(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&first, tail)) = rest.split_first() {
        match tail
            .split_at_checked(2)
            .filter(|_| first == b'%')
            .and_then(|(hex, after)| Some((hex_octet(hex)?, after)))
        {
            Some((octet, after)) => {
                out.push(octet);
                rest = after;
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

fn hex_octet(hex: &[u8]) -> Option<u8> {
    let digits = hex.iter().all(u8::is_ascii_hexdigit);
    digits.then(|| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()).flatten()
}

/// Walks over a structured value.
struct Reader<'a> {
    rest: &'a [u8],
    /// A quote or a comment was not closed.
    open: bool,
}

impl<'a> Reader<'a> {
    /// `; name = value`; empty ones (`;;`) are skipped.
    fn parameter(&mut self) -> Option<(String, Vec<u8>)> {
        self.skip(b';')?;
        while self.skip(b';').is_some() {}
        let name = self.token()?.to_ascii_lowercase();
        self.skip(b'=')?;
        Some((name, self.value()?))
    }

    /// Is nothing left but semicolons, white space and comments?
    fn is_at_end(&mut self) -> bool {
        while self.skip(b';').is_some() {}
        self.rest.is_empty() && !self.open
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        match self.skip(b'"') {
            Some(()) => Some(self.quoted()),
            None => self.token().map(|token| token.as_bytes().to_vec()),
        }
    }

    /// RFC 2045 5.1, after white space and comments. `/`, `?`, `=`, `@` and `:` are let through inside values by many
    /// readers; here they end a token, as the grammar says.
    fn token(&mut self) -> Option<&'a str> {
        self.skip_space();
        let len = self.rest.iter().position(|&byte| !is_token(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        str::from_utf8(token).ok().filter(|token| !token.is_empty())
    }

    /// Takes that octet, after white space and comments.
    fn skip(&mut self, octet: u8) -> Option<()> {
        self.skip_space();
        let (_, rest) = self.rest.split_first().filter(|(first, _)| **first == octet)?;
        self.rest = rest;
        Some(())
    }

    /// The rest of a quoted string, unescaped and unfolded; one that is not closed ends with the value.
    fn quoted(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let is_plain = |octet: &u8| !matches!(octet, b'"' | b'\r' | b'\n' | b'\\');
            let plain = self.rest.iter().position(|octet| !is_plain(octet)).unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at_checked(plain).unwrap_or((self.rest, &[]));
            out.extend_from_slice(text);
            let Some((&octet, rest)) = rest.split_first() else { break };
            self.rest = rest;
            match octet {
                b'"' => return out,
                b'\\' => out.extend(self.escaped()),
                _ => {}
            }
        }
        self.rest = &[];
        self.open = true;
        out
    }

    fn escaped(&mut self) -> Option<u8> {
        let (&octet, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(octet)
    }

    /// White space, line ends, and comments, which may be nested.
    fn skip_space(&mut self) {
        let mut depth = 0_usize;
        while let Some((&octet, rest)) = self.rest.split_first() {
            match octet {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if depth == 0 => return,
                b'\\' => {
                    self.rest = rest.get(1..).unwrap_or_default();
                    continue;
                }
                _ => {}
            }
            self.rest = rest;
        }
        self.open |= depth > 0;
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii() && (TOKEN >> byte) & 1 == 1
}

/// The bits of the ASCII characters that a token of RFC 2045 5.1 may have.
const TOKEN: u128 = {
    let mut bits: u128 = 0;
    let mut byte = b'!';
    while byte <= b'~' {
        bits |= 1 << byte;
        byte += 1;
    }
    let mut rest: &[u8] = b"()<>@,;:\\\"/[]?=";
    while let [byte, after @ ..] = rest {
        bits &= !(1 << *byte);
        rest = after;
    }
    bits
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn media(value: &str) -> MediaType {
        MediaType::parse(value.as_bytes()).unwrap()
    }

    #[test]
    fn reads_type_and_parameters() {
        let found = media(
            " Multipart/Signed; micalg=sha-256 ;\r\n\tprotocol=\"application/pkcs7-signature\"; boundary=\"a b\\\"c\"",
        );
        assert_eq!(found.essence(), "multipart/signed");
        assert!(found.is_multipart());
        assert_eq!(found.parameter("micalg"), Some("sha-256"));
        assert_eq!(found.parameter("protocol"), Some("application/pkcs7-signature"));
        assert_eq!(found.parameter("boundary"), Some("a b\"c"));
        assert_eq!(found.parameter("name"), None);
        assert_eq!(media("a/b (x (y\\)) z); ;C (d) = (e) f").parameter("c"), Some("f"));
        assert_eq!(media("a/b; c=d; c=e").parameter("c"), Some("d"));
    }

    #[test]
    fn joins_continued_parameters() {
        let found =
            media("a/b; name*1*=%C3%BC; name*0*=utf-8'de'M%; name*2=\"l%20\"; hp=cipher; x*=us-ascii''a%20b");
        assert_eq!(found.parameter("name"), Some("M%ül%20"));
        assert_eq!(found.parameter("hp"), Some("cipher"));
        assert_eq!(found.parameter("x"), Some("a b"));
    }

    #[test]
    fn broken_values() {
        assert_eq!(MediaType::parse(b""), None);
        assert_eq!(MediaType::parse(b"text"), None);
        assert_eq!(MediaType::parse(b"text/"), None);
        assert_eq!(media("a/b; c").parameter("c"), None);
        assert_eq!(media("a/b; c=\"open").parameter("c"), Some("open"));
        assert_eq!(MediaType::of(&Message::new(b"Content-Type: ;\n\n")).essence(), "text/plain");
        assert_eq!(MediaType::of(&Message::new(b"")).essence(), "text/plain");
    }

    #[test]
    fn a_whole_value_makes_sense_up_to_its_end() {
        for whole in
            ["a/b", " a/b ; c=d;; ; (e)\r\n ", "a/b; c=\"(\\\";\" (d (e)) ; f*0*=''g", "a/b (\\))", "a/b;"]
        {
            assert!(media(whole).is_whole(), "{whole}");
        }
        for broken in [
            "a/b c",
            "a/b; c",
            "a/b; c=",
            "a/b; c=d e",
            "a/b; c=d=e",
            "a/b; c=\"d",
            "a/b; c=\"d\\\"",
            "a/b (c",
            "a/b (c\\)",
            "a/b; c=d; =e",
            "a/b; c=d (e",
            "a/b, c=d",
            "a/b/c",
        ] {
            assert!(!media(broken).is_whole(), "{broken}");
        }
        let many = "; a=b".repeat(MAX_PARAMETERS + 1);
        assert!(!media(&format!("a/b{many}")).is_whole());
    }

    proptest! {
        #[test]
        fn nothing_panics(value: Vec<u8>, syntax in "a/b([;=*'%\"()\\\\ \r\n]|name|boundary|0|1|utf-8|%41){0,40}") {
            let _ = MediaType::parse(&value);
            let _ = MediaType::parse(syntax.as_bytes());
        }
    }
}
