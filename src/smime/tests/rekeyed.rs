//! Other recipients, the same content: nothing else changes, and nothing is made that does not open.

use super::damage::{enveloped, join, replace, split};
use super::law::{SPECIAL, piece};
use super::*;
use crate::cms::{Enveloped, Parts, der_from_ber, parts};
use crate::mail::{Message, eol};
use ::cms::content_info::{CmsVersion, ContentInfo};
use ::cms::enveloped_data::EnvelopedData;
use der::{Decode, Encode};
use encodify::base64::{self, LineEnding};
use proptest::prelude::*;

const MESSAGE: &[u8] = b"Subject: quarterly numbers\r\nFrom: a@b\r\n\r\nThe numbers are good.\r\n";

fn rekey_for(sealed: &[u8], person: &Person, to: &[&Person], number: u8) -> Result<Sealed, RekeyError> {
    let recipients: Vec<ValidatedCertificate> = to.iter().map(|person| person.validated()).collect();
    rekey(owned(sealed), &[person.opening()], &recipients, Naming::Certificate, seed(number))
}

/// From Alice to Bob.
fn rekeyed(sealed: &[u8]) -> Vec<u8> {
    rekey_for(sealed, alice(), &[bob()], 9).unwrap().bytes().to_vec()
}

fn refused(sealed: &[u8]) -> String {
    rekey_for(sealed, alice(), &[bob()], 9).err().unwrap().to_string()
}

fn header(message: &[u8]) -> &[u8] {
    &message[..message.len() - Message::new(message).body().len()]
}

/// All of it but who the recipients are.
fn kept(enveloped: Enveloped) -> impl PartialEq + std::fmt::Debug {
    (
        (enveloped.authenticated, enveloped.content_type, enveloped.algorithm),
        (enveloped.encrypted_content, enveloped.auth_attributes, enveloped.tag),
    )
}

/// What is sealed to Alice and rekeyed to Bob opens as Bob to the same, and nothing but the recipients has changed.
fn assert_kept(sealed: &[u8], rekeyed: &[u8]) {
    assert!(header(rekeyed) == header(sealed), "the header is another one");
    assert_eq!(eol(rekeyed), eol(sealed));
    assert_eq!(kept(enveloped(rekeyed)), kept(enveloped(sealed)));
    assert!(open_as(bob(), rekeyed).unwrap() == open_as(alice(), sealed).unwrap(), "opens to something else");
    assert_eq!(open_as(alice(), rekeyed).unwrap_err().to_string(), "the message is not sealed to this key");
}

fn assert_rekeys(message: &[u8], profile: Profile) {
    let sealed = seal_for_alice(message, profile);
    let rekeyed = rekeyed(sealed.bytes());
    assert_kept(sealed.bytes(), &rekeyed);
    assert_eq!(open_as(bob(), &rekeyed).unwrap(), *crlf(message));
    assert_eq!(rekeyed.len(), sealed.bytes().len(), "keys of one size");
}

#[test]
fn special_messages_are_rekeyed() {
    for message in SPECIAL {
        CLASSICAL.into_iter().for_each(|profile| assert_rekeys(message, profile));
    }
}

#[test]
fn rsa_and_ec_keys_take_each_other_s_place() {
    for profile in CLASSICAL {
        let sealed = seal_for_alice(MESSAGE, profile);
        let to_ec = rekey_for(sealed.bytes(), alice(), &[dana()], 9).unwrap();
        assert_eq!(open_as(dana(), to_ec.bytes()).unwrap(), MESSAGE);
        assert!(open_as(alice(), to_ec.bytes()).is_err());
        let to_both = rekey_for(to_ec.bytes(), dana(), &[dana(), bob()], 10).unwrap();
        assert_kept(sealed.bytes(), to_both.bytes());
        assert_eq!(open_as(dana(), to_both.bytes()).unwrap(), MESSAGE);
        if profile == Profile::Compatible {
            assert_eq!(strict(to_ec.bytes()).version, CmsVersion::V2);
        }
    }
}

