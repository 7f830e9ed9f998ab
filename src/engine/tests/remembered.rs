//! What a batch remembers of a directory, and what it forgets of one with more accounts than it keeps.

use super::service::parcel;
use super::*;
use crate::engine::certificates::{Certificates, Fit};
use crate::engine::known::Known;
use crate::pki::ValidatedCertificate;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Everybody of north.example has an account, which is read anew whenever it is asked for. Bob's has a certificate.
struct Town<'w> {
    world: &'w World,
    generation: AtomicU64,
    /// How often each account was.
    read: Mutex<HashMap<Address, usize>>,
}

impl<'w> Town<'w> {
    fn of(world: &'w World) -> Town<'w> {
        Town { world, generation: AtomicU64::new(1), read: Mutex::default() }
    }

    fn engine(&self) -> Engine<'_> {
        Engine { directory: self, ..self.world.engine() }
    }

    fn account(&self, asked: &Address) -> Account {
        *self.read.lock().unwrap().entry(asked.clone()).or_default() += 1;
        let [bob, .., eve] = &self.world.accounts[..] else { panic!() };
        let mut account = Account { address: asked.clone(), ..eve.clone() };
        if *asked == bob.address {
            account.certificates = bob.certificates.clone();
            for held in &mut account.certificates {
                held.certificate = Certificate::from_der(held.certificate.der()).unwrap();
            }
        }
        account
    }
}

impl Directory for Town<'_> {
    fn generation(&self) -> Result<Option<Generation>, DirectoryError> {
        Ok(Some(Generation { others: 0, own: self.generation.load(Ordering::SeqCst) }))
    }
    fn routes(&self, addresses: &[Address], _: Option<char>) -> Result<Vec<Route>, DirectoryError> {
        Ok(addresses.iter().cloned().map(Route::Account).collect())
    }
    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError> {
        Ok(addresses.iter().map(|asked| Some(self.account(asked))).collect())
    }
    fn rules(&self, accounts: &[Address]) -> Result<Vec<InstalledRules>, DirectoryError> {
        self.world.rules(accounts)
    }
    fn may_insert(&self, asked: &[(Address, MailboxName, Address)]) -> Result<Vec<bool>, DirectoryError> {
        self.world.may_insert(asked)
    }
    fn revocation_lists(&self, issuers: &[Vec<u8>]) -> Result<Vec<Crl>, DirectoryError> {
        self.world.revocation_lists(issuers)
    }
    fn rule_facts(&self, asked: &[(Address, Needs)]) -> Result<Vec<AccountFacts>, DirectoryError> {
        self.world.rule_facts(asked)
    }
    fn remember(&self, values: &[Remembered]) -> Result<(), DirectoryError> {
        self.world.remember(values)
    }
    fn server_copies(&self, copies: &[ServerCopy]) -> Result<Vec<ServerCopyState>, DirectoryError> {
        self.world.server_copies(copies)
    }
    fn begin_server_copies(&self, copies: &[(ServerCopy, String)]) -> Result<(), DirectoryError> {
        self.world.begin_server_copies(copies)
    }
    fn finish_server_copies(&self, copies: &[ServerCopy]) -> Result<(), DirectoryError> {
        self.world.finish_server_copies(copies)
    }
}

/// More accounts than are kept, one after the other, and once more; mail for bob comes in each window.
#[test]
fn who_gets_mail_all_the_time_is_read_once_and_the_others_when_their_mail_comes() {
    let mut world = World::new();
    world.settings.certificates.missing_certificate = MissingCertificate::Plain;
    let town = Town::of(&world);
    let people: Vec<String> = (0..1300).map(|number| format!("n{number}@north.example")).collect();
    let (round, window) = (people.iter().map(String::as_str), 50);
    let mut recipients: Vec<&str> = round.clone().chain(round).collect();
    for begin in (0..recipients.len()).step_by(window).rev() {
        recipients.insert(begin, BOB);
    }
    let text = |to: &str, at: usize| format!("Subject: {to}\r\n\r\nNumber {at}.\r\n").into_bytes();
    let parcels = recipients.iter().enumerate().map(|(at, to)| ((), parcel(&text(to, at), &[to])));
    let in_flight = InFlight { messages: 2 * window, ..InFlight::default() };
    let batch = Batch { engine: town.engine(), in_flight, stop: &AtomicBool::new(false) };
    batch.run(parcels, |(), _, outcome| {
        assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    });
    let stored = |to: &str| -> Vec<Vec<u8>> {
        let messages = world.store.messages(&address(to), &inbox());
        messages.into_iter().map(|message| message.bytes).collect()
    };
    let sent = |to: &str| -> Vec<Vec<u8>> {
        let to_him = recipients.iter().enumerate().filter(|(_, recipient)| **recipient == to);
        to_him.map(|(at, to)| text(to, at)).collect()
    };
    people.iter().for_each(|to| assert_eq!(stored(to), sent(to), "{to}"));
    let bobs: Vec<_> = stored(BOB).iter().map(|bytes| opened(bytes, BOB).unwrap()).collect();
    assert_eq!(bobs, sent(BOB));
    let read = town.read.lock().unwrap();
    let times = |to: &str| read[&address(to)];
    assert_eq!(times(BOB), 1);
    assert!(people.iter().all(|to| times(to) == 2), "memory does not grow with the accounts");
}

/// Who is to read a message for bob, as the next window finds it out at that time.
fn reader(known: &Known<'_>, world: &World, at: OffsetDateTime) -> ValidatedCertificate {
    known.refresh();
    let account = known.accounts(&[address(BOB)]).unwrap().remove(0).unwrap();
    let (settings, judged) = (&world.settings, Some(&known.judgements));
    let certificates = Certificates { settings, at, lists: &[], built_in: world, judged };
    let Fit::Seal(mut readers) = certificates.fit(&[&account], settings.profile.into()).unwrap() else {
        panic!("he has a certificate")
    };
    readers.remove(0).usable.remove(0)
}

#[test]
fn a_certificate_is_parsed_and_its_key_prepared_once_until_the_directory_changes() {
    let world = World::new();
    let town = Town::of(&world);
    let known = Known::of(&town.engine());
    let first = reader(&known, &world, noon());
    let is_same = |other: &ValidatedCertificate| {
        let (one, other) = (first.certificate(), other.certificate());
        let is_parsed_once = std::ptr::eq(one.parsed(), other.parsed());
        let is_prepared_once = std::ptr::eq(one.transport_key().unwrap(), other.transport_key().unwrap());
        assert_eq!(is_parsed_once, is_prepared_once);
        is_parsed_once
    };
    assert!(is_same(&reader(&known, &world, noon())), "judged in this second");
    let later = noon() + Duration::SECOND;
    assert!(is_same(&reader(&known, &world, later)), "judged anew");
    town.generation.store(2, Ordering::SeqCst);
    assert!(!is_same(&reader(&known, &world, later)), "perhaps another one");
}
