//! What it takes to read rules, and to judge by them as far as the first condition. `cargo bench --bench rules`
//!
//! What rules cost beside sealing says `--bench ratios`, how that grows `--bench growth`.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark stops where its setup fails; criterion makes undocumented items"
)]

mod sample;

use criterion::{Criterion, criterion_group, criterion_main};
use sample::rules::{Asked, envelope, judge, program, travelled};
use std::hint::black_box;

/// Of the message that is judged.
const SIZE: usize = 75 << 10;

/// So many rules has the table of ratios.
const RULES: usize = 100;

/// What the conditions behind the first cost.
fn judging(criterion: &mut Criterion) {
    let (mail, envelope) = (travelled(SIZE), envelope());
    let mut group = criterion.benchmark_group("judge by 100 rules");
    for (name, asked) in [("all conditions", Asked::All), ("the first", Asked::First)] {
        let program = program(RULES, asked);
        group.bench_function(name, |bench| bench.iter(|| black_box(judge(&program, &mail, &envelope))));
    }
    group.finish();
}

/// Once for each process, or each change of them.
fn compile(criterion: &mut Criterion) {
    criterion
        .bench_function("compile 100 rules", |bench| bench.iter(|| black_box(program(RULES, Asked::All))));
}

criterion_group!(benches, judging, compile);
criterion_main!(benches);
