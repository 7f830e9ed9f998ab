//! A structure without a message around it, and content that is no mail.

use super::damage::{join, oid, replace, split};
use super::*;
use crate::cms::{Input, der_from_ber};
use crate::crypto::algorithm::{AES_128_CBC, AES_256_CBC};
use crate::mail::{Eol, eol};
use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
use encodify::pem;

const MESSAGE: &[u8] = b"Subject: quarterly numbers\r\nFrom: a@b\r\n\r\nThe numbers are good.\r\n";
const LABELS: [&str; 2] = ["CMS", "PKCS7"];
const NOT_OPENED: &str = "the message could not be opened with this key";

fn bare(profile: Profile) -> Vec<u8> {
    split(seal_for_alice(MESSAGE, profile).bytes()).1
}

/// The same with an indefinite length outside.
fn ber(der: &[u8]) -> Vec<u8> {
    let content = der::asn1::AnyRef::try_from(der).unwrap().value().to_vec();
    [&[0x30, 0x80][..], &content, &[0, 0]].concat()
}

/// To Bob.
fn rekeyed(sealed: &[u8]) -> Vec<u8> {
    rekey(owned(sealed), &[alice().opening()], &[bob().validated()], Naming::Certificate, seed(9))
        .unwrap()
        .bytes()
        .to_vec()
}

fn block(label: &str, der: &[u8], end: &str) -> String {
    pem::STANDARD.encode(label, der).replace('\n', end)
}

#[test]
fn a_structure_by_itself_opens() {
    for profile in CLASSICAL {
        let der = bare(profile);
        let crlf_end = [&der[..], b"\r\n"].concat();
        for form in [der.clone(), ber(&der), crlf_end] {
            assert!(matches!(Input::of(&form), Input::Bare(_)));
            let opened = open(&form, &[alice().opening()]).unwrap();
            assert_eq!((opened.message.expose(), opened.eol), (MESSAGE, None));
        }
        for label in LABELS {
            for text in [block(label, &der, "\n"), format!("\r\n \t{}\n\n", block(label, &ber(&der), "\r\n"))]
            {
                assert!(matches!(Input::of(text.as_bytes()), Input::Pem(_)));
                assert_eq!(open_as(alice(), text.as_bytes()).unwrap(), MESSAGE);
            }
        }
    }
}

#[test]
fn a_message_is_still_a_message() {
    for message in
        [&b"0: 1\r\n\r\nx"[..], b"", b"0", b"\x30\x80", b"-----BEGIN CMS\n", b"-----BEGIN X-----\n"]
    {
        assert!(Input::of(message).message().is_some(), "{}", message.escape_ascii());
    }
    let sealed = seal_for_alice(b"A: b\n\nx\n", Profile::Compatible);
    assert_eq!(open(sealed.bytes(), &[alice().opening()]).unwrap().eol, Some(Eol::Lf));
}

#[test]
fn a_structure_by_itself_is_rekeyed_to_one() {
    for profile in CLASSICAL {
        let der = bare(profile);
        for form in [der.clone(), ber(&der)] {
            let rekeyed = rekeyed(&form);
            let (whole, rest) = der_from_ber(&rekeyed).unwrap();
            assert!(matches!(whole, std::borrow::Cow::Borrowed(_)) && rest.is_empty(), "it is DER");
            assert_eq!(open_as(bob(), &rekeyed).unwrap(), MESSAGE);
            assert!(open_as(alice(), &rekeyed).is_err());
        }
        assert!(rekeyed(&[&der[..], b"\n"].concat()).ends_with(b"\n"), "what stood behind it stands there");
    }
}

#[test]
fn pem_is_rekeyed_to_pem() {
    for (label, end, wanted) in [("CMS", "\n", Eol::Lf), ("PKCS7", "\r\n", Eol::Crlf)] {
        let text = format!("{end}{}{end}", block(label, &bare(Profile::Modern), end));
        let rekeyed = rekeyed(text.as_bytes());
        assert_eq!(open_as(bob(), &rekeyed).unwrap(), MESSAGE);
        assert_eq!(eol(&rekeyed), wanted);
        let inside = pem::STANDARD.decode(&rekeyed).unwrap();
        assert_eq!((inside.label, inside.end_label), (label, label));
        let written = format!("{end}{}{end}", block(label, &inside.contents, end));
        assert_eq!(String::from_utf8(rekeyed).unwrap(), written, "64 letters a line");
    }
}

