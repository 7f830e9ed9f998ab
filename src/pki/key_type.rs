//! Kinds of keys that can be made, by the words that `--type` takes.

use super::{PkiError, PublicKey};
use crate::crypto::algorithm::{ML_KEM_768, ML_KEM_1024, P_256, P_384, P_521, X25519};
use crate::crypto::ed25519;

/// Kinds of keys that can be made. The row's name is the `--type` word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// NIST P-256.
    EcP256,
    /// NIST P-384.
    EcP384,
    /// NIST P-521.
    EcP521,
    /// X25519.
    X25519,
    /// ML-KEM-768.
    MlKem768,
    /// ML-KEM-1024.
    MlKem1024,
    /// Ed25519.
    Ed25519,
}

/// The words that `--type` takes, and those that it refuses by name.
struct KeyTypeRow {
    name: &'static str,
    doc: &'static str,
    kind: Result<KeyType, &'static str>,
}

const fn row(name: &'static str, doc: &'static str, kind: KeyType) -> KeyTypeRow {
    KeyTypeRow { name, doc, kind: Ok(kind) }
}

const fn refused(name: &'static str, reason: &'static str) -> KeyTypeRow {
    KeyTypeRow { name, doc: "", kind: Err(reason) }
}

static KEY_TYPES: [KeyTypeRow; 13] = [
    row("rsa-2048", "RSA, 2048 bits: every S/MIME client", KeyType::Rsa2048),
    row("rsa-3072", "RSA, 3072 bits", KeyType::Rsa3072),
    row("rsa-4096", "RSA, 4096 bits: slow to make", KeyType::Rsa4096),
    row("ec-p256", "elliptic curve NIST P-256", KeyType::EcP256),
    row("ec-p384", "elliptic curve NIST P-384", KeyType::EcP384),
    row("ec-p521", "elliptic curve NIST P-521", KeyType::EcP521),
    row("x25519", "X25519, for the profile modern; it cannot sign", KeyType::X25519),
    row("ml-kem-768", "ML-KEM-768, for the profile post-quantum; it cannot sign", KeyType::MlKem768),
    row("ml-kem-1024", "ML-KEM-1024, for the profile post-quantum; it cannot sign", KeyType::MlKem1024),
    row("ed25519", "Ed25519, for the key of a domain; it signs and does nothing else", KeyType::Ed25519),
    refused("rsa-512", "512 bits are factored in hours; take rsa-2048 or larger"),
    refused("rsa-1024", "1024 bits are in reach of a well-funded attacker; take rsa-2048 or larger"),
    refused("ml-kem-512", "it is read and not written, for want of a margin; take ml-kem-768"),
];

impl KeyType {
    /// The type of this name; what is too weak is refused with the reason, what is unknown with the nearest name.
    pub fn parse(name: &str) -> Result<KeyType, PkiError> {
        let Some(row) = KEY_TYPES.iter().find(|row| row.name.eq_ignore_ascii_case(name)) else {
            return Err(PkiError::UnknownKeyType { name: name.to_owned(), nearest: nearest_type(name) });
        };
        row.kind.map_err(|reason| PkiError::WeakKeyType { name: row.name, reason })
    }

    /// Every type that can be made, with its name and a line for the help.
    pub fn all() -> impl Iterator<Item = (KeyType, &'static str, &'static str)> {
        KEY_TYPES.iter().filter_map(|row| row.kind.ok().map(|kind| (kind, row.name, row.doc)))
    }

    /// Can mail be encrypted to such a key?
    pub fn encrypts(self) -> bool {
        self != KeyType::Ed25519
    }

    /// Can such a key sign?
    pub fn signs(self) -> bool {
        !matches!(self, KeyType::X25519 | KeyType::MlKem768 | KeyType::MlKem1024)
    }

    /// The type of a key that is there; nothing if no such key can be made (RSA of another length).
    pub fn of(key: &PublicKey) -> Option<KeyType> {
        KeyType::all().map(|(kind, ..)| kind).find(|kind| kind.words() == key.to_string())
    }

    /// As output shows a key of this type.
    pub fn words(self) -> &'static str {
        match self {
            KeyType::Rsa2048 => "RSA 2048",
            KeyType::Rsa3072 => "RSA 3072",
            KeyType::Rsa4096 => "RSA 4096",
            KeyType::EcP256 => P_256.name,
            KeyType::EcP384 => P_384.name,
            KeyType::EcP521 => P_521.name,
            KeyType::X25519 => X25519.name,
            KeyType::MlKem768 => ML_KEM_768.name,
            KeyType::MlKem1024 => ML_KEM_1024.name,
            KeyType::Ed25519 => ed25519::NAME,
        }
    }

    /// The `--type` word.
    pub fn name(self) -> &'static str {
        KeyType::all().find(|(kind, _, _)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

fn nearest_type(name: &str) -> &'static str {
    KeyType::all().map(|(_, known, _)| known).min_by_key(|known| edits(known, name)).unwrap_or("")
}

/// How many letters must be changed, added or dropped to make one word of the other.
pub(super) fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let cells = row.iter_mut();
        for (cell, b) in cells.zip(std::iter::once(None).chain(right.chars().map(Some))) {
            let above = *cell;
            *cell = match b {
                None => line + 1,
                Some(b) => (diagonal + usize::from(a != b)).min(above + 1).min(before + 1),
            };
            diagonal = above;
            before = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_weak_ones_refused_with_the_reason() {
        for (kind, name, _) in KeyType::all() {
            assert_eq!(KeyType::parse(name).unwrap(), kind);
            assert_eq!(kind.name(), name);
        }
        assert_eq!(
            KeyType::parse("rsa-1024").unwrap_err().to_string(),
            "rsa-1024 is refused: 1024 bits are in reach of a well-funded attacker; take rsa-2048 or larger"
        );
        assert_eq!(
            KeyType::parse("rsa-512").unwrap_err().to_string(),
            "rsa-512 is refused: 512 bits are factored in hours; take rsa-2048 or larger"
        );
        assert_eq!(
            KeyType::parse("ec256").unwrap_err().to_string(),
            "there is no key type \"ec256\"; did you mean ec-p256?"
        );
        assert_eq!(
            KeyType::parse("rsa4096").unwrap_err().to_string(),
            "there is no key type \"rsa4096\"; did you mean rsa-4096?"
        );
    }

    #[test]
    fn edit_distance_counts_changes() {
        assert_eq!(edits("ec-p256", "ec-p256"), 0);
        assert_eq!(edits("ec-p256", "ecp256"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("rsa-2048", "rsa-3072"), 3);
    }
}
