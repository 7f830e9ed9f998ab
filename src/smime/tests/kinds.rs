//! Every kind of key, alone and beside others, under the profiles that serve it; and one error for all that fails.

use super::damage::{enveloped, join, replace, split};
use super::*;
use crate::cms::{self, Agreement, Enveloped, Originator, RecipientId, RecipientKind};
use crate::crypto::algorithm::{AES_256_CBC, P_256};
use crate::crypto::{CurvePublicKey, trace};
use proptest::prelude::*;
use std::sync::Arc;

const MESSAGE: &[u8] = b"Subject: quarterly numbers\r\nFrom: a@b\r\n\r\nThe numbers are good.\r\n";

/// Every kind of key with a profile that serves it.
const SERVED: [(KeyType, Profile); 13] = [
    (KeyType::Rsa2048, Profile::Compatible),
    (KeyType::Rsa2048, Profile::Modern),
    (KeyType::Rsa2048, Profile::Auto),
    (KeyType::EcP256, Profile::Compatible),
    (KeyType::EcP256, Profile::Modern),
    (KeyType::EcP384, Profile::Compatible),
    (KeyType::EcP384, Profile::Modern),
    (KeyType::EcP521, Profile::Compatible),
    (KeyType::EcP521, Profile::Modern),
    (KeyType::X25519, Profile::Modern),
    (KeyType::MlKem768, Profile::PostQuantum),
    (KeyType::MlKem1024, Profile::PostQuantum),
    (KeyType::EcP384, Profile::Auto),
];

fn seal_as(recipients: &[&Person], form: Form) -> Result<Sealed, SealError> {
    let validated: Vec<_> = recipients.iter().map(|person| person.validated()).collect();
    let mark = Mark { at: noon(), rule: None, marked: Vec::new(), edited: Vec::new() };
    seal_many(vec![SealJob { message: MESSAGE, recipients: &validated, form, mark, seed: seed(7) }]).remove(0)
}

fn refused(recipients: &[&Person], form: Form) -> String {
    seal_as(recipients, form).err().unwrap().to_string()
}

fn beside(profile: Profile) -> Form {
    Form { profile, classical: Classical::Beside, ..Form::default() }
}

fn by_key(profile: Profile) -> Form {
    Form { profile, naming: Naming::KeyIdentifier, ..Form::default() }
}

