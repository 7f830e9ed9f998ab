//! The one table: which form is opened by whom. After spec and measurement (Debian 12); "no" is asserted too.

/// Who seals a form, for whom.
pub(super) enum Maker {
    Sealpost {
        profile: &'static str,
        recipients: &'static [&'static str],
    },
    /// Options of `openssl cms -encrypt`; those of a key follow its recipient.
    OpenSsl {
        options: &'static str,
        recipients: &'static [(&'static str, &'static str)],
    },
}

/// Who opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Sealpost,
    OpenSsl,
    Gpgsm,
    Nss,
    BouncyCastle,
    Python,
}

use Reader::{BouncyCastle, Gpgsm, Nss, OpenSsl, Python, Sealpost};

/// Whose key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// RSA.
    Bob,
    /// EC P-256.
    Dana,
}

/// A row.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) maker: Maker,
    pub(super) by: By,
    opened_by: &'static [Reader],
}

impl Form {
    pub(super) fn is_opened_by(&self, reader: Reader) -> bool {
        self.opened_by.contains(&reader)
    }
}

const EVERYBODY: &[Reader] = &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle, Python];
const OAEP: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
const ECDH: &str = "-keyopt ecdh_kdf_md:sha256 -aes256-wrap";
const COFACTOR: &str = "-keyopt ecdh_kdf_md:sha512 -keyopt ecdh_cofactor_mode:1 -aes192-wrap";
const SHA_384: &str = "-keyopt ecdh_kdf_md:sha384";
/// NSS 3.87 and gpgsm 2.2 know no such form.
const ECDH_READERS: &[Reader] = &[Sealpost, OpenSsl, BouncyCastle];
/// Bouncy Castle 1.72 has no class that opens AuthEnvelopedData by key agreement.
const ECDH_GCM_READERS: &[Reader] = &[Sealpost, OpenSsl];

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "sealpost compatible",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["bob"] },
        by: By::Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "sealpost compatible, read by the second of two",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["carol", "bob"] },
        by: By::Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "sealpost modern: GCM, OAEP",
        maker: Maker::Sealpost { profile: "modern", recipients: &["bob"] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "sealpost modern, read by the second of two",
        maker: Maker::Sealpost { profile: "modern", recipients: &["carol", "bob"] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "CBC, PKCS#1 v1.5",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("bob", "")] },
        by: By::Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-128, two recipients",
        maker: Maker::OpenSsl { options: "-aes-128-cbc", recipients: &[("carol", ""), ("bob", "")] },
        by: By::Bob,
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-192",
        maker: Maker::OpenSsl { options: "-aes-192-cbc", recipients: &[("bob", "")] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle],
    },
    Form {
        name: "3DES",
        maker: Maker::OpenSsl { options: "-des3", recipients: &[("bob", "")] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle],
    },
    Form {
        name: "CBC, OAEP",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("bob", OAEP)] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "GCM, PKCS#1 v1.5",
        maker: Maker::OpenSsl { options: "-aes-256-gcm", recipients: &[("bob", "")] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "GCM, OAEP",
        maker: Maker::OpenSsl { options: "-aes-256-gcm", recipients: &[("bob", OAEP)] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "subjectKeyIdentifier",
        maker: Maker::OpenSsl { options: "-aes-256-cbc -keyid", recipients: &[("bob", "")] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, Nss, BouncyCastle],
    },
    Form {
        name: "BER of indefinite length",
        maker: Maker::OpenSsl { options: "-aes-256-cbc -stream -indef", recipients: &[("bob", "")] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle],
    },
    Form {
        name: "RSA and EC together, read by RSA",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("bob", ""), ("dana", ECDH)] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, Gpgsm, BouncyCastle],
    },
    Form {
        name: "sealpost compatible, RSA and EC together, read by RSA",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["bob", "dana"] },
        by: By::Bob,
        opened_by: &[Sealpost, OpenSsl, Gpgsm, BouncyCastle],
    },
    Form {
        name: "sealpost compatible, RSA and EC together, read by EC",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["bob", "dana"] },
        by: By::Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "sealpost compatible to EC",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["dana"] },
        by: By::Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "sealpost modern to EC",
        maker: Maker::Sealpost { profile: "modern", recipients: &["dana"] },
        by: By::Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "sealpost modern, RSA and EC together, read by EC",
        maker: Maker::Sealpost { profile: "modern", recipients: &["dana", "bob"] },
        by: By::Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "ECDH, SHA-256",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("dana", ECDH)] },
        by: By::Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "ECDH as OpenSSL writes it by default: SHA-1",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("dana", "")] },
        by: By::Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "cofactor ECDH, SHA-512, AES-192 wrap",
        maker: Maker::OpenSsl { options: "-aes-128-cbc", recipients: &[("dana", COFACTOR)] },
        by: By::Dana,
        opened_by: ECDH_READERS,
    },
    Form {
        name: "GCM, ECDH, SHA-384, BER",
        maker: Maker::OpenSsl { options: "-aes-192-gcm -stream -indef", recipients: &[("dana", SHA_384)] },
        by: By::Dana,
        opened_by: ECDH_GCM_READERS,
    },
    Form {
        name: "to somebody else",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("carol", "")] },
        by: By::Bob,
        opened_by: &[],
    },
];
