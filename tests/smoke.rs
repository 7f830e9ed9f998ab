//! Damaged input for every parser of foreign bytes: no panic, no wild time, and what was sealed opens to what came in.
//! The default is short and always the same; `SEALPOST_SMOKE=SECONDS` goes on for that long with other damage.

mod containers;
mod damage;
mod requests;
mod seeds;
mod subject;

use damage::Damage;
use nix::time::{ClockId, clock_gettime};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use subject::{SUBJECTS, World};

/// Damaged inputs of each subject in the short run.
const SHORT: u64 = 150;
/// No input here is large: more work than this means that time grows faster than size. By the processor's clock: what else the
/// machine does is no fault of an input.
const LONGEST: Duration = Duration::from_secs(5);

/// How long the processor worked for this thread.
fn worked() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

#[test]
fn damaged_input_does_no_damage() {
    let world = World::new();
    let long = std::env::var("SEALPOST_SMOKE").ok().map(|seconds| seconds.parse().expect("seconds"));
    let end = long.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let seed = end.map_or(1, |_| std::process::id().into());
    let mut slowest = vec![Duration::ZERO; SUBJECTS.len()];
    let mut round = 0;
    while end.map_or(round < SHORT, |end| Instant::now() < end) {
        for (subject, slowest) in SUBJECTS.iter().zip(&mut slowest) {
            let mut damage = Damage::new(seed << 32 | round);
            let input = damage.apply(world.samples(subject.samples));
            let begin = worked();
            let ended = catch_unwind(AssertUnwindSafe(|| (subject.take)(&world, &input)));
            let took = worked() - begin;
            if ended.is_err() || took > LONGEST {
                let file = std::env::temp_dir().join(format!("sealpost-smoke-{}", subject.name));
                std::fs::write(&file, &input).unwrap();
                panic!("{}, seed {seed}, round {round}, {took:?}: {}", subject.name, file.display());
            }
            *slowest = took.max(*slowest);
        }
        round += 1;
    }
    if end.is_some() {
        SUBJECTS.iter().zip(slowest).for_each(|(subject, took)| println!("{:<16} {took:?}", subject.name));
        println!("{round} rounds");
    }
}
