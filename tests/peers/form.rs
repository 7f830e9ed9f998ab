//! The one table: which form is opened by whom. Each verdict is asserted, "no" too, and docs/INTEROP.md is written from it.

use super::person::By::{self, Bob, Carol, Dana, Erin, Frank, Heidi, Ivan};
use super::reader::Reader::{self, BouncyCastle, Gpgsm, Nss, OpenSsl3, OpenSsl4, Sealpost, Thunderbird};

/// A row.
pub(super) struct Form {
    /// What is special about it.
    pub(super) name: &'static str,
    pub(super) maker: Maker,
    pub(super) by: By,
    opened_by: &'static [Reader],
}

/// Who seals a form, for whom.
pub(super) enum Maker {
    /// Options of `sealpost seal`.
    Sealpost { options: &'static str, to: &'static [By] },
    /// Options of `openssl cms -encrypt`; those of a key follow its recipient.
    OpenSsl3 { options: &'static str, to: &'static [(By, &'static str)] },
    /// The same.
    OpenSsl4 { options: &'static str, to: &'static [(By, &'static str)] },
}

impl Form {
    pub(super) fn is_opened_by(&self, reader: Reader) -> bool {
        self.opened_by.contains(&reader)
    }

    pub(super) fn sealer(&self) -> Reader {
        match self.maker {
            Maker::Sealpost { .. } => Sealpost,
            Maker::OpenSsl3 { .. } => OpenSsl3,
            Maker::OpenSsl4 { .. } => OpenSsl4,
        }
    }

    /// Can it be made where OpenSSL 4 is missing?
    pub(super) fn needs_openssl_4(&self) -> bool {
        match self.maker {
            Maker::Sealpost { to, .. } => to.iter().any(|by| by.needs_openssl_4()),
            Maker::OpenSsl3 { .. } => false,
            Maker::OpenSsl4 { .. } => true,
        }
    }
}

const EVERYBODY: &[Reader] = &Reader::ALL;
const OAEP: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
const OAEP_SHA_512: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512";
const ECDH: &str = "-keyopt ecdh_kdf_md:sha256 -aes256-wrap";
const COFACTOR: &str = "-keyopt ecdh_kdf_md:sha512 -keyopt ecdh_cofactor_mode:1 -aes192-wrap";
const SHA_384: &str = "-keyopt ecdh_kdf_md:sha384";
const SHA_512: &str = "-keyopt ecdh_kdf_md:sha512 -aes256-wrap";
const KEYING_MATERIAL: &str = "-recip_kdf HKDF-SHA512 -recip_ukm 6b657973";
/// NSS 3.87 and gpgsm 2.2 know no OAEP.
const OAEP_READERS: &[Reader] = &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, BouncyCastle];
/// No NSS and no gpgsm 2.2 opens AuthEnvelopedData.
const GCM_READERS: &[Reader] = &[Sealpost, OpenSsl3, OpenSsl4, BouncyCastle];
/// NSS 3.87 and gpgsm 2.2 know no key agreement.
const ECDH_READERS: &[Reader] = &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, BouncyCastle];
/// Bouncy Castle 1.72 has no class that opens AuthEnvelopedData by key agreement.
const ECDH_GCM_READERS: &[Reader] = &[Sealpost, OpenSsl3, OpenSsl4];
/// Sealpost has no such curve yet.
const NOT_OURS_YET: &[Reader] = &[OpenSsl3, OpenSsl4, Thunderbird, BouncyCastle];
/// Python opens AES-128 and AES-256 in CBC mode by PKCS#1 v1.5, in DER, and nothing else.
const ALL_BUT_PYTHON: &[Reader] = &[Sealpost, OpenSsl3, OpenSsl4, Nss, Thunderbird, Gpgsm, BouncyCastle];

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "compatible",
        maker: Maker::Sealpost { options: "--profile=compatible", to: &[Bob] },
        by: Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "compatible, read by the second of two",
        maker: Maker::Sealpost { options: "--profile=compatible", to: &[Carol, Bob] },
        by: Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "compatible, RSA and EC together",
        maker: Maker::Sealpost { options: "--profile=compatible", to: &[Bob, Dana] },
        by: Bob,
        opened_by: &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, Gpgsm, BouncyCastle],
    },
    Form {
        name: "compatible, RSA and EC together",
        maker: Maker::Sealpost { options: "--profile=compatible", to: &[Bob, Dana] },
        by: Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "compatible",
        maker: Maker::Sealpost { options: "--profile=compatible", to: &[Dana] },
        by: Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "modern",
        maker: Maker::Sealpost { options: "--profile=modern", to: &[Bob] },
        by: Bob,
        opened_by: GCM_READERS,
    },
    Form {
        name: "modern, read by the second of two",
        maker: Maker::Sealpost { options: "--profile=modern", to: &[Carol, Bob] },
        by: Bob,
        opened_by: GCM_READERS,
    },
    Form {
        name: "modern, RSA and EC together",
        maker: Maker::Sealpost { options: "--profile=modern", to: &[Dana, Bob] },
        by: Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "modern",
        maker: Maker::Sealpost { options: "--profile=modern", to: &[Dana] },
        by: Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "AES-256-CBC, PKCS#1 v1.5",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Bob, "")] },
        by: Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-128-CBC, PKCS#1 v1.5, two recipients",
        maker: Maker::OpenSsl3 { options: "-aes-128-cbc", to: &[(Carol, ""), (Bob, "")] },
        by: Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-192-CBC, PKCS#1 v1.5",
        maker: Maker::OpenSsl3 { options: "-aes-192-cbc", to: &[(Bob, "")] },
        by: Bob,
        opened_by: ALL_BUT_PYTHON,
    },
    Form {
        name: "3DES, PKCS#1 v1.5",
        maker: Maker::OpenSsl3 { options: "-des3", to: &[(Bob, "")] },
        by: Bob,
        opened_by: ALL_BUT_PYTHON,
    },
    Form {
        name: "AES-256-CBC, OAEP with SHA-256",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Bob, OAEP)] },
        by: Bob,
        opened_by: OAEP_READERS,
    },
    Form {
        name: "AES-128-CBC, OAEP with SHA-512",
        maker: Maker::OpenSsl3 { options: "-aes-128-cbc", to: &[(Bob, OAEP_SHA_512)] },
        by: Bob,
        opened_by: OAEP_READERS,
    },
    Form {
        name: "AES-256-GCM, PKCS#1 v1.5",
        maker: Maker::OpenSsl3 { options: "-aes-256-gcm", to: &[(Bob, "")] },
        by: Bob,
        opened_by: GCM_READERS,
    },
    Form {
        name: "AES-256-GCM, OAEP with SHA-256",
        maker: Maker::OpenSsl3 { options: "-aes-256-gcm", to: &[(Bob, OAEP)] },
        by: Bob,
        opened_by: GCM_READERS,
    },
    Form {
        name: "subjectKeyIdentifier",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc -keyid", to: &[(Bob, "")] },
        by: Bob,
        opened_by: &[Sealpost, OpenSsl3, OpenSsl4, Nss, Thunderbird, BouncyCastle],
    },
    Form {
        name: "BER of indefinite length",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc -stream -indef", to: &[(Bob, "")] },
        by: Bob,
        opened_by: ALL_BUT_PYTHON,
    },
    Form {
        name: "RSA and EC together",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Bob, ""), (Dana, ECDH)] },
        by: Bob,
        opened_by: &[Sealpost, OpenSsl3, OpenSsl4, Thunderbird, Gpgsm, BouncyCastle],
    },
    Form {
        name: "a password beside RSA",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc -pwri_password judge", to: &[(Bob, "")] },
        by: Bob,
        opened_by: &[Sealpost, OpenSsl3, OpenSsl4, Gpgsm, BouncyCastle],
    },
    Form {
        name: "ECDH with SHA-256",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Dana, ECDH)] },
        by: Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "ECDH as OpenSSL writes it by default: SHA-1",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Dana, "")] },
        by: Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "cofactor ECDH with SHA-512, AES-192 wrap",
        maker: Maker::OpenSsl3 { options: "-aes-128-cbc", to: &[(Dana, COFACTOR)] },
        by: Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "AES-192-GCM, ECDH with SHA-384, BER",
        maker: Maker::OpenSsl3 { options: "-aes-192-gcm -stream -indef", to: &[(Dana, SHA_384)] },
        by: Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "ECDH with SHA-384",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Erin, SHA_384)] },
        by: Erin,
        opened_by: NOT_OURS_YET,
    },
    Form {
        name: "ECDH with SHA-512",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Frank, SHA_512)] },
        by: Frank,
        opened_by: NOT_OURS_YET,
    },
    Form {
        name: "to somebody else",
        maker: Maker::OpenSsl3 { options: "-aes-256-cbc", to: &[(Carol, "")] },
        by: Bob,
        opened_by: &[],
    },
    Form {
        name: "AES-256-CBC, PKCS#1 v1.5",
        maker: Maker::OpenSsl4 { options: "-aes-256-cbc", to: &[(Bob, "")] },
        by: Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-256-GCM, OAEP with SHA-256",
        maker: Maker::OpenSsl4 { options: "-aes-256-gcm", to: &[(Bob, OAEP)] },
        by: Bob,
        opened_by: GCM_READERS,
    },
    Form {
        name: "AES-256-GCM, ECDH with SHA-256",
        maker: Maker::OpenSsl4 { options: "-aes-256-gcm", to: &[(Dana, ECDH)] },
        by: Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "AES-256-CBC, ML-KEM",
        maker: Maker::OpenSsl4 { options: "-aes-256-cbc", to: &[(Heidi, "")] },
        by: Heidi,
        opened_by: &[OpenSsl4],
    },
    Form {
        name: "AES-256-GCM, ML-KEM",
        maker: Maker::OpenSsl4 { options: "-aes-256-gcm", to: &[(Heidi, "")] },
        by: Heidi,
        opened_by: &[OpenSsl4],
    },
    Form {
        name: "AES-128-CBC, ML-KEM",
        maker: Maker::OpenSsl4 { options: "-aes-128-cbc", to: &[(Ivan, "")] },
        by: Ivan,
        opened_by: &[OpenSsl4],
    },
    Form {
        name: "AES-256-GCM, ML-KEM with HKDF-SHA-512 and keying material, BER",
        maker: Maker::OpenSsl4 { options: "-aes-256-gcm -stream -indef", to: &[(Ivan, KEYING_MATERIAL)] },
        by: Ivan,
        opened_by: &[OpenSsl4],
    },
    Form {
        name: "AES-256-GCM, ML-KEM, subjectKeyIdentifier",
        maker: Maker::OpenSsl4 { options: "-aes-256-gcm -keyid", to: &[(Ivan, "")] },
        by: Ivan,
        opened_by: &[OpenSsl4],
    },
    Form {
        name: "RSA and ML-KEM together",
        maker: Maker::OpenSsl4 { options: "-aes-256-cbc", to: &[(Bob, ""), (Heidi, "")] },
        by: Bob,
        opened_by: &[Sealpost, OpenSsl3, OpenSsl4, Gpgsm, BouncyCastle],
    },
    Form {
        name: "RSA and ML-KEM together",
        maker: Maker::OpenSsl4 { options: "-aes-256-cbc", to: &[(Bob, ""), (Heidi, "")] },
        by: Heidi,
        opened_by: &[OpenSsl4],
    },
];
