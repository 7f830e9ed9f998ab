//! Elliptic curves for key agreement: one row a curve, keys as octets beside their row.
//!
//! Keys are made, read, written and used for signatures by a crate a curve, which takes what is random from the message's own
//! generator. The two multiplications of an agreement, which are all that sealing and opening wait for, are done by aws-lc-rs.
//! Measured on an Emerald Rapids, in µs, the public half and the secret:
//!
//! | | aws-lc-rs 1.19 | the crate |
//! |---|---|---|
//! | P-256 | 21, 49 | 59, 189 |
//! | P-384 | 110, 157 | 174, 610 |
//! | P-521 | 172, 234 | 175, 644 |
//! | X25519 | 8, 26 | 53, 52 |

use aws_lc_rs::agreement::{self, Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, UnparsedPublicKey};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, SECP_256_R_1, SECP_384_R_1,
    SECP_521_R_1,
};
use const_oid::db::rfc8410::ID_X_25519;
use pkcs8::PrivateKeyInfoRef;
use rand::Rng;
use rand::rngs::StdRng;
use std::fmt;
use zeroize::Zeroizing;

/// Octets that must not outlive their use.
type Octets = Zeroizing<Vec<u8>>;

/// A curve. Two rows are the same curve if they have the same name.
pub struct Curve {
    /// In words, as output shows it: `EC P-256`, `X25519`.
    pub name: &'static str,
    /// Of the curve (RFC 5480 2.1.1.1); of the kind of key where that says it all (RFC 8410 3).
    pub oid: ObjectIdentifier,
    /// Bits of its field.
    pub bits: usize,
    /// How its keys sign; X25519 keys do not.
    pub(super) signing: Option<Signing>,
    /// A fresh private key.
    generate: fn(rng: &mut StdRng) -> Octets,
    /// Octets of PKCS#8's privateKey (SEC1), with the curve already known.
    read_pkcs8: fn(info: PrivateKeyInfoRef<'_>) -> Option<Octets>,
    /// Octets of an ECPrivateKey (RFC 5915) that may stand alone.
    read_sec1: fn(der: &[u8]) -> Option<Octets>,
    write_pkcs8: fn(private: &[u8]) -> Option<Octets>,
    /// A point of the curve in its uncompressed form; nothing if it is none, or one that gives everybody the same secret.
    point: fn(octets: &[u8]) -> Option<Vec<u8>>,
    /// Gives the public half, uncompressed, and the shared secret.
    agreement: &'static Algorithm,
}

/// Nothing if it is no signature by that key over the message of that hash.
type VerifyHash = fn(point: &[u8], hash: &[u8], signature: &[u8]) -> Option<()>;

/// ECDSA on a curve, with the hash of its size (RFC 5758 3.2).
pub(super) struct Signing {
    algorithm: ObjectIdentifier,
    sign: fn(private: &[u8], message: &[u8]) -> Option<Vec<u8>>,
    verify_hash: VerifyHash,
}

/// A hash is a number: zeros in front change nothing, and the crates take none of less than half a scalar.
fn as_wide_as_the_field(hash: &[u8], bits: usize) -> Vec<u8> {
    let mut wide = vec![0; bits.div_ceil(8).saturating_sub(hash.len())];
    wide.extend_from_slice(hash);
    wide
}

/// What a crate for a NIST curve has to offer, in the form of a row.
macro_rules! nist {
    ($krate:ident, $name:literal, $oid:expr, $bits:literal, $signature:expr, $agreement:expr) => {
        Curve {
            name: $name,
            oid: $oid,
            bits: $bits,
            signing: Some(Signing {
                algorithm: $signature,
                sign: |private, message| {
                    use $krate::ecdsa::signature::Signer;
                    let key = $krate::ecdsa::SigningKey::from_slice(private).ok()?;
                    let signature: $krate::ecdsa::DerSignature = key.try_sign(message).ok()?;
                    Some(signature.as_bytes().to_vec())
                },
                verify_hash: |point, hash, signature| {
                    use $krate::ecdsa::signature::hazmat::PrehashVerifier;
                    let signature = $krate::ecdsa::DerSignature::from_bytes(signature).ok()?;
                    let signature = $krate::ecdsa::Signature::try_from(signature).ok()?;
                    let key = $krate::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    key.verify_prehash(&as_wide_as_the_field(hash, $bits), &signature).ok()
                },
            }),
            generate: |rng| {
                use $krate::elliptic_curve::Generate;
                Zeroizing::new($krate::SecretKey::generate_from_rng(rng).to_bytes().to_vec())
            },
            read_pkcs8: |info| {
                let key = $krate::SecretKey::try_from(info).ok()?;
                Some(Zeroizing::new(key.to_bytes().to_vec()))
            },
            read_sec1: |der| {
                let key = $krate::SecretKey::from_sec1_der(der).ok()?;
                Some(Zeroizing::new(key.to_bytes().to_vec()))
            },
            write_pkcs8: |private| {
                use pkcs8::EncodePrivateKey;
                let document = $krate::SecretKey::from_slice(private).ok()?.to_pkcs8_der().ok()?;
                Some(Zeroizing::new(document.as_bytes().to_vec()))
            },
            point: |octets| Some($krate::PublicKey::from_sec1_bytes(octets).ok()?.to_sec1_bytes().into()),
            agreement: &$agreement,
        }
    };
}

/// NIST P-256 (RFC 5480).
pub static P_256: Curve = nist!(p256, "EC P-256", SECP_256_R_1, 256, ECDSA_WITH_SHA_256, ECDH_P256);
/// NIST P-384 (RFC 5480).
pub static P_384: Curve = nist!(p384, "EC P-384", SECP_384_R_1, 384, ECDSA_WITH_SHA_384, ECDH_P384);
/// NIST P-521 (RFC 5480).
pub static P_521: Curve = nist!(p521, "EC P-521", SECP_521_R_1, 521, ECDSA_WITH_SHA_512, ECDH_P521);

/// Octets of a key, public or private, and of a secret (RFC 7748 5).
const X25519_LEN: usize = 32;
/// A private key of PKCS#8 is an OCTET STRING in the OCTET STRING (RFC 8410 7).
const CURVE_PRIVATE_KEY: [u8; 2] = [0x04, X25519_LEN as u8];

/// X25519 (RFC 7748, RFC 8410).
pub static X25519: Curve = Curve {
    name: "X25519",
    oid: ID_X_25519,
    bits: 255,
    signing: None,
    generate: |rng| {
        let mut key = Zeroizing::new(vec![0; X25519_LEN]);
        rng.fill_bytes(&mut key);
        key
    },
    read_pkcs8: |info| {
        let key = info.private_key.as_bytes().strip_prefix(&CURVE_PRIVATE_KEY)?;
        scalar(key).map(|key| Zeroizing::new(key.to_vec()))
    },
    read_sec1: |_| None,
    write_pkcs8: |private| {
        use der::Encode;
        let key = Zeroizing::new([&CURVE_PRIVATE_KEY, private].concat());
        let algorithm = spki::AlgorithmIdentifierRef { oid: ID_X_25519, parameters: None };
        let info = PrivateKeyInfoRef::new(algorithm, der::asn1::OctetStringRef::new(&key).ok()?);
        info.to_der().ok().map(Zeroizing::new)
    },
    point: |octets| {
        let point = *scalar(octets)?;
        // With points of small order every private key, this one too, comes to zero (RFC 7748 6.1), and aws-lc refuses that.
        let any = CurvePrivateKey::new(&X25519, Zeroizing::new(vec![1; X25519_LEN]))?;
        let point = CurvePublicKey { curve: &X25519, point: point.to_vec() };
        any.agree(&point).map(|_| point.point)
    },
    agreement: &agreement::X25519,
};

/// Every curve that we use.
pub static CURVES: [&Curve; 4] = [&P_256, &P_384, &P_521, &X25519];

fn scalar(octets: &[u8]) -> Option<Zeroizing<[u8; X25519_LEN]>> {
    octets.try_into().ok().map(Zeroizing::new)
}

impl Curve {
    /// The row of a curve, or of a kind of key, by its object identifier.
    pub fn by_oid(oid: ObjectIdentifier) -> Option<&'static Curve> {
        CURVES.into_iter().find(|curve| curve.oid == oid)
    }

