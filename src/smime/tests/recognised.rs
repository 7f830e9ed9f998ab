//! What is stored as it is.

use super::damage::{join, oid, replace, split};
use super::*;
use crate::crypto::algorithm::{
    AES_128_CBC, AES_256_CBC, AES_256_GCM, AES_256_WRAP, ECDH_COFACTOR_SHA256, ECDH_SHA224, ECDH_SHA256,
};
use crate::mail::Message;
use ::cms::content_info::ContentInfo;
use const_oid::db::rfc5912::{ID_DSA, ID_EC_PUBLIC_KEY};
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader};
use encodify::base64;

const MESSAGE: &[u8] = b"Subject: x\n\nhello\n";

fn recognised(message: &[u8], accounts: &[&[Certificate]]) -> Option<Sealed> {
    recognise(message, accounts, OpenPgp::Keep)
}

#[test]
fn a_message_encrypted_to_every_account_is_kept_as_it_is() {
    let (a, b) = (alice().certificate.clone(), bob().certificate.clone());
    for profile in CLASSICAL {
        let sealed = seal_for(MESSAGE, &[alice().validated(), bob().validated()], profile);
        let one = [a.clone()];
        let either = [b.clone(), a.clone()];
        for accounts in [&[one.as_slice()][..], &[&either], &[&one, &either]] {
            let kept = recognised(sealed.bytes(), accounts).unwrap();
            assert_eq!(kept.bytes(), sealed.bytes());
            assert_eq!(
                kept.facts().cipher.map(|cipher| cipher.name),
                sealed.facts().cipher.map(|cipher| cipher.name)
            );
            assert_eq!(kept.facts().recipients.len(), 2);
            assert!(kept.facts().recipients.iter().any(|to| to.certificate == Some(a.fingerprint())));
        }
    }
}

#[test]
fn everything_else_is_sealed() {
    let (a, b) = ([alice().certificate.clone()], [bob().certificate.clone()]);
    let sealed = seal_for_alice(MESSAGE, Profile::Compatible);
    for accounts in [&[][..], &[&b[..]], &[&a, &b], &[&a, &[]]] {
        assert!(recognised(sealed.bytes(), accounts).is_none());
    }
    let lying = b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\nAAAA\n";
    assert!(recognised(lying, &[&a]).is_none());
    assert!(recognised(MESSAGE, &[&a]).is_none());
}

#[test]
fn what_we_would_not_write_is_sealed() {
    let alice_only = [alice().certificate.clone()];
    let kept = |profile: Profile, change: fn(&[u8]) -> Vec<u8>| {
        let sealed = seal_for(&crlf(MESSAGE), &[alice().validated()], profile);
        let (header, der) = split(sealed.bytes());
        recognised(&join(&header, &change(&der)), &[&alice_only]).is_some()
    };
    assert!(kept(Profile::Compatible, <[u8]>::to_vec));
    // Nobody can tell that it does not open; a recipient's name proves nothing.
    assert!(kept(Profile::Compatible, |der| replace(der, &oid(AES_256_CBC.oid), &oid(AES_128_CBC.oid))));
    assert!(!kept(Profile::Compatible, |der| replace(der, &oid(AES_256_CBC.oid), &oid(AES_256_GCM.oid))));
    assert!(kept(Profile::Modern, <[u8]>::to_vec));
    let (sha256, sha384) = (const_oid::db::rfc5912::ID_SHA_256, const_oid::db::rfc5912::ID_SHA_384);
    assert_eq!(oid(sha256).len(), oid(sha384).len());
    assert!(!kept(Profile::Modern, |der| {
        replace(der, &oid(const_oid::db::rfc5912::ID_SHA_256), &oid(const_oid::db::rfc5912::ID_SHA_384))
    }));
}

/// So many recipients, each of them Alice.
fn to_many(count: usize) -> Vec<u8> {
    let (header, der) = split(seal_for_alice(&crlf(MESSAGE), Profile::Compatible).bytes());
    let data = ContentInfo::from_der(&der).unwrap().content.value().to_vec();
    let (version, fields) = data.split_at(3);
    let mut reader = SliceReader::new(fields).unwrap();
    let infos = AnyRef::decode(&mut reader).unwrap().value().repeat(count);
    let rest = reader.read_slice(reader.remaining_len()).unwrap();
    let data = frame::tlv(0x30, &[version, &frame::tlv(0x31, &[&infos]), rest]);
    let content_type = oid(const_oid::db::rfc5911::ID_ENVELOPED_DATA);
    join(&header, &frame::tlv(0x30, &[&content_type, &frame::tlv(0xa0, &[&data])]))
}

#[test]
fn beyond_the_limits_a_message_is_sealed_like_any_other() {
    let own = [alice().certificate.clone()];
    let kept = |message: &[u8]| recognised(message, &[&own]).is_some();
    assert!(kept(&to_many(10_000)) && !kept(&to_many(10_001)));
    let sealed = seal_for_alice(&crlf(MESSAGE), Profile::Compatible).bytes().to_vec();
    let nested = |levels: usize| {
        (0..levels).fold(sealed.clone(), |part, level| {
            let head = format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
            [head.as_bytes(), &part, format!("\r\n--b{level}--\r\n").as_bytes()].concat()
        })
    };
    assert!(kept(&nested(99)) && !kept(&nested(100)));
    let fields = Message::new(&sealed).fields().len();
    let with_fields = |count: usize| [b"a:\r\n".repeat(count - fields), sealed.clone()].concat();
    assert!(kept(&with_fields(100_000)) && !kept(&with_fields(100_001)));
}

#[test]
fn key_agreement_is_kept_as_we_write_it() {
    let own = [dana().certificate.clone()];
    for profile in CLASSICAL {
        let both = seal_for(&crlf(MESSAGE), &[alice().validated(), dana().validated()], profile);
        assert_eq!(recognised(both.bytes(), &[&own]).unwrap().facts().recipients.len(), 2);
        let sealed = seal_for(&crlf(MESSAGE), &[dana().validated()], profile);
        assert!(recognised(sealed.bytes(), &[&own]).is_some());
        let (header, der) = split(sealed.bytes());
        let changed = |from, to| join(&header, &replace(&der, &oid(from), &oid(to)));
        for (from, to) in [
            (ECDH_SHA256.oid, ECDH_SHA224.oid),
            (ECDH_SHA256.oid, ECDH_COFACTOR_SHA256.oid),
            (AES_256_WRAP.oid, AES_256_CBC.oid),
            (ID_EC_PUBLIC_KEY, ID_DSA),
        ] {
            assert!(recognised(&changed(from, to), &[&own]).is_none(), "{from} as {to}");
        }
    }
}

#[test]
fn openpgp_is_kept_or_sealed_as_the_policy_says() {
    let key = [&[0xc1, 12, 3][..], &[7; 11]].concat();
    let packets = [key.as_slice(), &[0xd2, 3, 1, 2, 3]].concat();
    let armor = base64::MIME.encode(packets);
    let message =
        format!("Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n{armor}-----END PGP MESSAGE-----\r\n");
    let kept = recognise(message.as_bytes(), &[], OpenPgp::Keep).unwrap();
    assert_eq!(kept.bytes(), message.as_bytes());
    assert!(kept.facts().cipher.is_none() && kept.facts().recipients.is_empty());
    assert!(recognise(message.as_bytes(), &[], OpenPgp::Seal).is_none());
}
