//! Who can open an encrypted structure, and what hands them its key.

use super::AlgorithmReport;
use crate::cms::element::Elements;
use crate::cms::enveloped::oid;
use crate::cms::names::oid_name;
use crate::cms::tags::{SEQUENCE, constructed};
use crate::cms::{Recipient, RecipientId, RecipientKind};
use crate::crypto::algorithm::Kem;
use crate::mail::printable;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_RSAES_OAEP, ID_SHA_1};
use der::Decode;
use der::asn1::Any;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use std::sync::Arc;
use x509_cert::name::Name;

/// Longer issuer names are shown as octets: taking one apart costs the square of its longest SET.
const MAX_NAME: usize = 512;

/// Somebody who holds the certificate that a recipient names, as a directory knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// As what.
    #[serde(rename = "as")]
    pub role: HolderRole,
    /// The account; of a domain's certificates: the domain.
    pub account: String,
    /// SHA-256 over the certificate, in hexadecimal.
    pub certificate: String,
    /// How it stands.
    pub state: HolderState,
    /// Is it still sealed to? Retired ones are kept for reading.
    pub active: bool,
    /// It waits to be accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// The day on which it came (UTC), as RFC 3339 writes one.
    pub since: String,
}

/// How a certificate stands with who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderState {
    /// Mail is sealed to it.
    Active,
    /// It is kept for reading.
    Retired,
    /// It waits to be accepted.
    Pending,
    /// Its issuer took it back for good: mail is not sealed to it any more.
    Revoked,
    /// Its issuer took it back for now: mail is not sealed to it.
    Hold,
}

impl HolderState {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            HolderState::Active => "active",
            HolderState::Retired => "retired",
            HolderState::Pending => "pending",
            HolderState::Revoked => "revoked",
            HolderState::Hold => "hold",
        }
    }
}

/// As what somebody holds a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderRole {
    /// An account, for its own mail.
    Account,
    /// A domain, whose key takes the place of an account's.
    DomainKey,
    /// A domain, to recover mail of its accounts.
    Recovery,
}

/// keyEncryptionAlgorithm, with what its parameters say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyEncryptionReport {
    /// Which one.
    #[serde(flatten)]
    pub algorithm: AlgorithmReport,
    /// The hash of OAEP (RFC 4055 4.1), or of the key derivation (RFC 5753 7.1.4, RFC 8418 2.2, RFC 9629 5).
    pub hash: Option<String>,
    /// The hash of OAEP's mask generation.
    pub mask_hash: Option<String>,
    /// What encrypts the content key under the key that was agreed on or encapsulated (RFC 5753 7.1.5, RFC 9629 3).
    pub key_wrap: Option<AlgorithmReport>,
}

/// One recipient. A message may have very many: what is shown of a name is made when it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientReport {
    /// How the content key reaches it.
    pub kind: RecipientKind,
    /// Whom it names.
    pub id: Option<RecipientId>,
    /// Who that is: see [`Report::match_recipients`](super::Report::match_recipients).
    pub holders: Vec<Holder>,
    /// How the content key is encrypted. Those who share a key agreement share this too.
    pub algorithm: Arc<KeyEncryptionReport>,
    /// Will the way to the content key stand up to a quantum computer, as far as is known?
    pub post_quantum: bool,
}

/// All of them, in their order. Neighbours with one algorithm share what is said of it.
pub(super) fn report_recipients(recipients: Vec<Recipient>) -> Vec<RecipientReport> {
    let mut reports: Vec<RecipientReport> = Vec::with_capacity(recipients.len());
    let mut before: Option<Recipient> = None;
    for recipient in recipients {
        let same = before.is_some_and(|before| is_handed_alike(&before, &recipient));
        let report = match reports.last().filter(|_| same) {
            Some(last) => Arc::clone(&last.algorithm),
            None => Arc::new(report_key_encryption(&recipient)),
        };
        reports.push(RecipientReport {
            kind: recipient.kind,
            id: recipient.id.clone(),
            holders: Vec::new(),
            algorithm: report,
            post_quantum: is_post_quantum(&recipient),
        });
        before = Some(recipient);
    }
    reports
}

/// In the same way, parameters included.
fn is_handed_alike(one: &Recipient, other: &Recipient) -> bool {
    let same = Arc::ptr_eq(&one.algorithm, &other.algorithm) || one.algorithm == other.algorithm;
    let encapsulated = one.encapsulation.is_some() || other.encapsulation.is_some();
    one.kind == other.kind && same && !encapsulated
}

fn is_post_quantum(recipient: &Recipient) -> bool {
    recipient.kind == RecipientKind::KeyEncapsulation && Kem::by_oid(recipient.algorithm.oid).is_some()
}

