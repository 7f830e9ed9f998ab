//! Who a message is sealed to, one key each.

use super::frame::{key_agreement_info, key_transport_info};
use super::{SealError, SealedTo};
use crate::cms::RecipientId;
use crate::crypto::agreement::AgreementAlgorithm;
use crate::crypto::{Profile, SecretBytes};
use crate::pki::{Certificate, Fingerprint, PublicKey, ValidatedCertificate};
use rand::CryptoRng;

/// A certificate as sealing needs it.
pub(super) struct Recipient {
    fingerprint: Fingerprint,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    key: PublicKey,
}

impl Recipient {
    /// Nothing but a key that the profile can serve.
    fn new(certificate: &Certificate, profile: Profile) -> Result<Recipient, SealError> {
        let fingerprint = certificate.fingerprint();
        let refused = |key: String| SealError::ProfileCannotServe {
            profile: profile.name(),
            key,
            certificate: fingerprint,
        };
        let key = certificate.public_key().map_err(|error| refused(error.to_string()))?;
        let mut ids = certificate.recipient_ids().into_iter();
        let name = ids.find_map(|id| match id {
            RecipientId::IssuerAndSerialNumber { issuer, serial } => Some((issuer, serial)),
            RecipientId::SubjectKeyIdentifier(_) => None,
        });
        let (issuer, serial) = name.ok_or_else(|| refused("unnamed".into()))?;
        Ok(Recipient { fingerprint, issuer, serial, key })
    }

    /// The RecipientInfo that hands the content key to this recipient.
    pub(super) fn info(
        &self,
        profile: Profile,
        content_key: &SecretBytes,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        match &self.key {
            PublicKey::Rsa(key) => self.transport_info(profile, key, content_key, rng),
            PublicKey::EcP256(key) => self.agreement_info(profile, key, content_key, rng),
        }
    }

    fn transport_info(
        &self,
        profile: Profile,
        key: &rsa::PublicKey,
        content_key: &SecretBytes,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        let transport = profile.key_transport();
        let wrapped = transport.wrap(key, content_key, rng)?;
        let algorithm = transport.identifier().map_err(|_| SealError::Primitive(transport.name))?;
        key_transport_info(&self.issuer, &self.serial, &algorithm, &wrapped)
            .map_err(|_| SealError::Primitive(transport.name))
    }

    fn agreement_info(
        &self,
        profile: Profile,
        key: &p256::PublicKey,
        content_key: &SecretBytes,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealError> {
        let failed = |_| SealError::Primitive(profile.key_agreement().name);
        let agreement = AgreementAlgorithm::new(profile.key_agreement(), profile.key_wrap());
        let wrapped = agreement.wrap(key, content_key, rng)?;
        let algorithm = agreement.identifier().map_err(failed)?;
        let (ephemeral, encrypted) = (&wrapped.ephemeral_key, &wrapped.encrypted_key);
        key_agreement_info(&self.issuer, &self.serial, &algorithm, ephemeral, encrypted).map_err(failed)
    }

    /// For reports.
    pub(super) fn sealed_to(&self) -> SealedTo {
        let id =
            RecipientId::IssuerAndSerialNumber { issuer: self.issuer.clone(), serial: self.serial.clone() };
        SealedTo { certificate: Some(self.fingerprint), id: Some(id) }
    }
}

/// Every certificate once, in the order given.
pub(super) fn recipients(
    certificates: &[ValidatedCertificate],
    profile: Profile,
) -> Result<Vec<Recipient>, SealError> {
    let mut recipients: Vec<Recipient> = Vec::with_capacity(certificates.len());
    for validated in certificates {
        let recipient = Recipient::new(validated.certificate(), profile)?;
        if recipients.iter().all(|known| known.fingerprint != recipient.fingerprint) {
            recipients.push(recipient);
        }
    }
    if recipients.is_empty() { Err(SealError::NoRecipient) } else { Ok(recipients) }
}
