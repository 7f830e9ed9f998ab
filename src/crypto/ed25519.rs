//! Ed25519 (RFC 8032): signatures of authorities.

use ed25519_dalek::{Signature, VerifyingKey};

/// Nothing if it is no signature of the message by that key. Keys of small order, under which one signature may hold for many
/// messages, are refused.
pub(crate) fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = VerifyingKey::from_bytes(public.try_into().ok()?).ok()?;
    let signature = Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()
}

#[cfg(test)]
mod tests {
    use super::super::known_answers::unhex;
    use super::*;

    /// RFC 8032 7.1, test 2.
    #[test]
    fn the_known_answer_holds() {
        let key = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = unhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(verify(&key, &[0x72], &signature), Some(()));
        assert_eq!(verify(&key, &[0x73], &signature), None);
        assert_eq!(verify(&key[1..], &[0x72], &signature), None);
        assert_eq!(verify(&[0; 32], &[0x72], &[0; 64]), None);
    }
}
