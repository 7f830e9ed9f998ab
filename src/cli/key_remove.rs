//! `sealpost key remove`

use super::context::Context;
use super::failure::{Code, Failure};
use super::holder::{Holder, HolderArgs};
use super::key_domain;
use super::loss::{Confirmed, Consent, Extent};
use super::output::Output;
use super::words::{self, counted};
use crate::directory::SqliteDirectory;
use crate::engine::CertificateState;
use crate::mail::Address;
use crate::pki::Fingerprint;
use serde_json::json;

/// Remove a key: what is sealed to it can never be opened again
///
/// The certificates of a domain go with its key; a replaced key of it is forgotten like any other. Without --forget the fingerprints are shown, and how many messages of
/// which mailboxes are sealed to each, and nothing is done. Where messages would be lost, their number must be said too.
/// Mail is never removed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost key remove --account anna@north.example
  sealpost key remove --account anna@north.example --forget 04bfb3e1c60fdbe7
  sealpost key remove --account anna@north.example --forget 04bfb3e1c60fdbe7 --messages 3")]
pub(super) struct Remove {
    #[command(flatten)]
    holder: HolderArgs,
    #[command(flatten)]
    consent: Consent,
}

impl Remove {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let (directory, holder) = (context.directory()?, Holder::from(self.holder));
        let held = held(&directory, &holder)?;
        if held.is_empty() {
            return Err(Failure::new(Code::NotFound, format!("{holder} has no key")));
        }
        let Confirmed { forgotten, messages } =
            match self.consent.confirm(context, &directory, out, (&holder, &held), Extent::Keys) {
                Err(refused) => return Err(with_states(refused, &directory, &holder)?),
                Ok(confirmed) => confirmed,
            };
        match &holder {
            Holder::Domain(name) => key_domain::forget(&directory, out, name, &forgotten)?,
            Holder::Account(address) => forget(&directory, out, address, &forgotten)?,
        }
        if messages > 0 {
            let number = counted(usize::try_from(messages).unwrap_or(usize::MAX), "message");
            out.line(format!("{number} can be opened only by who has the key elsewhere"))?;
        }
        let still = match &holder {
            Holder::Account(address) => still_sealed_to(&directory, address, &forgotten)?,
            Holder::Domain(_) => Vec::new(),
        };
        for certificate in &still {
            out.line(format!(
                "mail for {holder} is still sealed to {certificate}, which has this key; if nobody has the key any more: \
                 sealpost cert retire --account {holder} --fingerprint {}",
                words::short(certificate)
            ))?;
        }
        out.json(json!({
            "removed": words::texts(forgotten), "messages": messages, "still_sealed_to": words::texts(still),
        }))
    }
}

fn held(directory: &SqliteDirectory, holder: &Holder) -> Result<Vec<Fingerprint>, Failure> {
    Ok(match holder {
        Holder::Domain(name) => {
            // The first one is proposed, and today's goes last.
            let mut keys = key_domain::keys(directory, name)?;
            keys.reverse();
            keys
        }
        Holder::Account(address) => {
            directory.vault_keys(address)?.iter().map(|key| key.fingerprint).collect()
        }
    })
}

/// Of the keys of a domain only one signs today, and the others vouch for what they signed.
fn with_states(refused: Failure, directory: &SqliteDirectory, holder: &Holder) -> Result<Failure, Failure> {
    let (Code::No, Holder::Domain(name)) = (refused.code, holder) else { return Ok(refused) };
    let hint = refused.hint.clone().unwrap_or_default();
    Ok(refused.hint(key_domain::states(directory, name)? + &hint))
}

fn forget(
    directory: &SqliteDirectory,
    out: &mut Output,
    account: &Address,
    forgotten: &[Fingerprint],
) -> Result<(), Failure> {
    for key in forgotten {
        directory.remove_vault_key(account, *key, forgotten)?;
        out.line(format!("key {key} of {account} removed"))?;
    }
    Ok(())
}

/// A key may be kept by its owner alone, and mail be sealed to it all the same.
fn still_sealed_to(
    directory: &SqliteDirectory,
    account: &Address,
    keys: &[Fingerprint],
) -> Result<Vec<Fingerprint>, Failure> {
    let held = directory.account(account)?.certificates.into_iter();
    let active = held.filter(|held| held.state == CertificateState::Active).map(|held| held.certificate);
    let is_of = |print: &Fingerprint| keys.contains(print);
    Ok(active
        .filter(|certificate| certificate.key_fingerprint().is_ok_and(|key| is_of(&key)))
        .map(|certificate| certificate.fingerprint())
        .collect())
}
