//! Runs over stored messages: every message once, whatever happens meanwhile.

mod accounts;
mod dead;
mod disks;
mod faults;
mod house;
mod journal;
mod kills;
mod memory;
mod signals;
mod syncs;

use crate::support::wait_for;
use house::{Flags, House, Seal, message};
use sealpost::mailbox::{Criterion, Ended, Event, Left, Outcome, RunError, Seen, Selection};
use sealpost::store::RunId;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

#[test]
fn every_message_is_replaced_once_with_its_flags_and_date() {
    let house = House::with(700);
    let seal = Seal::default();
    assert_eq!(house.count(RunId(1)), 700);
    let seen = house.run(RunId(1), &seal).whole();
    assert_eq!(seal.made.load(Ordering::Relaxed), 700);
    assert_eq!(seen.len(), 700);
    assert!(
        seen.iter()
            .all(|seen| matches!(&seen.outcome, Outcome::Replaced { before, after, .. } if before < after))
    );
    house.assert_sealed(700);
    assert_eq!(house.count(RunId(1)), 0, "what the run made is not counted");
    assert_eq!(house.count(RunId(2)), 700);
    assert_eq!(house.steps(), 0, "the journal is empty");
    let again = house.run(RunId(2), &seal).whole();
    assert!(again.iter().all(|seen| seen.outcome == Outcome::Left(Left::AlreadyRight)));
    assert_eq!(again.len(), 700);
}

/// Directories give names in no order; a client that looks meanwhile numbers new files as they come to be.
#[test]
fn messages_are_replaced_in_the_order_of_their_names() {
    let house = House::with(1200);
    let listed = house.names();
    let seen = house.run(RunId(1), &Seal::default()).whole();
    let place = |seen: &Seen| (seen.stored.mailbox().name != "INBOX", seen.stored.base().to_owned());
    let told: Vec<(bool, String)> = seen.iter().map(place).collect();
    assert_eq!(told.len(), 1200);
    assert!(told.is_sorted());
    assert!(!told.iter().map(|(_, name)| name).eq(&listed), "new is listed before cur");
}

#[test]
fn a_dry_run_changes_nothing_and_asks_for_no_lock() {
    let house = House::with(40);
    let before = house.files();
    let _lock = house.lock();
    let seen = house.dry_run(RunId(1), &Seal::default()).whole();
    assert_eq!(seen.len(), 40);
    assert!(seen.iter().all(|seen| matches!(seen.outcome, Outcome::WouldReplace(_))));
    assert_eq!(house.files(), before);
}

/// What was made before the stop is not made again, not opened and not changed; what was not made is.
#[test]
fn a_run_that_was_stopped_goes_on() {
    let house = House::with(2000);
    let seal = Seal::default();
    let stopping = Seal {
        before: Box::new(|made| {
            if made >= 600 {
                house.stop.store(true, Ordering::Relaxed);
            }
        }),
        ..Seal::default()
    };
    let first = house.run(RunId(5), &stopping);
    assert_eq!(first.ended.as_ref().unwrap(), &Ended::Stopped);
    let made: Vec<_> =
        house.files().into_iter().filter(|file| file.name.contains("X0000000000000005.")).collect();
    assert_eq!(made.len(), first.replaced(), "what is done is told, and nothing else");
    assert!(!made.is_empty() && made.len() < 2000, "{}", made.len());
    house.stop.store(false, Ordering::Relaxed);
    let second = house.resume(RunId(5), &seal);
    assert_eq!(second.ended.as_ref().unwrap(), &Ended::Whole);
    assert_eq!(second.replaced(), 2000 - made.len());
    assert_eq!(seal.made.load(Ordering::Relaxed), 2000 - made.len(), "the others were not opened");
    assert!(
        matches!(second.events[0], Event::Begins { done_before, .. } if done_before == made.len() as u64)
    );
    let after = house.files();
    assert!(made.iter().all(|file| after.contains(file)), "their files are the same");
    house.assert_sealed(2000);
}

#[test]
fn what_arrives_while_it_works_is_found() {
    let house = House::with(50);
    let arriving = Seal {
        before: Box::new(|made| {
            if made == 0 {
                (50..60).for_each(|number| house.add(number));
            }
        }),
        ..Seal::default()
    };
    assert_eq!(house.run(RunId(1), &arriving).whole().len(), 60);
    house.assert_sealed(60);
}

