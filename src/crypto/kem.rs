//! Key encapsulation mechanisms: one row each (FIPS 203, RFC 9935, RFC 9936), keys as octets beside their row.

use super::algorithm::Status;
use const_oid::ObjectIdentifier;
use const_oid::db::fips203::{ID_ALG_ML_KEM_512, ID_ALG_ML_KEM_768, ID_ALG_ML_KEM_1024};
use rand::Rng;
use rand::rngs::StdRng;
use std::fmt;
use zeroize::Zeroizing;

/// Octets that must not outlive their use.
type Octets = Zeroizing<Vec<u8>>;

/// Octets of the seed that a private key grows from: d and z of FIPS 203 7.1.
const SEED_LEN: usize = 64;

/// A ciphertext, and the secret that it carries.
pub(super) type Encapsulated = (Vec<u8>, Octets);

/// A key encapsulation mechanism.
pub struct Kem {
    /// In words, as output shows it.
    pub name: &'static str,
    /// Its object identifier, of the algorithm and of the kind of key.
    pub oid: ObjectIdentifier,
    /// Octets of a public key.
    pub public_len: usize,
    /// Octets of a ciphertext.
    pub ciphertext_len: usize,
    /// Written or only read.
    pub status: Status,
    /// The public key of a seed.
    public: fn(seed: &[u8]) -> Option<Vec<u8>>,
    /// The expanded private key of a seed.
    expand: fn(seed: &[u8]) -> Option<Octets>,
    /// The public key of an expanded private key that is sound (FIPS 203 7.3).
    public_of_expanded: fn(expanded: &[u8]) -> Option<Vec<u8>>,
    /// Is it a public key (FIPS 203 7.2)?
    check: fn(public: &[u8]) -> Option<()>,
    encapsulate: fn(public: &[u8], rng: &mut StdRng) -> Option<Encapsulated>,
    decapsulate: fn(private: &PrivateForm, ciphertext: &[u8]) -> Option<Octets>,
}

/// What the crate has to offer for a parameter set, in the form of a row.
macro_rules! ml_kem {
    ($set:ident, $name:literal, $oid:expr, $public:literal, $ciphertext:literal, $status:expr) => {
        Kem {
            name: $name,
            oid: $oid,
            public_len: $public,
            ciphertext_len: $ciphertext,
            status: $status,
            public: |seed| {
                use ml_kem::KeyExport;
                let key = ml_kem::$set::DecapsulationKey::from_seed(seed.try_into().ok()?);
                Some(key.encapsulation_key().to_bytes().to_vec())
            },
            expand: |seed| {
                #[expect(deprecated, reason = "others store keys in this form (RFC 9935 6)")]
                use ml_kem::ExpandedKeyEncoding;
                let key = ml_kem::$set::DecapsulationKey::from_seed(seed.try_into().ok()?);
                #[expect(deprecated, reason = "the same")]
                let expanded = key.to_expanded_bytes();
                Some(Zeroizing::new(expanded.to_vec()))
            },
            public_of_expanded: |expanded| {
                use ml_kem::KeyExport;
                let key = expanded_key!($set, expanded);
                Some(key.encapsulation_key().to_bytes().to_vec())
            },
            check: |public| {
                use ml_kem::TryKeyInit;
                ml_kem::$set::EncapsulationKey::new_from_slice(public).ok().map(|_| ())
            },
            encapsulate: |public, rng| {
                use ml_kem::{Encapsulate, TryKeyInit};
                let key = ml_kem::$set::EncapsulationKey::new_from_slice(public).ok()?;
                let (ciphertext, secret) = key.encapsulate_with_rng(rng);
                Some((ciphertext.to_vec(), Zeroizing::new(secret.to_vec())))
            },
            decapsulate: |private, ciphertext| {
                use ml_kem::Decapsulate;
                let key = match private {
                    PrivateForm::Seed(seed) => {
                        ml_kem::$set::DecapsulationKey::from_seed(seed.as_slice().try_into().ok()?)
                    }
                    PrivateForm::Expanded(expanded) => expanded_key!($set, expanded.as_slice()),
                };
                let secret = key.decapsulate_slice(ciphertext).ok()?;
                Some(Zeroizing::new(secret.to_vec()))
            },
        }
    };
}

