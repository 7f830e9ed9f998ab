//! The accounts behind the names in messages.

use super::operation::Site;
use crate::cli::outlook;
use crate::cms::RecipientId;
use crate::directory::CertificateHolder;
use crate::engine::CertificateState;
use crate::mail::Address;
use crate::mailbox::{NamedReader, Readers};
use crate::pki::ValidatedCertificate;

/// Those of the directory.
pub(super) struct KnownReaders<'s> {
    pub(super) site: &'s Site,
}

impl Readers for KnownReaders<'_> {
    fn find(&self, named: &[RecipientId]) -> Result<Vec<NamedReader>, String> {
        let named: Vec<&RecipientId> = named.iter().collect();
        let holders = self.site.directory.certificate_holders(&named).map_err(|error| error.to_string())?;
        Ok(holders.iter().map(|holders| self.reader(holders)).collect())
    }
}

impl KnownReaders<'_> {
    fn reader(&self, holders: &[CertificateHolder]) -> NamedReader {
        let mut addresses: Vec<Address> = Vec::new();
        for holder in holders.iter().filter(|holder| holder.state != CertificateState::Pending) {
            if !addresses.contains(&holder.account) {
                addresses.push(holder.account.clone());
            }
        }
        if addresses.is_empty() {
            return NamedReader::Stranger;
        }
        let certificates: Result<Vec<_>, String> = addresses.iter().map(|account| self.of(account)).collect();
        match certificates {
            Ok(certificates) => NamedReader::Accounts { addresses, certificates: certificates.concat() },
            Err(reason) => NamedReader::Unfit(reason),
        }
    }

    /// What mail for the account is sealed to now.
    fn of(&self, address: &Address) -> Result<Vec<ValidatedCertificate>, String> {
        let Site { directory, config, .. } = self.site;
        let account = directory.account(address).map_err(|error| error.to_string())?;
        let found = outlook::of_copy(directory, &[&account], config).map_err(outlook::unfit(directory));
        let found = found.and_then(|found| found.ok_or_else(|| outlook::by_consent(&account)));
        found.map(|prospect| prospect.recipients).map_err(|failure| failure.in_one_line())
    }
}
