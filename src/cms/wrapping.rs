//! What a message is wrapped in, as far as it shows without keys: for the condition `Security`.

use super::armor::next_line;
use super::protection::{decode, find, innermost, sole_element};
use super::signed::read_signed;
use super::{Enveloped, Protection, RecipientId, openpgp};
use crate::mail::{MediaType, Message, TransferEncoding, split_multipart};
use memchr::memmem;

/// Signatures around each other beyond this are not looked into. RFC 2634 has one around one encryption. Ours.
pub(super) const MAX_SIGNATURES: usize = 4;

pub(super) const BEGIN_CLEAR_SIGNED: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

/// Signatures from the outside on, and the encryption inside of them. What is signed inside an encryption does not show.
#[derive(Debug, Clone, Default)]
pub struct Wrapping {
    /// All of it is encrypted, by CMS or OpenPGP.
    pub encrypted: bool,
    /// All of it is signed: by CMS, by OpenPGP, or in OpenPGP's form for clear text. No signature is verified.
    pub signed: bool,
    /// How the RecipientInfos of a CMS encryption name their holders.
    pub recipients: Vec<RecipientId>,
}

/// Takes the signatures off and looks at what is inside; labels do not count (see [`find`]).
pub fn wrapping(message: &Message<'_>) -> Wrapping {
    let mut found = Wrapping::default();
    unwrap(message, MAX_SIGNATURES, &mut found);
    found
}

fn unwrap(message: &Message<'_>, left: usize, found: &mut Wrapping) {
    match find(message) {
        Protection::None => found.signed |= is_clear_signed(message),
        Protection::OpenPgp => found.encrypted = true,
        Protection::Encrypted(enveloped) => {
            found.encrypted = true;
            found.recipients = holders(*enveloped);
        }
        Protection::Signed => {
            found.signed = true;
            if left > 1 {
                inside(message, |content| unwrap(content, left - 1, found));
            }
        }
    }
}

pub(super) fn holders(enveloped: Enveloped) -> Vec<RecipientId> {
    enveloped.recipients.into_iter().filter_map(|recipient| recipient.id).collect()
}

/// Shows what a signature is over, if it is there.
fn inside(message: &Message<'_>, look: impl FnOnce(&Message<'_>)) {
    innermost(message, |entity, media| match media.essence() {
        "multipart/signed" => first_part(entity, media, look),
        _ => opaque(entity, look),
    });
}

fn first_part(entity: &Message<'_>, media: &MediaType, look: impl FnOnce(&Message<'_>)) {
    let split = split_multipart(entity.body(), media.parameter("boundary").unwrap_or_default());
    if let Some([content, _]) = split.as_ref().map(|split| split.parts.as_slice()) {
        look(&Message::new(content));
    }
}

fn opaque(entity: &Message<'_>, look: impl FnOnce(&Message<'_>)) {
    let Ok(octets) = decode(TransferEncoding::of(entity), entity.body()) else { return };
    let Ok(der) = sole_element(octets.bytes().trim_ascii_start()) else { return };
    if let Some(content) = read_signed(der.bytes()).ok().and_then(|signed| signed.content) {
        look(&Message::new(content));
    }
}

/// Is the body one text in the cleartext signature framework (RFC 9580 7), and nothing else?
fn is_clear_signed(message: &Message<'_>) -> bool {
    let look = |entity: &Message<'_>, media: &MediaType| {
        let begin = super::protection::glance(TransferEncoding::of(entity), entity.body());
        !media.is_multipart()
            && begin.starts_with(BEGIN_CLEAR_SIGNED)
            && decode(TransferEncoding::of(entity), entity.body())
                .is_ok_and(|octets| clear_signed(octets.bytes()).is_some())
    };
    innermost(message, look).unwrap_or(false)
}

