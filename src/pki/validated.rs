//! The proof that a certificate may be sealed to.

mod unfit;

pub use unfit::Unfit;

use super::path::{
    ListOrigin, LocatedFault, PathCheck, PathFailure, PathFault, PathValidator, Place, PolicyCheck,
    RevocationSources, Rfc5280, UNDERSTOOD,
};
use super::revocation::RevocationPolicy;
use super::{Certificate, PublicKey, Revocation, RevocationReason};
use crate::crypto::algorithm::name_of;
use crate::mail::Address;
use const_oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_KP_EMAIL_PROTECTION};
use time::OffsetDateTime;

/// Addresses of a certificate that an error names.
const NAMED: usize = 3;

/// What a certificate is checked against before anything is sealed to it (RFC 8550, RFC 8551, RFC 5280).
#[derive(Debug, Clone, Copy)]
pub struct SealingCheck<'a> {
    /// One of them must be in the certificate (account address and aliases); empty: any.
    pub addresses: &'a [Address],
    /// The time of the check.
    pub at: OffsetDateTime,
    /// Smaller RSA keys are too weak.
    pub minimum_rsa_bits: usize,
    /// It must chain to one of these; absent: it is trusted because the caller holds it (pinned).
    pub anchors: Option<&'a [Certificate]>,
    /// Intermediates that may help to build the chain.
    pub intermediates: &'a [Certificate],
    /// Let an ended certificate pass, with a warning; its path is checked at its last valid moment.
    pub allow_expired: bool,
    /// Let a certificate pass whose time has not begun, with a warning; its path is checked at its first valid moment.
    pub allow_not_yet_valid: bool,
    /// The revocation lists that are asked; absent: nobody asks.
    pub revocation: Option<RevocationSources<'a>>,
}

impl<'a> SealingCheck<'a> {
    /// Is it fit by itself, whoever vouches for it? Nothing is let pass, and no list is asked.
    pub fn by_itself(
        addresses: &'a [Address],
        at: OffsetDateTime,
        minimum_rsa_bits: usize,
    ) -> SealingCheck<'a> {
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
}

/// A certificate that was checked for sealing, for an address, at a time. Made only here; sealing takes nothing else.
#[derive(Debug, Clone)]
pub struct ValidatedCertificate {
    certificate: Certificate,
    warnings: Vec<Unfit>,
}

impl ValidatedCertificate {
    /// Checks it; every reason is listed.
    pub fn for_sealing(
        certificate: &Certificate,
        check: &SealingCheck<'_>,
    ) -> Result<ValidatedCertificate, Vec<Unfit>> {
        let mut unfit = Vec::new();
        let mut warnings = Vec::new();
        check_structure(certificate, &mut unfit);
        check_key(certificate, check.minimum_rsa_bits, &mut unfit);
        check_extended_usage(certificate, &mut unfit);
        check_address(certificate, check.addresses, &mut unfit);
        check_time(certificate, check, &mut unfit, &mut warnings);
        check_path(certificate, check, &Rfc5280::default(), &mut unfit, &mut warnings);
        if unfit.is_empty() {
            Ok(ValidatedCertificate { certificate: certificate.clone(), warnings })
        } else {
            Err(unfit)
        }
    }
    /// What was checked.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
    /// What was let pass.
    pub fn warnings(&self) -> &[Unfit] {
        &self.warnings
    }
}

pub(super) fn check_structure(certificate: &Certificate, unfit: &mut Vec<Unfit>) {
    let extensions = certificate.parsed().tbs_certificate().extensions().map_or(&[][..], Vec::as_slice);
    for extension in extensions {
        if extension.critical && !UNDERSTOOD.contains(&extension.extn_id) {
            let name = name_of(&extension.extn_id);
            unfit.push(Unfit::Broken(format!("it has the unknown critical extension {name}")));
        }
        if extensions.iter().filter(|other| other.extn_id == extension.extn_id).count() > 1 {
            let broken = Unfit::Broken("one of its extensions stands in it twice".to_owned());
            if !unfit.contains(&broken) {
                unfit.push(broken);
            }
        }
    }
    if certificate.not_before() > certificate.not_after() {
        unfit.push(Unfit::Broken("its validity ends before it begins".to_owned()));
    }
}

