//! Tests of the whole room over samples, broken samples and public vectors.

use super::ber::write_header;
use super::element::Elements;
use super::samples::{self, der};
use super::*;
use crate::mail::{Message, vectors};
use crate::system::worked_since;
use encodify::base64;
use proptest::prelude::*;
use std::time::Duration;

pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_header(&[tag], content.len(), &mut out);
    out.extend_from_slice(content);
    out
}

/// A message whose body is these octets in base64.
pub(super) fn mail(octets: &[u8]) -> Vec<u8> {
    let mut bytes =
        b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    base64::MIME.encode_append(octets, &mut bytes);
    bytes
}

fn found(bytes: &[u8]) -> &'static str {
    match find(&Message::new(bytes)) {
        Protection::None => "none",
        Protection::Signed => "signed",
        Protection::Encrypted(_) => "encrypted",
        Protection::OpenPgp => "openpgp",
    }
}

pub(super) fn inspected(bytes: &[u8]) -> Report {
    inspect(&Input::of(bytes))
}

#[test]
fn reads_an_enveloped_data() {
    let read = read(&der(samples::CBC)).unwrap();
    assert!(!read.authenticated && read.tag.is_none());
    assert_eq!(read.content_type, const_oid::db::rfc5911::ID_DATA);
    assert_eq!(read.algorithm.oid, const_oid::db::rfc5911::ID_AES_256_CBC);
    assert_eq!(read.encrypted_content.len(), 32);
    let [recipient] = read.recipients.as_slice() else { panic!("one recipient") };
    assert_eq!(recipient.kind, RecipientKind::KeyTransport);
    assert_eq!(recipient.encrypted_key.len(), 256);
    let Some(RecipientId::IssuerAndSerialNumber { issuer, serial }) = &recipient.id else {
        panic!("by issuer")
    };
    assert_eq!(serial, &[0x4b, 0x1d]);
    assert_eq!(issuer.first(), Some(&0x30));
}

/// The DER with one more element at the end of the element that the path of child numbers leads to.
fn with_more(der: &[u8], path: &[usize]) -> Vec<u8> {
    let outer = Elements(der).any().unwrap();
    let (mut rest, mut children) = (Elements(outer.content), Vec::new());
    while !rest.is_empty() {
        children.push(rest.any().unwrap().whole.to_vec());
    }
    match path.split_first() {
        None => children.push(element(0x04, b"the clear text")),
        Some((&child, path)) => children[child] = with_more(&children[child], path),
    }
    element(outer.tag, &children.concat())
}

#[test]
fn clear_text_inside_the_structure_is_seen() {
    for sample in [samples::CBC, samples::GCM] {
        let der = der(sample);
        assert_eq!(found(&mail(&der)), "encrypted");
        for path in [&[][..], &[1], &[1, 0], &[1, 0, 2], &[1, 0, 1, 0]] {
            let damaged = with_more(&der, path);
            assert!(read(&damaged).is_err(), "{path:?}");
            assert_eq!(found(&mail(&damaged)), "none", "{path:?}");
        }
    }
}

#[test]
fn reads_every_kind() {
    let gcm = read(&der(samples::GCM)).unwrap();
    assert!(gcm.authenticated);
    assert_eq!(gcm.tag.map(|tag| tag.len()), Some(16));
    let by_key = read(&der(samples::BY_KEY)).unwrap();
    let Some(RecipientId::SubjectKeyIdentifier(key)) = &by_key.recipients[0].id else { panic!("by key") };
    assert_eq!(key.len(), 20);
    let both = read(&der(samples::BOTH)).unwrap();
    let kinds: Vec<_> = both.recipients.iter().map(|recipient| recipient.kind).collect();
    assert_eq!(kinds, [RecipientKind::KeyTransport, RecipientKind::KeyAgreement]);
    assert_eq!(both.recipients[1].encrypted_key.len(), 40);
    assert!(both.recipients[0].agreement.is_none());
    let agreement = both.recipients[1].agreement.as_ref().unwrap();
    let Originator::Key(originator) = &agreement.originator else { panic!("it is named") };
    assert_eq!(originator.algorithm.oid, const_oid::db::rfc5912::ID_EC_PUBLIC_KEY);
    assert_eq!((originator.public_key.len(), originator.public_key[0], &agreement.ukm), (65, 4, &None));
    let password = read(&der(samples::PASSWORD)).unwrap();
    assert_eq!(password.recipients[0].kind, RecipientKind::Password);
    assert!(password.recipients[0].id.is_none());
    let streamed = read(&der(samples::STREAMED)).unwrap();
    assert_eq!(streamed.encrypted_content.len(), 32);
}

