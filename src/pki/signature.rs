//! Signatures on certificates and revocation lists, by policy: RSASSA-PKCS1-v1_5 and RSASSA-PSS with SHA-2, ECDSA with the
//! hash of its curve, Ed25519. Neither SHA-1 nor MD5.

use super::certificate::signed_part;
use super::{Certificate, PkiError, PublicKey};
use crate::crypto::CryptoError;
use crate::crypto::algorithm::name_of;
use crate::crypto::signature::SignatureScheme;
use const_oid::db::rfc5912::ID_RSASSA_PSS;
use der::asn1::BitString;
use spki::AlgorithmIdentifierOwned;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignatureFault {
    /// Its kind or its key is not allowed, or not known.
    Refused(String),
    /// Another key made it, or it was made over something else.
    Wrong,
}

/// A structure in the form of a certificate: what is signed, the algorithm, the signature.
pub(crate) struct Signed<'a> {
    /// The whole of it.
    pub(crate) der: &'a [u8],
    pub(crate) algorithm: &'a AlgorithmIdentifierOwned,
    pub(crate) signature: &'a BitString,
}

impl Signed<'_> {
    /// Did the holder of this key sign it, in a way that is allowed? However short the key is.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), SignatureFault> {
        let octets = self.signature.as_bytes().ok_or(SignatureFault::Wrong)?;
        let part = signed_part(self.der).ok_or(SignatureFault::Wrong)?;
        key.verify_by(scheme(self.algorithm)?, part, octets).ok_or(SignatureFault::Wrong)
    }
}

/// Did the holder of the signer's key sign it, in a way that is allowed? RSA keys with fewer bits are not.
pub(crate) fn verify(
    signed: &Signed<'_>,
    signer: &Certificate,
    minimum_rsa_bits: usize,
) -> Result<(), SignatureFault> {
    let refused = |error: PkiError| SignatureFault::Refused(error.to_string());
    let key = signer.public_key().map_err(refused)?;
    key.require_bits(minimum_rsa_bits).map_err(refused)?;
    signed.verify(&key)
}

/// RSASSA-PSS only with one hash for the message and the mask, and a salt as long as the hash: the only form that
/// authorities use.
fn scheme(algorithm: &AlgorithmIdentifierOwned) -> Result<SignatureScheme, SignatureFault> {
    let why = match SignatureScheme::named_by(algorithm) {
        Ok(SignatureScheme::Pss { hash, salt_octets }) if salt_octets != hash.octets() => {
            UNUSUAL_PSS.to_owned()
        }
        Ok(scheme) => return Ok(scheme),
        Err(_) if algorithm.oid == ID_RSASSA_PSS => UNUSUAL_PSS.to_owned(),
        Err(CryptoError::Unsupported(_)) => {
            PkiError::Unsupported(format!("signatures of the kind {}", name_of(&algorithm.oid))).to_string()
        }
        Err(error) => error.to_string(),
    };
    Err(SignatureFault::Refused(why))
}

const UNUSUAL_PSS: &str = "RSASSA-PSS with parameters that are not used in mail";

#[cfg(test)]
mod tests {
    use super::super::issue::tests::openssl;
    use super::super::key::tests::rsa_key;
    use super::super::pem;
    use super::*;

    /// A self-signed certificate that OpenSSL made with these options.
    fn made(options: &str) -> Option<Certificate> {
        let key = pem::write("PRIVATE KEY", rsa_key().to_pkcs8().unwrap().expose()).unwrap();
        let words = format!("req -x509 -new -key /dev/stdin -subj /CN=Root {options}");
        let made = openssl(&words.split(' ').collect::<Vec<_>>(), key.as_bytes())?;
        Some(Certificate::from_pem(made.as_bytes()).unwrap())
    }

    fn judge(certificate: &Certificate, minimum: usize) -> Result<(), SignatureFault> {
        verify(&certificate.signed(), certificate, minimum)
    }

    #[test]
    fn rsa_pss_counts_with_one_hash_and_a_salt_of_its_length() {
        let pss = |hash: &str, salt: &str| {
            made(&format!("-{hash} -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:{salt}"))
        };
        let Some(good) = pss("sha256", "32") else { return };
        assert_eq!(judge(&good, 2048), Ok(()));
        assert!(good.is_signed_by(&good));
        assert_eq!(judge(&pss("sha512", "64").unwrap(), 2048), Ok(()));
        let refused =
            SignatureFault::Refused("RSASSA-PSS with parameters that are not used in mail".to_owned());
        assert_eq!(judge(&pss("sha256", "20").unwrap(), 2048), Err(refused.clone()));
        assert_eq!(judge(&pss("sha1", "20").unwrap(), 2048), Err(refused));
        let mut der = good.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        assert_eq!(judge(&Certificate::from_der(&der).unwrap(), 2048), Err(SignatureFault::Wrong));
    }

    /// OpenSSL takes SHA-256 on each curve.
    #[test]
    fn ecdsa_counts_with_a_hash_shorter_than_half_the_curve() {
        use super::super::{KeyType, UnlockedKey, key::tests::seed};
        let key = UnlockedKey::generate(KeyType::EcP521, seed(4)).unwrap();
        let pem = pem::write("PRIVATE KEY", key.to_pkcs8().unwrap().expose()).unwrap();
        let words = "req -x509 -new -key /dev/stdin -subj /CN=Root -sha256";
        let Some(made) = openssl(&words.split(' ').collect::<Vec<_>>(), pem.as_bytes()) else { return };
        let made = Certificate::from_pem(made.as_bytes()).unwrap();
        assert_eq!(judge(&made, 2048), Ok(()));
        assert!(made.is_signed_by(&made));
    }

    #[test]
    fn old_hashes_and_short_keys_are_refused() {
        let Some(old) = made("-sha1") else { return };
        let text = "not supported: signatures of the kind sha1WithRSAEncryption (1.2.840.113549.1.1.5)";
        assert_eq!(judge(&old, 2048), Err(SignatureFault::Refused(text.to_owned())));
        let text = "the RSA key has 2048 bits; at least 3072 are required";
        assert_eq!(judge(&made("-sha256").unwrap(), 3072), Err(SignatureFault::Refused(text.to_owned())));
    }
}
