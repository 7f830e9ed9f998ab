//! May a certificate vouch for the signature of a mail (RFC 8550 4.4)?

use super::path::Rfc5280;
use super::validated::{check_address, check_extended_usage, check_path, check_structure, check_time};
use super::{Certificate, SealingCheck, Unfit};

/// Every reason why the certificate's signature vouches for nothing; the same checks as for sealing, but for the key's
/// usage, which must allow signing.
pub fn unfit_to_sign(certificate: &Certificate, check: &SealingCheck<'_>) -> Vec<Unfit> {
    let (mut unfit, mut warnings) = (Vec::new(), Vec::new());
    check_structure(certificate, &mut unfit);
    check_usage(certificate, &mut unfit);
    check_extended_usage(certificate, &mut unfit);
    check_address(certificate, check.addresses, &mut unfit);
    check_time(certificate, check, &mut unfit, &mut warnings);
    check_path(certificate, check, &Rfc5280::default(), &mut unfit, &mut warnings);
    unfit
}

/// RFC 8550 4.4.2: digitalSignature or nonRepudiation, where keyUsage is there.
fn check_usage(certificate: &Certificate, unfit: &mut Vec<Unfit>) {
    match certificate.key_usage() {
        Ok(Some(usage)) if !usage.digital_signature() && !usage.non_repudiation() => {
            unfit.push(Unfit::MayNotSign);
        }
        Ok(_) => {}
        Err(error) => unfit.push(Unfit::Broken(error.to_string())),
    }
}
