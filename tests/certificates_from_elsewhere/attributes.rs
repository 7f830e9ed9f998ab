//! Signed attributes, right and wrong: every signature here holds.

use crate::laws::people::EMMA;
use crate::laws::signed_message::{
    KEY_PREFERENCE, MICROSOFT_PREFERENCE, attribute, hold, issuer_and_serial, oid, required, sample, signed,
    verified,
};
use crate::laws::structure::mail;
use crate::laws::tree::Node;

/// The certificate that is preferred, or why the signature is not believed.
fn told(attributes: &[Node]) -> String {
    match verified(&mail(&signed(attributes))).expect("it is signed") {
        Err(error) => error.to_string(),
        Ok(verified) => verified.preferred.map_or("none".to_owned(), |one| one.subject()),
    }
}

fn with(more: Node) -> Vec<Node> {
    let mut attributes = required();
    attributes.push(more);
    attributes
}

#[test]
fn the_preferred_certificate_is_found_however_it_is_named() {
    let emma = EMMA.certificate();
    let key = emma.subject_key_id().unwrap();
    assert_eq!(told(&required()), "none");
    let ways = [
        (KEY_PREFERENCE, issuer_and_serial(0xa0, emma)),
        (KEY_PREFERENCE, Node::constructed(0xa1, vec![Node::primitive(4, &key)])),
        (KEY_PREFERENCE, Node::primitive(0x82, &key)),
        (MICROSOFT_PREFERENCE, issuer_and_serial(0x30, emma)),
    ];
    for (kind, value) in ways {
        assert_eq!(told(&with(attribute(kind, vec![value]))), "CN=emma");
    }
    let nobody = attribute(KEY_PREFERENCE, vec![Node::primitive(0x82, &[7; 20])]);
    assert_eq!(
        told(&with(nobody)),
        "the certificate that the signer wants to be encrypted to is not in the message"
    );
    let broken = attribute(KEY_PREFERENCE, vec![Node::primitive(0x83, &[7; 20])]);
    assert_eq!(told(&with(broken)), "the CMS structure is broken: encrypKeyPref is of no known kind");
}

#[test]
fn attributes_are_all_there_once_and_fit() {
    let [kind, digest] = required().try_into().unwrap();
    let wrong = "the signed attributes are wrong: ";
    assert_eq!(told(std::slice::from_ref(&digest)), format!("{wrong}no contentType"));
    assert_eq!(told(std::slice::from_ref(&kind)), format!("{wrong}no messageDigest"));
    let other = attribute("1.2.840.113549.1.9.3", vec![oid("1.2.840.113549.1.7.5")]);
    assert_eq!(told(&[other, digest.clone()]), format!("{wrong}contentType is not that of the content"));
    let zeros = attribute("1.2.840.113549.1.9.4", vec![Node::primitive(4, &[0; 32])]);
    assert_eq!(told(&[kind.clone(), zeros.clone()]), "the content is not what was signed");
    let twice = "the CMS structure is broken: a signed attribute does not have exactly one value";
    assert_eq!(told(&[kind.clone(), digest.clone(), zeros]), twice);
    let two = attribute("1.2.840.113549.1.9.4", vec![Node::primitive(4, &[0; 32]), Node::primitive(4, &[])]);
    assert_eq!(told(&[kind.clone(), two]), twice);
    // In another order than DER has it, they are the same set.
    assert_eq!(told(&[digest, kind]), "none");
}

/// The law of the fuzz target, on its own sample and on each place of it.
#[test]
fn a_signature_that_holds_is_over_what_was_signed() {
    hold(sample());
    let length = u16::try_from(sample().len()).unwrap();
    for at in 0..length {
        let [high, low] = at.to_be_bytes();
        hold(&[high, low, 1 << (at % 8)]);
    }
}