/// A client that sets and clears flags renames files between the listing and the opening, and beside the replacement.
#[test]
fn what_is_renamed_while_it_works_is_told_once() {
    let house = House::with(1500);
    let seen = house.while_flags_change(|| house.run(RunId(1), &Seal::default()).whole());
    let told: BTreeSet<&str> = seen.iter().map(|seen| seen.stored.base()).collect();
    assert_eq!((seen.len(), told.len()), (1500, 1500));
    let other = |outcome: &Outcome| !matches!(outcome, Outcome::Replaced { .. });
    let others: Vec<&Outcome> =
        seen.iter().map(|seen| &seen.outcome).filter(|outcome| other(outcome)).collect();
    assert!(others.is_empty(), "{others:?}");
    house.assert_numbers(1500);
}

/// Whatever a client did to the letters of a message, before it was listed, before it was replaced or beside that, holds afterwards.
#[test]
fn letters_that_are_set_while_it_works_stay_set() {
    let house = House::with(1500);
    // Nothing is made before that client has come to each fifth of them.
    let seal = Seal {
        before: Box::new(|_| {
            wait_for("the client", 60, || (house.rounds.load(Ordering::Relaxed) >= 5).then_some(()))
        }),
        ..Seal::default()
    };
    let (seen, flags) = house.while_flags_are_set(|| house.run(RunId(1), &seal).whole());
    assert_eq!(seen.len(), 1500);
    let cleared = flags.values().filter(|(_, cleared)| *cleared).count();
    assert!(flags.len() > 700 && cleared > 300, "{} of which {cleared}", flags.len());
    house.assert_numbers(1500);
    house.assert_flags(&flags);
}

/// A message that leaves one mailbox for another one, whether that was listed before or is listed after: the same run finds it.
#[test]
fn what_is_moved_while_it_works_is_found_in_its_new_mailbox() {
    // Of 40 all are listed before the first is made, of 1500 Archive is not.
    for messages in [40, 1500] {
        let house = House::with(messages);
        let moving = Seal {
            before: Box::new(|made| {
                if made == 0 {
                    [5, 6, 15, 23].into_iter().for_each(|number| house.move_to(number, ".Archive/cur"));
                    [2, 11, 20].into_iter().for_each(|number| house.move_to(number, "cur"));
                }
            }),
            ..Seal::default()
        };
        let seen = house.run(RunId(1), &moving).whole();
        let replaced = |seen: &&Seen| matches!(seen.outcome, Outcome::Replaced { .. });
        assert_eq!(seen.iter().filter(replaced).count(), messages, "each once");
        let gone = seen.iter().filter(|seen| seen.outcome == Outcome::Left(Left::Gone)).count();
        assert!(messages > 40 || gone == 7, "{gone}");
        assert_eq!(gone + messages, seen.len());
        house.assert_numbers(messages);
        house.assert_flags(&Flags::new());
        let files = house.files();
        let lies = |number: usize, folder: &str| {
            let begin = format!("{folder}/{}.", 1_200_000_000 + number);
            files.iter().any(|file| file.name.starts_with(&begin))
        };
        assert!([5, 6, 15, 23].into_iter().all(|number| lies(number, ".Archive/cur")));
        assert!([2, 11, 20].into_iter().all(|number| lies(number, "cur")));
    }
}

/// What the selection does not mean is neither told of nor changed, and counted, so that a bar comes to its end.
#[test]
fn what_is_not_meant_is_counted_and_stays_as_it_is() {
    let house = House::with(900);
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(1_200_000_000 + 890);
    for (criterion, meant) in [
        (Criterion::Since(moment), 10),
        (Criterion::Before(moment), 890),
        (Criterion::Smaller(message(9).len() as u64 + 1), 10),
        (Criterion::Larger(message(100).len() as u64 - 1), 800),
    ] {
        let selection = Selection::all().and("a criterion", criterion);
        let before = house.files();
        let idle = Seal { idle: true, ..Seal::default() };
        let told = house.select(&selection, &idle);
        let not_meant =
            |event: &Event| if let Event::NotMeant { messages, .. } = event { *messages } else { 0 };
        assert_eq!(told.events.iter().map(not_meant).sum::<u64>(), 900 - meant, "{selection:?}");
        assert_eq!(idle.made.load(Ordering::Relaxed) as u64, meant, "the others are not read");
        assert_eq!(told.whole().len() as u64, meant, "{selection:?}");
        assert_eq!(house.files(), before);
    }
    let late = Selection::all().and("since", Criterion::Since(moment));
    assert_eq!(house.select(&late, &Seal::default()).replaced(), 10);
    let sealed: BTreeSet<i64> = house
        .files()
        .iter()
        .filter(|file| file.name.contains("X0000000000000001."))
        .map(|file| file.date)
        .collect();
    assert_eq!(sealed, (1_200_000_890..1_200_000_900).collect());
}