#[test]
fn every_key_opens_what_its_profile_seals_to_it() {
    for (kind, profile) in SERVED {
        let person = person_with(kind);
        for form in [profile.into(), by_key(profile)] {
            let sealed = seal_as(&[&person], form).unwrap();
            assert_eq!(open_as(&person, sealed.bytes()).unwrap(), MESSAGE, "{kind:?} {form:?}");
            let bare = OpeningKey { key: &person.key, certificate: None };
            let by_identifier = open(sealed.bytes(), &[bare]).map(|opened| opened.message.expose().to_vec());
            match form.naming {
                // Our authority's identifiers are those of RFC 7093.
                Naming::KeyIdentifier => assert_eq!(by_identifier.unwrap(), MESSAGE, "{kind:?}"),
                Naming::Certificate => {
                    assert!(matches!(by_identifier, Err(OpenError::CertificateNeeded)), "{kind:?}");
                }
            }
        }
    }
    assert!(
        KeyType::all()
            .filter(|(kind, ..)| kind.encrypts())
            .all(|(kind, name, _)| name.starts_with("rsa") || SERVED.iter().any(|(of, _)| *of == kind))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn opening_gives_any_message_back(message: Vec<u8>, at in 0..SERVED.len()) {
        let (kind, profile) = SERVED[at];
        prop_assume!(kind != KeyType::Rsa2048);
        let person = person_with(kind);
        let sealed = seal_for(&message, &[person.validated()], profile);
        prop_assert_eq!(open_as(&person, sealed.bytes()).unwrap(), &*crlf(&message));
    }
}

#[test]
fn kinds_stand_side_by_side_where_the_profile_has_all_of_them() {
    let [p384, p521, x25519, kem] =
        [KeyType::EcP384, KeyType::EcP521, KeyType::X25519, KeyType::MlKem768].map(person_with);
    let classical = [alice(), dana(), &p384, &p521];
    let modern: Vec<&Person> = classical.into_iter().chain([&x25519]).collect();
    let all: Vec<&Person> = modern.iter().copied().chain([&kem]).collect();
    for (people, form) in [
        (classical.as_slice(), Profile::Compatible.into()),
        (&modern, Profile::Modern.into()),
        (&all, beside(Profile::PostQuantum)),
    ] {
        let sealed = seal_as(people, form).unwrap();
        assert_eq!(sealed.facts().recipients.len(), people.len());
        for person in people {
            assert_eq!(open_as(person, sealed.bytes()).unwrap(), MESSAGE, "{form:?}");
        }
    }
}

#[test]
fn what_a_profile_does_not_serve_is_refused_with_what_to_do() {
    let (x25519, kem) = (person_with(KeyType::X25519), person_with(KeyType::MlKem768));
    let text = |person: &Person, profile: &str, key: &str, hint: &str| {
        let certificate = person.certificate.fingerprint();
        format!("the profile {profile} cannot serve the {key} key of certificate {certificate}: {hint}")
    };
    let choose = "choose the profile post-quantum";
    let classical = "a classical key stands beside ML-KEM only where also-classical is set";
    for (person, profile, expected) in [
        (&x25519, Profile::Compatible, text(&x25519, "compatible", "X25519", "choose the profile modern")),
        (&kem, Profile::Compatible, text(&kem, "compatible", "ML-KEM-768", choose)),
        (&kem, Profile::Modern, text(&kem, "modern", "ML-KEM-768", choose)),
        (alice(), Profile::PostQuantum, text(alice(), "post-quantum", "RSA 2048", classical)),
        (dana(), Profile::PostQuantum, text(dana(), "post-quantum", "EC P-256", classical)),
        (&x25519, Profile::PostQuantum, text(&x25519, "post-quantum", "X25519", classical)),
    ] {
        assert_eq!(refused(&[person], profile.into()), expected);
    }
    assert_eq!(
        refused(&[&kem, alice()], Profile::PostQuantum.into()),
        text(alice(), "post-quantum", "RSA 2048", classical)
    );
}

#[test]
fn classical_keys_alone_are_never_post_quantum() {
    let error = refused(&[alice(), dana()], beside(Profile::PostQuantum));
    let first = alice().certificate.fingerprint();
    assert_eq!(
        error,
        format!(
            "the profile post-quantum has no ML-KEM key to seal to beside that of certificate {first}: \
             add one (sealpost key generate --type ml-kem-768), or choose another profile"
        )
    );
    let kem = person_with(KeyType::MlKem1024);
    assert!(refusal(beside(Profile::PostQuantum), &alice().certificate, &[&kem.certificate]).is_none());
    assert!(refusal(beside(Profile::PostQuantum), &alice().certificate, &[]).is_some());
    assert!(refusal(Profile::PostQuantum.into(), &kem.certificate, &[]).is_none());
    assert!(refusal(Profile::Modern.into(), &kem.certificate, &[]).is_some());
}

/// A certificate of Alice's key that says what its holder reads.
fn reader(reads: Reads) -> Person {
    let key = rsa_key();
    let certificate = issue_with(&key.public(), "reader@north.example", 90, reads);
    let again = UnlockedKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
    Person { key: again, certificate }
}

#[test]
fn auto_takes_gcm_if_every_certificate_says_so() {
    let (cbc, gcm) = (reader(Reads::Cbc), reader(Reads::Gcm));
    assert_eq!((cbc.certificate.reads(), gcm.certificate.reads()), (Reads::Cbc, Reads::Gcm));
    let cipher =
        |people: &[&Person]| seal_as(people, Profile::Auto.into()).unwrap().facts().cipher.unwrap().name;
    assert_eq!(cipher(&[&gcm]), "aes-256-gcm");
    assert_eq!(cipher(&[&cbc]), "aes-256-cbc");
    assert_eq!(cipher(&[&gcm, &cbc]), "aes-256-cbc");
}

#[test]
fn a_message_is_handed_from_any_kind_to_any_other() {
    let people: Vec<Person> =
        [KeyType::EcP384, KeyType::X25519, KeyType::MlKem768].into_iter().map(person_with).collect();
    let cbc = seal_as(&[alice()], Profile::Compatible.into()).unwrap();
    let gcm = seal_as(&[&people[2]], Profile::PostQuantum.into()).unwrap();
    for (sealed, owner) in [(&cbc, alice()), (&gcm, &people[2])] {
        let before = enveloped(sealed.bytes());
        for person in people.iter().chain([dana(), alice()]) {
            for naming in [Naming::Certificate, Naming::KeyIdentifier] {
                let to = [person.validated()];
                let rekeyed = rekey(owned(sealed.bytes()), &[owner.opening()], &to, naming, seed(9)).unwrap();
                assert_eq!(open_as(person, rekeyed.bytes()).unwrap(), MESSAGE);
                let after = enveloped(rekeyed.bytes());
                assert_eq!(after.encrypted_content, before.encrypted_content);
                let by_key = matches!(after.recipients[0].id, Some(RecipientId::SubjectKeyIdentifier(_)));
                assert_eq!(by_key, naming == Naming::KeyIdentifier);
            }
        }
    }
}

/// An originator who is named by a certificate: static-static, as nobody writes it any more.
#[test]
fn a_named_originator_is_found_in_the_message_or_beside_the_keys() {
    let mut sealed = enveloped(seal_as(&[dana()], Profile::Compatible.into()).unwrap().bytes());
    let agreement = sealed.recipients[0].agreement.take().unwrap();
    let Originator::Key(ephemeral) = &agreement.originator else { panic!("an ephemeral key") };
    let point = CurvePublicKey::new(&P_256, &ephemeral.public_key).unwrap();
    let named = issue_with(&PublicKey::Curve(point), "eve@north.example", 91, Reads::Cbc);
    let clear = |sealed: Enveloped, keys: &[OpeningKey<'_>]| {
        open::open_content(sealed, keys, &Policy::READING).map(|clear| clear.expose().to_vec())
    };
    for id in named.recipient_ids() {
        let originator = Originator::Certificate(id);
        sealed.recipients[0].agreement = Some(Arc::new(Agreement { originator, ukm: None }));
        let alone = clear(sealed.clone(), &[dana().opening()]);
        assert!(matches!(alone, Err(OpenError::OriginatorUnknown)));
        let beside = OpeningKey { key: &dana().key, certificate: Some(&named) };
        assert_eq!(clear(sealed.clone(), &[dana().opening(), beside]).unwrap(), MESSAGE);
        let brought = vec![alice().certificate.der().to_vec(), vec![0x30, 0], named.der().to_vec()];
        let sealed = Enveloped { originator_certificates: brought, ..sealed.clone() };
        assert_eq!(clear(sealed, &[dana().opening()]).unwrap(), MESSAGE);
    }
}

/// A policy that does not list what a message uses, each in its turn.
#[test]
fn a_policy_refuses_messages_in_other_algorithms() {
    let sealed = seal_as(&[dana()], Profile::Compatible.into()).unwrap();
    let names: Vec<&str> = suite(Profile::Compatible).names().collect();
    let open = |names: &[&str]| {
        open_by_policy(sealed.bytes(), &[dana().opening()], &Policy::of(names).unwrap()).map(|_| ())
    };
    open(&names).unwrap();
    for missing in [AES_256_CBC.name, "ecdh-sha256kdf", "aes-256-wrap"] {
        let rest: Vec<&str> = names.iter().copied().filter(|name| *name != missing).collect();
        let error = open(&rest).unwrap_err().to_string();
        assert_eq!(error, format!("the message uses {missing}, which is not allowed here"));
    }
}

/// What is wrong with a message, and how it is opened.
struct Failure {
    what: &'static str,
    sealed: Vec<u8>,
    key: Person,
}

/// The same message with the wrapped key, the carrier of the secret, or the content damaged; and with another key that
/// claims to be the right one.
fn failures(sealed: &[u8], person: &Person, kind: KeyType) -> Vec<Failure> {
    let (header, der) = split(sealed);
    let read = enveloped(sealed);
    let to = recipient_of(&read, person);
    let mut cases = vec![("wrapped key flipped", flipped(&der, &to.encrypted_key))];
    let carrier = match (&to.agreement, &to.encapsulation) {
        (Some(agreement), _) => match &agreement.originator {
            Originator::Key(key) => Some(key.public_key.clone()),
            Originator::Certificate(_) => None,
        },
        (_, Some(encapsulation)) => Some(encapsulation.ciphertext.clone()),
        _ => None,
    };
    if let Some(carrier) = carrier {
        cases.push(("carrier flipped", flipped(&der, &carrier)));
        cases.push(("carrier of zeros", replace(&der, &carrier, &vec![0; carrier.len()])));
    }
    cases.push(("padding or tag", flipped(&der, read.tag.as_deref().unwrap_or(&read.encrypted_content))));
    let own = |what, der: Vec<u8>| Failure { what, sealed: join(&header, &der), key: again(person) };
    let mut all: Vec<Failure> = cases.into_iter().map(|(what, der)| own(what, der)).collect();
    let other = UnlockedKey::generate(kind, seed(99)).unwrap();
    let key = Person { key: other, certificate: person.certificate.clone() };
    all.push(Failure { what: "another key", sealed: sealed.to_vec(), key });
    all
}

fn again(person: &Person) -> Person {
    let key = UnlockedKey::from_pkcs8(person.key.to_pkcs8().unwrap().expose()).unwrap();
    Person { key, certificate: person.certificate.clone() }
}

fn recipient_of<'a>(sealed: &'a Enveloped, person: &Person) -> &'a cms::Recipient {
    let ids = person.certificate.recipient_ids();
    sealed.recipients.iter().find(|to| to.id.as_ref().is_some_and(|id| ids.contains(id))).unwrap()
}

