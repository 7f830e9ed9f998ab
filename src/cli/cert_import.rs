//! Many certificates from elsewhere, given to the accounts that they name.

use super::elsewhere::{self, Incoming, describe};
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words::{self, counted};
use crate::config::Config;
use crate::directory::{AdminError, Offered, SqliteDirectory};
use crate::engine::{Account, CertificateSource};
use crate::mail::{Address, printable};
use crate::pki::Certificate;
use serde_json::json;

/// Gives certificates to accounts.
pub(super) struct Import<'a> {
    pub(super) config: &'a Config,
    pub(super) directory: &'a SqliteDirectory,
    pub(super) source: CertificateSource,
    /// Only to accounts of this one.
    pub(super) domain: Option<&'a str>,
}

/// What became of one certificate for one account, or of what should hold one.
pub(super) struct Row {
    /// The file, or the entry of a server.
    place: String,
    account: String,
    certificate: String,
    outcome: String,
    failed: bool,
}

impl Row {
    /// Nothing could be read there.
    pub(super) fn broken(place: &str, why: &str) -> Row {
        Row {
            place: printable(place),
            account: String::new(),
            certificate: String::new(),
            outcome: format!("broken: {}", printable(why)),
            failed: true,
        }
    }

    fn of(place: &str, account: &str, certificate: &Certificate, outcome: String, failed: bool) -> Row {
        let certificate = certificate.fingerprint().to_string();
        Row { place: printable(place), account: account.to_owned(), certificate, outcome, failed }
    }
}

impl Import<'_> {
    /// To every account with an address that the certificate names.
    pub(super) fn to_named(&self, place: &str, certificate: &Certificate) -> Result<Vec<Row>, AdminError> {
        let accounts = self.named(certificate)?;
        if accounts.is_empty() {
            return Ok(vec![Row::of(place, "", certificate, nobody(certificate), false)]);
        }
        accounts.iter().map(|account| self.to(account, place, certificate)).collect()
    }

    /// To one account, which it must name.
    pub(super) fn to(
        &self,
        account: &Account,
        place: &str,
        certificate: &Certificate,
    ) -> Result<Row, AdminError> {
        let address = account.address.to_string();
        let unfit = elsewhere::unfit(account, certificate, self.config);
        if !unfit.is_empty() {
            let outcome = format!("unfit: {}", words::texts(&unfit).join("; "));
            // A server keeps what has ended and what is for signing; a folder is filled on purpose.
            let failed = self.source == CertificateSource::Folder;
            return Ok(Row::of(place, &address, certificate, outcome, failed));
        }
        let origin = format!("{}: {}", crate::engine::Choice::name(self.source), printable(place));
        let taken =
            Incoming::new(account, certificate, self.source, origin).take(self.directory, self.config)?;
        let failed = matches!(taken, Offered::Full | Offered::Revoked);
        Ok(Row::of(place, &address, certificate, describe(&taken).to_owned(), failed))
    }

    fn named(&self, certificate: &Certificate) -> Result<Vec<Account>, AdminError> {
        let mut accounts: Vec<Account> = Vec::new();
        for address in certificate.addresses().iter().filter_map(|text| Address::parse(text).ok()) {
            let account = match self.directory.account(&address) {
                Err(AdminError::NoAccount(_) | AdminError::NoDomain(_)) => continue,
                account => account?,
            };
            let here = self.domain.is_none_or(|domain| domain == account.domain.name);
            if here && !accounts.iter().any(|known| known.address == account.address) {
                accounts.push(account);
            }
        }
        Ok(accounts)
    }
}

fn nobody(certificate: &Certificate) -> String {
    match certificate.addresses().as_slice() {
        [] => "nobody here: it names no mail address".to_owned(),
        [one] => format!("nobody here: it names {}", printable(one)),
        [one, more @ ..] => format!("nobody here: it names {} and {} more", printable(one), more.len()),
    }
}

/// Tells all; an error if any failed.
pub(super) fn report(out: &mut Output, rows: &[Row], empty: &str) -> Result<(), Failure> {
    let mut table = Table::new(&["from", "account", "certificate", "outcome"], empty.to_owned());
    for row in rows {
        table.row([
            row.place.clone(),
            row.account.clone(),
            words::short(&row.certificate),
            row.outcome.clone(),
        ]);
    }
    out.table(&table)?;
    let each = rows.iter().map(|row| {
        json!({
            "from": row.place,
            "account": Some(&row.account).filter(|text| !text.is_empty()),
            "certificate": Some(&row.certificate).filter(|text| !text.is_empty()),
            "outcome": row.outcome,
            "failed": row.failed,
        })
    });
    out.json(json!({"certificates": each.collect::<Vec<_>>()}))?;
    match rows.iter().filter(|row| row.failed).count() {
        0 => Ok(()),
        failed => Err(Failure::new(
            Code::No,
            format!("{} of {} failed", failed, counted(rows.len(), "certificate")),
        )),
    }
}
