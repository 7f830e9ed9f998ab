use super::*;
use crate::crypto::{EntropyError, SecretBytes, Seed};
use crate::directory::{NewAccount, NewDomain};
use crate::engine::{Carried, StoreError};
use crate::mail::{Address, MailboxName};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use time::macros::datetime;

struct Counting(AtomicU8);

impl Entropy for Counting {
    fn seed(&self) -> Result<Seed, EntropyError> {
        Ok(Seed::from_bytes(&mut [self.0.fetch_add(1, Ordering::SeqCst); 32]))
    }
}

const DAYS_5: Duration = Duration::from_secs(5 * 86_400);
const LEASE: Duration = Duration::from_secs(60);
const TEXT: &[u8] = b"Subject: xyzzy-plugh\r\n\r\nThe body.\r\n";

fn noon() -> OffsetDateTime {
    datetime!(2026-11-01 12:00 UTC)
}

fn after(seconds: i64) -> OffsetDateTime {
    noon() + time::Duration::seconds(seconds)
}

fn week_before(at: OffsetDateTime) -> Option<OffsetDateTime> {
    Some(at - time::Duration::days(7))
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

struct House {
    folder: tempfile::TempDir,
    directory: SqliteDirectory,
    entropy: Counting,
    submission: Submission,
}

impl House {
    fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::create(&folder.path().join("store")).unwrap();
        directory.add_domain(&NewDomain { name: "north.example".into(), ..NewDomain::default() }).unwrap();
        directory
            .add_account(&NewAccount { address: address("bob@north.example"), aliases: Vec::new() })
            .unwrap();
        let submission = Submission::parse("smtp://127.0.0.1:25").unwrap();
        House { folder, directory, entropy: Counting(AtomicU8::new(1)), submission }
    }

    fn outbox(&self) -> SqliteOutbox<'_> {
        SqliteOutbox::new(&self.directory, &self.entropy, Some(&self.submission))
    }

    /// Held and released.
    fn send(&self, mail: OutgoingMail) -> Held {
        let outbox = self.outbox();
        let held = outbox.hold(vec![mail], &[], noon()).unwrap();
        outbox.release(&held, noon(), week_before(noon())).unwrap();
        held
    }

    fn states(&self) -> Vec<MailState> {
        self.directory.queued_mails().unwrap().iter().map(|mail| mail.state).collect()
    }

    fn claim(&self, at: OffsetDateTime) -> Option<ClaimedMail> {
        self.directory.claim_mail(None, at, LEASE).unwrap()
    }

    fn settle(&self, mail: &ClaimedMail, outcomes: &[Carried], at: OffsetDateTime) -> Settled {
        self.directory.settle_mail(mail, outcomes, at, DAYS_5).unwrap()
    }

    fn settle_held(&self, at: OffsetDateTime, is_there: bool) -> Vec<HeldEnd> {
        let holds = |_: &CopyName| Ok::<_, StoreError>(is_there);
        let ended =
            self.directory.settle_held(at, Duration::from_secs(1200), week_before(at), &holds).unwrap();
        ended.into_iter().map(|mail| mail.end).collect()
    }
}

fn mail(to: &[&str]) -> OutgoingMail {
    OutgoingMail {
        sender: "carol@far.example".into(),
        recipients: to.iter().map(|to| address(to)).collect(),
        message: SecretBytes::new(TEXT.to_vec()),
        account: Some(address("bob@north.example")),
        rule: "Copy".into(),
        action: "Redirect to",
        replies_to: None,
        identity: None,
    }
}

fn copy() -> CopyName {
    CopyName { owner: address("bob@north.example"), mailbox: MailboxName::inbox(), name: "1.x".into() }
}

fn later() -> Carried {
    Carried::Later("not now".into())
}

