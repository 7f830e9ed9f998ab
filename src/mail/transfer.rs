//! Content-Transfer-Encoding (RFC 2045 6): reading bodies.

use super::Message;
use encodify::{base64, qp};
use std::borrow::Cow;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, or no field at all.
    Identity,
    /// `base64`
    Base64,
    /// `quoted-printable`
    QuotedPrintable,
    /// Another word: the body cannot be read.
    Unknown,
}

impl TransferEncoding {
    /// What the first Content-Transfer-Encoding field says; RFC 2045 6.1 gives `7bit` to a message without one.
    pub fn of(message: &Message<'_>) -> TransferEncoding {
        match message.fields_named("Content-Transfer-Encoding").next() {
            Some(field) => TransferEncoding::named(field.text().trim()),
            None => TransferEncoding::Identity,
        }
    }

    fn named(word: &str) -> TransferEncoding {
        match word.to_ascii_lowercase().as_str() {
            "7bit" | "8bit" | "binary" | "" => TransferEncoding::Identity,
            "base64" => TransferEncoding::Base64,
            "quoted-printable" => TransferEncoding::QuotedPrintable,
            _ => TransferEncoding::Unknown,
        }
    }

    /// The octets that the body stands for. Nothing if it has any that the encoding does not know: base64 is nothing
    /// but its alphabet, `=` and white space.
    pub fn decode(self, body: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            TransferEncoding::Identity => Some(Cow::Borrowed(body)),
            TransferEncoding::Base64 => base64::MIME.decode(body).ok().map(Cow::Owned),
            TransferEncoding::QuotedPrintable => qp::BINARY.strict().decode(body).ok(),
            TransferEncoding::Unknown => None,
        }
    }

    /// What the start of a body, cut anywhere, stands for, as far as it can be read.
    pub fn decode_start(self, start: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            TransferEncoding::Identity => out.extend_from_slice(start),
            TransferEncoding::Base64 => {
                base64::MIME.decode_prefix(start, &mut out);
            }
            TransferEncoding::QuotedPrintable => drop(qp::BINARY.decode_append(start, &mut out)),
            TransferEncoding::Unknown => {}
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(header: &str, body: &[u8]) -> Option<Vec<u8>> {
        let bytes = [header.as_bytes(), b"\n", body].concat();
        let message = Message::new(&bytes);
        TransferEncoding::of(&message).decode(message.body()).map(Cow::into_owned)
    }

    #[test]
    fn decodes_by_the_field() {
        assert_eq!(
            decoded("Content-Transfer-Encoding: Base64 \n", b"SGVs\r\nbG8=\r\n\r\n").unwrap(),
            b"Hello"
        );
        assert_eq!(
            decoded("Content-transfer-encoding:\n quoted-printable\n", b"a=3D=\r\nb").unwrap(),
            b"a=b"
        );
        assert_eq!(decoded("", b"a=3D").unwrap(), b"a=3D");
        assert_eq!(decoded("Content-Transfer-Encoding: x-uuencode\n", b"a"), None);
        assert_eq!(decoded("Content-Transfer-Encoding: base64\n", b"SGVsbG8=\n-- \nfooter"), None);
    }

    proptest! {
        #[test]
        fn base64_reads_back(octets: Vec<u8>) {
            let body = base64::MIME.encode(&octets);
            prop_assert_eq!(&*TransferEncoding::Base64.decode(body.as_bytes()).unwrap(), &octets[..]);
            let start = TransferEncoding::Base64.decode_start(body.as_bytes().get(..40).unwrap_or(body.as_bytes()));
            prop_assert!(octets.starts_with(&start));
        }

        #[test]
        fn nothing_panics(body: Vec<u8>) {
            let _ = TransferEncoding::Base64.decode(&body);
            let _ = TransferEncoding::QuotedPrintable.decode(&body);
            let _ = TransferEncoding::Base64.decode_start(&body);
            let _ = TransferEncoding::QuotedPrintable.decode_start(&body);
        }
    }
}
