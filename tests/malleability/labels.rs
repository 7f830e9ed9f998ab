//! Structures and algorithms under other names than their own.

use super::case::{Case, cases};
use super::{Outcome, Tally, tally};
use crate::laws::script::known_algorithms;
use crate::laws::structure::{CIPHER, DATA};
use crate::laws::tree::{Content, Node};
use sealpost::crypto::algorithm::{CONTENT_CIPHERS, ContentCipher, KEY_AGREEMENTS, Mode};

pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;

/// id-envelopedData and id-ct-authEnvelopedData.
const ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3];
const AUTH_ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 0x17];
/// id-data, id-signedData, id-ecPublicKey, P-256, SHA-1 and SHA-512.
const OTHERS: [&[u8]; 6] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
    &[0x2b, 0x0e, 3, 2, 0x1a],
    &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
];

/// Every name that means something somewhere.
fn names() -> Vec<Vec<u8>> {
    let known = known_algorithms().into_iter().map(|oid| oid.as_bytes().to_vec());
    known.chain([ENVELOPED, AUTH_ENVELOPED].into_iter().chain(OTHERS).map(<[u8]>::to_vec)).collect()
}

/// Standard and cofactor Diffie-Hellman are one where the cofactor is 1, and on our curves it is.
pub(super) fn means_the_same(one: &[u8], other: &[u8]) -> bool {
    let agreement = |name: &[u8]| {
        let row = KEY_AGREEMENTS.into_iter().find(|row| row.oid.as_bytes() == name)?;
        Some(row.name.replace("cofactor-", ""))
    };
    one == other || (agreement(one).is_some() && agreement(one) == agreement(other))
}

#[test]
fn no_name_can_take_another_ones_place() {
    let mut tally = Tally::new();
    for case in cases() {
        let (tree, own) = (case.tree(), format!("1.0.1.{}.", case.own_recipient()));
        let is_name =
            |&number: &usize| tree.at(number).is_some_and(|node| node.identifier == OBJECT_IDENTIFIER);
        for number in (0..tree.count()).filter(is_name) {
            let (path, own_name) = (tree.path(number), tree.at(number).and_then(Node::octets).unwrap());
            let foreign = path.starts_with("1.0.1.") && !path.starts_with(&own);
            for name in names().iter().filter(|name| !means_the_same(name, own_name)) {
                let changed = tree.with(number, |node| node.content = Content::Primitive(name.clone()));
                let outcome = case.outcome(&changed.write());
                assert!(outcome > Outcome::Changed || foreign, "{}: {path} as {name:02x?}", case.name);
                *tally.entry(outcome).or_default() += 1;
            }
        }
    }
    println!("{tally:?}");
    let seen = [
        Outcome::Malformed,
        Outcome::NotEncrypted,
        Outcome::NotARecipient,
        Outcome::Unsupported,
        Outcome::NotOpened,
    ];
    assert!(seen.iter().all(|outcome| tally.get(outcome) > Some(&10)), "{tally:?}");
}

/// A contentEncryptionAlgorithm with parameters as they must be.
fn identifier(cipher: &ContentCipher) -> Node {
    let iv = Node::primitive(OCTET_STRING, &vec![7; cipher.iv_len]);
    let parameters = match (cipher.mode, cipher.name) {
        (_, "chacha20-poly1305") => iv,
        (Mode::Aead, _) => Node::constructed(SEQUENCE, vec![iv, Node::primitive(INTEGER, &[16])]),
        (Mode::Cbc, name) if name.starts_with("rc2") => {
            Node::constructed(SEQUENCE, vec![Node::primitive(INTEGER, rc2_version(cipher)), iv])
        }
        (Mode::Cbc, _) => iv,
    };
    let name = Node::primitive(OBJECT_IDENTIFIER, cipher.oid.as_bytes());
    Node::constructed(SEQUENCE, vec![name, parameters])
}

/// RFC 3370 5.2: what stands for 40, 64 and 128 bits.
fn rc2_version(cipher: &ContentCipher) -> &'static [u8] {
    match cipher.key_len {
        5 => &[0, 160],
        8 => &[120],
        _ => &[58],
    }
}

fn is_under(case: &Case, cipher: &ContentCipher) -> bool {
    case.tree().below(&CIPHER).children()[0].octets() == Some(cipher.oid.as_bytes())
}

/// The parameters fit the new name, so that nothing but the name is wrong.
#[test]
fn a_cipher_under_another_name_is_refused_or_opens_nothing() {
    for case in cases() {
        let outcomes = CONTENT_CIPHERS.into_iter().filter(|cipher| !is_under(case, cipher)).map(|cipher| {
            let changed = case.tree().with_below(&CIPHER, |node| *node = identifier(cipher));
            let outcome = case.outcome(&changed.write());
            let belongs = case.is_authenticated() == (cipher.mode == Mode::Aead);
            let expected = if belongs { Outcome::NotOpened } else { Outcome::Refused };
            assert_eq!(outcome, expected, "{} as {}", case.name, cipher.name);
            outcome
        });
        assert_eq!(tally(outcomes).len(), 2, "{}", case.name);
    }
}

/// The type of the whole, and with it the tag that an AuthEnvelopedData has and an EnvelopedData has not.
fn as_the_other(case: &Case, tag: &[u8]) -> Node {
    let mut tree = case.tree();
    let (name, tag) = match case.is_authenticated() {
        true => (ENVELOPED, None),
        false => (AUTH_ENVELOPED, Some(Node::primitive(OCTET_STRING, tag))),
    };
    tree.below_mut(&[0]).content = Content::Primitive(name.to_vec());
    let Content::Constructed(fields) = &mut tree.below_mut(&DATA).content else { panic!("a SEQUENCE") };
    fields.truncate(3);
    fields.extend(tag);
    tree
}

#[test]
fn enveloped_data_is_not_taken_for_its_authenticated_sister_nor_she_for_it() {
    for case in cases() {
        for length in [0, 12, 16] {
            let changed = as_the_other(case, &vec![0; length]).write();
            assert_eq!(case.outcome(&changed), Outcome::Refused, "{}", case.name);
        }
    }
}
