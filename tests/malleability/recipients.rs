//! Two recipients whose keys or names are exchanged, who are there twice, or who come from another message.

use super::Outcome;
use super::case::Case;
use crate::laws::people::{ELLA, EMMA, Person, ROSA, RUTH};
use crate::laws::structure::{RECIPIENTS, Structure};
use crate::laws::tree::{Content, Node};
use sealpost::crypto::Profile;
use std::collections::BTreeSet;

const PAIRS: [[&Person; 2]; 3] = [[&ELLA, &EMMA], [&ROSA, &RUTH], [&ELLA, &ROSA]];

/// Two people who were sealed to.
struct Pair {
    made: Structure,
}

fn pairs() -> impl Iterator<Item = Pair> {
    let profiles = [Profile::Compatible, Profile::Modern];
    profiles
        .into_iter()
        .flat_map(|profile| PAIRS.map(|people| Pair { made: Structure::new(profile, &people) }))
}

impl Pair {
    /// How it ends for both, after a change to the RecipientInfos.
    fn outcomes(&self, change: impl Fn(&mut Vec<Node>)) -> [Outcome; 2] {
        let octets = self.made.tree().with_below(&RECIPIENTS, |set| change(children(set))).write();
        [0, 1].map(|person| Case::new(&self.made, self.made.people[person]).outcome(&octets))
    }

    fn kinds_differ(&self) -> bool {
        let tree = self.made.tree();
        let [one, two] = tree.below(&RECIPIENTS).children() else { panic!("two recipients") };
        one.identifier != two.identifier
    }
}

pub(super) fn children(node: &mut Node) -> &mut Vec<Node> {
    match &mut node.content {
        Content::Constructed(children) => children,
        Content::Primitive(_) => panic!("it has no children"),
    }
}

/// Where a RecipientInfo names its recipient, and where its encrypted key is.
fn name_and_key(info: &Node) -> [&'static [usize]; 2] {
    match info.identifier {
        0x30 => [&[1], &[3]],
        0xa4 => [&[1, 1], &[1, 7]],
        _ => [&[3, 0, 0], &[3, 0, 1]],
    }
}

fn exchange(infos: &mut [Node], place: usize) {
    let [one, two] = infos else { panic!("two recipients") };
    let (at_one, at_two) = (name_and_key(one)[place], name_and_key(two)[place]);
    std::mem::swap(one.below_mut(at_one), two.below_mut(at_two));
}

pub(super) fn break_key(info: &mut Node) {
    let Content::Primitive(octets) = &mut info.below_mut(name_and_key(info)[1]).content else {
        panic!("a key")
    };
    octets[3] ^= 1;
}

use Outcome::{Malformed, NotARecipient, NotOpened, Same};

#[test]
fn exchanged_keys_and_names_open_to_nobody() {
    for pair in pairs() {
        assert_eq!(pair.outcomes(|infos| exchange(infos, 0)), [NotOpened; 2], "{}", pair.made.name);
        assert_eq!(pair.outcomes(|infos| exchange(infos, 1)), [NotOpened; 2], "{}", pair.made.name);
        let both = |infos: &mut Vec<Node>| [0, 1].into_iter().for_each(|place| exchange(infos, place));
        let expected = if pair.kinds_differ() { NotOpened } else { ephemeral(&pair) };
        assert_eq!(pair.outcomes(both), [expected; 2], "{}", pair.made.name);
    }
}

/// Key transport has nothing beside name and key, so that exchanging both is another order; key agreement has the
/// originator's key.
fn ephemeral(pair: &Pair) -> Outcome {
    if pair.made.tree().below(&RECIPIENTS).children()[0].identifier == 0x30 { Same } else { NotOpened }
}

#[test]
fn order_and_repetition_change_nothing() {
    for pair in pairs() {
        assert_eq!(pair.outcomes(|infos| infos.reverse()), [Same; 2]);
        assert_eq!(pair.outcomes(|infos| infos.extend(infos.clone())), [Same; 2]);
        // The first one that names the key decides; nothing is tried until something opens.
        let broken_behind = |infos: &mut Vec<Node>| {
            let mut broken = infos.clone();
            broken.iter_mut().for_each(break_key);
            infos.extend(broken);
        };
        assert_eq!(pair.outcomes(broken_behind), [Same; 2]);
        let broken_before = |infos: &mut Vec<Node>| {
            broken_behind(infos);
            infos.rotate_left(2);
        };
        assert_eq!(pair.outcomes(broken_before), [NotOpened; 2]);
    }
}

#[test]
fn who_is_taken_out_is_none_and_nobody_is_malformed() {
    for pair in pairs() {
        let ends: BTreeSet<_> = [0, 1].map(|index| pair.outcomes(|infos| drop(infos.remove(index)))).into();
        assert_eq!(ends, [[Same, NotARecipient], [NotARecipient, Same]].into());
        assert_eq!(pair.outcomes(Vec::clear), [Malformed; 2]);
    }
}

/// The content keys differ, and who holds one of them is no recipient of the other.
#[test]
fn recipients_of_another_message_open_nothing() {
    let made: Vec<Pair> = pairs().collect();
    for (index, pair) in made.iter().enumerate() {
        for other in made.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other) {
            let tree = other.made.tree();
            let outcomes = pair.outcomes(|infos| *infos = tree.below(&RECIPIENTS).children().to_vec());
            let named = |person: &Person| other.made.people.iter().any(|named| named.name == person.name);
            let expected =
                [0, 1].map(|person| if named(pair.made.people[person]) { NotOpened } else { NotARecipient });
            assert_eq!(outcomes, expected, "{} in {}", other.made.name, pair.made.name);
        }
    }
}
