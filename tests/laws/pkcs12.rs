//! PKCS#12. A MAC keeps damage from what lies behind it, so the input is put there too.

use super::pem::assert_printable;
use super::private_key::PASSWORD;
use sealpost::pki::{KeyFile, PkiError, read_key_file};

/// More bags than this are refused.
const MOST_BAGS: usize = 256;

/// The input is a file; the AuthenticatedSafe of one without a MAC; or the SafeContents of its only part, in the clear:
///
/// - Reading twice shows the same, and no more keys and certificates than there may be bags.
/// - A key that is read and does its work is read again from what is written.
/// - What is refused is refused in printable words, and the password is none of them.
pub(crate) fn hold(input: &[u8]) {
    assert_reads(input);
    assert_reads(&around_safe(input));
    assert_reads(&around_bags(input));
}

/// A file without a MAC around an AuthenticatedSafe.
pub(crate) fn around_safe(safe: &[u8]) -> Vec<u8> {
    element(0x30, &[&[0x02, 0x01, 0x03], data(safe).as_slice()].concat())
}

/// The same around the bags of one part.
pub(crate) fn around_bags(bags: &[u8]) -> Vec<u8> {
    around_safe(&element(0x30, &data(bags)))
}

/// ContentInfo with the content type data.
fn data(octets: &[u8]) -> Vec<u8> {
    let kind = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
    element(0x30, &[&kind[..], &element(0xa0, &element(0x04, octets))].concat())
}

/// One element of DER.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        0x100..0x1_0000 => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        _ => vec![tag, 0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8],
    };
    [head.as_slice(), content].concat()
}

fn assert_reads(file: &[u8]) {
    match (read_key_file(file, Some(PASSWORD)), read_key_file(file, Some(PASSWORD))) {
        (Ok(one), Ok(other)) => assert_same(&one, &other),
        (Err(one), Err(other)) => assert_refused(&one, &other),
        _ => panic!("reading twice shows two things"),
    }
}

fn assert_same(one: &KeyFile, other: &KeyFile) {
    assert!(!one.keys.is_empty() && one.keys.len() + one.certificates.len() <= MOST_BAGS);
    assert_eq!(one.certificates, other.certificates);
    assert_eq!(one.keys.len(), other.keys.len());
    for (key, same) in one.keys.iter().zip(&other.keys).take(1) {
        assert_eq!(key.public(), same.public());
        if let Ok(written) = key.to_pkcs8() {
            let again = read_key_file(written.expose(), None).expect("it was written");
            assert_eq!(again.keys.first().map(|key| key.public()), Some(key.public()));
        }
    }
}

fn assert_refused(one: &PkiError, other: &PkiError) {
    assert_eq!(one.to_string(), other.to_string());
    assert_printable(&one.to_string());
    assert!(!one.to_string().contains("kestrel"));
}
