//! No combination of choices, certificates and revocation stores clear text but the written consent.

use super::*;
use crate::pki::{Revocation, RevocationReason, self_sign_recipient};

/// What Bob may have: days from now, when taken back, and whether it is his.
#[derive(Debug, Clone, Copy)]
struct Held {
    begin: i64,
    end: i64,
    revoked: Option<RevocationReason>,
    whose: &'static str,
    state: CertificateState,
}

const HIS: Held = Held { begin: -9, end: 9, revoked: None, whose: BOB, state: CertificateState::Active };

const STATES: [Option<Held>; 9] = [
    None,
    Some(HIS),
    Some(Held { begin: -9, end: -3, ..HIS }),
    Some(Held { begin: 3, end: 9, ..HIS }),
    Some(Held { revoked: Some(RevocationReason::KeyCompromise), ..HIS }),
    Some(Held { revoked: Some(RevocationReason::CertificateHold), ..HIS }),
    Some(Held { whose: ADA, ..HIS }),
    Some(Held { state: CertificateState::Retired, ..HIS }),
    Some(Held { state: CertificateState::Pending, ..HIS }),
];

fn key() -> &'static UnlockedKey {
    static KEY: OnceLock<UnlockedKey> = OnceLock::new();
    KEY.get_or_init(|| UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut [77; 32])).unwrap())
}

fn certificate(held: Held) -> HeldCertificate {
    let seed = || Seed::from_bytes(&mut [78; 32]);
    let subject = Subject::named("north.example");
    let validity = Validity::lasting(noon() - Duration::days(90), Duration::days(900));
    let root = self_sign(key(), &AuthorityProfile { subject: &subject, dns_names: &[], validity }, seed());
    let root = root.unwrap();
    let day = |days| noon() + Duration::days(days);
    let validity = Validity { not_before: day(held.begin), not_after: day(held.end) };
    let user =
        UserProfile { common_name: "x", addresses: &[address(held.whose)], validity, reads: Reads::Cbc };
    let certificate = Authority::new(&root, key()).unwrap().issue(&key().public(), &user, seed()).unwrap();
    let revoked = held.revoked.map(|reason| Revocation { at: noon(), reason });
    HeldCertificate { certificate, state: held.state, revoked }
}

fn of_the_domain() -> Certificate {
    let subject = Subject::named("north.example");
    let validity = Validity::lasting(noon() - Duration::days(90), Duration::days(900));
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
    self_sign_recipient(key(), &profile, Seed::from_bytes(&mut [79; 32])).unwrap()
}

/// Every choice of every setting.
fn policies() -> Vec<DomainOverrides> {
    let mut all = Vec::new();
    for &trust in Trust::ALL {
        for &expired in Expired::ALL {
            for &not_yet_valid in Expired::ALL {
                for &unusable in Unusable::ALL {
                    for &missing in MissingCertificate::ALL {
                        for &recovery in Recovery::ALL {
                            all.push(DomainOverrides {
                                trust: Some(trust),
                                expired: Some(expired),
                                not_yet_valid: Some(not_yet_valid),
                                unusable: Some(unusable),
                                missing_certificate: Some(missing),
                                recovery: Some(recovery),
                                ..DomainOverrides::default()
                            });
                        }
                    }
                }
            }
        }
    }
    all
}

#[test]
fn clear_text_is_stored_by_the_written_consent_for_a_missing_certificate_and_by_nothing_else() {
    let policies = policies();
    assert_eq!(policies.len(), 2 * 2 * 2 * 3 * 4 * 2);
    let sealing = of_the_domain();
    let mut outcomes = [0; 4];
    for state in STATES {
        let held: Vec<HeldCertificate> = state.map(certificate).into_iter().collect();
        let has_none = !held.iter().any(|held| held.state == CertificateState::Active);
        for (number, policy) in policies.iter().enumerate() {
            let mut world = World::new();
            let bob = &mut world.accounts[0];
            bob.certificates.clone_from(&held);
            bob.domain.overrides = policy.clone();
            // Every other domain has a key that can stand in, and every third is switched off.
            bob.domain.sealing = (number % 2 == 0).then(|| sealing.clone());
            bob.domain.recovery = (number % 4 < 2).then(|| sealing.clone());
            bob.domain.mode = DomainMode::ALL[number % 3];
            let outcome = world.deliver(&[BOB]);
            let stored = world.store.messages(&address(BOB), &inbox());
            let consent = policy.missing_certificate == Some(MissingCertificate::Plain) && has_none;
            let clear =
                stored.iter().filter(|one| one.bytes.windows(9).any(|octets| octets == b"The body.")).count();
            assert_eq!(clear, usize::from(consent), "{state:?} {policy:?}: {outcome:?}");
            assert_eq!(
                stored.len(),
                usize::from(outcome.disposition == Disposition::Delivered),
                "{outcome:?}"
            );
            outcomes[match outcome.disposition {
                Disposition::Delivered if consent => 0,
                Disposition::Delivered => 1,
                Disposition::Retry { .. } => 2,
                Disposition::Reject { .. } => 3,
            }] += 1;
        }
    }
    assert!(outcomes.iter().all(|&count| count > 50), "{outcomes:?}");
}

