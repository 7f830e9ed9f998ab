//! A directory that remembers what it answered until it changes, for the messages of a batch.
//!
//! It stands between the engine and the directory, as a directory itself, so that a delivery in a batch asks as any other does
//! and one of the two cannot forget what the other thinks of. Beside it lies what is computed from answers: compiled programs
//! and judged certificates.

use super::addressee::Addressees;
use super::judgements::Judgements;
use super::programs::Programs;
use super::{
    Account, AccountFacts, Directory, DirectoryError, Engine, EngineError, Generation, InstalledRules,
    Remembered, Route, ServerCopy, ServerCopyState,
};
use crate::mail::{Address, MailboxName};
use crate::pki::Crl;
use crate::rules::Needs;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries of each kind that are kept: twenty megabytes of accounts. Beyond it everything begins anew.
const MOST: usize = 1024;

/// The owner of a mailbox, the mailbox, and who wants to insert into it.
type Insertion = (Address, MailboxName, Address);

/// What is known of a directory.
pub(super) struct Known<'d> {
    directory: &'d dyn Directory,
    answers: Mutex<Answers>,
    /// Of certificates.
    pub(super) judgements: Judgements,
}

#[derive(Default)]
struct Answers {
    generation: Option<Generation>,
    routes: HashMap<(Address, Option<char>), Route>,
    accounts: HashMap<Address, Option<Account>>,
    rights: HashMap<Insertion, bool>,
    lists: HashMap<Vec<Vec<u8>>, Arc<Vec<Crl>>>,
    programs: HashMap<Vec<Address>, Arc<Programs>>,
}

impl Answers {
    fn is_full(&self) -> bool {
        let Answers { generation: _, routes, accounts, rights, lists, programs } = self;
        [routes.len(), accounts.len(), rights.len(), lists.len(), programs.len()]
            .into_iter()
            .any(|len| len > MOST)
    }
}

impl<'d> Known<'d> {
    pub(super) fn of(directory: &'d dyn Directory) -> Known<'d> {
        Known { directory, answers: Mutex::default(), judgements: Judgements::default() }
    }

    /// Forgets everything if the directory may be another one than it was, or if that cannot be told.
    pub(super) fn refresh(&self) {
        let generation = self.directory.generation().ok().flatten();
        let mut answers = self.lock();
        if generation.is_none() || generation != answers.generation || answers.is_full() {
            *answers = Answers { generation, ..Answers::default() };
            self.judgements.clear();
        }
    }

    /// Asks in one go what the messages for these recipients will ask. What fails will be asked again, and fail there.
    pub(super) fn look_ahead(&self, recipients: &[Address], delimiter: Option<char>) {
        let targets = |route| match route {
            Route::Account(account) => Some(account),
            Route::UnknownUser | Route::UnknownDomain => None,
        };
        if let Ok(routes) = self.routes(recipients, delimiter) {
            let _ = self.accounts(&routes.into_iter().filter_map(targets).collect::<Vec<_>>());
        }
    }

    /// The rules for these, compiled and merged.
    pub(super) fn programs(
        &self,
        engine: &Engine<'_>,
        addressees: &Addressees,
    ) -> Result<Arc<Programs>, EngineError> {
        let key: Vec<Address> = addressees.known.iter().map(|one| one.account.address.clone()).collect();
        if let Some(known) = self.lock().programs.get(&key) {
            return Ok(Arc::clone(known));
        }
        let programs = Arc::new(Programs::load(engine, addressees)?);
        self.lock().programs.insert(key, Arc::clone(&programs));
        Ok(programs)
    }

    /// The same as [`Directory::revocation_lists`], which can be large, shared.
    pub(super) fn lists(&self, issuers: Vec<Vec<u8>>) -> Result<Arc<Vec<Crl>>, DirectoryError> {
        if let Some(known) = self.lock().lists.get(&issuers) {
            return Ok(Arc::clone(known));
        }
        let lists = Arc::new(self.directory.revocation_lists(&issuers)?);
        self.lock().lists.insert(issuers, Arc::clone(&lists));
        Ok(lists)
    }

    /// The answers to `asked`: those that are known, and all others by one question.
    fn answered<Q: Clone + Eq + Hash, A: Clone>(
        &self,
        asked: &[Q],
        part: impl Fn(&mut Answers) -> &mut HashMap<Q, A>,
        ask: impl FnOnce(&[Q]) -> Result<Vec<A>, DirectoryError>,
    ) -> Result<Vec<A>, DirectoryError> {
        let mut answers = self.lock();
        let known = part(&mut answers);
        let mut unknown: Vec<Q> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        unknown.extend(asked.iter().filter(|one| !known.contains_key(one) && seen.insert(*one)).cloned());
        if !unknown.is_empty() {
            let found = ask(&unknown)?;
            known.extend(unknown.into_iter().zip(found));
        }
        // One that got no answer ends the answers, as the directory's own would be short.
        Ok(asked.iter().map_while(|one| known.get(one).cloned()).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for Known<'_> {
    fn generation(&self) -> Result<Option<Generation>, DirectoryError> {
        self.directory.generation()
    }

    fn routes(&self, addresses: &[Address], delimiter: Option<char>) -> Result<Vec<Route>, DirectoryError> {
        let asked: Vec<_> = addresses.iter().map(|address| (address.clone(), delimiter)).collect();
        let ask = |unknown: &[(Address, Option<char>)]| {
            let addresses: Vec<Address> = unknown.iter().map(|(address, _)| address.clone()).collect();
            self.directory.routes(&addresses, delimiter)
        };
        self.answered(&asked, |answers| &mut answers.routes, ask)
    }

    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError> {
        self.answered(addresses, |answers| &mut answers.accounts, |unknown| self.directory.accounts(unknown))
    }

    fn may_insert(&self, asked: &[Insertion]) -> Result<Vec<bool>, DirectoryError> {
        self.answered(asked, |answers| &mut answers.rights, |unknown| self.directory.may_insert(unknown))
    }

    fn rules(&self, accounts: &[Address]) -> Result<Vec<InstalledRules>, DirectoryError> {
        self.directory.rules(accounts)
    }

    fn revocation_lists(&self, issuers: &[Vec<u8>]) -> Result<Vec<Crl>, DirectoryError> {
        Ok(self.lists(issuers.to_vec())?.as_ref().clone())
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
