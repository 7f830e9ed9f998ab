//! Private keys in the clear for one command, with the certificates that say how messages name them.

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::Output;
use super::password::PasswordSource;
use super::{filter, words};
use crate::crypto::SecretBytes;
use crate::directory::{SqliteDirectory, Unlocking, VaultKey};
use crate::engine::Clock;
use crate::mail::Address;
use crate::pki::{self, Certificate, KeyFile, UnlockedKey};
use crate::smime::OpeningKey;
use crate::system::SystemClock;
use crate::vault;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The account's keys, locked; there is one at least.
pub(super) fn vault_keys(directory: &SqliteDirectory, account: &Address) -> Result<Vec<VaultKey>, Failure> {
    let keys = directory.vault_keys(account)?;
    if keys.is_empty() {
        return Err(Failure::new(Code::NotFound, format!("the vault holds no key of {account}"))
            .hint(format!("make one: sealpost key generate --account {account}")));
    }
    Ok(keys)
}

/// Keys of an account that its Secure Mail password opens; one at least.
pub(super) struct Unlocked {
    /// What lies in the vault, and what is in it.
    pub(super) keys: Vec<(VaultKey, UnlockedKey)>,
    /// Those that have another password.
    pub(super) locked: Vec<VaultKey>,
}

impl Unlocked {
    /// The one door to the keys of accounts: whoever comes with a password is counted here, and waits if too many wrong
    /// ones came before. A wrong password has one text, whatever else is wrong.
    pub(super) fn of(
        directory: &SqliteDirectory,
        account: &Address,
        records: Vec<VaultKey>,
        password: &SecretBytes,
    ) -> Result<Unlocked, Failure> {
        let attempt = match directory.begin_unlock(account, SystemClock.now())? {
            Unlocking::Attempt(attempt) => attempt,
            Unlocking::Locked { wrong, left } => return Err(still_locked(account, wrong, left)),
        };
        let mut unlocked = Unlocked { keys: Vec::new(), locked: Vec::new() };
        for record in records {
            match vault::unlock(&record.record, password.expose()) {
                Ok(key) => unlocked.keys.push((record, key)),
                Err(_) => unlocked.locked.push(record),
            }
        }
        if unlocked.keys.is_empty() {
            return Err(Failure::new(Code::NoPermission, format!("wrong Secure Mail password of {account}")));
        }
        directory.unlocked(attempt)?;
        Ok(unlocked)
    }
}

/// Says that a new key gets another password than those that are there. Whoever tries passwords this way is counted like
/// everybody else, and learns nothing while the keys are locked.
pub(super) fn note_another_password(
    directory: &SqliteDirectory,
    out: &Output,
    account: &Address,
    password: &SecretBytes,
) -> Result<(), Failure> {
    let held = directory.vault_keys(account)?;
    if held.is_empty() {
        return Ok(());
    }
    let Unlocking::Attempt(attempt) = directory.begin_unlock(account, SystemClock.now())? else {
        return Ok(());
    };
    let all = held.len();
    let opens = |key: &VaultKey| vault::unlock(&key.record, password.expose()).is_ok();
    let locked: Vec<VaultKey> = held.into_iter().filter(|key| !opens(key)).collect();
    if locked.len() < all {
        directory.unlocked(attempt)?;
    }
    if !locked.is_empty() {
        let keys = words::texts(locked.iter().map(|key| words::short(key.fingerprint))).join(", ");
        out.note(&format!(
            "{account} needs more than one Secure Mail password from now on: keys with another one: {keys}; to give them \
             the same: sealpost key password --account {account}"
        ));
    }
    Ok(())
}

fn still_locked(account: &Address, wrong: u32, left: Duration) -> Failure {
    let wait = words::wait(left);
    let text = format!("after {wrong} wrong passwords the keys of {account} stay locked for {wait}");
    Failure::new(Code::NoPermission, text).hint(format!(
        "not even the right password opens them before; to end it now: sealpost account unlock {account}"
    ))
}

/// The domain's key, ready to sign.
pub(super) fn domain_key(directory: &SqliteDirectory, domain: &str) -> Result<UnlockedKey, Failure> {
    let Some(key) = directory.domain_key(domain)? else {
        return Err(Failure::new(Code::NotFound, format!("{domain} has no key"))
            .hint(format!("make one: sealpost key generate --domain {domain}")));
    };
    Ok(UnlockedKey::from_pkcs8(key.pkcs8.expose())?)
}

