//! Octets that say how to spoil a known structure, so that damage reaches what lies deep inside.

use super::structure::{Structure, structures};
use super::tree::{Content, Length, Node};
use const_oid::ObjectIdentifier;
use sealpost::crypto::algorithm::{
    CONTENT_CIPHERS, KEY_AGREEMENTS, KEY_DERIVATIONS, KEY_TRANSPORTS, KEY_WRAPS,
};

/// Kinds of changes.
pub(crate) const CHANGES: u8 = 12;
/// More changes are not made, and none to a tree of more elements: finding an element takes the time of its tree.
const MOST_CHANGES: usize = 24;
const MOST_ELEMENTS: usize = 2_000;
/// Deeper than any reader goes.
const DEEP: usize = 120;
/// SEQUENCE, constructed OCTET STRING, `[0]`.
const NESTS: [u8; 3] = [0x30, 0x24, 0xa0];

/// The structure that the first octet names, changed as the others say. Nothing if it names none: DER begins with `30`.
pub(crate) fn scripted(input: &[u8]) -> Option<Vec<u8>> {
    let (&first, script) = input.split_first()?;
    let structure = structures().get(usize::from(first))?;
    let mut tree = structure.tree();
    let mut script = Script { rest: script };
    let mut changes = 0;
    while changes < MOST_CHANGES && !script.rest.is_empty() && tree.count() < MOST_ELEMENTS {
        script.change(&mut tree);
        changes += 1;
    }
    Some(tree.write())
}

struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    /// The next octet; 0 behind the end.
    fn octet(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().map_or((0, self.rest), |(&first, rest)| (first, rest));
        self.rest = rest;
        first
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.octet()) % limit.max(1)
    }

    fn octets(&mut self) -> &'a [u8] {
        let length = self.below(48).min(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn change(&mut self, tree: &mut Node) {
        let (change, number) = (self.below(CHANGES.into()), self.below(tree.count()));
        match change {
            0 | 1 => self.flip(tree, number),
            2 => tree.at_mut(number).expect("counted").identifier = self.octet(),
            3 => *octets_of(tree, number) = self.octets().to_vec(),
            4 => self.cut(tree, number),
            5 => octets_of(tree, number).extend(self.octets()),
            6 => self.repeat(tree, number),
            7 => self.swap(tree, number),
            8 => self.transplant(tree, number),
            9 => self.spell(tree, number),
            10 => self.nest(tree, number),
            _ => *octets_of(tree, number) = self.object_identifier(),
        }
    }

    fn flip(&mut self, tree: &mut Node, number: usize) {
        let octets = octets_of(tree, number);
        let at = self.below(octets.len());
        let bit = self.below(8);
        octets.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= 1 << bit);
    }

    fn cut(&mut self, tree: &mut Node, number: usize) {
        let octets = octets_of(tree, number);
        octets.truncate(self.below(octets.len()));
    }

    /// A child as often as the script says; also not at all.
    fn repeat(&mut self, tree: &mut Node, number: usize) {
        let Content::Constructed(children) = &mut tree.at_mut(number).expect("counted").content else {
            return;
        };
        let index = self.below(children.len());
        let Some(child) = children.get(index).cloned() else { return };
        children.splice(index..=index, vec![child; self.below(8)]);
    }

    fn swap(&mut self, tree: &mut Node, number: usize) {
        let other = self.below(tree.count());
        let (Some(one), Some(two)) = (tree.at(number).cloned(), tree.at(other).cloned()) else { return };
        tree.at_mut(number).into_iter().for_each(|node| *node = two.clone());
        tree.at_mut(other).into_iter().for_each(|node| *node = one.clone());
    }

    /// An element of a structure in the place of one of this.
    fn transplant(&mut self, tree: &mut Node, number: usize) {
        let from: &Structure = &structures()[self.below(structures().len())];
        let from = from.tree();
        let node = from.at(self.below(from.count())).expect("counted");
        *tree.at_mut(number).expect("counted") = node.clone();
    }

    fn spell(&mut self, tree: &mut Node, number: usize) {
        let spelled = self.octets();
        let length = if spelled.is_empty() { Length::Indefinite } else { Length::Spelled(spelled.to_vec()) };
        tree.at_mut(number).expect("counted").length = length;
    }

    fn nest(&mut self, tree: &mut Node, number: usize) {
        let (levels, identifier) = (self.below(DEEP), NESTS[self.below(NESTS.len())]);
        let node = tree.at_mut(number).expect("counted");
        *node = (0..levels).fold(node.clone(), |inner, _| Node::constructed(identifier, vec![inner]));
    }

    fn object_identifier(&mut self) -> Vec<u8> {
        let known = known_algorithms();
        known[self.below(known.len())].as_bytes().to_vec()
    }
}

/// The names of every algorithm that we know.
pub(crate) fn known_algorithms() -> Vec<ObjectIdentifier> {
    let ciphers = CONTENT_CIPHERS.iter().map(|row| row.oid);
    let transports = KEY_TRANSPORTS.iter().map(|row| row.oid);
    let agreements = KEY_AGREEMENTS.iter().map(|row| row.oid);
    let derivations = KEY_DERIVATIONS.iter().map(|row| row.oid);
    let wraps = KEY_WRAPS.iter().map(|row| row.oid);
    ciphers.chain(transports).chain(agreements).chain(derivations).chain(wraps).collect()
}

/// The content of an element as octets, to be changed.
fn octets_of(tree: &mut Node, number: usize) -> &mut Vec<u8> {
    let content = &mut tree.at_mut(number).expect("counted").content;
    if let Content::Constructed(_) = content {
        *content = Content::Primitive(content.write());
    }
    match content {
        Content::Primitive(octets) => octets,
        Content::Constructed(_) => unreachable!("it was made primitive"),
    }
}