macro_rules! expanded_key {
    ($set:ident, $expanded:expr) => {{
        #[expect(deprecated, reason = "others store keys in this form (RFC 9935 6)")]
        let key = ml_kem::$set::DecapsulationKey::from_expanded($expanded.try_into().ok()?);
        key.ok()?
    }};
}

/// ML-KEM-512: NIST security category 1, below what is written here.
pub static ML_KEM_512: Kem = ml_kem!(ml_kem_512, "ML-KEM-512", ID_ALG_ML_KEM_512, 800, 768, Status::ReadOnly);
/// ML-KEM-768: NIST security category 3.
pub static ML_KEM_768: Kem = ml_kem!(ml_kem_768, "ML-KEM-768", ID_ALG_ML_KEM_768, 1184, 1088, Status::Write);
/// ML-KEM-1024: NIST security category 5.
pub static ML_KEM_1024: Kem =
    ml_kem!(ml_kem_1024, "ML-KEM-1024", ID_ALG_ML_KEM_1024, 1568, 1568, Status::Write);

/// Every mechanism that we read.
pub static KEMS: [&Kem; 3] = [&ML_KEM_512, &ML_KEM_768, &ML_KEM_1024];

impl Kem {
    /// The row with that object identifier.
    pub fn by_oid(oid: ObjectIdentifier) -> Option<&'static Kem> {
        KEMS.into_iter().find(|kem| kem.oid == oid)
    }
}

impl PartialEq for Kem {
    fn eq(&self, other: &Kem) -> bool {
        self.oid == other.oid
    }
}

impl Eq for Kem {}

impl fmt::Debug for Kem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name)
    }
}

/// A public key to encapsulate to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KemPublicKey {
    kem: &'static Kem,
    octets: Vec<u8>,
}

impl KemPublicKey {
    /// Takes an encoded key; nothing if it is none (FIPS 203 7.2).
    pub fn new(kem: &'static Kem, octets: &[u8]) -> Option<KemPublicKey> {
        (kem.check)(octets).map(|()| KemPublicKey { kem, octets: octets.to_vec() })
    }

    /// Of which mechanism.
    pub fn kem(&self) -> &'static Kem {
        self.kem
    }

    /// As it is encoded in a certificate.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// A fresh secret, and the ciphertext that carries it to the holder of the private key.
    pub(super) fn encapsulate(&self, rng: &mut StdRng) -> Option<Encapsulated> {
        (self.kem.encapsulate)(&self.octets, rng)
    }
}

/// What a private key is kept as. A seed cannot be had back from what grew out of it.
enum PrivateForm {
    Seed(Octets),
    Expanded(Octets),
}

/// A private key. No `Debug`, no `Clone`; wiped when dropped.
pub(crate) struct KemPrivateKey {
    kem: &'static Kem,
    form: PrivateForm,
    public: KemPublicKey,
}

impl KemPrivateKey {
    /// A fresh one.
    pub(crate) fn generate(kem: &'static Kem, rng: &mut StdRng) -> Option<KemPrivateKey> {
        let mut seed = Zeroizing::new([0; SEED_LEN]);
        rng.fill_bytes(seed.as_mut_slice());
        KemPrivateKey::from_seed(kem, seed.as_slice())
    }

    /// From d and z, 64 octets.
    pub(crate) fn from_seed(kem: &'static Kem, seed: &[u8]) -> Option<KemPrivateKey> {
        let public = KemPublicKey { kem, octets: (kem.public)(seed)? };
        Some(KemPrivateKey { kem, form: PrivateForm::Seed(Zeroizing::new(seed.to_vec())), public })
    }

    /// From the form that has grown out of a seed; its inner hash must be right.
    pub(crate) fn from_expanded(kem: &'static Kem, expanded: &[u8]) -> Option<KemPrivateKey> {
        let public = KemPublicKey { kem, octets: (kem.public_of_expanded)(expanded)? };
        Some(KemPrivateKey { kem, form: PrivateForm::Expanded(Zeroizing::new(expanded.to_vec())), public })
    }

