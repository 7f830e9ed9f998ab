//! Revocation lists from anywhere, asked about one certificate.

use super::people::{ELLA, authority, now};
use p256::ecdsa::signature::Signer;
use p256::pkcs8::DecodePrivateKey;
use sealpost::pki::revocation::check::check;
use sealpost::pki::{Certificate, Crl, MINIMUM_RSA_BITS, RevocationStatus, UnlockedKey, read_crls};
use std::sync::OnceLock;

/// The input is a list in DER, or several in PEM.
///
/// - Whatever stands in it, an answer comes, and the same twice.
/// - A list that the authority of the certificate did not sign neither clears it nor revokes it.
pub(crate) fn hold(input: &[u8]) {
    let Ok(lists) = read_crls(input) else { return };
    let (authority, _) = issuer();
    for list in &lists {
        let status = ask(std::slice::from_ref(list));
        assert_eq!(status, ask(std::slice::from_ref(list)));
        let silent = matches!(status, RevocationStatus::NoList | RevocationStatus::Unclear(_));
        assert!(silent || list.is_signed_by(authority), "{status:?} by nobody's list");
        let _ = (list.number(), list.base_number(), list.authority_key_id(), list.distribution_point());
    }
    let _ = ask(&lists);
}

fn issuer() -> &'static (Certificate, UnlockedKey) {
    static ISSUER: OnceLock<(Certificate, UnlockedKey)> = OnceLock::new();
    ISSUER.get_or_init(authority)
}

fn ask(lists: &[Crl]) -> RevocationStatus {
    check(ELLA.certificate(), &[&issuer().0], lists, now(), MINIMUM_RSA_BITS)
}

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    let head = if length < 0x80 { vec![length as u8] } else { vec![0x82, (length >> 8) as u8, length as u8] };
    // Two octets of length are no DER below 256.
    let head = if (0x80..0x100).contains(&length) { vec![0x81, length as u8] } else { head };
    [&[tag], head.as_slice(), content].concat()
}

/// A list of the authority with that number, those entries and further extensions.
fn list(number: u8, entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let (certificate, key) = issuer();
    let algorithm = tlv(0x30, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    let numbered = extension(&[6, 3, 0x55, 0x1d, 20], false, &[2, 1, number]);
    let extensions = [numbered].into_iter().chain(extensions.iter().cloned()).collect::<Vec<_>>().concat();
    let body = [
        vec![2, 1, 1],
        algorithm.clone(),
        issuer_name(certificate),
        time("240904000000Z"),
        time("491231235959Z"),
        if entries.is_empty() { Vec::new() } else { tlv(0x30, &entries.concat()) },
        tlv(0xa0, &tlv(0x30, &extensions)),
    ];
    let body = tlv(0x30, &body.concat());
    let key = p256::ecdsa::SigningKey::from_pkcs8_der(key.to_pkcs8().unwrap().expose()).unwrap();
    let signature: p256::ecdsa::DerSignature = key.sign(&body);
    let signature = tlv(3, &[&[0], signature.as_bytes()].concat());
    tlv(0x30, &[body, algorithm, signature].concat())
}

/// `CN=north.example`, as it stands in the certificate.
fn issuer_name(certificate: &Certificate) -> Vec<u8> {
    let common_name = tlv(0x30, &[&[6, 3, 0x55, 4, 3][..], &tlv(0x0c, b"north.example")].concat());
    let name = tlv(0x30, &tlv(0x31, &common_name));
    assert!(certificate.der().windows(name.len()).any(|part| part == name));
    name
}

pub(crate) fn time(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

pub(crate) fn extension(number: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[number, critical, &tlv(4, value)].concat())
}

/// Ella's certificate with a reason, or another one.
fn entry(is_ella: bool, reason: u8) -> Vec<u8> {
    let serial = hex(&if is_ella { ELLA.certificate().serial() } else { "11".to_owned() });
    let reason = extension(&[6, 3, 0x55, 0x1d, 21], false, &[0x0a, 1, reason]);
    tlv(0x30, &[tlv(2, &serial), time("240903000000Z"), tlv(0x30, &reason)].concat())
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |letter: u8| char::from(letter).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}

/// What the fuzz target begins with, by file name.
pub(crate) fn seeds() -> Vec<(String, Vec<u8>)> {
    let delta = extension(&[6, 3, 0x55, 0x1d, 27], true, &[2, 1, 1]);
    let scope = |fields: &[u8]| extension(&[6, 3, 0x55, 0x1d, 28], true, &tlv(0x30, fields));
    let place = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://north.example/crl")));
    let lists = [
        ("good", list(1, &[entry(false, 1)], &[])),
        ("revoked", list(1, &[entry(false, 1), entry(true, 4)], &[])),
        ("on-hold", list(1, &[entry(true, 6)], &[])),
        ("delta", list(2, &[entry(true, 8)], &[delta])),
        ("indirect", list(1, &[entry(true, 1)], &[scope(&[0x84, 1, 0xff])])),
        ("some-reasons", list(1, &[], &[scope(&[0x83, 2, 5, 0x60])])),
        ("one-place", list(1, &[], &[scope(&place)])),
    ];
    lists.into_iter().map(|(name, made)| (format!("{name}.der"), made)).collect()
}

#[test]
fn the_seeds_say_what_their_names_say() {
    let told: Vec<String> = seeds()
        .iter()
        .map(|(name, made)| {
            hold(made);
            let status = format!("{:?}", ask(&read_crls(made).unwrap()));
            format!("{name} {}", status.split(['(', ' ']).next().unwrap())
        })
        .collect();
    let expected = [
        "good.der Good",
        "revoked.der Revoked",
        "on-hold.der OnHold",
        "delta.der Unclear",
        "indirect.der Revoked",
        "some-reasons.der Unclear",
        "one-place.der NoList",
    ];
    assert_eq!(told, expected);
}
