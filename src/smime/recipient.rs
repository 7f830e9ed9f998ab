//! Who a message is sealed to, one key each.

use super::recipient_info::{self, RecipientInfo};
use super::{SealError, SealedTo};
use crate::cms::{MAX_RECIPIENTS, RecipientId};
use crate::crypto::agreement::AgreementAlgorithm;
use crate::crypto::algorithm::{Hash, Padding, Status};
use crate::crypto::encapsulation::KemAlgorithm;
use crate::crypto::policy::GcmReaders;
use crate::crypto::rsa_public::{Padded, TransportKey, encrypt_all};
use crate::crypto::{Classical, CurvePublicKey, KemPublicKey, KeyTransport, Profile, SecretBytes, Suite};
use crate::mail::HeaderPolicy;
use crate::pki::{Certificate, PublicKey, Reads, ValidatedCertificate};
use rand::rngs::StdRng;
use std::borrow::Cow;
use std::collections::HashSet;

/// How a message is sealed: which algorithms serve the recipients, how they are named, and what is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Form {
    /// Which algorithms.
    pub profile: Profile,
    /// Whom [`Profile::PostQuantum`] lets in beside post-quantum keys.
    pub classical: Classical,
    /// How recipients are named.
    pub naming: Naming,
    /// What of the header stays readable.
    pub headers: HeaderPolicy,
}

impl From<Profile> for Form {
    fn from(profile: Profile) -> Form {
        Form { profile, ..Form::default() }
    }
}

/// How a RecipientInfo names its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Naming {
    /// By issuer and serial number of the certificate, which every program knows.
    #[default]
    Certificate,
    /// By the certificate's subjectKeyIdentifier: a new certificate for the same key opens old messages. One that has
    /// none is named as above. gpgsm and Python's cryptography do not know it.
    KeyIdentifier,
}

/// Why a profile has nothing for a certificate's key, or nothing if it has; `beside` are the other certificates that the
/// message would be sealed to.
pub fn refusal(form: Form, certificate: &Certificate, beside: &[&Certificate]) -> Option<SealError> {
    let all: Vec<&Certificate> = beside.iter().copied().chain([certificate]).collect();
    let suite = suite(form, &all);
    match Recipient::new(certificate, suite, form.naming) {
        Ok(recipient) => lone_classical(&[recipient], &all, suite),
        Err(error) => Some(error),
    }
}

/// Can the form serve all of these together?
pub fn check_recipients(certificates: &[ValidatedCertificate], form: Form) -> Result<(), SealError> {
    recipients(certificates, form).map(|_| ())
}

/// The suite of a profile for these certificates.
fn suite(form: Form, certificates: &[&Certificate]) -> &'static Suite {
    let all = certificates.iter().all(|certificate| certificate.reads() == Reads::Gcm);
    let gcm = if all && !certificates.is_empty() { GcmReaders::All } else { GcmReaders::NotAll };
    form.profile.suite(gcm, form.classical)
}

/// A certificate as sealing needs it.
pub(super) struct Recipient<'c> {
    certificate: &'c Certificate,
    naming: Naming,
    key: RecipientKey<'c>,
}

