//! The foreign programs, and we ourselves: the columns of docs/INTEROP.md, families side by side.

use super::{OPENSSL_3, bouncy_castle, gpgsm, node_forge, nss, openssl, python};
use crate::support::{find, openssl_4, thunderbird};

/// Who opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Sealpost,
    OpenSsl3,
    OpenSsl4,
    Nss,
    Thunderbird,
    Gpgsm,
    BouncyCastle,
    Python,
    NodeForge,
}

impl Reader {
    pub(super) const ALL: [Reader; 9] = [
        Reader::Sealpost,
        Reader::OpenSsl3,
        Reader::OpenSsl4,
        Reader::Nss,
        Reader::Thunderbird,
        Reader::Gpgsm,
        Reader::BouncyCastle,
        Reader::Python,
        Reader::NodeForge,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Reader::Sealpost => "Sealpost",
            Reader::OpenSsl3 => "OpenSSL 3",
            Reader::OpenSsl4 => "OpenSSL 4",
            Reader::Nss => "NSS",
            Reader::Thunderbird => "Thunderbird",
            Reader::Gpgsm => "gpgsm",
            Reader::BouncyCastle => "Bouncy Castle",
            Reader::Python => "Python's cryptography",
            Reader::NodeForge => "node-forge",
        }
    }

    /// The name, where the version stands beside it.
    pub(super) fn family(self) -> &'static str {
        match self {
            Reader::OpenSsl3 | Reader::OpenSsl4 => "OpenSSL",
            other => other.name(),
        }
    }

    /// Which one it is on this machine; nothing if it is not there.
    pub(super) fn version(self) -> Option<String> {
        match self {
            Reader::Sealpost => Some(env!("CARGO_PKG_VERSION").to_owned()),
            Reader::OpenSsl3 => find(OPENSSL_3).and_then(|program| openssl::version(&program)),
            Reader::OpenSsl4 => openssl_4().and_then(|program| openssl::version(&program)),
            Reader::Nss => nss::version(&None),
            Reader::Thunderbird => thunderbird().and_then(|libraries| nss::version(&Some(libraries))),
            Reader::Gpgsm => gpgsm::version(),
            Reader::BouncyCastle => bouncy_castle::version(),
            Reader::Python => python::version(),
            Reader::NodeForge => node_forge::version(),
        }
    }
}
