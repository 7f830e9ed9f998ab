//! Structures inside structures, ten thousand levels deep, read on a stack that has no room for so many calls.

use super::Outcome;
use super::case::{Case, cases};
use crate::laws::people::ELLA;
use crate::laws::structure::{CIPHERTEXT, DATA, PARAMETERS, mail};
use crate::laws::tree::{Content, Node, spelled};
use sealpost::cms::{self, CmsError, Protection};
use sealpost::mail::Message;
use sealpost::smime::{OpenPgp, recognise};

const LEVELS: usize = 10_000;
/// A thread of the product has eight times as much, and its main thread more.
const STACK: usize = 256 << 10;

fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap().join().unwrap();
}

/// Elements in elements, the innermost one empty.
fn definite(identifier: u8, levels: usize) -> Vec<u8> {
    let mut reversed: Vec<u8> = Vec::new();
    for _ in 0..levels {
        let length = spelled(reversed.len());
        reversed.extend(length.iter().rev());
        reversed.push(identifier);
    }
    reversed.reverse();
    reversed
}

fn indefinite(identifier: u8, levels: usize) -> Vec<u8> {
    [[identifier, 0x80].repeat(levels), vec![0; 2 * levels]].concat()
}

/// SEQUENCE, SET, `[0]`, `[1]`, and an OCTET STRING and a UTF8String in pieces.
const IDENTIFIERS: [u8; 6] = [0x30, 0x31, 0xa0, 0xa1, 0x24, 0x2c];

fn nests(levels: usize) -> Vec<Vec<u8>> {
    IDENTIFIERS
        .iter()
        .flat_map(|&identifier| [definite(identifier, levels), indefinite(identifier, levels)])
        .collect()
}

/// The octets as one of the fields.
fn inside(case: &Case, path: &[usize], octets: &[u8]) -> Vec<u8> {
    let tree = case.tree();
    let (&last, parent) = path.split_last().expect("not the whole");
    tree.with_below(parent, |node| {
        let mut children: Vec<Vec<u8>> = node.children().iter().map(Node::write).collect();
        match children.get_mut(last) {
            Some(child) => *child = octets.to_vec(),
            // An OtherRecipientInfo has less in it.
            None => children.push(octets.to_vec()),
        }
        node.content = Content::Primitive(children.concat());
    })
    .write()
}

/// In the place of: the algorithm's parameters, the ciphertext, the version, a recipient's name and its algorithm.
const PLACES: [&[usize]; 5] = [&PARAMETERS, &CIPHERTEXT, &[1, 0, 0], &[1, 0, 1, 0, 1], &[1, 0, 1, 0, 2]];

#[test]
fn deep_elements_are_refused_wherever_they_are() {
    on_a_small_stack(|| {
        for case in cases().iter().filter(|case| case.is_ours()).step_by(3) {
            for nest in nests(LEVELS) {
                let ends = PLACES.map(|place| case.outcome(&inside(case, place, &nest)));
                assert_eq!(ends, [Outcome::TooMany; 5], "{}: {:02x?}", case.name, &nest[..2]);
            }
        }
        for nest in nests(LEVELS) {
            assert!(matches!(cms::read(&nest), Err(CmsError::TooMany { what: "levels", limit: 100 })));
        }
    });
}

/// As unprotected or unauthenticated attributes, which nobody looks into: up to the limit they change nothing.
#[test]
fn attributes_may_be_as_deep_as_the_limit() {
    on_a_small_stack(|| {
        let with_attributes = |case: &Case, levels| {
            let attributes = definite(if case.is_authenticated() { 0xa2 } else { 0xa1 }, 1);
            let nest = definite(0x30, levels);
            let octets = [&attributes[..1], &spelled(nest.len()), &nest].concat();
            let add =
                |data: &mut Node| data.content = Content::Primitive([data.content.write(), octets].concat());
            case.outcome(&case.tree().with_below(&DATA, add).write())
        };
        for case in cases() {
            // Three levels are around the attributes, and they are one.
            let ends = [1, 50, 96, 97, LEVELS].map(|levels| with_attributes(case, levels));
            let (same, more) = (Outcome::Same, Outcome::TooMany);
            assert_eq!(ends, [same, same, same, more, more], "{}", case.name);
        }
    });
}

fn multiparts(levels: usize, innermost: &[u8]) -> Vec<u8> {
    let begin = |level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    let end = |level| format!("\r\n--b{level}--\r\n");
    let begins: String = (0..levels).map(begin).collect();
    let ends: String = (0..levels).rev().map(end).collect();
    [begins.as_bytes(), innermost, ends.as_bytes()].concat()
}

#[test]
fn deep_multiparts_are_clear_mail() {
    on_a_small_stack(|| {
        for case in cases() {
            let ends = [1, 99, 100, LEVELS]
                .map(|levels| case.outcome_of_mail(&multiparts(levels, &mail(&case.octets))));
            let (same, clear) = (Outcome::Same, Outcome::NotEncrypted);
            assert_eq!(ends, [same, same, clear, clear], "{}", case.name);
        }
        let deep = multiparts(LEVELS, b"\r\nx");
        for kind in ["mixed", "signed", "encrypted"] {
            let message = String::from_utf8(deep.clone()).unwrap().replace("mixed", kind);
            assert!(matches!(cms::find(&Message::new(message.as_bytes())), Protection::None));
            assert!(recognise(message.as_bytes(), &[&[ELLA.certificate().clone()]], OpenPgp::Keep).is_none());
        }
    });
}
