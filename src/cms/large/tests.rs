//! A large structure is read as one that is held.

use super::super::{Enveloped, Input, Protection, find, samples};
use super::*;
use crate::mail::{Message, Span};
use encodify::base64;
use proptest::prelude::*;
use std::ops::ControlFlow;

const ALL: [&str; 8] = [
    samples::CBC,
    samples::BY_KEY,
    samples::GCM,
    samples::BOTH,
    samples::STREAMED,
    samples::PASSWORD,
    samples::SIGNED,
    samples::CERTIFICATES,
];

fn words(protection: &Protection) -> String {
    match protection {
        Protection::Encrypted(found) => {
            let mut found = found.clone();
            found.encrypted_content = Vec::new().into();
            format!("{found:?}")
        }
        other => format!("{other:?}"),
    }
}

fn assert_found(message: &[u8]) -> bool {
    match find_large(Span::of(&message)) {
        Ok(found) => {
            assert_eq!(words(&found), words(&find(&Message::new(message))), "{}", message.escape_ascii());
            true
        }
        Err(LargeError::Undecided) => false,
        Err(error) => panic!("{error}"),
    }
}

/// The ciphertext, as it comes.
fn walked(input: &[u8]) -> Result<Option<(Enveloped, Vec<u8>)>, LargeError> {
    let mut octets = Vec::new();
    let found = LargeInput::of(Span::of(&input))?.encrypted(&mut |piece| {
        octets.extend_from_slice(piece);
        ControlFlow::Continue(())
    })?;
    Ok(found.map(|(enveloped, _)| (enveloped, octets)))
}

/// Structure, ciphertext and errors are those of what is held.
fn assert_read(input: &[u8]) -> bool {
    let held = Input::of(input).examine();
    match (walked(input), held) {
        (Err(LargeError::Undecided), _) => return false,
        (Ok(Some((enveloped, octets))), Ok(Protection::Encrypted(held))) => {
            assert_eq!(octets, *held.encrypted_content);
            assert_eq!(
                words(&Protection::Encrypted(Box::new(enveloped))),
                words(&Protection::Encrypted(held))
            );
        }
        (Ok(None), Ok(found)) => assert!(!matches!(found, Protection::Encrypted(_))),
        // Of two faults the one is met first by who looks into everything, the other by who passes small things on unread.
        (Err(LargeError::Cms(CmsError::Malformed(_))), Err(CmsError::Malformed(_))) => {}
        (Err(error), Err(held)) => assert_eq!(error.to_string(), held.to_string()),
        (walked, held) => {
            panic!("{:?} {held:?} {}", walked.map(|found| found.is_some()), input.escape_ascii())
        }
    }
    true
}

fn forms(der: &[u8]) -> Vec<Vec<u8>> {
    let encoded = base64::MIME.encode(der);
    let pem = |label: &str| format!("-----BEGIN {label}-----\n{encoded}-----END {label}-----\n").into_bytes();
    let mail = format!("Subject: x\nContent-Transfer-Encoding: base64\n\n{encoded}").into_bytes();
    let part = format!(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\n{}\n--o--\n",
        String::from_utf8_lossy(&mail)
    );
    let binary =
        [b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\n".as_slice(), der, b"\n"]
            .concat();
    vec![der.to_vec(), pem("CMS"), pem("PKCS7"), mail, part.into_bytes(), binary]
}

#[test]
fn samples_in_every_form_are_read_as_what_is_held() {
    for sample in ALL {
        for input in forms(&samples::der(sample)) {
            assert!(assert_found(&input), "it can be said");
            assert_read(&input);
        }
    }
    for sample in [samples::CBC, samples::GCM, samples::STREAMED, samples::BOTH] {
        assert!(forms(&samples::der(sample)).iter().all(|input| assert_read(input)), "it can be read");
    }
}

#[test]
fn signed_multiparts_are_known_by_their_second_part() {
    let signature = base64::MIME.encode(samples::der(samples::SIGNED));
    let signed = |signature: &str| {
        format!(
            "Content-Type: multipart/signed; boundary=s\n\n--s\n\nhello\n--s\nContent-Transfer-Encoding: base64\n\n{signature}\n--s--\n"
        )
    };
    for body in [&signature, "bm8=", ""] {
        assert!(assert_found(signed(body).as_bytes()));
    }
    assert!(matches!(find_large(Span::of(&signed(&signature).as_bytes())), Ok(Protection::Signed)));
}

/// An element without a length inside of one that ends before it: the end that stands behind is not its own.
#[test]
fn an_end_behind_the_element_around_it_ends_nothing() {
    let der = samples::der(samples::CBC);
    let info = super::super::element::Elements(&der).any().unwrap().content;
    let mut fields = super::super::element::Elements(info);
    let (oid, content) = (fields.any().unwrap().whole, fields.any().unwrap().content);
    let inside = [oid, &[0xa0, 0x80], content].concat();
    let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
    let open = [&[0x30, 0x82][..], &length, &inside, &[0, 0]].concat();
    assert!(assert_read(&open));
    assert!(walked(&open).is_err());
    let closed =
        [&[0x30, 0x82][..], &(u16::try_from(inside.len()).unwrap() + 2).to_be_bytes(), &inside, &[0, 0]]
            .concat();
    assert!(assert_read(&closed) && walked(&closed).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damage_is_read_as_in_what_is_held(sample in 0_usize..8, form in 0_usize..6, at: prop::sample::Index, octet: u8, cut: bool) {
        let mut input = forms(&samples::der(ALL[sample])).remove(form);
        let at = at.index(input.len());
        input[at] = octet;
        if cut {
            input.truncate(at);
        }
        assert_found(&input);
        assert_read(&input);
    }

    #[test]
    fn nothing_panics(bytes: Vec<u8>) {
        let _ = find_large(Span::of(&bytes.as_slice()));
        let _ = walked(&bytes);
    }
}
