//! `sealpost key import`

use super::context::Context;
use super::failure::Failure;
use super::fitness::{self, Fitness};
use super::holder::{Holder, HolderArgs};
use super::key::{new_password, refuse_signer};
use super::output::Output;
use super::password::PasswordSource;
use super::words::{self, day};
use super::{filter, input, key_domain, keyring};
use crate::crypto::{Entropy, SecretBytes};
use crate::directory::{ImportedCertificate, KeyImport, NewVaultKey, SqliteDirectory};
use crate::engine::{Account, CertificateState, Choice, Clock};
use crate::mail::Address;
use crate::pki::{Certificate, Fingerprint, KeyFile, UnlockedKey, read_key_file};
use crate::system::{SystemClock, SystemEntropy};
use crate::vault;
use serde_json::json;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// Take a key from a file, for a domain or an account
///
/// For an account every key of the file is taken, and the certificates that belong to them: mail is sealed from now on to
/// the newest one of each key that is fit and has not ended. The others are kept to open old mail, which names them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost key import --domain north.example --file north.key.pem
  sealpost key import --account anna@north.example --file anna.p12 --file-password-file export.password")]
pub(super) struct Import {
    #[command(flatten)]
    holder: HolderArgs,
    /// PEM, DER or PKCS#12; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The password of the file itself is in the first line of this one
    #[arg(long, value_name = "FILE")]
    file_password_file: Option<PathBuf>,
    #[command(flatten)]
    password: PasswordSource,
}

impl Import {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let option = "--file-password-file FILE";
        let of_file = self.file_password_file.as_deref().map(PasswordSource::first_line_of).transpose()?;
        match self.holder.into() {
            Holder::Domain(name) => {
                self.password
                    .refuse("the key of a domain has no password; that of the file: --file-password-file")?;
                key_domain::import(context, out, &name, &self.file, of_file.as_ref())
            }
            Holder::Account(address) => {
                let file = filter::unlock(&self.file, read_key_file, of_file.as_ref(), option)?;
                let file = without_signers(without_repeats(file)?, out)?;
                let given = self.password.given()?;
                let (config, directory) = (context.config()?, context.directory()?);
                let account = directory.account(&address)?;
                refuse_known(&directory, &account.address, &file)?;
                let password = new_password(given, &address)?;
                let sorted = sort(&account, &file, &Fitness::of(&directory, &config)?, SystemClock.now())?;
                keyring::note_another_password(&directory, out, &account.address, &password)?;
                let new = store(&directory, &account.address, &file, &sorted, &password, &self.file)?;
                report(out, &account, &file, &sorted, &new)
            }
        }
    }
}

/// Mail is encrypted to the keys of an account: one that only signs stays out, and is no reason to refuse the others.
fn without_signers(mut file: KeyFile, out: &Output) -> Result<KeyFile, Failure> {
    if let [first, others @ ..] = file.keys.as_slice()
        && !others.iter().any(|key| key.public().encrypts())
    {
        refuse_signer(first.public().encrypts(), &first.public().to_string())?;
    }
    for key in file.keys.iter().filter(|key| !key.public().encrypts()) {
        out.note(&format!(
            "the {} key of the file signs and does nothing else: it is not stored",
            key.public()
        ));
    }
    file.keys.retain(|key| key.public().encrypts());
    Ok(file)
}

/// A certificate of the file, what becomes of it, and why it is not sealed to.
struct Sorted<'f> {
    certificate: &'f Certificate,
    key: Fingerprint,
    state: CertificateState,
    reason: Option<String>,
}

/// Each key once: Java, and people who put files together, write one twice.
fn without_repeats(file: KeyFile) -> Result<KeyFile, Failure> {
    let (mut seen, mut keys) = (Vec::new(), Vec::new());
    for key in file.keys {
        let fingerprint = key.fingerprint()?;
        if !seen.contains(&fingerprint) {
            seen.push(fingerprint);
            keys.push(key);
        }
    }
    Ok(KeyFile { keys, ..file })
}

/// A file that brings no new key is given by mistake, or for the second time.
fn refuse_known(directory: &SqliteDirectory, account: &Address, file: &KeyFile) -> Result<(), Failure> {
    let held: Vec<Fingerprint> = directory.vault_keys(account)?.iter().map(|key| key.fingerprint).collect();
    let mut first = None;
    for key in &file.keys {
        let fingerprint = key.fingerprint()?;
        if !held.contains(&fingerprint) {
            return Ok(());
        }
        first.get_or_insert(fingerprint);
    }
    match first {
        Some(fingerprint) => {
            Err(crate::directory::AdminError::KeyHeld { account: account.clone(), fingerprint }.into())
        }
        None => Ok(()),
    }
}

