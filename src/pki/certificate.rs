//! An X.509 certificate (RFC 5280) with what mail asks of it.

use super::signature::Signed;
use super::{PkiError, PublicKey, Reads, capabilities};
use crate::cms::RecipientId;
use crate::crypto::algorithm::name_of;
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::Utf8StringRef;
use der::{Decode, Encode, Reader, SliceReader, Tag};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt;
use time::OffsetDateTime;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
};

/// A certificate is no larger: 64 KiB hold every real one many times over, even with post-quantum keys.
pub const MAX_CERTIFICATE: usize = 64 * 1024;

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

/// A parsed certificate that keeps its exact DER.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Vec<u8>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    parsed: x509_cert::Certificate,
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        self.der == other.der
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
        Ok(Certificate { der: bytes.to_vec(), issuer: issuer.to_vec(), serial: serial.to_vec(), parsed })
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
        Fingerprint(Sha256::digest(&self.der).into())
    }

    /// SHA-1 over the DER, in hexadecimal: by this old programs show a certificate. Nothing is decided by it.
    pub fn sha1_fingerprint(&self) -> String {
        Sha1::digest(&self.der).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Its key, if it is of a kind that we can use.
    pub fn public_key(&self) -> Result<PublicKey, PkiError> {
        PublicKey::from_spki(self.parsed.tbs_certificate().subject_public_key_info())
    }

    /// SHA-256 over the SubjectPublicKeyInfo: names the key, whatever certificates it has.
    pub fn key_fingerprint(&self) -> Result<Fingerprint, PkiError> {
        let spki = self.parsed.tbs_certificate().subject_public_key_info().to_der();
        let spki = spki.map_err(|error| PkiError::malformed("the public key", error))?;
        Ok(Fingerprint(Sha256::digest(spki).into()))
    }

    /// The kind of its key in words: `RSA 2048`, `EC P-256`; the algorithm's name if we cannot use it.
    pub fn key_description(&self) -> String {
        let oid = self.parsed.tbs_certificate().subject_public_key_info().algorithm.oid;
        self.public_key().map_or_else(|_| name_of(&oid), |key| key.to_string())
    }

    /// Does it say that the other's holder issued it? (Whether that is so, [`Certificate::is_signed_by`] tells.)
    pub fn names_as_issuer(&self, issuer: &Certificate) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
    }

    /// Did the holder of that certificate sign this one? Name and signature are compared, and nothing else: neither
    /// times nor whether it may.
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let signed_by = |key| self.signed().verify(&key).is_ok();
        self.names_as_issuer(issuer) && issuer.public_key().is_ok_and(signed_by)
    }

    /// It as what somebody signed.
    pub(crate) fn signed(&self) -> Signed<'_> {
        let algorithm = self.parsed.signature_algorithm();
        Signed { der: &self.der, algorithm, signature: self.parsed.signature() }
    }

    /// The exact DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER as PEM, lines ending in LF.
    pub fn to_pem(&self) -> Result<String, PkiError> {
        super::pem::write("CERTIFICATE", &self.der)
    }

    /// The parsed structure.
    pub fn parsed(&self) -> &x509_cert::Certificate {
        &self.parsed
    }

    /// How a RecipientInfo names it: issuer and serial number, and the key identifier if it has one.
    pub fn recipient_ids(&self) -> Vec<RecipientId> {
        let by_key = self.subject_key_id().map(RecipientId::SubjectKeyIdentifier);
        std::iter::once(self.issuer_and_serial()).chain(by_key).collect()
    }

    /// The name that every program knows it by.
    pub(crate) fn issuer_and_serial(&self) -> RecipientId {
        RecipientId::IssuerAndSerialNumber { issuer: self.issuer.clone(), serial: self.serial.clone() }
    }

    /// What its holder reads, by its smimeCapabilities (RFC 4262).
    pub fn reads(&self) -> Reads {
        capabilities::of(self.parsed.tbs_certificate().extensions().map_or(&[][..], Vec::as_slice))
    }

    /// The subject in RFC 4514 form.
    pub fn subject(&self) -> String {
        self.parsed.tbs_certificate().subject().to_string()
    }

    /// The commonName of its subject, if it has one in UTF-8 or ASCII.
    pub fn common_name(&self) -> Option<String> {
        let subject = self.parsed.tbs_certificate().subject();
        let name = subject.iter().find(|one| one.oid == const_oid::db::rfc4519::COMMON_NAME)?;
        std::str::from_utf8(name.value.value()).ok().map(str::to_owned)
    }

    /// The issuer in RFC 4514 form.
    pub fn issuer(&self) -> String {
        self.parsed.tbs_certificate().issuer().to_string()
    }

    /// DER of the issuer's Name, as it stands in the certificate.
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer
    }

    /// The serial number's octets in hexadecimal.
    pub fn serial(&self) -> String {
        self.serial.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Content octets of the serial number.
    pub(crate) fn serial_octets(&self) -> &[u8] {
        &self.serial
    }

    /// The first moment of its validity.
    pub fn not_before(&self) -> OffsetDateTime {
        moment(self.parsed.tbs_certificate().validity().not_before)
    }

    /// The last moment of its validity.
    pub fn not_after(&self) -> OffsetDateTime {
        moment(self.parsed.tbs_certificate().validity().not_after)
    }

    /// Is the issuer the subject? (Whether the signature holds is another question.)
    pub fn is_self_issued(&self) -> bool {
        let tbs = self.parsed.tbs_certificate();
        tbs.issuer() == tbs.subject()
    }

    /// Do basicConstraints and keyUsage let its holder sign certificates? (RFC 5280 4.2.1.9, 4.2.1.3)
    pub fn may_sign_certificates(&self) -> bool {
        let is_authority = matches!(self.basic_constraints(), Ok(Some(constraints)) if constraints.ca);
        is_authority && self.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.key_cert_sign()))
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
        let subject = self.parsed.tbs_certificate().subject();
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
        let (_, id) = self.extension::<SubjectKeyIdentifier>().ok().flatten()?;
        Some(id.0.as_bytes().to_vec())
    }

    /// One extension and whether it is critical.
    pub(crate) fn extension<'a, E>(&'a self) -> Result<Option<(bool, E)>, PkiError>
    where
        E: Decode<'a> + AssociatedOid,
        E::Error: fmt::Display + From<der::Error>,
    {
        self.parsed
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
mod tests {
    use super::super::issue::tests::{authority, issue};
    use super::super::key::tests::{ec_key, rsa_key};
    use super::*;
    use proptest::prelude::*;

    fn user() -> Certificate {
        issue(&authority(&ec_key()), &ec_key(), &rsa_key().public())
    }

    #[test]
    fn a_certificate_tells_what_is_in_it() {
        let user = user();
        assert_eq!(user.subject(), "CN=Bob");
        assert_eq!(user.issuer(), "CN=north.example");
        assert_eq!(user.addresses(), ["Bob@north.example", "bob.alias@north.example"]);
        assert_eq!(user.key_description(), "RSA 2048");
        assert_eq!(user.not_before(), super::super::issue::tests::noon());
        assert_eq!(user.extended_key_usage().unwrap().unwrap().len(), 1);
        assert!(user.key_usage().unwrap().unwrap().key_encipherment());
        assert!(!user.is_self_issued() && authority(&ec_key()).is_self_issued());
        assert_eq!(Certificate::from_pem(user.to_pem().unwrap().as_bytes()).unwrap(), user);
    }

    #[test]
    fn an_address_that_is_not_ascii_is_a_smtp_utf8_mailbox() {
        let address = crate::mail::Address::parse("jürgen@north.example").unwrap();
        let name = super::super::names::mailbox_name(&address).unwrap();
        assert!(matches!(name, GeneralName::OtherName(_)));
        assert_eq!(mailbox(&name).unwrap(), "jürgen@north.example");
    }

    #[test]
    fn the_signer_is_told_by_name_and_signature() {
        let root = authority(&ec_key());
        assert!(user().is_signed_by(&root) && root.is_signed_by(&root));
        assert!(!root.is_signed_by(&user()));
        // The same name on another key.
        assert!(!user().is_signed_by(&authority(rsa_key())));
        // Another name on the same key.
        assert!(!user().is_signed_by(&issue(&root, &ec_key(), &ec_key().public())));
    }

    #[test]
    fn two_certificates_are_not_one() {
        let pem = user().to_pem().unwrap();
        let error = Certificate::from_pem(format!("{pem}{pem}").as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the file holds 2 certificates; exactly one is expected: split the file"
        );
    }

    /// The certificate with a serial number of so many octets, all lengths around it mended.
    fn with_serial(octets: usize) -> Vec<u8> {
        let user = user();
        let old = [&[2, 17], user.serial_octets()].concat();
        let at = user.der().windows(old.len()).position(|window| window == old).unwrap();
        let length = |count: usize| {
            let [.., a, b, c] = count.to_be_bytes();
            [0x83, a, b, c]
        };
        let mut serial = vec![2];
        serial.extend(length(octets));
        serial.extend(vec![1; octets]);
        // Both SEQUENCEs in front have lengths of two octets, and version stands between.
        let (outer, tbs) = (&user.der()[4..], &user.der()[8..]);
        let tbs_length = usize::from(user.der()[6]) * 256 + usize::from(user.der()[7]);
        let (tbs, rest) = tbs.split_at(tbs_length);
        assert!(outer.len() > tbs.len() && at > 8);
        let body = [&tbs[..at - 8], &serial[..], &tbs[at - 8 + old.len()..]].concat();
        let tbs = [&[0x30], &length(body.len())[..], &body[..]].concat();
        let all = [&tbs[..], rest].concat();
        [&[0x30], &length(all.len())[..], &all[..]].concat()
    }

    #[test]
    fn a_long_serial_is_named() {
        let error = Certificate::from_der(&with_serial(64 * 1024)).unwrap_err().to_string();
        assert_eq!(
            error,
            "the certificate's serial number has 65536 octets; at most 20 are allowed (RFC 5280)"
        );
    }

    #[test]
    fn a_truncated_certificate_is_refused_and_a_damaged_one_never_panics() {
        let user = user();
        for length in 0..user.der().len() {
            assert!(Certificate::from_der(&user.der()[..length]).is_err(), "{length}");
        }
        assert!(Certificate::from_der(&[user.der(), &[0]].concat()).is_err());
        for position in 0..user.der().len() {
            let mut der = user.der().to_vec();
            der[position] ^= 0x55;
            let Ok(damaged) = Certificate::from_der(&der) else { continue };
            let _ =
                (damaged.addresses(), damaged.recipient_ids(), damaged.key_description(), damaged.subject());
            let _ = (damaged.key_usage(), damaged.extended_key_usage(), damaged.not_after());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Certificate::from_der(&bytes);
            let _ = Certificate::from_pem(&bytes);
            let _ = super::super::read_key_file(&bytes, Some(b"x"));
        }
    }
}
