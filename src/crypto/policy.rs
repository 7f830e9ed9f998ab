//! What may be written and read, apart from what can be.

use super::CryptoError;
use super::algorithm::*;

/// A named choice of algorithms for sealing (spec: "Algorithms: one table, three profiles").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Profile {
    /// AES-256-CBC, and RSAES-PKCS1-v1_5 or ECDH: every S/MIME client opens it for an RSA key.
    #[default]
    Compatible,
    /// AES-256-GCM, and RSAES-OAEP with SHA-256 or ECDH, X25519 too.
    Modern,
    /// AES-256-GCM, and ML-KEM (RFC 9936).
    PostQuantum,
    /// [`Profile::Modern`] if the certificates of all recipients say that they read AES-256-GCM, else
    /// [`Profile::Compatible`].
    Auto,
}

impl Profile {
    /// All of them, in the order of the documentation.
    pub const ALL: [Profile; 4] = [Profile::Compatible, Profile::Modern, Profile::PostQuantum, Profile::Auto];

    /// The word in rules, configuration and options.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Compatible => "compatible",
            Profile::Modern => "modern",
            Profile::PostQuantum => "post-quantum",
            Profile::Auto => "auto",
        }
    }

    /// The profile of that name.
    pub fn parse(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// What it writes, to recipients all of whom read AES-256-GCM or not.
    pub fn suite(self, gcm: GcmReaders, classical: Classical) -> &'static Suite {
        match (self, gcm, classical) {
            (Profile::Compatible, _, _) | (Profile::Auto, GcmReaders::NotAll, _) => &COMPATIBLE,
            (Profile::Modern, _, _) | (Profile::Auto, GcmReaders::All, _) => &MODERN,
            (Profile::PostQuantum, _, Classical::Refused) => &POST_QUANTUM,
            (Profile::PostQuantum, _, Classical::Beside) => &POST_QUANTUM_BESIDE_CLASSICAL,
        }
    }
}

/// What the certificates say of AES-256-GCM in their smimeCapabilities (RFC 4262).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcmReaders {
    /// Every one names it.
    All,
    /// One at least does not.
    NotAll,
}

/// May a key that a quantum computer breaks stand beside a post-quantum one? The message is then only as safe as it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Classical {
    /// No.
    #[default]
    Refused,
    /// Yes, beside one at least that is post-quantum.
    Beside,
}

/// What is written: one algorithm of each kind. A key that it has nothing for is refused.
#[derive(Debug)]
pub struct Suite {
    /// The profile that it belongs to.
    pub profile: Profile,
    /// What encrypts the content.
    pub content: &'static ContentCipher,
    /// What encrypts the content key to an RSA key.
    pub transport: Option<&'static KeyTransport>,
    /// What agrees with the holder of a key on that curve.
    agreements: &'static [(&'static Curve, &'static KeyAgreement)],
    /// What makes a key-encryption key out of a secret that ML-KEM carries.
    pub derivation: Option<&'static KeyDerivation>,
    /// What encrypts the content key under a key-encryption key.
    pub wrap: &'static KeyWrap,
}

/// The hash fits the curve (RFC 5753 8).
const NIST: &[(&Curve, &KeyAgreement)] =
    &[(&P_256, &ECDH_SHA256), (&P_384, &ECDH_SHA384), (&P_521, &ECDH_SHA512)];
const ALL_CURVES: &[(&Curve, &KeyAgreement)] =
    &[(&P_256, &ECDH_SHA256), (&P_384, &ECDH_SHA384), (&P_521, &ECDH_SHA512), (&X25519, &ECDH_HKDF_SHA256)];

static COMPATIBLE: Suite = Suite {
    profile: Profile::Compatible,
    content: &AES_256_CBC,
    transport: Some(&RSAES_PKCS1_V1_5),
    agreements: NIST,
    derivation: None,
    wrap: &AES_256_WRAP,
};

static MODERN: Suite = Suite {
    profile: Profile::Modern,
    content: &AES_256_GCM,
    transport: Some(&RSAES_OAEP_SHA256),
    agreements: ALL_CURVES,
    derivation: None,
    wrap: &AES_256_WRAP,
};

static POST_QUANTUM: Suite = Suite {
    profile: Profile::PostQuantum,
    content: &AES_256_GCM,
    transport: None,
    agreements: &[],
    derivation: Some(&HKDF_SHA256),
    wrap: &AES_256_WRAP,
};

static POST_QUANTUM_BESIDE_CLASSICAL: Suite = Suite {
    profile: Profile::PostQuantum,
    content: &AES_256_GCM,
    transport: Some(&RSAES_OAEP_SHA256),
    agreements: ALL_CURVES,
    derivation: Some(&HKDF_SHA256),
    wrap: &AES_256_WRAP,
};

/// For content under CBC that stays while its recipients change: every key that anybody may have by now.
static KEEPING_CBC: Suite = Suite {
    profile: Profile::Compatible,
    content: &AES_256_CBC,
    transport: Some(&RSAES_PKCS1_V1_5),
    agreements: ALL_CURVES,
    derivation: Some(&HKDF_SHA256),
    wrap: &AES_256_WRAP,
};

