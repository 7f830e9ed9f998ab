//! Certification requests (PKCS#10, RFC 2986): what a domain sends to an outer authority, and what a user sends to us.

use super::issue::{extension, sign, unwritten};
use super::names::{Subject, dns_name};
use super::{PkiError, PublicKey, UnlockedKey, pem};
use crate::crypto::Seed;
use const_oid::AssociatedOid;
use der::asn1::{Any, SetOfVec};
use der::{Decode, Encode, Reader, SliceReader};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::attr::Attribute;
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
        let broken = |error: der::Error| PkiError::malformed("the certificate request", error);
        let parsed = CertReq::from_der(der).map_err(broken)?;
        let key = PublicKey::from_spki(&parsed.info.public_key)?;
        let signed = signed_part(der).map_err(broken)?;
        let signature = parsed.signature.as_bytes().ok_or(PkiError::BadSignature)?;
        key.verify_with(parsed.algorithm.oid, signed, signature)?;
        Ok(Request { der: der.to_vec(), parsed, key })
    }

    /// Reads the one request of a PEM text.
    pub fn from_pem(bytes: &[u8]) -> Result<Request, PkiError> {
        let blocks = pem::read(bytes)?;
        let wanted = |label: &str| matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST");
        let mut found = blocks.iter().filter(|block| wanted(block.label));
        match (found.next(), found.count()) {
            (Some(block), 0) => Request::from_der(&block.der),
            (Some(_), more) => Err(PkiError::TooMany { what: "certificate requests", count: more + 1 }),
            (None, _) => Err(PkiError::NotFound {
                wanted: "certificate request",
                found: super::container::found(&blocks),
            }),
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

/// CertificationRequestInfo exactly as it came.
fn signed_part(request: &[u8]) -> der::Result<&[u8]> {
    let outer = der::asn1::AnyRef::from_der(request)?;
    SliceReader::new(outer.value())?.tlv_bytes()
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
    fn what_is_no_request_is_named() {
        let pem = super::super::issue::tests::authority(&ec_key()).to_pem().unwrap();
        let error = Request::from_pem(pem.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "no certificate request found: the file holds a certificate");
    }
}
