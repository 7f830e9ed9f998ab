//! Whom a message names, read off its front: of a large one the rest need not be read.

use super::ber::read_header;
use super::element::Elements;
use super::enveloped::oid;
use super::error::malformed;
use super::recipient::recipient_infos;
use super::tags::{INTEGER, SEQUENCE, SET, constructed};
use super::{CmsError, Input, RecipientId, der_from_ber};
use crate::mail::TransferEncoding;
use const_oid::db::rfc5911;

/// The recipients that name somebody, if the front of an encrypted message holds all of them. Nothing where it must be
/// looked at as a whole: it is something else, has several parts, or names more than fits into the front.
pub fn front_recipients(front: &[u8]) -> Option<Vec<RecipientId>> {
    let input = Input::of(front);
    let (body, encoding) = match &input {
        Input::Bare(octets) => (*octets, TransferEncoding::Identity),
        input => input.carrier()?,
    };
    recipients(&encoding.decode_start(body.trim_ascii_start())).ok()
}

/// Reads as far as recipientInfos of EnvelopedData or AuthEnvelopedData (RFC 5652 6.1, RFC 5083 2.1).
fn recipients(mut octets: &[u8]) -> Result<Vec<RecipientId>, CmsError> {
    enter(&mut octets, SEQUENCE)?;
    let mut fields = Elements(octets);
    let kind = oid(&mut fields, "contentType")?;
    if kind != rfc5911::ID_ENVELOPED_DATA && kind != rfc5911::ID_CT_AUTH_ENVELOPED_DATA {
        return Err(malformed("it is not encrypted"));
    }
    let mut octets = fields.0;
    enter(&mut octets, constructed(0))?;
    enter(&mut octets, SEQUENCE)?;
    let mut fields = Elements(octets);
    fields.tagged(INTEGER, "version")?;
    let mut octets = fields.0;
    if octets.first() == Some(&constructed(0)) {
        (_, octets) = der_from_ber(octets)?;
    }
    let (set, _) = der_from_ber(octets)?;
    let infos = recipient_infos(Elements(&set).tagged(SET, "recipientInfos")?)?;
    Ok(infos.into_iter().filter_map(|recipient| recipient.id).collect())
}

/// Goes behind the header of an element whose end may be missing.
fn enter(octets: &mut &[u8], tag: u8) -> Result<(), CmsError> {
    match read_header(octets)?.first() {
        found if found == tag => Ok(()),
        _ => Err(malformed("another element stands there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cms::{self, samples};
    use encodify::base64;

    fn ids(whole: &[u8]) -> Vec<RecipientId> {
        cms::read(whole).unwrap().recipients.into_iter().filter_map(|to| to.id).collect()
    }

    #[test]
    fn the_front_names_whom_the_whole_names() {
        use samples::{BOTH, BY_KEY, CBC, GCM, PASSWORD, STREAMED};
        for whole in [CBC, BY_KEY, GCM, BOTH, STREAMED, PASSWORD].map(samples::der) {
            let expected = ids(&whole);
            assert_eq!(front_recipients(&whole).unwrap(), expected);
            let head = b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n".to_vec();
            let mut message = [head, base64::MIME.encode(&whole).into_bytes()].concat();
            assert_eq!(front_recipients(&message).unwrap(), expected);
            // Without its last quarter, which is ciphertext or less.
            message.truncate(message.len() / 4 * 3);
            assert!(front_recipients(&message).is_none_or(|found| found == expected));
        }
    }

    #[test]
    fn something_else_has_no_front() {
        for other in [&b""[..], b"From: a\n\nhello\n", b"\x30\x80", b"\x30\x03\x06\x01\x2a"] {
            assert_eq!(front_recipients(other), None);
        }
    }
}
