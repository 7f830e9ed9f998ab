//! A form of a sealed message, and who opens it.

use super::person::By;
use super::reader::Reader;

/// A form.
pub(super) struct Form {
    /// What is special about it.
    pub(super) name: &'static str,
    pub(super) maker: Maker,
    pub(super) by: By,
    pub(super) opened_by: &'static [Reader],
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
            Maker::Sealpost { .. } => Reader::Sealpost,
            Maker::OpenSsl3 { .. } => Reader::OpenSsl3,
            Maker::OpenSsl4 { .. } => Reader::OpenSsl4,
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
