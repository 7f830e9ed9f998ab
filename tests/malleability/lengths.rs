//! Cut off, and lengths that lie.

use super::case::{Case, cases};
use super::{Outcome, Tally, tally};
use crate::laws::structure::{CIPHERTEXT, mail};
use crate::laws::tree::{Content, Length, Node, spelled};

#[test]
fn cut_off_anywhere_it_does_not_open() {
    for case in cases() {
        let cuts = (0..case.octets.len()).map(|length| case.outcome(&case.octets[..length]));
        let tally = tally(cuts);
        assert!(
            tally.keys().all(|outcome| [Outcome::Malformed, Outcome::NotEncrypted].contains(outcome)),
            "{tally:?}"
        );
        // As long as what it is cannot be seen, nothing is said to be broken.
        assert!(tally.get(&Outcome::Malformed) > Some(&200), "{}: {tally:?}", case.name);
    }
}

/// In the base64 around it, also inside a group of four. The padding behind the last group may be missing.
#[test]
fn a_text_cut_off_anywhere_does_not_open() {
    for case in cases() {
        let message = mail(&case.octets);
        let begin = message.windows(4).position(|octets| octets == b"\r\n\r\n").unwrap();
        for length in begin..message.len() {
            let outcome = case.outcome_of_mail(&message[..length]);
            let only_padding = message[length..].iter().all(|byte| b"=\r\n".contains(byte));
            assert_eq!(outcome == Outcome::Same, only_padding, "{}: {length}: {outcome:?}", case.name);
            assert_ne!(outcome, Outcome::Changed);
        }
    }
}

/// Primitive elements that end early, long ones at forty places, and all lengths around them know it. CBC cannot see that whole blocks are missing
/// in the middle, but what is left at the end does not end as a padding does.
#[test]
fn a_field_cut_off_anywhere_does_not_open() {
    let mut tally = Tally::new();
    for case in cases() {
        let (tree, own) = (case.tree(), format!("1.0.1.{}.", case.own_recipient()));
        for number in (0..tree.count()).filter(|&number| is_own_field(&tree.path(number), &own)) {
            let octets = tree.at(number).and_then(Node::octets).unwrap_or_default();
            for length in (0..octets.len()).step_by(octets.len() / 40 + 1) {
                let cut = Content::Primitive(octets[..length].to_vec());
                let outcome = case.outcome(&tree.with(number, |node| node.content = cut).write());
                assert_known(case, &tree.path(number), outcome);
                *tally.entry(outcome).or_default() += 1;
            }
        }
    }
    println!("{tally:?}");
    assert!(tally.values().sum::<usize>() > 2_000, "{tally:?}");
    let seen = [Outcome::Malformed, Outcome::NotARecipient, Outcome::Unsupported, Outcome::NotOpened];
    assert!(seen.iter().all(|outcome| tally.get(outcome) > Some(&20)), "{tally:?}");
}

fn assert_known(case: &Case, path: &str, outcome: Outcome) {
    let piece_under_cbc = path.starts_with("1.0.2.2.") && !case.is_authenticated();
    let known = match outcome {
        Outcome::Same => is_version(path),
        Outcome::Changed => piece_under_cbc,
        _ => true,
    };
    assert!(known, "{}: {path}: {outcome:?}", case.name);
}

fn is_own_field(path: &str, own: &str) -> bool {
    !path.starts_with("1.0.1.") || path.starts_with(own)
}

/// Of the structure, or of a recipient: nobody looks at them.
pub(super) fn is_version(path: &str) -> bool {
    let in_recipient = path.strip_prefix("1.0.1.").and_then(|rest| rest.split_once('.'));
    path == "1.0.0" || in_recipient.is_some_and(|(_, place)| place == "0" || place == "1.0")
}

/// The truth in other words: longer than it need be.
fn spelled_longer(length: usize) -> Vec<Vec<u8>> {
    let big_endian = length.to_be_bytes();
    [4, 8].map(|octets: u8| [&[0x80 | octets][..], &big_endian[8 - usize::from(octets)..]].concat()).to_vec()
}

