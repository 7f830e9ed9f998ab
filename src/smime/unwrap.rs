//! From a sealed message and keys to its content key.

use super::{OpenError, OpeningKey};
use crate::cms;
use crate::cms::{Encapsulation, Enveloped, Recipient, RecipientId, RecipientKind};
use crate::crypto::agreement::{AgreementAlgorithm, Originator, check_originator};
use crate::crypto::algorithm::{CURVES, Curve, name_of};
use crate::crypto::curve::CurvePrivateKey;
use crate::crypto::encapsulation::{KemAlgorithm, KemIdentifiers};
use crate::crypto::kem::KemPrivateKey;
use crate::crypto::rsa_private::RsaPrivateKey;
use crate::crypto::transport::TransportAlgorithm;
use crate::crypto::{Policy, SecretBytes};
use crate::pki::key::PrivateKey;
use crate::pki::{Certificate, PublicKey, UnlockedKey};
use rsa::pkcs1::EncodeRsaPublicKey;
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The content key, as the first recipient that names one of the keys gives it. Where that recipient's key or padding is
/// wrong it is a key that opens nothing: only decrypting the content shows it.
pub(super) fn recover_content_key(
    enveloped: &Enveloped,
    key_len: usize,
    keys: &[OpeningKey<'_>],
    policy: &Policy,
) -> Result<SecretBytes, OpenError> {
    let (recipient, key) = find_recipient(&enveloped.recipients, keys)?;
    match key {
        RecipientKey::Rsa(key) => {
            let transport = TransportAlgorithm::read(&recipient.algorithm, policy)?;
            Ok(transport.unwrap(key, &recipient.encrypted_key, key_len))
        }
        RecipientKey::Curve(key) => {
            let agreement = AgreementAlgorithm::read(&recipient.algorithm, policy)?;
            let public = originator_key(recipient, enveloped, keys, key.public().curve())?;
            let ukm = recipient.agreement.as_ref().and_then(|agreement| agreement.ukm.as_deref());
            let originator = Originator { public_key: &public, ukm };
            Ok(agreement.unwrap(key, originator, &recipient.encrypted_key, key_len)?)
        }
        RecipientKey::Kem(key) => unwrap_encapsulated(recipient, key, key_len, policy),
    }
}

/// A private key that fits the kind of its recipient.
enum RecipientKey<'k> {
    Rsa(&'k RsaPrivateKey),
    Curve(&'k CurvePrivateKey),
    Kem(&'k KemPrivateKey),
}

fn unwrap_encapsulated(
    recipient: &Recipient,
    key: &KemPrivateKey,
    key_len: usize,
    policy: &Policy,
) -> Result<SecretBytes, OpenError> {
    let encapsulation = encapsulation(recipient)?;
    let algorithm = KemAlgorithm::read(kem_identifiers(recipient, encapsulation), policy)?;
    let ukm = encapsulation.ukm.as_deref();
    Ok(algorithm.unwrap(key, &encapsulation.ciphertext, ukm, &recipient.encrypted_key, key_len)?)
}

fn encapsulation(recipient: &Recipient) -> Result<&Encapsulation, OpenError> {
    recipient
        .encapsulation
        .as_deref()
        .ok_or_else(|| OpenError::Unsupported(name_of(&recipient.algorithm.oid)))
}

fn kem_identifiers<'a>(recipient: &'a Recipient, encapsulation: &'a Encapsulation) -> KemIdentifiers<'a> {
    KemIdentifiers {
        kem: &recipient.algorithm,
        derivation: &encapsulation.derivation,
        key_len: encapsulation.key_len,
        wrap: &encapsulation.wrap,
    }
}

/// The originator's half of a key agreement. RFC 5753 3.1.1 wants an ephemeral key there; an older originator may name a
/// certificate, which lies in the message or beside our keys.
fn originator_key(
    recipient: &Recipient,
    enveloped: &Enveloped,
    keys: &[OpeningKey<'_>],
    curve: &Curve,
) -> Result<Vec<u8>, OpenError> {
    match recipient.agreement.as_ref().map(|agreement| &agreement.originator) {
        Some(cms::Originator::Key(key)) => {
            check_originator(&key.algorithm, curve)?;
            Ok(key.public_key.clone())
        }
        Some(cms::Originator::Certificate(id)) => {
            named_key(id, enveloped, keys, curve).ok_or(OpenError::OriginatorUnknown)
        }
        None => Err(OpenError::Unsupported(name_of(&recipient.algorithm.oid))),
    }
}

fn named_key(
    id: &RecipientId,
    enveloped: &Enveloped,
    keys: &[OpeningKey<'_>],
    curve: &Curve,
) -> Option<Vec<u8>> {
    let sent = enveloped.originator_certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
    let held = keys.iter().filter_map(|key| key.certificate).cloned();
    let named = sent.chain(held).find(|certificate| certificate.recipient_ids().contains(id))?;
    match named.public_key().ok()? {
        PublicKey::Curve(key) if key.curve() == curve => Some(key.octets().to_vec()),
        _ => None,
    }
}

/// Is it what a recipient of ours would say, in algorithms of that policy? It names nobody's key then that we would not.
pub(super) fn is_listed(recipient: &Recipient, policy: &Policy) -> bool {
    match recipient.kind {
        RecipientKind::KeyTransport => TransportAlgorithm::read(&recipient.algorithm, policy).is_ok(),
        RecipientKind::KeyAgreement => {
            is_ephemeral(recipient) && AgreementAlgorithm::read(&recipient.algorithm, policy).is_ok()
        }
        RecipientKind::KeyEncapsulation => encapsulation(recipient).is_ok_and(|encapsulation| {
            KemAlgorithm::read(kem_identifiers(recipient, encapsulation), policy).is_ok()
        }),
        RecipientKind::Kek | RecipientKind::Password | RecipientKind::Other => false,
    }
}

/// Is the originator's a key made for the message, on a curve of ours?
fn is_ephemeral(recipient: &Recipient) -> bool {
    match recipient.agreement.as_ref().map(|agreement| &agreement.originator) {
        Some(cms::Originator::Key(key)) => {
            CURVES.into_iter().any(|curve| check_originator(&key.algorithm, curve).is_ok())
        }
        _ => false,
    }
}

/// The first recipient that names one of the keys, in a way that we can open.
fn find_recipient<'r, 'k>(
    recipients: &'r [Recipient],
    keys: &[OpeningKey<'k>],
) -> Result<(&'r Recipient, RecipientKey<'k>), OpenError> {
    let named_keys: Vec<(Vec<RecipientId>, &'k UnlockedKey)> = keys.iter().map(names).collect();
    let mut refusal = None;
    for recipient in recipients {
        let Some(id) = &recipient.id else { continue };
        let Some((_, key)) = named_keys.iter().find(|(ids, _)| ids.contains(id)) else { continue };
        match (recipient.kind, &key.0) {
            (RecipientKind::KeyTransport, PrivateKey::Rsa(key)) => {
                return Ok((recipient, RecipientKey::Rsa(key)));
            }
            (RecipientKind::KeyAgreement, PrivateKey::Curve(key)) => {
                return Ok((recipient, RecipientKey::Curve(key)));
            }
            (RecipientKind::KeyEncapsulation, PrivateKey::Kem(key)) => {
                return Ok((recipient, RecipientKey::Kem(key)));
            }
            _ => refusal = refusal.or(Some(misfit(recipient))),
        }
    }
    Err(match refusal {
        Some(refusal) => refusal,
        None if needs_certificate(recipients, keys) => OpenError::CertificateNeeded,
        None => OpenError::NotARecipient,
    })
}

/// Why a recipient is of no use although it names the key: its kind is unknown to us, or the key is not the certificate's.
fn misfit(recipient: &Recipient) -> OpenError {
    match recipient.kind {
        RecipientKind::KeyTransport | RecipientKind::KeyAgreement | RecipientKind::KeyEncapsulation => {
            OpenError::NotOpened
        }
        _ => OpenError::Unsupported(name_of(&recipient.algorithm.oid)),
    }
}

/// How messages name the key.
pub(super) fn names<'k>(key: &OpeningKey<'k>) -> (Vec<RecipientId>, &'k UnlockedKey) {
    let ids = match (key.certificate, &key.key.0) {
        (Some(certificate), _) => certificate.recipient_ids(),
        (None, PrivateKey::Rsa(rsa)) => rsa
            .to_public_key()
            .to_pkcs1_der()
            .map_or_else(|_| Vec::new(), |public| key_identifiers(public.as_bytes())),
        (None, PrivateKey::Curve(key)) => key_identifiers(key.public().octets()),
        (None, PrivateKey::Ed25519(key)) => key_identifiers(key.public().octets()),
        (None, PrivateKey::Kem(key)) => key_identifiers(key.public().octets()),
    };
    (ids, key.key)
}

/// The identifiers that authorities give a key, over its subjectPublicKey bits: SHA-1 (RFC 5280 4.2.1.2, method 1), and
/// the first 160 bits of SHA-256 (RFC 7093 2, method 1).
fn key_identifiers(subject_public_key: &[u8]) -> Vec<RecipientId> {
    let sha1 = Sha1::digest(subject_public_key).to_vec();
    let sha256 = Sha256::digest(subject_public_key).into_iter().take(20).collect();
    [sha1, sha256].map(RecipientId::SubjectKeyIdentifier).to_vec()
}

/// Could a certificate have helped? Yes, if a key came without one and a recipient is named by issuer and serial number.
fn needs_certificate(recipients: &[Recipient], keys: &[OpeningKey<'_>]) -> bool {
    let by_certificate =
        |recipient: &Recipient| matches!(recipient.id, Some(RecipientId::IssuerAndSerialNumber { .. }));
    keys.iter().any(|key| key.certificate.is_none()) && recipients.iter().any(by_certificate)
}
