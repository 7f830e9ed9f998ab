//! Certification requests (PKCS#10, RFC 2986): what a domain sends to an outer authority, and what a user sends to us.

use super::certificate::mailbox;
use super::issue::{extension, sign, unwritten};
use super::names::{Subject, dns_name};
use super::signature::{SignatureFault, Signed};
use super::{MINIMUM_RSA_BITS, PkiError, PublicKey, UnlockedKey, contents, pem};
use crate::crypto::Seed;
use const_oid::AssociatedOid;
use const_oid::db::rfc3280::EMAIL_ADDRESS;
use der::asn1::{Any, SetOfVec};
use der::{Decode, Encode, Reader, SliceReader};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::attr::Attribute;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq, Version};

/// A request is no larger than a certificate.
const MAX_REQUEST: usize = super::certificate::MAX_CERTIFICATE;

/// A certification request whose own signature holds: whoever made it has the private key.
#[derive(Debug, Clone)]
pub struct Request {
    der: Vec<u8>,
    parsed: CertReq,
    key: PublicKey,
}

impl Request {
    /// Asks for a certificate for this key with these DNS names (A-labels) in the subjectAltName.
    pub fn make(
        key: &UnlockedKey,
        subject: &Subject,
        dns_names: &[String],
        seed: Seed,
    ) -> Result<Request, PkiError> {
        let info = CertReqInfo {
            version: Version::V1,
            subject: subject.to_name()?,
            public_key: SubjectPublicKeyInfoOwned::from_der(&key.public().to_spki()?).map_err(unwritten)?,
            attributes: attributes(dns_names)?,
        };
        let der = sign(&info.to_der().map_err(unwritten)?, key, &mut seed.into_rng())?;
        Request::from_der(&der)
    }

    /// Reads a request in DER and checks its signature.
    pub fn from_der(der: &[u8]) -> Result<Request, PkiError> {
        if der.len() > MAX_REQUEST {
            return Err(PkiError::TooLarge { what: "a request", size: der.len(), limit: MAX_REQUEST });
        }
        require_alone(der)?;
        let parsed = CertReq::from_der(der).map_err(broken)?;
        let key = PublicKey::from_spki(&parsed.info.public_key)?;
        require_proof(&Signed { der, algorithm: &parsed.algorithm, signature: &parsed.signature }, &key)?;
        key.require_bits(MINIMUM_RSA_BITS)?;
        Ok(Request { der: der.to_vec(), parsed, key })
    }

    /// Reads a request in PEM or DER.
    pub fn read(bytes: &[u8]) -> Result<Request, PkiError> {
        if pem::looks_like_pem(bytes) {
            return Request::from_pem(bytes);
        }
        contents::require_der(bytes, "certificate request")?;
        Request::from_der(bytes)
    }

    /// Reads the one request of a PEM text.
    pub fn from_pem(bytes: &[u8]) -> Result<Request, PkiError> {
        let blocks = pem::read(bytes)?;
        let wanted = |label: &str| matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST");
        let mut found = blocks.iter().filter(|block| wanted(block.label));
        match (found.next(), found.count()) {
            (Some(block), 0) => Request::from_der(&block.der),
            (Some(_), more) => Err(PkiError::TooMany { what: "certificate requests", count: more + 1 }),
            (None, _) => {
                Err(PkiError::NotFound { wanted: "certificate request", found: contents::found(&blocks) })
            }
        }
    }

    /// The request as PEM, for the outer authority.
    pub fn to_pem(&self) -> Result<String, PkiError> {
        pem::write("CERTIFICATE REQUEST", &self.der)
    }

    /// The key that asks for a certificate.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The subject in RFC 4514 form.
    pub fn subject(&self) -> String {
        self.parsed.info.subject.to_string()
    }

    /// Every mail address that it asks for: emailAddress of the subject, and rfc822Name and SmtpUTF8Mailbox of the
    /// subjectAltName that it wants (RFC 2985 5.4.2).
    pub fn addresses(&self) -> Result<Vec<String>, PkiError> {
        let subject = self.parsed.info.subject.iter().filter(|one| one.oid == EMAIL_ADDRESS);
        let mut found: Vec<String> =
            subject.map(|one| String::from_utf8_lossy(one.value.value()).into_owned()).collect();
        for extension in self.wanted()?.iter().filter(|one| one.extn_id == SubjectAltName::OID) {
            let names = SubjectAltName::from_der(extension.extn_value.as_bytes()).map_err(broken)?;
            found.extend(names.0.iter().filter_map(mailbox));
        }
        Ok(found)
    }

    /// The extensions that it asks for.
    fn wanted(&self) -> Result<Vec<Extension>, PkiError> {
        let asked = self.parsed.info.attributes.iter().filter(|one| one.oid == ExtensionReq::OID);
        let lists = asked.flat_map(|one| one.values.iter()).map(Any::decode_as::<Vec<Extension>>);
        Ok(lists.collect::<Result<Vec<_>, _>>().map_err(broken)?.into_iter().flatten().collect())
    }
}

