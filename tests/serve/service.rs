//! The service behind the sockets: each message gets its own answer, the one that a delivery by itself gets, whatever happens.

use crate::batch::doubles::{OddStore, Programs};
use crate::batch::house::{ADA, BOB, House, Parts, TEMPLATE, numbers, parcel};
use crate::support::Watched;
use sealpost::engine::{
    CommandRun, Copy, Disposition, Engine, House as Host, InFlight, Mailstore, Outcome, Parcel, Queue,
    Service,
};
use sealpost::store::{MaildirStore, MemoryStore};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

/// There is room and time.
struct Roomy;

impl Host for Roomy {
    fn hold(&self, _: u64) -> Box<dyn Any> {
        Box::new(())
    }
    fn work(&self, _: u64) -> Box<dyn Any> {
        Box::new(())
    }
}

/// What is told to each recipient of a message.
fn deliver(service: &Service<'_>, queue: &Queue, parcel: Parcel) -> Vec<String> {
    let recipients = parcel.recipients.len();
    let mut lines = vec![None; recipients];
    service.deliver(queue, &Arc::new(parcel), &Roomy, &mut |places, request, outcome: Outcome| {
        assert_eq!(places.len(), request.recipients.len());
        for place in places {
            assert!(lines[*place].replace(outcome.disposition.line()).is_none(), "told twice");
        }
    });
    lines.into_iter().map(|line| line.expect("each is told")).collect()
}

/// Runs a service while `visit` has its queue; it ends.
fn served<T>(service: &Service<'_>, visit: impl FnOnce(&Queue) -> T) -> T {
    let queue = Queue::default();
    std::thread::scope(|threads| {
        threads.spawn(|| service.run(&queue));
        let visited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| visit(&queue)));
        queue.close();
        visited.unwrap()
    })
}

/// By sixteen sessions; what was told of each message, in their order.
fn deliver_all(service: &Service<'_>, queue: &Queue, mail: Vec<Parcel>) -> Vec<Vec<String>> {
    let waiting = Mutex::new(mail.into_iter().enumerate().collect::<Vec<_>>());
    let told = Mutex::new(BTreeMap::new());
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                while let Some((number, parcel)) = { waiting.lock().unwrap().pop() } {
                    let lines = deliver(service, queue, parcel);
                    told.lock().unwrap().insert(number, lines);
                }
            });
        }
    });
    told.into_inner().unwrap().into_values().collect()
}