    /// The algorithm of a key's AlgorithmIdentifier; its parameters name the curve, unless it is the curve.
    pub(crate) fn key_algorithm(&self) -> ObjectIdentifier {
        if self.signing.is_some() { ID_EC_PUBLIC_KEY } else { self.oid }
    }
}

impl PartialEq for Curve {
    fn eq(&self, other: &Curve) -> bool {
        self.oid == other.oid
    }
}

impl Eq for Curve {}

impl fmt::Debug for Curve {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// A public key on a curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurvePublicKey {
    curve: &'static Curve,
    point: Vec<u8>,
}

impl CurvePublicKey {
    /// Takes a point, compressed or not; nothing if it is none of the curve, or of small order.
    pub fn new(curve: &'static Curve, point: &[u8]) -> Option<CurvePublicKey> {
        (curve.point)(point).map(|point| CurvePublicKey { curve, point })
    }

    /// Where it lies.
    pub fn curve(&self) -> &'static Curve {
        self.curve
    }

    /// The point, uncompressed (SEC 1 2.3.3), or the u-coordinate of X25519.
    pub fn octets(&self) -> &[u8] {
        &self.point
    }

    /// The signature algorithm that goes with the key, if it signs.
    pub(crate) fn signature_algorithm(&self) -> Option<ObjectIdentifier> {
        self.curve.signing.as_ref().map(|signing| signing.algorithm)
    }

    /// Checks an ECDSA signature in DER, over the hash of the message; nothing if it is none of this key. With any hash on any
    /// of the curves: writers choose them apart (OpenSSL signs with SHA-256 on P-521).
    pub(crate) fn verify_hash(&self, hash: &[u8], signature: &[u8]) -> Option<()> {
        (self.curve.signing.as_ref()?.verify_hash)(&self.point, hash, signature)
    }
}

