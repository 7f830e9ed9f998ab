//! What rules cost beside the sealing that they ask for, and how that grows. `cargo bench --bench rules`

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark stops where its setup fails; criterion makes undocumented items"
)]

mod sample;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use sample::{holder, message, seal};
use sealpost::crypto::Profile;
use sealpost::mail::{HeaderEdits, Message};
use sealpost::pki::KeyType;
use sealpost::rules::{Envelope, Evaluation, Facts, Input, Program, Progress, RuleSet, ScopeKind, Source};
use std::fmt::Write;
use std::hint::black_box;

/// Of the message that is judged.
const SIZE: usize = 75 << 10;

/// So many rules has the table of ratios.
const RULES: usize = 100;

/// Rules of three conditions. All three are asked of each (the last decides, and does not hold) unless the first is made
/// to decide.
fn program(rules: usize, all_are_asked: Asked) -> Program {
    let mut text = String::new();
    for at in 0..rules {
        let from = match all_are_asked {
            Asked::All => format!(r#"["From", "not in", ["*@list{at}.example", "robot{at}@south.example"]]"#),
            Asked::First => format!(r#"["From", "in", ["*@list{at}.example", "robot{at}@south.example"]]"#),
        };
        let rule = format!(
            "[[rule]]\nname = \"{at}\"\npriority = {}\nwhen = [{from}, [\"Subject\", \"is not\", \"*invoice {at}*\"], \
             [\"Header Field\", \"is\", \"List-Id: *list{at}.example*\"]]\nthen = [[\"Store Encrypted in\", \"Box\"]]\n",
            1 + at % 10
        );
        text.write_str(&rule).expect("a text grows");
    }
    let set = RuleSet::from_toml("bench.toml", &text, ScopeKind::Account).expect("right rules");
    Program::new(vec![(ScopeKind::Account, set)])
}

#[derive(Clone, Copy)]
enum Asked {
    All,
    First,
}

/// From bytes to a verdict, as a delivery does it.
fn judge(program: &Program, mail: &[u8], envelope: &Envelope) -> Progress {
    let (message, facts, edits) = (Message::new(mail), Facts::default(), HeaderEdits::default());
    Evaluation::new(program, Input { message: &message, envelope, facts: &facts, edits: &edits }).run()
}

fn envelope() -> Envelope {
    Envelope {
        sender: Some("bo@north.example".into()),
        recipients: vec!["anna@north.example".into()],
        source: Source::Pipe,
        client: None,
    }
}

/// The fields that a message has after a few servers, in front of what its author wrote.
fn travelled(size: usize) -> Vec<u8> {
    let mut mail = String::from("Return-Path: <bo@north.example>\r\nDelivered-To: anna@north.example\r\n");
    for hop in 0..6 {
        let line = format!(
            "Received: from mx{hop}.north.example (mx{hop}.north.example [192.0.2.{hop}])\r\n\tby mx.south.example (Postfix) with ESMTPS id 4ABC{hop}\r\n\tfor <anna@north.example>; Thu, 26 Nov 2026 10:00:0{hop} +0100 (CET)\r\n"
        );
        mail.push_str(&line);
    }
    mail.push_str("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=north.example; s=mail;\r\n\th=from:to:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR\r\n");
    mail.push_str("X-Spam-Status: No, score=-2.1 required=5.0\r\nUser-Agent: Mozilla Thunderbird\r\n");
    [mail.into_bytes(), message(size)].concat()
}

/// A hundred rules beside the sealing of the same message: to be at most a twentieth of it.
fn share(criterion: &mut Criterion) {
    let (mail, envelope, holder) = (travelled(SIZE), envelope(), holder(KeyType::Rsa2048));
    let mut group = criterion.benchmark_group("rules beside sealing");
    for (name, asked) in [("100 rules, all conditions", Asked::All), ("100 rules, the first", Asked::First)] {
        let program = program(RULES, asked);
        group.bench_function(name, |bench| bench.iter(|| black_box(judge(&program, &mail, &envelope))));
    }
    group.bench_function("seal", |bench| {
        bench.iter(|| black_box(seal(&mail, &holder, Profile::Compatible).expect("it is served")));
    });
    group.finish();
}

/// By the number of rules: a straight line.
fn growth(criterion: &mut Criterion) {
    let (mail, envelope) = (travelled(SIZE), envelope());
    let mut group = criterion.benchmark_group("rules by number");
    for rules in [1, 10, 100, 1000] {
        let program = program(rules, Asked::All);
        group.bench_function(BenchmarkId::from_parameter(rules), |bench| {
            bench.iter(|| black_box(judge(&program, &mail, &envelope)));
        });
    }
    group.finish();
}

/// What it takes to read rules: once for each process, or each change of them.
fn compile(criterion: &mut Criterion) {
    criterion
        .bench_function("compile 100 rules", |bench| bench.iter(|| black_box(program(RULES, Asked::All))));
}

criterion_group!(benches, share, growth, compile);
criterion_main!(benches);