#[test]
fn a_broken_form_is_named() {
    let der = bare(Profile::Compatible);
    let text = block("CMS", &der, "\n");
    let open_end = "the CMS structure is broken: the PEM block has no end, or octets follow it";
    let letters = "the CMS structure is broken: the PEM block has octets that base64 does not know";
    let cut = "the CMS structure is broken: it is cut off";
    for (broken, wanted) in [
        (text.replace("-----END CMS-----\n", "").into_bytes(), open_end),
        (format!("{text}footer\n").into_bytes(), open_end),
        (text.replace("END CMS", "END PKCS7").into_bytes(), open_end),
        (text.replacen("\nMI", "\nM*", 1).into_bytes(), letters),
        (block("CMS", &der[..der.len() - 3], "\n").into_bytes(), cut),
        (der[..der.len() - 1].to_vec(), cut),
        ([&der[..], b"footer"].concat(), "the CMS structure is broken: octets follow it"),
    ] {
        assert_eq!(open_as(alice(), &broken).unwrap_err().to_string(), wanted);
        let refused =
            rekey(owned(&broken), &[alice().opening()], &[bob().validated()], Naming::Certificate, seed(9));
        assert_eq!(refused.err().unwrap().to_string(), wanted);
        assert_eq!(open_raw(&broken, &[alice().opening()]).err().unwrap().to_string(), wanted);
    }
}

#[test]
fn raw_opening_takes_content_that_is_no_mail() {
    let (header, der) = split(seal_for_alice(MESSAGE, Profile::Compatible).bytes());
    // Under CBC whoever changes the IV changes the first block: `S` becomes NUL.
    let iv = damage::enveloped(&join(&header, &der)).algorithm.parameters.unwrap().value().to_vec();
    let mut other = iv.clone();
    other[0] ^= b'S';
    let no_mail = replace(&der, &iv, &other);
    let content = [&b"\0"[..], &MESSAGE[1..]].concat();
    for form in [no_mail.clone(), join(&header, &no_mail), block("CMS", &no_mail, "\n").into_bytes()] {
        assert_eq!(open_as(alice(), &form).unwrap_err().to_string(), NOT_OPENED);
        assert_eq!(open_raw(&form, &[alice().opening()]).unwrap().expose(), content);
    }
}

#[test]
fn raw_opening_takes_out_nothing_and_any_content_type() {
    let sealed = seal_for_alice(b"no header", Profile::Modern);
    let raw = |sealed: &[u8]| open_raw(sealed, &[alice().opening()]).map(|content| content.expose().to_vec());
    assert_eq!(raw(sealed.bytes()).unwrap(), b"Sealpost-Marker: v=1\r\nno header");
    assert_eq!(open_as(alice(), sealed.bytes()).unwrap(), b"no header");
    let der = bare(Profile::Modern);
    let signed_inside = replace(&der, &oid(ID_DATA), &oid(ID_SIGNED_DATA));
    assert_eq!(
        open_as(alice(), &signed_inside).unwrap_err().to_string(),
        "the message uses the content type id-signedData (1.2.840.113549.1.7.2), which is not supported"
    );
    assert_eq!(raw(&signed_inside).unwrap(), MESSAGE);
}

/// The errors of the one are the errors of the other, but for what is no mail.
#[test]
fn raw_opening_fails_as_opening_does() {
    let der = bare(Profile::Compatible);
    let wrong = OpeningKey { key: &bob().key, certificate: Some(&alice().certificate) };
    let other_cipher = replace(&der, &oid(AES_256_CBC.oid), &oid(AES_128_CBC.oid));
    let cases: [(&[u8], OpeningKey<'_>, &str); 5] = [
        (&der, wrong, NOT_OPENED),
        (&der, bob().opening(), "the message is not sealed to this key"),
        (
            &der,
            OpeningKey { key: &alice().key, certificate: None },
            "the recipients are named by their certificates; add --cert",
        ),
        (&other_cipher, alice().opening(), NOT_OPENED),
        (MESSAGE, alice().opening(), "the message is not encrypted with S/MIME"),
    ];
    for (sealed, key, wanted) in cases {
        let keys = [key];
        let errors = [open(sealed, &keys).err().unwrap(), open_raw(sealed, &keys).err().unwrap()];
        assert_eq!(errors.map(|error| error.to_string()), [wanted; 2]);
    }
}
