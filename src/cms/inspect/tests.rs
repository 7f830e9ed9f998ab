//! What is said of messages that somebody wrapped, signed and encrypted in turn, and of those who mean ill.

use super::*;
use crate::cms::samples::{self, der};
use crate::cms::tests::{element, enveloped, inspected, key_agreement, key_transport, mail, multipart};
use crate::crypto::algorithm::{KEY_AGREEMENTS, KEY_DERIVATIONS, KEY_TRANSPORTS, Padding, entries};
use const_oid::db::rfc5911::{ID_DATA, ID_ENVELOPED_DATA};
use const_oid::db::{rfc5911, rfc6268};
use der::Encode;
use encodify::pem;

const TEXT: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";

fn message(sample: &str) -> Vec<u8> {
    mail(&der(sample))
}

/// The layers as a person would indent them.
fn outline(bytes: &[u8]) -> Vec<String> {
    let layers = inspected(bytes).layers;
    let line = |layer: &Layer| format!("{}{}", " ".repeat(layer.depth), layer.name);
    layers.iter().map(line).collect()
}

fn rfc822(inner: &[u8]) -> Vec<u8> {
    [b"Content-Type: message/rfc822\r\n\r\n", inner].concat()
}

fn mixed(parts: &[&[u8]], boundary: &str) -> Vec<u8> {
    multipart(&parts.join(format!("\r\n--{boundary}\r\n").as_bytes()), boundary, "", "\r\n")
}

/// A ContentInfo.
fn content_info(oid: &ObjectIdentifier, content: &[u8]) -> Vec<u8> {
    element(0x30, &[oid.to_der().unwrap(), element(0xa0, content)].concat())
}

/// An opaque SignedData with a signer, around the element that holds the content.
fn signed(content_type: ObjectIdentifier, content: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &[6, 1, 0x2a]);
    let signer =
        element(0x30, &[&[2, 1, 1][..], &[0x30, 0], &algorithm, &algorithm, &element(4, b"s")].concat());
    let info = element(0x30, &[content_type.to_der().unwrap(), element(0xa0, content)].concat());
    let data = [&[2, 1, 1][..], &element(0x31, &algorithm), &info, &element(0x31, &signer)].concat();
    content_info(&rfc5911::ID_SIGNED_DATA, &element(0x30, &data))
}

/// What a ContentInfo holds.
fn content_of(info: &[u8]) -> Vec<u8> {
    let (_, content) = crate::cms::enveloped::content_info(info).unwrap();
    content.0.to_vec()
}

#[test]
fn wrappers_and_messages_in_messages_are_shown() {
    let sealed = message(samples::GCM);
    let inner = mixed(&[TEXT, &rfc822(&sealed)], "b2");
    let whole = mixed(&[TEXT, &rfc822(&inner), &message(samples::CBC)], "b1");
    let expected = [
        "multipart/mixed",
        " message/rfc822",
        "  multipart/mixed",
        "   message/rfc822",
        "    AuthEnvelopedData",
        " EnvelopedData",
    ];
    assert_eq!(outline(&whole), expected);
    let report = inspected(&whole);
    assert_eq!((report.structure, report.envelope(), report.limit), (Structure::None, None, None));
    let tags = |at: usize| report.layers[at].envelope.as_ref().unwrap().content.integrity;
    assert_eq!((tags(4), tags(5)), (Integrity::Tag(16), Integrity::None));
    assert_eq!((report.layers[0].parts, report.layers[2].parts), (Some(3), Some(2)));
    assert_eq!(outline(TEXT), [""; 0]);
}

#[test]
fn a_message_in_a_message_may_be_encoded() {
    let inner = message(samples::CBC);
    let encoded = [
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        encodify::base64::MIME.encode(&inner).as_bytes(),
    ]
    .concat();
    assert_eq!(outline(&encoded), ["message/rfc822", " EnvelopedData"]);
}

