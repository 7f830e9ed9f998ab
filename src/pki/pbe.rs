//! Password-based encryption: PBES2 (RFC 8018) and the schemes of PKCS#12 (RFC 7292 appendices B, C).

use super::PkiError;
use crate::crypto::algorithm::name_of;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_256, ID_SHA_384, ID_SHA_512};
use der::asn1::OctetString;
use der::{Decode, Encode, Sequence};
use hmac::{Hmac, Mac};
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{Kdf, Parameters};
use rand::Rng;
use rand::rngs::StdRng;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha384, Sha512};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

/// Rounds of key derivation for one whole file. Real files ask for at most a million a part and have four parts.
pub(crate) const MAX_ROUNDS: u32 = 10_000_000;

/// Memory that scrypt may take: N = 2^17, r = 8 (OWASP) needs 128 MiB.
const MAX_SCRYPT_MEMORY: u64 = 128 * 1024 * 1024;

/// Octets of salt in what we write (NIST SP 800-132 5.1: at least 16).
const SALT: usize = 16;

/// Octets of salt that readers of the old schemes take.
const OLD_SALT: usize = 8;

/// Octets of an AES block.
const AES_BLOCK: usize = 16;

/// pbeWithSHAAnd3-KeyTripleDES-CBC and its older sisters.
const TRIPLE_DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const RC2_128: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.5");
const RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");

/// id-hmacWithSHA1 and its younger sisters (RFC 8018 B.1.2).
const HMAC_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.11");

/// How what we write is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC; HMAC-SHA-256 over a PKCS#12 file.
    Aes256,
    /// pbeWithSHAAnd3-KeyTripleDES-CBC, HMAC-SHA-1: for programs that read nothing newer, as gpgsm 2.2.
    TripleDes,
}

/// What the derived octets are for (RFC 7292 B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

#[derive(Sequence)]
struct Pkcs12Parameters {
    salt: OctetString,
    rounds: u32,
}

/// A password in both shapes that the schemes want, and what may still be spent on it.
pub(crate) struct Password {
    utf8: Zeroizing<Vec<u8>>,
    bmp: Zeroizing<Vec<u8>>,
    budget: u32,
}

impl Password {
    /// From UTF-8 (what is none is taken octet by octet). The BMPString ends in two zero octets (RFC 7292 B.1).
    pub(crate) fn new(password: &[u8]) -> Password {
        let mut bmp = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
        match std::str::from_utf8(password) {
            Ok(text) => bmp.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Err(_) => bmp.extend(password.iter().flat_map(|octet| [0, *octet])),
        }
        bmp.extend_from_slice(&[0, 0]);
        Password { utf8: Zeroizing::new(password.to_vec()), bmp, budget: MAX_ROUNDS }
    }

    /// No password at all, which PKCS#12 tells from an empty one.
    pub(crate) fn absent() -> Password {
        Password { utf8: Zeroizing::default(), bmp: Zeroizing::default(), budget: MAX_ROUNDS }
    }

    /// Was a key derived from it?
    pub(crate) fn was_used(&self) -> bool {
        self.budget < MAX_ROUNDS
    }

    fn spend(&mut self, rounds: u32) -> Result<(), PkiError> {
        let left = self.budget.checked_sub(rounds.max(1));
        self.budget = left.ok_or(PkiError::Cost { asked: u64::from(rounds), limit: MAX_ROUNDS })?;
        Ok(())
    }