/// Where a filter's private keys come from.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("from").required(true).args(["key", "account", "domain"])))]
pub(super) struct KeySource {
    /// The private key: PEM, DER, or a PKCS#12 file, which brings its certificate
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Take the keys of this account from the vault
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    /// Take the key of this domain: it opens what was sealed to it in the place of an account's (domain-key)
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

impl KeySource {
    /// Whose vault it is, if it is one.
    pub(super) fn account(&self) -> Option<&Address> {
        self.account.as_ref()
    }

    /// The keys, with the certificates that these files bring. Standard input is left for the message.
    pub(super) fn keyring(&self, context: &Context, certificates: &[PathBuf]) -> Result<Keyring, Failure> {
        self.password.refuse_standard_input()?;
        if let Some(domain) = &self.domain {
            let extra = filter::certificates(certificates)?;
            return Keyring::of_domain(&context.directory_for_reading()?, domain, extra);
        }
        match (&self.account, &self.key) {
            (Some(account), _) => {
                let password =
                    self.password.given()?.or_ask(&format!("Secure Mail password of {account}: "))?;
                Keyring::unlock(context, account, &password)
            }
            (None, Some(path)) => self.file_key(path, certificates),
            (None, None) => Err(Failure::new(Code::Usage, "--key, --account or --domain is needed")),
        }
    }

    fn file_key(&self, path: &Path, extra: &[PathBuf]) -> Result<Keyring, Failure> {
        let given = self.password.given()?;
        let option = "--password-file FILE or --password-fd N";
        let KeyFile { keys, mut certificates } =
            filter::unlock(path, pki::read_key_file, given.known(), option)?;
        certificates.extend(filter::certificates(extra)?);
        Ok(Keyring { keys, certificates })
    }
}

/// Keys and certificates; they find each other by the public key.
pub(super) struct Keyring {
    pub(super) keys: Vec<UnlockedKey>,
    pub(super) certificates: Vec<Certificate>,
}

impl Keyring {
    /// The key of a domain and those before it, each once, with all of their certificates and these.
    pub(super) fn of_domain(
        directory: &SqliteDirectory,
        domain: &str,
        mut certificates: Vec<Certificate>,
    ) -> Result<Keyring, Failure> {
        let retired = directory.retired_keys(domain)?;
        let mut keys = Vec::new();
        if retired.is_empty() || directory.domain_key(domain)?.is_some() {
            keys.push(domain_key(directory, domain)?);
        }
        let mut known = keys.iter().map(UnlockedKey::fingerprint).collect::<Result<Vec<_>, _>>()?;
        for retired in retired {
            if !known.contains(&retired.fingerprint) {
                known.push(retired.fingerprint);
                keys.push(UnlockedKey::from_pkcs8(retired.key.expose())?);
            }
            certificates.push(retired.certificate);
        }
        certificates.extend(directory.domain_certificates(domain)?.into_iter().map(|held| held.certificate));
        Ok(Keyring { keys, certificates })
    }

    /// All vault keys of the account that the password opens, retired ones too: they are kept for reading.
    pub(super) fn unlock(
        context: &Context,
        account: &Address,
        password: &SecretBytes,
    ) -> Result<Keyring, Failure> {
        let directory = context.directory_for_reading()?;
        let records = vault_keys(&directory, account)?;
        let certificates =
            directory.certificates(account)?.into_iter().map(|record| record.held.certificate).collect();
        let unlocked = Unlocked::of(&directory, account, records, password)?;
        Ok(Keyring { keys: unlocked.keys.into_iter().map(|(_, key)| key).collect(), certificates })
    }

    /// Each key with each of its certificates; a key without one stands alone.
    pub(super) fn opening_keys(&self) -> Result<Vec<OpeningKey<'_>>, Failure> {
        opening_keys(&self.keys, &self.certificates)
    }
}

/// Each key with each of its certificates; a key without one stands alone.
pub(super) fn opening_keys<'k>(
    keys: impl IntoIterator<Item = &'k UnlockedKey>,
    certificates: &'k [Certificate],
) -> Result<Vec<OpeningKey<'k>>, Failure> {
    let mut found = Vec::new();
    for key in keys {
        let fingerprint = key.fingerprint()?;
        let holds =
            |certificate: &&Certificate| certificate.key_fingerprint().is_ok_and(|of| of == fingerprint);
        let before = found.len();
        let held = certificates.iter().filter(holds);
        found.extend(held.map(|certificate| OpeningKey { key, certificate: Some(certificate) }));
        if found.len() == before {
            found.push(OpeningKey { key, certificate: None });
        }
    }
    Ok(found)
}