/// With the last octet of that piece changed: in CBC that is the padding.
fn flipped(der: &[u8], piece: &[u8]) -> Vec<u8> {
    let mut other = piece.to_vec();
    *other.last_mut().unwrap() ^= 0x41;
    replace(der, piece, &other)
}

/// The primitives that opening calls.
fn calls(sealed: &[u8], person: &Person) -> (Vec<&'static str>, Result<Vec<u8>, OpenError>) {
    trace::take();
    let opened = open_as(person, sealed);
    (trace::take(), opened)
}

#[test]
fn every_failure_is_one_error_after_the_same_calls_however_many_recipients() {
    let kem = person_with(KeyType::MlKem768);
    for (kind, profile) in SERVED {
        let person = if kind == KeyType::Rsa2048 { again(alice()) } else { person_with(kind) };
        let others = if profile == Profile::PostQuantum { vec![&kem, &kem] } else { vec![bob(), dana()] };
        let mut sequences = Vec::new();
        for count in 0..=others.len() {
            let people: Vec<&Person> = others.iter().take(count).copied().chain([&person]).collect();
            let sealed = seal_as(&people, profile.into()).unwrap();
            let (sequence, opened) = calls(sealed.bytes(), &person);
            assert_eq!(opened.unwrap(), MESSAGE);
            assert!(sequence.ends_with(&["decrypt"]), "{sequence:?}");
            for failure in failures(sealed.bytes(), &person, kind) {
                let (failed, outcome) = calls(&failure.sealed, &failure.key);
                let error = outcome.err().unwrap_or_else(|| panic!("{kind:?}: {} opens", failure.what));
                assert!(matches!(error, OpenError::NotOpened), "{kind:?}: {}: {error}", failure.what);
                assert_eq!(failed, sequence, "{kind:?} {profile:?}: {}", failure.what);
            }
            sequences.push(sequence);
        }
        sequences.dedup();
        assert_eq!(sequences.len(), 1, "{kind:?}: the number of recipients shows");
    }
}

