//! Many messages at once: all are sealed before any is dropped, on every side.

use super::one::{OURS, people};
use super::race;
use crate::measure::record::{Row, Target};
use crate::measure::{Plan, Side};
use crate::peers::crates::{self, Crates};
use crate::peers::openssl::{ALONE, BEST, OpenSsl, header_of};
use crate::sample::{everybody, job, message_of, seal_to};
use rayon::{ThreadPool, ThreadPoolBuilder};
use sealpost::crypto::Profile;
use sealpost::pki::ValidatedCertificate;
use sealpost::smime::seal_many;
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

pub(crate) fn small(name: &'static str) -> Row {
    a_core(name, Target::times(2.0, 12.0), &vec![message_of(4 << 10); 512])
}

pub(crate) fn middle(name: &'static str) -> Row {
    a_core(name, Target::times(5.0, 12.0), &vec![message_of(75 << 10); 512])
}

pub(crate) fn mixed(name: &'static str) -> Row {
    a_core(name, Target::times(5.0, 8.0), &log_uniform(128, 2 << 10, 800 << 10))
}

/// Sizes whose logarithms are spread evenly, in an order of no order.
fn log_uniform(count: usize, least: usize, most: usize) -> Vec<Vec<u8>> {
    let (low, high) = ((least as f64).ln(), (most as f64).ln());
    let size = |at: usize| (low + (high - low) * at as f64 / (count - 1) as f64).exp() as usize;
    // A step that has no divisor in common with the count visits each once.
    (0..count).map(|at| message_of(size(at * 37 % count))).collect()
}

/// One thread seals all of them.
fn a_core(name: &'static str, target: Target, messages: &[Vec<u8>]) -> Row {
    let people = people(1);
    let (ours, all) = (everybody(&people), people.iter().collect::<Vec<_>>());
    let (openssl, mut crates, pool) = (OpenSsl::cbc(&all), Crates::new(&all), this_thread());
    let first = messages.first().expect("a message");
    let sealed = seal_to(first, &ours, Profile::Compatible).expect("it seals");
    let header = header_of(sealed.bytes());
    race(
        name,
        target,
        Plan { budget: Duration::from_secs(10), ..Plan::LONG },
        messages.len(),
        &mut [
            Side::new(OURS, || seal_all(pool, messages, &ours)),
            Side::new(ALONE, || drop(black_box(each(messages, |message| openssl.seal(message))))),
            Side::new(BEST, || {
                drop(black_box(each(messages, |message| openssl.seal_with_encodify(message, header))));
            }),
            Side::new(crates::NAME, || {
                drop(black_box(each(messages, |message| crates.seal(message, header))))
            }),
        ],
    )
}

fn each(messages: &[Vec<u8>], mut seal: impl FnMut(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    messages.iter().map(|message| seal(message)).collect()
}

/// With the seeds that are drawn before, and all that was made given back after.
fn seal_all(pool: &ThreadPool, messages: &[Vec<u8>], to: &[ValidatedCertificate]) {
    pool.install(|| {
        let jobs = messages.iter().map(|message| job(message, to, Profile::Compatible)).collect();
        let sealed = black_box(seal_many(jobs));
        assert!(sealed.len() == messages.len() && sealed.iter().all(Result::is_ok));
    });
}

/// A pool of the caller's thread alone: the peers work on it too, and each thread has a heap of its own.
fn this_thread() -> &'static ThreadPool {
    static POOL: OnceLock<ThreadPool> = OnceLock::new();
    POOL.get_or_init(|| {
        ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().expect("the thread")
    })
}