fn check_key(certificate: &Certificate, minimum: usize, unfit: &mut Vec<Unfit>) {
    let key = match certificate.public_key() {
        Ok(key) => key,
        Err(error) => return unfit.push(Unfit::Broken(error.to_string())),
    };
    if let Some(bits) = key.modulus_bits().filter(|bits| *bits < minimum) {
        unfit.push(Unfit::TooWeak { bits, minimum });
    }
    if !key.encrypts() {
        return unfit.push(Unfit::WrongUsage(format!("a key of the kind {key} signs and does nothing else")));
    }
    let usage = match certificate.key_usage() {
        Ok(Some(usage)) => usage,
        Ok(None) => return,
        Err(error) => return unfit.push(Unfit::Broken(error.to_string())),
    };
    let (allowed, wanted) = match key {
        PublicKey::Rsa(_) | PublicKey::Kem(_) => (usage.key_encipherment(), "keyEncipherment"),
        PublicKey::Curve(_) | PublicKey::Ed25519(_) => (usage.key_agreement(), "keyAgreement"),
    };
    if !allowed {
        unfit.push(Unfit::WrongUsage(format!("its keyUsage lacks {wanted}")));
    }
}

pub(super) fn check_extended_usage(certificate: &Certificate, unfit: &mut Vec<Unfit>) {
    let mail = [ID_KP_EMAIL_PROTECTION, ANY_EXTENDED_KEY_USAGE];
    match certificate.extended_key_usage() {
        Ok(None) => {}
        Ok(Some(usages)) if usages.iter().any(|usage| mail.contains(usage)) => {}
        Ok(Some(_)) => unfit.push(Unfit::WrongUsage("its extKeyUsage lacks emailProtection".to_owned())),
        Err(error) => unfit.push(Unfit::Broken(error.to_string())),
    }
}

/// Does it name none of these addresses, where there are any?
pub(crate) fn wrong_address(certificate: &Certificate, wanted: &[Address]) -> Option<Unfit> {
    let mut unfit = Vec::new();
    check_address(certificate, wanted, &mut unfit);
    unfit.pop()
}

pub(super) fn check_address(certificate: &Certificate, wanted: &[Address], unfit: &mut Vec<Unfit>) {
    let found = certificate.addresses();
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let named = found.iter().any(|one| wanted.iter().any(|other| other.eq_ignore_ascii_case(one)));
    if !wanted.is_empty() && !named {
        unfit.push(Unfit::WrongAddress { found: list(&found), wanted: list(&wanted) });
    }
}

/// The first few of a list, in words.
fn list(addresses: &[String]) -> String {
    let first: Vec<&str> = addresses.iter().take(NAMED).map(String::as_str).collect();
    match addresses.len().checked_sub(NAMED) {
        _ if first.is_empty() => "no mail address".to_owned(),
        Some(more) if more > 0 => format!("{} and {more} more", first.join(", ")),
        _ => first.join(", "),
    }
}

pub(super) fn check_time(
    certificate: &Certificate,
    check: &SealingCheck<'_>,
    unfit: &mut Vec<Unfit>,
    warnings: &mut Vec<Unfit>,
) {
    let (begin, end) = (certificate.not_before(), certificate.not_after());
    if check.at > end {
        let list = if check.allow_expired { &mut *warnings } else { &mut *unfit };
        list.push(Unfit::Expired(end));
    }
    if check.at < begin {
        let list = if check.allow_not_yet_valid { warnings } else { unfit };
        list.push(Unfit::NotYetValid(begin));
    }
}

/// The path is checked at the moment of its own validity that is nearest to now, so that an ended certificate is
/// told to have ended and not, besides, to be untrusted. Without anchors the lists are asked for the certificate alone.
pub(super) fn check_path(
    certificate: &Certificate,
    check: &SealingCheck<'_>,
    validator: &impl PathValidator,
    unfit: &mut Vec<Unfit>,
    warnings: &mut Vec<Unfit>,
) {
    let Some(anchors) = check.anchors else {
        match check.revocation.map_or(Ok(None), |sources| sources.judge(certificate)) {
            Ok(warning) => warnings.extend(warning.map(Unfit::Uncleared)),
            Err(fault) => unfit.splice(0..0, of_revocation(&fault)).for_each(drop),
        }
        return;
    };
    let nobody = RevocationSources {
        crls: &[],
        at: check.at,
        policy: RevocationPolicy::Soft,
        origin: ListOrigin::Anywhere,
    };
    let path = PathCheck {
        anchors,
        intermediates: check.intermediates,
        at: check.at.max(certificate.not_before()).min(certificate.not_after()),
        usage: Some(ID_KP_EMAIL_PROTECTION),
        policies: &PolicyCheck::default(),
        revocation: check.revocation.unwrap_or(nobody),
    };
    match validator.validate(certificate, &path) {
        Ok(path) => warnings.extend(path.warnings.into_iter().map(Unfit::Uncleared)),
        Err(failure) => {
            let mut taken_back: Vec<Unfit> = failure.faults.iter().filter_map(of_revocation).collect();
            // Where there is no path to the end, what the lists say of the certificate itself still counts.
            if taken_back.is_empty() {
                taken_back
                    .extend(check.revocation.and_then(|sources| self::taken_back(certificate, sources)));
            }
            unfit.extend(untrusted(&failure, !unfit.is_empty()));
            unfit.splice(0..0, taken_back).for_each(drop);
        }
    }
}

