//! One `static` row per algorithm; names, help, OID lookup and tests read these tables.

use const_oid::ObjectIdentifier;

/// May we write it, or only read what others wrote?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Written by a profile and read.
    Write,
    /// Read only: old peers send it.
    ReadOnly,
}

/// How a content cipher works on blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Cipher block chaining, for EnvelopedData. No integrity.
    Cbc,
    /// Galois counter mode, for AuthEnvelopedData.
    Gcm,
}

/// A content-encryption algorithm.
#[derive(Debug)]
pub struct ContentCipher {
    /// The name in config, help and output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// CBC or GCM.
    pub mode: Mode,
    /// Key length in bytes.
    pub key_len: usize,
    /// IV or nonce length in bytes.
    pub iv_len: usize,
    /// Written or only read.
    pub status: Status,
}

/// A key transport algorithm (RSA).
#[derive(Debug)]
pub struct KeyTransport {
    /// The name in config, help and output.
    pub name: &'static str,
    /// Its object identifier.
    pub oid: ObjectIdentifier,
    /// Written or only read.
    pub status: Status,
}