#[test]
fn a_mail_is_held_released_opened_and_gone_when_it_is_sent() {
    let house = House::new();
    let outbox = house.outbox();
    let held = outbox.hold(vec![mail(&["a@far.example", "b@far.example"])], &[copy()], noon()).unwrap();
    assert_eq!((held.0.len(), house.states()), (1, vec![MailState::Held]));
    assert!(house.claim(after(9)).is_none(), "a held mail is not sent");
    outbox.release(&held, noon(), week_before(noon())).unwrap();
    assert_eq!(outbox.take_released(), held.0);
    assert!(outbox.take_released().is_empty());
    let claimed = house.claim(noon()).unwrap();
    assert!(house.claim(after(59)).is_none(), "somebody else has it");
    let opened = claimed.open(&house.directory.queue_key().unwrap().unwrap()).unwrap();
    assert_eq!((opened.sender.as_str(), opened.message.expose()), ("carol@far.example", TEXT));
    assert_eq!(opened.recipients, [address("a@far.example"), address("b@far.example")]);
    assert_eq!(claimed.places(), [0, 1]);
    assert_eq!(house.settle(&claimed, &[Carried::Sent, Carried::Sent], noon()), Settled::Sent);
    assert!(house.states().is_empty());
}

#[test]
fn nothing_of_sender_and_message_lies_there_in_the_clear() {
    let house = House::new();
    house.send(mail(&["a@far.example"]));
    let root = house.folder.path().join("store");
    for entry in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        let octets = std::fs::read(&entry).unwrap();
        for word in ["xyzzy", "The body", "carol@far.example"] {
            let found = memchr::memmem::find(&octets, word.as_bytes());
            assert!(found.is_none(), "{word} in {}", entry.display());
        }
    }
}

#[test]
fn a_delivery_that_sends_nothing_makes_no_file() {
    let house = House::new();
    let outbox = house.outbox();
    assert_eq!(outbox.hold(Vec::new(), &[copy()], noon()).unwrap(), Held::default());
    outbox.release(&Held::default(), noon(), None).unwrap();
    outbox.withdraw(&Held::default()).unwrap();
    assert!(outbox.answered(&[], noon()).unwrap().is_empty());
    assert!(house.claim(noon()).is_none() && house.states().is_empty());
    assert!(house.settle_held(noon(), true).is_empty());
    let names: Vec<String> = std::fs::read_dir(house.folder.path().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!names.iter().any(|name| name.contains("state") || name.contains("queue")), "{names:?}");
}

#[test]
fn without_a_submission_no_mail_is_taken() {
    let house = House::new();
    let outbox = SqliteOutbox::new(&house.directory, &house.entropy, None);
    let error = outbox.hold(vec![mail(&["a@far.example"])], &[], noon()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the queue of outgoing mail failed: rule \"Copy\" sends mail, and submission is not set in sealpost.toml"
    );
}

#[test]
fn what_was_withdrawn_is_forgotten_and_cannot_be_released() {
    let house = House::new();
    let outbox = house.outbox();
    let held = outbox.hold(vec![mail(&["a@far.example"])], &[], noon()).unwrap();
    outbox.withdraw(&held).unwrap();
    assert!(house.states().is_empty());
    assert!(
        outbox.release(&held, noon(), week_before(noon())).is_err(),
        "the delivery is told, and the sender comes back"
    );
    let held = house.send(mail(&["a@far.example"]));
    house.outbox().withdraw(&held).unwrap();
    assert_eq!(house.states(), [MailState::Waiting], "what was released stays");
    outbox.release(&held, noon(), week_before(noon())).unwrap();
}

#[test]
fn a_held_mail_is_decided_by_its_copy_and_not_before_its_time() {
    let house = House::new();
    let held =
        |copies: &[CopyName]| house.outbox().hold(vec![mail(&["a@far.example"])], copies, noon()).unwrap();
    held(&[copy()]);
    assert!(house.settle_held(after(1200), true).is_empty(), "its delivery may be at work");
    assert_eq!(house.settle_held(after(1201), true), [HeldEnd::Released]);
    assert_eq!(house.states(), [MailState::Waiting]);
    held(&[copy()]);
    assert_eq!(house.settle_held(after(1201), false), [HeldEnd::Dropped]);
    held(&[]);
    assert_eq!(house.settle_held(after(1201), true), [HeldEnd::Dropped], "no copy can prove anything");
    assert_eq!(house.states(), [MailState::Waiting]);
    held(&[copy()]);
    let full = |_: &CopyName| Err(StoreError::OverQuota("bob".into()));
    let ended = house.directory.settle_held(after(1201), Duration::from_secs(1200), None, &full).unwrap();
    assert!(matches!(ended[0].end, HeldEnd::Unknown(_)), "{ended:?}");
    assert_eq!(
        house.states(),
        [MailState::Waiting, MailState::Held],
        "a store that does not answer drops nothing"
    );
}