/// The certificates of the keys in the file, the older ones of each key first.
fn sort<'f>(
    account: &Account,
    file: &'f KeyFile,
    fitness: &Fitness<'_>,
    now: OffsetDateTime,
) -> Result<Vec<Sorted<'f>>, Failure> {
    let mut sorted = Vec::new();
    for key in &file.keys {
        let key = key.fingerprint()?;
        let is_of = |certificate: &&Certificate| certificate.key_fingerprint().is_ok_and(|of| of == key);
        let mut own: Vec<&Certificate> = file.certificates.iter().filter(is_of).collect();
        own.sort_by_key(|certificate| std::cmp::Reverse(certificate.not_before()));
        own.dedup();
        let mut is_sealed_to = fitness::active(account).any(|certificate| is_of(&certificate));
        let place = |certificate| {
            let is_active = fitness::active(account).any(|active| active == certificate);
            let reason = match unfit(account, certificate, file, fitness, now) {
                None if is_active => Some("mail is sealed to it already".to_owned()),
                None if is_sealed_to => Some("mail is sealed to another one of its key".to_owned()),
                reason => reason,
            };
            is_sealed_to |= reason.is_none();
            let state = if reason.is_none() || is_active {
                CertificateState::Active
            } else {
                CertificateState::Retired
            };
            Sorted { certificate, key, state, reason }
        };
        let mut placed: Vec<Sorted<'f>> = own.into_iter().map(place).collect();
        placed.reverse();
        sorted.extend(placed);
    }
    Ok(sorted)
}

/// Why mail is not sealed to it without a word of the administrator.
fn unfit(
    account: &Account,
    certificate: &Certificate,
    file: &KeyFile,
    fitness: &Fitness<'_>,
    now: OffsetDateTime,
) -> Option<String> {
    if certificate.not_after() < now {
        return Some(format!("it ended on {}", day(certificate.not_after())));
    }
    let checked = fitness.check(account, certificate, &file.certificates);
    checked.err().map(|reasons| reasons.join("; "))
}

fn store(
    directory: &SqliteDirectory,
    account: &Address,
    file: &KeyFile,
    sorted: &[Sorted<'_>],
    password: &SecretBytes,
    path: &Path,
) -> Result<Vec<Fingerprint>, Failure> {
    let wrapped = file.keys.iter().map(|key| Wrapped::of(key, password));
    let wrapped: Vec<Wrapped> = wrapped.collect::<Result<_, _>>()?;
    let keys: Vec<NewVaultKey<'_>> = wrapped.iter().map(Wrapped::new_key).collect();
    let certificates: Vec<ImportedCertificate<'_>> = sorted
        .iter()
        .map(|sorted| ImportedCertificate { certificate: sorted.certificate, state: sorted.state })
        .collect();
    let source = &input::name(path);
    Ok(directory.import_keys(account, &KeyImport { keys: &keys, certificates: &certificates, source })?)
}

/// A key ready for the vault.
struct Wrapped {
    fingerprint: Fingerprint,
    public_key: Vec<u8>,
    record: Vec<u8>,
}

impl Wrapped {
    fn of(key: &UnlockedKey, password: &SecretBytes) -> Result<Wrapped, Failure> {
        let record = vault::protect(key, password.expose(), SystemEntropy.seed()?)?;
        Ok(Wrapped { fingerprint: key.fingerprint()?, public_key: key.public().to_spki()?, record })
    }

    fn new_key(&self) -> NewVaultKey<'_> {
        NewVaultKey { fingerprint: self.fingerprint, public_key: &self.public_key, record: &self.record }
    }
}

fn report(
    out: &mut Output,
    account: &Account,
    file: &KeyFile,
    sorted: &[Sorted<'_>],
    new: &[Fingerprint],
) -> Result<(), Failure> {
    let address = &account.address;
    let mut keys = Vec::new();
    for key in &file.keys {
        let (fingerprint, kind) = (key.fingerprint()?, key.public().to_string());
        let is_new = new.contains(&fingerprint);
        out.line(if is_new {
            format!("{kind} key {fingerprint} stored in the vault of {address}")
        } else {
            format!("{kind} key {fingerprint} was there already, and keeps its password")
        })?;
        if !sorted.iter().any(|sorted| sorted.key == fingerprint) {
            out.line(format!(
                "the file holds no certificate of {}: sealpost cert issue --account {address}, or cert add",
                words::short(fingerprint)
            ))?;
        }
        keys.push(json!({"fingerprint": fingerprint.to_string(), "type": kind, "new": is_new}));
    }
    for Sorted { certificate, reason, state, .. } in sorted {
        let (print, until) = (certificate.fingerprint(), day(certificate.not_after()));
        out.line(match reason {
            None => format!("mail for {address} is sealed to {print}, valid until {until}"),
            Some(reason) if *state == CertificateState::Active => {
                format!("certificate {print} stays as it is: {reason}")
            }
            Some(reason) => format!("certificate {print} is kept to open old mail: {reason}"),
        })?;
    }
    let certificates: Vec<_> = sorted.iter().map(layout).collect();
    out.json(json!({"account": address.to_string(), "keys": keys, "certificates": certificates}))
}

fn layout(sorted: &Sorted<'_>) -> serde_json::Value {
    json!({
        "fingerprint": sorted.certificate.fingerprint().to_string(), "key": sorted.key.to_string(),
        "state": sorted.state.name(), "reason": sorted.reason,
    })
}
