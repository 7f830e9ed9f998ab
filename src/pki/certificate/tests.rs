use super::super::issue::tests::{authority, issue};
use super::super::key::tests::{ec_key, rsa_key};
use super::*;
use proptest::prelude::*;

fn user() -> Certificate {
    issue(&authority(&ec_key()), &ec_key(), &rsa_key().public())
}

#[test]
fn a_certificate_tells_what_is_in_it() {
    let user = user();
    assert_eq!(user.subject(), "CN=Bob");
    assert_eq!(user.issuer(), "CN=north.example");
    assert_eq!(user.addresses(), ["Bob@north.example", "bob.alias@north.example"]);
    assert_eq!(user.key_description(), "RSA 2048");
    assert_eq!(user.not_before(), super::super::issue::tests::noon());
    assert_eq!(user.extended_key_usage().unwrap().unwrap().len(), 1);
    assert!(user.key_usage().unwrap().unwrap().key_encipherment());
    assert!(!user.is_self_issued() && authority(&ec_key()).is_self_issued());
    assert_eq!(Certificate::from_pem(user.to_pem().unwrap().as_bytes()).unwrap(), user);
}

#[test]
fn an_address_that_is_not_ascii_is_a_smtp_utf8_mailbox() {
    let address = crate::mail::Address::parse("jürgen@north.example").unwrap();
    let name = super::super::names::mailbox_name(&address).unwrap();
    assert!(matches!(name, GeneralName::OtherName(_)));
    assert_eq!(mailbox(&name).unwrap(), "jürgen@north.example");
}

#[test]
fn the_signer_is_told_by_name_and_signature() {
    let root = authority(&ec_key());
    assert!(user().is_signed_by(&root) && root.is_signed_by(&root));
    assert!(!root.is_signed_by(&user()));
    // The same name on another key.
    assert!(!user().is_signed_by(&authority(rsa_key())));
    // Another name on the same key.
    assert!(!user().is_signed_by(&issue(&root, &ec_key(), &ec_key().public())));
}

#[test]
fn two_certificates_are_not_one() {
    let pem = user().to_pem().unwrap();
    let error = Certificate::from_pem(format!("{pem}{pem}").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the file holds 2 certificates; exactly one is expected: split the file");
}

/// The certificate with a serial number of so many octets, all lengths around it mended.
fn with_serial(octets: usize) -> Vec<u8> {
    let user = user();
    let old = [&[2, 17], user.serial_octets()].concat();
    let at = user.der().windows(old.len()).position(|window| window == old).unwrap();
    let length = |count: usize| {
        let [.., a, b, c] = count.to_be_bytes();
        [0x83, a, b, c]
    };
    let mut serial = vec![2];
    serial.extend(length(octets));
    serial.extend(vec![1; octets]);
    // Both SEQUENCEs in front have lengths of two octets, and version stands between.
    let (outer, tbs) = (&user.der()[4..], &user.der()[8..]);
    let tbs_length = usize::from(user.der()[6]) * 256 + usize::from(user.der()[7]);
    let (tbs, rest) = tbs.split_at(tbs_length);
    assert!(outer.len() > tbs.len() && at > 8);
    let body = [&tbs[..at - 8], &serial[..], &tbs[at - 8 + old.len()..]].concat();
    let tbs = [&[0x30], &length(body.len())[..], &body[..]].concat();
    let all = [&tbs[..], rest].concat();
    [&[0x30], &length(all.len())[..], &all[..]].concat()
}

#[test]
fn a_long_serial_is_named() {
    let error = Certificate::from_der(&with_serial(64 * 1024)).unwrap_err().to_string();
    assert_eq!(error, "the certificate's serial number has 65536 octets; at most 20 are allowed (RFC 5280)");
}

#[test]
fn a_truncated_certificate_is_refused_and_a_damaged_one_never_panics() {
    let user = user();
    for length in 0..user.der().len() {
        assert!(Certificate::from_der(&user.der()[..length]).is_err(), "{length}");
    }
    assert!(Certificate::from_der(&[user.der(), &[0]].concat()).is_err());
    for position in 0..user.der().len() {
        let mut der = user.der().to_vec();
        der[position] ^= 0x55;
        let Ok(damaged) = Certificate::from_der(&der) else { continue };
        let _ = (damaged.addresses(), damaged.recipient_ids(), damaged.key_description(), damaged.subject());
        let _ = (damaged.key_usage(), damaged.extended_key_usage(), damaged.not_after());
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Certificate::from_der(&bytes);
        let _ = Certificate::from_pem(&bytes);
        let _ = super::super::read_key_file(&bytes, Some(b"x"));
    }
}
