//! What the verbs that replace messages share: whose, which, a number for the run, and what is told of it.

use super::report::{Begun, Report, Words};
use super::selection::{Among, SelectionOptions};
use super::targets::Targets;
use super::task::{Task, fresh_number};
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::output::{Output, tell_terminal};
use crate::cli::words;
use crate::config::Config;
use crate::directory::{BegunRun, SqliteDirectory};
use crate::engine::Account;
use crate::mail::{Address, MailboxName};
use crate::mailbox::{Accounts, Ended, Run, Scope, Selection, Work};
use crate::store::{MaildirStore, RunId};
use crate::system::Interrupt;
use std::sync::{Mutex, PoisonError};

/// Which messages, and whether anything is done to them.
#[derive(clap::Args)]
pub(super) struct Place {
    #[command(flatten)]
    pub(super) targets: Targets,
    /// Only this mailbox; absent: every mailbox
    #[arg(long, value_name = "BOX", value_parser = MailboxName::parse)]
    mailbox: Option<MailboxName>,
    #[command(flatten)]
    selection: SelectionOptions,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// The store that a run works on.
pub(super) struct Site {
    pub(super) config: Config,
    pub(super) directory: SqliteDirectory,
    pub(super) store: MaildirStore,
}

impl Site {
    pub(super) fn open(context: &Context) -> Result<Site, Failure> {
        let (config, directory) = (context.config()?, context.directory_for_reading()?);
        let store = context.store(&config)?;
        Ok(Site { config, directory, store })
    }
}

/// What is done with the messages of accounts.
pub(super) trait Operation: Sync {
    /// How it is called.
    fn words(&self) -> Words;

    /// Takes up what decides the result beside the messages that are meant.
    fn describe(&self, task: &mut Task);

    /// Takes up what its messages become in the mailboxes of an account: for which certificates, and how.
    fn describe_account(&self, account: &Account, task: &mut Task) -> Result<(), Failure>;

    /// The work for an account.
    fn prepare(&self, account: &Account) -> Result<Prepared<'_>, Failure>;
}

/// What is ready for an account.
pub(super) struct Prepared<'a> {
    pub(super) work: Box<dyn Work + 'a>,
    /// What should be known about its certificates.
    pub(super) warnings: Vec<String>,
}

impl Place {
    /// Runs an operation over all of it.
    pub(super) fn run(
        &self,
        site: &Site,
        operation: &dyn Operation,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let owners = self.targets.owners(&site.directory)?;
        let selection = self.selection(site, &owners)?;
        let task = self.task(site, operation, &owners, &selection)?;
        let interrupt = listen()?;
        let number = self.begin(site, &task)?;
        let run = Run {
            store: &site.store,
            journal: &site.directory,
            stop: interrupt.flag(),
            id: RunId(number.id),
            resumed: number.resumed,
            dry_run: self.dry_run,
            largest: site.config.settings.max_message,
        };
        let accounts = Accounts { owners: &owners, mailbox: self.mailbox.as_ref(), selection: &selection };
        let report = Report::new(out, self.begun(operation, &accounts, number), &run);
        let (ended, report) = go(&run, &accounts, site, operation, report);
        if ended == Ended::Whole && report.is_whole() && !self.dry_run {
            site.directory.end_run(number.id)?;
        }
        report.conclude(ended)
    }

    /// Names are looked up in every mailbox that is meant before anything is done.
    fn selection(&self, site: &Site, owners: &[Address]) -> Result<Selection, Failure> {
        let Site { config, directory, store } = site;
        self.selection.to_change(&Among { config, directory, store, owners, mailbox: self.mailbox.as_ref() })
    }

    fn task(
        &self,
        site: &Site,
        operation: &dyn Operation,
        owners: &[Address],
        selection: &Selection,
    ) -> Result<String, Failure> {
        let mut task = Task::of(operation.words().verb);
        operation.describe(&mut task);
        task.take("mailbox", self.mailbox.as_ref().map_or("", MailboxName::as_str));
        task.take("selection", selection);
        for owner in owners {
            task.take("owner", owner);
            match operation.describe_account(&site.directory.account(owner)?, &mut task) {
                Ok(()) => {}
                // Of many it is told when its turn comes.
                Err(failure) if owners.len() > 1 => task.take("failure", failure.text),
                Err(failure) => return Err(failure),
            }
        }
        Ok(task.digest())
    }

    fn begin(&self, site: &Site, task: &str) -> Result<BegunRun, Failure> {
        let fresh = fresh_number()?;
        if self.dry_run {
            return Ok(BegunRun { id: fresh, resumed: false });
        }
        Ok(site.directory.begin_run(task, fresh)?)
    }

    fn begun(&self, operation: &dyn Operation, accounts: &Accounts<'_>, number: BegunRun) -> Begun {
        Begun {
            words: operation.words(),
            dry_run: self.dry_run,
            resumed: number.resumed,
            accounts: accounts.owners.len(),
            missing: words::texts(accounts.selection.missing()),
        }
    }
}

/// Ctrl-C and the like end the run after the messages in hand.
fn listen() -> Result<Interrupt, Failure> {
    let told = || tell_terminal("stopping after the messages in hand; once more ends it at once");
    Interrupt::listen(told)
        .map_err(|error| Failure::new(Code::Unavailable, format!("cannot listen for signals: {error}")))
}

/// Counts if somebody looks, and works. What is known about certificates is told between two events: the works are made on
/// threads of the run, and the report belongs to this one.
fn go<'o>(
    run: &Run<'_>,
    accounts: &Accounts<'_>,
    site: &Site,
    operation: &dyn Operation,
    mut report: Report<'o>,
) -> (Ended, Report<'o>) {
    if report.has_bar() {
        report.expect(expected(run, accounts));
    }
    let warnings = Mutex::new(Vec::new());
    let works = |owner: &Address| {
        let account = site.directory.account(owner).map_err(Failure::from);
        let prepared = account
            .and_then(|account| operation.prepare(&account))
            .map_err(|failure| failure.in_one_line())?;
        if !prepared.warnings.is_empty() {
            let mut known = warnings.lock().unwrap_or_else(PoisonError::into_inner);
            known.push((owner.clone(), prepared.warnings));
        }
        Ok(prepared.work)
    };
    let ended = run.accounts(accounts, &works, &mut |event| {
        let known = std::mem::take(&mut *warnings.lock().unwrap_or_else(PoisonError::into_inner));
        known.into_iter().for_each(|(owner, warnings)| report.warn(owner, warnings));
        report.see(event);
    });
    (ended, report)
}

/// What cannot be listed is told when its turn comes.
fn expected(run: &Run<'_>, accounts: &Accounts<'_>) -> u64 {
    let Accounts { owners, mailbox, selection } = *accounts;
    owners.iter().filter_map(|owner| run.count(&Scope { owner, mailbox, selection }).ok()).sum()
}