/// One more, one less, nothing, and as much as the octets of a length can say.
fn lies(length: usize) -> Vec<Vec<u8>> {
    let mut lies =
        vec![spelled(length + 1), vec![0x84, 0x7f, 0xff, 0xff, 0xff], vec![0x84, 0xff, 0xff, 0xff, 0xff]];
    lies.extend([vec![0x88; 9], [&[0x88][..], &[0xff; 8]].concat(), [&[0xff][..], &[0xff; 127]].concat()]);
    lies.extend(length.checked_sub(1).map(spelled));
    lies.extend((length > 0).then(|| vec![0]));
    lies
}

fn with_length(tree: &Node, number: usize, length: Vec<u8>) -> Vec<u8> {
    tree.with(number, |node| node.length = Length::Spelled(length)).write()
}

/// Of elements whose length says how long they are.
fn definite(case: &Case) -> impl Iterator<Item = (Node, usize, usize)> {
    let tree = case.tree();
    (0..tree.count()).filter_map(move |number| {
        let node = tree.at(number)?;
        let length = (node.length == Length::Definite).then(|| node.content.write().len())?;
        Some((tree.clone(), number, length))
    })
}

#[test]
fn lengths_may_be_spelled_longer() {
    let mut spellings = 0;
    for case in cases() {
        for (tree, number, length) in definite(case) {
            for spelling in spelled_longer(length) {
                spellings += 1;
                assert_eq!(
                    case.outcome(&with_length(&tree, number, spelling)),
                    Outcome::Same,
                    "{}",
                    tree.path(number)
                );
            }
        }
    }
    assert!(spellings > 1_000, "{spellings}");
}

#[test]
fn lengths_that_lie_are_refused() {
    let mut tally = Tally::new();
    for case in cases() {
        for (tree, number, length) in definite(case) {
            let indefinite = vec![0x80];
            for lie in lies(length).into_iter().chain([indefinite]) {
                let outcome = case.outcome(&with_length(&tree, number, lie.clone()));
                *tally.entry(outcome).or_default() += 1;
                let nobody_looks = is_version(&tree.path(number)) || is_foreign(case, &tree.path(number));
                assert!(
                    outcome > Outcome::Changed || nobody_looks,
                    "{}: {} {lie:02x?}",
                    case.name,
                    tree.path(number)
                );
                assert_ne!(outcome, Outcome::Changed);
            }
        }
    }
    println!("{tally:?}");
    assert!(tally.get(&Outcome::Malformed) > Some(&4_000), "{tally:?}");
}

/// Another recipient's business.
fn is_foreign(case: &Case, path: &str) -> bool {
    !is_own_field(path, &format!("1.0.1.{}.", case.own_recipient()))
}

#[test]
fn octets_behind_the_structure_are_seen() {
    for case in cases() {
        let with = |behind: &[u8]| case.outcome(&[&case.octets, behind].concat());
        assert_eq!(with(b" \r\n\t"), Outcome::Same);
        assert_eq!(
            [with(b"x"), with(&[0, 0]), with(&[0x30, 0]), with(&case.octets)],
            [Outcome::Malformed; 4]
        );
    }
}

/// CBC decrypts block by block, so whoever takes whole blocks away gets the text without them. It is not the message that
/// was sealed, and nothing else shows it: that is what the profile `modern` is for.
#[test]
fn whole_blocks_can_go_under_cbc_and_not_under_gcm() {
    for case in cases() {
        let tree = case.tree();
        let Some(octets) = tree.below(&CIPHERTEXT).octets().filter(|octets| octets.len() > 48) else {
            continue;
        };
        let without_second = [&octets[..16], &octets[32..]].concat();
        let outcome = case.outcome(
            &tree
                .with_below(&CIPHERTEXT, |node| {
                    node.content = Content::Primitive(without_second);
                })
                .write(),
        );
        let expected = if case.is_authenticated() { Outcome::NotOpened } else { Outcome::Changed };
        assert_eq!(outcome, expected, "{}", case.name);
    }
}
