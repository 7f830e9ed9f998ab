//! Many accounts: side by side, and one that fails does not keep the others.

use super::house::{House, Seal, message};
use sealpost::mail::Address;
use sealpost::mailbox::{Accounts, Ended, Event, Outcome, Run, RunError, Seen, Selection, Work};
use sealpost::store::RunId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn owner(number: usize) -> Address {
    Address::parse(&format!("user{number}@north.example")).unwrap()
}

fn house(accounts: usize, messages: usize) -> (House, Vec<Address>) {
    let house = House::with(0);
    let owners: Vec<Address> = (0..accounts).map(owner).collect();
    for owner in &owners {
        house.add_account(owner);
        (0..messages).for_each(|number| house.store_message(owner, number, &message(number)));
    }
    (house, owners)
}

fn go(run: &Run<'_>, owners: &[Address], seal: &Seal<'_>, but: Option<&Address>) -> (Ended, Vec<Event>) {
    let (selection, mut events) = (Selection::default(), Vec::new());
    let accounts = Accounts { owners, mailbox: None, selection: &selection };
    let works = |owner: &Address| -> Result<Box<dyn Work + '_>, String> {
        match but {
            Some(refused) if refused.to_string() == owner.to_string() => {
                Err(format!("{owner} has no certificate"))
            }
            _ => Ok(Box::new(seal)),
        }
    };
    let ended = run.accounts(&accounts, &works, &mut |event| events.push(event));
    (ended, events)
}

fn whose(event: &Event) -> String {
    match event {
        Event::Begins { owner, .. }
        | Event::Warning { owner, .. }
        | Event::NotMeant { owner, .. }
        | Event::Ends { owner, .. }
        | Event::Fails { owner, .. } => owner.to_string(),
        Event::Finished(step) => step.account.to_string(),
        Event::LeftOut { mailbox, .. } => mailbox.owner.to_string(),
        Event::Message(seen) => seen.stored.mailbox().owner.to_string(),
        Event::Unlisted { mailbox, .. } => mailbox.owner.to_string(),
    }
}

/// Accounts wait for each other: were they not side by side, this would end by the clock.
#[test]
fn accounts_are_worked_on_side_by_side() {
    let (house, owners) = house(40, 3);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let seal = Seal {
        before: Box::new(|_| {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let end = Instant::now() + Duration::from_secs(60);
            while most.load(Ordering::SeqCst) < 4 && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(1));
            }
            inside.fetch_sub(1, Ordering::SeqCst);
        }),
        ..Seal::default()
    };
    let (ended, events) = go(&house.means(RunId(1)), &owners, &seal, None);
    assert_eq!(ended, Ended::Whole);
    assert!(most.load(Ordering::SeqCst) >= 4);
    let mut by_owner: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in events {
        by_owner.entry(whose(&event)).or_default().push(event);
    }
    assert_eq!(by_owner.len(), 40);
    for (owner, events) in by_owner {
        let replaced =
            |event: &Event| matches!(event, Event::Message(Seen { outcome: Outcome::Replaced { .. }, .. }));
        assert!(matches!(events[0], Event::Begins { done_before: 0, .. }), "{owner}");
        assert!(events[1..4].iter().all(replaced), "{owner}: {events:?}");
        assert!(matches!(events[4], Event::Ends { ended: Ended::Whole, .. }), "{owner}");
        assert_eq!(events.len(), 5, "{owner}");
        assert_eq!(house.directory.steps_of(&Address::parse(&owner).unwrap()).unwrap(), [], "{owner}");
    }
}

#[test]
fn one_that_fails_does_not_keep_the_others() {
    let (house, owners) = house(4, 2);
    let busy =
        std::fs::File::open(house.store.folder(&owners[2], &sealpost::mail::MailboxName::inbox())).unwrap();
    busy.try_lock().unwrap();
    let (ended, events) = go(&house.means(RunId(1)), &owners, &Seal::default(), Some(&owners[1]));
    assert_eq!(ended, Ended::Whole);
    let failed: BTreeMap<String, &RunError> = events
        .iter()
        .filter_map(|event| match event {
            Event::Fails { owner, error } => Some((owner.to_string(), error)),
            _ => None,
        })
        .collect();
    let texts: Vec<String> = failed.values().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "user1@north.example has no certificate",
            "another run is at work in the mailboxes of user2@north.example; try again when it is done",
        ]
    );
    let messages = events.iter().filter(|event| matches!(event, Event::Message(_))).count();
    assert_eq!(messages, 4);
}

#[test]
fn a_stop_keeps_the_next_accounts_from_beginning() {
    let (house, owners) = house(60, 2);
    let seal = Seal { before: Box::new(|_| house.stop.store(true, Ordering::Relaxed)), ..Seal::default() };
    let (ended, events) = go(&house.means(RunId(1)), &owners, &seal, None);
    assert_eq!(ended, Ended::Stopped);
    let begun = events.iter().filter(|event| matches!(event, Event::Begins { .. })).count();
    assert!(begun < 60, "{begun}");
}
