//! What a certificate must stand up to by itself.

use crate::mail::Address;
use crate::pki::SealingCheck;
use time::OffsetDateTime;

/// Is it fit to be sealed to, whoever vouches for it or took it back? Nothing is let pass.
pub(super) fn by_itself(
    addresses: &[Address],
    at: OffsetDateTime,
    minimum_rsa_bits: usize,
) -> SealingCheck<'_> {
    SealingCheck {
        addresses,
        at,
        minimum_rsa_bits,
        anchors: None,
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
        revocation: None,
    }
}
