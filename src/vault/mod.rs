//! A user's private key under the Secure Mail password: PKCS#8 with PBES2, never in the clear.

use crate::crypto::Seed;
use crate::pki::{PkiError, UnlockedKey, encrypt_key};
use der::Decode;
use pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Prf};
use pkcs8::EncryptedPrivateKeyInfoRef;
use zeroize::Zeroizing;

/// Rounds of PBKDF2-HMAC-SHA-256 (OWASP Password Storage Cheat Sheet: 600 000).
pub const ITERATIONS: u32 = 600_000;

/// A record that asks for more was not written by us; without a bound it could stop the machine.
const MAX_ITERATIONS: u32 = 10_000_000;

/// A longer password is a file given by mistake.
pub const MAX_PASSWORD: usize = 1024;

/// An encrypted RSA 8192 key has less than 6 KiB.
const MAX_RECORD: usize = 64 * 1024;

/// Octets of salt in a record.
const SALT: usize = 16;

/// Octets of an AES block.
const BLOCK: usize = 16;

/// Why the vault did not give the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Wrong password (or a damaged record: both look the same).
    #[error("wrong Secure Mail password")]
    WrongPassword,
    /// A new password that cannot be used.
    #[error("a Secure Mail password has 1 to {MAX_PASSWORD} octets; this one has {octets}")]
    PasswordLength {
        /// Its length.
        octets: usize,
    },
    /// The key failed its test, so it is not stored.
    #[error("the key is not stored")]
    Key(#[from] PkiError),
}

/// Encrypted PKCS#8 (DER) of the key under the password: PBES2, PBKDF2-HMAC-SHA-256, AES-256-CBC. The key is tested
/// first.
pub fn protect(key: &UnlockedKey, password: &[u8], seed: Seed) -> Result<Vec<u8>, VaultError> {
    protect_with(key, password, seed, ITERATIONS)
}

/// [`protect`] at another cost; only tests take another than [`ITERATIONS`].
pub(crate) fn protect_with(
    key: &UnlockedKey,
    password: &[u8],
    seed: Seed,
    iterations: u32,
) -> Result<Vec<u8>, VaultError> {
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return Err(VaultError::PasswordLength { octets: password.len() });
    }
    Ok(encrypt_key(key, password, iterations, seed)?)
}

/// The key again. Same error and same work for every failure: a damaged record costs a derivation too.
pub fn unlock(record: &[u8], password: &[u8]) -> Result<UnlockedKey, VaultError> {
    unlock_with(record, password, ITERATIONS)
}

fn unlock_with(record: &[u8], password: &[u8], cost: u32) -> Result<UnlockedKey, VaultError> {
    let Some((scheme, mut buffer)) = read_record(record) else {
        spend(password, cost);
        return Err(VaultError::WrongPassword);
    };
    let clear = scheme.decrypt_in_place(password, &mut buffer).map_err(|_| VaultError::WrongPassword)?;
    UnlockedKey::from_pkcs8(clear).map_err(|_| VaultError::WrongPassword)
}

/// Parameters and ciphertext, if they are of the kind that [`protect`] writes: every other record must fail before
/// its own wishes are followed.
fn read_record(record: &[u8]) -> Option<(Parameters, Zeroizing<Vec<u8>>)> {
    if record.len() > MAX_RECORD {
        return None;
    }
    let info = EncryptedPrivateKeyInfoRef::from_der(record).ok()?;
    let scheme = info.encryption_algorithm.pbes2()?.clone();
    let data = info.encrypted_data.as_bytes();
    let whole = !data.is_empty() && data.len().is_multiple_of(BLOCK);
    (whole && is_ours(&scheme)).then(|| (scheme, Zeroizing::new(data.to_vec())))
}

fn is_ours(scheme: &Parameters) -> bool {
    let Kdf::Pbkdf2(kdf) = &scheme.kdf else { return false };
    kdf.prf == Pbkdf2Prf::HmacWithSha256
        && (1..=MAX_ITERATIONS).contains(&kdf.iteration_count)
        && kdf.key_length.is_none_or(|length| length == 32)
        && matches!(scheme.encryption, EncryptionScheme::Aes256Cbc { .. })
}

