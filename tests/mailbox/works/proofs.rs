//! What is proved of a replacement before the old message goes.

use super::*;
use crate::laws::people::{ELLA, EMMA, seal};
use crate::laws::structure::{CIPHER, CIPHERTEXT, DATA, MAC, mail, octets};
use crate::laws::tree::{Content, Node};
use sealpost::mailbox::Proof;
use sealpost::smime::Form;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The proofs that the works give.
fn proof(made: Made) -> (Vec<u8>, Proof) {
    match made {
        Made::Replace(content, proof, _) => (content.bytes().to_vec(), proof),
        _ => panic!("it is not replaced"),
    }
}

/// Of each kind: what was written, and its proof.
fn proofs() -> Vec<(Vec<u8>, Proof)> {
    let (ella, seeds) = (prospect("", &[&ELLA]), Seeds::default());
    let emma = prospect("", &[&EMMA]);
    let sealed = proof(made_of(&encrypt(&ella, &seeds), MESSAGE));
    let clear = proof(made_of(&Decrypt { keys: &[ELLA.opening()] }, &sealed.0));
    let keys = [ELLA.opening()];
    let handed_on = proof(made_of(&Rekey::new(&keys, &emma, &Directory::default(), &seeds), &sealed.0));
    vec![sealed, clear, handed_on]
}

#[test]
fn no_octet_may_be_another_one() {
    for (bytes, proof) in proofs() {
        assert!(proof.holds(&bytes));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(!proof.holds(&other), "{at} of {proof:?}");
        }
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert!(!proof.holds(&bytes[..length]), "{proof:?}");
        }
        assert!(!proof.holds(&[bytes.as_slice(), b"\n"].concat()));
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn ids(people: &[&Person]) -> BTreeSet<RecipientId> {
    people.iter().map(|person| person.certificate().recipient_ids().remove(0)).collect()
}

/// The octets are what was to be written: what they are is looked at all the same.
#[test]
fn a_fault_of_who_made_it_is_found() {
    let sealed = seal(MESSAGE, &[&ELLA, &EMMA], Form::default(), 1).unwrap();
    let bytes = sealed.bytes();
    let named = |people: &[&Person]| Proof::SealedTo(sha256(bytes), ids(people)).holds(bytes);
    assert!(named(&[&ELLA, &EMMA]));
    for wrong in [&[&ELLA][..], &[&EMMA], &[], &[&ELLA, &EMMA, &crate::laws::people::ROSA]] {
        assert!(!named(wrong), "{} of them", wrong.len());
    }
    for clear in [MESSAGE, b"", bytes.split_at(bytes.len() / 2).0] {
        assert!(!Proof::SealedTo(sha256(clear), ids(&[&ELLA])).holds(clear));
        assert!(!Proof::SealedTo(sha256(clear), BTreeSet::new()).holds(clear));
    }
}

#[test]
fn another_content_is_found() {
    let sealed = seal(MESSAGE, &[&ELLA], Form::default(), 1).unwrap();
    let content = crate::laws::inside::enveloped(sealed.bytes()).content_digest();
    let whole = mail(&octets(sealed.bytes()));
    let holds = |bytes: &[u8]| Proof::SameContent(sha256(bytes), ids(&[&ELLA]), content).holds(bytes);
    assert!(holds(sealed.bytes()) && holds(&whole));
    let changed = |place: &[usize], change: fn(&mut Vec<u8>)| {
        let change = |node: &mut Node| match &mut node.content {
            Content::Primitive(octets) => change(octets),
            Content::Constructed(_) => panic!("octets"),
        };
        mail(&Node::read(&octets(sealed.bytes())).unwrap().with_below(place, change).write())
    };
    let flip = |octets: &mut Vec<u8>| octets[3] ^= 1;
    assert!(!holds(&changed(&CIPHERTEXT, flip)), "another ciphertext");
    assert!(!holds(&changed(&[CIPHER.as_slice(), &[1]].concat(), flip)), "another IV");
    assert!(!holds(&changed(&CIPHERTEXT, |octets| octets.truncate(octets.len() - 16))), "a block less");
    let half = changed(&CIPHERTEXT, |octets| octets.truncate(octets.len() - 1));
    assert!(!Proof::SealedTo(sha256(&half), ids(&[&ELLA])).holds(&half), "no whole block");
}

/// Tag and attributes belong to the content, whoever reads it.
#[test]
fn another_tag_and_other_attributes_are_found() {
    let form = Form::from(sealpost::crypto::Profile::Modern);
    let sealed = seal(MESSAGE, &[&ELLA], form, 1).unwrap();
    let tree = Node::read(&octets(sealed.bytes())).unwrap();
    let digest = |tree: &Node| crate::laws::inside::enveloped(&mail(&tree.write())).content_digest();
    let add = |identifier: u8, at: usize| {
        let attribute = Node::read(b"\x30\x0b\x06\x03\x2a\x03\x04\x31\x04\x04\x02ab").unwrap();
        let attributes = Node::constructed(identifier, vec![attribute]);
        tree.with_below(&DATA, |data| match &mut data.content {
            Content::Constructed(children) => children.insert(at, attributes),
            Content::Primitive(_) => panic!("a SEQUENCE"),
        })
    };
    let flip = |node: &mut Node| match &mut node.content {
        Content::Primitive(octets) => octets[0] ^= 1,
        Content::Constructed(_) => panic!("octets"),
    };
    let all = [tree.clone(), tree.with_below(&MAC, flip), add(0xa1, 3), add(0xa2, 4)];
    let digests: BTreeSet<[u8; 32]> = all.iter().map(digest).collect();
    assert_eq!(digests.len(), all.len());
}
