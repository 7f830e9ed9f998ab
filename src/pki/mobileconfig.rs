//! Configuration profiles of Apple (`.mobileconfig`): a property list in XML that brings a key to iPhone, iPad and Mac.
//!
//! The key lies in it as PKCS#12. Its password is not in the profile: the device asks for it.

use super::Certificate;
use encodify::base64;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Letters of base64 on a line.
const LINE: usize = 68;

/// What goes into a profile.
pub struct AppleProfile<'a> {
    /// What the device knows the profile by: one of the same identifier takes its place.
    pub identifier: &'a str,
    /// What people read.
    pub name: &'a str,
    /// Who made it.
    pub organization: &'a str,
    /// The key with its certificates, under a password.
    pub pkcs12: &'a [u8],
    /// Authorities: those that signed themselves become trusted, the others are known.
    pub authorities: &'a [Certificate],
}

impl AppleProfile<'_> {
    /// The property list. Equal contents give equal octets: identifiers are digests of what they name.
    pub fn to_xml(&self) -> String {
        let mut payloads =
            vec![self.payload("com.apple.security.pkcs12", "identity.p12", self.name, self.pkcs12)];
        for (number, authority) in self.authorities.iter().enumerate() {
            let kind = if authority.is_self_issued() {
                "com.apple.security.root"
            } else {
                "com.apple.security.pkcs1"
            };
            let file = format!("authority-{}.cer", number + 1);
            payloads.push(self.payload(kind, &file, &authority.subject(), authority.der()));
        }
        let mut xml = Xml::default();
        xml.0.push_str(HEAD);
        xml.open("dict");
        xml.key("PayloadContent");
        xml.open("array");
        payloads.iter().for_each(|payload| payload.write(&mut xml));
        xml.close("array");
        let kinds: Vec<&str> = payloads.iter().map(|payload| payload.uuid.as_str()).collect();
        xml.text("PayloadDisplayName", self.name);
        xml.text("PayloadIdentifier", self.identifier);
        xml.text("PayloadOrganization", self.organization);
        xml.text("PayloadType", "Configuration");
        xml.text("PayloadUUID", &uuid(&[self.identifier.as_bytes(), kinds.concat().as_bytes()]));
        xml.version();
        xml.close("dict");
        xml.close_plist()
    }

    fn payload<'p>(&self, kind: &'static str, file: &str, name: &str, content: &'p [u8]) -> Payload<'p> {
        let uuid = uuid(&[kind.as_bytes(), self.identifier.as_bytes(), content]);
        let identifier = format!("{}.{uuid}", self.identifier);
        Payload { kind, identifier, uuid, file: file.to_owned(), name: name.to_owned(), content }
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
    <plist version=\"1.0\">\n";

struct Payload<'p> {
    kind: &'static str,
    identifier: String,
    uuid: String,
    file: String,
    name: String,
    content: &'p [u8],
}

impl Payload<'_> {
    fn write(&self, xml: &mut Xml) {
        xml.open("dict");
        xml.text("PayloadCertificateFileName", &self.file);
        xml.data("PayloadContent", self.content);
        xml.text("PayloadDisplayName", &self.name);
        xml.text("PayloadIdentifier", &self.identifier);
        xml.text("PayloadType", self.kind);
        xml.text("PayloadUUID", &self.uuid);
        xml.version();
        xml.close("dict");
    }
}

/// Version 8 of RFC 9562 5.8: the first octets of a digest, each part with its length.
fn uuid(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let bits = hash.finalize().iter().take(16).fold(0_u128, |bits, octet| bits << 8 | u128::from(*octet));
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x8 << 76) | (0x2 << 62);
    let digits = format!("{bits:032X}");
    let cuts = [0..8, 8..12, 12..16, 16..20, 20..32];
    cuts.map(|cut| digits.get(cut).unwrap_or_default().to_owned()).join("-")
}

#[derive(Default)]
struct Xml(String);

impl Xml {
    fn open(&mut self, name: &str) {
        let _ = writeln!(self.0, "<{name}>");
    }

    fn close(&mut self, name: &str) {
        let _ = writeln!(self.0, "</{name}>");
    }

    fn close_plist(mut self) -> String {
        self.close("plist");
        self.0
    }

    fn key(&mut self, name: &str) {
        let _ = writeln!(self.0, "<key>{}</key>", escape(name));
    }

    fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        let _ = writeln!(self.0, "<string>{}</string>", escape(value));
    }

    fn version(&mut self) {
        self.key("PayloadVersion");
        self.0.push_str("<integer>1</integer>\n");
    }

    fn data(&mut self, name: &str, octets: &[u8]) {
        self.key(name);
        self.0.push_str("<data>\n");
        for (position, letter) in
            base64::MIME.encode(octets).chars().filter(|letter| !letter.is_whitespace()).enumerate()
        {
            if position > 0 && position.is_multiple_of(LINE) {
                self.0.push('\n');
            }
            self.0.push(letter);
        }
        self.0.push_str("\n</data>\n");
    }
}

/// Text of XML 1.0; characters that it cannot hold at all become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{authority, issue};
    use super::super::key::tests::ec_key;
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escape("a<b>&\"c\"\u{0}\u{7}\u{ffff}é\n"),
            "a&lt;b&gt;&amp;\"c\"\u{fffd}\u{fffd}\u{fffd}é\n"
        );
    }

    #[test]
    fn identifiers_say_their_version_and_follow_the_content() {
        let one = uuid(&[b"a", b"b"]);
        assert_eq!((one.len(), one.get(14..15), one.matches('-').count()), (36, Some("8"), 4));
        assert!(matches!(one.get(19..20), Some("8" | "9" | "A" | "B")), "{one}");
        assert_eq!(one, uuid(&[b"a", b"b"]));
        assert_ne!(one, uuid(&[b"ab", b""]));
    }

    #[test]
    fn the_same_content_gives_the_same_profile() {
        let root = authority(&ec_key());
        let below = issue(&root, &ec_key(), &ec_key().public());
        let profile = |pkcs12: &'static [u8]| {
            let authorities = &[root.clone(), below.clone()];
            let name = "a & b";
            AppleProfile { identifier: "sealpost.1", name, organization: "<o>", pkcs12, authorities }.to_xml()
        };
        let xml = profile(b"p12");
        assert_eq!(xml, profile(b"p12"));
        assert_ne!(xml, profile(b"p13"));
        for part in [
            "<string>com.apple.security.pkcs12</string>",
            "<string>com.apple.security.root</string>",
            "<string>com.apple.security.pkcs1</string>",
            "<data>\ncDEy\n</data>",
            "<string>a &amp; b</string>",
            "<string>&lt;o&gt;</string>",
        ] {
            assert_eq!(xml.matches(part).count(), if part.contains("a &amp;") { 2 } else { 1 }, "{part}");
        }
    }
}