/// What a fault of a path is to the certificate, if it is about revocation.
fn of_revocation(located: &LocatedFault) -> Option<Unfit> {
    let revocation = match &located.fault {
        PathFault::Revoked { at, reason } => Revocation { at: *at, reason: *reason },
        PathFault::OnHold(since) => Revocation { at: *since, reason: RevocationReason::CertificateHold },
        PathFault::RevocationUnknown(why) => return Some(Unfit::Uncleared(why.clone())),
        _ => return None,
    };
    Some(match located.place {
        Place::Target => Unfit::Revoked(revocation),
        Place::Issuer | Place::Anchor => Unfit::RevokedIssuer { issuer: located.subject.clone(), revocation },
    })
}

/// Why nobody should use the certificate by these kept lists, whatever else is right or wrong with it. That no list clears it
/// is no reason here.
pub(crate) fn taken_back(certificate: &Certificate, sources: RevocationSources<'_>) -> Option<Unfit> {
    let sources = RevocationSources { policy: RevocationPolicy::Soft, ..sources };
    sources.judge(certificate).err().as_ref().and_then(of_revocation)
}

/// The first fault that is not about revocation. What is about the certificate by itself may be told already, with its own
/// reason.
fn untrusted(failure: &PathFailure, told: bool) -> Option<Unfit> {
    let mut others = failure.faults.iter().filter(|one| of_revocation(one).is_none()).peekable();
    let first = others.peek()?.to_string();
    let told = told && others.all(LocatedFault::is_about_the_target);
    (!told).then_some(Unfit::Untrusted(first))
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::{address, authority, forge, issue, noon};
    use super::super::key::tests::{ec_key, rsa_key};
    use super::super::{Authority, KeyType, Reads, UnlockedKey, UserProfile, Validity, refresh};
    use super::*;
    use time::Duration;

    fn check<'a>(addresses: &'a [Address], anchors: Option<&'a [Certificate]>) -> SealingCheck<'a> {
        SealingCheck { anchors, ..SealingCheck::by_itself(addresses, noon() + Duration::DAY, 2048) }
    }

    fn reasons(certificate: &Certificate, check: &SealingCheck<'_>) -> Vec<String> {
        match ValidatedCertificate::for_sealing(certificate, check) {
            Ok(_) => Vec::new(),
            Err(unfit) => unfit.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_user_certificate_of_either_kind_chains_to_its_authority() {
        for (issuer, holder) in [(rsa_key(), &ec_key()), (&ec_key(), rsa_key())] {
            let root = authority(issuer);
            let user = issue(&root, issuer, &holder.public());
            let wanted = [address("BOB@north.example")];
            let anchors = [root];
            assert_eq!(reasons(&user, &check(&wanted, Some(&anchors))), [""; 0]);
            assert_eq!(reasons(&user, &check(&[], None)), [""; 0]);
            assert_eq!(reasons(&user, &check(&[], Some(std::slice::from_ref(&user)))), [""; 0]);
        }
    }

    #[test]
    fn every_reason_is_told_at_once() {
        let root = authority(&ec_key());
        let other =
            UnlockedKey::generate(KeyType::EcP256, crate::crypto::Seed::from_bytes(&mut [9; 32])).unwrap();
        let stranger = [authority(&other)];
        let user = issue(&root, &ec_key(), &rsa_key().public());
        let wanted = [address("eve@north.example")];
        let mut check = check(&wanted, Some(&stranger));
        check.at = user.not_after() + Duration::SECOND;
        check.minimum_rsa_bits = 3072;
        let expected = [
            "its key is too weak: 2048 bits, at least 3072 are required",
            "it names Bob@north.example, bob.alias@north.example and not eve@north.example",
            "it ended on 2028-10-31",
            "it does not chain to a trusted authority: it was not signed by the key of CN=north.example that is here",
        ];
        assert_eq!(reasons(&user, &check), expected);
    }

    #[test]
    fn an_ended_certificate_passes_with_a_warning_where_that_is_allowed() {
        let anchors = [authority(&ec_key())];
        let user = issue(&anchors[0], &ec_key(), &ec_key().public());
        let mut check = check(&[], Some(&anchors));
        check.at = user.not_after();
        assert_eq!(reasons(&user, &check), [""; 0]);
        // The authority has ended as well by then: the path is checked at the user's last moment.
        check.at = anchors[0].not_after() + Duration::DAY;
        assert_eq!(reasons(&user, &check).len(), 1);
        check.allow_expired = true;
        let valid = ValidatedCertificate::for_sealing(&user, &check).unwrap();
        assert_eq!(valid.warnings(), [Unfit::Expired(user.not_after())]);
    }

    #[test]
    fn a_certificate_whose_time_has_not_come_passes_with_a_warning_where_that_is_allowed() {
        let anchors = [authority(&ec_key())];
        let user = issue(&anchors[0], &ec_key(), &ec_key().public());
        let mut check = check(&[], Some(&anchors));
        check.at = noon() - Duration::SECOND;
        assert_eq!(reasons(&user, &check), ["it begins on 2026-11-01"]);
        check.allow_not_yet_valid = true;
        let valid = ValidatedCertificate::for_sealing(&user, &check).unwrap();
        assert_eq!(valid.warnings(), [Unfit::NotYetValid(noon())]);
    }

    #[test]
    fn an_authority_is_not_sealed_to() {
        let root = authority(rsa_key());
        let expected = ["it may not be used to encrypt mail: its keyUsage lacks keyEncipherment"];
        assert_eq!(reasons(&root, &check(&[], None)), expected);
        let wanted = [address("bob@north.example")];
        assert_eq!(
            reasons(&root, &check(&wanted, None)).last().unwrap(),
            "it names no mail address and not bob@north.example"
        );
    }

    #[test]
    fn an_ed25519_authority_issues_and_is_not_sealed_to() {
        let seed = crate::crypto::Seed::from_bytes(&mut [9; 32]);
        let key = UnlockedKey::generate(KeyType::Ed25519, seed).unwrap();
        let root = [authority(&key)];
        let user = issue(&root[0], &key, &rsa_key().public());
        assert_eq!(reasons(&user, &check(&[], Some(&root))), [""; 0]);
        let signer = issue(&root[0], &key, &key.public());
        let expected =
            ["it may not be used to encrypt mail: a key of the kind Ed25519 signs and does nothing else"];
        assert_eq!(reasons(&signer, &check(&[], Some(&root))), expected);
    }

    #[test]
    fn no_anchor_is_no_trust() {
        let root = authority(&ec_key());
        let user = issue(&root, &ec_key(), &ec_key().public());
        let expected = ["it does not chain to a trusted authority: no authority is trusted"];
        assert_eq!(reasons(&user, &check(&[], Some(&[]))), expected);
    }

    #[test]
    fn a_forged_signature_does_not_chain() {
        let anchors = [authority(&ec_key())];
        let user = issue(&anchors[0], &ec_key(), &ec_key().public());
        let mut der = user.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        let forged = Certificate::from_der(&der).unwrap();
        assert_eq!(reasons(&forged, &check(&[], Some(&anchors))).len(), 1);
    }

    #[test]
    fn a_user_issues_for_nobody() {
        let root = authority(rsa_key());
        let user = issue(&root, rsa_key(), &ec_key().public());
        let forged = forge(&user, &ec_key(), &rsa_key().public());
        let (root, between) = ([root], [user.clone()]);
        let mut check = check(&[], Some(&root));
        check.intermediates = &between;
        assert_eq!(reasons(&forged, &check).len(), 1);
        check.anchors = Some(&between);
        let expected = "it does not chain to a trusted authority: the trusted certificate CN=Bob may not sign \
                        certificates: its basicConstraints name no authority";
        assert_eq!(reasons(&forged, &check), [expected]);
    }

    #[test]
    fn two_anchors_of_one_key_do_not_stand_in_each_others_way() {
        let old = authority(&ec_key());
        let later = Validity::lasting(noon() + Duration::HOUR, Duration::days(4000));
        let seed = crate::crypto::Seed::from_bytes(&mut [8; 32]);
        let new = refresh(&old, &ec_key(), later, seed).unwrap();
        let user = issue(&old, &ec_key(), &rsa_key().public());
        for anchors in [[old.clone(), new.clone()], [new, old]] {
            assert_eq!(reasons(&user, &check(&[], Some(&anchors))), [""; 0]);
        }
    }

    #[test]
    fn an_ended_anchor_does_not_hide_its_successor() {
        let old = authority(&ec_key());
        let later = Validity::lasting(noon(), Duration::days(9000));
        let seed = crate::crypto::Seed::from_bytes(&mut [8; 32]);
        let new = refresh(&old, &ec_key(), later, seed).unwrap();
        let profile = UserProfile {
            common_name: "Bob",
            addresses: &[address("bob@north.example")],
            validity: Validity::lasting(noon(), Duration::days(8000)),
            reads: Reads::Cbc,
        };
        let key = ec_key();
        let authority = Authority::new(&new, &key).unwrap();
        let seed = crate::crypto::Seed::from_bytes(&mut [8; 32]);
        let user = authority.issue(&rsa_key().public(), &profile, seed).unwrap();
        for anchors in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
            let mut check = check(&[], Some(&anchors));
            check.at = old.not_after() + Duration::DAY;
            assert_eq!(reasons(&user, &check), [""; 0]);
        }
    }
}