/// A private key on a curve. No `Debug`, no `Clone`; wiped when dropped.
pub(crate) struct CurvePrivateKey {
    curve: &'static Curve,
    private: Octets,
    public: CurvePublicKey,
    /// The same key as aws-lc holds it, which wipes every allocation that it frees (OPENSSL_free).
    agreement: agreement::PrivateKey,
}

impl CurvePrivateKey {
    /// A fresh one.
    pub(crate) fn generate(curve: &'static Curve, rng: &mut StdRng) -> Option<CurvePrivateKey> {
        CurvePrivateKey::new(curve, (curve.generate)(rng))
    }

    fn new(curve: &'static Curve, private: Octets) -> Option<CurvePrivateKey> {
        let agreement = agreement::PrivateKey::from_private_key(curve.agreement, &private).ok()?;
        let point = agreement.compute_public_key().ok()?.as_ref().to_vec();
        Some(CurvePrivateKey { curve, private, public: CurvePublicKey { curve, point }, agreement })
    }

    /// Out of PKCS#8 that names this curve.
    pub(crate) fn from_pkcs8(curve: &'static Curve, info: PrivateKeyInfoRef<'_>) -> Option<CurvePrivateKey> {
        CurvePrivateKey::new(curve, (curve.read_pkcs8)(info)?)
    }

    /// Out of an ECPrivateKey (RFC 5915) that names its curve.
    pub(crate) fn from_sec1(der: &[u8]) -> Option<CurvePrivateKey> {
        CURVES
            .into_iter()
            .find_map(|curve| (curve.read_sec1)(der).and_then(|private| CurvePrivateKey::new(curve, private)))
    }

