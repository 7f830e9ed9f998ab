//! Files that carry keys and certificates: PEM in its dialects, DER.

use super::pem::{self, Block};
use super::{Certificate, PkiError, UnlockedKey};

/// A private key file is no larger: RSA 8192 in PKCS#12 with its chain has some 20 KiB.
const MAX_KEY_FILE: usize = 1024 * 1024;

/// What takes the password off a key.
const CONVERT: &str = "openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out NEW.pem";

/// Reads the one private key of a file: PEM `PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`, with other text and
/// certificates around it, or DER of the same.
pub fn read_private_key(bytes: &[u8], password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    if bytes.len() > MAX_KEY_FILE {
        return Err(PkiError::TooLarge { what: "a private key", size: bytes.len(), limit: MAX_KEY_FILE });
    }
    if !pem::looks_like_pem(bytes) {
        return read_der_key(bytes);
    }
    let blocks = pem::read(bytes)?;
    let mut keys = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
    match (keys.next(), keys.count()) {
        (Some(block), 0) => read_key_block(block, password),
        (Some(_), more) => Err(PkiError::TooMany { what: "private keys", count: more + 1 }),
        (None, _) => Err(PkiError::NotFound { wanted: "private key", found: found(&blocks) }),
    }
}

fn found(blocks: &[Block<'_>]) -> String {
    let mut labels: Vec<&str> = blocks.iter().map(|block| block.label).collect();
    labels.dedup();
    labels.truncate(4);
    format!("the file holds {}", labels.join(", "))
}

fn read_key_block(block: &Block<'_>, _password: Option<&[u8]>) -> Result<UnlockedKey, PkiError> {
    if block.encrypted {
        return Err(PkiError::Encrypted { found: "Proc-Type: 4,ENCRYPTED", convert: CONVERT });
    }
    match block.label {
        "PRIVATE KEY" => UnlockedKey::from_pkcs8(&block.der),
        "RSA PRIVATE KEY" => read_pkcs1(&block.der),
        "EC PRIVATE KEY" => read_sec1(&block.der),
        other => Err(PkiError::Unsupported(format!("private keys in the format \"{other}\""))),
    }
}

fn read_der_key(bytes: &[u8]) -> Result<UnlockedKey, PkiError> {
    UnlockedKey::from_pkcs8(bytes).or_else(|error| {
        read_pkcs1(bytes).or_else(|_| read_sec1(bytes)).map_err(|_| error)
    })
}

fn read_pkcs1(der: &[u8]) -> Result<UnlockedKey, PkiError> {
    let key = rsa::pkcs1::DecodeRsaPrivateKey::from_pkcs1_der(der)
        .map_err(|error| PkiError::malformed("the RSA private key", error))?;
    UnlockedKey::from_rsa(key)
}

fn read_sec1(der: &[u8]) -> Result<UnlockedKey, PkiError> {
    p256::SecretKey::from_sec1_der(der)
        .map(|key| UnlockedKey(super::key::PrivateKey::EcP256(key)))
        .map_err(|error| PkiError::malformed("the EC private key", error))
}

/// Every certificate of a PEM bundle, in its order, or the one of a DER file. Keys and prose between them are passed over.
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<Certificate>, PkiError> {
    if !pem::looks_like_pem(bytes) {
        return Ok(vec![Certificate::from_der(bytes)?]);
    }
    let blocks = pem::read(bytes)?;
    let wanted = |label: &str| matches!(label, "CERTIFICATE" | "X509 CERTIFICATE");
    let found_some = blocks.iter().filter(|block| wanted(block.label));
    let certificates =
        found_some.map(|block| Certificate::from_der(&block.der)).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(PkiError::NotFound { wanted: "certificate", found: found(&blocks) });
    }
    Ok(certificates)
}
