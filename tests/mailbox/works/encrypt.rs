//! What is sealed, what stays, and why.

use super::*;
use crate::laws::people::{ELLA, EMMA, KINDS, ROSA, XENIA, seal};
use crate::laws::structure::{mail, octets};
use sealpost::crypto::Profile;
use sealpost::mail::{HeaderPolicy, Message};
use sealpost::smime::{Form, Naming};

fn fate(message: &[u8]) -> Made {
    let (prospect, seeds) = (prospect("", &[&ELLA]), Seeds::default());
    made_of(&encrypt(&prospect, &seeds), message)
}

fn wrapped(message: &[u8]) -> Made {
    let (prospect, seeds) = (prospect("", &[&ELLA]), Seeds::default());
    let (others, openpgp) = (SealedToOthers::Wrap, OpenPgp::Seal);
    made_of(&Encrypt { others, openpgp, ..encrypt(&prospect, &seeds) }, message)
}

#[test]
fn what_is_sealed_to_exactly_the_wanted_stays() {
    let both = prospect("", &[&ELLA, &EMMA]);
    let seeds = Seeds::default();
    let work = encrypt(&both, &seeds);
    let (sealed, notes) = replaced(made_of(&work, MESSAGE));
    assert_eq!(notes, [""; 0]);
    assert_eq!(left(made_of(&work, &sealed)), Left::AlreadyRight);
    // Named by their keys it is the same two.
    let form = Form { naming: Naming::KeyIdentifier, ..Form::default() };
    let by_key = seal(MESSAGE, &[&EMMA, &ELLA], form, 1).unwrap();
    assert_eq!(left(made_of(&work, by_key.bytes())), Left::AlreadyRight);
    for (some, expected) in [
        (&[&ELLA][..], Left::OtherKeys),
        (&[&EMMA], Left::OtherKeys),
        (&[&ELLA, &EMMA, &ROSA], Left::AndOthers),
        (&[&ELLA, &ROSA], Left::AndOthers),
        (&[&ROSA], Left::SealedToOthers),
    ] {
        let sealed = seal(MESSAGE, some, Form::default(), 1).unwrap();
        assert_eq!(left(made_of(&work, sealed.bytes())), expected);
    }
}

#[test]
fn a_password_is_nobody_who_is_wanted() {
    let sealed = seal(MESSAGE, &[&ELLA], Form::default(), 1).unwrap();
    let with_password = with_another_recipient(sealed.bytes(), &[0xa3, 3, 2, 1, 0]);
    // A password's RecipientInfo that is none breaks the whole: then it is sealed like any other.
    let (bytes, _) = replaced(fate(&with_password));
    assert_eq!(decrypted(&bytes, &ELLA).0, with_password);
    let unknown = with_another_recipient(sealed.bytes(), &[0xa4, 5, 6, 1, 0x2a, 5, 0]);
    assert_eq!(left(fate(&unknown)), Left::WeakAlgorithms, "nobody knows how it gets the key");
}

/// The same with one more RecipientInfo.
fn with_another_recipient(sealed: &[u8], info: &[u8]) -> Vec<u8> {
    use crate::laws::structure::RECIPIENTS;
    use crate::laws::tree::{Content, Node};
    let add = |node: &mut Node| {
        let Content::Constructed(children) = &mut node.content else { panic!("a SET") };
        children.push(Node::read(info).expect("it is BER"));
    };
    mail(&Node::read(&octets(sealed)).unwrap().with_below(&RECIPIENTS, add).write())
}

#[test]
fn what_is_sealed_to_others_stays_or_is_wrapped() {
    let theirs = encrypted(MESSAGE, "", &[&EMMA]);
    assert_eq!(left(fate(&theirs)), Left::SealedToOthers);
    let (whole, notes) = replaced(wrapped(&theirs));
    assert_eq!(notes, ["it was encrypted already: that encryption is inside now"]);
    assert_eq!(left(wrapped(&whole)), Left::AlreadyRight, "it is wrapped once");
    assert_eq!(decrypted(&whole, &ELLA).0, theirs);
}

/// What the owner can read is never wrapped: what a delivery keeps, and what only a rekey mends.
#[test]
fn what_the_owner_can_read_is_left_and_told_apart() {
    let modern = Form { profile: Profile::Modern, ..Form::default() };
    for (people, expected) in [
        (&[&ELLA, &EMMA][..], Left::AndOthers),
        (&[&XENIA], Left::OtherKeys),
        (&[&XENIA, &EMMA], Left::OtherKeys),
        (&[&XENIA, &ELLA], Left::OtherKeys),
        (&[&XENIA, &ELLA, &EMMA], Left::AndOthers),
    ] {
        let sealed = seal(MESSAGE, people, modern, 1).unwrap();
        assert_eq!(left(fate(sealed.bytes())), expected);
        assert_eq!(left(wrapped(sealed.bytes())), expected, "nor is it wrapped");
    }
}