fn identified() -> OutgoingMail {
    OutgoingMail {
        identity: Some("4ZbK2m Copy a@far.example".into()),
        account: None,
        ..mail(&["a@far.example"])
    }
}

#[test]
fn one_identity_is_sent_once_however_often_it_is_handed_over() {
    let house = House::new();
    house.send(identified());
    let hold = |at| house.outbox().hold(vec![identified()], &[], at).unwrap();
    assert_eq!(hold(noon()), Held::default(), "it waits already");
    let claimed = house.claim(noon()).unwrap();
    house.settle(&claimed, &[Carried::Sent], noon());
    assert_eq!(hold(after(29 * 86_400)), Held::default(), "it was sent");
    assert_eq!(hold(after(31 * 86_400)).0.len(), 1, "no MTA comes back after a month");
}

/// Two calls at once, for two recipients of one message: neither waits for the other, and neither can lose the mail.
#[test]
fn of_two_attempts_that_hold_the_same_the_first_to_release_sends() {
    let house = House::new();
    let (one, two) = (house.outbox(), house.outbox());
    let first = one.hold(vec![identified()], &[copy()], noon()).unwrap();
    let second = two.hold(vec![identified()], &[copy()], noon()).unwrap();
    assert_eq!((first.0.len(), second.0.len()), (1, 1), "the first may be dead: it counts for nothing");
    two.release(&second, noon(), week_before(noon())).unwrap();
    one.release(&first, noon(), week_before(noon())).unwrap();
    assert_eq!((one.take_released().len(), two.take_released().len()), (0, 1));
    assert_eq!(house.states(), [MailState::Waiting]);
    let claimed = house.claim(noon()).unwrap();
    house.settle(&claimed, &[Carried::Sent], noon());
    let dead = house.outbox().hold(vec![mail(&["a@far.example"])], &[copy()], noon()).unwrap();
    assert_eq!(dead.0.len(), 1, "without an identity each call sends");
}

#[test]
fn a_dead_attempt_does_not_keep_the_next_one_from_sending() {
    let house = House::new();
    house.outbox().hold(vec![identified()], &[copy()], noon()).unwrap();
    house.send(identified());
    assert_eq!(house.states(), [MailState::Held, MailState::Waiting]);
    assert_eq!(house.settle_held(after(1201), true), [HeldEnd::Released]);
    assert_eq!(house.states(), [MailState::Waiting], "the same is not sent twice");
}

#[test]
fn a_reply_is_recorded_when_it_is_released() {
    let house = House::new();
    let key = ReplyKey {
        account: Some(address("bob@north.example")),
        rule: "Vacation".into(),
        sender: "anna@far.example".into(),
    };
    let reply = || OutgoingMail { replies_to: Some(key.clone()), ..mail(&["anna@far.example"]) };
    let answered = || house.outbox().answered(std::slice::from_ref(&key), noon()).unwrap();
    let outbox = house.outbox();
    let (first, second) =
        (outbox.hold(vec![reply()], &[], noon()).unwrap(), outbox.hold(vec![reply()], &[], noon()).unwrap());
    assert_eq!(answered(), [false], "a held one is none");
    outbox.release(&first, noon(), week_before(noon())).unwrap();
    assert_eq!(answered(), [true]);
    outbox.release(&second, noon(), week_before(noon())).unwrap();
    assert_eq!(house.states().len(), 1, "who asked before the first was released does not answer twice");
    house.directory.rename_domain("north.example", "east.example").unwrap();
    let renamed = ReplyKey { account: Some(address("bob@east.example")), ..key.clone() };
    assert_eq!(house.outbox().answered(std::slice::from_ref(&renamed), noon()).unwrap(), [true]);
    let other = ReplyKey { rule: "Other".into(), ..renamed };
    assert_eq!(house.outbox().answered(&[other], noon()).unwrap(), [false]);
    house.directory.remove_account(&address("bob@east.example"), &[]).unwrap();
    let left = house
        .directory
        .write_state(|at| Ok(at.query_row("SELECT count(*) FROM replies", [], |row| row.get::<_, i64>(0))?));
    assert_eq!(left.unwrap(), 0, "they go with the account");
    assert_eq!(house.states(), [MailState::Waiting], "and its mail goes all the same");
}

