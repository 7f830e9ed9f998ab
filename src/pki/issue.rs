//! Makes certificates: a domain's self-signed authority, and user certificates signed by it (RFC 5280, RFC 8550).

use super::capabilities;
use super::certificate::NoAuthority;
use super::names::{Subject, dns_name, fitting, mailbox_name};
use super::terms::Terms;
use super::{Certificate, PkiError, PublicKey, Reads, UnlockedKey};
use crate::crypto::Seed;
use crate::mail::Address;
use const_oid::AssociatedOid;
use const_oid::db::rfc5280::ID_KP_EMAIL_PROTECTION;
use der::asn1::{BitString, Int, OctetString};
use der::{Decode, Encode, Sequence};
use rand::Rng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use time::{Duration, OffsetDateTime};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::time::Time;

/// How long a self-signed authority lives unless told otherwise: ten years, leap days included.
pub const AUTHORITY_LIFETIME: Duration = Duration::days(3652);

/// How long a user certificate lives unless told otherwise: two years, as public S/MIME authorities allow at most.
pub const USER_LIFETIME: Duration = Duration::days(730);

/// From when to when; both moments belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: OffsetDateTime,
    /// Last moment.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// From a moment on, for a while.
    pub fn lasting(not_before: OffsetDateTime, lifetime: Duration) -> Validity {
        Validity { not_before, not_after: not_before.saturating_add(lifetime) }
    }

    /// The part of it that lies in the other.
    fn within(self, outer: Validity) -> Result<Validity, PkiError> {
        let inner = Validity {
            not_before: self.not_before.max(outer.not_before),
            not_after: self.not_after.min(outer.not_after),
        };
        if inner.not_before >= inner.not_after {
            let text =
                format!("the issuer's certificate is valid from {} to {}", outer.not_before, outer.not_after);
            return Err(PkiError::Validity(text));
        }
        Ok(inner)
    }
}

/// What a self-signed authority says of itself.
#[derive(Debug, Clone)]
pub struct AuthorityProfile<'a> {
    /// Who it is.
    pub subject: &'a Subject,
    /// Names of the domain, in A-labels, for the subjectAltName.
    pub dns_names: &'a [String],
    /// From when to when; see [`AUTHORITY_LIFETIME`].
    pub validity: Validity,
}

/// What a user certificate says of its holder.
#[derive(Debug, Clone)]
pub struct UserProfile<'a> {
    /// commonName: the person's name or address; cut after 64 letters.
    pub common_name: &'a str,
    /// Names of the holder's mailboxes; at least one.
    pub addresses: &'a [Address],
    /// From when to when; cut to the issuer's own validity. See [`USER_LIFETIME`].
    pub validity: Validity,
    /// What the holder's mail programs read.
    pub reads: Reads,
}

/// A certificate and its key that may sign others.
pub struct Authority<'a> {
    pub(super) certificate: &'a Certificate,
    pub(super) key: &'a UnlockedKey,
    terms: Option<&'a Terms>,
}

impl<'a> Authority<'a> {
    /// Checks that the certificate holds the key and may sign certificates (basicConstraints CA, keyCertSign).
    pub fn new(certificate: &'a Certificate, key: &'a UnlockedKey) -> Result<Authority<'a>, PkiError> {
        require_key(certificate, &key.public())?;
        let reason = match certificate.no_authority()? {
            None => return Ok(Authority { certificate, key, terms: None }),
            Some(NoAuthority::BasicConstraints) => {
                "its certificate is not that of an authority (basicConstraints CA is missing)"
            }
            Some(NoAuthority::KeyUsage) => "its keyUsage does not allow to sign certificates (keyCertSign)",
        };
        Err(PkiError::NotAnAuthority { subject: certificate.subject(), reason })
    }

    /// Writes these into every certificate that it issues.
    pub fn stating(self, terms: &'a Terms) -> Authority<'a> {
        Authority { terms: Some(terms), ..self }
    }

    /// Issues a certificate for a user's key.
    pub fn issue(
        &self,
        key: &PublicKey,
        user: &UserProfile<'_>,
        seed: Seed,
    ) -> Result<Certificate, PkiError> {
        if user.addresses.is_empty() {
            return Err(PkiError::Name {
                name: user.common_name.to_owned(),
                field: "holder",
                reason: "a user certificate needs an address",
            });
        }
        let mut rng = seed.into_rng();
        let issuer =
            Validity { not_before: self.certificate.not_before(), not_after: self.certificate.not_after() };
        let draft = Draft {
            serial: random_serial(&mut rng)?,
            issuer: self.certificate.parsed().tbs_certificate().subject().clone(),
            validity: user.validity.within(issuer)?,
            subject: Subject::named(fitting(user.common_name)).to_name()?,
            key,
            extensions: self.user_extensions(key, user)?,
        };
        draft.sign(self.key, &mut rng)
    }

    fn user_extensions(&self, key: &PublicKey, user: &UserProfile<'_>) -> Result<Vec<Extension>, PkiError> {
        let names = user.addresses.iter().map(mailbox_name).collect::<Result<Vec<_>, _>>()?;
        let mut extensions = vec![
            extension(true, &usages(key))?,
            extension(false, &ExtendedKeyUsage(vec![ID_KP_EMAIL_PROTECTION]))?,
            extension(false, &SubjectAltName(names))?,
            extension(false, &key_id(key)?)?,
            extension(false, &self.key_id()?)?,
            capabilities::extension(user.reads)?,
        ];
        if let Some(terms) = self.terms {
            extensions.extend(terms.extensions()?);
        }
        Ok(extensions)
    }

    pub(super) fn key_id(&self) -> Result<AuthorityKeyIdentifier, PkiError> {
        let id = match self.certificate.subject_key_id() {
            Some(id) => OctetString::new(id).map_err(unwritten)?,
            None => key_id(&self.key.public())?.0,
        };
        Ok(AuthorityKeyIdentifier { key_identifier: Some(id), ..AuthorityKeyIdentifier::default() })
    }
}

