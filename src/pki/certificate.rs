//! An X.509 certificate (RFC 5280) with what mail asks of it.

mod known;

use super::signature::Signed;
use super::{PkiError, PublicKey, Reads, capabilities};
use crate::cms::RecipientId;
use crate::crypto::algorithm::name_of;
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::Utf8StringRef;
use der::{Decode, Encode, Reader, SliceReader, Tag};
use known::Known;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use time::OffsetDateTime;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

/// A certificate is no larger: 64 KiB hold every real one many times over, even with post-quantum keys.
pub(crate) const MAX_CERTIFICATE: usize = 64 * 1024;

/// RFC 5280 4.1.2.2: at most 20 octets; one more is let pass for the sign octet, as x509-cert reads it.
const MAX_SERIAL: usize = 21;

/// id-on-SmtpUTF8Mailbox (RFC 9598 3).
pub(crate) const SMTP_UTF8_MAILBOX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.9");

/// SHA-256 over the DER of a certificate, or over a key's SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Why a certificate's holder may not sign certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAuthority {
    /// Missing, or they do not say CA.
    BasicConstraints,
    /// There, without keyCertSign.
    KeyUsage,
}

/// A parsed certificate that keeps its exact DER. Clones share it, and what was found out about it.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    parsed: x509_cert::Certificate,
    known: Known,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Certificate({})", self.fingerprint())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Certificate {
    /// Reads one certificate in DER. Trailing octets are refused.
    pub fn from_der(bytes: &[u8]) -> Result<Certificate, PkiError> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(long_serial(bytes).unwrap_or(PkiError::TooLarge {
                what: "a certificate",
                size: bytes.len(),
                limit: MAX_CERTIFICATE,
            }));
        }
        let broken = |error: der::Error| PkiError::malformed("the certificate", error);
        let (serial, issuer) = serial_and_issuer(bytes).map_err(broken)?;
        let parsed = x509_cert::Certificate::from_der(bytes)
            .map_err(|error| long_serial(bytes).unwrap_or_else(|| broken(error)))?;
        let (der, issuer, serial) = (bytes.to_vec(), issuer.to_vec(), serial.to_vec());
        Ok(Certificate(Arc::new(Parsed { der, issuer, serial, parsed, known: Known::default() })))
    }

    /// Reads the one certificate of a PEM text; other text around it is allowed, a second certificate is not.
    pub fn from_pem(bytes: &[u8]) -> Result<Certificate, PkiError> {
        let mut found = super::read_certificates(bytes)?;
        match (found.pop(), found.len()) {
            (Some(one), 0) => Ok(one),
            (_, more) => Err(PkiError::TooMany { what: "certificates", count: more + 1 }),
        }
    }

    /// SHA-256 over the DER.
    pub fn fingerprint(&self) -> Fingerprint {
        *self.0.known.fingerprint.get_or_init(|| Fingerprint(Sha256::digest(self.der()).into()))
    }

    /// SHA-1 over the DER, in hexadecimal: by this old programs show a certificate. Nothing is decided by it.
    pub fn sha1_fingerprint(&self) -> String {
        Sha1::digest(&self.0.der).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its key, if it is of a kind that we can use.
    pub fn public_key(&self) -> Result<PublicKey, PkiError> {
        self.key().cloned()
    }

    /// SHA-256 over the SubjectPublicKeyInfo: names the key, whatever certificates it has.
    pub fn key_fingerprint(&self) -> Result<Fingerprint, PkiError> {
        let spki = self.0.parsed.tbs_certificate().subject_public_key_info().to_der();
        let spki = spki.map_err(|error| PkiError::malformed("the public key", error))?;
        Ok(Fingerprint(Sha256::digest(spki).into()))
    }

    /// The kind of its key in words: `RSA 2048`, `EC P-256`; the algorithm's name if we cannot use it.
    pub fn key_description(&self) -> String {
        let oid = self.0.parsed.tbs_certificate().subject_public_key_info().algorithm.oid;
        self.public_key().map_or_else(|_| name_of(&oid), |key| key.to_string())
    }

    /// Does it say that the other's holder issued it? (Whether that is so, [`Certificate::is_signed_by`] tells.)
    pub fn names_as_issuer(&self, issuer: &Certificate) -> bool {
        self.0.parsed.tbs_certificate().issuer() == issuer.0.parsed.tbs_certificate().subject()
    }

    /// Did the holder of that certificate sign this one? Name and signature are compared, and nothing else: neither
    /// times nor whether it may.
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let signed_by = |key| self.signed().verify(&key).is_ok();
        self.names_as_issuer(issuer) && issuer.public_key().is_ok_and(signed_by)
    }

    /// It as what somebody signed.
    pub(crate) fn signed(&self) -> Signed<'_> {
        let algorithm = self.0.parsed.signature_algorithm();
        Signed { der: &self.0.der, algorithm, signature: self.0.parsed.signature() }
    }

    /// The exact DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The DER as PEM, lines ending in LF.
    pub fn to_pem(&self) -> Result<String, PkiError> {
        super::pem::write("CERTIFICATE", &self.0.der)
    }

    /// The parsed structure.
    pub fn parsed(&self) -> &x509_cert::Certificate {
        &self.0.parsed
    }

    /// How a RecipientInfo names it: issuer and serial number, and the key identifier if it has one.
    pub fn recipient_ids(&self) -> Vec<RecipientId> {
        let by_key = self.subject_key_id().map(RecipientId::SubjectKeyIdentifier);
        std::iter::once(self.issuer_and_serial()).chain(by_key).collect()
    }

    /// The name that every program knows it by.
    pub(crate) fn issuer_and_serial(&self) -> RecipientId {
        RecipientId::IssuerAndSerialNumber { issuer: self.0.issuer.clone(), serial: self.0.serial.clone() }
    }

    /// What its holder reads, by its smimeCapabilities (RFC 4262).
    pub fn reads(&self) -> Reads {
        let extensions = || self.parsed().tbs_certificate().extensions().map_or(&[][..], Vec::as_slice);
        *self.0.known.reads.get_or_init(|| capabilities::of(extensions()))
    }

    /// The subject in RFC 4514 form.
    pub fn subject(&self) -> String {
        self.0.parsed.tbs_certificate().subject().to_string()
    }

    /// The commonName of its subject, if it has one in UTF-8 or ASCII.
    pub fn common_name(&self) -> Option<String> {
        let subject = self.0.parsed.tbs_certificate().subject();
        let name = subject.iter().find(|one| one.oid == const_oid::db::rfc4519::COMMON_NAME)?;
        std::str::from_utf8(name.value.value()).ok().map(str::to_owned)
    }

    /// The issuer in RFC 4514 form.
    pub fn issuer(&self) -> String {
        self.0.parsed.tbs_certificate().issuer().to_string()
    }

    /// DER of the issuer's Name, as it stands in the certificate.
    pub fn issuer_der(&self) -> &[u8] {
        &self.0.issuer
    }

    /// The serial number's octets in hexadecimal.
    pub fn serial(&self) -> String {
        self.0.serial.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Content octets of the serial number.
    pub(crate) fn serial_octets(&self) -> &[u8] {
        &self.0.serial
    }

    /// The first moment of its validity.
    pub fn not_before(&self) -> OffsetDateTime {
        moment(self.0.parsed.tbs_certificate().validity().not_before)
    }

    /// The last moment of its validity.
    pub fn not_after(&self) -> OffsetDateTime {
        moment(self.0.parsed.tbs_certificate().validity().not_after)
    }

    /// Is the issuer the subject? (Whether the signature holds is another question.)
    pub fn is_self_issued(&self) -> bool {
        let tbs = self.0.parsed.tbs_certificate();
        tbs.issuer() == tbs.subject()
    }

    /// Do basicConstraints and keyUsage let its holder sign certificates? Not if one of them cannot be read.
    pub fn may_sign_certificates(&self) -> bool {
        matches!(self.no_authority(), Ok(None))
    }

    /// Why its holder may not sign certificates, if so (RFC 5280 4.2.1.9, 4.2.1.3).
    pub(crate) fn no_authority(&self) -> Result<Option<NoAuthority>, PkiError> {
        if !self.basic_constraints()?.is_some_and(|constraints| constraints.ca) {
            return Ok(Some(NoAuthority::BasicConstraints));
        }
        let may = self.key_usage()?.is_none_or(|usage| usage.key_cert_sign());
        Ok((!may).then_some(NoAuthority::KeyUsage))
    }

    /// The mail addresses that it names: rfc822Name and SmtpUTF8Mailbox of the subjectAltName; emailAddress of the
    /// subject only where there is no subjectAltName (RFC 8550 3).
    pub fn addresses(&self) -> Vec<String> {
        match self.extension::<SubjectAltName>() {
            Ok(Some((_, names))) => names.0.iter().filter_map(mailbox).collect(),
            Ok(None) => self.subject_addresses(),
            Err(_) => Vec::new(),
        }
    }

    fn subject_addresses(&self) -> Vec<String> {
        let subject = self.0.parsed.tbs_certificate().subject();
        let attributes = subject.iter().filter(|one| one.oid == const_oid::db::rfc3280::EMAIL_ADDRESS);
        attributes.filter_map(|one| std::str::from_utf8(one.value.value()).ok().map(str::to_owned)).collect()
    }

    /// keyUsage, if present. An extension that is broken or stands twice is an error.
    pub fn key_usage(&self) -> Result<Option<KeyUsage>, PkiError> {
        Ok(self.extension::<KeyUsage>()?.map(|(_, usage)| usage))
    }

    /// extKeyUsage, if present.
    pub fn extended_key_usage(&self) -> Result<Option<Vec<ObjectIdentifier>>, PkiError> {
        Ok(self.extension::<ExtendedKeyUsage>()?.map(|(_, usage)| usage.0))
    }

    /// basicConstraints, if present.
    pub fn basic_constraints(&self) -> Result<Option<BasicConstraints>, PkiError> {
        Ok(self.extension::<BasicConstraints>()?.map(|(_, constraints)| constraints))
    }

    /// The octets of the subjectKeyIdentifier extension, if it has one that is well-formed.
    pub fn subject_key_id(&self) -> Option<Vec<u8>> {
        self.key_identifier().map(<[u8]>::to_vec)
    }

    /// One extension and whether it is critical.
    pub(crate) fn extension<'a, E>(&'a self) -> Result<Option<(bool, E)>, PkiError>
    where
        E: Decode<'a> + AssociatedOid,
        E::Error: fmt::Display + From<der::Error>,
    {
        self.0
            .parsed
            .tbs_certificate()
            .get_extension::<E>()
            .map_err(|error| PkiError::malformed("an extension of the certificate", error))
    }
}

