//! What mail for an account would be sealed to now, as the engine says.

use super::failure::{Code, Failure};
use super::output::warn;
use crate::config::Config;
use crate::directory::SqliteDirectory;
use crate::engine::{self, Account, Clock, Directory, DirectoryError, EngineError, Prospect};
use crate::pki::{Unfit, ValidatedCertificate};
use crate::system::SystemClock;

/// The certificates that new mail for the account is sealed to.
pub(super) fn of(
    directory: &SqliteDirectory,
    account: &Account,
    config: &Config,
) -> Result<Prospect, Failure> {
    of_copy(directory, &[account], config)?.ok_or_else(|| by_consent(account))
}

/// The certificates that a copy in a mailbox of the first account is sealed to, which all of them shall read; nothing if it
/// would be clear by consent.
pub(super) fn of_copy(
    directory: &SqliteDirectory,
    accounts: &[&Account],
    config: &Config,
) -> Result<Option<Prospect>, EngineError> {
    let lists = directory.revocation_lists(&engine::issuers(accounts.iter().copied()))?;
    engine::foresee(accounts, &config.settings, &lists, &config.trust_bundle, SystemClock.now())
}

/// The certificates that a copy in a mailbox of `owner` is sealed to, which `acting` shall read too. Why there are none is told
/// with what mends it.
pub(super) fn of_owner(
    directory: &SqliteDirectory,
    owner: &Account,
    acting: Option<&Account>,
    config: &Config,
) -> Result<Prospect, Failure> {
    let acting = acting.filter(|acting| acting.address != owner.address);
    let readers: Vec<&Account> = std::iter::once(owner).chain(acting).collect();
    of_copy(directory, &readers, config).map_err(unfit)?.ok_or_else(|| by_consent(owner))
}

/// There is nothing to seal to, and that is as it should be.
pub(super) fn by_consent(account: &Account) -> Failure {
    let text =
        format!("{} has no certificate, and its mail is stored in the clear by consent", account.address);
    Failure::new(Code::NotFound, text)
}

/// The recovery certificate of an account that has it; nothing for another. One that cannot be used is told of.
pub(super) fn recovery(
    directory: &SqliteDirectory,
    account: &Account,
    config: &Config,
) -> Result<Option<ValidatedCertificate>, Failure> {
    let lists = directory.revocation_lists(&engine::issuers([account]))?;
    let found = engine::foresee_recovery(account, &config.settings, &lists, SystemClock.now()).transpose();
    Ok(found.unwrap_or_else(|reason| {
        warn(&reason);
        None
    }))
}

/// Why mail for an account cannot be sealed, with the command that mends it.
pub(super) fn unfit(error: EngineError) -> Failure {
    let mend = match &error {
        EngineError::NoCertificate { account, disabled: true, .. } => {
            Some(format!("sealpost domain set {} --mode enabled", account.domain()))
        }
        EngineError::NoCertificate { account, .. } => {
            Some(format!("sealpost cert issue --account {account}, or cert add"))
        }
        EngineError::NoUsableCertificate { account, reasons, .. } => {
            Some(mend_of(&account.to_string(), account.domain(), reasons))
        }
        _ => None,
    };
    let failure = Failure::from(error);
    mend.into_iter().fold(failure, Failure::hint)
}

/// What mends the gravest of them.
pub(super) fn mend_of(address: &str, domain: &str, reasons: &[Unfit]) -> String {
    let any = |what: fn(&Unfit) -> bool| reasons.iter().any(what);
    if any(Unfit::is_gone) {
        return format!("sealpost key generate --account {address}, then cert issue --account {address}");
    }
    if any(Unfit::is_hold) {
        return format!("sealpost cert release --account {address}");
    }
    if any(|reason| matches!(reason, Unfit::Untrusted(_))) {
        return format!(
            "sealpost trust add --domain {domain} --file FILE, or cert issue --account {address} --renew"
        );
    }
    if reasons.iter().all(|reason| matches!(reason, Unfit::Uncleared(_))) {
        return "get the issuer's newest revocation list: sealpost crl add --file FILE".to_owned();
    }
    format!("sealpost cert issue --account {address} --renew, or cert add")
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Failure {
        crate::directory::AdminError::from(error).into()
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        Failure::new(Code::No, super::failure::with_sources(&error))
    }
}