fn service(engine: Engine<'_>) -> Service<'_> {
    Service { engine, window: InFlight::default(), memory_limit: 1 << 20 }
}

const RULES: &str = "[[rule]]\nname = \"no\"\npriority = 9\nwhen = [[\"Subject\", \"is\", \"*3\"]]\n\
                     then = [[\"Reject with\", \"not three\"]]\n\
                     [[rule]]\nname = \"keep\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"*7\"]]\n\
                     then = [[\"Remember 'From' in\", \"Friends\"]]\n";

/// To one, to both, to nobody; some are refused by a rule, some go by their own session.
fn mail() -> Vec<Parcel> {
    let to: [&[&str]; 5] =
        [&[BOB], &[ADA], &[BOB, ADA], &["nobody@north.example"], &[ADA, BOB, "x@far.example"]];
    numbers(60).iter().enumerate().map(|(at, subject)| parcel(to[at % to.len()], subject)).collect()
}

#[test]
fn each_message_gets_the_answer_that_it_gets_alone() {
    let house = House::new();
    house.rules("--account bob@north.example", RULES);
    let (store, parts) = (MemoryStore::default(), Parts::default());
    // One that never took anything.
    let expected: Vec<Vec<String>> = {
        let engine = house.engine(&store, &parts);
        let one_by_one = |parcel: &Parcel| {
            let outcome = engine.deliver(&parcel.request());
            let several = parcel.recipients.len() > 1 && outcome.disposition != Disposition::Delivered;
            let alone = |to: &sealpost::engine::Recipient| {
                let request = sealpost::engine::Request { recipients: vec![to.clone()], ..parcel.request() };
                engine.deliver(&request).disposition.line()
            };
            match several {
                true => parcel.recipients.iter().map(alone).collect(),
                false => vec![outcome.disposition.line(); parcel.recipients.len()],
            }
        };
        mail().iter().map(one_by_one).collect()
    };
    let alone = store.total();
    let store = MemoryStore::default();
    let engine = house.engine(&store, &parts);
    for messages in [1, 4, 512] {
        let service = Service { window: InFlight { messages, ..InFlight::default() }, ..service(engine) };
        let before = store.total();
        let told = served(&service, |queue| deliver_all(&service, queue, mail()));
        assert_eq!(told, expected, "{messages} at a time");
        assert_eq!(store.total() - before, alone, "{messages} at a time");
        assert_eq!(store.staged(), 0);
    }
}

#[test]
fn no_thread_of_rayon_waits_for_the_disk() {
    const MESSAGES: usize = 200;
    let (house, root, parts) = (House::new(), tempfile::tempdir().unwrap(), Parts::default());
    let disk = Watched::default();
    let store = MaildirStore::with_files(root.path(), TEMPLATE, disk.clone()).unwrap();
    let service = service(house.engine(&store, &parts));
    let mail = numbers(MESSAGES).iter().map(|subject| parcel(&[BOB, ADA], subject)).collect();
    let told = served(&service, |queue| deliver_all(&service, queue, mail));
    assert_eq!(told, vec![["2.0.0 stored"; 2]; MESSAGES]);
    assert!(disk.take_syncs() >= 2 * MESSAGES, "each file is synced");
}

/// The store panics at some of the windows.
#[test]
fn a_panic_is_a_doubt_for_its_window_and_the_service_goes_on() {
    let (house, parts) = (House::new(), Parts::default());
    let calls = AtomicUsize::new(0);
    let store = OddStore {
        store: MemoryStore::default(),
        stage: |store: &MemoryStore, copies: &[&Copy<'_>]| {
            assert!(calls.fetch_add(1, Ordering::SeqCst) % 3 != 1, "a fault of ours");
            store.stage_all(copies)
        },
        commit: |ends| ends,
    };
    let service = service(house.engine(&store, &parts));
    let told: Vec<String> = served(&service, |queue| {
        let lines = Mutex::new(Vec::new());
        std::thread::scope(|threads| {
            for thread in 0..6 {
                let (lines, service) = (&lines, &service);
                threads.spawn(move || {
                    for number in 0..10 {
                        let told = deliver(service, queue, parcel(&[BOB], &format!("{thread} {number}")));
                        lines.lock().unwrap().extend(told);
                    }
                });
            }
        });
        lines.into_inner().unwrap()
    });
    let count = |line: &str| told.iter().filter(|told| *told == line).count();
    assert_eq!(told.len(), 60);
    assert_eq!(count("2.0.0 stored"), store.store.total(), "told, and there");
    assert!(count("4.3.0 internal error") > 0 && count("2.0.0 stored") > 0, "{told:?}");
    assert_eq!(count("4.3.0 internal error") + count("2.0.0 stored"), 60);
}

/// The service ends while messages come: each still gets its answer.
#[test]
fn an_end_in_the_middle_leaves_nobody_waiting() {
    let (house, parts, store) = (House::new(), Parts::default(), MemoryStore::default());
    let service = service(house.engine(&store, &parts));
    let queue = Queue::default();
    let told = Mutex::new(0);
    std::thread::scope(|threads| {
        let serving = threads.spawn(|| service.run(&queue));
        for thread in 0..8 {
            let (queue, service, told) = (&queue, &service, &told);
            threads.spawn(move || {
                for number in 0..20 {
                    let lines = deliver(service, queue, parcel(&[BOB], &format!("{thread} {number}")));
                    assert_eq!(lines, ["2.0.0 stored"]);
                    *told.lock().unwrap() += 1;
                    if number == 10 {
                        queue.close();
                    }
                }
            });
        }
        serving.join().unwrap();
    });
    assert_eq!((*told.lock().unwrap(), store.total()), (160, 160));
    // Nobody ever served this one.
    let closed = Queue::default();
    closed.close();
    assert_eq!(deliver(&service, &closed, parcel(&[BOB], "after")), ["2.0.0 stored"]);
}

/// A program ends when others have been served.
#[test]
fn a_slow_program_holds_up_nobody_else() {
    let house = House::new();
    house.rules(
        "--server",
        "[[rule]]\nname = \"slow\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"slow\"]]\nthen = [[\"Execute\", \"/bin/slow\"]]\n",
    );
    let (parts, store) = (Parts::default(), MemoryStore::default());
    let (called, over) = (Barrier::new(6), Barrier::new(6));
    let execute = |_: &CommandRun<'_>| {
        called.wait();
        over.wait();
    };
    let slow = Programs { execute, ask: || {} };
    let service = service(Engine { helpers: &slow, ..house.engine(&store, &parts) });
    served(&service, |queue| {
        std::thread::scope(|threads| {
            // More of them than there are lanes.
            for _ in 0..5 {
                let service = &service;
                threads.spawn(move || {
                    assert_eq!(deliver(service, queue, parcel(&[BOB], "slow")), ["2.0.0 stored"]);
                });
            }
            called.wait();
            for number in 0..20 {
                let subject = number.to_string();
                assert_eq!(deliver(&service, queue, parcel(&[ADA], &subject)), ["2.0.0 stored"]);
            }
            assert_eq!(store.total(), 20);
            over.wait();
        });
    });
    assert_eq!(store.total(), 25);
}

/// After each program it is ten seconds later.
#[test]
fn nothing_becomes_visible_after_the_end_in_time() {
    let house = House::new();
    house.rules(
        "--account bob@north.example",
        "[[rule]]\nname = \"slow\"\npriority = 5\nwhen = []\nthen = [[\"Execute\", \"/bin/slow\"]]\n",
    );
    let (parts, store) = (Parts::default(), MemoryStore::default());
    let execute = |run: &CommandRun<'_>| {
        assert!(run.most.is_some_and(|most| !most.is_zero()), "it knows its end");
        house.clock.0.fetch_add(10, Ordering::SeqCst);
    };
    let helpers = Programs { execute, ask: || {} };
    let service = service(Engine { helpers: &helpers, ..house.engine(&store, &parts) });
    served(&service, |queue| {
        let within = |seconds: i64, to: &[&str]| {
            let until = Some(service.engine.clock.now() + time::Duration::seconds(seconds));
            deliver(&service, queue, Parcel { until, ..parcel(to, "x") })
        };
        let late = "4.3.0 the delivery took too long";
        assert_eq!(within(10, &[BOB]), [late]);
        assert_eq!(within(10, &[BOB, ADA]), [late, late]);
        assert_eq!(within(0, &[ADA]), [late], "it waited in the queue");
        assert_eq!((store.total(), store.staged()), (0, 0));
        assert_eq!(within(11, &[BOB, ADA]), ["2.0.0 stored"; 2]);
    });
    assert_eq!((store.total(), store.staged()), (2, 0));
}
