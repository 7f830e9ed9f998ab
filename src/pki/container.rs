//! Files that carry keys and certificates: PEM in its dialects, DER, PKCS#12.

use super::contents::{self, found};
use super::pbe::{Password, Protection};
use super::pem::{self, Block};
use super::pkcs12::{self, EncryptedKey};
use super::{Certificate, PkiError, UnlockedKey};
use crate::crypto::Seed;
use der::asn1::OctetString;
use der::{Decode, Encode};
use rand::rngs::StdRng;

/// A private key file is no larger: RSA 8192 in PKCS#12 with its chain has some 20 KiB.
const MAX_KEY_FILE: usize = 1024 * 1024;

/// What takes the password off a key, whatever dialect of PEM it is in.
const CONVERT: &str = "openssl pkey -in KEY.pem -out NEW.pem";

/// What errors call an encrypted key.
const KEY: &str = "encrypted private key";

/// The keys of one file and the certificates that lie beside them.
pub struct KeyFile {
    /// At least one.
    pub keys: Vec<UnlockedKey>,
    /// Perhaps none.
    pub certificates: Vec<Certificate>,
}

/// Reads every key and certificate of a file: PEM, DER or PKCS#12 (a user's export often holds a key to sign and
/// another to decrypt). `password` opens PKCS#12 and `ENCRYPTED PRIVATE KEY`.
pub fn read_key_file(bytes: &[u8], password: Option<&[u8]>) -> Result<KeyFile, PkiError> {
    if bytes.len() > MAX_KEY_FILE {
        return Err(PkiError::TooLarge { what: "a private key", size: bytes.len(), limit: MAX_KEY_FILE });
    }
    if pem::looks_like_pem(bytes) {
        return read_pem_keys(bytes, password);
    }
    if pkcs12::looks_like_pkcs12(bytes) {
        let contents = pkcs12::read(bytes, password)?;
        if contents.keys.is_empty() {
            let found = match contents.certificates.len() {
                0 => "the PKCS#12 file holds none".to_owned(),
                1 => "the PKCS#12 file holds a certificate only".to_owned(),
                count => format!("the PKCS#12 file holds {count} certificates only"),
            };
            return Err(PkiError::NotFound { wanted: "private key", found });
        }
        return Ok(KeyFile { keys: contents.keys, certificates: contents.certificates });
    }
    Ok(KeyFile { keys: vec![read_der_key(bytes, password)?], certificates: Vec::new() })
}

/// Reads the one private key of a file: PEM `PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY` with other text and
/// certificates around it, DER of the same, or PKCS#12. With a password `ENCRYPTED PRIVATE KEY` too; without one an
/// encrypted key is refused with the command that takes the password off.
pub fn read_private_key(bytes: &[u8], password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    let mut file = read_key_file(bytes, password)?;
    match (file.keys.pop(), file.keys.len()) {
        (Some(key), 0) => Ok(key),
        (_, more) => Err(PkiError::TooMany { what: "private keys", count: more + 1 }),
    }
}

/// Reads the one private key of a file for a domain, which keeps it without a password: a key that is encrypted by itself is
/// refused with the command that takes the password off, whatever password is given. That of a PKCS#12 file opens it.
pub fn read_domain_key(bytes: &[u8], password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    let password = password.filter(|_| pkcs12::looks_like_pkcs12(bytes));
    read_private_key(bytes, password).map_err(|error| match error {
        PkiError::Encrypted { found, convert } => PkiError::EncryptedForDomain { found, convert },
        other => other,
    })
}

fn read_pem_keys(bytes: &[u8], password: Option<&[u8]>) -> Result<KeyFile, PkiError> {
    let blocks = pem::read(bytes)?;
    let keys = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
    let keys = keys.map(|block| read_key_block(block, password)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(PkiError::NotFound { wanted: "private key", found: found(&blocks) });
    }
    Ok(KeyFile { keys, certificates: certificates_of(&blocks)? })
}

fn read_key_block(block: &Block<'_>, password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    if block.encrypted {
        return Err(PkiError::Encrypted { found: "Proc-Type: 4,ENCRYPTED", convert: CONVERT });
    }
    match block.label {
        "PRIVATE KEY" => UnlockedKey::from_pkcs8(&block.der),
        "RSA PRIVATE KEY" => read_pkcs1(&block.der),
        "EC PRIVATE KEY" => UnlockedKey::from_sec1(&block.der),
        "ENCRYPTED PRIVATE KEY" => read_encrypted(&block.der, password),
        "OPENSSH PRIVATE KEY" => Err(PkiError::Unsupported(
            "private keys in OpenSSH's own format; convert it: ssh-keygen -p -m PKCS8 -f KEY".to_owned(),
        )),
        other => Err(PkiError::Unsupported(format!("private keys in the format \"{other}\""))),
    }
}

