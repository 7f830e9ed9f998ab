//! `sealpost key export`

use super::context::Context;
use super::failure::{Code, Failure};
use super::keyring::{self, Unlocked};
use super::new_file::NewFile;
use super::output::Output;
use super::password::PasswordSource;
use super::words::{self, FingerprintPrefix};
use super::{authority, fitness};
use crate::crypto::{Entropy, SecretBytes};
use crate::directory::{SqliteDirectory, VaultKey};
use crate::engine::{Account, CertificateState, Choice};
use crate::mail::Address;
use crate::pki::{self, AppleProfile, Certificate, Fingerprint, Pkcs12, Protection, UnlockedKey};
use crate::system::SystemEntropy;
use crate::vault::{self, MAX_PASSWORD};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Write a key of an account to a file that its owner's mail program takes
///
/// The file holds the key, the certificates of the key, those of the domain that issued them, and the domain's chain. It is protected by
/// the Secure Mail password, or by one of its own. Of several keys it is the newest one with an active certificate.
/// Keys of domains are not exported.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost key export --account anna@north.example --output anna.p12
  sealpost key export --account anna@north.example --file-password-file new --output anna.p12
  sealpost key export --account anna@north.example --format mobileconfig --output anna.mobileconfig
  sealpost key export --account anna@north.example --format pkcs8 --password-file pw > anna.pem")]
pub(super) struct Export {
    /// Whose
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Address,
    /// Which of several: the first digits of its fingerprint
    #[arg(long, value_name = "FINGERPRINT")]
    key: Option<FingerprintPrefix>,
    /// p12: PKCS#12, for mail programs; mobileconfig: the same in a profile for iPhone, iPad and Mac, which ask for its
    /// password; pkcs8: encrypted PKCS#8 and certificates in PEM, for OpenSSL
    #[arg(long, value_parser = words::choice::<Format>(), default_value = "p12")]
    format: Format,
    /// PKCS#12 by 3DES and SHA-1, which is weaker, for programs that read nothing newer (gpgsm 2.2, old Windows and macOS)
    #[arg(long)]
    legacy: bool,
    #[command(flatten)]
    password: PasswordSource,
    /// Protect the file by the password in the first line of this one, and not by the Secure Mail password
    #[arg(long, value_name = "FILE")]
    file_password_file: Option<PathBuf>,
    /// Make this file, readable by you only; without it the key goes to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    P12,
    Pkcs8,
    Mobileconfig,
}

impl Choice for Format {
    const ALL: &'static [Format] = &[Format::P12, Format::Pkcs8, Format::Mobileconfig];

    fn name(self) -> &'static str {
        match self {
            Format::P12 => "p12",
            Format::Pkcs8 => "pkcs8",
            Format::Mobileconfig => "mobileconfig",
        }
    }
}

/// A key with the certificates that go with it.
struct Bundle {
    address: Address,
    fingerprint: Fingerprint,
    record: VaultKey,
    /// Of the key, the one of today first: mail that was sealed to an older one names that.
    certificates: Vec<Certificate>,
    issuers: Vec<Certificate>,
    warnings: Vec<String>,
}

impl Export {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        self.refuse_standard_output(out)?;
        self.refuse_legacy()?;
        // What is the caller's, the owner of the store may not reach.
        let given = self.password.given()?;
        let of_file = self.file_password_file.as_deref().map(PasswordSource::first_line_of).transpose()?;
        let target = self.output.as_deref().map(NewFile::create).transpose()?;
        let directory = context.directory_for_reading()?;
        let bundle = self.bundle(&directory)?;
        let password = given.or_ask(&format!("Secure Mail password of {}: ", bundle.address))?;
        let key = bundle.unlock(&directory, &password)?;
        let bytes = bundle.protect(self.form(), &key, &of_file.unwrap_or(password))?;
        match target {
            Some(file) => file.write(&bytes)?,
            None => out.bytes(&bytes)?,
        }
        self.report(out, &bundle, &key)
    }

    fn refuse_standard_output(&self, out: &Output) -> Result<(), Failure> {
        let refused =
            |text: &str| Err(Failure::new(Code::Usage, text).hint("name a file for the key: --output FILE"));
        match self.output {
            None if out.is_json() => refused("standard output cannot hold both the key and JSON"),
            None if io::stdout().is_terminal() => refused("a key is not written to a terminal"),
            _ => Ok(()),
        }
    }

    fn refuse_legacy(&self) -> Result<(), Failure> {
        if self.legacy && self.format == Format::Pkcs8 {
            return Err(Failure::new(Code::Usage, "--legacy is a form of PKCS#12, and pkcs8 is none")
                .hint("leave one of the two out"));
        }
        Ok(())
    }

    fn form(&self) -> (Format, Protection) {
        (self.format, if self.legacy { Protection::TripleDes } else { Protection::Aes256 })
    }

    fn bundle(&self, directory: &SqliteDirectory) -> Result<Bundle, Failure> {
        let account = directory.account(&self.account)?;
        let keys = keyring::vault_keys(directory, &account.address)?;
        let key = self.choose(&account, keys.clone())?;
        Ok(Bundle::of(account, key, &keys))
    }

    /// The one that was named, or the newest that mail is sealed to, or else the newest.
    fn choose(&self, account: &Account, mut keys: Vec<VaultKey>) -> Result<VaultKey, Failure> {
        let held: Vec<Fingerprint> = keys.iter().map(|key| key.fingerprint).collect();
        let is_sealed_to = |key: &&Fingerprint| fitness::active(account).any(|active| is_of(active, **key));
        let chosen = match &self.key {
            Some(prefix) => Some(prefix.among(&held)?),
            None => held.iter().rev().find(is_sealed_to).or(held.last()).copied(),
        };
        keys.retain(|key| Some(key.fingerprint) == chosen);
        keys.pop().ok_or_else(|| Failure::new(Code::NotFound, format!("{} has no key", account.address)))
    }

    /// Where standard output holds the key, only the warnings are left to say.
    fn report(&self, out: &mut Output, bundle: &Bundle, key: &UnlockedKey) -> Result<(), Failure> {
        let Bundle { address, fingerprint, certificates, issuers, warnings, .. } = bundle;
        bundle.warnings.iter().for_each(|warning| out.note(warning));
        let Some(path) = &self.output else { return Ok(()) };
        let (file, kind) = (path.display().to_string(), key.public().to_string());
        let of_key = words::counted(certificates.len(), "certificate");
        let of_issuers = words::counted(issuers.len(), "issuer");
        out.line(format!(
            "{kind} key {fingerprint} of {address} is in {file}, with {of_key} and {of_issuers}"
        ))?;
        let prints = |held: &[Certificate]| words::texts(held.iter().map(Certificate::fingerprint));
        out.json(json!({
            "account": address.to_string(), "fingerprint": fingerprint.to_string(), "type": kind,
            "format": self.format.name(), "legacy": self.legacy, "file": file, "certificates": prints(certificates),
            "issuers": prints(issuers), "warnings": warnings,
        }))
    }
}

