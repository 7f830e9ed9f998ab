//! What mail for an account would be sealed to, asked without a message.

use super::certificates::{Certificates, Fit, Reader};
use super::{Account, BuiltIn, BuiltInError, Domain, EngineError, SealedToReport, Settings};
use crate::pki::revocation::check::issuers_of_lists;
use crate::pki::{Certificate, Crl, ValidatedCertificate};
use crate::smime;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::OffsetDateTime;

/// What a copy for some accounts would be sealed to.
pub struct Prospect {
    /// Every certificate.
    pub recipients: Vec<ValidatedCertificate>,
    /// How: the owner's profile.
    pub form: smime::Form,
    /// Whose they are.
    pub sealed_to: Vec<SealedToReport>,
    /// What would be let pass or left out.
    pub warnings: Vec<String>,
    readers: Vec<Reader>,
}

impl Prospect {
    /// What the sealed message says of who can open it beside the accounts, or in their place.
    pub fn marked(&self) -> Vec<smime::Marked<'_>> {
        self.readers.iter().filter_map(Reader::marked).collect()
    }

    /// The active certificates of each who shall read it: a delivery keeps what names one of each.
    pub fn active(&self) -> Vec<&[Certificate]> {
        self.readers.iter().map(|reader| reader.active.as_slice()).collect()
    }
}

/// What a delivery at that time would do for an account whose INBOX copy is sealed, or for a copy in a mailbox of the first
/// of several; nothing if it would be clear, by the consent for accounts without a certificate.
pub fn foresee(
    accounts: &[&Account],
    settings: &Settings,
    lists: &[Crl],
    built_in: &dyn BuiltIn,
    at: OffsetDateTime,
) -> Result<Option<Prospect>, EngineError> {
    let Some(owner) = accounts.first() else { return Ok(None) };
    let form = settings.form(owner, None, None);
    let Fit::Seal(readers) =
        (Certificates { settings, at, lists, built_in, judged: None }).fit(accounts, form)?
    else {
        return Ok(None);
    };
    let recipients: Vec<_> = readers.iter().flat_map(|reader| reader.usable.iter().cloned()).collect();
    let mailbox = format!("~{}/INBOX", owner.address);
    smime::check_recipients(&recipients, form).map_err(|source| EngineError::Seal { mailbox, source })?;
    let sealed_to = readers.iter().flat_map(Reader::reports).collect();
    let warnings = readers.iter().flat_map(|reader| reader.warnings.iter().cloned()).collect();
    Ok(Some(Prospect { recipients, form, sealed_to, warnings, readers }))
}

/// The recovery certificate of an account that has it, or why it cannot be used.
pub fn foresee_recovery(
    account: &Account,
    settings: &Settings,
    lists: &[Crl],
    at: OffsetDateTime,
) -> Option<Result<ValidatedCertificate, String>> {
    let reader =
        (Certificates { settings, at, lists, built_in: &NobodyElse, judged: None }).recovery(account)?;
    reader.map(|reader| reader.usable.into_iter().next()).transpose()
}

/// Can the key of a domain take the place of its accounts' keys? If not, why.
pub fn foresee_domain_key(
    domain: &Domain,
    settings: &Settings,
    lists: &[Crl],
    at: OffsetDateTime,
) -> Result<(), String> {
    (Certificates { settings, at, lists, built_in: &NobodyElse, judged: None }).domain_key(domain).map(|_| ())
}

/// Who asks for what nobody has to vouch for.
struct NobodyElse;

impl BuiltIn for NobodyElse {
    fn certificates(&self) -> Result<Arc<[Certificate]>, BuiltInError> {
        Ok(Arc::default())
    }
}

/// The issuers whose revocation lists matter for these accounts, each once: DER of their Names. Those of what may stand in a
/// chain are among them.
pub fn issuers<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Vec<Vec<u8>> {
    let all: BTreeSet<Vec<u8>> =
        accounts.into_iter().flat_map(certificates).flat_map(issuers_of_lists).collect();
    all.into_iter().collect()
}

/// All that mail for the account may come to be sealed to, and all above that up to an anchor. Of roots no list is asked.
fn certificates(account: &Account) -> impl Iterator<Item = &Certificate> {
    let own = account.certificates.iter().map(|held| &held.certificate);
    let Domain { authorities, trust, recovery, .. } = &account.domain;
    let above = [&trust.chain, authorities, &trust.retired, &trust.domain, &trust.server];
    let above = above.into_iter().flatten().filter(|one| !one.is_self_issued());
    own.chain(account.domain.sealing_candidates()).chain(recovery).chain(above)
}