/// The line BEGIN, `Hash` headers up to an empty line, text in which no line begins with five dashes, signatures.
fn clear_signed(octets: &[u8]) -> Option<()> {
    let (begin, mut rest) = next_line(octets.trim_ascii())?;
    (begin.trim_ascii_end() == BEGIN_CLEAR_SIGNED).then_some(())?;
    loop {
        let (line, after) = next_line(rest)?;
        if line.trim_ascii().is_empty() {
            break;
        }
        line.starts_with(b"Hash: ").then_some(())?;
        rest = after;
    }
    let end = memmem::find(rest, b"\n-----")? + 1;
    openpgp::is_signature(rest.get(end..)?).then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::openpgp::tests::{armored, encrypted};
    use super::super::samples::{self, der};
    use super::super::tests::{element, mail};
    use super::*;
    use encodify::base64;
    use proptest::prelude::*;

    fn words(bytes: &[u8]) -> (bool, bool, usize) {
        let found = wrapping(&Message::new(bytes));
        (found.encrypted, found.signed, found.recipients.len())
    }

    /// RFC 1847: any entity with a detached CMS signature beside it.
    fn signed_around(entity: &[u8]) -> Vec<u8> {
        let signature = base64::MIME.encode(der(samples::DETACHED));
        let o = format!("b{}x", entity.len());
        let head = format!("Content-Type: multipart/signed; boundary={o}\r\n\r\n--{o}\r\n");
        let tail = format!(
            "\r\n--{o}\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n{signature}\r\n--{o}--\r\n"
        );
        [head.as_bytes(), entity, tail.as_bytes()].concat()
    }

    const SIGNATURE: [u8; 6] = [0xc2, 4, 4, 0, 1, 8];

    fn clear_signed(text: &str) -> String {
        let signature = armored("SIGNATURE", &SIGNATURE);
        format!("-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA512\r\n\r\n{text}\r\n{signature}")
    }

    #[test]
    fn one_layer() {
        assert_eq!(words(b"Subject: x\r\n\r\nhello\r\n"), (false, false, 0));
        assert_eq!(words(&mail(&der(samples::CBC))), (true, false, 1));
        assert_eq!(words(&mail(&der(samples::SIGNED))), (false, true, 0));
        assert_eq!(words(&signed_around(b"\r\nhello\r\n")), (false, true, 0));
        let pgp = armored("MESSAGE", &encrypted());
        assert_eq!(words(format!("Subject: x\r\n\r\n{pgp}").as_bytes()), (true, false, 0));
    }

    #[test]
    fn a_signature_around_an_encryption_is_both() {
        let sealed = mail(&der(samples::CBC));
        assert_eq!(words(&signed_around(&sealed)), (true, true, 1));
        assert_eq!(words(&signed_around(&signed_around(&sealed))), (true, true, 1));
        let pgp = format!("Content-Type: text/plain\r\n\r\n{}", armored("MESSAGE", &encrypted()));
        assert_eq!(words(&signed_around(pgp.as_bytes())), (true, true, 0));
        let mut deep = sealed;
        for _ in 0..MAX_SIGNATURES {
            deep = signed_around(&deep);
        }
        assert_eq!(words(&deep), (false, true, 0), "not looked into any more");
    }

    #[test]
    fn an_opaque_signature_around_an_encryption_is_both() {
        let swap = |content: &[u8]| {
            let whole = der(samples::SIGNED);
            let old = read_signed(&whole).unwrap().content.unwrap().to_vec();
            let at = memmem::find(&whole, &old).unwrap();
            assert_eq!(whole[at - 2], 0x04, "a short OCTET STRING");
            with_content(&whole, &old, content)
        };
        assert_eq!(words(&mail(&swap(&mail(&der(samples::CBC))))), (true, true, 1));
        assert_eq!(words(&mail(&swap(b"\r\nhello"))), (false, true, 0));
    }

    /// The structure with another content, every length around it made anew.
    fn with_content(whole: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
        use super::super::element::Elements;
        let outer = Elements(whole).any().unwrap();
        if outer.content == old {
            return element(outer.tag, new);
        }
        let holds = memmem::find(outer.content, old).is_some() && outer.tag & 0x20 != 0;
        if !holds {
            return outer.whole.to_vec();
        }
        let (mut rest, mut children) = (Elements(outer.content), Vec::new());
        while !rest.is_empty() {
            children.extend(with_content(rest.any().unwrap().whole, old, new));
        }
        element(outer.tag, &children)
    }

    #[test]
    fn clear_text_with_a_signature_is_signed() {
        let whole = clear_signed("hello\r\n- -- dashed");
        assert_eq!(words(format!("Subject: x\r\n\r\n{whole}").as_bytes()), (false, true, 0));
        let quoted = format!("Content-Transfer-Encoding: base64\r\n\r\n{}", base64::MIME.encode(&whole));
        assert_eq!(words(quoted.as_bytes()), (false, true, 0));
        for broken in [
            format!("hello\r\n{whole}"),
            format!("{whole}hello"),
            whole.replace("Hash: SHA512", "no header"),
            whole.replace("PGP SIGNATURE", "PGP MESSAGE"),
            whole.replace("- -- dashed", "----- dashed"),
            whole.replace(&base64::MIME.encode(SIGNATURE), ""),
            "-----BEGIN PGP SIGNED MESSAGE-----".to_owned(),
        ] {
            assert!(!words(format!("Subject: x\r\n\r\n{broken}").as_bytes()).1, "{broken}");
        }
    }

    #[test]
    fn labels_do_not_count() {
        let label = "Content-Type: multipart/signed; boundary=o\r\n\r\n--o\r\n\r\nhello\r\n--o\r\n\
                     Content-Type: application/pkcs7-signature\r\n\r\nlies\r\n--o--\r\n";
        assert_eq!(words(label.as_bytes()), (false, false, 0));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            let _ = wrapping(&Message::new(&signed_around(&bytes)));
            let _ = wrapping(&Message::new(&[&b"\r\n"[..], BEGIN_CLEAR_SIGNED, b"\r\n\r\n", &bytes].concat()));
        }
    }
}
