//! Secrets are wiped on every path: the allocator of this test binary looks into each block that is given back.
//!
//! What it cannot see: the stack, and registers. A block that grows is given back too, so a buffer that was reallocated
//! after it was filled is found.

mod held;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sealpost::cms::{Enveloped, Input, Originator, Protection};
use sealpost::crypto::{Profile, SecretBytes, Seed};
use sealpost::mail::{Address, HeaderEdits, HeaderLine, HeaderPolicy, Message};
use sealpost::pki::*;
use sealpost::smime::{Form, Mark, Naming, OpeningKey, SealJob, open, open_raw, rekey, seal_many};
use sha2::{Digest, Sha256};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::SeqCst};
use time::{Duration, OffsetDateTime};

#[global_allocator]
static ALLOCATOR: Watching = Watching;

struct Watching;

/// Octets of a secret that are looked for.
const PATTERN: usize = 16;
/// Secrets at a time.
const PATTERNS: usize = 4;
static SECRETS: [[AtomicU8; PATTERN]; PATTERNS] = [const { [const { AtomicU8::new(0) }; PATTERN] }; PATTERNS];
/// How many are looked for; none outside of [`left_behind`].
static WATCHED: AtomicUsize = AtomicUsize::new(0);
/// Blocks that were given back with one in them.
static FOUND: [AtomicUsize; PATTERNS] = [const { AtomicUsize::new(0) }; PATTERNS];

#[expect(unsafe_code, reason = "an allocator is, and nothing else sees what is given back")]
// SAFETY: every call goes on to the system's allocator as it came; a block is read before it is given back, and all of it
// was handed out zeroed, so that there is nothing in it that was never written.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if WATCHED.load(SeqCst) > 0 {
            look_into(unsafe { std::slice::from_raw_parts(block, layout.size()) });
        }
        unsafe { System.dealloc(block, layout) }
    }
}

/// Must not allocate, nor have a secret on the stack: what is left of it there is found in the next value with unused room
/// that is made in the same place and moved into a block.
fn look_into(block: &[u8]) {
    for (secret, found) in SECRETS.iter().zip(&FOUND).take(WATCHED.load(SeqCst)) {
        let is_here = |at: usize| {
            let mut here = block[at..].iter().zip(secret);
            block.len() - at >= PATTERN && here.all(|(octet, cell)| *octet == cell.load(SeqCst))
        };
        if memchr::memchr_iter(secret[0].load(SeqCst), block).any(is_here) {
            found.fetch_add(1, SeqCst);
        }
    }
}

/// Which of the secrets lie in blocks that the work gives back.
fn left_behind(secrets: &[&[u8]], work: impl FnOnce()) -> Vec<usize> {
    for (cells, secret) in SECRETS.iter().zip(secrets) {
        cells.iter().zip(*secret).for_each(|(cell, octet)| cell.store(*octet, SeqCst));
    }
    FOUND.iter().for_each(|found| found.store(0, SeqCst));
    WATCHED.store(secrets.len(), SeqCst);
    work();
    WATCHED.store(0, SeqCst);
    FOUND.iter().take(secrets.len()).map(|found| found.load(SeqCst)).collect()
}

fn seed(number: u8) -> Seed {
    Seed::from_bytes(&mut [number; 32])
}

struct Person {
    key: UnlockedKey,
    certificate: Certificate,
    validated: ValidatedCertificate,
}

fn person(kind: KeyType) -> Person {
    person_with(kind, 3)
}

fn person_with(kind: KeyType, number: u8) -> Person {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let root_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let subject = Subject::named("north.example");
    let validity = Validity::lasting(now, Duration::days(100));
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
    let root = self_sign(&root_key, &profile, seed(2)).unwrap();
    let key = UnlockedKey::generate(kind, seed(number)).unwrap();
    let addresses = [Address::parse("anna@north.example").unwrap()];
    let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
    let certificate = Authority::new(&root, &root_key).unwrap().issue(&key.public(), &user, seed(4)).unwrap();
    let check = SealingCheck::by_itself(&[], now, MINIMUM_RSA_BITS);
    let validated = ValidatedCertificate::for_sealing(&certificate, &check).unwrap();
    Person { key, certificate, validated }
}

impl Person {
    fn opening(&self) -> OpeningKey<'_> {
        OpeningKey { key: &self.key, certificate: Some(&self.certificate) }
    }
}

const SECRET: &[u8] = b"xyzzy-plugh-4711 is the password";
const SUBJECT: &[u8] = b"plover-hollow-voice is the subject";
/// Of octets that differ: who searches for one octet, be it a tab, has it many times beside itself on the stack.
const SEALING: [u8; 32] = *b"the seed that sealing comes from";
const LINES: usize = 600;