#[test]
fn what_is_not_enveloped_says_what_it_is() {
    let fault = read(&der(samples::SIGNED)).unwrap_err().to_string();
    assert_eq!(fault, "the CMS structure is SignedData, not EnvelopedData or AuthEnvelopedData");
    let fault = read(&[&der(samples::CBC)[..], b"\n"].concat()).unwrap_err().to_string();
    assert_eq!(fault, "the CMS structure is broken: octets follow it");
}

/// An EnvelopedData with these RecipientInfos, and ciphertext in these pieces.
pub(super) fn enveloped(recipients: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
    let data = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
    let content: Vec<u8> = pieces.iter().flat_map(|piece| element(4, piece)).collect();
    let oid = |last| [&data[..], &[last]].concat();
    let algorithm = element(0x30, &oid(9));
    let inner = element(0x30, &[oid(1), algorithm, element(0xa0, &content)].concat());
    let body = element(0x30, &[vec![2, 1, 0], element(0x31, recipients), inner].concat());
    element(0x30, &[oid(3), element(0xa0, &body)].concat())
}

/// A KeyTransRecipientInfo by key identifier.
pub(super) fn key_transport(key: u32) -> Vec<u8> {
    let algorithm = element(0x30, &[6, 1, 0x2a]);
    let id = element(0x80, &key.to_be_bytes());
    element(0x30, &[vec![2, 1, 2], id, algorithm, element(4, b"key")].concat())
}

#[test]
fn recipients_keep_their_order_up_to_the_limit() {
    let many: Vec<u8> = (0..10_000).rev().flat_map(key_transport).collect();
    let read_back = read(&enveloped(&many, &[b"x"])).unwrap();
    assert_eq!(read_back.recipients.len(), 10_000);
    let first = RecipientId::SubjectKeyIdentifier(9_999_u32.to_be_bytes().to_vec());
    assert_eq!(read_back.recipients[0].id, Some(first));
    let more: Vec<u8> = (0..10_001).flat_map(key_transport).collect();
    let fault = read(&enveloped(&more, &[b"x"])).unwrap_err().to_string();
    assert_eq!(fault, "the CMS structure has more than 10000 recipients");
    let none = read(&enveloped(&[], &[b"x"])).unwrap_err().to_string();
    assert_eq!(none, "the CMS structure is broken: it has no recipients");
}

#[test]
fn unknown_kinds_of_recipients_are_kept_and_skipped() {
    let ori = element(0xa4, &[6, 2, 0x2a, 3, 5, 0]);
    let future = element(0xa9, &[5, 0]);
    let recipients = [ori, future, key_transport(1)].concat();
    let read = read(&enveloped(&recipients, &[b"ab", b"", b"c"])).unwrap();
    let kinds: Vec<_> = read.recipients.iter().map(|r| (r.kind, r.algorithm.oid.to_string())).collect();
    assert_eq!(kinds[0], (RecipientKind::Other, "1.2.3".into()));
    assert_eq!(kinds[1], (RecipientKind::Other, "0.0".into()));
    assert_eq!(kinds[2], (RecipientKind::KeyTransport, "1.2".into()));
    assert_eq!(*read.encrypted_content, *b"abc", "joined");
}

/// A KeyAgreeRecipientInfo for keys with these identifiers.
pub(super) fn key_agreement(originator: &[u8], ukm: &[u8], keys: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &[6, 1, 0x2a]);
    let key = |&id: &u8| {
        let rid = element(0xa0, &element(4, &[id]));
        element(0x30, &[rid, element(4, &[id, id])].concat())
    };
    let keys = element(0x30, &keys.iter().flat_map(key).collect::<Vec<_>>());
    let originator = element(0xa0, originator);
    element(0xa1, &[vec![2, 1, 3], originator, ukm.to_vec(), algorithm, keys].concat())
}