/// What a key may be used for: to sign, if it can, and to be encrypted to. RFC 8410 5 and RFC 9935 5 let X25519 and ML-KEM
/// keys have nothing else.
pub(super) fn usages(key: &PublicKey) -> KeyUsage {
    let encrypt = match key {
        PublicKey::Ed25519(_) => return KeyUsage(KeyUsages::DigitalSignature.into()),
        PublicKey::Rsa(_) | PublicKey::Kem(_) => KeyUsages::KeyEncipherment,
        PublicKey::Curve(_) => KeyUsages::KeyAgreement,
    };
    let signs = key.signature_algorithm().is_ok();
    if signs { KeyUsage(KeyUsages::DigitalSignature | encrypt) } else { KeyUsage(encrypt.into()) }
}

/// A self-signed certificate that may issue user certificates and revoke them, and nothing below them.
pub fn self_sign(
    key: &UnlockedKey,
    profile: &AuthorityProfile<'_>,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    self_signed_as(key, profile, authority_extensions(&key.public())?, seed)
}

/// The key's certificate for itself under the subject and the DNS names of the profile, with these extensions too.
pub(super) fn self_signed_as(
    key: &UnlockedKey,
    profile: &AuthorityProfile<'_>,
    mut extensions: Vec<Extension>,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    extensions.extend(dns_names(profile.dns_names)?);
    self_signed(key, profile.subject.to_name()?, extensions, profile.validity, seed)
}

/// The key's certificate for itself under that name, with a fresh serial number.
pub(super) fn self_signed(
    key: &UnlockedKey,
    name: Name,
    extensions: Vec<Extension>,
    validity: Validity,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    require_order(validity)?;
    let mut rng = seed.into_rng();
    let serial = random_serial(&mut rng)?;
    let key_half = key.public();
    let draft = Draft { serial, issuer: name.clone(), validity, subject: name, key: &key_half, extensions };
    draft.sign(key, &mut rng)
}

/// The subjectAltName of these names, if there are any.
fn dns_names(names: &[String]) -> Result<Option<Extension>, PkiError> {
    let names = names.iter().map(|name| dns_name(name)).collect::<Result<Vec<_>, _>>()?;
    if names.is_empty() { Ok(None) } else { extension(false, &SubjectAltName(names)).map(Some) }
}

/// The same self-signed certificate with a new validity: serial, names and extensions are kept.
pub fn refresh(
    old: &Certificate,
    key: &UnlockedKey,
    validity: Validity,
    seed: Seed,
) -> Result<Certificate, PkiError> {
    require_key(old, &key.public())?;
    require_order(validity)?;
    let tbs = old.parsed().tbs_certificate();
    if !old.is_self_issued() {
        return Err(PkiError::OuterCertificate { subject: old.subject(), issuer: old.issuer() });
    }
    let draft = Draft {
        serial: Int::new(old.serial_octets()).map_err(unwritten)?,
        issuer: tbs.subject().clone(),
        validity,
        subject: tbs.subject().clone(),
        key: &key.public(),
        extensions: tbs.extensions().cloned().unwrap_or_default(),
    };
    draft.sign(key, &mut seed.into_rng())
}

/// Does the certificate hold this public key?
pub(super) fn require_key(certificate: &Certificate, key: &PublicKey) -> Result<(), PkiError> {
    let (found, wanted) = (certificate.key_fingerprint()?, key.fingerprint()?);
    if found == wanted { Ok(()) } else { Err(PkiError::OtherKey { found, wanted }) }
}