#[test]
fn what_is_encrypted_with_openpgp_stays_or_is_wrapped() {
    assert_eq!(left(fate(&openpgp())), Left::OpenPgp);
    let (whole, _) = replaced(wrapped(&openpgp()));
    assert_eq!(decrypted(&whole, &ELLA).0, openpgp());
}

#[test]
fn no_label_is_believed() {
    let header = "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\n";
    let sealed = seal(MESSAGE, &[&ELLA], Form::default(), 1).unwrap();
    let der = octets(sealed.bytes());
    let cut = mail(&der[..der.len() - 1]);
    for message in
        [header.as_bytes(), format!("{header}AAAA\n").as_bytes(), &cut, b"", b"\n", b"From me\nTo: a\n"]
    {
        let (whole, _) = replaced(fate(message));
        assert_eq!(decrypted(&whole, &ELLA).0, message);
    }
    // And the other way round: it is sealed to the right one, and calls itself a text.
    let text = [b"Content-Type: text/plain\r\n", mail(&der).split_at(38).1].concat();
    assert_eq!(Message::new(&text).fields().len(), 2, "{}", text.escape_ascii());
    assert_eq!(left(fate(&text)), Left::AlreadyRight);
}

#[test]
fn the_line_of_an_mbox_is_a_part_of_the_stored_file() {
    let message = [b"From anna@north.example Mon Nov  2 10:00:00 2026\n", MESSAGE].concat();
    let (whole, _) = replaced(fate(&message));
    assert_eq!(decrypted(&whole, &ELLA).0, message);
}

#[test]
fn the_header_is_hidden_as_the_site_says() {
    let signed = b"Subject: figures\nContent-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--\n";
    for headers in [HeaderPolicy::HideSubject, HeaderPolicy::HideMost] {
        let settings = format!("headers = \"{}\"", headers.name());
        let sealed = encrypted(MESSAGE, &settings, &[&ELLA]);
        assert_eq!(Message::new(&sealed).fields_named("Subject").next().unwrap().text(), "[...]");
        assert_eq!(decrypted(&sealed, &ELLA), (MESSAGE.to_vec(), Vec::new()));
        let (prospect, seeds) = (prospect(&settings, &[&ELLA]), Seeds::default());
        let (kept, notes) = replaced(made_of(&encrypt(&prospect, &seeds), signed));
        assert_eq!(
            notes,
            ["nothing of the header is hidden: the message is signed or encrypted by its sender, or says so"]
        );
        assert_eq!(Message::new(&kept).fields_named("Subject").next().unwrap().text(), "figures");
    }
}

#[test]
fn every_kind_of_key_is_served() {
    for person in KINDS {
        let profile = match person.name {
            "xenia" => Profile::Modern,
            "magda" => Profile::PostQuantum,
            _ => Profile::Compatible,
        };
        let settings = format!("profile = \"{}\"", profile.name());
        let sealed = encrypted(MESSAGE, &settings, &[person]);
        assert_eq!(decrypted(&sealed, person), (MESSAGE.to_vec(), Vec::new()), "{}", person.name);
        let (prospect, seeds) = (prospect(&settings, &[person]), Seeds::default());
        assert_eq!(left(made_of(&encrypt(&prospect, &seeds), &sealed)), Left::AlreadyRight);
    }
}

#[test]
fn a_batch_keeps_its_order_and_seeds_are_used_once() {
    let sealed = encrypted(MESSAGE, "", &[&ELLA]);
    let others = encrypted(MESSAGE, "", &[&EMMA]);
    let messages: Vec<Vec<u8>> =
        (0..40).map(|number| format!("Subject: {number}\n\nx\n").into_bytes()).collect();
    let mut batch: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    batch.insert(20, &sealed);
    batch.insert(7, &others);
    let (prospect, seeds) = (prospect("", &[&ELLA]), Seeds::default());
    let made = made(&encrypt(&prospect, &seeds), &batch);
    assert_eq!(seeds.0.load(Ordering::Relaxed), 40, "a seed for each message that is sealed");
    for (made, message) in made.into_iter().zip(&batch) {
        match made {
            Made::Leave(Left::AlreadyRight) => assert_eq!(*message, sealed),
            Made::Leave(Left::SealedToOthers) => assert_eq!(*message, others),
            made => assert_eq!(decrypted(&replaced(made).0, &ELLA).0, *message),
        }
    }
}

#[test]
fn without_randomness_nothing_is_sealed() {
    let prospect = prospect("", &[&ELLA]);
    let (others, openpgp) = (SealedToOthers::Leave, OpenPgp::Keep);
    let own = own(&prospect);
    let work =
        Encrypt { prospect: &prospect, own, at: now(), others, weak: others, openpgp, entropy: &NoSeeds };
    assert_eq!(failed(made_of(&work, MESSAGE)), "the system's random number generator failed: no device");
}
