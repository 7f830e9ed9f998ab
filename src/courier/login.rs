//! Logging in (RFC 4954). What is said lies in buffers that are wiped.

use crate::crypto::SecretBytes;
use encodify::base64::STANDARD;

/// A user and the password. No `Debug`, no `Clone`.
pub struct Login {
    user: String,
    password: SecretBytes,
}

impl Login {
    /// Takes the password over.
    pub fn new(user: &str, password: SecretBytes) -> Login {
        Login { user: user.to_owned(), password }
    }

    /// `AUTH PLAIN` with its initial response (RFC 4616 2).
    pub(super) fn plain(&self) -> SecretBytes {
        let parts = [b"\0".as_slice(), self.user.as_bytes(), b"\0", self.password.expose()];
        let mut message = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| message.extend_from_slice(part));
        line(b"AUTH PLAIN ", SecretBytes::new(message).expose())
    }

    /// The answer to the first question of `AUTH LOGIN`.
    pub(super) fn user(&self) -> SecretBytes {
        line(b"", self.user.as_bytes())
    }

    /// The answer to the second.
    pub(super) fn password(&self) -> SecretBytes {
        line(b"", self.password.expose())
    }
}

/// A command with something in Base64 behind it, in a buffer of the right size.
fn line(command: &[u8], content: &[u8]) -> SecretBytes {
    let length = content.len().div_ceil(3) * 4;
    let mut octets = SecretBytes::new(vec![0; command.len() + length + 2]);
    let (front, rest) = octets.expose_mut().split_at_mut(command.len());
    front.copy_from_slice(command);
    let (middle, end) = rest.split_at_mut(length);
    // The buffer fits: nothing else can go wrong.
    let _ = STANDARD.encode_slice(content, middle);
    end.copy_from_slice(b"\r\n");
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfcs() {
        // RFC 4616 4: tim, tanstaaftanstaaf, without an authorization identity.
        let tim = Login::new("tim", SecretBytes::new(b"tanstaaftanstaaf".to_vec()));
        assert_eq!(tim.plain().expose(), b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n");
        assert_eq!(tim.user().expose(), b"dGlt\r\n");
        assert_eq!(tim.password().expose(), b"dGFuc3RhYWZ0YW5zdGFhZg==\r\n");
        assert_eq!(Login::new("", SecretBytes::new(Vec::new())).user().expose(), b"\r\n");
    }
}
