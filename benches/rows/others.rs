//! What is measured against ourselves: rekeying and rules.

use super::one::{OURS, people};
use super::race;
use crate::measure::record::{Row, Target};
use crate::measure::table::digits;
use crate::measure::{Plan, Side, rounds};
use crate::sample::rules::{self, Asked, envelope, judge, travelled};
use crate::sample::{everybody, seal_to};
use sealpost::crypto::{Entropy, Profile, SecretBytes};
use sealpost::smime::{Naming, open, rekey as rekey_sealed};
use sealpost::system::SystemEntropy;
use std::hint::black_box;

/// Handing a message to another reader, beside opening it and sealing it again.
pub(crate) fn rekey(name: &'static str) -> Row {
    let (people, message) = (people(2), crate::sample::message_of(1 << 20));
    let [before, now] = people.as_slice() else { unreachable!("two") };
    let (keys, to) = (before.keys(), &now.recipients);
    let sealed = seal_to(&message, &before.recipients, Profile::Compatible).expect("it seals");
    let rekeyed = |sealed| {
        let seed = SystemEntropy.seed().expect("a seed");
        rekey_sealed(sealed, &keys, to, Naming::Certificate, seed).expect("it opens")
    };
    let opened_and_sealed = |sealed: SecretBytes| {
        let opened = open(sealed.expose(), &keys).expect("it opens");
        seal_to(opened.message.expose(), to, Profile::Compatible).expect("it seals")
    };
    // As somebody has read it who gives it away.
    let owned = || SecretBytes::new(sealed.bytes().to_vec());
    for made in [rekeyed(owned()), opened_and_sealed(owned())] {
        assert_eq!(open(made.bytes(), &now.keys()).expect("it opens").message.expose(), message);
    }
    race(
        name,
        Target::times(5.0, 10.0),
        Plan::QUICK,
        1,
        &mut [
            Side::given(OURS, owned, |sealed| drop(black_box(rekeyed(sealed)))),
            Side::given("open and seal", owned, |sealed| drop(black_box(opened_and_sealed(sealed)))),
        ],
    )
}

/// A hundred rules of three conditions, all of them asked, beside sealing the same message.
pub(crate) fn hundred_rules(name: &'static str) -> Row {
    let (mail, envelope, people) = (travelled(75 << 10), envelope(), people(1));
    let text = rules::text(100, Asked::All);
    let (program, to) = (rules::read(&text), everybody(&people));
    let mut sides = [
        Side::new("seal", || drop(black_box(seal_to(&mail, &to, Profile::Compatible)))),
        Side::new("100 rules", || drop(black_box(judge(&program, &mail, &envelope)))),
        Side::new("reading", || drop(black_box(rules::read(&text)))),
    ];
    let measured = rounds(&mut sides, Plan::QUICK);
    let share = measured.over_first(1) * 100.0;
    let mut figures = measured.figures(1);
    let read = figures.pop().map_or(f64::NAN, |read| read.median);
    let ours = figures.pop();
    let target = Target::share(5.0, 1.0);
    Row { name, unit: "µs", ours, peers: figures, reached: Some(share), target, note: None }.with_note(format!(
        "read once for all messages of a batch or a daemon; a hook reads them for its one message, {} µs more",
        digits(read)
    ))
}
