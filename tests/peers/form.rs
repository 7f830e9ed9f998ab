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

/// A row.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) maker: Maker,
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

pub(super) const FORMS: &[Form] = &[
    Form {
        name: "sealpost compatible",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["bob"] },
        opened_by: EVERYBODY,
    },
    Form {
        name: "sealpost compatible, read by the second of two",
        maker: Maker::Sealpost { profile: "compatible", recipients: &["carol", "bob"] },
        opened_by: EVERYBODY,
    },
    Form {
        name: "sealpost modern: GCM, OAEP",
        maker: Maker::Sealpost { profile: "modern", recipients: &["bob"] },
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "sealpost modern, read by the second of two",
        maker: Maker::Sealpost { profile: "modern", recipients: &["carol", "bob"] },
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "CBC, PKCS#1 v1.5",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("bob", "")] },
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-128, two recipients",
        maker: Maker::OpenSsl { options: "-aes-128-cbc", recipients: &[("carol", ""), ("bob", "")] },
        opened_by: EVERYBODY,
    },
    Form {
        name: "AES-192",
        maker: Maker::OpenSsl { options: "-aes-192-cbc", recipients: &[("bob", "")] },
        opened_by: &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle],
    },
    Form {
        name: "3DES",
        maker: Maker::OpenSsl { options: "-des3", recipients: &[("bob", "")] },
        opened_by: &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle],
    },
    Form {
        name: "CBC, OAEP",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("bob", OAEP)] },
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "GCM, PKCS#1 v1.5",
        maker: Maker::OpenSsl { options: "-aes-256-gcm", recipients: &[("bob", "")] },
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "GCM, OAEP",
        maker: Maker::OpenSsl { options: "-aes-256-gcm", recipients: &[("bob", OAEP)] },
        opened_by: &[Sealpost, OpenSsl, BouncyCastle],
    },
    Form {
        name: "subjectKeyIdentifier",
        maker: Maker::OpenSsl { options: "-aes-256-cbc -keyid", recipients: &[("bob", "")] },
        opened_by: &[Sealpost, OpenSsl, Nss, BouncyCastle],
    },
    Form {
        name: "BER of indefinite length",
        maker: Maker::OpenSsl { options: "-aes-256-cbc -stream -indef", recipients: &[("bob", "")] },
        opened_by: &[Sealpost, OpenSsl, Gpgsm, Nss, BouncyCastle],
    },
    Form {
        name: "RSA and EC together, read by RSA",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("bob", ""), ("dana", ECDH)] },
        opened_by: &[Sealpost, OpenSsl, Gpgsm, BouncyCastle],
    },
    Form {
        name: "to somebody else",
        maker: Maker::OpenSsl { options: "-aes-256-cbc", recipients: &[("carol", "")] },
        opened_by: &[],
    },
];
