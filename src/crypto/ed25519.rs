//! Ed25519 (RFC 8032): keys that sign and do nothing else, for authorities.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc8410::ID_ED_25519;
use der::Encode;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use pkcs8::PrivateKeyInfoRef;
use rand::Rng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// Of the key and of its signatures; never with parameters (RFC 8410 3).
pub(crate) const OID: ObjectIdentifier = ID_ED_25519;

/// In words, as output shows it.
pub(crate) const NAME: &str = "Ed25519";

/// Octets of a private key (RFC 8032 5.1.5) and of a public one.
const LEN: usize = 32;

/// A private key of PKCS#8 is an OCTET STRING in the OCTET STRING (RFC 8410 7).
const CURVE_PRIVATE_KEY: [u8; 2] = [0x04, LEN as u8];

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ed25519PublicKey([u8; LEN]);

impl Ed25519PublicKey {
    /// Takes the octets of a point; nothing if it is none of the curve, or of small order.
    pub fn new(octets: &[u8]) -> Option<Ed25519PublicKey> {
        let octets: [u8; LEN] = octets.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&octets).ok()?;
        (!key.is_weak()).then_some(Ed25519PublicKey(octets))
    }

    /// The point (RFC 8032 5.1.5).
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Checks a signature; nothing if it is none of this key. One that only some verifiers would take is refused.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let signature = Signature::from_slice(signature).ok()?;
        VerifyingKey::from_bytes(&self.0).ok()?.verify_strict(message, &signature).ok()
    }
}

/// A private key. No `Debug`, no `Clone`; wiped when dropped.
pub(crate) struct Ed25519PrivateKey {
    key: SigningKey,
    public: Ed25519PublicKey,
}

impl Ed25519PrivateKey {
    /// A fresh one.
    pub(crate) fn generate(rng: &mut StdRng) -> Option<Ed25519PrivateKey> {
        let mut octets = Zeroizing::new([0; LEN]);
        rng.fill_bytes(octets.as_mut());
        Ed25519PrivateKey::new(&octets)
    }

    fn new(octets: &[u8; LEN]) -> Option<Ed25519PrivateKey> {
        let key = SigningKey::from_bytes(octets);
        let public = Ed25519PublicKey::new(key.verifying_key().as_bytes())?;
        Some(Ed25519PrivateKey { key, public })
    }

    /// Out of PKCS#8 that names this kind. A public key beside the private one must belong to it.
    pub(crate) fn from_pkcs8(info: &PrivateKeyInfoRef<'_>) -> Option<Ed25519PrivateKey> {
        let octets = info.private_key.as_bytes().strip_prefix(&CURVE_PRIVATE_KEY)?;
        let octets: Zeroizing<[u8; LEN]> = octets.try_into().ok().map(Zeroizing::new)?;
        let key = Ed25519PrivateKey::new(&octets)?;
        let belongs = |public: der::asn1::BitStringRef<'_>| public.as_bytes() == Some(key.public.octets());
        info.public_key.is_none_or(belongs).then_some(key)
    }

    /// PKCS#8 in DER.
    pub(crate) fn to_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        let key = Zeroizing::new([&CURVE_PRIVATE_KEY, self.octets()].concat());
        let algorithm = spki::AlgorithmIdentifierRef { oid: OID, parameters: None };
        let info = PrivateKeyInfoRef::new(algorithm, der::asn1::OctetStringRef::new(&key).ok()?);
        info.to_der().ok().map(Zeroizing::new)
    }

    /// The public half.
    pub(crate) fn public(&self) -> &Ed25519PublicKey {
        &self.public
    }

    /// The private octets, for what nobody else shall foresee.
    pub(crate) fn octets(&self) -> &[u8] {
        self.key.as_bytes()
    }

    /// A signature: the same for the same message.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.key.try_sign(message).ok().map(|signature| signature.to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::known_answers::unhex;
    use super::*;
    use rand::SeedableRng;

    /// RFC 8032 7.1, the second test.
    #[test]
    fn the_example_of_the_rfc() {
        let private = unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = Ed25519PrivateKey::new(private.as_slice().try_into().unwrap()).unwrap();
        let public = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(key.public().octets(), public);
        let signature = unhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(key.sign(&[0x72]).unwrap(), signature);
        assert_eq!(key.public().verify(&[0x72], &signature), Some(()));
        assert_eq!(key.public().verify(&[0x73], &signature), None);
        assert_eq!(key.public().verify(&[0x72], &signature[1..]), None);
    }

    #[test]
    fn a_key_survives_pkcs8_and_not_beside_the_public_half_of_another() {
        let [key, other] =
            [1, 2].map(|seed| Ed25519PrivateKey::generate(&mut StdRng::from_seed([seed; 32])).unwrap());
        let der = key.to_pkcs8().unwrap();
        let mut info = PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
        assert_eq!(Ed25519PrivateKey::from_pkcs8(&info).unwrap().public(), key.public());
        for (public, fits) in [(key.public(), true), (other.public(), false)] {
            info.public_key = Some(der::asn1::BitStringRef::from_bytes(public.octets()).unwrap());
            assert_eq!(Ed25519PrivateKey::from_pkcs8(&info).is_some(), fits);
        }
    }

    /// The neutral element, and a point of order 8 (RFC 8032 has them in no key that somebody made).
    #[test]
    fn points_of_small_order_are_no_keys() {
        let neutral = [&[1_u8][..], &[0; 31]].concat();
        let order_8 = unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
        for octets in [&neutral[..], &order_8, &[0; 31], &[]] {
            assert_eq!(Ed25519PublicKey::new(octets), None);
        }
    }
}