/// What may come back, or comes by itself, is never refused.
#[test]
fn nothing_that_passes_is_rejected() {
    for state in [STATES[2], STATES[3], STATES[5]] {
        for policy in policies() {
            let mut world = World::new();
            let bob = &mut world.accounts[0];
            bob.certificates = state.map(certificate).into_iter().collect();
            bob.domain.overrides = DomainOverrides { trust: Some(Trust::Pinned), ..policy };
            let outcome = world.deliver(&[BOB]);
            assert!(!matches!(outcome.disposition, Disposition::Reject { .. }), "{state:?}: {outcome:?}");
        }
    }
}

#[test]
fn lists_that_cannot_be_read_are_a_doubt() {
    let mut world = World::new();
    world.broken = Some("lists");
    assert_eq!(world.deliver(&[BOB]).disposition.line(), "4.3.0 the directory is not available");
    assert_eq!(world.store.total(), 0);
}

/// One that waits keeps the others from deciding, whichever is newer.
#[test]
fn one_certificate_that_may_pass_defers_for_all() {
    let wrong = Held { whose: ADA, ..HIS };
    let soon = Held { begin: 3, end: 9, ..HIS };
    for (states, refused) in [([wrong, wrong], true), ([soon, wrong], false), ([wrong, soon], false)] {
        let mut world = World::new();
        let bob = &mut world.accounts[0];
        bob.certificates = states.map(certificate).to_vec();
        bob.domain.overrides = DomainOverrides {
            unusable: Some(Unusable::Reject),
            not_yet_valid: Some(Expired::Defer),
            ..DomainOverrides::default()
        };
        let outcome = world.deliver(&[BOB]);
        assert_eq!(matches!(outcome.disposition, Disposition::Reject { .. }), refused, "{outcome:?}");
    }
}

/// `missing-certificate = "reject"` is for accounts that have none, not for a domain that somebody switched off.
#[test]
fn a_domain_that_is_switched_off_bounces_nothing() {
    for (held, refused) in [(Some(HIS), false), (None, true)] {
        let mut world = World::new();
        let bob = &mut world.accounts[0];
        bob.certificates = held.map(certificate).into_iter().collect();
        bob.domain.mode = DomainMode::Disabled;
        bob.domain.overrides.missing_certificate = Some(MissingCertificate::Reject);
        let outcome = world.deliver(&[BOB]);
        assert_eq!(matches!(outcome.disposition, Disposition::Reject { .. }), refused, "{outcome:?}");
    }
}

/// A sender who encrypted to the lost key alone has not reached the account, which has another one.
#[test]
fn mail_to_a_revoked_certificate_alone_is_sealed_again() {
    let mut world = World::new();
    assert_eq!(world.deliver(&[BOB]).disposition, Disposition::Delivered);
    let sealed = world.store.messages(&address(BOB), &inbox()).remove(0).bytes;
    world.settings.max_message = 1 << 20;
    let bob = &mut world.accounts[0];
    bob.certificates[0].revoked = Some(Revocation { at: noon(), reason: RevocationReason::KeyCompromise });
    bob.certificates.push(certificate(HIS));
    let outcome = world.engine().deliver(&request(&sealed, &[BOB]));
    assert_eq!(outcome.disposition, Disposition::Delivered, "{outcome:?}");
    assert!(!outcome.copies[0].kept_as_is, "{outcome:?}");
}