#[test]
fn a_signature_lets_see_what_it_signs() {
    let sealed = message(samples::CBC);
    let opaque = mail(&signed(ID_DATA, &element(4, &mixed(&[TEXT, &sealed], "b"))));
    assert_eq!(outline(&opaque), ["SignedData", " multipart/mixed", "  EnvelopedData"]);
    assert_eq!(inspected(&opaque).structure, Structure::Signed);
    assert_eq!(inspected(&opaque).layers[0].signers, Some(1));
    let streamed =
        mail(&[&[0x30, 0x80], &content_inside(&signed(ID_DATA, &element(4, &sealed)))[..], &[0, 0]].concat());
    assert_eq!(outline(&streamed), ["SignedData", " EnvelopedData"]);
    let twice = mail(&signed(ID_DATA, &element(4, &mail(&signed(ID_DATA, &element(4, TEXT))))));
    assert_eq!(outline(&twice), ["SignedData", " SignedData"]);
}

fn content_inside(element: &[u8]) -> Vec<u8> {
    der::asn1::AnyRef::try_from(element).unwrap().value().to_vec()
}

/// Another type than data stands there bare: in an OCTET STRING, or by itself as PKCS #7 has it.
#[test]
fn a_signature_may_sign_an_envelope() {
    let envelope = content_of(&der(samples::CBC));
    for content in [element(4, &envelope), envelope] {
        assert_eq!(outline(&mail(&signed(ID_ENVELOPED_DATA, &content))), ["SignedData", " EnvelopedData"]);
    }
    let other = ObjectIdentifier::new_unwrap("1.2.3.4");
    assert_eq!(outline(&mail(&signed(other, &element(4, b"\x30\x00")))), ["SignedData", " 1.2.3.4"]);
    let broken = inspected(&mail(&signed(ID_ENVELOPED_DATA, &element(4, b"\x30\x00"))));
    assert!(broken.layers[1].fault.is_some());
}

#[test]
fn the_first_part_of_a_multipart_signed_is_looked_into() {
    let part =
        |octets: &[u8]| String::from_utf8(mail(octets)).unwrap().replace("pkcs7-mime", "pkcs7-signature");
    let multipart = |signature: &[u8]| {
        let parts = mixed(&[&message(samples::CBC), part(signature).as_bytes()], "s");
        String::from_utf8(parts).unwrap().replacen("mixed", "signed", 1).into_bytes()
    };
    let signed = multipart(&der(samples::DETACHED));
    assert_eq!(outline(&signed), ["multipart/signed", " EnvelopedData"]);
    assert_eq!(
        (inspected(&signed).structure, &inspected(&signed).layers[0].fault),
        (Structure::Signed, &None)
    );
    let lie = inspected(&multipart(b"no signature"));
    assert_eq!(lie.structure, Structure::None);
    assert_eq!(lie.layers[0].fault.as_deref(), Some("it does not end with a signature of its first part"));
}

#[test]
fn what_cannot_be_looked_into_is_named() {
    let compressed = content_info(&rfc6268::ID_CT_COMPRESSED_DATA, &element(0x30, &[2, 1, 0]));
    for input in
        [mail(&compressed), compressed.clone(), pem::STANDARD.encode("CMS", &compressed).into_bytes()]
    {
        let report = inspected(&input);
        assert_eq!((report.structure, &report.fault), (Structure::None, &None));
        assert_eq!((report.layers[0].name.as_str(), report.layers.len()), ("CompressedData", 1));
    }
    let certificates = inspected(&message(samples::CERTIFICATES));
    assert_eq!((certificates.structure, certificates.layers[0].signers), (Structure::None, Some(0)));
    let packets = crate::cms::openpgp::tests::encrypted();
    let armored = crate::cms::openpgp::tests::armored("MESSAGE", &packets);
    assert_eq!(outline(format!("A: b\r\n\r\n{armored}").as_bytes()), ["OpenPGP message"]);
}

#[test]
fn a_structure_by_itself_is_reported_as_in_a_message() {
    for sample in [samples::CBC, samples::GCM, samples::BOTH, samples::STREAMED, samples::SIGNED] {
        let octets = der(sample);
        let in_message = inspected(&mail(&octets));
        let block = pem::STANDARD.encode("PKCS7", &octets).into_bytes();
        for (input, form) in [(octets, InputForm::Bare), (block, InputForm::Pem)] {
            let report = inspected(&input);
            assert_eq!(report.form, form);
            assert_eq!(Report { form: InputForm::Message, ..report }, in_message);
        }
    }
    let broken = inspected(b"-----BEGIN CMS-----\n");
    assert_eq!((&broken.layers[0].fault, broken.structure), (&broken.fault, Structure::None));
    assert!(broken.fault.is_some());
}

