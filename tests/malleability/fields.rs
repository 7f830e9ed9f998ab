//! One bit at a time: in every tag, in every octet of a length, and in every field of every structure.

use super::case::{Case, cases};
use super::labels::{OBJECT_IDENTIFIER, means_the_same};
use super::lengths::is_version;
use super::{Outcome, Tally};
use crate::laws::tree::{Content, Length, Node, spelled};
use std::collections::BTreeSet;

const INTEGER: u8 = 0x02;
const NULL: u8 = 0x05;

fn flipped(octets: &[u8], at: usize, bit: u8) -> Vec<u8> {
    let mut octets = octets.to_vec();
    octets[at] ^= 1 << bit;
    octets
}

/// The element with one bit of its tag turned.
fn in_tag(node: &Node) -> impl Iterator<Item = Node> {
    (0..8).map(|bit| Node { identifier: node.identifier ^ 1 << bit, ..node.clone() })
}

/// Every bit of every octet.
fn in_length(node: &Node) -> impl Iterator<Item = Node> {
    let octets = match &node.length {
        Length::Definite => spelled(node.content.write().len()),
        Length::Indefinite => vec![0x80],
        Length::Spelled(octets) => octets.clone(),
    };
    let bits = (0..octets.len()).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let lengths = bits.map(move |(at, bit)| Length::Spelled(flipped(&octets, at, bit)));
    lengths.map(|length| Node { length, ..node.clone() })
}

/// Some bits of the first, the middle and the last octet of a primitive element.
fn in_content(node: &Node) -> impl Iterator<Item = Node> {
    let octets = node.octets().unwrap_or_default();
    let mut places = vec![0, octets.len() / 2, octets.len().saturating_sub(1)];
    places.dedup();
    places.retain(|&at| at < octets.len());
    let bits = places.into_iter().flat_map(|at| [0, 5].map(|bit| (at, bit)));
    let contents = bits.map(|(at, bit)| Content::Primitive(flipped(octets, at, bit)));
    contents.map(|content| Node { content, ..node.clone() })
}

/// The paths of elements where a bit does nothing, and of those where it makes another message of it.
struct Places {
    same: BTreeSet<String>,
    changed: BTreeSet<String>,
}

fn turn_every_bit(case: &Case, tally: &mut Tally) -> Places {
    let tree = case.tree();
    let mut places = Places { same: BTreeSet::new(), changed: BTreeSet::new() };
    for number in 0..tree.count() {
        let node = tree.at(number).expect("counted");
        let turned = in_tag(node).chain(in_length(node)).chain(in_content(node));
        for turned in turned.filter(|turned| !is_another_name(node, turned)) {
            let outcome = case.outcome(&tree.with(number, |node| *node = turned).write());
            *tally.entry(outcome).or_default() += 1;
            match outcome {
                Outcome::Same => drop(places.same.insert(tree.path(number))),
                Outcome::Changed => drop(places.changed.insert(tree.path(number))),
                _ => {}
            }
        }
    }
    places
}

/// The algorithm has two names.
fn is_another_name(node: &Node, turned: &Node) -> bool {
    let names = node.octets().zip(turned.octets());
    let is_name = [node, turned].iter().all(|node| node.identifier == OBJECT_IDENTIFIER);
    is_name && node != turned && names.is_some_and(|(one, other)| means_the_same(one, other))
}

/// Nobody looks at the versions, which writers get wrong, nor at the NULL that some algorithms have for parameters.
fn looked_at_by_nobody(tree: &Node, own: usize) -> BTreeSet<String> {
    let info = format!("1.0.1.{own}.");
    let unread = |number: &usize| {
        let (identifier, path) = (tree.at(*number).map(|node| node.identifier), tree.path(*number));
        path.starts_with(&info)
            && (identifier == Some(NULL) || identifier == Some(INTEGER) && is_version(&path))
    };
    let in_own = (0..tree.count()).filter(unread).map(|number| tree.path(number));
    in_own.chain(["1.0.0".to_owned()]).collect()
}

/// What stands in another recipient's RecipientInfo matters to that one.
fn is_of_another_recipient(path: &str, own: usize) -> bool {
    let of_recipients = path.strip_prefix("1.0.1.");
    of_recipients.is_some_and(|rest| rest.split('.').next() != Some(&own.to_string()))
}

#[test]
fn a_turned_bit_is_an_error_or_nothing_new() {
    let mut tally = Tally::new();
    for case in cases() {
        let mut places = turn_every_bit(case, &mut tally);
        let own = case.own_recipient();
        places.same.retain(|path| !is_of_another_recipient(path, own));
        assert_eq!(places.same, looked_at_by_nobody(&case.tree(), own), "{}", case.name);
        let (iv, ciphertext) = ("1.0.2.1.1", "1.0.2.2");
        let unseen = |path: &String| path == iv || path == ciphertext || path.starts_with("1.0.2.2.");
        assert!(places.changed.iter().all(unseen), "{}: {:?}", case.name, places.changed);
        assert_eq!(places.changed.is_empty(), case.is_authenticated(), "{}: {:?}", case.name, places.changed);
    }
    println!("{tally:?}");
    assert!(tally.values().sum::<usize>() > 12_000, "{tally:?}");
    let often = [
        (Outcome::Malformed, 9_000),
        (Outcome::NotARecipient, 600),
        (Outcome::Unsupported, 400),
        (Outcome::NotOpened, 300),
        (Outcome::Refused, 10),
        (Outcome::NotEncrypted, 4),
    ];
    assert!(often.iter().all(|(outcome, times)| tally.get(outcome) >= Some(times)), "{tally:?}");
}