/// What is signed of a certificate, request or revocation list: the first element of the SEQUENCE, octet by octet.
pub(super) fn signed_part(signed: &[u8]) -> Option<&[u8]> {
    let outer = der::asn1::AnyRef::from_der(signed).ok()?;
    SliceReader::new(outer.value()).ok()?.tlv_bytes().ok()
}

/// An ASN.1 time, in whole seconds.
pub(super) fn moment(time: x509_cert::time::Time) -> OffsetDateTime {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    // Every ASN.1 time ends with the year 9999, and so does this type.
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

pub(super) fn mailbox(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Rfc822Name(address) => Some(address.to_string()),
        GeneralName::OtherName(other) if other.type_id == SMTP_UTF8_MAILBOX => {
            other.value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned())
        }
        _ => None,
    }
}

/// Content octets of serialNumber, and DER of issuer, as they stand in the file: a RecipientInfo must repeat them.
fn serial_and_issuer(certificate: &[u8]) -> der::Result<(&[u8], &[u8])> {
    let mut outer = SliceReader::new(certificate)?;
    let outer = der::asn1::AnyRef::decode(&mut outer)?;
    let mut tbs = SliceReader::new(outer.value())?;
    let tbs = der::asn1::AnyRef::decode(&mut tbs)?;
    let mut fields = SliceReader::new(tbs.value())?;
    if Tag::peek(&fields)?.is_context_specific() {
        fields.tlv_bytes()?;
    }
    let serial = der::asn1::AnyRef::decode(&mut fields)?;
    if der::Tagged::tag(&serial) != Tag::Integer {
        return Err(der::ErrorKind::TagUnexpected {
            expected: Some(Tag::Integer),
            actual: der::Tagged::tag(&serial),
        }
        .into());
    }
    fields.tlv_bytes()?;
    Ok((serial.value(), fields.tlv_bytes()?))
}

fn long_serial(certificate: &[u8]) -> Option<PkiError> {
    let (serial, _) = serial_and_issuer(certificate).ok()?;
    (serial.len() > MAX_SERIAL).then_some(PkiError::LongSerial { octets: serial.len() })
}

#[cfg(test)]
mod tests;
