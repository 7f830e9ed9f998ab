//! A message that an account sends to itself and signs offers a certificate. Which one, and what is it worth?

use super::{Account, BuiltIn, Settings, Trust, check_chain};
use crate::cms::{is_labelled_signed, signed_message};
use crate::mail::{Address, Message};
use crate::pki::{Certificate, SealingCheck, Unfit, ValidatedCertificate, unfit_to_sign};
use crate::smime::{VerifiedSignature, VerifyError, verify};
use time::OffsetDateTime;

/// Octets of a message that offers a certificate: who wants to show one does not send a film beside it, and a delivery is
/// not to wait for its digest.
pub const LARGEST_OFFER: usize = 4 << 20;

/// Where certificates come from that nobody at this site made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateSource {
    /// A signed message from the account to itself.
    Mail,
    /// A directory server.
    Ldap,
    /// Files.
    Folder,
}

/// A certificate that its owner showed by signing.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The one to seal to.
    pub certificate: Certificate,
    /// The one that vouches for it: the same, or another one of the account.
    pub signer: Certificate,
    /// Why signer or certificate does not chain to what is trusted; nothing if both do.
    pub untrusted: Option<Unfit>,
}

/// Why a message offers no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoOffer {
    /// Neither multipart/signed nor application/pkcs7-mime with a SignedData.
    #[error("the message is not signed with S/MIME")]
    NotSigned,
    /// It should take no time.
    #[error("the message is larger than {} MiB", LARGEST_OFFER >> 20)]
    TooLarge,
    /// The signature.
    #[error("the signature is not believed: {0}")]
    Signature(#[from] VerifyError),
    /// From is not exactly one address of the account.
    #[error("From is not the account {0}")]
    NotFromAccount(Address),
    /// The signer's certificate is no proof.
    #[error("the signer's certificate proves nothing: {}", list(.0))]
    Signer(Vec<Unfit>),
    /// The certificate cannot be sealed to.
    #[error("the certificate cannot be sealed to: {}", list(.0))]
    Unfit(Vec<Unfit>),
    /// The domain, or the site, believes chains only.
    #[error("nobody who is trusted vouches for it: {0}")]
    Untrusted(Unfit),
}

fn list(reasons: &[Unfit]) -> String {
    reasons.iter().map(Unfit::to_string).collect::<Vec<_>>().join("; ")
}

/// The one address that From names; nothing if it names none or several, or stands there twice.
pub fn sole_author(message: &Message<'_>) -> Option<Address> {
    let mut fields = message.fields_named("From");
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    match field.mailboxes().as_slice() {
        [one] => Address::parse(&one.address).ok(),
        _ => None,
    }
}

/// Could the message offer a certificate? Looks at its header and its size, and decodes nothing.
pub fn may_offer(message: &Message<'_>) -> Result<(), NoOffer> {
    if !is_labelled_signed(message) {
        return Err(NoOffer::NotSigned);
    }
    if message.bytes().len() > LARGEST_OFFER { Err(NoOffer::TooLarge) } else { Ok(()) }
}

/// The certificate that a message offers for the account. The signature is verified; From, signer and certificate must all
/// be the account's; and the chain is built with the certificates of the message up to one that the
/// account trusts. Without a chain
/// an offer is worth no more than From, which anybody writes: it is told, and refused where the site believes chains only.
pub fn offered(
    message: &Message<'_>,
    account: &Account,
    built_in: &dyn BuiltIn,
    settings: &Settings,
    at: OffsetDateTime,
) -> Result<Offer, NoOffer> {
    may_offer(message)?;
    let addresses = account.addresses();
    if !sole_author(message).is_some_and(|author| addresses.contains(&author)) {
        return Err(NoOffer::NotFromAccount(account.address.clone()));
    }
    let signed = signed_message(message).ok_or(NoOffer::NotSigned)?.map_err(VerifyError::from)?;
    let verified = verify(&signed)?;
    let pinned = check(&addresses, &verified.certificates, settings, at);
    let unfit = unfit_to_sign(&verified.signer, &pinned);
    if !unfit.is_empty() {
        return Err(NoOffer::Signer(unfit));
    }
    let certificate = choose(&verified, &pinned)?;
    match untrusted(account, &verified.signer, &certificate, &pinned, built_in) {
        Some(why) if settings.certificate_policy(&account.domain).trust == Trust::Chain => {
            Err(NoOffer::Untrusted(why))
        }
        untrusted => Ok(Offer { certificate, signer: verified.signer, untrusted }),
    }
}

/// What an offered certificate must stand up to, its chain aside: nothing is let pass, because nobody has any mail under it.
fn check<'a>(
    addresses: &'a [Address],
    intermediates: &'a [Certificate],
    settings: &Settings,
    at: OffsetDateTime,
) -> SealingCheck<'a> {
    SealingCheck { intermediates, ..SealingCheck::by_itself(addresses, at, settings.minimum_rsa_bits) }
}

/// RFC 8551 2.5.3.1: the certificate that the signer prefers; else the signer's own; else another one of the same subject.
fn choose(verified: &VerifiedSignature, check: &SealingCheck<'_>) -> Result<Certificate, NoOffer> {
    let fit = |certificate: &Certificate| ValidatedCertificate::for_sealing(certificate, check);
    let first = verified.preferred.as_ref().unwrap_or(&verified.signer);
    let reasons = match fit(first) {
        Ok(_) => return Ok(first.clone()),
        Err(reasons) => reasons,
    };
    let subject = verified.signer.subject();
    let mut others = verified.certificates.iter().filter(|one| one.subject() == subject);
    let other = others.find(|one| verified.preferred.is_none() && fit(one).is_ok());
    other.cloned().ok_or(NoOffer::Unfit(reasons))
}

/// Both must chain: the signer because it vouches, the other one because mail is sealed to it.
fn untrusted(
    account: &Account,
    signer: &Certificate,
    certificate: &Certificate,
    check: &SealingCheck<'_>,
    built_in: &dyn BuiltIn,
) -> Option<Unfit> {
    [signer, certificate].into_iter().find_map(|one| without_chain(account, one, check, built_in))
}

/// Why a certificate does not chain to anything that is trusted for the account; whatever else is wrong with it, is asked
/// elsewhere.
pub fn without_chain(
    account: &Account,
    certificate: &Certificate,
    check: &SealingCheck<'_>,
    built_in: &dyn BuiltIn,
) -> Option<Unfit> {
    match check_chain(account, certificate, check, built_in) {
        Ok(Ok(_)) => None,
        Ok(Err(reasons)) => reasons.into_iter().find(|reason| matches!(reason, Unfit::Untrusted(_))),
        Err(error) => Some(Unfit::Untrusted(error.to_string())),
    }
}
