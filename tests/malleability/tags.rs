//! Authentication tags (RFC 5084 3.2): short ones, and lengths that say something else.

use super::Outcome;
use super::case::{Case, cases};
use crate::laws::structure::{CIPHERTEXT, DATA, MAC, PARAMETERS};
use crate::laws::tree::{Content, Node};

fn authenticated() -> impl Iterator<Item = &'static Case> {
    cases().iter().filter(|case| case.is_authenticated())
}

/// The tag cut or filled up to a length, and what the parameters say of it; nothing: they do not say anything.
fn with_tag(case: &Case, length: usize, icv_len: Option<&[u8]>) -> Node {
    let mut tree = case.tree();
    let mut tag = tree.below(&MAC).octets().unwrap().to_vec();
    tag.resize(length, 0);
    tree.below_mut(&MAC).content = Content::Primitive(tag);
    let Content::Constructed(parameters) = &mut tree.below_mut(&PARAMETERS).content else {
        panic!("a SEQUENCE")
    };
    parameters.truncate(1);
    parameters.extend(icv_len.map(|octets| Node::primitive(0x02, octets)));
    tree
}

fn outcome(case: &Case, length: usize, icv_len: Option<&[u8]>) -> Outcome {
    case.outcome(&with_tag(case, length, icv_len).write())
}

/// From 12 octets on the beginning of a tag is a tag.
#[test]
fn tags_below_twelve_octets_are_refused() {
    for case in authenticated() {
        for length in 0..=20 {
            let expected = match length {
                12..=16 => Outcome::Same,
                _ => Outcome::Refused,
            };
            assert_eq!(outcome(case, length, Some(&[length as u8])), expected, "{}: {length}", case.name);
        }
        assert_eq!(outcome(case, 12, None), Outcome::Same, "twelve is the default");
    }
    assert!(authenticated().count() >= 8);
}

#[test]
fn a_short_tag_still_authenticates() {
    for case in authenticated() {
        for length in 12..16_u8 {
            let tree = with_tag(case, length.into(), Some(&[length]));
            let last = usize::from(length) - 1;
            let turned = tree.with_below(&MAC, |node| turn(node, last));
            assert_eq!(case.outcome(&turned.write()), Outcome::NotOpened);
            if tree.below(&CIPHERTEXT).octets().is_some() {
                let turned = tree.with_below(&CIPHERTEXT, |node| turn(node, 0));
                assert_eq!(case.outcome(&turned.write()), Outcome::NotOpened);
            }
        }
    }
}

fn turn(node: &mut Node, at: usize) {
    let Content::Primitive(octets) = &mut node.content else { panic!("primitive") };
    octets[at] ^= 1;
}

#[test]
fn a_tag_is_as_long_as_its_parameters_say() {
    for case in authenticated() {
        for (length, icv_len) in
            (0..=20).flat_map(|length| (12..=16_u8).map(move |icv_len| (length, icv_len)))
        {
            if length != usize::from(icv_len) {
                assert_eq!(outcome(case, length, Some(&[icv_len])), Outcome::Refused, "{length}, {icv_len}");
            }
        }
        assert_eq!(outcome(case, 16, None), Outcome::Refused);
        for odd in [&[][..], &[0xf0], &[0, 16], &[1, 0], &[0x7f, 0xff, 0xff, 0xff, 0xff], &[0; 200]] {
            let outcome = outcome(case, 16, Some(odd));
            assert!([Outcome::Malformed, Outcome::Refused].contains(&outcome), "{odd:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_tag_that_is_missing_or_there_twice_is_refused() {
    for case in authenticated() {
        let tree = case.tree();
        let change = |change: fn(&mut Vec<Node>)| {
            let changed = tree.with_below(&DATA, |data| {
                let Content::Constructed(fields) = &mut data.content else { panic!("a SEQUENCE") };
                change(fields);
            });
            case.outcome(&changed.write())
        };
        assert_eq!(change(|fields| drop(fields.pop())), Outcome::Malformed);
        assert_eq!(change(|fields| fields.extend(fields.last().cloned())), Outcome::Malformed);
        assert_eq!(change(|fields| fields.insert(3, Node::primitive(0x04, &[0; 16]))), Outcome::Malformed);
    }
}
