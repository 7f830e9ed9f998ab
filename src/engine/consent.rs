//! The permission to store clear text. Its sources are the makers below and nothing else.

/// Somebody asked in writing for a clear copy. Not `Clone`: one consent, one copy.
#[derive(Debug)]
pub struct PlainConsent {
    source: &'static str,
}

impl PlainConsent {
    /// A rule says `Store in`.
    pub(super) fn rule_stores_plain() -> PlainConsent {
        PlainConsent { source: "Store in" }
    }
    /// `inbox = "plain"` of account, domain or site.
    pub(super) fn inbox_is_plain() -> PlainConsent {
        PlainConsent { source: "inbox = \"plain\"" }
    }
    /// `attachments = "plain"` of account, domain or site.
    pub(super) fn attachments_are_plain() -> PlainConsent {
        PlainConsent { source: "attachments = \"plain\"" }
    }
    /// `missing-certificate = "plain"` of domain or site.
    pub(super) fn missing_certificate_is_plain() -> PlainConsent {
        PlainConsent { source: "missing-certificate = \"plain\"" }
    }
    /// A person has stored messages decrypted.
    pub(crate) fn person_decrypts() -> PlainConsent {
        PlainConsent { source: "sealpost mailbox decrypt" }
    }
    /// For tests of other rooms.
    #[cfg(test)]
    pub(crate) fn for_tests() -> PlainConsent {
        PlainConsent { source: "a test" }
    }
    /// For the log.
    pub fn source(&self) -> &'static str {
        self.source
    }
}