#[test]
fn one_key_agreement_with_two_keys_is_two_recipients() {
    let info = key_agreement(&[0x80, 1, 1], &[], &[7, 8]);
    let read = read(&enveloped(&info, &[b"x"])).unwrap();
    let originator = &read.recipients[0].agreement.as_ref().unwrap().originator;
    let named = RecipientId::SubjectKeyIdentifier(vec![1]);
    assert!(matches!(originator, Originator::Certificate(id) if *id == named));
    let ids: Vec<_> = read.recipients.iter().map(|r| r.id.clone().unwrap()).collect();
    assert_eq!(ids, [RecipientId::SubjectKeyIdentifier(vec![7]), RecipientId::SubjectKeyIdentifier(vec![8])]);
    assert_eq!(read.recipients[1].encrypted_key, [8, 8]);
}

#[test]
fn originator_s_key_and_keying_material_are_read() {
    let originator = |bits: &[u8]| {
        let kind = element(0x30, &[6, 1, 0x2a]);
        element(0xa1, &[kind, element(3, bits)].concat())
    };
    let ukm = element(0xa1, &element(4, b"ukm"));
    let good = read(&enveloped(&key_agreement(&originator(&[0, 4, 5]), &ukm, &[7]), &[b"x"])).unwrap();
    let agreement = good.recipients[0].agreement.as_ref().unwrap();
    assert!(matches!(&agreement.originator, Originator::Key(key) if key.public_key == [4, 5]));
    assert_eq!(agreement.ukm.as_deref(), Some(&b"ukm"[..]));
    let fault = |originator: &[u8], ukm: &[u8]| {
        read(&enveloped(&key_agreement(originator, ukm, &[7]), &[b"x"])).unwrap_err().to_string()
    };
    let cut = "the CMS structure is broken: an originator's key is cut off";
    assert_eq!([fault(&originator(&[3, 4]), &[]), fault(&originator(&[]), &[])], [cut; 2]);
    assert_eq!(
        fault(&originator(&[0, 4]), &element(0xa1, &[5, 0])),
        "the CMS structure is broken: a recipient's keying material is missing or is of another type"
    );
}

#[test]
fn what_recipients_share_is_held_once() {
    let ukm = element(0xa1, &element(4, &[7; 100_000]));
    let info = key_agreement(&[0x80, 1, 1], &ukm, &[7; 9_000]);
    let read = read(&enveloped(&info, &[b"x"])).unwrap();
    let [first, .., last] = read.recipients.as_slice() else { panic!("many") };
    assert!(std::sync::Arc::ptr_eq(&first.algorithm, &last.algorithm));
    assert!(std::sync::Arc::ptr_eq(first.agreement.as_ref().unwrap(), last.agreement.as_ref().unwrap()));
}

#[test]
fn every_cut_is_refused_and_no_flipped_bit_panics() {
    for sample in [samples::CBC, samples::GCM, samples::BOTH, samples::STREAMED, samples::PASSWORD] {
        let whole = der(sample);
        assert!((0..whole.len()).all(|len| read(&whole[..len]).is_err()));
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                let _ = read(&flipped);
            }
        }
        let message = mail(&whole);
        let body = Message::new(&message).body().len() - "==\r\n".len();
        let cuts = message.len() - body..message.len() - 4;
        assert!(cuts.into_iter().all(|len| found(&message[..len]) == "none"));
    }
}

#[test]
fn finds_by_structure() {
    for sample in [samples::CBC, samples::GCM, samples::BOTH, samples::STREAMED] {
        assert_eq!(found(&mail(&der(sample))), "encrypted");
    }
    assert_eq!(found(&mail(&der(samples::SIGNED))), "signed");
    assert_eq!(found(&mail(&der(samples::CERTIFICATES))), "none");
    assert_eq!(found(&mail(&der(samples::DETACHED))), "none");
    assert_eq!(found(b"Content-Type: application/pkcs7-mime\n\nhello"), "none");
    assert_eq!(found(&mail(b"hello")), "none");
    assert_eq!(found(b""), "none");
}

#[test]
fn the_label_does_not_decide() {
    let labelled = String::from_utf8(mail(&der(samples::CBC))).unwrap();
    for label in ["text/plain", "application/octet-stream; name=smime.p7m", "application/x-pkcs7-mime", ";"] {
        assert_eq!(found(labelled.replace("application/pkcs7-mime", label).as_bytes()), "encrypted");
    }
    assert_eq!(found(labelled.replace("base64", "7bit").as_bytes()), "none");
    let raw = [b"Content-Transfer-Encoding: binary\n\n", &der(samples::CBC)[..], b"\r\n"].concat();
    assert_eq!(found(&raw), "encrypted");
}