#[test]
fn parameters_are_named() {
    let algorithm = |sample: &str, at: usize| {
        let report = inspected(&message(sample));
        let algorithm = report.envelope().unwrap().recipients[at].algorithm.as_ref().clone();
        let wrap = algorithm.key_wrap.map(|wrap| wrap.name);
        [Some(algorithm.algorithm.name), algorithm.hash, algorithm.mask_hash, wrap]
            .map(Option::unwrap_or_default)
            .join(" ")
    };
    assert_eq!(algorithm(samples::CBC, 0), "rsaEncryption   ");
    assert_eq!(algorithm(samples::GCM, 0), "id-RSAES-OAEP sha256 sha256 ");
    assert_eq!(algorithm(samples::BOTH, 1), "dhSinglePass-stdDH-sha256kdf-scheme sha256  id-aes256-wrap");
}

/// Every algorithm that we read, as a recipient would have it.
#[test]
fn every_row_of_the_tables_has_a_name_and_its_hashes() {
    for row in KEY_AGREEMENTS {
        let hash = recipient::hash_in(&oid_name(&row.oid)).unwrap();
        assert!(row.name.contains(&hash), "{}: {hash}", row.name);
    }
    for row in KEY_DERIVATIONS {
        let hash = recipient::hash_in(&oid_name(&row.oid)).unwrap();
        assert!(row.name.contains(&hash), "{}: {hash}", row.name);
    }
    for oid in entries().map(|entry| entry.oid) {
        assert_ne!(oid_name(&oid), oid.to_string());
    }
    for row in KEY_TRANSPORTS.into_iter().filter(|row| matches!(row.padding, Padding::Oaep(_))) {
        let identifier = row.identifier().unwrap();
        let (hash, mask) = recipient::oaep_hashes(identifier.parameters.as_ref());
        assert_eq!((format!("rsaes-oaep-{}", hash.unwrap()), mask.is_some()), (row.name.to_owned(), true));
    }
    let sha1 = Some("sha1".to_owned());
    assert_eq!(recipient::oaep_hashes(None), (sha1.clone(), sha1), "the defaults");
    let broken = der::asn1::Any::new(der::Tag::Sequence, [0xa0, 2, 5, 0]).unwrap();
    assert_eq!(recipient::oaep_hashes(Some(&broken)).0, None);
}

#[test]
fn an_rsa_recipient_beside_an_ec_recipient_is_noted() {
    let notes = |sample: &str| inspected(&message(sample)).notes();
    assert_eq!(notes(samples::BOTH).len(), 1);
    assert!(notes(samples::BOTH)[0].contains("NSS before 3.100"));
    assert_eq!(notes(samples::CBC), [""; 0]);
    // In two envelopes they are not side by side.
    let apart = enveloped(&key_agreement(&[0x80, 1, 1], &[], &[7]), &[b"x"]);
    let two = mixed(&[&message(samples::CBC), &mail(&apart)], "b");
    assert_eq!(inspected(&two).notes(), [""; 0]);
}

#[test]
fn recipients_are_looked_up_at_once_and_answers_find_their_recipients() {
    let two = mixed(&[&message(samples::BOTH), &message(samples::BY_KEY), &message(samples::PASSWORD)], "b");
    let mut report = inspected(&two);
    let mut asked = 0;
    report
        .match_recipients(|ids| {
            asked += 1;
            let holder = |id: &&RecipientId| Holder {
                role: HolderRole::Account,
                account: format!("{id:?}"),
                certificate: String::new(),
                state: HolderState::Active,
                active: true,
                pending: false,
                since: String::new(),
            };
            Ok::<_, ()>(ids.iter().map(|id| vec![holder(id)]).collect())
        })
        .unwrap();
    assert_eq!(asked, 1);
    let recipients: Vec<&RecipientReport> =
        report.envelopes().flat_map(|envelope| &envelope.recipients).collect();
    assert_eq!(recipients.len(), 4);
    for recipient in recipients {
        let named = recipient.id.as_ref().map(|id| format!("{id:?}"));
        assert_eq!(recipient.holders.first().map(|holder| holder.account.clone()), named);
    }
}