impl Suite {
    /// For other recipients of a content that is encrypted already: its cipher stays, whatever it is.
    pub fn keeping(mode: Mode) -> &'static Suite {
        match mode {
            Mode::Cbc => &KEEPING_CBC,
            Mode::Aead => &POST_QUANTUM_BESIDE_CLASSICAL,
        }
    }

    /// What agrees with the holder of a key on that curve.
    pub fn agreement(&self, curve: &Curve) -> Option<&'static KeyAgreement> {
        self.agreements.iter().find(|(of, _)| *of == curve).map(|(_, agreement)| *agreement)
    }

    /// Every algorithm that it writes, by name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let keys = self.transport.map(|row| row.name).into_iter();
        let agreed = self.agreements.iter().map(|(_, row)| row.name);
        let derived = self.derivation.map(|row| row.name).into_iter();
        let kems = KEMS.into_iter().filter(|kem| self.derivation.is_some() && kem.status == Status::Write);
        let first = std::iter::once(self.content.name);
        first.chain(keys).chain(agreed).chain(kems.map(|kem| kem.name)).chain(derived).chain([self.wrap.name])
    }
}

/// Which algorithms are let in: what it does not list is refused, whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy(Listed);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Listed {
    Read,
    Written,
    Names(Vec<&'static str>),
}

impl Policy {
    /// Every row of the tables.
    pub const READING: Policy = Policy(Listed::Read);
    /// Those that are strong enough to be written.
    pub const WRITING: Policy = Policy(Listed::Written);

    /// These, by their names in the tables; an unknown name is the error.
    pub fn of<'n>(names: &[&'n str]) -> Result<Policy, &'n str> {
        let row = |name: &&'n str| entries().find(|entry| entry.name == *name).map(|entry| entry.name);
        names
            .iter()
            .map(|name| row(name).ok_or(*name))
            .collect::<Result<_, _>>()
            .map(|names| Policy(Listed::Names(names)))
    }

    /// Refuses a row that is not listed.
    pub(super) fn check(&self, name: &'static str, status: Status) -> Result<(), CryptoError> {
        let listed = match &self.0 {
            Listed::Read => true,
            Listed::Written => status == Status::Write,
            Listed::Names(names) => names.contains(&name),
        };
        if listed { Ok(()) } else { Err(CryptoError::Policy(name)) }
    }

    /// Is it about what we would write ourselves, parameters included?
    pub(super) fn is_for_writing(&self) -> bool {
        self.0 == Listed::Written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITES: [&Suite; 5] =
        [&COMPATIBLE, &MODERN, &POST_QUANTUM, &POST_QUANTUM_BESIDE_CLASSICAL, &KEEPING_CBC];

    #[test]
    fn names_lead_back_to_their_profiles() {
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.name()), Some(profile));
        }
        assert_eq!(Profile::parse("Compatible"), None);
    }

    #[test]
    fn profiles_write_only_what_may_be_written() {
        for suite in SUITES {
            assert!(suite.names().count() >= 4, "{suite:?}");
            for name in suite.names() {
                let entry = entries().find(|entry| entry.name == name).unwrap();
                assert_eq!(entry.status, Status::Write, "{name}");
            }
        }
    }

    #[test]
    fn every_agreement_of_a_suite_is_defined_on_its_curve() {
        for suite in SUITES {
            assert!(suite.agreements.iter().all(|(curve, agreement)| agreement.serves(curve)), "{suite:?}");
        }
    }

    /// The table of the specification, row by row.
    #[test]
    fn profiles_serve_what_the_specification_says() {
        let suite = |profile: Profile| profile.suite(GcmReaders::All, Classical::Refused);
        let (compatible, modern) = (suite(Profile::Compatible), suite(Profile::Modern));
        assert!(compatible.agreement(&X25519).is_none() && compatible.derivation.is_none());
        assert!(modern.agreement(&X25519).is_some() && modern.derivation.is_none());
        assert_eq!(compatible.agreement(&P_384).unwrap().name, "ecdh-sha384kdf");
        assert_eq!(compatible.agreement(&P_521).unwrap().name, "ecdh-sha512kdf");
        let post_quantum = suite(Profile::PostQuantum);
        assert!(
            post_quantum.transport.is_none() && CURVES.iter().all(|of| post_quantum.agreement(of).is_none())
        );
        let beside = Profile::PostQuantum.suite(GcmReaders::NotAll, Classical::Beside);
        assert!(beside.transport.is_some() && beside.derivation.is_some());
    }

    #[test]
    fn auto_goes_by_what_all_recipients_read() {
        let suite = |gcm| Profile::Auto.suite(gcm, Classical::Refused).profile;
        assert_eq!(suite(GcmReaders::All), Profile::Modern);
        assert_eq!(suite(GcmReaders::NotAll), Profile::Compatible);
    }

    #[test]
    fn a_policy_refuses_what_it_does_not_list() {
        let only = Policy::of(&["aes-256-gcm", "rsaes-oaep-sha256"]).unwrap();
        for entry in entries() {
            let listed = ["aes-256-gcm", "rsaes-oaep-sha256"].contains(&entry.name);
            assert_eq!(only.check(entry.name, entry.status).is_ok(), listed, "{}", entry.name);
            assert!(Policy::READING.check(entry.name, entry.status).is_ok());
            let written = entry.status == Status::Write;
            assert_eq!(Policy::WRITING.check(entry.name, entry.status).is_ok(), written, "{}", entry.name);
        }
        assert_eq!(Policy::of(&["aes-256-gcm", "rot13"]), Err("rot13"));
    }
}