fn broken(error: der::Error) -> PkiError {
    PkiError::malformed("the certificate request", error)
}

/// Octets behind it would be signed by nobody, and another reader might take them for something.
fn require_alone(der: &[u8]) -> Result<(), PkiError> {
    let mut reader = SliceReader::new(der).map_err(broken)?;
    reader.tlv_bytes().map_err(broken)?;
    match usize::try_from(reader.remaining_len()).unwrap_or(usize::MAX) {
        0 => Ok(()),
        octets => Err(PkiError::Trailing { what: "the certificate request", octets }),
    }
}

/// By its own signature whoever made it shows the private key.
fn require_proof(request: &Signed<'_>, key: &PublicKey) -> Result<(), PkiError> {
    request.verify(key).map_err(|fault| match fault {
        _ if !key.signs() => PkiError::NoProof { key: key.to_string() },
        SignatureFault::Wrong => PkiError::RequestSignature,
        SignatureFault::Refused(why) => PkiError::RefusedSignature(why),
    })
}

fn attributes(dns_names: &[String]) -> Result<SetOfVec<Attribute>, PkiError> {
    let mut attributes = SetOfVec::new();
    if dns_names.is_empty() {
        return Ok(attributes);
    }
    let names = dns_names.iter().map(|name| dns_name(name)).collect::<Result<Vec<_>, _>>()?;
    let extensions = vec![extension(false, &SubjectAltName(names))?];
    let mut values = SetOfVec::new();
    values.insert(Any::encode_from(&extensions).map_err(unwritten)?).map_err(unwritten)?;
    attributes.insert(Attribute { oid: ExtensionReq::OID, values }).map_err(unwritten)?;
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::openssl;
    use super::super::key::tests::{ec_key, rsa_key, seed};
    use super::*;

    fn request(key: &UnlockedKey) -> Request {
        let names = ["north.example".to_owned(), super::super::wildcard("north.example")];
        let subject = Subject {
            country: Some("no".to_owned()),
            organization: Some("North, Inc.".to_owned()),
            ..Subject::named("north.example")
        };
        Request::make(key, &subject, &names, seed(6)).unwrap()
    }

    #[test]
    fn openssl_verifies_our_requests() {
        let ed25519 = UnlockedKey::generate(super::super::KeyType::Ed25519, seed(3)).unwrap();
        for key in [rsa_key(), &ec_key(), &ed25519] {
            let pem = request(key).to_pem().unwrap();
            let Some(text) = openssl(&["req", "-verify", "-noout", "-text"], pem.as_bytes()) else { return };
            let wanted = [
                "verify OK",
                "DNS:north.example, DNS:*.north.example",
                "C = NO, O = \"North, Inc.\", CN = north.example",
            ];
            for one in wanted {
                assert!(text.contains(one), "{one} is not in {text}");
            }
            assert_eq!(*Request::from_pem(pem.as_bytes()).unwrap().public_key(), key.public());
        }
    }

    #[test]
    fn we_read_the_requests_of_openssl() {
        let arguments = "req -new -newkey rsa:2048 -nodes -keyout /dev/null -sha384 -subj /CN=Bob";
        let Some(pem) = openssl(&arguments.split(' ').collect::<Vec<_>>(), b"") else { return };
        assert_eq!(Request::from_pem(pem.as_bytes()).unwrap().subject(), "CN=Bob");
    }

    #[test]
    fn a_changed_request_is_refused() {
        let der = request(&ec_key()).der;
        for position in 0..der.len() {
            let mut changed = der.clone();
            changed[position] ^= 1;
            assert!(Request::from_der(&changed).is_err(), "{position}");
        }
        for length in 0..der.len() {
            assert!(Request::from_der(&der[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_key_that_cannot_sign_shows_nothing_of_its_maker() {
        let key = UnlockedKey::generate(super::super::KeyType::X25519, seed(3)).unwrap();
        let info = CertReqInfo {
            version: Version::V1,
            subject: Subject::named("Bob").to_name().unwrap(),
            public_key: SubjectPublicKeyInfoOwned::from_der(&key.public().to_spki().unwrap()).unwrap(),
            attributes: attributes(&[]).unwrap(),
        };
        let der = sign(&info.to_der().unwrap(), &ec_key(), &mut seed(4).into_rng()).unwrap();
        assert_eq!(
            Request::from_der(&der).unwrap_err().to_string(),
            "a request for a key of the kind X25519 cannot show that its maker has the private key: such a key \
             cannot sign"
        );
    }

    #[test]
    fn what_is_no_request_is_named() {
        let pem = super::super::issue::tests::authority(&ec_key()).to_pem().unwrap();
        let error = Request::from_pem(pem.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "no certificate request found: the file holds a certificate");
    }
}
