//! A directory that remembers what it answered until it changes, for the messages of a batch.
//!
//! It stands between the engine and the directory, as a directory itself, so that a delivery in a batch asks as any other does
//! and one of the two cannot forget what the other thinks of. Beside it lies what is computed from answers: compiled programs
//! and judged certificates.

use super::addressee::Addressees;
use super::judgements::Judgements;
use super::programs::Programs;
use super::recent::Recent;
use super::{
    Account, AccountFacts, BuiltIn, Directory, DirectoryError, Engine, EngineError, Generation,
    InstalledRules, Remembered, Route, ServerCopy, ServerCopyState,
};
use crate::mail::{Address, MailboxName};
use crate::pki::Crl;
use crate::rules::Needs;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Entries of each kind after which those that were not asked for meanwhile are forgotten: twice as many are kept, twenty megabytes of
/// accounts, and what one window asks for. Each is forgotten by itself: an answer rests on the directory, and on no other answer.
const ENOUGH: usize = 512;

/// The owner of a mailbox, the mailbox, and who wants to insert into it.
type Insertion = (Address, MailboxName, Address);

/// What is known of a directory.
pub(super) struct Known<'d> {
    directory: &'d dyn Directory,
    built_in: &'d dyn BuiltIn,
    answers: Mutex<Answers>,
    /// Of certificates.
    pub(super) judgements: Judgements,
}

/// What all answers and judgements rest on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ground {
    directory: Option<Generation>,
    built_in: u64,
}

#[derive(Default)]
struct Answers {
    ground: Option<Ground>,
    routes: Recent<(Address, Option<char>), Route>,
    accounts: Recent<Address, Option<Account>>,
    rights: Recent<Insertion, bool>,
    lists: Recent<Vec<Vec<u8>>, Arc<Vec<Crl>>>,
    programs: Recent<Vec<Address>, Arc<Programs>>,
}

impl Answers {
    fn sweep(&mut self) {
        let Answers { ground: _, routes, accounts, rights, lists, programs } = self;
        routes.sweep(ENOUGH);
        accounts.sweep(ENOUGH);
        rights.sweep(ENOUGH);
        lists.sweep(ENOUGH);
        programs.sweep(ENOUGH);
    }
}