fn is_of(certificate: &Certificate, key: Fingerprint) -> bool {
    certificate.key_fingerprint().is_ok_and(|of| of == key)
}

impl Bundle {
    fn of(account: Account, key: VaultKey, all: &[VaultKey]) -> Bundle {
        let fingerprint = key.fingerprint;
        let Account { address, certificates: mut held, domain, .. } = account;
        held.retain(|held| held.state != CertificateState::Pending && is_of(&held.certificate, fingerprint));
        held.reverse();
        held.sort_by_key(|held| held.state != CertificateState::Active);
        let certificates: Vec<Certificate> = held.into_iter().map(|held| held.certificate).collect();
        let issuers = authority::above(&domain, &certificates);
        let others = all.iter().map(|key| key.fingerprint).filter(|other| *other != fingerprint).collect();
        let warnings = warnings(&address, certificates.is_empty(), others);
        Bundle { address, fingerprint, record: key, certificates, issuers, warnings }
    }

    fn unlock(&self, directory: &SqliteDirectory, password: &SecretBytes) -> Result<UnlockedKey, Failure> {
        let unlocked = Unlocked::of(directory, &self.address, vec![self.record.clone()], password)?;
        let key = unlocked.keys.into_iter().next().map(|(_, key)| key);
        key.ok_or_else(|| Failure::new(Code::NotFound, format!("{} has no key", self.address)))
    }

    fn protect(
        &self,
        (format, protection): (Format, Protection),
        key: &UnlockedKey,
        password: &SecretBytes,
    ) -> Result<Vec<u8>, Failure> {
        let octets = password.expose().len();
        if octets == 0 || octets > MAX_PASSWORD {
            let text =
                format!("the password of the file has 1 to {MAX_PASSWORD} octets; this one has {octets}");
            return Err(Failure::new(Code::Usage, text));
        }
        match format {
            Format::P12 => self.protect_pkcs12(protection, key, password),
            Format::Pkcs8 => self.protect_pkcs8(key, password),
            Format::Mobileconfig => {
                let pkcs12 = self.protect_pkcs12(protection, key, password)?;
                Ok(self.profile(&pkcs12).into_bytes())
            }
        }
    }

    fn protect_pkcs12(
        &self,
        protection: Protection,
        key: &UnlockedKey,
        password: &SecretBytes,
    ) -> Result<Vec<u8>, Failure> {
        let (certificates, authorities) = (&self.certificates, &self.issuers);
        let name = &self.address.to_string();
        let file = Pkcs12 { key, certificates, authorities, name, protection };
        Ok(file.protect(password.expose(), SystemEntropy.seed()?)?)
    }

    fn profile(&self, pkcs12: &[u8]) -> String {
        let profile = AppleProfile {
            identifier: &format!("sealpost.{}", words::short(self.fingerprint)),
            name: &format!("S/MIME of {}", self.address),
            organization: self.address.domain(),
            pkcs12,
            authorities: &self.issuers,
        };
        profile.to_xml()
    }

    fn protect_pkcs8(&self, key: &UnlockedKey, password: &SecretBytes) -> Result<Vec<u8>, Failure> {
        let encrypted = vault::protect(key, password.expose(), SystemEntropy.seed()?)?;
        let certificates = self.certificates.iter().chain(&self.issuers);
        Ok(pki::write_encrypted_key(&encrypted, certificates)?.into_bytes())
    }
}

fn warnings(account: &Address, is_bare: bool, others: Vec<Fingerprint>) -> Vec<String> {
    let bare = format!(
        "the key has no certificate, and most mail programs take none without: \
         sealpost cert issue --account {account}"
    );
    let more =
        format!("{account} has other keys too; each by itself: --key {}", words::joined(others.iter()));
    let bare = is_bare.then_some(bare);
    bare.into_iter().chain((!others.is_empty()).then_some(more)).collect()
}