/// A key with the algorithms that serve it.
enum RecipientKey<'c> {
    Transport(&'static KeyTransport, &'c TransportKey),
    Agreement(AgreementAlgorithm, &'c CurvePublicKey),
    Encapsulation(KemAlgorithm, &'c KemPublicKey),
}

/// A content key on its way to a recipient.
pub(super) enum Handed<'c> {
    /// The RSA operation is still to be done: see [`Recipient::transported`].
    Padded(Padded<'c>),
    /// All is done.
    Ready(RecipientInfo),
}

impl<'c> Recipient<'c> {
    /// Nothing but a key that the suite can serve.
    fn new(certificate: &'c Certificate, suite: &Suite, naming: Naming) -> Result<Recipient<'c>, SealError> {
        let key = certificate.key().map_err(|error| SealError::KeyUnusable {
            reason: error.to_string(),
            certificate: certificate.fingerprint(),
        })?;
        match RecipientKey::new(key, certificate, suite) {
            Some(key) => Ok(Recipient { certificate, naming, key }),
            None => Err(SealError::ProfileCannotServe {
                profile: suite.profile.name(),
                hint: hint(key, suite.profile),
                key: key.to_string(),
                certificate: certificate.fingerprint(),
            }),
        }
    }

    /// Hands the content key to this recipient, but for the RSA operation, which is quicker over many at once.
    pub(super) fn hand(&self, content_key: &SecretBytes, rng: &mut StdRng) -> Result<Handed<'c>, SealError> {
        let info = match &self.key {
            RecipientKey::Transport(transport, key) => {
                return Ok(Handed::Padded(transport.pad(key, content_key, rng)?));
            }
            RecipientKey::Agreement(agreement, key) => {
                let wrapped = agreement.wrap(key, content_key, rng)?;
                let algorithm = agreement.identifier().map_err(unwritten)?;
                recipient_info::key_agreement(&self.id(), &algorithm, key.curve(), &wrapped)
            }
            RecipientKey::Encapsulation(kem, key) => {
                let encapsulated = kem.wrap(key, content_key, rng)?;
                recipient_info::key_encapsulation(&self.id(), kem, &encapsulated)
            }
        };
        info.map(Handed::Ready).map_err(unwritten)
    }

    /// The RecipientInfo around what became of a [`Handed::Padded`] of this recipient. Fails where nothing of the right
    /// length did.
    pub(super) fn transported(&self, encrypted_key: &[u8]) -> Result<RecipientInfo, SealError> {
        match &self.key {
            RecipientKey::Transport(_, key) if encrypted_key.len() != key.octets() => {
                Err(SealError::Primitive("RSA"))
            }
            RecipientKey::Transport(transport, _) => {
                let front = self.transport_front(transport).map_err(unwritten)?;
                Ok(recipient_info::key_transport(&front, encrypted_key))
            }
            // Nothing of the other kinds is padded.
            _ => Err(SealError::Primitive("encoding")),
        }
    }

    /// Kept for the rows that a suite has, under each naming.
    fn transport_front(&self, transport: &'static KeyTransport) -> der::Result<Cow<'c, [u8]>> {
        let make = || recipient_info::key_transport_front(&self.id(), &transport.identifier()?);
        let by_key = usize::from(self.naming == Naming::KeyIdentifier);
        match transport.padding {
            Padding::Pkcs1V1_5 => self.certificate.constant(by_key, make),
            Padding::Oaep(Hash::Sha256) => self.certificate.constant(2 + by_key, make),
            Padding::Oaep(_) => make().map(Cow::Owned),
        }
    }

    /// The RecipientInfo that hands the content key to this recipient, alone.
    pub(super) fn info(
        &self,
        content_key: &SecretBytes,
        rng: &mut StdRng,
    ) -> Result<RecipientInfo, SealError> {
        match self.hand(content_key, rng)? {
            Handed::Padded(padded) => self.transported(&encrypt_all(vec![padded]).concat()),
            Handed::Ready(info) => Ok(info),
        }
    }

    fn id(&self) -> RecipientId {
        let by_key = self.certificate.subject_key_id().filter(|_| self.naming == Naming::KeyIdentifier);
        by_key.map_or_else(|| self.certificate.issuer_and_serial(), RecipientId::SubjectKeyIdentifier)
    }

    /// For reports.
    pub(super) fn sealed_to(&self) -> SealedTo {
        SealedTo { certificate: Some(self.certificate.fingerprint()), id: Some(self.id()) }
    }

    fn is_post_quantum(&self) -> bool {
        matches!(self.key, RecipientKey::Encapsulation(..))
    }
}

impl<'c> RecipientKey<'c> {
    fn new(key: &'c PublicKey, certificate: &'c Certificate, suite: &Suite) -> Option<RecipientKey<'c>> {
        match key {
            PublicKey::Rsa(_) => {
                Some(RecipientKey::Transport(suite.transport?, certificate.transport_key()?))
            }
            PublicKey::Curve(key) => {
                let agreement = suite.agreement(key.curve())?;
                Some(RecipientKey::Agreement(AgreementAlgorithm::new(agreement, suite.wrap), key))
            }
            PublicKey::Ed25519(_) => None,
            PublicKey::Kem(key) => {
                let derivation = suite.derivation.filter(|_| key.kem().status == Status::Write)?;
                let algorithm = KemAlgorithm::new(key.kem(), derivation, suite.wrap);
                Some(RecipientKey::Encapsulation(algorithm, key))
            }
        }
    }
}

fn unwritten(_: der::Error) -> SealError {
    SealError::Primitive("encoding")
}

/// What to do about a key that the profile has nothing for.
fn hint(key: &PublicKey, profile: Profile) -> &'static str {
    match key {
        PublicKey::Kem(key) if key.kem().status == Status::ReadOnly => {
            "it is read and never written; take ML-KEM-768"
        }
        PublicKey::Ed25519(_) => "such a key signs and does nothing else",
        PublicKey::Kem(_) => "choose the profile post-quantum",
        _ if profile == Profile::PostQuantum => {
            "a classical key stands beside ML-KEM only where also-classical is set"
        }
        _ => "choose the profile modern",
    }
}

/// Every certificate once, in the order given.
pub(super) fn recipients(
    certificates: &[ValidatedCertificate],
    form: Form,
) -> Result<(&'static Suite, Vec<Recipient<'_>>), SealError> {
    let all: Vec<&Certificate> = certificates.iter().map(ValidatedCertificate::certificate).collect();
    let suite = suite(form, &all);
    let recipients = recipients_for(&all, suite, form.naming)?;
    match lone_classical(&recipients, &all, suite) {
        None => Ok((suite, recipients)),
        Some(error) => Err(error),
    }
}

/// The same with a suite that is settled.
pub(super) fn recipients_for<'c>(
    certificates: &[&'c Certificate],
    suite: &Suite,
    naming: Naming,
) -> Result<Vec<Recipient<'c>>, SealError> {
    if let [only] = certificates {
        return Ok(vec![Recipient::new(only, suite, naming)?]);
    }
    let mut known = HashSet::with_capacity(certificates.len());
    let once: Vec<_> = certificates.iter().filter(|one| known.insert(one.fingerprint())).collect();
    check_count(once.len())?;
    once.into_iter().map(|certificate| Recipient::new(certificate, suite, naming)).collect()
}

/// Our own reader must be able to read what is written.
fn check_count(count: usize) -> Result<(), SealError> {
    match count {
        0 => Err(SealError::NoRecipient),
        count if count > MAX_RECIPIENTS => Err(SealError::TooManyRecipients { count, limit: MAX_RECIPIENTS }),
        _ => Ok(()),
    }
}

/// Classical keys may stand beside ML-KEM, never without it: the profile's name would be a lie.
fn lone_classical(recipients: &[Recipient<'_>], all: &[&Certificate], suite: &Suite) -> Option<SealError> {
    let has_kem = |certificate: &&Certificate| matches!(certificate.key(), Ok(PublicKey::Kem(_)));
    let lone = suite.profile == Profile::PostQuantum
        && !recipients.iter().any(Recipient::is_post_quantum)
        && !all.iter().any(has_kem);
    let certificate = recipients.first()?.certificate.fingerprint();
    lone.then_some(SealError::NothingPostQuantum { certificate })
}