/// The work of one derivation, for nothing.
fn spend(password: &[u8], cost: u32) {
    if let Ok(scheme) = Parameters::generate_pbkdf2_sha256_aes256cbc(cost, &[0; SALT], [0; BLOCK]) {
        let mut block = Zeroizing::new([0_u8; BLOCK]);
        // The outcome is that of random octets under a random key: it says nothing.
        let _ = scheme.decrypt_in_place(password, block.as_mut_slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::KeyType;
    use der::Encode;

    /// Enough to follow the same road, cheap enough for many tries.
    const CHEAP: u32 = 10;

    fn seed(byte: u8) -> Seed {
        Seed::from_bytes(&mut [byte; 32])
    }

    fn key() -> UnlockedKey {
        UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap()
    }

    #[test]
    fn the_key_comes_back_under_its_password_only() {
        let record = protect(&key(), b"correct horse", seed(2)).unwrap();
        assert_eq!(unlock(&record, b"correct horse").unwrap().public(), key().public());
        let again = unlock(&record, b"correct horse").unwrap();
        let changed = protect(&again, b"battery", seed(3)).unwrap();
        assert_eq!(unlock(&changed, b"battery").unwrap().public(), key().public());
        let refused = unlock(&changed, b"correct horse").err().unwrap();
        assert_eq!(refused.to_string(), "wrong Secure Mail password");
    }

    #[test]
    fn passwords_have_limits() {
        for octets in [0, MAX_PASSWORD + 1] {
            let error = protect(&key(), &vec![b'x'; octets], seed(2)).unwrap_err();
            let text = format!("a Secure Mail password has 1 to 1024 octets; this one has {octets}");
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn every_damage_looks_like_a_wrong_password() {
        let record = protect_with(&key(), b"pass", seed(2), CHEAP).unwrap();
        for length in 0..record.len() {
            let error = unlock_with(&record[..length], b"pass", CHEAP).err().unwrap();
            assert!(matches!(error, VaultError::WrongPassword), "{length}: {error}");
        }
        for position in 0..record.len() {
            for bit in 0..8 {
                let mut damaged = record.clone();
                damaged[position] ^= 1 << bit;
                if let Some((scheme, _)) = read_record(&damaged)
                    && scheme.kdf.pbkdf2().unwrap().iteration_count > 100_000
                {
                    continue; // Bounded, and slow in a loop.
                }
                match unlock_with(&damaged, b"pass", CHEAP) {
                    Ok(same) => assert_eq!(same.public(), key().public(), "{position}.{bit}"),
                    Err(error) => assert!(matches!(error, VaultError::WrongPassword)),
                }
            }
        }
    }

    #[test]
    fn a_record_cannot_ask_for_endless_work() {
        let record = protect_with(&key(), b"pass", seed(2), CHEAP).unwrap();
        let info = EncryptedPrivateKeyInfoRef::from_der(&record).unwrap();
        let endless =
            Parameters::generate_pbkdf2_sha256_aes256cbc(MAX_ITERATIONS + 1, &[1; SALT], [2; BLOCK]).unwrap();
        let hostile = EncryptedPrivateKeyInfoRef { encryption_algorithm: endless.into(), ..info };
        let error = unlock_with(&hostile.to_der().unwrap(), b"pass", CHEAP).err().unwrap();
        assert!(matches!(error, VaultError::WrongPassword));
    }

    #[test]
    fn openssl_opens_the_record() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.der");
        std::fs::write(&file, protect(&key(), b"pass", seed(2)).unwrap()).unwrap();
        let output = std::process::Command::new("openssl")
            .args(["pkcs8", "-inform", "DER", "-passin", "pass:pass", "-in"])
            .arg(&file)
            .output();
        let Ok(output) = output else {
            crate::mail::vectors::skip("peers", "openssl is not installed");
            return;
        };
        let read = crate::pki::read_private_key(&output.stdout, None).unwrap();
        assert_eq!(read.public(), key().public());
    }
}