    /// PKCS#8 in DER.
    pub(crate) fn to_pkcs8(&self) -> Option<Octets> {
        (self.curve.write_pkcs8)(&self.private)
    }

    /// The public half.
    pub(crate) fn public(&self) -> &CurvePublicKey {
        &self.public
    }

    /// The private octets, for what nobody else shall foresee.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.private
    }

    /// The secret that the holders of both keys come to.
    pub(crate) fn agree(&self, other: &CurvePublicKey) -> Option<Octets> {
        let point = UnparsedPublicKey::new(other.curve.agreement, &other.point);
        let secret = |secret: &[u8]| Ok(Zeroizing::new(secret.to_vec()));
        agreement::agree(&self.agreement, point, (), secret).ok()
    }

    /// An ECDSA signature in DER (RFC 6979), if the key signs.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        (self.curve.signing.as_ref()?.sign)(&self.private, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn keys(curve: &'static Curve) -> [CurvePrivateKey; 2] {
        [1, 2].map(|seed| CurvePrivateKey::generate(curve, &mut StdRng::from_seed([seed; 32])).unwrap())
    }

    #[test]
    fn both_sides_come_to_the_same_secret_and_nobody_else() {
        for curve in CURVES {
            let [anna, bob] = keys(curve);
            let secret = anna.agree(bob.public()).unwrap();
            assert_eq!(*secret, *bob.agree(anna.public()).unwrap(), "{curve:?}");
            assert_ne!(*secret, *anna.agree(anna.public()).unwrap());
            assert_eq!(Curve::by_oid(curve.oid), Some(curve));
        }
        let ([anna, _], [dana, _]) = (keys(&P_256), keys(&P_384));
        assert!(anna.agree(dana.public()).is_none(), "two curves");
    }

    /// What the crates say, which are the reference.
    fn by_the_crate(curve: &'static Curve, private: &[u8], point: &[u8]) -> (Vec<u8>, Vec<u8>) {
        macro_rules! nist {
            ($krate:ident) => {{
                let key = $krate::SecretKey::from_slice(private).unwrap();
                let point = $krate::PublicKey::from_sec1_bytes(point).unwrap();
                let secret = $krate::ecdh::diffie_hellman(key.to_nonzero_scalar(), point.as_affine());
                (key.public_key().to_sec1_bytes().into(), secret.raw_secret_bytes().to_vec())
            }};
        }
        match curve.name {
            "EC P-256" => nist!(p256),
            "EC P-384" => nist!(p384),
            "EC P-521" => nist!(p521),
            _ => {
                let (private, point) = (private.try_into().unwrap(), point.try_into().unwrap());
                let public = x25519_dalek::x25519(private, x25519_dalek::X25519_BASEPOINT_BYTES);
                (public.to_vec(), x25519_dalek::x25519(private, point).to_vec())
            }
        }
    }

    /// Also for the smallest private key, and for secrets that begin with zeros.
    #[test]
    fn both_libraries_come_to_the_same() {
        for curve in CURVES {
            let [_, bob] = keys(curve);
            let length = bob.octets().len();
            let one = [vec![0; length - 1], vec![1]].concat();
            let drawn = (0..300_u16).map(|number| {
                let seed = std::array::from_fn(|at| (number >> (8 * (at % 2))) as u8);
                (curve.generate)(&mut StdRng::from_seed(seed)).to_vec()
            });
            // A number of fixed length; the octets of X25519 are none.
            let mut has_zeros = curve == &X25519;
            for private in drawn.chain([one]) {
                let key = CurvePrivateKey::new(curve, Zeroizing::new(private)).unwrap();
                let (public, secret) = by_the_crate(curve, key.octets(), bob.public().octets());
                assert_eq!(key.public().octets(), public, "{curve:?}");
                assert_eq!(*key.agree(bob.public()).unwrap(), secret, "{curve:?}");
                has_zeros |= secret[0] == 0;
            }
            assert!(has_zeros, "{curve:?}: no secret begins with a zero");
        }
    }

    #[test]
    fn a_private_key_is_none_of_another_length_and_never_zero() {
        for curve in CURVES {
            let [key, _] = keys(curve);
            let (short, long) = (key.octets()[1..].to_vec(), [&[0], key.octets()].concat());
            for octets in [short, long, Vec::new()] {
                assert!(CurvePrivateKey::new(curve, Zeroizing::new(octets)).is_none(), "{curve:?}");
            }
        }
        for curve in [&P_256, &P_384, &P_521] {
            let [key, _] = keys(curve);
            for octet in [0, 0xff] {
                let octets = vec![octet; key.octets().len()];
                assert!(CurvePrivateKey::new(curve, Zeroizing::new(octets)).is_none(), "{curve:?}: {octet}");
            }
        }
    }

    #[test]
    fn keys_survive_pkcs8() {
        for curve in CURVES {
            let [key, _] = keys(curve);
            let der = key.to_pkcs8().unwrap();
            let info = PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
            let again = CurvePrivateKey::from_pkcs8(curve, info).unwrap();
            assert_eq!(again.public(), key.public(), "{curve:?}");
        }
    }

    #[test]
    fn only_points_of_the_curve_are_keys() {
        for curve in [&P_256, &P_384, &P_521] {
            let [key, _] = keys(curve);
            let mut point = key.public().octets().to_vec();
            assert_eq!(CurvePublicKey::new(curve, &point).as_ref(), Some(key.public()));
            let half = point.len() / 2;
            let mut compressed = point[..=half].to_vec();
            compressed[0] = 2 + (point[point.len() - 1] & 1);
            assert_eq!(CurvePublicKey::new(curve, &compressed).as_ref(), Some(key.public()), "{curve:?}");
            point[half] ^= 1;
            assert_eq!(CurvePublicKey::new(curve, &point), None, "{curve:?}");
            assert_eq!(CurvePublicKey::new(curve, &[0]), None, "the point at infinity");
        }
    }

    /// An answer of Python's cryptography for the key 01 02 ... 20, and points of small order: 0, 1, and one of order 8.
    #[test]
    fn x25519_has_its_known_answer_and_refuses_points_of_small_order() {
        let unhex = super::super::known_answers::unhex;
        let key = CurvePrivateKey::new(&X25519, Zeroizing::new((1..=32).collect())).unwrap();
        let point = unhex("64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466");
        let secret = key.agree(&CurvePublicKey::new(&X25519, &point).unwrap()).unwrap();
        assert_eq!(*secret, unhex("26c2c17fdb82161cb21ad16e721315355b64d1763119b10bfc962530dc7cc163"));
        assert_eq!(CurvePublicKey::new(&X25519, &point[1..]), None, "too short");
        let order_8 = unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
        for small in [vec![0; 32], [vec![1], vec![0; 31]].concat(), order_8] {
            assert_eq!(CurvePublicKey::new(&X25519, &small), None);
        }
    }

    #[test]
    fn signatures_hold_for_their_message_and_x25519_has_none() {
        use crate::crypto::signature::{SignatureScheme, VerifyingKey};
        for curve in [&P_256, &P_384, &P_521] {
            let [key, other] = keys(curve);
            let signature = key.sign(b"text").unwrap();
            let algorithm = key.public().signature_algorithm().unwrap();
            let algorithm = spki::AlgorithmIdentifierOwned { oid: algorithm, parameters: None };
            let scheme = SignatureScheme::named_by(&algorithm).unwrap();
            let verify = |key: &CurvePrivateKey, message: &[u8]| {
                scheme.verify(VerifyingKey::Curve(key.public()), message, &signature)
            };
            assert_eq!(verify(&key, b"text"), Some(()), "{curve:?}");
            assert_eq!(verify(&key, b"Text"), None);
            assert_eq!(verify(&other, b"text"), None);
        }
        let [key, _] = keys(&X25519);
        assert!(key.sign(b"text").is_none() && key.public().signature_algorithm().is_none());
    }
}