    /// Decrypts what a scheme protects. `what` is named in the error.
    pub(crate) fn decrypt(
        &mut self,
        scheme: &AlgorithmIdentifierOwned,
        data: &[u8],
        what: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, PkiError> {
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match scheme.oid {
            pkcs5::pbes2::PBES2_OID => self.decrypt_pbes2(scheme, &mut buffer)?,
            TRIPLE_DES => self.decrypt_pkcs12::<des::TdesEde3>(scheme, 24, &mut buffer)?,
            RC2_128 => self.decrypt_pkcs12::<rc2::Rc2>(scheme, 16, &mut buffer)?,
            RC2_40 => self.decrypt_pkcs12::<rc2::Rc2>(scheme, 5, &mut buffer)?,
            other => {
                return Err(PkiError::Unsupported(format!("encryption with {}", name_of(&other))));
            }
        };
        buffer.truncate(length.ok_or(PkiError::WrongPassword(what))?);
        Ok(buffer)
    }

    /// The length of the clear text, or nothing where the padding does not fit. RFC 8018 wants UTF-8; old NSS took
    /// the BMPString here too.
    fn decrypt_pbes2(
        &mut self,
        scheme: &AlgorithmIdentifierOwned,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, PkiError> {
        let broken = |error: der::Error| PkiError::malformed("the encryption scheme", error);
        let scheme = EncryptionScheme::from_der(&scheme.to_der().map_err(broken)?).map_err(broken)?;
        let Some(parameters) = scheme.pbes2() else {
            return Err(PkiError::malformed("the encryption scheme", "it is no PBES2"));
        };
        match &parameters.kdf {
            Kdf::Pbkdf2(kdf) => self.spend(kdf.iteration_count)?,
            Kdf::Scrypt(kdf) => self.spend_scrypt(kdf)?,
            _ => return Err(PkiError::Unsupported("this key derivation".to_owned())),
        }
        let sealed = Zeroizing::new(buffer.to_vec());
        for spelling in [&self.utf8, &self.bmp] {
            buffer.copy_from_slice(&sealed);
            match parameters.decrypt_in_place(spelling.as_slice(), buffer) {
                Ok(clear) => return Ok(Some(clear.len())),
                Err(pkcs5::Error::DecryptFailed) => {}
                Err(error) => return Err(PkiError::Unsupported(format!("this encryption scheme ({error})"))),
            }
        }
        Ok(None)
    }

    fn spend_scrypt(&mut self, kdf: &pkcs5::pbes2::ScryptParams) -> Result<(), PkiError> {
        let memory = kdf.cost_parameter.saturating_mul(u64::from(kdf.block_size)).saturating_mul(128);
        let work = memory.saturating_mul(u64::from(kdf.parallelization));
        if memory > MAX_SCRYPT_MEMORY || work > 16 * MAX_SCRYPT_MEMORY {
            return Err(PkiError::Cost { asked: kdf.cost_parameter, limit: 1 << 17 });
        }
        self.spend(1)
    }

    fn decrypt_pkcs12<C: BlockCipherDecrypt + KeyInit>(
        &mut self,
        scheme: &AlgorithmIdentifierOwned,
        key_octets: usize,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, PkiError>
    where
        cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
    {
        let parameters = scheme.parameters.as_ref().and_then(|any| any.decode_as::<Pkcs12Parameters>().ok());
        let Some(Pkcs12Parameters { salt, rounds }) = parameters else {
            return Err(PkiError::malformed("the encryption scheme", "its parameters are missing"));
        };
        self.spend(rounds)?;
        self.spend(rounds)?;
        let key = derive::<Sha1>(&self.bmp, salt.as_bytes(), rounds, Purpose::Key, key_octets);
        let iv = derive::<Sha1>(&self.bmp, salt.as_bytes(), rounds, Purpose::Iv, 8);
        let cipher = cbc::Decryptor::<C>::new_from_slices(&key, &iv)
            .map_err(|_| PkiError::Unsupported("this key length".to_owned()))?;
        Ok(cipher.decrypt_padded::<Pkcs7>(buffer).ok().map(<[u8]>::len))
    }

    /// Does the MAC of a PKCS#12 file hold (RFC 7292 5.1)?
    pub(crate) fn verify_mac(
        &mut self,
        digest: ObjectIdentifier,
        salt: &[u8],
        rounds: u32,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, PkiError> {
        self.spend(rounds)?;
        macro_rules! check {
            ($hash:ty) => {{
                let length = <$hash as Digest>::output_size();
                let key = derive::<$hash>(&self.bmp, salt, rounds, Purpose::Mac, length);
                let keyed = <Hmac<$hash> as hmac::KeyInit>::new_from_slice(&key);
                Ok(keyed.is_ok_and(|hmac| hmac.chain_update(message).verify_slice(mac).is_ok()))
            }};
        }
        match digest {
            ID_SHA_1 => check!(Sha1),
            ID_SHA_256 => check!(Sha256),
            ID_SHA_384 => check!(Sha384),
            ID_SHA_512 => check!(Sha512),
            other => Err(PkiError::Unsupported(format!("a PKCS#12 MAC with {}", name_of(&other)))),
        }
    }
}

impl Password {
    /// A key by PBKDF2 (RFC 8018 5.2) from the UTF-8, for the MAC of RFC 9579. `prf` is the OID of its HMAC.
    pub(crate) fn derive_pbkdf2(
        &mut self,
        prf: ObjectIdentifier,
        salt: &[u8],
        rounds: u32,
        octets: usize,
    ) -> Result<Zeroizing<Vec<u8>>, PkiError> {
        self.spend(rounds)?;
        let mut key = Zeroizing::new(vec![0; octets]);
        macro_rules! derive {
            ($hash:ty) => {
                pbkdf2::pbkdf2_hmac::<$hash>(&self.utf8, salt, rounds, &mut key)
            };
        }
        match prf {
            HMAC_SHA_1 => derive!(Sha1),
            HMAC_SHA_256 => derive!(Sha256),
            HMAC_SHA_384 => derive!(Sha384),
            HMAC_SHA_512 => derive!(Sha512),
            other => return Err(PkiError::Unsupported(format!("key derivation with {}", name_of(&other)))),
        }
        Ok(key)
    }

    /// The digest that the MAC of a PKCS#12 file is made with (RFC 7292 5.1), and the MAC.
    pub(crate) fn mac(
        &self,
        protection: Protection,
        salt: &[u8],
        rounds: u32,
        message: &[u8],
    ) -> Result<(ObjectIdentifier, Vec<u8>), PkiError> {
        macro_rules! make {
            ($hash:ty) => {{
                let length = <$hash as Digest>::output_size();
                let key = derive::<$hash>(&self.bmp, salt, rounds, Purpose::Mac, length);
                let keyed = <Hmac<$hash> as KeyInit>::new_from_slice(&key).map_err(unwritten)?;
                keyed.chain_update(message).finalize().into_bytes().to_vec()
            }};
        }
        Ok(match protection {
            Protection::Aes256 => (ID_SHA_256, make!(Sha256)),
            Protection::TripleDes => (ID_SHA_1, make!(Sha1)),
        })
    }

    /// Encrypts under a key derived in so many rounds. Gives the scheme with its parameters, and the ciphertext.
    pub(crate) fn encrypt(
        &self,
        clear: &[u8],
        protection: Protection,
        rounds: u32,
        rng: &mut StdRng,
    ) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), PkiError> {
        let mut buffer = Zeroizing::new(Vec::with_capacity(clear.len() + AES_BLOCK));
        buffer.extend_from_slice(clear);
        buffer.extend_from_slice(&[0; AES_BLOCK]);
        match protection {
            Protection::Aes256 => self.encrypt_aes(&mut buffer, clear.len(), rounds, rng),
            Protection::TripleDes => self.encrypt_triple_des(&mut buffer, clear.len(), rounds, rng),
        }
    }

    fn encrypt_aes(
        &self,
        buffer: &mut [u8],
        length: usize,
        rounds: u32,
        rng: &mut StdRng,
    ) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), PkiError> {
        let (mut salt, mut iv) = ([0_u8; SALT], [0_u8; AES_BLOCK]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut iv);
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &salt, iv);
        let parameters = parameters.map_err(unwritten)?;
        let sealed = parameters.encrypt_in_place(self.utf8.as_slice(), buffer, length).map_err(unwritten)?;
        let scheme = EncryptionScheme::from(parameters).to_der().map_err(unwritten)?;
        Ok((AlgorithmIdentifierOwned::from_der(&scheme).map_err(unwritten)?, sealed.to_vec()))
    }

    fn encrypt_triple_des(
        &self,
        buffer: &mut [u8],
        length: usize,
        rounds: u32,
        rng: &mut StdRng,
    ) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), PkiError> {
        let mut salt = [0_u8; OLD_SALT];
        rng.fill_bytes(&mut salt);
        let key = derive::<Sha1>(&self.bmp, &salt, rounds, Purpose::Key, 24);
        let iv = derive::<Sha1>(&self.bmp, &salt, rounds, Purpose::Iv, 8);
        let cipher = cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, &iv).map_err(unwritten)?;
        let sealed = cipher.encrypt_padded::<Pkcs7>(buffer, length).map_err(unwritten)?;
        let salt = OctetString::new(salt).map_err(unwritten)?;
        let parameters = der::Any::encode_from(&Pkcs12Parameters { salt, rounds }).map_err(unwritten)?;
        Ok((AlgorithmIdentifierOwned { oid: TRIPLE_DES, parameters: Some(parameters) }, sealed.to_vec()))
    }
}