fn read_encrypted(der: &[u8], password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    let Some(password) = password else {
        return Err(PkiError::Encrypted { found: "ENCRYPTED PRIVATE KEY", convert: CONVERT });
    };
    let key = EncryptedKey::from_der(der)
        .map_err(|error| PkiError::malformed("the encrypted private key", error))?;
    let clear = Password::new(password).decrypt(&key.algorithm, key.data.as_bytes(), KEY)?;
    // A wrong password passes the padding check 4 times in 1000: what does not parse was not opened.
    UnlockedKey::from_pkcs8(&clear).map_err(|error| match error {
        PkiError::Malformed { .. } => PkiError::WrongPassword(KEY),
        other => other,
    })
}

/// Encrypted PKCS#8 (RFC 5958 3) in DER: PBES2 with PBKDF2-HMAC-SHA-256 of so many rounds and AES-256-CBC. The key is
/// tested first.
pub fn encrypt_key(key: &UnlockedKey, password: &[u8], rounds: u32, seed: Seed) -> Result<Vec<u8>, PkiError> {
    encrypt_with(key, &Password::new(password), Protection::Aes256, rounds, &mut seed.into_rng())
}

pub(super) fn encrypt_with(
    key: &UnlockedKey,
    password: &Password,
    protection: Protection,
    rounds: u32,
    rng: &mut StdRng,
) -> Result<Vec<u8>, PkiError> {
    let (algorithm, sealed) = password.encrypt(key.to_pkcs8()?.expose(), protection, rounds, rng)?;
    let unwritten = |error: der::Error| PkiError::Protect(error.to_string());
    let data = OctetString::new(sealed).map_err(unwritten)?;
    EncryptedKey { algorithm, data }.to_der().map_err(unwritten)
}

/// A key file in PEM: encrypted PKCS#8 as `ENCRYPTED PRIVATE KEY`, then certificates in their order.
pub fn write_encrypted_key<'a>(
    encrypted: &[u8],
    certificates: impl IntoIterator<Item = &'a Certificate>,
) -> Result<String, PkiError> {
    let mut text = pem::write("ENCRYPTED PRIVATE KEY", encrypted)?;
    for certificate in certificates {
        text += &certificate.to_pem()?;
    }
    Ok(text)
}

/// DER says what it is only by its shape: the first reader that can make something of it decides.
fn read_der_key(bytes: &[u8], password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    if pkcs8::PrivateKeyInfoRef::from_der(bytes).is_ok() {
        return UnlockedKey::from_pkcs8(bytes);
    }
    if EncryptedKey::from_der(bytes).is_ok() {
        return read_encrypted(bytes, password);
    }
    if rsa::pkcs1::RsaPrivateKeyRef::from_der(bytes).is_ok() {
        return read_pkcs1(bytes);
    }
    if let Ok(key) = UnlockedKey::from_sec1(bytes) {
        return Ok(key);
    }
    let found =
        |text: &str| PkiError::NotFound { wanted: "private key", found: format!("the file holds {text}") };
    Err(if Certificate::from_der(bytes).is_ok() {
        found("a certificate")
    } else if spki::SubjectPublicKeyInfoRef::from_der(bytes).is_ok() {
        found("a public key")
    } else if let Err(error) = contents::require_der(bytes, "private key") {
        error
    } else {
        PkiError::malformed("the private key", "its DER is truncated or damaged")
    })
}

fn read_pkcs1(der: &[u8]) -> Result<UnlockedKey, PkiError> {
    let key = rsa::pkcs1::DecodeRsaPrivateKey::from_pkcs1_der(der)
        .map_err(|error| PkiError::malformed("the RSA private key", error))?;
    UnlockedKey::from_rsa(key)
}

/// Every certificate of a PEM bundle in its order, or the one of a DER file. Keys and prose between them are passed
/// over.
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<Certificate>, PkiError> {
    if !pem::looks_like_pem(bytes) {
        contents::require_der(bytes, "certificate")?;
        return Ok(vec![Certificate::from_der(bytes)?]);
    }
    let blocks = pem::read(bytes)?;
    let certificates = certificates_of(&blocks)?;
    if certificates.is_empty() {
        return Err(PkiError::NotFound { wanted: "certificate", found: found(&blocks) });
    }
    Ok(certificates)
}

fn certificates_of(blocks: &[Block<'_>]) -> Result<Vec<Certificate>, PkiError> {
    let wanted = blocks.iter().filter(|block| is_certificate(block));
    wanted.map(|block| Certificate::from_der(&block.der)).collect()
}

/// By its label: today's, or that of old programs.
pub(super) fn is_certificate(block: &Block<'_>) -> bool {
    matches!(block.label, "CERTIFICATE" | "X509 CERTIFICATE")
}

#[cfg(test)]
mod tests;
