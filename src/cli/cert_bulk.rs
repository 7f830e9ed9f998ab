//! `sealpost cert issue --bulk`

use super::cert_issue::require_request;
use super::context::Context;
use super::failure::{Code, Failure, without_error_numbers};
use super::issuer::{Issuer, Order, Wish};
use super::output::Output;
use super::password::PasswordSource;
use super::report::{Outcome, Report};
use super::words::counted;
use super::{filter, initial_password, input, key, progress};
use crate::crypto::{Entropy, SecretBytes};
use crate::directory::{AdminError, Follows, NewAccount, NewVaultKey, SqliteDirectory};
use crate::engine::{Account, CertificateState, HeldCertificate};
use crate::mail::Address;
use crate::pki::{
    BadLine, BulkLine, Fingerprint, KeyType, PublicKey, Reads, Request, UnlockedKey, read_bulk,
};
use crate::system::SystemEntropy;
use crate::vault;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Lines that are worked on at once: enough for every core, few enough that little is lost when the run is killed.
const BATCH: usize = 32;

/// Options of a list.
#[derive(clap::Args)]
pub(super) struct Bulk {
    /// Issue to each account of this list (CSV; `-`: standard input). Files that it names lie beside it
    #[arg(long, value_name = "FILE", requires = "domain")]
    bulk: Option<PathBuf>,
    /// The domain of the list's accounts
    #[arg(long, value_name = "NAME", requires = "bulk", conflicts_with = "account")]
    domain: Option<String>,
    /// Add a line for each account to this CSV file: address, outcome, fingerprint or reason. A second run with the same
    /// file passes over what is done, and tries again what failed
    #[arg(long, value_name = "FILE", requires = "bulk", conflicts_with = "account")]
    report: Option<PathBuf>,
    /// Write passwords that are made into this folder, a file for each account
    #[arg(long, value_name = "DIR", requires = "bulk", conflicts_with = "account")]
    passwords: Option<PathBuf>,
    /// Add accounts of the list that are not there yet
    #[arg(long, requires = "bulk", conflicts_with = "account")]
    add_accounts: bool,
}

/// A line with the files that it names: read before the command becomes the owner of the store.
struct Line {
    asked: BulkLine,
    request: Option<Request>,
    password: Option<SecretBytes>,
}

/// What is to be certified for a line.
enum Work {
    /// A key that is there: of the vault, or of a request.
    Known(PublicKey),
    /// A key that is made, under this password.
    Make(KeyType, SecretBytes),
    /// Nothing.
    Nothing(String),
}

/// A line on its way.
struct Task<'l> {
    line: &'l Line,
    account: Account,
    work: Work,
}

/// A line whose key is there.
struct Ready<'l> {
    line: &'l Line,
    account: Account,
    key: ReadyKey,
}

/// What is ready to be certified.
enum ReadyKey {
    Known(PublicKey),
    Made { key: PublicKey, fingerprint: Fingerprint, public_key: Vec<u8>, record: Vec<u8> },
    Nothing(String),
}

/// A line that failed. The address is empty where it could not be read.
#[derive(Clone)]
struct Fault {
    line: u64,
    address: String,
    text: String,
}

impl Fault {
    fn of(asked: &BulkLine, failure: Failure) -> Fault {
        Fault {
            line: asked.line,
            address: asked.address.to_string(),
            text: without_error_numbers(&failure.text),
        }
    }
}

/// One run over a list.
struct Run<'d, 'b> {
    options: &'b Bulk,
    directory: &'d SqliteDirectory,
    issuer: Issuer<'d>,
    days: Option<u32>,
    reads: Reads,
}

/// What came of it.
#[derive(Default)]
struct Tally {
    issued: usize,
    skipped: usize,
    failed: usize,
    rows: Vec<Value>,
}

impl Bulk {
    pub(super) fn run(
        &self,
        days: Option<u32>,
        reads: Reads,
        context: &Context,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let list = self.bulk.as_deref().unwrap_or(Path::new("-"));
        let lines = read_list(list)?;
        let mut report = Report::open(self.report.as_deref())?;
        let config = context.config()?;
        let directory = context.directory()?;
        if let Some(folder) = &self.passwords {
            initial_password::folder(folder)?;
        }
        let domain = self.domain.as_deref().unwrap_or_default();
        let issuer = Issuer::open(&directory, config, domain)?;
        let run = Run { options: self, directory: &directory, issuer, days, reads };
        let before = lines.len();
        let is_left = |line: &Result<Line, Fault>| match line {
            Ok(line) => !report.is_done(&line.asked.address.to_string()),
            Err(_) => true,
        };
        let left: Vec<_> = lines.into_iter().filter(is_left).collect();
        let done_before = before - left.len();
        let tally = run.work(&left, &mut report, out)?;
        conclude(tally, done_before, out)
    }
}

