//! What sealing, opening and rekeying cost, by size and profile. `cargo bench --bench seal`

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
use sealpost::smime::{Mark, Naming, OpeningKey, SealJob, Sealed, open, rekey, seal_many};
use std::hint::black_box;
use time::{Duration, OffsetDateTime};

/// About so many bytes has the message.
const SIZES: [usize; 3] = [4 << 10, 75 << 10, 1 << 20];

/// Those that serve an RSA key.
const PROFILES: [Profile; 2] = [Profile::Compatible, Profile::Modern];

struct Holder {
    key: UnlockedKey,
    certificate: Certificate,
    recipients: Vec<ValidatedCertificate>,
}

fn seed(first: u8) -> Seed {
    Seed::from_bytes(&mut [first; 32])
}

fn holder() -> Holder {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let validity = Validity::lasting(now, Duration::days(100));
    let authority_key = UnlockedKey::generate(KeyType::EcP256, seed(1)).expect("a key");
    let subject = Subject::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &["north.example".into()], validity };
    let authority = self_sign(&authority_key, &profile, seed(2)).expect("an authority");
    let key = UnlockedKey::generate(KeyType::Rsa2048, seed(3)).expect("a key");
    let addresses = [Address::parse("anna@north.example").expect("an address")];
    let user = UserProfile { common_name: "Anna", addresses: &addresses, validity, reads: Reads::Cbc };
    let issuer = Authority::new(&authority, &authority_key).expect("an issuer");
    let certificate = issuer.issue(&key.public(), &user, seed(4)).expect("a certificate");
    let check = SealingCheck {
        addresses: &addresses,
        at: now,
        minimum_rsa_bits: MINIMUM_RSA_BITS,
        anchors: None,
        intermediates: &[],
        allow_expired: false,
        allow_not_yet_valid: false,
    };
    let recipients =
        vec![ValidatedCertificate::for_sealing(&certificate, &check).expect("a fit certificate")];
    Holder { key, certificate, recipients }
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

fn seal(message: &[u8], holder: &Holder, profile: Profile) -> Sealed {
    let at = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let mark = Mark { at, rule: Some("bench") };
    let job = SealJob { message, recipients: &holder.recipients, form: profile.into(), mark, seed: seed(9) };
    seal_many(vec![job]).remove(0).expect("a sealed message")
}

fn benches(criterion: &mut Criterion) {
    let holder = holder();
    for profile in PROFILES {
        let mut group = criterion.benchmark_group(profile.name());
        for size in SIZES {
            let message = message(size);
            group.throughput(Throughput::Bytes(message.len() as u64));
            group.bench_function(BenchmarkId::new("seal", size), |bench| {
                bench.iter(|| black_box(seal(&message, &holder, profile)));
            });
            let sealed = seal(&message, &holder, profile);
            let keys = [OpeningKey { key: &holder.key, certificate: Some(&holder.certificate) }];
            group.bench_function(BenchmarkId::new("open", size), |bench| {
                bench.iter(|| black_box(open(sealed.bytes(), &keys).expect("it opens")));
            });
        }
        group.finish();
    }
}

/// Handing a message to other recipients, against opening it and sealing it again.
fn rekey_benches(criterion: &mut Criterion) {
    const SIZE: usize = 1 << 20;
    let holder = holder();
    let keys = [OpeningKey { key: &holder.key, certificate: Some(&holder.certificate) }];
    let message = message(SIZE);
    let mut group = criterion.benchmark_group("rekey");
    group.throughput(Throughput::Bytes(message.len() as u64));
    for profile in PROFILES {
        let sealed = seal(&message, &holder, profile);
        group.bench_function(BenchmarkId::new("rekey", profile.name()), |bench| {
            bench.iter(|| {
                black_box(
                    rekey(sealed.bytes(), &keys, &holder.recipients, Naming::Certificate, seed(8))
                        .expect("it opens"),
                )
            });
        });
        group.bench_function(BenchmarkId::new("open and seal", profile.name()), |bench| {
            bench.iter(|| {
                let opened = open(sealed.bytes(), &keys).expect("it opens");
                black_box(seal(opened.message.expose(), &holder, profile))
            });
        });
    }
    group.finish();
}

criterion_group!(all, benches, rekey_benches);
criterion_main!(all);
