//! What sealing and opening cost by size, profile and kind of key. `cargo bench --bench seal`
//!
//! What others take for the same says `--bench ratios`.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark stops where its setup fails; criterion makes undocumented items"
)]

mod sample;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sample::{Holder, holder, message, seal};
use sealpost::crypto::Profile;
use sealpost::pki::KeyType;
use sealpost::smime::open;
use std::hint::black_box;

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

/// Somebody with each kind of key that can be made.
fn holders() -> Vec<Holder> {
    KeyType::all().filter(|(kind, ..)| kind.encrypts()).map(|(kind, _, _)| holder(kind)).collect()
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

criterion_group!(all, sizes, kinds);
criterion_main!(all);
