//! `sealpost cert issue`

use super::cert_account::report;
use super::cert_bulk::Bulk;
use super::context::Context;
use super::failure::{Code, Failure};
use super::issuer::{Issued, Issuer, Order, Wish};
use super::new_file::NewFile;
use super::output::Output;
use super::words;
use super::{filter, key, keyring};
use crate::config::MOST_ISSUE_DAYS;
use crate::directory::{Follows, SqliteDirectory};
use crate::engine::{Account, Choice};
use crate::mail::Address;
use crate::pki::{Certificate, PublicKey, Reads, Request};
use std::path::PathBuf;

/// Issue certificates of a domain: for an account's newest key, for a request, or for a whole list of accounts
///
/// The subject, the addresses and the usages come from the account and the configuration, never from a request. Everything
/// that is issued is recorded before anybody is given it.
///
/// A list (--bulk) is CSV. Its first line names the columns: address; and, if wanted, type (of the key that is made), name
/// (the person's), request (a file with the person's own request; no key is made then) and password-file (a file whose
/// first line is the Secure Mail password of the key that is made). An account whose newest key has no certificate gets
/// one for that key. Where a key is made and no password is given, one is made too and written to its own file, mode 0600,
/// in the folder --passwords: hand each to its owner, who changes it, and delete the folder.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert issue --account anna@north.example --name 'Anna Berg'
  sealpost cert issue --account anna@north.example --request anna.csr --output anna.pem
  sealpost cert issue --bulk people.csv --domain north.example --passwords letters --report people.report.csv")]
#[command(group(clap::ArgGroup::new("whom").required(true).args(["account", "bulk"])))]
pub(super) struct IssueVerb {
    /// For whom
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    /// The person's name; the address if it is not given
    #[arg(long, value_name = "NAME", conflicts_with = "bulk")]
    name: Option<String>,
    /// Take the key of this certificate request (PKCS#10, PEM or DER; `-`: standard input), not one of the vault
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bulk", "renew"])]
    request: Option<PathBuf>,
    /// Write the certificate (PEM) to this new file
    #[arg(long, value_name = "FILE", conflicts_with = "bulk")]
    output: Option<PathBuf>,
    /// Take the newest key even if it has a certificate already; that one is retired
    #[arg(long, conflicts_with = "bulk")]
    renew: bool,
    /// How long it is valid, if not as the configuration says (issue-days); never longer than the authority
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=MOST_ISSUE_DAYS as i64))]
    days: Option<u32>,
    /// Say in the certificate what the holder's mail programs read: the profile auto goes by it
    #[arg(long, value_name = "CIPHER", default_value = Choice::name(Reads::default()), value_parser = words::choice::<Reads>())]
    reads: Reads,
    #[command(flatten)]
    bulk: Bulk,
}

impl IssueVerb {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match &self.account {
            Some(account) => self.issue_one(account, context, out),
            None => self.bulk.run(self.days, self.reads, context, out),
        }
    }

    fn issue_one(&self, account: &Address, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let request = self.request.as_ref().map(|path| filter::one(path, Request::read)).transpose()?;
        let file = self.output.as_deref().map(NewFile::create).transpose()?;
        let config = context.config()?;
        let directory = context.directory()?;
        let account = directory.account(account)?;
        let (key, follows) = match &request {
            Some(request) => (require_request(request, &account)?, Follows::Nothing),
            None => self.choose_key(&directory, &account)?,
        };
        let issuer = Issuer::open(&directory, config, &account.domain.name)?;
        let wish = Wish { name: self.name.as_deref(), days: self.days, reads: self.reads };
        let issued = issuer.issue(&Order { account: &account, key: &key, follows, made: None }, &wish)?;
        self.hand_over(out, &account, &issued, file)
    }

    /// The certificate for who asked: into the file, or for a request to standard output, where then nothing else is.
    fn hand_over(
        &self,
        out: &mut Output,
        account: &Account,
        issued: &Issued,
        file: Option<NewFile>,
    ) -> Result<(), Failure> {
        let pem = issued.certificate.to_pem()?;
        match file {
            Some(file) => file.write(pem.as_bytes()).map_err(|failure| still_there(failure, account))?,
            None if self.request.is_some() => {
                out.line(pem.trim_end())?;
                out.note(&format!("mail for {} is sealed to it from now on", account.address));
                out.warnings(&issued.warnings);
                return out.json(super::cert_account::value(account, issued)?);
            }
            None => {}
        }
        report(out, account, issued)
    }

    /// The newest key without a certificate; to renew, the newest one.
    fn choose_key(
        &self,
        directory: &SqliteDirectory,
        account: &Account,
    ) -> Result<(PublicKey, Follows), Failure> {
        let mut keys = keyring::vault_keys(directory, &account.address)?;
        keys.retain(|key| self.renew || account.newest_of(key.fingerprint).is_none());
        let Some(newest) = keys.pop() else {
            let text = format!("every key of {} has a certificate", account.address);
            return Err(Failure::new(Code::No, text).hint(format!(
                "a new one for the same key: sealpost cert renew --account {}",
                account.address
            )));
        };
        let before = account.newest_of(newest.fingerprint);
        let follows =
            before.map_or(Follows::Nothing, |held| Follows::Predecessor(held.certificate.fingerprint()));
        Ok((key::public_key(&newest)?, follows))
    }
}

/// The key of a request that asks for no address of anybody else.
pub(super) fn require_request(request: &Request, account: &Account) -> Result<PublicKey, Failure> {
    let own: Vec<String> =
        std::iter::once(&account.address).chain(&account.aliases).map(ToString::to_string).collect();
    let is_own = |asked: &String| own.iter().any(|own| own.eq_ignore_ascii_case(asked));
    match request.addresses()?.iter().find(|asked| !is_own(asked)) {
        None => Ok(request.public_key().clone()),
        Some(other) => {
            let other: String = other.chars().filter(|letter| !letter.is_control()).take(320).collect();
            let text = format!(
                "the request asks for {other}, which is no address of the account {}",
                account.address
            );
            Err(Failure::new(Code::No, text)
                .hint(format!("is it one? sealpost account set {} --alias {other}", account.address)))
        }
    }
}

/// The file failed, the certificate did not.
fn still_there(failure: Failure, account: &Account) -> Failure {
    failure.hint(format!(
        "the certificate is issued and recorded: sealpost cert show --account {} --json",
        account.address
    ))
}

/// What a certificate says that is to follow it: name and ciphers.
pub(super) fn same_again(old: &Certificate) -> (Option<String>, Reads) {
    (old.common_name(), old.reads())
}
