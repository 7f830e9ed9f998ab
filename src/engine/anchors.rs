//! What the certificates of an account may chain to: the domain's own authorities and those that it replaced, the
//! domain's set, the server's, and the built-in one.

use super::{Account, BuiltIn, BuiltInError, CrlPolicy, Domain};
use crate::pki::path::{ListOrigin, RevocationSources};
use crate::pki::{Certificate, Crl, RevocationPolicy, SealingCheck, Unfit, ValidatedCertificate};
use time::OffsetDateTime;

/// All that the directory knows.
pub fn anchors(account: &Account) -> Vec<Certificate> {
    let (own, trust) = (&account.domain.authorities, &account.domain.trust);
    [own, &trust.retired, &trust.domain, &trust.server].into_iter().flatten().cloned().collect()
}

/// What may lie between the certificate and an anchor: those that came with it, the chain of the domain, its authorities.
fn between(account: &Account, given: &[Certificate]) -> Vec<Certificate> {
    let (own, trust) = (&account.domain.authorities, &account.domain.trust);
    [given, &trust.chain, own, &trust.retired].into_iter().flatten().cloned().collect()
}

/// The authorities of a domain, today's and those that they replaced: what these issued, the directory has its own record of.
pub fn recorded(domain: &Domain) -> [&[Certificate]; 2] {
    [&domain.authorities, &domain.trust.retired]
}

/// The revocation lists that the site was given, as they are asked: their signatures were checked when they came.
pub fn kept<'a>(
    crls: &'a [Crl],
    recorded: &'a [&'a [Certificate]],
    policy: CrlPolicy,
    at: OffsetDateTime,
) -> RevocationSources<'a> {
    let policy = match policy {
        CrlPolicy::Soft => RevocationPolicy::Soft,
        CrlPolicy::Hard => RevocationPolicy::Hard,
    };
    RevocationSources { crls, at, policy, origin: ListOrigin::Kept { recorded } }
}

