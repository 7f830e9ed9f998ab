//! Ten thousand recipients, and one more.

use super::Outcome;
use super::case::{Case, cases};
use super::cost::cost;
use super::recipients::{break_key, children};
use super::swollen::with_authenticated;
use crate::laws::people::{ELLA, owned, seed, validated};
use crate::laws::structure::{RECIPIENTS, mail, octets};
use crate::laws::tree::{Content, Node};
use sealpost::cms::{self, Input, Report};
use sealpost::smime::{Naming, OpenError, OpenPgp, RekeyError, recognise, rekey};

const LIMIT: usize = 10_000;

/// Sealed to one key, of each kind, in DER; to a key on P-256 under each profile.
fn alone() -> impl Iterator<Item = &'static Case> {
    let alone = |case: &&Case| case.is_ours() && case.tree().below(&RECIPIENTS).children().len() == 1;
    let again =
        |case: &&Case| ["modern-rosa", "modern-paula", "-ber "].iter().any(|name| case.name.contains(name));
    cases().iter().filter(alone).filter(move |case| !again(case))
}

/// The element again and again with other serial numbers, and itself in the end: so many octets in a row.
fn crowd_of(element: &Node, serial: &[u8], count: usize) -> Content {
    let own = element.write();
    let end =
        own.windows(serial.len()).position(|window| window == serial).expect("it is named") + serial.len();
    let mut crowd = own.repeat(count);
    for (number, other) in (1..count).zip(crowd.chunks_mut(own.len())) {
        other[end - 8..end].copy_from_slice(&number.to_be_bytes());
    }
    Content::Primitive(crowd)
}

/// The recipients that are told.
fn told(report: &Report) -> usize {
    report.envelope().map_or(0, |envelope| envelope.recipients.len())
}

/// So many recipients, the last of whom is the case's.
fn crowd(case: &Case, count: usize) -> Vec<u8> {
    let gather = |set: &mut Node| set.content = crowd_of(&set.children()[0], &case.serial(), count);
    case.tree().with_below(&RECIPIENTS, gather).write()
}

#[test]
fn the_last_of_ten_thousand_opens_it() {
    for case in alone() {
        let message = mail(&crowd(case, LIMIT));
        assert_eq!(case.outcome_of_mail(&message), Outcome::Same, "{}", case.name);
        assert_eq!(told(&cms::inspect(&Input::of(&message))), LIMIT);
        let rekeyed =
            rekey(owned(&message), &[case.opening()], &validated(&[&ELLA]), Naming::Certificate, seed(8))
                .unwrap();
        let infos = Node::read(&octets(rekeyed.bytes())).unwrap();
        assert_eq!(infos.below(&RECIPIENTS).children().len(), 1);
    }
    assert!(alone().count() >= 4);
}

#[test]
fn one_more_is_refused_by_all() {
    for case in alone() {
        let message = mail(&crowd(case, LIMIT + 1));
        assert_eq!(case.outcome_of_mail(&message), Outcome::TooMany, "{}", case.name);
        let report = cms::inspect(&Input::of(&message));
        assert_eq!(report.fault.as_deref(), Some("the CMS structure has more than 10000 recipients"));
        assert_eq!(told(&report), 0);
        let error =
            rekey(owned(&message), &[case.opening()], &validated(&[&ELLA]), Naming::Certificate, seed(8))
                .err()
                .unwrap();
        assert!(matches!(error, RekeyError::Open(OpenError::Cms(cms::CmsError::TooMany { .. }))), "{error}");
        assert!(recognise(&message, &[&[case.certificate().clone()]], OpenPgp::Keep).is_none());
    }
}

/// The private key is used once, however many recipients name it.
#[test]
fn a_key_that_everybody_names_is_used_once() {
    for case in alone() {
        let everybody = |set: &mut Node| {
            break_key(&mut children(set)[0]);
            set.content = Content::Primitive(set.children()[0].write().repeat(LIMIT));
        };
        let hostile = mail(&case.tree().with_below(&RECIPIENTS, everybody).write());
        let good = mail(&crowd(case, LIMIT));
        assert_eq!(case.outcome_of_mail(&hostile), Outcome::NotOpened);
        let [hostile, good] = [hostile, good].map(|message| cost(|| case.outcome_of_mail(&message)));
        assert!(hostile < 2 * good, "{}: {hostile} us, and a good one {good} us", case.name);
    }
}

/// They are authenticated as DER has them in order, and putting them in order takes room.
#[test]
fn ten_thousand_authenticated_attributes_are_read_and_no_more() {
    for case in alone().filter(|case| case.is_authenticated()) {
        let with_attributes = |count| case.outcome(&with_authenticated(case, &[0x05, 0].repeat(count)));
        // They were not there when the tag was made.
        let ends = [LIMIT, LIMIT + 1, 2_000_000].map(with_attributes);
        assert_eq!(ends, [Outcome::NotOpened, Outcome::TooMany, Outcome::TooMany], "{}", case.name);
    }
}

/// One KeyAgreeRecipientInfo may have as many keys.
#[test]
fn the_last_of_ten_thousand_keys_of_one_agreement_opens_it() {
    const KEYS: [usize; 2] = [0, 3];
    for case in alone().filter(|case| case.tree().below(&RECIPIENTS).children()[0].identifier == 0xa1) {
        let with_keys = |count| {
            let gather =
                |keys: &mut Node| keys.content = crowd_of(&keys.children()[0], &case.serial(), count);
            let gather = |set: &mut Node| gather(set.below_mut(&KEYS));
            case.tree().with_below(&RECIPIENTS, gather).write()
        };
        let ends = [LIMIT, LIMIT + 1].map(|count| case.outcome(&with_keys(count)));
        assert_eq!(ends, [Outcome::Same, Outcome::TooMany], "{}", case.name);
    }
}
