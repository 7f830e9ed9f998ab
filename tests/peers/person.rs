//! The people of the forms, one or two for each kind of key.

use crate::support::KeyKind;

/// Whose key: who a form is sealed to, and who opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Bob,
    /// Never opens: the other recipient, or the wrong one.
    Carol,
    Dana,
    Erin,
    Frank,
    Grace,
    Heidi,
    Ivan,
}

impl By {
    pub(super) const ALL: [By; 8] =
        [By::Bob, By::Carol, By::Dana, By::Erin, By::Frank, By::Grace, By::Heidi, By::Ivan];

    /// The local part of the address, and the name of the files.
    pub(super) fn name(self) -> &'static str {
        match self {
            By::Bob => "bob",
            By::Carol => "carol",
            By::Dana => "dana",
            By::Erin => "erin",
            By::Frank => "frank",
            By::Grace => "grace",
            By::Heidi => "heidi",
            By::Ivan => "ivan",
        }
    }

    pub(super) fn kind(self) -> KeyKind {
        match self {
            By::Bob | By::Carol => KeyKind::Rsa2048,
            By::Dana => KeyKind::P256,
            By::Erin => KeyKind::P384,
            By::Frank => KeyKind::P521,
            By::Grace => KeyKind::X25519,
            By::Heidi => KeyKind::MlKem768,
            By::Ivan => KeyKind::MlKem1024,
        }
    }

    /// The kind of the key, as docs/INTEROP.md says it.
    pub(super) fn key(self) -> &'static str {
        match self.kind() {
            KeyKind::Rsa2048 => "RSA",
            KeyKind::P256 => "P-256",
            KeyKind::P384 => "P-384",
            KeyKind::P521 => "P-521",
            KeyKind::X25519 => "X25519",
            KeyKind::MlKem768 => "ML-KEM-768",
            KeyKind::MlKem1024 => "ML-KEM-1024",
        }
    }

    /// OpenSSL 3.0 makes no such key.
    pub(super) fn needs_openssl_4(self) -> bool {
        matches!(self, By::Heidi | By::Ivan)
    }
}