#[test]
fn a_damaged_kem_recipient_is_nobody_and_the_others_read_on() {
    let kem = person_with(KeyType::MlKem768);
    let sealed = seal_as(&[&kem, alice()], beside(Profile::PostQuantum)).unwrap();
    let (header, der) = split(sealed.bytes());
    let ciphertext =
        &recipient_of(&enveloped(sealed.bytes()), &kem).encapsulation.as_ref().unwrap().ciphertext.clone();
    let at = der.windows(ciphertext.len()).position(|window| window == ciphertext.as_slice()).unwrap();
    let mut broken = der.clone();
    // The OCTET STRING becomes another type.
    broken[at - 4] = 0x05;
    let broken = join(&header, &broken);
    assert_eq!(open_as(alice(), &broken).unwrap(), MESSAGE);
    assert!(matches!(open_as(&kem, &broken), Err(OpenError::NotARecipient)));
    let read = enveloped(&broken);
    assert!(read.recipients.iter().any(|to| to.kind == RecipientKind::Other && to.id.is_none()));
}

#[test]
fn inspect_says_what_is_post_quantum_and_what_is_not() {
    let kem = person_with(KeyType::MlKem768);
    let report = |people: &[&Person], form| {
        let sealed = seal_as(people, form).unwrap();
        let report = cms::inspect(&cms::Input::of(sealed.bytes()));
        serde_json::to_value(report).unwrap()
    };
    let alone = report(&[&kem], Profile::PostQuantum.into());
    assert_eq!(alone["post_quantum"], true);
    assert_eq!(alone["notes"], serde_json::json!([]));
    let recipient = &alone["recipients"][0];
    assert_eq!(recipient["kind"], "key-encapsulation");
    let algorithm = serde_json::json!({
        "oid": "2.16.840.1.101.3.4.4.2",
        "name": "id-alg-ml-kem-768",
        "hash": "sha256",
        "mask_hash": null,
        "key_wrap": {"oid": "2.16.840.1.101.3.4.1.45", "name": "id-aes256-wrap"},
    });
    assert_eq!(recipient["algorithm"], algorithm);
    let hybrid = report(&[&kem, alice()], beside(Profile::PostQuantum));
    assert_eq!(hybrid["post_quantum"], false);
    let note = "ML-KEM and classical recipients stand side by side: the message is as safe as its weakest, not post-quantum";
    assert_eq!(hybrid["notes"], serde_json::json!([note]));
    assert_eq!(report(&[alice()], Profile::Modern.into())["post_quantum"], false);
}