#[test]
fn clear_text_beside_the_ciphertext_is_seen() {
    let message = mail(&der(samples::CBC));
    assert_eq!(found(&[&message[..], b"\r\n-- \r\nfooter\r\n"].concat()), "none");
    assert_eq!(found(&[&message[..], b"\r\n \r\n"].concat()), "encrypted");
    let trailing = [der(samples::CBC), b"clear text".to_vec()].concat();
    assert_eq!(found(&mail(&trailing)), "none");
    let header = String::from_utf8(message).unwrap().replacen("\r\n\r\n", "\r\nno field\r\n\r\n", 1);
    assert_eq!(found(header.as_bytes()), "none");
}

pub(super) fn multipart(inner: &[u8], boundary: &str, preamble: &str, epilogue: &str) -> Vec<u8> {
    let head =
        format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{preamble}--{boundary}\r\n");
    [head.as_bytes(), inner, format!("\r\n--{boundary}--{epilogue}").as_bytes()].concat()
}

#[test]
fn a_multipart_of_one_part_is_looked_into() {
    let inner = mail(&der(samples::CBC));
    assert_eq!(found(&multipart(&inner, "b", "\r\n", "\r\n\t\r\n")), "encrypted");
    assert_eq!(found(&multipart(&inner, "b", "hello\r\n", "")), "none");
    assert_eq!(found(&multipart(&inner, "b", "", "\r\nhello")), "none");
    let second = [&inner[..], b"\r\n--b\r\n\r\nhello"].concat();
    assert_eq!(found(&multipart(&second, "b", "", "")), "none");
    let nested = |levels| {
        (0..levels).fold(inner.clone(), |part, level| multipart(&part, &format!("b{level}"), "", ""))
    };
    assert_eq!(found(&nested(99)), "encrypted");
    assert_eq!(found(&nested(100)), "none");
    assert_eq!(found(&nested(1000)), "none");
}

#[test]
fn signed_multiparts() {
    let signature = |octets: &[u8]| {
        let part = String::from_utf8(mail(octets)).unwrap().replace("pkcs7-mime", "pkcs7-signature");
        format!(
            "Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nhello\r\n--s\r\n{part}\r\n--s--\r\n"
        )
    };
    assert_eq!(found(signature(&der(samples::DETACHED)).as_bytes()), "signed");
    assert_eq!(found(signature(&[0xc2, 4, 4, 0, 1, 8]).as_bytes()), "signed");
    assert_eq!(found(signature(b"lies").as_bytes()), "none");
    assert_eq!(found(signature(&der(samples::CERTIFICATES)).as_bytes()), "none");
}

#[test]
fn openpgp_messages() {
    let armored = openpgp::tests::armored("MESSAGE", &openpgp::tests::encrypted());
    assert_eq!(found(format!("Subject: x\r\n\r\n{armored}").as_bytes()), "openpgp");
    assert_eq!(found(format!("Subject: x\r\n\r\nhi\r\n{armored}").as_bytes()), "none");
    let pgp_mime = |preamble: &str, control: &str, data: &str| {
        format!(
            "Content-Type: multipart/encrypted; boundary=p\r\n\r\n{preamble}--p\r\n\
             Content-Type: application/pgp-encrypted\r\n\r\n{control}\r\n--p\r\n\
             Content-Type: application/octet-stream\r\n\r\n{data}\r\n--p--\r\n"
        )
    };
    assert_eq!(found(pgp_mime("", "Version: 1", &armored).as_bytes()), "openpgp");
    let preamble = "This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)\r\n";
    assert_eq!(found(pgp_mime(preamble, "Version: 1", &armored).as_bytes()), "openpgp");
    assert_eq!(found(pgp_mime("clear text\r\n", "Version: 1", &armored).as_bytes()), "none");
    assert_eq!(found(pgp_mime("", "clear text", &armored).as_bytes()), "none");
    assert_eq!(found(pgp_mime("", "Version: 1", "lies").as_bytes()), "none");
}