#[test]
fn the_json_of_a_report() {
    let json = serde_json::to_value(inspected(&message(samples::GCM))).unwrap();
    let recipients = serde_json::json!([{
        "kind": "key-transport",
        "issuer": "CN=Bob,O=North Example",
        "serial": "4B1D",
        "key_identifier": null,
        "algorithm": {
            "oid": "1.2.840.113549.1.1.7",
            "name": "id-RSAES-OAEP",
            "hash": "sha256",
            "mask_hash": "sha256",
            "key_wrap": null,
        },
        "holders": [],
    }]);
    let content = serde_json::json!({
        "algorithm": {"oid": "2.16.840.1.101.3.4.1.46", "name": "id-aes256-GCM"},
        "encrypted_octets": 18,
        "integrity": {"tag": 16},
    });
    let layer = serde_json::json!({
        "depth": 0,
        "kind": "cms",
        "name": "AuthEnvelopedData",
        "octets": 486,
        "recipients": recipients,
        "content": content,
    });
    let expected = serde_json::json!({
        "form": "message",
        "structure": "AuthEnvelopedData",
        "recipients": recipients,
        "content": content,
        "post_quantum": false,
        "layers": [layer],
        "limit": null,
        "notes": [],
        "fault": null,
    });
    assert_eq!(json, expected);
}

/// So many multiparts of one part around it.
fn nested(inner: &[u8], levels: usize) -> Vec<u8> {
    (0..levels).fold(inner.to_vec(), |part, level| multipart(&part, &format!("b{level}"), "", ""))
}

#[test]
fn the_limit_of_layers_is_told() {
    let sealed = inspected(&nested(&message(samples::CBC), 99));
    assert_eq!((sealed.layers.len(), sealed.limit), (100, None));
    assert_eq!(sealed.envelope().unwrap().recipients.len(), 1);
    let deep = inspected(&nested(TEXT, 101));
    assert_eq!((deep.layers.len(), deep.limit), (100, Some(Limit::Layers)));
    let letter = rfc822(TEXT);
    let wide = inspected(&mixed(&vec![letter.as_slice(); 150], "b"));
    assert_eq!((wide.layers.len(), wide.limit), (100, Some(Limit::Layers)));
    let few = inspected(&mixed(&vec![letter.as_slice(); 99], "b"));
    assert_eq!((few.layers.len(), few.limit), (100, None));
    let binary = b"Content-Transfer-Encoding: binary\r\n\r\n";
    let signatures = (0..150)
        .fold(TEXT.to_vec(), |inner, _| [&binary[..], &signed(ID_DATA, &element(4, &inner))].concat());
    assert_eq!(
        (inspected(&signatures).layers.len(), inspected(&signatures).limit),
        (100, Some(Limit::Layers))
    );
}

#[test]
fn the_limit_of_recipients_is_told() {
    let many: Vec<u8> = (0..6_000).flat_map(key_transport).collect();
    let envelope = mail(&enveloped(&many, &[b"x"]));
    let report = inspected(&mixed(&[&envelope, &envelope, TEXT], "b"));
    assert_eq!((report.layers.len(), report.limit), (2, Some(Limit::Recipients)));
    let most: Vec<u8> = (0..10_000).flat_map(key_transport).collect();
    let report = inspected(&mail(&enveloped(&most, &[b"x"])));
    assert_eq!((report.envelope().unwrap().recipients.len(), report.limit), (10_000, None));
}

/// Each level wants to have all of it read again.
#[test]
fn the_limit_of_work_is_told() {
    let large = [TEXT, &b"x\r\n".repeat(400_000)].concat();
    let parts = inspected(&nested(&large, 50));
    assert_eq!((parts.layers.len(), parts.limit), (8, Some(Limit::Work)));
    let quoted = |inner: Vec<u8>| {
        let header = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
        [&header[..], String::from_utf8(inner).unwrap().replace('=', "=3D").as_bytes()].concat()
    };
    let thrice = inspected(&(0..3).fold(large.clone(), |inner, _| quoted(inner)));
    assert_eq!((thrice.layers.len(), thrice.limit), (3, None));
    let often = inspected(&(0..9).fold(large, |inner, _| quoted(inner)));
    assert_eq!((often.layers.len(), often.limit), (4, Some(Limit::Work)));
}

#[test]
fn foreign_names_are_cut_off() {
    let name = "x".repeat(100_000);
    let report =
        inspected(format!("Content-Type: multipart/{name}; boundary=b\r\n\r\n--b\r\n\r\n").as_bytes());
    assert_eq!(report.layers[0].name, format!("multipart/{}…", "x".repeat(54)));
}
