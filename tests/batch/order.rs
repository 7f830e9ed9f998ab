//! Outcomes in the order of the requests, one failure is one outcome, and the order of mail in a mailbox.

use super::house::{ADA, BOB, House, lines, numbers, parcel};
use sealpost::engine::{Disposition, InFlight};

#[test]
fn mail_lies_in_its_order_and_every_message_has_its_outcome() {
    let house = House::new();
    let disk = house.disk();
    let subjects = numbers(150);
    let parcels = subjects.iter().map(|subject| parcel(&[BOB], subject)).collect();
    let outcomes = house.together(&disk.store, parcels, InFlight { octets: 1 << 20, messages: 32 });
    assert_eq!(outcomes.len(), 150);
    assert!(outcomes.iter().all(|outcome| outcome.disposition == Disposition::Delivered));
    assert_eq!(house.subjects(&disk, "bob", "INBOX"), subjects);
}

/// Everything that can become of a message, mixed: told as one call after the other tells it, with the same mail stored.
#[test]
fn a_batch_says_and_stores_what_single_calls_do() {
    let mut house = House::new();
    house.settings.max_message = 4096;
    let rule = "[[rule]]\nname = \"no\"\npriority = 9\nwhen = [[\"Subject\", \"is\", \"junk\"]]\n\
                then = [[\"Reject with\", \"no junk\"]]\n\
                [[rule]]\nname = \"two\"\npriority = 8\nwhen = [[\"Subject\", \"is\", \"two\"]]\n\
                then = [[\"Store Encrypted in\", \"Twice\"], [\"Store Encrypted in\", \"Thrice\"]]\n\
                [[rule]]\nname = \"gone\"\npriority = 7\nwhen = [[\"Subject\", \"is\", \"gone\"]]\nthen = [[\"Discard\"]]\n\
                [[rule]]\nname = \"lost\"\npriority = 7\nwhen = [[\"Subject\", \"is\", \"lost\"]]\n\
                then = [[\"Store Encrypted in\", \"~nobody/Box\"]]\n";
    house.rules("--account bob@north.example", rule);
    let mail = || {
        let mut mail = vec![
            parcel(&[BOB], "one"),
            parcel(&["nobody@north.example"], "unknown user"),
            parcel(&[BOB], "junk"),
            parcel(&[BOB], "two"),
            parcel(&["x@elsewhere.example"], "unknown domain"),
            parcel(&[BOB, ADA], "both"),
            parcel(&[BOB, "nobody@north.example"], "mixed"),
            parcel(&[BOB], "gone"),
            parcel(&[BOB, ADA], "lost"),
            parcel(&[], "for nobody"),
            parcel(&[ADA], &"x".repeat(4096)),
            parcel(&[ADA], "last"),
        ];
        mail.extend(numbers(5).iter().map(|subject| parcel(&[ADA], subject)));
        mail
    };
    let (alone, together) = (house.disk(), house.disk());
    let expected = house.one_by_one(&alone.store, mail());
    for messages in [1, 2, 6, 512] {
        let outcomes = house.together(&together.store, mail(), InFlight { messages, ..InFlight::default() });
        assert_eq!(lines(&outcomes), lines(&expected), "{messages} in hand");
        let told = |outcomes: &[sealpost::engine::Outcome]| -> Vec<_> {
            outcomes
                .iter()
                .map(|one| {
                    let boxes: Vec<_> =
                        one.copies.iter().map(|copy| format!("{} {}", copy.owner, copy.mailbox)).collect();
                    (one.cause.clone(), one.fired.clone(), boxes, one.warnings.clone())
                })
                .collect()
        };
        assert_eq!(told(&outcomes), told(&expected), "{messages} in hand");
    }
    for (owner, mailbox) in [("bob", "INBOX"), ("bob", "Twice"), ("bob", "Thrice"), ("ada", "INBOX")] {
        let one = house.subjects(&alone, owner, mailbox);
        assert_eq!(
            house.subjects(&together, owner, mailbox),
            vec![one.clone(); 4].concat(),
            "{owner} {mailbox}"
        );
        assert!(!one.is_empty(), "{owner} {mailbox}");
    }
}

/// A message for two of whom one is over quota is stored for neither, and those around it are.
#[test]
fn a_message_is_all_or_nothing() {
    let house = House::new();
    let disk = house.disk();
    house.one_by_one(&disk.store, vec![parcel(&[BOB, ADA], "first")]);
    let ada = disk.root.path().join("mail/north.example/ada/Maildir/maildirsize");
    std::fs::write(ada, "1C\n0 1\n").unwrap();
    let mail = vec![parcel(&[BOB], "a"), parcel(&[BOB, ADA], "b"), parcel(&[ADA], "c"), parcel(&[BOB], "d")];
    let outcomes = house.together(&disk.store, mail, InFlight::default());
    let codes: Vec<u8> = outcomes.iter().map(|outcome| outcome.disposition.exit_code()).collect();
    assert_eq!(codes, [0, 75, 75, 0]);
    assert!(outcomes[1].copies.is_empty());
    assert_eq!(house.subjects(&disk, "bob", "INBOX"), ["first", "a", "d"]);
    assert_eq!(house.subjects(&disk, "ada", "INBOX"), ["first"]);
}
