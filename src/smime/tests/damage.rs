//! What is broken, re-labelled or meant for somebody else is not opened, and says why. `tests/malleability` goes through
//! the structures place by place.

use super::*;
use crate::cms::{Enveloped, Protection, RecipientId, find};
use crate::crypto::SecretBytes;
use crate::crypto::content::ContentAlgorithm;
use crate::mail::Message;
use crate::pki::PublicKey;
use const_oid::ObjectIdentifier;
use der::Encode;
use encodify::base64;
use rsa::pkcs1::EncodeRsaPublicKey;
use sha1::{Digest, Sha1};

const MESSAGE: &[u8] = b"Subject: quarterly numbers\r\nFrom: a@b\r\n\r\nThe numbers are good.\r\n";

pub(super) fn split(sealed: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let at = sealed.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    (sealed[..at].to_vec(), base64::MIME.decode(&sealed[at..]).unwrap())
}

pub(super) fn join(header: &[u8], der: &[u8]) -> Vec<u8> {
    [header, base64::MIME.encode(der).as_bytes()].concat()
}

pub(super) fn enveloped(sealed: &[u8]) -> Enveloped {
    match find(&Message::new(sealed)) {
        Protection::Encrypted(enveloped) => *enveloped,
        other => panic!("{other:?}"),
    }
}

pub(super) fn replace(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = der.windows(from.len()).position(|window| window == from).expect("it is there");
    [&der[..at], to, &der[at + from.len()..]].concat()
}

#[test]
fn a_zero_key_does_not_open() {
    for profile in CLASSICAL {
        let sealed = enveloped(seal_for_alice(MESSAGE, profile).bytes());
        let algorithm = ContentAlgorithm::read(&sealed.algorithm, &Policy::READING).unwrap();
        let zeros = SecretBytes::new(vec![0; 32]);
        let tag = sealed.tag.unwrap_or_default();
        let opened =
            algorithm.decrypt(&zeros, &[], &tag, SecretBytes::new(sealed.encrypted_content.into_bytes()));
        assert!(!opened.is_ok_and(|clear| inner::begins_like_mail(clear.expose())), "{}", profile.name());
    }
}

#[test]
fn every_wrong_wrapped_key_is_the_same_error() {
    for profile in CLASSICAL {
        let (header, der) = split(seal_for_alice(MESSAGE, profile).bytes());
        let wrapped = enveloped(&join(&header, &der)).recipients[0].encrypted_key.clone();
        let texts = [vec![0x01; 256], vec![0xff; 256], vec![0; 256]].map(|other| {
            let broken = replace(&der, &wrapped, &other);
            open_as(alice(), &join(&header, &broken)).unwrap_err().to_string()
        });
        assert_eq!(texts, ["the message could not be opened with this key"; 3]);
    }
}

pub(super) fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    oid.to_der().unwrap()
}

fn checked(change: impl FnOnce(&mut Enveloped), profile: Profile) -> String {
    let mut sealed = enveloped(seal_for_alice(MESSAGE, profile).bytes());
    change(&mut sealed);
    open::checked_content(&sealed, &Policy::READING).err().unwrap().to_string()
}

#[test]
fn ciphers_in_the_wrong_structure_are_refused() {
    assert_eq!(
        checked(|sealed| sealed.authenticated = false, Profile::Modern),
        "the message is refused: it is EnvelopedData with an authenticated cipher"
    );
    assert_eq!(
        checked(|sealed| sealed.authenticated = true, Profile::Compatible),
        "the message is refused: it is AuthEnvelopedData with a cipher that authenticates nothing"
    );
    assert_eq!(
        checked(|sealed| sealed.tag = Some(vec![0; 12]), Profile::Modern),
        "the message is refused: its authentication tag is not as long as its parameters say"
    );
    assert_eq!(
        checked(|sealed| sealed.tag = None, Profile::Modern),
        "the message is refused: its authentication tag is not as long as its parameters say"
    );
    assert_eq!(
        checked(|sealed| sealed.algorithm.oid = ObjectIdentifier::new_unwrap("1.2.3"), Profile::Modern),
        "the message uses 1.2.3, which is not supported"
    );
    assert_eq!(
        checked(|sealed| sealed.algorithm.parameters = None, Profile::Modern),
        "the CMS structure is broken: the parameters of aes-256-gcm are broken"
    );
    let signed = const_oid::db::rfc5911::ID_SIGNED_DATA;
    assert_eq!(
        checked(|sealed| sealed.content_type = signed, Profile::Compatible),
        "the message uses the content type id-signedData (1.2.840.113549.1.7.2), which is not supported"
    );
}

#[test]
fn keys_are_found_by_what_the_recipients_say() {
    let sealed = seal_for(MESSAGE, &[alice().validated(), bob().validated()], Profile::Compatible);
    let only_alice = seal_for_alice(MESSAGE, Profile::Compatible);
    assert_eq!(open_as(bob(), sealed.bytes()).unwrap(), MESSAGE);
    let both = [bob().opening(), alice().opening()];
    assert_eq!(open(only_alice.bytes(), &both).unwrap().message.expose(), MESSAGE);
    let error = |keys: &[OpeningKey<'_>]| open(only_alice.bytes(), keys).err().unwrap().to_string();
    assert_eq!(error(&[bob().opening()]), "the message is not sealed to this key");
    assert_eq!(error(&[]), "the message is not sealed to this key");
    let bare = OpeningKey { key: &alice().key, certificate: None };
    assert_eq!(error(&[bare]), "the recipients are named by their certificates; add --cert");
    // The certificate says that it is for this key, and it is not.
    let wrong = OpeningKey { key: &bob().key, certificate: Some(&alice().certificate) };
    assert_eq!(error(&[wrong]), "the message could not be opened with this key");
}

#[test]
fn a_bare_key_is_found_by_its_identifier() {
    let PublicKey::Rsa(public) = alice().key.public() else { panic!("an RSA key") };
    let bits = public.to_pkcs1_der().unwrap();
    let by_sha1 = RecipientId::SubjectKeyIdentifier(Sha1::digest(bits.as_bytes()).to_vec());
    let by_authority = alice().certificate.recipient_ids().into_iter().nth(1).unwrap();
    for identifier in [by_sha1, by_authority] {
        let mut sealed = enveloped(seal_for_alice(MESSAGE, Profile::Modern).bytes());
        sealed.recipients[0].id = Some(identifier);
        let bare = OpeningKey { key: &alice().key, certificate: None };
        let opened = open::open_content(sealed, &[bare], &Policy::READING).unwrap();
        assert_eq!(opened.expose(), MESSAGE);
    }
}

#[test]
fn a_broken_structure_is_named() {
    let (header, der) = split(seal_for_alice(MESSAGE, Profile::Modern).bytes());
    let error = open_as(alice(), &join(&header, &der[..der.len() - 1])).unwrap_err();
    assert!(matches!(error, OpenError::Cms(_)), "{error}");
}

#[test]
fn clear_mail_is_not_encrypted() {
    assert_eq!(
        open_as(alice(), MESSAGE).unwrap_err().to_string(),
        "the message is not encrypted with S/MIME"
    );
}