#[test]
fn hostile_structures_cost_linear_time() {
    let begun = worked_since(Duration::ZERO);
    let empties = element(0x30, &[0x30, 0].repeat(1_000_000));
    assert!(read(&empties).is_err());
    let pieces = [&[0x24, 0x80][..], &[4, 0].repeat(1_000_000), &[0, 0]].concat();
    assert_eq!(der_from_ber(&pieces).unwrap().0.as_ref(), [4, 0]);
    let attributes = enveloped(&[0xa9, 0].repeat(10_000), &vec![&b"x"[..]; 200_000]);
    assert_eq!(read(&attributes).unwrap().encrypted_content.len(), 200_000);
    let lines =
        (0..99).fold(b"\r\n".repeat(1_000_000), |part, level| multipart(&part, &format!("b{level}"), "", ""));
    assert_eq!(found(&lines), "none");
    let signed = String::from_utf8(lines).unwrap().replace("mixed", "signed");
    assert_eq!(found(signed.as_bytes()), "none");
    let elapsed = worked_since(begun);
    assert!(elapsed.as_secs() < 10, "{elapsed:?}");
}

#[test]
fn reports_for_people_and_machines() {
    let report = inspected(&mail(&der(samples::BOTH)));
    assert_eq!((report.structure, report.layers.len()), (Structure::EnvelopedData, 1));
    let envelope = report.envelope().unwrap();
    let [rsa, ec] = envelope.recipients.as_slice() else { panic!("two recipients") };
    assert_eq!(rsa.issuer().as_deref(), Some("CN=Bob,O=North Example"));
    assert_eq!(rsa.serial().as_deref(), Some("4B1D"));
    assert_eq!(rsa.algorithm.algorithm.name, "rsaEncryption");
    assert_eq!(ec.algorithm.algorithm.name, "dhSinglePass-stdDH-sha256kdf-scheme");
    let content = &envelope.content;
    assert_eq!((content.encrypted_octets, content.integrity), (32, Integrity::None));
    assert_eq!(content.algorithm.oid, "2.16.840.1.101.3.4.1.42");
    let broken = inspected(&mail(&der(samples::CBC)[..100]));
    assert_eq!(broken.fault.as_deref(), Some("the CMS structure is broken: it is cut off"));
    assert_eq!(broken.layers[0].fault, broken.fault);
    assert_eq!(inspected(b"Subject: x\n\nhi").fault, None);
    let lie = Input::of(b"Content-Type: application/pkcs7-mime\n\nhi").examine().unwrap_err().to_string();
    assert_eq!(lie, "the CMS structure is broken: the body is no ContentInfo");
}

#[test]
fn public_structures_parse_or_are_refused() {
    for folder in ["openssl", "nss"] {
        for (_, bytes) in vectors::files(folder) {
            let _ = read(&bytes);
            let _ = inspected(&bytes);
            for block in encodify::pem::STANDARD.blocks(&bytes).flatten() {
                let _ = read(&block.contents);
            }
        }
    }
}

#[test]
fn envelopes_of_the_public_vectors_are_read() {
    let mut envelopes = vectors::files("nss");
    envelopes.retain(|(path, _)| path.extension().is_some_and(|extension| extension == "env"));
    for (path, bytes) in envelopes {
        assert!(read(&bytes).is_ok(), "{}", path.display());
    }
}

#[test]
fn public_mail_is_looked_at() {
    let mail = vectors::files("mail");
    let count = |name: &str| {
        let of_that_kind = |bytes: &[u8]| found(crate::mail::without_mbox_line(bytes)) == name;
        mail.iter().filter(|(_, bytes)| of_that_kind(bytes)).count()
    };
    if !mail.is_empty() {
        println!("encrypted {} openpgp {} signed {}", count("encrypted"), count("openpgp"), count("signed"));
        assert!(count("signed") > 0);
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = (inspected(&bytes), inspected(&mail(&bytes)));
    }

    #[test]
    fn no_damaged_sample_panics(at in 0_usize..600, octets: Vec<u8>) {
        for sample in [samples::BOTH, samples::STREAMED, samples::GCM, samples::SIGNED] {
            let mut damaged = der(sample);
            let at = at.min(damaged.len());
            damaged.splice(at.., octets.iter().copied());
            let _ = (inspected(&damaged), inspected(&mail(&damaged)));
        }
    }
}
