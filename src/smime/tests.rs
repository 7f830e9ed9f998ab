//! The laws of the room, held over real keys and arbitrary messages.

mod curve;
mod damage;
mod law;
mod outside;
mod recognised;
mod rekeyed;
mod strict;
mod vectors;

use super::*;
use crate::crypto::{Profile, Seed};
use crate::mail::{Address, crlf};
use crate::pki::key::tests::{rsa_key, seed};
use crate::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, SealingCheck, Subject, UnlockedKey, UserProfile,
    ValidatedCertificate, Validity, self_sign,
};
use std::sync::OnceLock;
use time::OffsetDateTime;

/// A key with its certificate, made once a process.
pub(super) struct Person {
    pub(super) key: UnlockedKey,
    pub(super) certificate: Certificate,
}

fn issue(key: &UnlockedKey, name: &str, number: u8) -> Certificate {
    let authority_key = rsa_key();
    let profile = AuthorityProfile {
        subject: &Subject::named("north.example"),
        dns_names: &[],
        validity: Validity::lasting(noon(), time::Duration::days(3650)),
    };
    let certificate = self_sign(authority_key, &profile, seed(4)).unwrap();
    let authority = Authority::new(&certificate, authority_key).unwrap();
    let address = Address::parse(name).unwrap();
    let user = UserProfile {
        addresses: std::slice::from_ref(&address),
        common_name: name,
        validity: Validity::lasting(noon(), time::Duration::days(900)),
    };
    authority.issue(&key.public(), &user, seed(number)).unwrap()
}

fn person(name: &str, kind: KeyType, number: u8) -> Person {
    let key = UnlockedKey::generate(kind, seed(number)).unwrap();
    let certificate = issue(&key, name, number);
    Person { key, certificate }
}

pub(super) fn alice() -> &'static Person {
    static ALICE: OnceLock<Person> = OnceLock::new();
    ALICE.get_or_init(|| person("alice@north.example", KeyType::Rsa2048, 21))
}

pub(super) fn bob() -> &'static Person {
    static BOB: OnceLock<Person> = OnceLock::new();
    BOB.get_or_init(|| person("bob@north.example", KeyType::Rsa2048, 22))
}

/// Has a key on P-256.
pub(super) fn dana() -> &'static Person {
    static DANA: OnceLock<Person> = OnceLock::new();
    DANA.get_or_init(|| person("dana@north.example", KeyType::EcP256, 23))
}

impl Person {
    pub(super) fn opening(&self) -> OpeningKey<'_> {
        OpeningKey { key: &self.key, certificate: Some(&self.certificate) }
    }

    pub(super) fn validated(&self) -> ValidatedCertificate {
        validated(&self.certificate)
    }
}

pub(super) fn noon() -> OffsetDateTime {
    time::macros::datetime!(2026-11-01 12:00 UTC)
}

fn validated(certificate: &Certificate) -> ValidatedCertificate {
    let check = SealingCheck {
        addresses: &[],
        at: noon() + time::Duration::days(1),
        minimum_rsa_bits: 2048,
        anchors: None,
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
    };
    ValidatedCertificate::for_sealing(certificate, &check).unwrap()
}

pub(super) fn job<'a>(
    message: &'a [u8],
    recipients: &'a [ValidatedCertificate],
    profile: Profile,
    number: u8,
) -> SealJob<'a> {
    let mark = Mark { at: noon(), rule: Some("Invoices") };
    SealJob { message, recipients, profile, mark, seed: Seed::from_bytes(&mut [number; 32]) }
}

pub(super) fn seal_for(message: &[u8], recipients: &[ValidatedCertificate], profile: Profile) -> Sealed {
    seal_many(vec![job(message, recipients, profile, 1)]).remove(0).unwrap()
}

pub(super) fn seal_for_alice(message: &[u8], profile: Profile) -> Sealed {
    seal_for(message, &[alice().validated()], profile)
}

pub(super) fn open_as(person: &Person, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    Ok(open(sealed, &[person.opening()])?.message.expose().to_vec())
}

/// The law: what comes out is the message with canonical lines.
pub(super) fn assert_law(message: &[u8], profile: Profile) {
    let sealed = seal_for_alice(message, profile);
    let opened = open(sealed.bytes(), &[alice().opening()]).unwrap();
    assert!(opened.message.expose() == &*crlf(message), "{}", message.escape_ascii());
    assert_eq!(opened.eol, Some(crate::mail::eol(message)));
}