/// Four calls at once, and what each gives.
fn at_once<T: Send>(call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let call = &call;
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|number| scope.spawn(move || call(number))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

/// In a house where nothing was ever sent, so that they make the file and the key, too. All of them found nothing when they
/// asked; the clocks of the calls differ by more than the deliveries take.
#[test]
fn of_many_deliveries_at_once_one_answers_in_an_interval() {
    for _ in 0..8 {
        let house = House::new();
        let key = ReplyKey { account: None, rule: "Vacation".into(), sender: "anna@far.example".into() };
        let reply =
            || OutgoingMail { replies_to: Some(key.clone()), account: None, ..mail(&["anna@far.example"]) };
        let ahead = OffsetDateTime::now_utc() + time::Duration::hours(1);
        let at = |number: usize| ahead + time::Duration::minutes(number as i64);
        let open = || SqliteDirectory::open(&house.folder.path().join("store")).unwrap();
        let held = at_once(|number| {
            let directory = open();
            let outbox = SqliteOutbox::new(&directory, &house.entropy, Some(&house.submission));
            let since = week_before(at(number)).unwrap();
            assert_eq!(outbox.answered(std::slice::from_ref(&key), since).unwrap(), [false]);
            outbox.hold(vec![reply()], &[], at(number)).unwrap()
        });
        let released = at_once(|number| {
            let directory = open();
            let outbox = SqliteOutbox::new(&directory, &house.entropy, Some(&house.submission));
            outbox.release(&held[number], at(number), week_before(at(number))).unwrap();
            outbox.take_released().len()
        });
        assert_eq!((released.iter().sum(), house.states()), (1, vec![MailState::Waiting]));
        // After the interval, and where each message is answered, it goes.
        let later = ahead + time::Duration::days(8);
        for (at, since) in [(later, week_before(later)), (later, None)] {
            let outbox = house.outbox();
            outbox.release(&outbox.hold(vec![reply()], &[], at).unwrap(), at, since).unwrap();
            assert_eq!(outbox.take_released().len(), 1);
        }
    }
}

#[test]
fn who_has_it_is_not_sent_to_again() {
    let house = House::new();
    house.send(mail(&["a@far.example", "b@far.example", "c@far.example"]));
    let claimed = house.claim(noon()).unwrap();
    let refused = Carried::Refused("no such user".into());
    let end = house.settle(&claimed, &[Carried::Sent, later(), refused], after(1));
    assert_eq!(end, Settled::Waiting(after(301)));
    assert!(house.claim(after(300)).is_none());
    let claimed = house.claim(after(301)).unwrap();
    assert_eq!((claimed.places(), claimed.attempts), (&[1][..], 2));
    assert_eq!(house.settle(&claimed, &[Carried::Sent], after(301)), Settled::Failed, "one was refused");
    let kept = house.directory.queued_mails().unwrap().remove(0);
    assert_eq!((kept.state, kept.last_error()), (MailState::Failed, Some("no such user")));
    assert!(house.claim(after(86_400)).is_none(), "what failed waits for a person");
    house.directory.retry_mail(&kept.id, after(400)).unwrap();
    let claimed = house.claim(after(400)).unwrap();
    assert_eq!((claimed.places(), claimed.attempts), (&[2][..], 1));
    assert_eq!(house.settle(&claimed, &[Carried::Sent], after(400)), Settled::Sent);
}

#[test]
fn what_is_given_up_is_gone_and_not_made_anew() {
    let house = House::new();
    house.send(identified());
    let claimed = house.claim(noon()).unwrap();
    let refused = Carried::Refused("no such user".into());
    assert_eq!(house.settle(&claimed, &[refused], noon()), Settled::Failed);
    let id = house.directory.queued_mails().unwrap().remove(0).id;
    house.directory.retry_mail(&id, noon()).unwrap();
    assert_eq!(
        house.directory.give_up_mail(&claimed, noon()).unwrap(),
        Settled::Taken,
        "a person was faster"
    );
    let again = house.claim(noon()).unwrap();
    assert_eq!(house.directory.fail_mail(&again, "no").unwrap(), Settled::Failed);
    assert_eq!(house.directory.give_up_mail(&again, noon()).unwrap(), Settled::GivenUp);
    assert_eq!(house.states(), []);
    house.send(identified());
    assert_eq!(house.states(), [], "its identity is known");
}

#[test]
fn what_is_due_can_be_claimed() {
    let house = House::new();
    let due = |at| house.directory.due_mails(at).unwrap();
    assert_eq!(due(noon()), 0);
    house.send(mail(&["a@far.example"]));
    house.send(mail(&["b@far.example"]));
    house.outbox().hold(vec![mail(&["c@far.example"])], &[copy()], noon()).unwrap();
    assert_eq!(due(noon()), 2, "what is held is not");
    let claimed = house.claim(noon()).unwrap();
    assert_eq!((due(after(60)), due(after(61))), (1, 2), "until its lease ends");
    house.settle(&claimed, &[later()], noon());
    assert_eq!((due(after(299)), due(after(300))), (1, 2));
    assert_eq!(due(noon() - time::Duration::days(365)), 2, "the clock was put back");
}

#[test]
fn a_mail_that_grows_too_old_has_failed_and_is_kept() {
    let house = House::new();
    house.send(mail(&["a@far.example"]));
    let mut now = noon();
    let mut attempts = 0;
    let end = loop {
        let claimed = house.claim(now).unwrap();
        attempts += 1;
        match house.settle(&claimed, &[later()], now) {
            Settled::Waiting(next) => now = next,
            end => break end,
        }
    };
    assert_eq!(end, Settled::Failed);
    assert!(now - noon() >= time::Duration::days(5) && now - noon() < time::Duration::days(6));
    assert!((30..50).contains(&attempts), "{attempts}");
    assert_eq!(house.states(), [MailState::Failed]);
}

#[test]
fn a_lease_that_is_over_is_no_claim() {
    let house = House::new();
    house.send(mail(&["a@far.example", "b@far.example"]));
    let slow = house.claim(noon()).unwrap();
    let fast = house.claim(after(61)).unwrap();
    assert_eq!(house.settle(&slow, &[Carried::Sent, later()], after(62)), Settled::Taken);
    assert_eq!(house.settle(&fast, &[later(), later()], after(63)), Settled::Waiting(after(63 + 600)));
    let claimed = house.claim(after(663)).unwrap();
    assert_eq!(claimed.places(), [1], "who got it by the slow one is known");
}

#[test]
fn a_clock_that_was_ahead_keeps_no_mail_for_a_year() {
    let house = House::new();
    let ahead = noon() + time::Duration::days(365);
    let outbox = house.outbox();
    let held = outbox.hold(vec![mail(&["a@far.example"])], &[], ahead).unwrap();
    outbox.release(&held, ahead, week_before(ahead)).unwrap();
    house.directory.claim_mail(None, ahead, LEASE).unwrap().unwrap();
    assert!(house.claim(noon()).is_some());
}

#[test]
fn what_is_damaged_is_kept_and_said() {
    let house = House::new();
    house.send(mail(&["a@far.example"]));
    house.send(mail(&["b@far.example"]));
    let damage = "UPDATE queue SET sealed = x'00' WHERE id = (SELECT min(id) FROM queue)";
    house.directory.write_state(|at| Ok(at.execute(damage, [])?)).unwrap();
    let key = house.directory.queue_key_in_use().unwrap().unwrap();
    assert_eq!(house.directory.unreadable_mails(Some(&key)).unwrap().len(), 1);
    let claimed = house.claim(noon()).unwrap();
    let why = claimed.open(&key).err().unwrap();
    assert_eq!(why, "it is damaged");
    assert_eq!(house.directory.fail_mail(&claimed, &why).unwrap(), Settled::Failed);
    assert_eq!(house.states(), [MailState::Failed, MailState::Waiting]);
    let kept = house.directory.queued_mails().unwrap().remove(0);
    assert_eq!(kept.last_error(), Some(why.as_str()));
}

/// Else the file could not be put back without closing the newer mail.
#[test]
fn nothing_is_sealed_under_a_new_key_while_mail_lies_under_the_old_one() {
    let house = House::new();
    house.send(mail(&["a@far.example"]));
    let file = house.folder.path().join("store/queue.key");
    let old = std::fs::read(&file).unwrap();
    let id = house.directory.queue_key().unwrap().unwrap().id().to_owned();
    let refused =
        || house.outbox().hold(vec![mail(&["b@far.example"])], &[], noon()).unwrap_err().to_string();
    std::fs::remove_file(&file).unwrap();
    let said = refused();
    assert!(
        said.contains(&format!(
            "queue.key is missing, and mail waits that was sealed under it (mails: 1, key {id})"
        )),
        "{said}"
    );
    assert!(
        said.ends_with("put it back, or give the mail up with: sealpost queue remove --unreadable"),
        "{said}"
    );
    assert!(!file.exists(), "no key is made");
    std::fs::write(&file, [7; 32]).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let said = refused();
    let other = house.directory.queue_key().unwrap().unwrap();
    let wanted = format!(
        "is the key {}, and mail waits that was sealed under another one (mails: 1, key {id})",
        other.id()
    );
    assert!(said.contains(&wanted), "{said}");
    assert_eq!(house.directory.unreadable_mails(Some(&other)).unwrap().len(), 1);
    let claimed = house.claim(noon()).unwrap();
    let why = claimed.open(&other).err().unwrap();
    assert_eq!(why, format!("it was sealed under the key {id}, and queue.key is {}", other.id()));
    house.settle(&claimed, &[later()], noon());
    // The old one fits again, and what comes then is under it.
    std::fs::write(&file, &old).unwrap();
    house.send(mail(&["b@far.example"]));
    let key = house.directory.queue_key_in_use().unwrap().unwrap();
    assert!(house.directory.unreadable_mails(Some(&key)).unwrap().is_empty());
    // Who gives the mail up gets a new key.
    std::fs::remove_file(&file).unwrap();
    for closed in house.directory.unreadable_mails(None).unwrap() {
        house.directory.remove_mail(&closed.id, after(1)).unwrap();
    }
    house.send(mail(&["c@far.example"]));
    assert_ne!(std::fs::read(&file).unwrap(), old);
}

/// Whoever can write to the file cannot send the mail elsewhere.
#[test]
fn the_recipients_are_those_under_the_seal() {
    let house = House::new();
    house.send(mail(&["a@far.example"]));
    house
        .directory
        .write_state(|at| Ok(at.execute("UPDATE queue_recipients SET address = 'eve@evil.example'", [])?))
        .unwrap();
    let key = house.directory.queue_key_in_use().unwrap().unwrap();
    let claimed = house.claim(noon()).unwrap();
    assert_eq!(claimed.open(&key).unwrap().recipients, [address("a@far.example")]);
    let moved = "UPDATE queue SET sealed = (SELECT sealed FROM queue ORDER BY id LIMIT 1)";
    house.send(mail(&["b@far.example"]));
    house.directory.write_state(|at| Ok(at.execute(moved, [])?)).unwrap();
    assert_eq!(
        house.directory.unreadable_mails(Some(&key)).unwrap().len(),
        1,
        "a row opens in its place only"
    );
}

#[test]
fn what_is_removed_is_not_sent_nor_made_again() {
    let house = House::new();
    house.send(identified());
    let id = house.directory.queued_mails().unwrap().remove(0).id;
    assert_eq!(house.directory.queued_mail(id.get(..20).unwrap()).unwrap().id, id);
    let claimed = house.claim(noon()).unwrap();
    assert!(matches!(house.directory.remove_mail(&id, after(1)), Err(AdminError::MailBusy { .. })));
    let error = house.directory.remove_mail(&id, after(1)).unwrap_err().to_string();
    assert!(error.ends_with("it is claimed until 12:01:00 UTC"), "{error}");
    house.settle(&claimed, &[later()], after(2));
    house.directory.remove_mail(&id, after(3)).unwrap();
    assert!(house.states().is_empty());
    assert_eq!(house.outbox().hold(vec![identified()], &[], after(4)).unwrap(), Held::default());
    assert!(matches!(house.directory.queued_mail(&id), Err(AdminError::NoMail(_))));
    assert!(matches!(house.directory.retry_mail(&id, after(5)), Err(AdminError::NoMail(_))));
}

/// Many at once, over one file: each mail is claimed by one.
#[test]
fn many_runners_claim_each_mail_once() {
    let house = House::new();
    (0..20).for_each(|_| drop(house.send(mail(&["a@far.example"]))));
    let root = house.folder.path().join("store");
    let run = || {
        let directory = SqliteDirectory::open(&root).unwrap();
        let claim = || directory.claim_mail(None, after(1), LEASE).unwrap().map(|mail| mail.id);
        std::iter::from_fn(claim).collect::<Vec<_>>()
    };
    let mut ids: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    ids.sort();
    assert_eq!(ids.len(), 20);
    ids.dedup();
    assert_eq!(ids.len(), 20);
}
