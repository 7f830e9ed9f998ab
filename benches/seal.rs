//! What sealing, opening and rekeying cost, by size, profile and kind of key. `cargo bench --bench seal`

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark stops where its setup fails; criterion makes undocumented items"
)]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mail_builder::MessageBuilder;
use sealpost::crypto::{Profile, Seed};
use sealpost::mail::Address;
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, MINIMUM_RSA_BITS, Reads, SealingCheck, Subject,
    UnlockedKey, UserProfile, ValidatedCertificate, Validity, self_sign,
};
use sealpost::smime::{Mark, Naming, OpeningKey, SealError, SealJob, Sealed, open, rekey, seal_many};
use std::hint::black_box;
use time::{Duration, OffsetDateTime};

/// About so many bytes has the message.
const SIZES: [usize; 3] = [4 << 10, 75 << 10, 1 << 20];

/// Of a small message the key exchange is most of the work.
const SMALL: usize = SIZES[0];

/// The profiles, each with a kind of key that it serves: the first one of the table that makes keys.
fn profiles(holders: &[Holder]) -> impl Iterator<Item = (Profile, &Holder)> {
    let served = |profile| holders.iter().find(move |holder| seal(b"", holder, profile).is_ok());
    Profile::ALL
        .into_iter()
        .filter(|profile| *profile != Profile::Auto)
        .filter_map(move |profile| Some((profile, served(profile)?)))
}

struct Holder {
    kind: KeyType,
    key: UnlockedKey,
    certificate: Certificate,
    recipients: Vec<ValidatedCertificate>,
}

fn seed(first: u8) -> Seed {
    Seed::from_bytes(&mut [first; 32])
}

/// Somebody with each kind of key that can be made.
fn holders() -> Vec<Holder> {
    KeyType::all().filter(|(kind, ..)| kind.encrypts()).map(|(kind, _, _)| holder(kind)).collect()
}

fn holder(kind: KeyType) -> Holder {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let validity = Validity::lasting(now, Duration::days(100));
    let authority_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).expect("a key");
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &["north.example".into()], validity };
    let authority = self_sign(&authority_key, &profile, seed(2)).expect("an authority");
    let key = UnlockedKey::generate(kind, seed(3)).expect("a key");
    let addresses = [Address::parse("anna@north.example").expect("an address")];
    let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
    let issuer = Authority::new(&authority, &authority_key).expect("an issuer");
    let certificate = issuer.issue(&key.public(), &user, seed(4)).expect("a certificate");
    let check = SealingCheck::by_itself(&addresses, now, MINIMUM_RSA_BITS);
    let recipients =
        vec![ValidatedCertificate::for_sealing(&certificate, &check).expect("a fit certificate")];
    Holder { kind, key, certificate, recipients }
}

/// Text, HTML and an attachment that fills it up, as a mail program would write it.
fn message(size: usize) -> Vec<u8> {
    let line = "The quick brown fox jumps over the lazy dog, and the dog seals its mail at night.\n";
    let text = line.repeat(1 + size / 8 / line.len());
    let attachment: Vec<u8> =
        (0u32..).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).take(size / 2).collect();
    MessageBuilder::new()
        .from(("Bo Ek", "bo@north.example"))
        .to(("Anna Lind", "anna@north.example"))
        .subject("A bench")
        .date(1_700_000_000_i64)
        .message_id("bench@north.example")
        .text_body(text.as_str())
        .html_body(format!("<p>{text}</p>"))
        .attachment("application/octet-stream", "bench.bin", attachment)
        .write_to_vec()
        .expect("a message")
}

impl Holder {
    fn keys(&self) -> [OpeningKey<'_>; 1] {
        [OpeningKey { key: &self.key, certificate: Some(&self.certificate) }]
    }
}

fn seal(message: &[u8], holder: &Holder, profile: Profile) -> Result<Sealed, SealError> {
    let at = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let mark = Mark { at, rule: Some("bench"), marked: Vec::new(), edited: Vec::new() };
    let job = SealJob { message, recipients: &holder.recipients, form: profile.into(), mark, seed: seed(9) };
    seal_many(vec![job]).remove(0)
}

/// By size, under each profile.
fn sizes(criterion: &mut Criterion) {
    let holders = holders();
    for (profile, holder) in profiles(&holders) {
        let mut group = criterion.benchmark_group(profile.name());
        for size in SIZES {
            let message = message(size);
            group.throughput(Throughput::Bytes(message.len() as u64));
            group.bench_function(BenchmarkId::new("seal", size), |bench| {
                bench.iter(|| black_box(seal(&message, holder, profile).expect("it is served")));
            });
            let sealed = seal(&message, holder, profile).expect("it is served");
            group.bench_function(BenchmarkId::new("open", size), |bench| {
                bench.iter(|| black_box(open(sealed.bytes(), &holder.keys()).expect("it opens")));
            });
        }
        group.finish();
    }
}

/// A small message by kind of key, under each profile that serves it.
fn kinds(criterion: &mut Criterion) {
    let holders = holders();
    let message = message(SMALL);
    for holder in &holders {
        let mut group = criterion.benchmark_group(holder.kind.name());
        for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Auto) {
            let Ok(sealed) = seal(&message, holder, profile) else { continue };
            group.bench_function(BenchmarkId::new("seal", profile.name()), |bench| {
                bench.iter(|| black_box(seal(&message, holder, profile).expect("it is served")));
            });
            group.bench_function(BenchmarkId::new("open", profile.name()), |bench| {
                bench.iter(|| black_box(open(sealed.bytes(), &holder.keys()).expect("it opens")));
            });
        }
        group.finish();
    }
}

/// Handing a message to other recipients, against opening it and sealing it again.
fn rekeying(criterion: &mut Criterion) {
    const SIZE: usize = 1 << 20;
    let holders = holders();
    let message = message(SIZE);
    let mut group = criterion.benchmark_group("rekey");
    group.throughput(Throughput::Bytes(message.len() as u64));
    for (profile, holder) in profiles(&holders) {
        let sealed = seal(&message, holder, profile).expect("it is served");
        let (bytes, keys, to) = (sealed.bytes(), holder.keys(), &holder.recipients);
        group.bench_function(BenchmarkId::new("rekey", profile.name()), |bench| {
            bench
                .iter(|| black_box(rekey(bytes, &keys, to, Naming::Certificate, seed(8)).expect("it opens")));
        });
        group.bench_function(BenchmarkId::new("open and seal", profile.name()), |bench| {
            bench.iter(|| {
                let opened = open(bytes, &keys).expect("it opens");
                black_box(seal(opened.message.expose(), holder, profile).expect("it is served"))
            });
        });
    }
    group.finish();
}

criterion_group!(all, sizes, kinds, rekeying);
criterion_main!(all);