impl<'d> Known<'d> {
    pub(super) fn of(engine: &Engine<'d>) -> Known<'d> {
        let (directory, built_in) = (engine.directory, engine.built_in);
        Known { directory, built_in, answers: Mutex::default(), judgements: Judgements::default() }
    }

    /// Forgets everything if the directory or the built-in set may be another one than it was, or if that cannot be told, and else
    /// what nobody asks for. Which ones they are now. To be called between windows: what one learned it has until its end.
    pub(super) fn refresh(&self) -> Ground {
        let ground = self.current();
        let mut answers = self.lock();
        if ground.directory.is_none() || Some(ground) != answers.ground {
            *answers = Answers { ground: Some(ground), ..Answers::default() };
            self.judgements.clear();
        }
        answers.sweep();
        self.judgements.sweep(ENOUGH);
        ground
    }

    /// Is one of them another one than it was then, or does the directory not tell any more? One that never told is asked anew
    /// for each window, and that is all that can be done.
    pub(super) fn has_changed(&self, since: Ground) -> bool {
        let now = self.current();
        now.built_in != since.built_in || (since.directory.is_some() && now.directory != since.directory)
    }

    /// Forgets everything: whoever learned something died while he did.
    pub(super) fn forget(&self) {
        *self.lock() = Answers::default();
        self.judgements.clear();
    }

    fn current(&self) -> Ground {
        let directory = self.directory.generation().ok().flatten();
        Ground { directory, built_in: self.built_in.generation() }
    }

    /// Asks in one go what the messages for these recipients will ask. What fails will be asked again, and fail there.
    pub(super) fn look_ahead(&self, recipients: &[Address], delimiter: Option<char>) {
        let asked: Vec<_> = recipients.iter().map(|address| (address.clone(), delimiter)).collect();
        let mut answers = self.lock();
        if self.learn_routes(&mut answers, &asked, delimiter).is_err() {
            return;
        }
        let targets = asked.iter().filter_map(|one| match answers.routes.ask(one) {
            Some(Route::Account(account)) => Some(account.clone()),
            _ => None,
        });
        let targets: Vec<Address> = targets.collect();
        let _ = learn(&mut answers.accounts, &targets, |unknown| self.directory.accounts(unknown));
    }

    fn learn_routes(
        &self,
        answers: &mut Answers,
        asked: &[(Address, Option<char>)],
        delimiter: Option<char>,
    ) -> Result<(), DirectoryError> {
        learn(&mut answers.routes, asked, |unknown| {
            let addresses: Vec<Address> = unknown.iter().map(|(address, _)| address.clone()).collect();
            self.directory.routes(&addresses, delimiter)
        })
    }

    /// The rules for these, compiled and merged.
    pub(super) fn programs(
        &self,
        engine: &Engine<'_>,
        addressees: &Addressees,
    ) -> Result<Arc<Programs>, EngineError> {
        let key: Vec<Address> = addressees.known.iter().map(|one| one.account.address.clone()).collect();
        if let Some(known) = self.lock().programs.ask(&key) {
            return Ok(Arc::clone(known));
        }
        let programs = Arc::new(Programs::load(engine, addressees)?);
        self.lock().programs.learn(key, Arc::clone(&programs));
        Ok(programs)
    }

    /// The same as [`Directory::revocation_lists`], which can be large, shared.
    pub(super) fn lists(&self, issuers: Vec<Vec<u8>>) -> Result<Arc<Vec<Crl>>, DirectoryError> {
        if let Some(known) = self.lock().lists.ask(&issuers) {
            return Ok(Arc::clone(known));
        }
        let lists = Arc::new(self.directory.revocation_lists(&issuers)?);
        self.lock().lists.learn(issuers, Arc::clone(&lists));
        Ok(lists)
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks by one question what is not known.
fn learn<Q: Clone + Eq + Hash, A>(
    known: &mut Recent<Q, A>,
    asked: &[Q],
    ask: impl FnOnce(&[Q]) -> Result<Vec<A>, DirectoryError>,
) -> Result<(), DirectoryError> {
    let mut seen = HashSet::new();
    let unknown = asked.iter().filter(|one| known.ask(one).is_none() && seen.insert(*one));
    let unknown: Vec<Q> = unknown.cloned().collect();
    if !unknown.is_empty() {
        let found = ask(&unknown)?;
        unknown.into_iter().zip(found).for_each(|(question, answer)| known.learn(question, answer));
    }
    Ok(())
}

/// The answers in the order of the questions. One that got none ends them, as the directory's own would be short.
fn known_of<Q: Eq + Hash, A: Clone>(known: &mut Recent<Q, A>, asked: &[Q]) -> Vec<A> {
    asked.iter().map_while(|one| known.ask(one).cloned()).collect()
}

impl Directory for Known<'_> {
    fn generation(&self) -> Result<Option<Generation>, DirectoryError> {
        self.directory.generation()
    }

    fn routes(&self, addresses: &[Address], delimiter: Option<char>) -> Result<Vec<Route>, DirectoryError> {
        let asked: Vec<_> = addresses.iter().map(|address| (address.clone(), delimiter)).collect();
        let mut answers = self.lock();
        self.learn_routes(&mut answers, &asked, delimiter)?;
        Ok(known_of(&mut answers.routes, &asked))
    }

    fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, DirectoryError> {
        let mut answers = self.lock();
        learn(&mut answers.accounts, addresses, |unknown| self.directory.accounts(unknown))?;
        Ok(known_of(&mut answers.accounts, addresses))
    }

    fn may_insert(&self, asked: &[Insertion]) -> Result<Vec<bool>, DirectoryError> {
        let mut answers = self.lock();
        learn(&mut answers.rights, asked, |unknown| self.directory.may_insert(unknown))?;
        Ok(known_of(&mut answers.rights, asked))
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
