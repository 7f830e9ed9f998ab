//! What may be written, apart from what can be read.

use super::algorithm::{ContentCipher, KeyAgreement, KeyTransport, KeyWrap};

/// A named choice of algorithms for sealing (spec: "Algorithms: one table, three profiles").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// AES-256-CBC, and RSAES-PKCS1-v1_5 or ECDH: every S/MIME client opens it for an RSA key.
    #[default]
    Compatible,
    /// AES-256-GCM, and RSAES-OAEP with SHA-256 or ECDH.
    Modern,
}

impl Profile {
    /// All of them, in the order of the documentation.
    pub const ALL: [Profile; 2] = [Profile::Compatible, Profile::Modern];

    /// The word in rules, configuration and options.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Compatible => "compatible",
            Profile::Modern => "modern",
        }
    }

    /// The profile of that name.
    pub fn parse(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What it encrypts content with.
    pub fn content_cipher(self) -> &'static ContentCipher {
        match self {
            Profile::Compatible => &super::algorithm::AES_256_CBC,
            Profile::Modern => &super::algorithm::AES_256_GCM,
        }
    }

    /// How it hands the content key to the owner of an RSA key.
    pub fn key_transport(self) -> &'static KeyTransport {
        match self {
            Profile::Compatible => &super::algorithm::RSAES_PKCS1_V1_5,
            Profile::Modern => &super::algorithm::RSAES_OAEP_SHA256,
        }
    }

    /// How it agrees with the owner of an EC key on a key-encryption key.
    pub fn key_agreement(self) -> &'static KeyAgreement {
        match self {
            Profile::Compatible | Profile::Modern => &super::algorithm::ECDH_SHA256,
        }
    }

    /// How that key encrypts the content key.
    pub fn key_wrap(self) -> &'static KeyWrap {
        match self {
            Profile::Compatible | Profile::Modern => &super::algorithm::AES_256_WRAP,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::algorithm::Status;

    #[test]
    fn names_lead_back_to_their_profiles() {
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.name()), Some(profile));
        }
        assert_eq!(Profile::parse("Compatible"), None);
    }

    #[test]
    fn profiles_write_only_what_may_be_written() {
        for profile in Profile::ALL {
            assert_eq!(profile.content_cipher().status, Status::Write);
            assert_eq!(profile.key_transport().status, Status::Write);
            assert_eq!(profile.key_agreement().status, Status::Write);
            assert_eq!(profile.key_wrap().status, Status::Write);
        }
    }
}
