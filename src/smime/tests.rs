//! The laws of the room, held over real keys and arbitrary messages.

mod crowds;
mod curve;
mod damage;
mod forms;
mod groups;
mod headers;
mod kinds;
pub(in crate::smime) mod law;
mod outlined;
mod outside;
mod proven;
mod recognised;
mod rekeyed;
mod strength;
mod strict;
mod vectors;

use super::*;
use crate::crypto::policy::GcmReaders;
use crate::crypto::{Classical, Policy, Profile, SecretBytes, Seed, Suite};
use crate::mail::{Address, HeaderPolicy, crlf};
use crate::pki::key::tests::{rsa_key, seed};
use crate::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, PublicKey, Reads, SealingCheck, Subject, UnlockedKey,
    UserProfile, ValidatedCertificate, Validity, self_sign,
};
use std::sync::OnceLock;
use time::OffsetDateTime;

/// The profiles that serve RSA keys and EC keys on the NIST curves.
pub(super) const CLASSICAL: [Profile; 2] = [Profile::Compatible, Profile::Modern];

/// A key with its certificate, made once a process.
pub(super) struct Person {
    pub(super) key: UnlockedKey,
    pub(super) certificate: Certificate,
}

fn issue(key: &UnlockedKey, name: &str, number: u8) -> Certificate {
    issue_with(&key.public(), name, number, Reads::Cbc)
}

fn issue_with(key: &PublicKey, name: &str, number: u8, reads: Reads) -> Certificate {
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
        reads,
    };
    authority.issue(key, &user, seed(number)).unwrap()
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

/// One person for each kind of key that needs another profile or curve.
pub(super) fn person_with(kind: KeyType) -> Person {
    let number = 40 + u8::try_from(KeyType::all().position(|(of, _, _)| of == kind).unwrap()).unwrap();
    person(&format!("{}@north.example", kind.name()), kind, number)
}

impl Person {
    pub(super) fn opening(&self) -> OpeningKey<'_> {
        OpeningKey { key: &self.key, certificate: Some(&self.certificate) }
    }

    pub(super) fn validated(&self) -> ValidatedCertificate {
        validated(&self.certificate)
    }
}

/// What the profile writes to classical keys.
pub(super) fn suite(profile: Profile) -> &'static Suite {
    profile.suite(GcmReaders::NotAll, Classical::Refused)
}

pub(super) fn noon() -> OffsetDateTime {
    time::macros::datetime!(2026-11-01 12:00 UTC)
}

fn validated(certificate: &Certificate) -> ValidatedCertificate {
    let check = SealingCheck::by_itself(&[], noon() + time::Duration::days(1), 2048);
    ValidatedCertificate::for_sealing(certificate, &check).unwrap()
}

pub(super) fn job<'a>(
    message: &'a [u8],
    recipients: &'a [ValidatedCertificate],
    profile: Profile,
    number: u8,
) -> SealJob<'a> {
    let mark = Mark { at: noon(), rule: Some("Invoices"), marked: Vec::new(), edited: Vec::new() };
    SealJob { message, recipients, form: profile.into(), mark, seed: Seed::from_bytes(&mut [number; 32]) }
}

pub(super) fn seal_for(message: &[u8], recipients: &[ValidatedCertificate], profile: Profile) -> Sealed {
    seal_many(vec![job(message, recipients, profile, 1)]).remove(0).unwrap()
}

pub(super) fn seal_for_alice(message: &[u8], profile: Profile) -> Sealed {
    seal_for(message, &[alice().validated()], profile)
}

/// The job under another header policy.
pub(super) fn hiding(headers: HeaderPolicy, job: SealJob<'_>) -> SealJob<'_> {
    SealJob { form: Form { headers, ..job.form }, ..job }
}

pub(super) fn seal_hiding(message: &[u8], headers: HeaderPolicy) -> Sealed {
    let recipients = [alice().validated()];
    let job = hiding(headers, job(message, &recipients, Profile::Compatible, 1));
    seal_many(vec![job]).remove(0).unwrap()
}

/// The message in a buffer that can be given away.
pub(super) fn owned(message: &[u8]) -> SecretBytes {
    SecretBytes::new(message.to_vec())
}

pub(super) fn open_as(person: &Person, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    Ok(open(sealed, &[person.opening()])?.message.expose().to_vec())
}

/// The law: what comes out is the message with canonical lines, whatever of its header is hidden.
pub(super) fn assert_law(message: &[u8], profile: Profile) {
    let hidden = HeaderPolicy::ALL.map(|headers| seal_hiding(message, headers));
    for sealed in hidden.into_iter().chain([seal_for_alice(message, profile)]) {
        let opened = open(sealed.bytes(), &[alice().opening()]).unwrap();
        assert!(opened.message.expose() == &*crlf(message), "{}", message.escape_ascii());
        assert_eq!(opened.eol, Some(crate::mail::eol(message)));
    }
}

/// What goes inside the encryption, read in pieces of that size.
pub(super) fn inside(message: &[u8], headers: HeaderPolicy, size: usize) -> Vec<u8> {
    let message = crate::mail::Message::new(message);
    let recipients = [];
    let job = hiding(headers, job(message.bytes(), &recipients, Profile::Compatible, 1));
    let count = crate::mail::LineCount::of(message.bytes());
    let (_, added, _) = seal::protect_header(&message, &job, count);
    let inner = inner::Inner::new(&message, added, count);
    let length = inner.len();
    let mut inside = Vec::with_capacity(length);
    let mut reader = inner.into_reader();
    let mut filled = 0;
    while filled < length {
        filled = length.min(filled + size);
        reader.fill(&mut inside, filled);
    }
    assert_eq!(inside.len(), length);
    reader.fill(&mut inside, usize::MAX);
    assert_eq!(inside.len(), length, "nothing more comes");
    inside
}