#[test]
fn lines_end_as_before() {
    for profile in CLASSICAL {
        let lf = rekeyed(seal_for_alice(b"A: b\n\nx\n", profile).bytes());
        assert!(!lf.contains(&b'\r'));
        let sealed = seal_for_alice(b"A: b\r\n\r\nx\r\n", profile);
        assert_eq!(eol(&rekeyed(sealed.bytes())), crate::mail::Eol::Crlf);
        // All base64 in one line: the header says how lines end.
        let (header, der) = split(sealed.bytes());
        let one_line = [header, base64::STANDARD.encode(&der).into_bytes()].concat();
        let rekeyed = rekeyed(&one_line);
        assert_kept(&one_line, &rekeyed);
        assert!(!rekeyed.ends_with(b"\n"));
    }
}

/// As many octets as before stand before the ciphertext: then the text behind them is copied, in whatever lines it lies.
#[test]
fn where_the_head_is_as_long_the_text_behind_it_stays() {
    let groups: [&[&Person]; 3] = [&[alice()], &[alice(), bob()], &[alice(), bob(), dana()]];
    for (profile, people) in CLASSICAL.into_iter().flat_map(|profile| groups.map(|people| (profile, people)))
    {
        for extra in 0..3 {
            let message = [MESSAGE, &vec![b'x'; 3000 + extra]].concat();
            let one = seal_for_alice(&message, profile);
            let sealed = rekey_for(one.bytes(), alice(), people, 8).unwrap();
            let (header, der) = split(sealed.bytes());
            for columns in [76, 64, 4, 1000, 20_000] {
                let text =
                    base64::STANDARD.wrapped(columns, LineEnding::Lf).encode(&der).replace('Q', "Q\t ");
                let before = [&header, text.as_bytes(), b"\r\n \r\n"].concat();
                let after = rekey_for(&before, alice(), people, 9).unwrap();
                let after = after.bytes();
                assert_eq!(kept(enveloped(after)), kept(enveloped(&before)));
                assert_eq!(open_as(alice(), after).unwrap(), message);
                assert_eq!(after.len(), before.len());
                let same =
                    before.iter().rev().zip(after.iter().rev()).take_while(|(one, two)| one == two).count();
                assert!(same > 4000, "the letters of the ciphertext are the same: {same}");
                let is_space = |octet: &u8| octet.is_ascii_whitespace();
                assert!(after.iter().map(is_space).eq(before.iter().map(is_space)), "the lines are the same");
            }
        }
    }
}

/// Our reader passes over `=` in the middle: base64 of several pieces, one behind another.
#[test]
fn padding_in_the_middle_does_not_move_what_is_behind_it() {
    for profile in CLASSICAL {
        let message = [MESSAGE, &vec![b'x'; 3000]].concat();
        let (header, der) = split(seal_for_alice(&message, profile).bytes());
        let text = base64::STANDARD.encode(&der);
        for at in [0, 4, 40, 400, 403, 2000, text.len() - 4] {
            for padding in ["=", "==", "=\r\n", "= ="] {
                let (before, behind) = text.split_at(at);
                let foreign = [before, padding, behind, "\r\n"].concat();
                let before = [&header, foreign.as_bytes()].concat();
                // Not everywhere is it passed over.
                let Ok(opened) = open_as(alice(), &before) else { continue };
                assert_eq!(opened, message);
                let after = rekey_for(&before, alice(), &[bob()], 9).unwrap();
                assert_kept(&before, after.bytes());
            }
        }
        let (before, behind) = text.as_bytes().split_at(40);
        let foreign = [header.as_slice(), before, b"=", behind].concat();
        assert_eq!(open_as(alice(), &foreign).unwrap(), message, "it is passed over");
    }
}

