//! What mail for an account would be sealed to now, as the engine says.

use super::failure::{Code, Failure};
use super::output::warn;
use crate::config::Config;
use crate::directory::SqliteDirectory;
use crate::engine::{self, Account, Clock, Directory, DirectoryError, EngineError, Prospect};
use crate::pki::ValidatedCertificate;
use crate::system::SystemClock;

/// The certificates that new mail for the account is sealed to.
pub(super) fn of(
    directory: &SqliteDirectory,
    account: &Account,
    config: &Config,
) -> Result<Prospect, Failure> {
    let lists = directory.revocation_lists(&engine::issuers([account]))?;
    engine::foresee(&[account], &config.settings, &lists, &config.trust_bundle, SystemClock.now())?
        .ok_or_else(|| {
            let text = format!(
                "{} has no certificate, and its mail is stored in the clear by consent",
                account.address
            );
            Failure::new(Code::NotFound, text)
        })
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