/// With a subject of its own, which stays outside unless it is hidden.
fn message() -> Vec<u8> {
    let secret = String::from_utf8_lossy(SECRET);
    let subject = String::from_utf8_lossy(SUBJECT);
    format!("From: a@b\nSubject: {subject}\n\n{}", format!("{secret}\n").repeat(LINES)).into_bytes()
}

fn job<'a>(message: &'a [u8], person: &'a Person, profile: Profile, headers: HeaderPolicy) -> SealJob<'a> {
    let mark = Mark { at: OffsetDateTime::UNIX_EPOCH, rule: None, marked: Vec::new(), edited: Vec::new() };
    let form = Form { profile, headers, ..Form::default() };
    let recipients = std::slice::from_ref(&person.validated);
    SealJob { message, recipients, form, mark, seed: Seed::from_bytes(&mut { SEALING }) }
}

fn seal(message: &[u8], person: &Person, profile: Profile, headers: HeaderPolicy) -> Vec<u8> {
    seal_many(vec![job(message, person, profile, headers)]).remove(0).unwrap().bytes().to_vec()
}

/// The content key is what the message's own generator gives first. Found out on a stack of its own, which is gone before
/// anything is watched.
fn content_key() -> Vec<u8> {
    let draw = || {
        let mut key = vec![0; 32];
        StdRng::from_seed(SEALING).fill_bytes(&mut key);
        key
    };
    std::thread::spawn(draw).join().unwrap()
}

fn enveloped(sealed: &[u8]) -> Enveloped {
    match Input::of(sealed).examine().unwrap() {
        Protection::Encrypted(enveloped) => *enveloped,
        other => panic!("{other:?}"),
    }
}

/// The secret that both sides of a P-256 agreement come to, and the key-encryption key made of it.
fn agreed(sealed: &[u8], person: &Person) -> (Vec<u8>, [u8; 32]) {
    use p256::pkcs8::DecodePrivateKey;
    let private = p256::SecretKey::from_pkcs8_der(person.key.to_pkcs8().unwrap().expose()).unwrap();
    let enveloped = enveloped(sealed);
    let Some(agreement) = &enveloped.recipients[0].agreement else { panic!("a key agreement") };
    let Originator::Key(ephemeral) = &agreement.originator else { panic!("an ephemeral key") };
    let point = p256::PublicKey::from_sec1_bytes(&ephemeral.public_key).unwrap();
    let secret = p256::ecdh::diffie_hellman(private.to_nonzero_scalar(), point.as_affine());
    let secret = secret.raw_secret_bytes().to_vec();
    let key_info = [0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2d];
    let shared_info = [&[0x30, 0x15][..], &key_info, &[0xa2, 6, 4, 4, 0, 0, 1, 0]].concat();
    let key = Sha256::digest([&secret[..], &[0, 0, 0, 1], &shared_info].concat()).into();
    (secret, key)
}

/// With a bit of the last line of base64 changed.
fn damaged(sealed: &[u8]) -> Vec<u8> {
    let mut damaged = sealed.to_vec();
    let at = damaged.len() - 20;
    damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
    damaged
}

/// The message in a buffer that can be given away.
fn owned(message: &[u8]) -> SecretBytes {
    SecretBytes::new(message.to_vec())
}

/// Everything that is done with a message, good and bad.
fn go_through(message: &[u8], person: &Person, stranger: &Person, profile: Profile, headers: HeaderPolicy) {
    let sealed = seal(message, person, profile, headers);
    let keys = [person.opening()];
    assert!(open(&sealed, &keys).is_ok());
    assert!(open_raw(&sealed, &keys).is_ok());
    let to = std::slice::from_ref(&person.validated);
    assert!(rekey(owned(&sealed), &keys, to, Naming::Certificate, seed(8)).is_ok());
    let wrong = OpeningKey { key: &stranger.key, certificate: Some(&person.certificate) };
    let broken = damaged(&sealed);
    for (sealed, key) in [(&broken, person.opening()), (&sealed, wrong)] {
        let key = [key];
        assert!(open(sealed, &key).is_err());
        assert!(rekey(owned(sealed), &key, to, Naming::Certificate, seed(8)).is_err());
    }
}

