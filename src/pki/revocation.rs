//! Why a certificate was taken back (RFC 5280 5.3.1).

pub mod check;

pub use check::{RevocationPolicy, RevocationStatus};

use time::OffsetDateTime;

/// A certificate was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// From when on.
    pub at: OffsetDateTime,
    /// Why.
    pub reason: RevocationReason,
}

/// CRLReason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RevocationReason {
    /// unspecified: no reason is written into the list.
    #[default]
    Unspecified,
    /// keyCompromise: somebody else may have the key.
    KeyCompromise,
    /// cACompromise: somebody else may have the issuer's key.
    CaCompromise,
    /// affiliationChanged: the holder left or has another name.
    AffiliationChanged,
    /// superseded: there is a newer certificate.
    Superseded,
    /// cessationOfOperation: it is needed no more.
    CessationOfOperation,
    /// certificateHold: for now, it may come back.
    CertificateHold,
    /// removeFromCRL: it is back (in delta lists only).
    RemoveFromCrl,
    /// privilegeWithdrawn.
    PrivilegeWithdrawn,
    /// aACompromise.
    AaCompromise,
}

/// CRLReason values with the names of RFC 5280 as people type them.
static REASONS: [(RevocationReason, u8, &str); 10] = [
    (RevocationReason::Unspecified, 0, "unspecified"),
    (RevocationReason::KeyCompromise, 1, "key-compromise"),
    (RevocationReason::CaCompromise, 2, "ca-compromise"),
    (RevocationReason::AffiliationChanged, 3, "affiliation-changed"),
    (RevocationReason::Superseded, 4, "superseded"),
    (RevocationReason::CessationOfOperation, 5, "cessation-of-operation"),
    (RevocationReason::CertificateHold, 6, "certificate-hold"),
    (RevocationReason::RemoveFromCrl, 8, "remove-from-crl"),
    (RevocationReason::PrivilegeWithdrawn, 9, "privilege-withdrawn"),
    (RevocationReason::AaCompromise, 10, "aa-compromise"),
];

impl RevocationReason {
    /// All of them.
    pub const ALL: [RevocationReason; 10] = [
        RevocationReason::Unspecified,
        RevocationReason::KeyCompromise,
        RevocationReason::CaCompromise,
        RevocationReason::AffiliationChanged,
        RevocationReason::Superseded,
        RevocationReason::CessationOfOperation,
        RevocationReason::CertificateHold,
        RevocationReason::RemoveFromCrl,
        RevocationReason::PrivilegeWithdrawn,
        RevocationReason::AaCompromise,
    ];

    /// Its word.
    pub fn name(self) -> &'static str {
        REASONS.iter().find(|(reason, ..)| *reason == self).map_or("", |(_, _, name)| name)
    }

    /// The value of the ENUMERATED.
    pub fn code(self) -> u8 {
        REASONS.iter().find(|(reason, ..)| *reason == self).map_or(0, |(_, code, _)| *code)
    }

    /// The reason of that value; 7 is not used, and neither is anything above 10.
    pub fn from_code(code: u8) -> Option<RevocationReason> {
        REASONS.iter().find(|(_, known, _)| *known == code).map(|(reason, ..)| *reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_row() {
        assert_eq!(RevocationReason::ALL.map(|reason| reason.code()), [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
        assert!(RevocationReason::ALL.iter().all(|reason| !reason.name().is_empty()));
        let codes = RevocationReason::ALL.map(RevocationReason::code);
        assert_eq!(codes.map(|code| RevocationReason::from_code(code).unwrap()), RevocationReason::ALL);
        assert_eq!(RevocationReason::from_code(7), None);
    }
}
