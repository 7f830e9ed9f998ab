//! Keys in the vaults of accounts: too weak, or waiting for a certificate.

use super::{Finding, Severity};
use crate::cli::failure::Failure;
use crate::cli::{key, words};
use crate::directory::{KeyState, VaultKey};
use crate::engine::Account;
use crate::pki::Fingerprint;

/// What is wrong with the keys of an account, the oldest first. A retired key opens old mail, and nothing is sealed to it.
pub(super) fn look(
    account: &Account,
    keys: &[VaultKey],
    minimum_bits: usize,
) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    let newest = keys.last().map(|key| key.fingerprint);
    for key in keys.iter().filter(|key| key.state == KeyState::Active) {
        found.extend(weakness(account, key, minimum_bits)?);
        if !has_certificate(account, key.fingerprint) {
            found.push(uncertified(account, key.fingerprint, newest));
        }
    }
    Ok(found)
}

fn weakness(account: &Account, key: &VaultKey, minimum: usize) -> Result<Option<Finding>, Failure> {
    let bits = key::public_key(key)?.modulus_bits().filter(|bits| *bits < minimum);
    Ok(bits.map(|bits| {
        let print = words::short(key.fingerprint);
        let text = format!("its vault key {print} is weak: {bits} bits, at least {minimum} are required");
        let mend = format!("sealpost key generate --account {}, then cert issue", account.address);
        warning(account, text, mend)
    }))
}

fn has_certificate(account: &Account, key: Fingerprint) -> bool {
    let mut held = account.certificates.iter();
    held.any(|held| held.certificate.key_fingerprint().is_ok_and(|of| of == key))
}

/// Only the newest is issued for by itself.
fn uncertified(account: &Account, key: Fingerprint, newest: Option<Fingerprint>) -> Finding {
    let address = &account.address;
    let mend = if newest == Some(key) {
        format!("sealpost cert issue --account {address}")
    } else {
        format!("sealpost cert add --account {address} --file FILE, or key remove --account {address}")
    };
    warning(account, format!("its vault key {} has no certificate", words::short(key)), mend)
}

fn warning(account: &Account, text: String, mend: String) -> Finding {
    Finding { severity: Severity::Warning, about: account.address.to_string(), text, mend: Some(mend) }
}
