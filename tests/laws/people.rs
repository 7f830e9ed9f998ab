//! Who seals and opens in the laws: keys and certificates that are always the same.

use sealpost::crypto::{Profile, SecretBytes, Seed};
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, Reads, SealingCheck, Subject, UnlockedKey,
    UserProfile, ValidatedCertificate, Validity, self_sign,
};
use sealpost::smime::{Form, Mark, OpeningKey, SealError, SealJob, Sealed, seal_many};
use std::sync::OnceLock;
use time::{Duration, OffsetDateTime};

/// Somebody with a key. It is made when it is first asked for, because some kinds take their time.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    kind: KeyType,
    number: u8,
    holding: OnceLock<Holding>,
}

struct Holding {
    key: UnlockedKey,
    certificate: Certificate,
    validated: ValidatedCertificate,
}

pub(crate) static ELLA: Person = Person::new("ella", KeyType::EcP256, 31);
pub(crate) static EMMA: Person = Person::new("emma", KeyType::EcP256, 32);
pub(crate) static ROSA: Person = Person::new("rosa", KeyType::Rsa2048, 33);
pub(crate) static PAULA: Person = Person::new("paula", KeyType::EcP384, 35);
pub(crate) static XENIA: Person = Person::new("xenia", KeyType::X25519, 36);
pub(crate) static MAGDA: Person = Person::new("magda", KeyType::MlKem768, 37);
pub(crate) static RUTH: Person = Person::new("ruth", KeyType::Rsa2048, 34);

/// One for each kind of key: a further kind is one more name here.
pub(crate) static KINDS: [&Person; 5] = [&ELLA, &ROSA, &PAULA, &XENIA, &MAGDA];

impl Person {
    const fn new(name: &'static str, kind: KeyType, number: u8) -> Person {
        Person { name, kind, number, holding: OnceLock::new() }
    }

    fn holding(&self) -> &Holding {
        self.holding.get_or_init(|| Holding::new(self))
    }

    pub(crate) fn key(&self) -> &UnlockedKey {
        &self.holding().key
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.holding().certificate
    }

    pub(crate) fn opening(&self) -> OpeningKey<'_> {
        OpeningKey { key: self.key(), certificate: Some(self.certificate()) }
    }
}

impl Holding {
    fn new(person: &Person) -> Holding {
        let key = UnlockedKey::generate(person.kind, seed(person.number)).unwrap();
        let certificate = certify(person, &key);
        let validated = ValidatedCertificate::for_sealing(&certificate, &sealing_check()).unwrap();
        Holding { key, certificate, validated }
    }
}

/// Who issued the certificates of all of them.
pub(crate) fn authority() -> (Certificate, UnlockedKey) {
    let key = UnlockedKey::generate(KeyType::EcP256, seed(30)).unwrap();
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity: validity() };
    (self_sign(&key, &profile, seed(29)).unwrap(), key)
}

fn validity() -> Validity {
    Validity::lasting(now() - Duration::days(1), Duration::days(30_000))
}

fn certify(person: &Person, key: &UnlockedKey) -> Certificate {
    let (authority, authority_key) = authority();
    let address = Address::parse(&format!("{}@north.example", person.name)).unwrap();
    let user = UserProfile {
        addresses: &[address],
        common_name: person.name,
        validity: validity(),
        reads: Reads::Cbc,
    };
    Authority::new(&authority, &authority_key)
        .unwrap()
        .issue(&key.public(), &user, seed(person.number))
        .unwrap()
}

/// As it is asked for in the laws: nothing but usage and strength.
pub(crate) fn sealing_check() -> SealingCheck<'static> {
    SealingCheck {
        addresses: &[],
        at: now(),
        minimum_rsa_bits: 2048,
        anchors: None,
        intermediates: &[],
        allow_expired: true,
        allow_not_yet_valid: true,
        revocation: None,
    }
}

pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

pub(crate) fn seed(number: u8) -> Seed {
    Seed::from_bytes(&mut [number; 32])
}

pub(crate) fn validated(to: &[&Person]) -> Vec<ValidatedCertificate> {
    to.iter().map(|person| person.holding().validated.clone()).collect()
}

/// The keys of all of them.
pub(crate) fn opening<'p>(people: &[&'p Person]) -> Vec<OpeningKey<'p>> {
    people.iter().map(|person| person.opening()).collect()
}

/// The message in a buffer that can be given away.
pub(crate) fn owned(message: &[u8]) -> SecretBytes {
    SecretBytes::new(message.to_vec())
}

/// Seals a message. The seed depends on `number` only.
pub(crate) fn seal(
    message: &[u8],
    to: &[&Person],
    form: impl Into<Form>,
    number: u8,
) -> Result<Sealed, SealError> {
    let recipients = validated(to);
    let (form, mark) =
        (form.into(), Mark { at: now(), rule: Some("Laws"), marked: Vec::new(), edited: Vec::new() });
    seal_many(vec![SealJob { message, recipients: &recipients, form, mark, seed: seed(number) }]).remove(0)
}

/// Those of [`KINDS`] whose keys the profile serves.
pub(crate) fn served(profile: Profile) -> &'static [&'static Person] {
    static SERVED: OnceLock<Vec<(Profile, Vec<&'static Person>)>> = OnceLock::new();
    let rows = SERVED.get_or_init(|| Profile::ALL.map(|profile| (profile, try_all(profile))).to_vec());
    rows.iter().find(|row| row.0 == profile).map(|row| row.1.as_slice()).expect("every profile has its row")
}

fn try_all(profile: Profile) -> Vec<&'static Person> {
    let serves = |person: &&Person| match seal(b"", &[person], profile, 1) {
        Ok(_) => true,
        Err(SealError::ProfileCannotServe { .. } | SealError::NothingPostQuantum { .. }) => false,
        Err(other) => panic!("{}: {other}", person.name),
    };
    let served: Vec<&Person> = KINDS.into_iter().filter(serves).collect();
    assert!(!served.is_empty(), "the profile {} serves nobody", profile.name());
    served
}