fn require_order(validity: Validity) -> Result<(), PkiError> {
    if validity.not_before < validity.not_after {
        return Ok(());
    }
    Err(PkiError::Validity(format!(
        "it ends ({}) before it begins ({})",
        validity.not_after, validity.not_before
    )))
}

pub(super) fn authority_extensions(key: &PublicKey) -> Result<Vec<Extension>, PkiError> {
    let usage = KeyUsages::DigitalSignature | KeyUsages::KeyCertSign | KeyUsages::CRLSign;
    let id = key_id(key)?;
    let own =
        AuthorityKeyIdentifier { key_identifier: Some(id.0.clone()), ..AuthorityKeyIdentifier::default() };
    Ok(vec![
        extension(true, &BasicConstraints { ca: true, path_len_constraint: Some(0) })?,
        extension(true, &KeyUsage(usage))?,
        extension(false, &id)?,
        extension(false, &own)?,
    ])
}

/// RFC 7093 2, method 1: the first 160 bits of SHA-256 over the public key's BIT STRING.
pub(super) fn key_id(key: &PublicKey) -> Result<SubjectKeyIdentifier, PkiError> {
    let spki = SubjectPublicKeyInfoOwned::from_der(&key.to_spki()?).map_err(unwritten)?;
    let digest = Sha256::digest(spki.subject_public_key.raw_bytes());
    let id: Vec<u8> = digest.iter().copied().take(20).collect();
    OctetString::new(id).map(SubjectKeyIdentifier).map_err(unwritten)
}

/// An extension of a kind that knows its OID.
pub(crate) fn extension<E: AssociatedOid + Encode>(critical: bool, value: &E) -> Result<Extension, PkiError> {
    let value = value.to_der().and_then(OctetString::new).map_err(unwritten)?;
    Ok(Extension { extn_id: E::OID, critical, extn_value: value })
}

/// 128 random bits, positive and not zero (RFC 5280 4.1.2.2; a leading 1 bit makes every serial 17 octets).
fn random_serial(rng: &mut StdRng) -> Result<Int, PkiError> {
    let mut octets = [0_u8; 17];
    let [sign, random @ ..] = &mut octets;
    *sign = 1;
    rng.fill_bytes(random);
    Int::new(&octets).map_err(unwritten)
}

pub(crate) fn unwritten(error: der::Error) -> PkiError {
    PkiError::malformed("what should be signed", error)
}

/// TBSCertificate before it is signed.
struct Draft<'a> {
    serial: Int,
    issuer: Name,
    validity: Validity,
    subject: Name,
    key: &'a PublicKey,
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: Int,
    signature: AlgorithmIdentifierOwned,
    issuer: Name,
    validity: Period,
    subject: Name,
    key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Period {
    not_before: Time,
    not_after: Time,
}

#[derive(Sequence)]
struct Signed {
    tbs: der::Any,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// The SEQUENCE of what is signed, the algorithm and the signature: certificates and requests alike.
pub(crate) fn sign(tbs: &[u8], key: &UnlockedKey, rng: &mut StdRng) -> Result<Vec<u8>, PkiError> {
    let signature = key.sign(tbs, rng)?;
    let signed = Signed {
        tbs: der::Any::from_der(tbs).map_err(unwritten)?,
        algorithm: key.public().signature_algorithm()?,
        signature: BitString::from_bytes(&signature).map_err(unwritten)?,
    };
    signed.to_der().map_err(unwritten)
}

impl Draft<'_> {
    fn sign(self, key: &UnlockedKey, rng: &mut StdRng) -> Result<Certificate, PkiError> {
        const V3: u8 = 2;
        let tbs = TbsCertificate {
            version: V3,
            serial: self.serial,
            signature: key.public().signature_algorithm()?,
            issuer: self.issuer,
            validity: Period {
                not_before: asn1_time(self.validity.not_before)?,
                not_after: asn1_time(self.validity.not_after)?,
            },
            subject: self.subject,
            key: SubjectPublicKeyInfoOwned::from_der(&self.key.to_spki()?).map_err(unwritten)?,
            extensions: self.extensions,
        };
        Certificate::from_der(&sign(&tbs.to_der().map_err(unwritten)?, key, rng)?)
    }
}

/// UTCTime until 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5); whole seconds.
pub(super) fn asn1_time(moment: OffsetDateTime) -> Result<Time, PkiError> {
    let seconds = u64::try_from(moment.unix_timestamp())
        .map_err(|_| PkiError::Validity(format!("{moment} lies before 1970")))?;
    der::DateTime::from_unix_duration(std::time::Duration::from_secs(seconds))
        .map(Time::from)
        .map_err(|error| PkiError::Validity(format!("{moment}: {error}")))
}

#[cfg(test)]
pub(crate) mod tests;
