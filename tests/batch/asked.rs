//! How often a batch asks its directory.

use super::house::{ADA, BOB, House, Parts, parcel};
use sealpost::directory::SqliteDirectory;
use sealpost::engine::{
    Account, AccountFacts, Batch, Directory, DirectoryError, Engine, Generation, InFlight, InstalledRules,
    Remembered, Route, ServerCopy, ServerCopyState,
};
use sealpost::mail::{Address, MailboxName};
use sealpost::pki::Crl;
use sealpost::rules::Needs;
use sealpost::store::MemoryStore;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

/// The directory, with a count of the questions, which may or may not tell its generation.
struct Asked<'d> {
    directory: &'d SqliteDirectory,
    tells: bool,
    questions: Mutex<BTreeMap<&'static str, usize>>,
}

impl Asked<'_> {
    fn count(&self, question: &'static str) {
        *self.questions.lock().unwrap().entry(question).or_default() += 1;
    }
}

impl Directory for Asked<'_> {
    fn generation(&self) -> Result<Option<Generation>, DirectoryError> {
        if self.tells { self.directory.generation() } else { Ok(None) }
    }
    fn routes(&self, addresses: &[Address], delimiter: Option<char>) -> Result<Vec<Route>, DirectoryError> {
        self.count("routes");
        self.directory.routes(addresses, delimiter)
    }
    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError> {
        self.count("accounts");
        self.directory.accounts(addresses)
    }
    fn rules(&self, accounts: &[Address]) -> Result<Vec<InstalledRules>, DirectoryError> {
        self.count("rules");
        self.directory.rules(accounts)
    }
    fn may_insert(&self, asked: &[(Address, MailboxName, Address)]) -> Result<Vec<bool>, DirectoryError> {
        self.count("rights");
        self.directory.may_insert(asked)
    }
    fn revocation_lists(&self, issuers: &[Vec<u8>]) -> Result<Vec<Crl>, DirectoryError> {
        self.count("lists");
        self.directory.revocation_lists(issuers)
    }
    fn rule_facts(&self, asked: &[(Address, Needs)]) -> Result<Vec<AccountFacts>, DirectoryError> {
        self.directory.rule_facts(asked)
    }
    fn remember(&self, values: &[Remembered]) -> Result<(), DirectoryError> {
        self.directory.remember(values)
    }
    fn server_copies(&self, copies: &[ServerCopy]) -> Result<Vec<ServerCopyState>, DirectoryError> {
        self.directory.server_copies(copies)
    }
    fn begin_server_copies(&self, copies: &[(ServerCopy, String)]) -> Result<(), DirectoryError> {
        self.directory.begin_server_copies(copies)
    }
    fn finish_server_copies(&self, copies: &[ServerCopy]) -> Result<(), DirectoryError> {
        self.directory.finish_server_copies(copies)
    }
}

/// Questions for forty messages in windows of ten, for two accounts by turns.
fn questions(tells: bool) -> BTreeMap<&'static str, usize> {
    let (house, store, parts) = (House::new(), MemoryStore::default(), Parts::default());
    let asked = Asked { directory: &house.directory, tells, questions: Mutex::default() };
    let engine = Engine { directory: &asked, ..house.engine(&store, &parts) };
    let in_flight = InFlight { messages: 20, ..InFlight::default() };
    let parcels = (0..40).map(|number| (number, parcel(&[[BOB, ADA][number % 2]], "x")));
    Batch { engine, in_flight, stop: &AtomicBool::new(false) }.run(parcels, |_, _, outcome| {
        assert_eq!(outcome.copies.len(), 1);
    });
    asked.questions.into_inner().unwrap()
}

#[test]
fn what_is_known_is_not_asked_again() {
    let once = questions(true);
    assert_eq!(
        (once["routes"], once["accounts"]),
        (1, 1),
        "one question for all of the first window: {once:?}"
    );
    assert_eq!(once["rules"], 2, "one for each account: {once:?}");
    assert!(once["lists"] <= 2, "{once:?}");
}

#[test]
fn a_directory_that_does_not_tell_its_generation_is_asked_for_each_window() {
    let each = questions(false);
    assert_eq!((each["routes"], each["accounts"], each["rules"]), (4, 4, 8), "{each:?}");
}