/// Two names of one account are one person, who needs one key.
fn once<'l>(task: Task<'l>, met: &mut HashSet<Address>) -> Result<Task<'l>, Fault> {
    if met.insert(task.account.address.clone()) {
        return Ok(task);
    }
    let text = format!("it is a name of {}, which is on the list already", task.account.address);
    Err(Fault::of(&task.line.asked, Failure::new(Code::No, text)))
}

/// The lines, each with its files or what is wrong with it.
fn read_list(path: &Path) -> Result<Vec<Result<Line, Fault>>, Failure> {
    let bytes = input::file(path)?;
    let lines = read_bulk(bytes.expose())
        .map_err(|fault| Failure::new(Code::Data, format!("{}: {fault}", input::name(path))))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |line: Result<BulkLine, BadLine>| match line {
        Ok(asked) => read_files(&asked, folder).map_err(|failure| Fault::of(&asked, failure)),
        Err(BadLine { line, fault }) => Err(Fault { line, address: String::new(), text: fault.to_string() }),
    };
    Ok(lines.into_iter().map(read).collect())
}

fn read_files(asked: &BulkLine, folder: &Path) -> Result<Line, Failure> {
    let request = asked.request.as_ref().map(|name| filter::one(&folder.join(name), Request::read));
    let password = asked.password_file.as_ref().map(|name| PasswordSource::first_line_of(&folder.join(name)));
    Ok(Line { asked: asked.clone(), request: request.transpose()?, password: password.transpose()? })
}

impl Run<'_, '_> {
    /// In the order of the list: keys are made side by side, certificates are recorded one after the other.
    fn work(
        &self,
        lines: &[Result<Line, Fault>],
        report: &mut Report,
        out: &Output,
    ) -> Result<Tally, Failure> {
        let bar = progress::bar(out, lines.len());
        let mut tally = Tally::default();
        let mut met = HashSet::new();
        for batch in lines.chunks(BATCH) {
            let plan = |line| self.plan(line).and_then(|task| once(task, &mut met));
            let tasks: Vec<Result<Task<'_>, Fault>> = batch.iter().map(plan).collect();
            let ready: Vec<Result<Ready<'_>, Fault>> = tasks.into_par_iter().map(prepare).collect();
            for ready in ready {
                let ended = ready.and_then(|ready| self.finish(&ready));
                bar.suspend(|| tally.take(ended, report, out))?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(tally)
    }

    fn plan<'l>(&self, line: &'l Result<Line, Fault>) -> Result<Task<'l>, Fault> {
        let line = line.as_ref().map_err(Clone::clone)?;
        let account = self.account(line);
        let planned = account.and_then(|account| Ok((self.choose(line, &account)?, account)));
        let (work, account) = planned.map_err(|failure| Fault::of(&line.asked, failure))?;
        Ok(Task { line, account, work })
    }

    fn account(&self, line: &Line) -> Result<Account, Failure> {
        let address = &line.asked.address;
        let account = match self.directory.account(address) {
            Err(AdminError::NoAccount(_)) if self.options.add_accounts => {
                self.require_domain(address.domain())?;
                let new = NewAccount { address: address.clone(), aliases: Vec::new() };
                self.directory.account(&self.directory.add_account(&new)?)?
            }
            found => found?,
        };
        self.require_domain(&account.domain.name)?;
        Ok(account)
    }

    fn require_domain(&self, name: &str) -> Result<(), Failure> {
        let domain = &self.issuer.domain;
        if domain.name == name || domain.aliases.iter().any(|alias| alias == name) {
            return Ok(());
        }
        Err(Failure::new(Code::No, format!("it is no account of {}", domain.name)))
    }

    fn choose(&self, line: &Line, account: &Account) -> Result<Work, Failure> {
        if let Some(request) = &line.request {
            let key = require_request(request, account)?;
            return Ok(match account.newest_of(key.fingerprint()?) {
                Some(held) => Work::Nothing(certified(held)),
                None => Work::Known(key),
            });
        }
        let newest = self.directory.vault_keys(&account.address)?.pop();
        if let Some(newest) = newest.filter(|newest| account.newest_of(newest.fingerprint).is_none()) {
            return Ok(Work::Known(key::public_key(&newest)?));
        }
        let in_use =
            |held: &&HeldCertificate| held.state == CertificateState::Active && held.revoked.is_none();
        if let Some(held) = account.certificates.iter().rfind(in_use) {
            return Ok(Work::Nothing(certified(held)));
        }
        let kind = line.asked.kind.unwrap_or(KeyType::Rsa3072);
        Ok(Work::Make(kind, self.password(line, account)?))
    }

