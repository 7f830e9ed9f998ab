//! Structures that are large in one way only: many of something small.

use super::case::Case;
use crate::laws::structure::{CIPHERTEXT, DATA, RECIPIENTS};
use crate::laws::tree::{Content, Length, Node, spelled};

/// The structure of a case, swollen by about so many octets.
pub(super) struct Swelling {
    pub(super) name: &'static str,
    pub(super) swell: fn(&Case, usize) -> Vec<u8>,
}

pub(super) static SWELLINGS: [Swelling; 9] = [
    Swelling {
        name: "empty attributes",
        swell: |case, size| with_attributes(case, &[0x30, 0].repeat(size / 2)),
    },
    Swelling {
        name: "attributes without length",
        swell: |case, size| with_attributes(case, &[0x30, 0x80, 0, 0].repeat(size / 4)),
    },
    Swelling {
        name: "attributes in pieces",
        swell: |case, size| with_attributes(case, &[0x24, 0].repeat(size / 2)),
    },
    Swelling {
        name: "attributes inside attributes",
        swell: |case, size| with_attributes(case, &nests(90).repeat(size / nests(90).len())),
    },
    Swelling {
        name: "empty pieces of the ciphertext",
        swell: |case, size| in_pieces(case, &[0x04, 0].repeat(size / 2)),
    },
    Swelling {
        name: "authenticated attributes",
        swell: |case, size| with_authenticated(case, &[0x05, 0].repeat(size / 2)),
    },
    Swelling {
        name: "unknown recipients",
        swell: |case, size| with_recipients(case, &[0xa9, 0].repeat(size / 2)),
    },
    Swelling {
        name: "one long recipient",
        swell: |case, size| with_recipients(case, &element(0xa9, &vec![7; size])),
    },
    Swelling { name: "a ciphertext", swell: |case, size| with_ciphertext(case, size) },
];

fn element(identifier: u8, content: &[u8]) -> Vec<u8> {
    [&[identifier][..], &spelled(content.len()), content].concat()
}

fn nests(levels: usize) -> Vec<u8> {
    (0..levels).fold(Vec::new(), |inner, _| element(0x30, &inner))
}

/// With these octets behind what the element holds.
fn with_more(case: &Case, path: &[usize], octets: &[u8]) -> Vec<u8> {
    let more =
        |node: &mut Node| node.content = Content::Primitive([node.content.write(), octets.to_vec()].concat());
    case.tree().with_below(path, more).write()
}

/// unprotectedAttrs or unauthAttrs.
fn with_attributes(case: &Case, octets: &[u8]) -> Vec<u8> {
    with_more(case, &DATA, &element(if case.is_authenticated() { 0xa2 } else { 0xa1 }, octets))
}

fn with_recipients(case: &Case, octets: &[u8]) -> Vec<u8> {
    with_more(case, &RECIPIENTS, octets)
}

/// authAttrs stand before the tag; where there is none they do not belong.
pub(super) fn with_authenticated(case: &Case, octets: &[u8]) -> Vec<u8> {
    let insert = |data: &mut Node| {
        let mut fields: Vec<Vec<u8>> = data.children().iter().map(Node::write).collect();
        fields.insert(3, element(0xa1, octets));
        data.content = Content::Primitive(fields.concat());
    };
    case.tree().with_below(&DATA, insert).write()
}

fn in_pieces(case: &Case, octets: &[u8]) -> Vec<u8> {
    let pieces = |node: &mut Node| {
        let whole = Node::primitive(0x04, &node.content.write()).write();
        let content = Content::Primitive([whole, octets.to_vec()].concat());
        *node = Node { identifier: 0xa0, length: Length::Definite, content };
    };
    case.tree().with_below(&CIPHERTEXT, pieces).write()
}

fn with_ciphertext(case: &Case, size: usize) -> Vec<u8> {
    let fill = Content::Primitive(vec![7; size / 16 * 16]);
    case.tree().with_below(&CIPHERTEXT, |node| node.content = fill).write()
}