/// Checks a certificate of an account, which must chain to an anchor; the anchors of `check` are not looked at. The
/// built-in set is asked only if what the directory knows does not do.
pub fn check_chain(
    account: &Account,
    certificate: &Certificate,
    check: &SealingCheck<'_>,
    built_in: &dyn BuiltIn,
) -> Result<Result<ValidatedCertificate, Vec<Unfit>>, BuiltInError> {
    let intermediates = between(account, check.intermediates);
    let check = SealingCheck { intermediates: &intermediates, ..*check };
    let by = |anchors: &[Certificate]| {
        ValidatedCertificate::for_sealing(certificate, &SealingCheck { anchors: Some(anchors), ..check })
    };
    let anchors = anchors(account);
    let reasons = match by(&anchors) {
        Err(reasons) if reasons.iter().any(|reason| matches!(reason, Unfit::Untrusted(_))) => reasons,
        judged => return Ok(judged),
    };
    let built_in = built_in.certificates()?;
    if anchors.is_empty() {
        return Ok(by(&built_in));
    }
    // One of its path must name an anchor as its issuer; without this an ordinary refusal would go through the whole set.
    let near = |anchor: &&Certificate| {
        *anchor == certificate
            || std::iter::once(certificate).chain(&intermediates).any(|one| one.names_as_issuer(anchor))
    };
    let near: Vec<Certificate> = built_in.iter().filter(near).cloned().collect();
    Ok(if near.is_empty() { Err(reasons) } else { by(&near) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Seed;
    use crate::engine::{AccountOverrides, Domain, DomainMode, DomainOverrides, DomainTrust};
    use crate::mail::Address;
    use crate::pki::{
        Authority, AuthorityProfile, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity, self_sign,
    };
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    fn seed(number: u8) -> Seed {
        Seed::from_bytes(&mut [number; 32])
    }

    fn noon() -> OffsetDateTime {
        datetime!(2026-11-01 12:00 UTC)
    }

    fn key(number: u8) -> UnlockedKey {
        UnlockedKey::generate(KeyType::EcP256, seed(number)).unwrap()
    }

    fn bob() -> Address {
        Address::parse("bob@north.example").unwrap()
    }

    /// The authority of that number; all have one name.
    fn authority(number: u8) -> Certificate {
        let validity = Validity::lasting(noon(), Duration::days(3000));
        let subject = Subject::named("north.example");
        let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
        self_sign(&key(number), &profile, seed(number)).unwrap()
    }

    /// Bob by the authority of that number.
    fn user(number: u8) -> Certificate {
        let user = UserProfile {
            common_name: "bob",
            addresses: &[bob()],
            validity: Validity::lasting(noon(), Duration::days(300)),
            reads: Reads::Cbc,
        };
        let (certificate, key_of) = (authority(number), key(number));
        Authority::new(&certificate, &key_of).unwrap().issue(&key(99).public(), &user, seed(7)).unwrap()
    }

    fn account(authorities: Vec<Certificate>, trust: DomainTrust) -> Account {
        let (mode, overrides) = (DomainMode::Enabled, DomainOverrides::default());
        let name = "north.example".to_owned();
        let (aliases, catch_all, sealing, recovery) = (vec![], None, None, None);
        let domain =
            Domain { name, aliases, mode, catch_all, overrides, authorities, trust, sealing, recovery };
        let (overrides, certificates) = (AccountOverrides::default(), Vec::new());
        Account { address: bob(), aliases: Vec::new(), overrides, certificates, domain }
    }

    /// A set that counts who asks; nothing if it cannot be read.
    #[derive(Default)]
    struct Set {
        certificates: Option<Vec<Certificate>>,
        asked: AtomicUsize,
    }

    impl Set {
        fn of(certificates: &[Certificate]) -> Set {
            Set { certificates: Some(certificates.to_vec()), ..Set::default() }
        }
    }

    impl BuiltIn for Set {
        fn certificates(&self) -> Result<Arc<[Certificate]>, BuiltInError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.certificates.as_deref().map(Arc::from).ok_or_else(|| BuiltInError("gone".to_owned()))
        }
    }

    /// Nothing, or the reason; and how often the built-in set was asked.
    fn judge(
        account: &Account,
        certificate: &Certificate,
        set: &Set,
    ) -> (Result<String, BuiltInError>, usize) {
        let addresses = [bob()];
        let check = SealingCheck::by_itself(&addresses, noon() + Duration::DAY, 2048);
        let reasons = |unfit: Vec<Unfit>| unfit.iter().map(Unfit::to_string).collect::<Vec<_>>().join("; ");
        let judged = check_chain(account, certificate, &check, set);
        let said = judged.map(|judged| judged.map_or_else(reasons, |_| String::new()));
        (said, set.asked.load(Ordering::Relaxed))
    }

    fn trust(change: impl FnOnce(&mut DomainTrust)) -> DomainTrust {
        let mut trust = DomainTrust::default();
        change(&mut trust);
        trust
    }

    #[test]
    fn every_set_of_the_directory_anchors_and_the_built_in_one_is_not_asked() {
        let sets = [
            (vec![authority(1)], DomainTrust::default()),
            (vec![authority(2)], trust(|trust| trust.retired = vec![authority(1)])),
            (vec![authority(2)], trust(|trust| trust.domain = vec![authority(1)])),
            (vec![authority(2)], trust(|trust| trust.server = vec![authority(1)])),
            // What is in a trusted set itself needs no issuer.
            (vec![authority(2)], trust(|trust| trust.domain = vec![user(1)])),
        ];
        for (authorities, trust) in sets {
            let account = account(authorities, trust);
            assert_eq!(judge(&account, &user(1), &Set::default()), (Ok(String::new()), 0));
        }
    }

    #[test]
    fn the_chain_anchors_nothing() {
        let account = account(vec![authority(2)], trust(|trust| trust.chain = vec![authority(1)]));
        let (said, _) = judge(&account, &user(1), &Set::of(&[]));
        assert!(said.unwrap().starts_with("it does not chain to a trusted authority"));
    }

    #[test]
    fn the_built_in_set_is_the_last_to_be_asked() {
        let set = Set::of(&[authority(3), authority(1)]);
        assert_eq!(
            judge(&account(vec![authority(2)], DomainTrust::default()), &user(1), &set),
            (Ok(String::new()), 1)
        );
        assert_eq!(
            judge(&account(Vec::new(), DomainTrust::default()), &user(1), &set),
            (Ok(String::new()), 2)
        );
        let (said, _) = judge(&account(Vec::new(), DomainTrust::default()), &user(1), &Set::of(&[]));
        assert_eq!(said.unwrap(), "it does not chain to a trusted authority: no authority is trusted");
    }

    #[test]
    fn a_set_that_cannot_be_read_is_a_doubt_only_where_it_is_needed() {
        let own = account(vec![authority(2)], DomainTrust::default());
        assert_eq!(judge(&own, &user(2), &Set::default()), (Ok(String::new()), 0));
        assert_eq!(judge(&own, &user(1), &Set::default()).0, Err(BuiltInError("gone".to_owned())));
    }

    /// Another reason than trust is no reason to look for more trust.
    #[test]
    fn what_is_unfit_otherwise_asks_nobody() {
        let own = account(vec![authority(2)], DomainTrust::default());
        let (said, asked) = judge(&own, &authority(2), &Set::default());
        assert!(said.unwrap().contains("keyAgreement"));
        assert_eq!(asked, 0);
    }
}