/// Does HMAC with this hash, named by the OID of the HMAC, give `mac` under the key?
pub(crate) fn hmac_holds(
    scheme: ObjectIdentifier,
    key: &[u8],
    message: &[u8],
    mac: &[u8],
) -> Result<bool, PkiError> {
    macro_rules! check {
        ($hash:ty) => {{
            let keyed = <Hmac<$hash> as KeyInit>::new_from_slice(key);
            keyed.is_ok_and(|hmac| hmac.chain_update(message).verify_slice(mac).is_ok())
        }};
    }
    Ok(match scheme {
        HMAC_SHA_1 => check!(Sha1),
        HMAC_SHA_256 => check!(Sha256),
        HMAC_SHA_384 => check!(Sha384),
        HMAC_SHA_512 => check!(Sha512),
        other => return Err(PkiError::Unsupported(format!("a PKCS#12 MAC with {}", name_of(&other)))),
    })
}

fn unwritten(error: impl std::fmt::Display) -> PkiError {
    PkiError::Protect(error.to_string())
}

/// Octets in a block of the hash function: SHA-384 and SHA-512 have the larger ones.
fn block_octets(digest_octets: usize) -> usize {
    if digest_octets > 32 { 128 } else { 64 }
}

/// RFC 7292 B.2.
fn derive<H: Digest>(
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    purpose: Purpose,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = block_octets(<H as Digest>::output_size());
    let diversifier = vec![purpose as u8; block];
    let mut input = Zeroizing::new(stretch(salt, block));
    input.extend_from_slice(&Zeroizing::new(stretch(password, block)));
    let mut out = Zeroizing::new(Vec::with_capacity(length + block));
    while out.len() < length {
        let mut hash = H::new().chain_update(&diversifier).chain_update(input.as_slice()).finalize();
        for _ in 1..rounds {
            hash = H::digest(&hash);
        }
        out.extend_from_slice(&hash);
        let addend: Zeroizing<Vec<u8>> = Zeroizing::new(hash.iter().copied().cycle().take(block).collect());
        input.chunks_mut(block).for_each(|chunk| add_one_more(chunk, &addend));
    }
    out.truncate(length);
    out
}

/// Repeats to a whole number of blocks; what is empty stays so.
fn stretch(octets: &[u8], block: usize) -> Vec<u8> {
    octets.iter().copied().cycle().take(octets.len().div_ceil(block) * block).collect()
}

/// `chunk + addend + 1` as numbers, the carry out of the front dropped.
fn add_one_more(chunk: &mut [u8], addend: &[u8]) {
    let mut carry = 1_u16;
    for (octet, other) in chunk.iter_mut().zip(addend).rev() {
        let sum = u16::from(*octet) + u16::from(*other) + carry;
        let [high, low] = sum.to_be_bytes();
        *octet = low;
        carry = u16::from(high);
    }
}
