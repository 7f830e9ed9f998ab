//! What can be said about a message without any key, for people and for JSON.

use super::protection::examine;
use super::{Enveloped, Protection, Recipient, RecipientId, RecipientKind};
use crate::mail::Message;
use const_oid::ObjectIdentifier;
use const_oid::db::{DB, rfc5911};
use der::Decode;
use serde::Serialize;
use x509_cert::name::Name;

/// Longer issuer names are shown as octets: taking one apart costs the square of its longest SET.
const MAX_NAME: usize = 512;

/// What protects a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Structure {
    /// Nothing that we know.
    #[serde(rename = "none")]
    None,
    /// A signature, of S/MIME or OpenPGP.
    #[serde(rename = "signed")]
    Signed,
    /// S/MIME, RFC 5652 6.
    EnvelopedData,
    /// S/MIME, RFC 5083.
    AuthEnvelopedData,
    /// An OpenPGP encrypted message.
    OpenPGP,
}

/// What would show that the ciphertext was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    /// Nothing (CBC).
    None,
    /// An authentication tag of so many octets.
    Tag(usize),
}

/// An algorithm by its object identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlgorithmReport {
    /// The object identifier, dotted.
    pub oid: String,
    /// Its usual name; the dotted form again if it has none that we know.
    pub name: String,
}

/// One recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecipientReport {
    /// How the content key reaches it.
    pub kind: RecipientKind,
    /// The issuer of its certificate (RFC 4514), if it is named so.
    pub issuer: Option<String>,
    /// The serial number of its certificate in hexadecimal, if it is named so.
    pub serial: Option<String>,
    /// The subjectKeyIdentifier in hexadecimal, if it is named so.
    pub key_identifier: Option<String>,
    /// keyEncryptionAlgorithm.
    pub algorithm: AlgorithmReport,
}

/// The encrypted content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentReport {
    /// contentEncryptionAlgorithm.
    pub algorithm: AlgorithmReport,
    /// Octets of ciphertext.
    pub encrypted_octets: usize,
    /// What protects it from change.
    pub integrity: Integrity,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What protects the message.
    pub structure: Structure,
    /// Who can open it, in their order; empty unless it is S/MIME.
    pub recipients: Vec<RecipientReport>,
    /// The encrypted content of S/MIME.
    pub content: Option<ContentReport>,
    /// Why a message that seems to be S/MIME is none.
    pub fault: Option<String>,
}

/// Reports what protects a message.
pub fn inspect(message: &Message<'_>) -> Report {
    match examine(message) {
        Ok(Protection::Encrypted(enveloped)) => report_enveloped(&enveloped),
        Ok(Protection::Signed) => bare_report(Structure::Signed),
        Ok(Protection::OpenPgp) => bare_report(Structure::OpenPGP),
        Ok(Protection::None) => bare_report(Structure::None),
        Err(fault) => Report { fault: Some(fault.to_string()), ..bare_report(Structure::None) },
    }
}

fn bare_report(structure: Structure) -> Report {
    Report { structure, recipients: Vec::new(), content: None, fault: None }
}

fn report_enveloped(enveloped: &Enveloped) -> Report {
    let structure =
        if enveloped.authenticated { Structure::AuthEnvelopedData } else { Structure::EnvelopedData };
    let content = ContentReport {
        algorithm: report_algorithm(&enveloped.algorithm.oid),
        encrypted_octets: enveloped.encrypted_content.len(),
        integrity: enveloped.tag.as_ref().map_or(Integrity::None, |tag| Integrity::Tag(tag.len())),
    };
    let recipients = enveloped.recipients.iter().map(report_recipient).collect();
    Report { recipients, content: Some(content), ..bare_report(structure) }
}

fn report_recipient(recipient: &Recipient) -> RecipientReport {
    let (issuer, serial, key_identifier) = match &recipient.id {
        Some(RecipientId::IssuerAndSerialNumber { issuer, serial }) => {
            (Some(name(issuer)), Some(hex(serial)), None)
        }
        Some(RecipientId::SubjectKeyIdentifier(key)) => (None, None, Some(hex(key))),
        None => (None, None, None),
    };
    let algorithm = report_algorithm(&recipient.algorithm.oid);
    RecipientReport { kind: recipient.kind, issuer, serial, key_identifier, algorithm }
}

fn report_algorithm(oid: &ObjectIdentifier) -> AlgorithmReport {
    AlgorithmReport { oid: oid.to_string(), name: oid_name(oid) }
}

/// The usual name, or the dotted form.
pub(super) fn oid_name(oid: &ObjectIdentifier) -> String {
    let ours = match *oid {
        rfc5911::ID_SIGNED_DATA => Some("SignedData"),
        rfc5911::ID_ENVELOPED_DATA => Some("EnvelopedData"),
        rfc5911::ID_CT_AUTH_ENVELOPED_DATA => Some("AuthEnvelopedData"),
        _ => None,
    };
    ours.or_else(|| DB.by_oid(oid)).map_or_else(|| oid.to_string(), str::to_owned)
}

/// RFC 4514; control characters, which could steer a terminal, become U+FFFD.
fn name(der: &[u8]) -> String {
    let parsed = Some(der).filter(|der| der.len() <= MAX_NAME).and_then(|der| Name::from_der(der).ok());
    let shown = parsed.map_or_else(|| format!("#{}", hex(der)), |name| name.to_string());
    shown.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn hex(octets: &[u8]) -> String {
    /// No identifier of an honest writer is longer; a hostile one is not to fill the screen.
    const SHOWN: usize = 64;
    let digits: String = octets.iter().take(SHOWN).map(|octet| format!("{octet:02X}")).collect();
    if octets.len() > SHOWN { format!("{digits}…") } else { digits }
}