/// A head of another length moves everything.
#[test]
fn where_the_head_is_longer_or_shorter_all_is_written_in_lines() {
    for profile in CLASSICAL {
        for people in [&[dana()][..], &[dana(), bob()], &[bob(), alice()]] {
            for extra in 0..3 {
                let sealed = seal_for_alice(&[MESSAGE, &vec![b'x'; 3000 + extra]].concat(), profile);
                let after = rekey_for(sealed.bytes(), alice(), people, 9).unwrap();
                let (header, der) = split(after.bytes());
                assert_eq!(kept(enveloped(after.bytes())), kept(enveloped(sealed.bytes())));
                assert!(join(&header, &der) == after.bytes(), "as we write it");
                assert!(open_as(people[0], after.bytes()).unwrap().starts_with(MESSAGE));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_message_is_rekeyed(message: Vec<u8>, modern: bool) {
        assert_rekeys(&message, if modern { Profile::Modern } else { Profile::Compatible });
    }

    #[test]
    fn hostile_headers_are_rekeyed(pieces in prop::collection::vec(piece(), 0..40)) {
        assert_rekeys(&pieces.concat(), Profile::Compatible);
    }
}

#[test]
fn large_messages_are_rekeyed() {
    for profile in CLASSICAL {
        for length in [14_592, 65_000, 1 << 20] {
            assert_rekeys(&[b"Subject: x\n\n".to_vec(), vec![b'x'; length]].concat(), profile);
        }
    }
}

#[test]
fn several_recipients_take_the_place_of_several() {
    for profile in CLASSICAL {
        let one = seal_for_alice(MESSAGE, profile);
        let two = rekey_for(one.bytes(), alice(), &[bob(), alice(), bob()], 3).unwrap();
        assert_eq!(two.facts().recipients.len(), 2);
        assert_eq!(two.facts().recipients[0].certificate, Some(bob().certificate.fingerprint()));
        assert_eq!(two.facts().cipher.map(|cipher| cipher.name), Some(suite(profile).content.name));
        for person in [alice(), bob()] {
            assert_eq!(open_as(person, two.bytes()).unwrap(), MESSAGE);
        }
        let back = rekey_for(two.bytes(), bob(), &[alice()], 4).unwrap();
        assert_eq!(kept(enveloped(back.bytes())), kept(enveloped(one.bytes())));
        assert_eq!(open_as(alice(), back.bytes()).unwrap(), MESSAGE);
        assert!(open_as(bob(), back.bytes()).is_err());
    }
}

#[test]
fn keys_are_transported_as_the_structure_has_it() {
    for profile in CLASSICAL {
        let rekeyed = enveloped(&rekeyed(seal_for_alice(MESSAGE, profile).bytes()));
        let transports: Vec<_> = rekeyed.recipients.iter().map(|to| to.algorithm.oid).collect();
        assert_eq!(transports, [suite(profile).transport.unwrap().oid]);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let sealed = seal_for_alice(MESSAGE, Profile::Modern);
    let bytes = |number| rekey_for(sealed.bytes(), alice(), &[bob()], number).unwrap().bytes().to_vec();
    assert_eq!(bytes(5), bytes(5));
    assert_ne!(bytes(5), bytes(6));
}

#[test]
fn a_multipart_keeps_all_but_the_text() {
    let sealed = seal_for_alice(MESSAGE, Profile::Compatible);
    let before = "Subject: outside\r\nContent-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n \r\n--b 1\r\n";
    let whole = [before.as_bytes(), sealed.bytes(), b"--b 1-- \r\n\r\n"].concat();
    let rekeyed = rekeyed(&whole);
    assert_kept(&whole, &rekeyed);
    let outside = |message: &[u8]| {
        let text = String::from_utf8(message.to_vec()).unwrap();
        let (start, body) = text.split_once("filename=smime.p7m\r\n\r\n").unwrap();
        (start.to_owned(), body.split_once("--b 1--").unwrap().1.to_owned())
    };
    assert_eq!(outside(&rekeyed), outside(&whole));
}

/// The message, taken apart and put together again with other parts.
fn with_parts(sealed: &[u8], change: impl FnOnce(&mut Parts<'_>)) -> Vec<u8> {
    let (header, der) = split(sealed);
    let mut parts = parts(&der).unwrap();
    change(&mut parts);
    let key =
        unwrap::recover_content_key(&enveloped(sealed), 32, &[alice().opening()], &Policy::READING).unwrap();
    let certificates = [alice().validated()];
    let (_, to) = recipient::recipients(&certificates, Profile::Compatible.into()).unwrap();
    let infos = vec![to[0].info(&key, &mut seed(7).into_rng()).unwrap()];
    let frame = frame::Frame::for_parts(infos, &parts, parts.encrypted_content.len());
    join(&header, &[frame.head.as_slice(), &parts.encrypted_content, parts.after].concat())
}

fn strict(sealed: &[u8]) -> EnvelopedData {
    let (_, der) = split(sealed);
    let info = ContentInfo::from_der(&der).unwrap();
    assert_eq!(info.to_der().unwrap(), der, "another writer of DER would write the same octets");
    info.content.decode_as().unwrap()
}

#[test]
fn attributes_stay() {
    let attributes = b"\xa1\x0b\x30\x09\x06\x03\x2a\x03\x04\x31\x02\x05\x00";
    let sealed = seal_for_alice(MESSAGE, Profile::Compatible);
    let with_attributes = with_parts(sealed.bytes(), |parts| parts.after = attributes);
    let rekeyed = rekeyed(&with_attributes);
    assert_kept(&with_attributes, &rekeyed);
    assert!(split(&rekeyed).1.ends_with(attributes));
    let data = strict(&rekeyed);
    assert_eq!((data.version, data.unprotected_attrs.map(|set| set.len())), (CmsVersion::V2, Some(1)));
    assert_eq!(strict(sealed.bytes()).version, CmsVersion::V0);
}

#[test]
fn what_the_old_recipients_needed_goes_with_them() {
    let sealed = seal_for_alice(MESSAGE, Profile::Compatible);
    let (header, der) = split(sealed.bytes());
    let data = ContentInfo::from_der(&der).unwrap().content.value().to_vec();
    let originator = frame::tlv(0xa0, &[&frame::tlv(0xa0, &[])]);
    let data = frame::tlv(0x30, &[&[2, 1, 2], &originator, &data[3..]]);
    let oid = const_oid::db::rfc5911::ID_ENVELOPED_DATA.to_der().unwrap();
    let whole = join(&header, &frame::tlv(0x30, &[&oid, &frame::tlv(0xa0, &[&data])]));
    let rekeyed = rekeyed(&whole);
    assert_kept(&whole, &rekeyed);
    let data = strict(&rekeyed);
    assert!(data.originator_info.is_none());
    assert_eq!(data.version, CmsVersion::V0);
}

#[test]
fn ber_becomes_der_around_the_same_ciphertext() {
    let sealed = seal_for_alice(&[MESSAGE, &[b'x'; 300]].concat(), Profile::Compatible);
    let (header, der) = split(sealed.bytes());
    let Parts { encrypted_content, algorithm, .. } = parts(&der).unwrap();
    let at = der.windows(algorithm.len()).position(|window| window == algorithm).unwrap();
    // Indefinite lengths all the way down, and the ciphertext in two pieces.
    let fields = &der[der.windows(3).position(|window| window == [2, 1, 0]).unwrap()..at];
    let recipients = &fields[..fields.len() - 4];
    let (one, two) = encrypted_content.split_at(100);
    let pieces = [frame::tlv(4, &[one]), frame::tlv(4, &[two])].concat();
    let oid = const_oid::db::rfc5911::ID_ENVELOPED_DATA.to_der().unwrap();
    let ber = [
        &[0x30, 0x80],
        oid.as_slice(),
        &[0xa0, 0x80, 0x30, 0x80],
        recipients,
        &[0x30, 0x80],
        algorithm,
        &[0xa0, 0x80],
        &pieces,
        &[0; 10],
    ]
    .concat();
    assert!(matches!(der_from_ber(&ber), Ok((std::borrow::Cow::Owned(_), []))));
    let whole = join(&header, &ber);
    let rekeyed = rekeyed(&whole);
    assert_kept(&whole, &rekeyed);
    strict(&rekeyed);
}

#[test]
fn what_cannot_be_rekeyed_is_refused_by_name() {
    assert_eq!(refused(MESSAGE), "the message is not encrypted with S/MIME");
    let packets = [&[0xc1, 12, 3][..], &[7; 11], &[0xd2, 3, 1, 2, 3]].concat();
    let armor = base64::MIME.encode(packets);
    let openpgp =
        format!("A: b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n{armor}-----END PGP MESSAGE-----\r\n");
    assert_eq!(
        refused(openpgp.as_bytes()),
        "the message is encrypted with OpenPGP; only S/MIME messages are rekeyed"
    );
    for profile in CLASSICAL {
        let sealed = seal_for_alice(MESSAGE, profile);
        let (header, der) = split(sealed.bytes());
        let cut = refused(&join(&header, &der[..der.len() - 1]));
        assert_eq!(cut, "the CMS structure is broken: it is cut off");
        let binary = [b"Content-Transfer-Encoding: binary\r\n\r\n".as_slice(), &der].concat();
        assert_eq!(open_as(alice(), &binary).unwrap(), MESSAGE);
        assert_eq!(
            refused(&binary),
            "the body of the message is not in base64, and nothing else is written in its place"
        );
        let to = |keys: &[OpeningKey<'_>]| {
            rekey(owned(sealed.bytes()), keys, &[bob().validated()], Naming::Certificate, seed(1))
                .err()
                .unwrap()
                .to_string()
        };
        assert_eq!(to(&[bob().opening()]), "the message is not sealed to this key");
        assert_eq!(to(&[]), "the message is not sealed to this key");
        let bare = OpeningKey { key: &alice().key, certificate: None };
        assert_eq!(to(&[bare]), "the recipients are named by their certificates; add --cert");
        let nobody = rekey_for(sealed.bytes(), alice(), &[], 1).err().unwrap().to_string();
        assert_eq!(nobody, "there is nobody to seal the message to");
    }
}

/// A key that says it is the right one, and every wrapped key that does not open: one error value, and nothing written.
#[test]
fn a_content_key_that_does_not_open_is_never_handed_on() {
    for profile in CLASSICAL {
        let sealed = seal_for_alice(MESSAGE, profile);
        let wrong = OpeningKey { key: &bob().key, certificate: Some(&alice().certificate) };
        let outcome =
            rekey(owned(sealed.bytes()), &[wrong], &[bob().validated()], Naming::Certificate, seed(1));
        assert!(matches!(outcome.err().unwrap(), RekeyError::Open(OpenError::NotOpened)));
        let (header, der) = split(sealed.bytes());
        let wrapped = enveloped(sealed.bytes()).recipients[0].encrypted_key.clone();
        for other in [vec![0x01; 256], vec![0xff; 256], vec![0; 256]] {
            let broken = join(&header, &replace(&der, &wrapped, &other));
            assert_eq!(refused(&broken), "the message could not be opened with this key");
        }
    }
}

/// Damaged input is an error, or what comes out opens to what the damaged input itself opens to.
fn assert_error_or_valid(broken: &[u8]) {
    match (open_as(alice(), broken), rekey_for(broken, alice(), &[bob()], 2)) {
        (Ok(message), Ok(rekeyed)) => assert!(open_as(bob(), rekeyed.bytes()).unwrap() == message),
        (Err(open), Err(RekeyError::Open(rekey))) => assert_eq!(rekey.to_string(), open.to_string()),
        (open, rekey) => panic!("{:?}, {:?}", open.is_ok(), rekey.err()),
    }
}

#[test]
fn flipped_bits_are_errors_or_nothing_new() {
    for profile in CLASSICAL {
        let (header, der) = split(seal_for_alice(MESSAGE, profile).bytes());
        for at in 0..der.len() {
            let mut broken = der.clone();
            broken[at] ^= 1 << (at % 8);
            assert_error_or_valid(&join(&header, &broken));
        }
    }
}

#[test]
fn a_message_cut_off_anywhere_is_refused() {
    let (header, der) = split(seal_for_alice(MESSAGE, Profile::Modern).bytes());
    for length in 0..der.len() {
        assert!(rekey_for(&join(&header, &der[..length]), alice(), &[bob()], 2).is_err(), "{length}");
    }
}
