//! The keys that open stored messages: asked for once, whatever the number of messages and accounts.

use super::targets::Targets;
use crate::cli::context::Context;
use crate::cli::failure::{Code, Failure};
use crate::cli::filter;
use crate::cli::keyring::{Keyring, opening_keys};
use crate::cli::password::{GivenPassword, PasswordSource};
use crate::directory::SqliteDirectory;
use crate::engine::Account;
use crate::mail::Address;
use crate::pki::{self, Certificate, KeyFile, UnlockedKey};
use crate::smime::OpeningKey;
use std::path::PathBuf;
use std::sync::Arc;

/// Where they come from. Without any of these options the account's vault is opened with a password that a person types.
#[derive(clap::Args)]
pub(super) struct KeyOptions {
    /// An old key: PEM, DER, or a PKCS#12 file, which brings its certificate; repeat it for several. --password-file is
    /// its password then
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// A certificate of such a key that the directory does not know: it says how messages name it; repeat it for several
    #[arg(long, value_name = "FILE", requires = "key")]
    old_cert: Vec<PathBuf>,
    /// Take the keys of the account's domain, today's and those before: they open what was sealed to them in the place
    /// of an account's (domain-key)
    #[arg(long)]
    domain_key: bool,
    #[command(flatten)]
    password: PasswordSource,
}

impl KeyOptions {
    /// Is any of them given?
    pub(super) fn are_given(&self) -> bool {
        !self.key.is_empty() || self.domain_key || self.password.is_given()
    }

    /// Reads files and a password that was named. That comes before the command becomes the owner of the store: they may
    /// be readable by the caller only.
    pub(super) fn read(&self, targets: &Targets) -> Result<GivenKeys, Failure> {
        let password = self.password.given()?;
        let asks_vault = self.key.is_empty() && (!self.domain_key || password.known().is_some());
        if asks_vault && targets.account().is_none() {
            return Err(one_password());
        }
        let mut files = Keyring { keys: Vec::new(), certificates: filter::certificates(&self.old_cert)? };
        for path in &self.key {
            let option = "--password-file FILE or --password-fd N";
            let KeyFile { keys, certificates } =
                filter::unlock(path, pki::read_key_file, password.known(), option)?;
            files.keys.extend(keys);
            files.certificates.extend(certificates);
        }
        Ok(GivenKeys { files, vault: asks_vault.then_some(password), domain_key: self.domain_key })
    }
}

/// One password opens one account's vault. Tried at others it would be counted as wrong there, and lock them.
fn one_password() -> Failure {
    let text =
        "one Secure Mail password opens the vault of one account, and tried at the others it would lock them";
    Failure::new(Code::Usage, text)
        .hint("name one account: --account ADDRESS; or take a key that opens the mail of many: --key FILE, --domain-key")
}

/// What was read before anything of the store.
pub(super) struct GivenKeys {
    files: Keyring,
    vault: Option<GivenPassword>,
    domain_key: bool,
}

impl GivenKeys {
    /// Opens the account's vault if it is needed, and finds the domain's key if one domain is meant: what fails here fails
    /// before a message is touched.
    pub(super) fn unlock(
        self,
        context: &Context,
        directory: &SqliteDirectory,
        targets: &Targets,
    ) -> Result<Keys, Failure> {
        let GivenKeys { mut files, vault, domain_key } = self;
        if let (Some(password), Some(account)) = (vault, targets.account()) {
            let account = directory.account(account)?.address;
            files.keys.extend(vault_keys(context, &account, password)?);
        }
        let domain = targets.account().map(Address::domain).or(targets.domain());
        if let (true, Some(domain)) = (domain_key, domain) {
            Keyring::of_domain(directory, domain, Vec::new())?;
        }
        Ok(Keys { files, domain_key })
    }
}

/// All keys of the account that the password opens. Their certificates are looked up with those of every other account.
fn vault_keys(
    context: &Context,
    account: &Address,
    password: GivenPassword,
) -> Result<Vec<UnlockedKey>, Failure> {
    let password = password.or_ask(&format!("Secure Mail password of {account}: "))?;
    Ok(Keyring::unlock(context, account, &password)?.keys)
}

/// Keys in the clear for one run.
pub(super) struct Keys {
    files: Keyring,
    domain_key: bool,
}

impl Keys {
    /// The keys for the mail of an account, with the names by which messages may know them: those of the certificates that
    /// came with the keys, and of all that the account ever had.
    pub(super) fn of(
        self: &Arc<Keys>,
        directory: &SqliteDirectory,
        account: &Account,
    ) -> Result<AccountKeys, Failure> {
        let mut certificates = self.files.certificates.clone();
        certificates.extend(account.certificates.iter().map(|held| held.certificate.clone()));
        let domain = &account.domain.name;
        let domain =
            self.domain_key.then(|| Keyring::of_domain(directory, domain, Vec::new())).transpose()?;
        let keys = AccountKeys { keys: Arc::clone(self), certificates, domain };
        // What cannot be paired is told now, and not for each message.
        keys.opening_keys()?;
        Ok(keys)
    }
}

/// What opens the mail of one account.
pub(super) struct AccountKeys {
    keys: Arc<Keys>,
    certificates: Vec<Certificate>,
    domain: Option<Keyring>,
}

impl AccountKeys {
    /// Each key with each of its certificates.
    pub(super) fn opening_keys(&self) -> Result<Vec<OpeningKey<'_>>, Failure> {
        let mut found = opening_keys(&self.keys.files.keys, &self.certificates)?;
        if let Some(domain) = &self.domain {
            found.extend(domain.opening_keys()?);
        }
        Ok(found)
    }
}
