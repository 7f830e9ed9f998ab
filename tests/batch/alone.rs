//! Messages whose rules do more than store: a batch means the same as one call after the other.

use super::doubles::Programs;
use super::house::{BOB, House, Parts, lines, parcel};
use sealpost::engine::{Batch, CommandRun, Engine, InFlight, Parcel};
use sealpost::store::MemoryStore;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

/// What the rule of one message remembers, the rule of the next looks up.
#[test]
fn what_an_earlier_message_did_is_seen() {
    let rules = "[[rule]]\nname = \"known\"\npriority = 9\nwhen = [[\"From\", \"in\", [\"#Friends\"]]]\n\
                 then = [[\"Store Encrypted in\", \"Known\"], [\"Discard\"]]\n\
                 [[rule]]\nname = \"keep\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"remember\"]]\n\
                 then = [[\"Remember 'From' in\", \"Friends\"]]\n";
    let subjects = ["a", "b", "remember", "c", "d", "remember", "e"];
    let mail = || subjects.iter().map(|subject| parcel(&[BOB], subject)).collect::<Vec<_>>();
    let stored = |deliver: &dyn Fn(&House, &super::house::Disk) -> Vec<String>| {
        let house = House::new();
        house.rules("--account bob@north.example", rules);
        let disk = house.disk();
        let told = deliver(&house, &disk);
        (told, house.subjects(&disk, "bob", "INBOX"), house.subjects(&disk, "bob", "Known"))
    };
    let expected = stored(&|house, disk| lines(&house.one_by_one(&disk.store, mail())));
    assert_eq!(expected.1, ["a", "b", "remember"]);
    assert_eq!(expected.2, ["c", "d", "remember", "e"]);
    for messages in [2, 4, 512] {
        let in_flight = InFlight { messages, ..InFlight::default() };
        let told = stored(&|house, disk| lines(&house.together(&disk.store, mail(), in_flight)));
        assert_eq!(told, expected, "{messages} in hand");
    }
}

/// A mailbox that an earlier message makes is there for the condition of a later one.
#[test]
fn mailboxes_that_were_made_are_seen() {
    let rules = "[[rule]]\nname = \"made\"\npriority = 9\nwhen = [[\"Existing Mailbox\", \"is\", \"Box\"]]\n\
                 then = [[\"Store Encrypted in\", \"After\"], [\"Discard\"]]\n\
                 [[rule]]\nname = \"make\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"make\"]]\n\
                 then = [[\"Store Encrypted in\", \"Box\"]]\n";
    let house = House::new();
    house.rules("--account bob@north.example", rules);
    let disk = house.disk();
    let mail = ["a", "make", "b", "c"].iter().map(|subject| parcel(&[BOB], subject)).collect();
    house.together(&disk.store, mail, InFlight::default());
    assert_eq!(house.subjects(&disk, "bob", "INBOX"), ["a", "make"]);
    assert_eq!(house.subjects(&disk, "bob", "After"), ["b", "c"]);
}

/// The copy of a server's rule is stored once for a queue id, also within a batch.
#[test]
fn marks_of_server_copies_hold() {
    let rules = "[[rule]]\nname = \"all\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"~ada@north.example/INBOX\"]]\n";
    let house = House::new();
    house.rules("--server", rules);
    let disk = house.disk();
    let with_id = |subject, id: &str| Parcel { queue_id: Some(id.into()), ..parcel(&[BOB], subject) };
    let mail = vec![
        with_id("a", "Q1"),
        with_id("a", "Q1"),
        with_id("b", "Q2"),
        parcel(&[BOB], "c"),
        parcel(&[BOB], "c"),
    ];
    let outcomes = house.together(&disk.store, mail, InFlight::default());
    assert!(lines(&outcomes).iter().all(|line| line == "2.0.0 stored"), "{outcomes:?}");
    assert_eq!(house.subjects(&disk, "ada", "INBOX"), ["a", "b", "c", "c"]);
    assert_eq!(house.subjects(&disk, "bob", "INBOX"), ["a", "a", "b", "c", "c"]);
}

/// Each program is called once, when all mail before is stored and none after.
#[test]
fn programs_are_called_in_the_turn_of_their_message() {
    for (action, what) in
        [("\"Execute\", \"/bin/true\"", "command"), ("\"ExternalFilter\", \"spam\"", "filter")]
    {
        let house = House::new();
        let when = "when = [[\"Subject\", \"is\", \"call\"]]";
        let rule = format!("[[rule]]\nname = \"r\"\npriority = 5\n{when}\nthen = [[{action}]]\n");
        house.rules("--server", &rule);
        let (store, parts) = (MemoryStore::default(), Parts::default());
        let seen = Mutex::new(Vec::new());
        let see = |what: &'static str| seen.lock().unwrap().push((what, store.total()));
        let watching = Programs { execute: |_: &CommandRun<'_>| see("command"), ask: || see("filter") };
        let engine = Engine { helpers: &watching, ..house.engine(&store, &parts) };
        let subjects = ["a", "call", "b", "c", "call", "call", "d"];
        let parcels = subjects.iter().map(|subject| (*subject, parcel(&[BOB], subject)));
        let batch = Batch { engine, in_flight: InFlight::default(), stop: &AtomicBool::new(false) };
        let told = Mutex::new(Vec::new());
        batch.run(parcels, |subject, _, outcome| {
            assert_eq!(outcome.done.len(), usize::from(subject == "call"), "{subject}");
            told.lock().unwrap().push(subject);
        });
        assert_eq!(told.into_inner().unwrap(), subjects);
        assert_eq!(seen.into_inner().unwrap(), [(what, 1), (what, 4), (what, 5)]);
        assert_eq!(store.total(), 7);
    }
}