const KINDS: [(KeyType, Profile); 6] = [
    (KeyType::Rsa2048, Profile::Compatible),
    (KeyType::Rsa2048, Profile::Modern),
    (KeyType::EcP256, Profile::Compatible),
    (KeyType::EcP521, Profile::Modern),
    (KeyType::X25519, Profile::Modern),
    (KeyType::MlKem768, Profile::PostQuantum),
];

/// The clear text, the content key, and what leads to it, in no block that is given back.
#[test]
fn nothing_secret_is_left_in_memory_that_is_given_back() {
    let message = message();
    for (kind, profile) in KINDS {
        let (person, stranger) = (person_with(kind, 3), person_with(kind, 33));
        for headers in HeaderPolicy::ALL {
            let key = content_key();
            let hidden = if headers == HeaderPolicy::Keep { SECRET } else { SUBJECT };
            let left = left_behind(&[SECRET, &key, hidden, &SEALING], || {
                go_through(&message, &person, &stranger, profile, headers);
            });
            assert_eq!(left, [0; 4], "{kind:?} {profile:?} {headers:?}: body, content key, subject, seed");
        }
    }
}

/// Side by side on other threads, where jobs are moved about.
#[test]
fn many_messages_at_once_leave_nothing_either() {
    let (message, person, key) = (message(), person(KeyType::EcP256), content_key());
    let left = left_behind(&[SECRET, &key, &SEALING], || {
        let jobs = (0..16).map(|_| job(&message, &person, Profile::Compatible, HeaderPolicy::Keep)).collect();
        assert_eq!(seal_many(jobs).iter().filter(|outcome| outcome.is_ok()).count(), 16);
    });
    assert_eq!(left, [0; 3], "clear text, content key, seed");
}

#[test]
fn shared_secrets_and_key_encryption_keys_are_wiped() {
    let (person, message) = (person(KeyType::EcP256), message());
    let sealed = seal(&message, &person, Profile::Compatible, HeaderPolicy::Keep);
    let (secret, key) = agreed(&sealed, &person);
    let left = left_behind(&[&secret, &key], || {
        seal(&message, &person, Profile::Compatible, HeaderPolicy::Keep);
        assert!(open(&sealed, &[person.opening()]).is_ok());
    });
    assert_eq!(left, [0, 0], "shared secret, key-encryption key");
}

#[test]
fn private_keys_are_wiped() {
    for kind in [KeyType::EcP256, KeyType::EcP384, KeyType::X25519, KeyType::MlKem768] {
        let pkcs8 = person(kind).key.to_pkcs8().unwrap();
        // The private octets: near the end of X25519 and ML-KEM seeds, in the middle of an ECPrivateKey.
        let octets = pkcs8.expose();
        let at = match kind {
            KeyType::EcP256 | KeyType::EcP384 => 36,
            _ => octets.len() - PATTERN,
        };
        let secret = octets[at..at + PATTERN].to_vec();
        let left = left_behind(&[&secret], || {
            let key = UnlockedKey::from_pkcs8(octets).unwrap();
            key.test().unwrap();
            drop(key.to_pkcs8().unwrap());
        });
        assert_eq!(left, [0], "{kind:?}");
    }
}

/// Somebody hands over clear text by mistake.
#[test]
fn what_cannot_be_rekeyed_is_wiped() {
    let (message, person) = (message(), person(KeyType::EcP256));
    let to = std::slice::from_ref(&person.validated);
    for message in [message.clone(), [b"MIME-Version: 1.0\n", &message[..]].concat()] {
        let left = left_behind(&[SECRET], || {
            let outcome = rekey(owned(&message), &[person.opening()], to, Naming::Certificate, seed(8));
            assert!(outcome.is_err());
        });
        assert_eq!(left, [0]);
    }
}

/// Filters are asked and commands are run over such a message, and mails are made from it.
#[test]
fn an_edited_message_is_wiped() {
    let (message, mut edits) = (message(), HeaderEdits::default());
    edits.add(HeaderLine::parse("X-Team: 7").unwrap());
    edits.tag("[pay]");
    let left = left_behind(&[SECRET, SUBJECT], || {
        let edited = edits.apply(&Message::new(&message));
        assert!(edited.starts_with(b"X-Team: 7\n") && edited.len() > message.len());
    });
    assert_eq!(left, [0, 0]);
}

/// The watch itself: it sees what is not wiped.
#[test]
fn what_is_not_wiped_is_found() {
    let left = left_behind(&[SECRET], || drop([b"before ", SECRET].concat()));
    assert_eq!(left, [1]);
    let mut grown = SECRET.to_vec();
    let left = left_behind(&[SECRET], || grown.reserve(4096));
    assert_eq!(left, [1], "the old block of a buffer that grew");
}