    /// Does this grow out of the seed?
    pub(crate) fn grows_into(&self, expanded: &[u8]) -> bool {
        match &self.form {
            PrivateForm::Seed(seed) => (self.kem.expand)(seed).is_some_and(|own| own.as_slice() == expanded),
            PrivateForm::Expanded(own) => own.as_slice() == expanded,
        }
    }

    /// The seed, if the key is kept as one.
    pub(crate) fn seed(&self) -> Option<&[u8]> {
        match &self.form {
            PrivateForm::Seed(seed) => Some(seed),
            PrivateForm::Expanded(_) => None,
        }
    }

    /// The private octets, in the form in which they are kept.
    pub(crate) fn octets(&self) -> &[u8] {
        match &self.form {
            PrivateForm::Seed(octets) | PrivateForm::Expanded(octets) => octets,
        }
    }

    /// The public half.
    pub(crate) fn public(&self) -> &KemPublicKey {
        &self.public
    }

    /// The secret that a ciphertext carries. One that was not made for this key gives another secret, which nobody
    /// else can foresee (FIPS 203 6.3); nothing only if the length is wrong.
    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Option<Octets> {
        (self.kem.decapsulate)(&self.form, ciphertext)
    }

    /// Does decapsulation undo encapsulation?
    pub(crate) fn test(&self, rng: &mut StdRng) -> Option<()> {
        let (ciphertext, secret) = self.public.encapsulate(rng)?;
        (*self.decapsulate(&ciphertext)? == *secret).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn secrets_arrive_and_damaged_ciphertexts_give_others() {
        for kem in KEMS {
            let mut rng = StdRng::from_seed([3; 32]);
            let key = KemPrivateKey::generate(kem, &mut rng).unwrap();
            assert_eq!(key.public().octets().len(), kem.public_len, "{kem:?}");
            let (mut ciphertext, secret) = key.public().encapsulate(&mut rng).unwrap();
            assert_eq!(ciphertext.len(), kem.ciphertext_len, "{kem:?}");
            assert_eq!(*key.decapsulate(&ciphertext).unwrap(), *secret);
            ciphertext[7] ^= 1;
            let other = key.decapsulate(&ciphertext).unwrap();
            assert_ne!(*other, *secret);
            assert_eq!(*key.decapsulate(&ciphertext).unwrap(), *other, "the same each time");
            assert!(key.decapsulate(&ciphertext[1..]).is_none());
            assert_eq!(key.test(&mut rng), Some(()));
        }
    }

    #[test]
    fn a_key_is_the_same_in_either_form() {
        for kem in KEMS {
            let key = KemPrivateKey::generate(kem, &mut StdRng::from_seed([4; 32])).unwrap();
            let mut expanded = (kem.expand)(key.seed().unwrap()).unwrap();
            assert!(key.grows_into(&expanded));
            let again = KemPrivateKey::from_expanded(kem, &expanded).unwrap();
            assert_eq!(again.public(), key.public());
            assert!(again.seed().is_none() && again.grows_into(&expanded));
            let (ciphertext, secret) = key.public().encapsulate(&mut StdRng::from_seed([5; 32])).unwrap();
            assert_eq!(*again.decapsulate(&ciphertext).unwrap(), *secret);
            let hash = expanded.len() - 40;
            expanded[hash] ^= 1;
            assert!(!key.grows_into(&expanded));
            assert!(
                KemPrivateKey::from_expanded(kem, &expanded).is_none(),
                "the hash of the public key is wrong"
            );
        }
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        for kem in KEMS {
            assert!(KemPublicKey::new(kem, &vec![0xff; kem.public_len]).is_none(), "coefficients above q");
            assert!(KemPublicKey::new(kem, &vec![0; kem.public_len - 1]).is_none());
            assert_eq!(Kem::by_oid(kem.oid), Some(kem));
        }
    }
}