#[test]
fn what_is_removed_meanwhile_is_gone_and_told_once() {
    let house = House::with(30);
    let removing = Seal {
        before: Box::new(|made| {
            if made == 0 {
                house.remove(7);
            }
        }),
        ..Seal::default()
    };
    let seen = house.run(RunId(1), &removing).whole();
    let gone: Vec<_> = seen.iter().filter(|seen| seen.outcome == Outcome::Left(Left::Gone)).collect();
    assert_eq!((seen.len(), gone.len()), (30, 1));
    house.assert_numbers_are((0..30).filter(|number| *number != 7));
}

/// A listing may hide a file that is renamed: what is gone in one pass and there in the next is not gone.
#[test]
fn what_is_gone_only_for_a_moment_is_worked_on() {
    let house = House::with(30);
    let [place, hidden] = [house.path(7), house.maildir().join("tmp/hidden")];
    let hiding = Seal {
        before: Box::new(|made| match made {
            0 => {
                std::fs::rename(&place, &hidden).unwrap();
                house.add(30);
            }
            _ if hidden.exists() => std::fs::rename(&hidden, &place).unwrap(),
            _ => {}
        }),
        ..Seal::default()
    };
    let seen = house.run(RunId(1), &hiding).whole();
    assert_eq!(seen.len(), 31);
    assert!(seen.iter().all(|seen| matches!(seen.outcome, Outcome::Replaced { .. })), "{seen:?}");
    house.assert_sealed(31);
}

#[test]
fn a_second_run_is_refused_before_it_touches_anything() {
    let house = House::with(20);
    let lock = house.lock();
    let before = house.files();
    let seal = Seal::default();
    let refused = house.run(RunId(1), &seal);
    let error = refused.ended.unwrap_err();
    assert!(matches!(error, RunError::Busy(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "another run is at work in the mailboxes of anna@north.example; try again when it is done"
    );
    assert_eq!((seal.made.load(Ordering::Relaxed), house.files()), (0, before));
    drop(lock);
    assert_eq!(house.run(RunId(1), &seal).whole().len(), 20);
}

/// One that holds the lock by working, and not by a test's hand.
#[test]
fn two_runs_at_once_do_each_message_once() {
    let house = House::with(300);
    let inner = std::sync::Mutex::new(None);
    let seal = Seal {
        before: Box::new(|made| {
            if made == 0 {
                let refused = house.run(RunId(2), &Seal::default());
                *inner.lock().unwrap() = Some(refused.ended.unwrap_err().to_string());
            }
        }),
        ..Seal::default()
    };
    assert_eq!(house.run(RunId(1), &seal).whole().len(), 300);
    assert!(inner.lock().unwrap().as_ref().unwrap().starts_with("another run is at work"));
    house.assert_sealed(300);
}

#[test]
fn an_account_without_a_maildir_has_no_messages() {
    let house = House::with(0);
    std::fs::remove_dir_all(house.maildir()).unwrap();
    assert_eq!(house.run(RunId(1), &Seal::default()).whole().len(), 0);
}

/// What a dead run left between its commit and the removal of the old file.
#[test]
fn steps_of_a_dead_run_are_finished_first_and_forgotten() {
    let house = House::with(5);
    house.leave_behind(3, RunId(9));
    house.remember_lost_mailbox();
    assert_eq!((house.files().len(), house.steps()), (6, 2));
    let run = house.run(RunId(1), &Seal::default());
    assert!(matches!(run.events[0], Event::Begins { .. }));
    let Event::Finished(step) = &run.events[1] else { panic!("{:?}", run.events[1]) };
    assert!(step.new.contains("X0000000000000009."), "{step:?}");
    assert_eq!(run.whole().len(), 5);
    assert_eq!(house.steps(), 1, "what nobody finds is looked for again");
    house.assert_sealed(5);
}