fn report_key_encryption(recipient: &Recipient) -> KeyEncryptionReport {
    let Recipient { kind, algorithm, encapsulation, .. } = recipient;
    let parameters = algorithm.parameters.as_ref();
    let report = AlgorithmReport::of(&algorithm.oid);
    let (mut hash, mut mask_hash, mut key_wrap) = (None, None, None);
    if *kind == RecipientKind::KeyAgreement {
        hash = hash_in(&report.name);
        key_wrap = parameters.and_then(wrap).as_ref().map(AlgorithmReport::of);
    } else if algorithm.oid == ID_RSAES_OAEP {
        (hash, mask_hash) = oaep_hashes(parameters);
    } else if let Some(encapsulation) = encapsulation {
        hash = hash_in(&oid_name(&encapsulation.derivation.oid));
        key_wrap = Some(AlgorithmReport::of(&encapsulation.wrap.oid));
    }
    KeyEncryptionReport { algorithm: report, hash, mask_hash, key_wrap }
}

impl RecipientReport {
    /// The issuer of its certificate (RFC 4514), if it is named so.
    pub fn issuer(&self) -> Option<String> {
        self.issuer_and_serial().map(|(issuer, _)| name(issuer))
    }

    /// The serial number of its certificate in hexadecimal, if it is named so.
    pub fn serial(&self) -> Option<String> {
        self.issuer_and_serial().map(|(_, serial)| hex(serial))
    }

    /// The subjectKeyIdentifier in hexadecimal, if it is named so.
    pub fn key_identifier(&self) -> Option<String> {
        match &self.id {
            Some(RecipientId::SubjectKeyIdentifier(key)) => Some(hex(key)),
            _ => None,
        }
    }

    fn issuer_and_serial(&self) -> Option<(&[u8], &[u8])> {
        match &self.id {
            Some(RecipientId::IssuerAndSerialNumber { issuer, serial }) => Some((issuer, serial)),
            _ => None,
        }
    }
}

impl Serialize for RecipientReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("RecipientReport", 6)?;
        shown.serialize_field("kind", &self.kind)?;
        shown.serialize_field("issuer", &self.issuer())?;
        shown.serialize_field("serial", &self.serial())?;
        shown.serialize_field("key_identifier", &self.key_identifier())?;
        shown.serialize_field("algorithm", &*self.algorithm)?;
        shown.serialize_field("holders", &self.holders)?;
        shown.end()
    }
}

/// The names of key agreement schemes say their hash: `dhSinglePass-stdDH-sha256kdf-scheme`.
pub(super) fn hash_in(name: &str) -> Option<String> {
    let (_, after) = name.split_once("sha")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then(|| format!("sha{digits}"))
}

/// KeyWrapAlgorithm, the parameters of a key agreement.
fn wrap(parameters: &Any) -> Option<ObjectIdentifier> {
    oid(&mut Elements(parameters.value()), "keyInfo").ok()
}

/// Hash and mask hash of RSAES-OAEP-params (RFC 8017 A.2.1); nothing where they are broken.
pub(super) fn oaep_hashes(parameters: Option<&Any>) -> (Option<String>, Option<String>) {
    let mut fields = Elements(parameters.map_or(&[], Any::value));
    let hash = oaep_field(&mut fields, 0, |algorithm| oid(algorithm, "hashAlgorithm").ok());
    let mask_hash = oaep_field(&mut fields, 1, |algorithm| {
        oid(algorithm, "maskGenAlgorithm").ok()?;
        let hash = algorithm.optional(SEQUENCE).ok().flatten()?;
        oid(&mut Elements(hash.content), "the hash of maskGenAlgorithm").ok()
    });
    (hash.as_ref().map(hash_name), mask_hash.as_ref().map(hash_name))
}

/// An algorithm behind an explicit tag; SHA-1 where it is absent.
fn oaep_field(
    fields: &mut Elements<'_>,
    number: u8,
    read: impl FnOnce(&mut Elements<'_>) -> Option<ObjectIdentifier>,
) -> Option<ObjectIdentifier> {
    let Some(explicit) = fields.optional(constructed(number)).ok()? else { return Some(ID_SHA_1) };
    let algorithm = Elements(explicit.content).tagged(SEQUENCE, "an algorithm").ok()?;
    read(&mut Elements(algorithm.content))
}

/// `id-sha256` is `sha256`.
fn hash_name(oid: &ObjectIdentifier) -> String {
    let name = oid_name(oid);
    name.strip_prefix("id-").map(str::to_owned).unwrap_or(name)
}

/// RFC 4514, fit to be shown.
fn name(der: &[u8]) -> String {
    let parsed = Some(der).filter(|der| der.len() <= MAX_NAME).and_then(|der| Name::from_der(der).ok());
    let shown = parsed.map_or_else(|| format!("#{}", hex(der)), |name| name.to_string());
    printable(&shown)
}

fn hex(octets: &[u8]) -> String {
    /// No identifier of an honest writer is longer; a hostile one is not to fill the screen.
    const SHOWN: usize = 64;
    let digits: String = octets.iter().take(SHOWN).map(|octet| format!("{octet:02X}")).collect();
    if octets.len() > SHOWN { format!("{digits}…") } else { digits }
}