    fn password(&self, line: &Line, account: &Account) -> Result<SecretBytes, Failure> {
        if let Some(given) = &line.password {
            return Ok(SecretBytes::new(given.expose().to_vec()));
        }
        match &self.options.passwords {
            Some(folder) => initial_password::of(folder, &account.address),
            None => {
                let text = "a key would be made, and no password is given for it: name its file in the column \
                            password-file, or a folder for passwords that are made (--passwords)";
                Err(Failure::new(Code::No, text))
            }
        }
    }

    fn finish(&self, ready: &Ready<'_>) -> Result<Ended, Fault> {
        let Ready { line, account, key } = ready;
        let (key, made) = match key {
            ReadyKey::Nothing(why) => return Ok(Ended::of(line, Outcome::Skipped, why.clone())),
            ReadyKey::Known(key) => (key, None),
            ReadyKey::Made { key, fingerprint, public_key, record } => {
                (key, Some(NewVaultKey { fingerprint: *fingerprint, public_key, record }))
            }
        };
        let wish = Wish { name: line.asked.name.as_deref(), days: self.days, reads: self.reads };
        let order = Order { account, key, follows: Follows::Nothing, made };
        let issued = self.issuer.issue(&order, &wish).map_err(|failure| Fault::of(&line.asked, failure))?;
        Ok(Ended::of(line, Outcome::Issued, issued.certificate.fingerprint().to_string()))
    }
}

/// Why there is nothing to do.
fn certified(held: &HeldCertificate) -> String {
    format!("it has the certificate {} already", held.certificate.fingerprint())
}

/// The slow part: a key, and the many rounds that its password costs.
fn prepare(task: Result<Task<'_>, Fault>) -> Result<Ready<'_>, Fault> {
    let Task { line, account, work } = task?;
    let key = match work {
        Work::Known(key) => ReadyKey::Known(key),
        Work::Nothing(why) => ReadyKey::Nothing(why),
        Work::Make(kind, password) => {
            make(kind, &password).map_err(|failure| Fault::of(&line.asked, failure))?
        }
    };
    Ok(Ready { line, account, key })
}

fn make(kind: KeyType, password: &SecretBytes) -> Result<ReadyKey, Failure> {
    let made = UnlockedKey::generate(kind, SystemEntropy.seed()?)?;
    let record = vault::protect(&made, password.expose(), SystemEntropy.seed()?)?;
    let key = made.public();
    Ok(ReadyKey::Made { fingerprint: made.fingerprint()?, public_key: key.to_spki()?, record, key })
}

/// What became of a line that could be worked on.
struct Ended {
    line: u64,
    address: String,
    outcome: Outcome,
    detail: String,
}

impl Ended {
    fn of(line: &Line, outcome: Outcome, detail: String) -> Ended {
        Ended { line: line.asked.line, address: line.asked.address.to_string(), outcome, detail }
    }
}

impl Tally {
    /// Counts, reports, and names what is wrong at once.
    fn take(
        &mut self,
        ended: Result<Ended, Fault>,
        report: &mut Report,
        out: &Output,
    ) -> Result<(), Failure> {
        let ended = ended.unwrap_or_else(|Fault { line, address, text }| Ended {
            line,
            address,
            outcome: Outcome::Failed,
            detail: text,
        });
        match ended.outcome {
            Outcome::Issued => self.issued += 1,
            Outcome::Skipped => self.skipped += 1,
            Outcome::Failed => {
                self.failed += 1;
                let of =
                    if ended.address.is_empty() { String::new() } else { format!("{}: ", ended.address) };
                out.note(&format!("line {}: {of}{}", ended.line, ended.detail));
            }
        }
        self.rows.push(json!({
            "line": ended.line, "address": ended.address, "outcome": ended.outcome.word(), "detail": ended.detail,
        }));
        report.add(&ended.address, ended.outcome, &ended.detail)
    }
}

fn conclude(tally: Tally, done_before: usize, out: &mut Output) -> Result<(), Failure> {
    let Tally { issued, skipped, failed, rows } = tally;
    let mut parts = vec![format!("{} issued", counted(issued, "certificate"))];
    if skipped > 0 {
        parts.push(format!("{} had one already", counted(skipped, "account")));
    }
    if done_before > 0 {
        parts.push(format!("{} of an earlier run passed over", counted(done_before, "line")));
    }
    if failed > 0 {
        parts.push(format!("{} failed", counted(failed, "line")));
    }
    out.line(parts.join(", "))?;
    out.json(json!({
        "issued": issued, "skipped": skipped, "failed": failed, "done_before": done_before, "lines": rows,
    }))?;
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::new(Code::No, format!("{} failed", counted(failed, "line")))
        .hint("mend the list and run the same command again: what is done is passed over"))
}
