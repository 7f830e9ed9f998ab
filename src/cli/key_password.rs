//! `sealpost key password`

use super::context::Context;
use super::failure::Failure;
use super::key::new_password;
use super::keyring::{self, Unlocked};
use super::output::Output;
use super::password::PasswordSource;
use super::words;
use crate::crypto::{Entropy, SecretBytes};
use crate::directory::{RewrappedKey, VaultKey};
use crate::mail::Address;
use crate::pki::{Fingerprint, UnlockedKey};
use crate::system::SystemEntropy;
use crate::vault;
use serde_json::json;
use std::path::PathBuf;

/// Change the Secure Mail password of an account
///
/// All keys that the old password opens are put under the new one, retired ones too: all of them or none. Mail is not
/// touched. Keys that have another password are named, and keep it. Files that were exported keep theirs.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost key password --account anna@north.example
  sealpost key password --account anna@north.example --password-file old --new-password-file new")]
pub(super) struct Password {
    /// Whose
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Address,
    #[command(flatten)]
    password: PasswordSource,
    /// Read the new password from the first line of this file
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

impl Password {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let account = &self.account;
        let given = self.password.given()?;
        let new = PasswordSource::another(self.new_password_file.as_deref())?;
        let directory = context.directory()?;
        let records = keyring::vault_keys(&directory, account)?;
        let old = given.or_ask(&format!("Secure Mail password of {account}: "))?;
        let Unlocked { keys, locked } = Unlocked::of(&directory, account, records, &old)?;
        let new = new_password(new, account)?;
        let rewrapped: Vec<RewrappedKey> =
            keys.into_iter().map(|(record, key)| rewrap(record, &key, &new)).collect::<Result<_, _>>()?;
        directory.rewrap_vault_keys(account, &rewrapped)?;
        let changed = rewrapped.iter().map(|key| key.fingerprint).collect();
        report(out, account, changed, locked.iter().map(|record| record.fingerprint).collect())
    }
}

fn rewrap(record: VaultKey, key: &UnlockedKey, new: &SecretBytes) -> Result<RewrappedKey, Failure> {
    let VaultKey { fingerprint, record: old, .. } = record;
    Ok(RewrappedKey { fingerprint, old, new: vault::protect(key, new.expose(), SystemEntropy.seed()?)? })
}

fn report(
    out: &mut Output,
    account: &Address,
    changed: Vec<Fingerprint>,
    kept: Vec<Fingerprint>,
) -> Result<(), Failure> {
    for key in &changed {
        out.line(format!("key {key} of {account} has the new password"))?;
    }
    for key in &kept {
        out.line(format!("key {key} has another password than the old one, and keeps it"))?;
    }
    out.json(json!({
        "account": account.to_string(), "changed": words::texts(changed), "kept": words::texts(kept),
    }))
}
