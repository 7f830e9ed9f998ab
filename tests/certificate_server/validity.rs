//! The law: what is issued is valid at every moment of its validity, and at none outside.

use proptest::prelude::*;
use sealpost::crypto::Seed;
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, MINIMUM_RSA_BITS, Reads, SealingCheck, Subject,
    UnlockedKey, UserProfile, ValidatedCertificate, Validity, self_sign,
};
use std::sync::LazyLock;
use time::{Duration, OffsetDateTime};

static KEYS: LazyLock<[UnlockedKey; 2]> = LazyLock::new(|| {
    [1, 2].map(|number| UnlockedKey::generate(KeyType::EcP256, Seed::from_bytes(&mut [number; 32])).unwrap())
});

fn bob() -> [Address; 1] {
    [Address::parse("bob@north.example").unwrap()]
}

fn authority(validity: Validity) -> Certificate {
    let profile = AuthorityProfile { subject: &Subject::named("north.example"), dns_names: &[], validity };
    self_sign(&KEYS[0], &profile, Seed::from_bytes(&mut [3; 32])).unwrap()
}

fn is_valid(certificate: &Certificate, issuer: &Certificate, at: OffsetDateTime) -> bool {
    let check = SealingCheck {
        addresses: &bob(),
        at,
        minimum_rsa_bits: MINIMUM_RSA_BITS,
        anchors: Some(std::slice::from_ref(issuer)),
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
        revocation: None,
    };
    ValidatedCertificate::for_sealing(certificate, &check).is_ok()
}

/// A moment from 2000 to 2060, so that both forms of time and the change between them are met.
fn moment() -> impl Strategy<Value = OffsetDateTime> {
    (946_684_800_i64..2_840_140_800).prop_map(|seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap())
}

fn lifetime() -> impl Strategy<Value = Duration> {
    prop_oneof![1_i64..10, 1_i64..100_000_000, 1_i64..1_000_000_000].prop_map(Duration::seconds)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_issued_is_valid_when_it_says_so_and_never_else(
        from in moment(), life in lifetime(), offset in -100_000_000_i64..100_000_000, asked in lifetime(),
        other in moment(),
    ) {
        let issuer = authority(Validity::lasting(from, life));
        let user = UserProfile {
            common_name: "Bob",
            addresses: &bob(),
            validity: Validity::lasting(from + Duration::seconds(offset), asked),
            reads: Reads::Cbc,
        };
        let signed = Authority::new(&issuer, &KEYS[0]).unwrap();
        let Ok(made) = signed.issue(&KEYS[1].public(), &user, Seed::from_bytes(&mut [4; 32])) else {
            // The two do not meet in more than a moment.
            let (begin, end) = (user.validity.not_before, user.validity.not_after);
            prop_assert!(begin >= issuer.not_after() || end <= issuer.not_before());
            return Ok(());
        };
        let (begin, end) = (made.not_before(), made.not_after());
        prop_assert!(begin >= issuer.not_before() && end <= issuer.not_after());
        prop_assert!(begin >= user.validity.not_before && end <= user.validity.not_after);
        let middle = begin + (end - begin) / 2;
        for at in [begin, begin + Duration::SECOND, middle, end - Duration::SECOND, end] {
            prop_assert!(is_valid(&made, &issuer, at), "{at} lies within {begin} and {end}");
        }
        for at in [begin - Duration::SECOND, end + Duration::SECOND, begin - life, end + life] {
            prop_assert!(!is_valid(&made, &issuer, at), "{at} lies outside {begin} and {end}");
        }
        prop_assert_eq!(is_valid(&made, &issuer, other), (begin..=end).contains(&other));
    }
}
