//! Condition × operator × situation: each cell has a fixture. A fixture names its situations in `covers` (expect.toml);
//! they hold for each of its rules that asks one condition alone.

use super::{entries, expected, run, text};
use sealpost::rules::CONDITIONS;
use std::collections::BTreeSet;
use toml::Value;

const ALL: &[&str] = &["present", "absent", "several", "folded", "encoded", "malformed"];

/// What may become of the value that a condition looks at. An envelope and a clock are not folded, and what is malformed
/// in a rule is in `rules-bad`.
fn situations(condition: &str) -> &'static [&'static str] {
    match condition {
        "From" | "Sender" | "To" | "Cc" | "Reply-To" | "Any To or Cc" | "Each To or Cc" | "'From' Name"
        | "Subject" | "Message-ID" | "Header Field" | "Human Generated" | "Security" => ALL,
        "Return-Path" => &["present", "absent", "empty"],
        "Any Recipient" | "Each Recipient" => &["present", "several"],
        "Any Route" | "Each Route" | "Existing Mailbox" | "Preference" => &["present", "absent", "several"],
        "Message Size" | "Submit Address" => &["present", "absent"],
        "Source" | "Time Of Day" | "Current Date" | "Current Day" => &["present"],
        other => panic!("\"{other}\" is in no row of this table: which situations does it know?"),
    }
}

/// One rule of a fixture that asks one condition.
struct Asked {
    word: String,
    operator: String,
    covers: Vec<String>,
    holds: bool,
}

fn asked() -> Vec<Asked> {
    let mut asked = Vec::new();
    for folder in entries("fixtures/rules") {
        let expected = expected(&folder);
        if expected.covers.is_empty() {
            continue;
        }
        let matched = run(&folder).matches;
        let rules: toml::Table = toml::from_str(&text(&folder.join("rule.toml"))).unwrap();
        for rule in rules["rule"].as_array().unwrap() {
            let [Value::Array(condition)] = rule["when"].as_array().unwrap().as_slice() else { continue };
            let word = |at: usize| condition.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
            let holds = matched.iter().any(|name| Some(name.as_str()) == rule["name"].as_str());
            asked.push(Asked { word: word(0), operator: word(1), covers: expected.covers.clone(), holds });
        }
    }
    asked
}

/// Each condition with each of its operators; one that has none is asked without.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    CONDITIONS.iter().flat_map(|word| {
        let operators: Vec<_> = word.operators.iter().map(|operator| operator.name()).collect();
        let operators = if operators.is_empty() { vec![""] } else { operators };
        operators.into_iter().map(|operator| (word.name, operator))
    })
}

#[test]
fn each_condition_has_each_operator_in_each_situation() {
    let asked = asked();
    let covered: BTreeSet<_> = asked
        .iter()
        .flat_map(|asked| asked.covers.iter().map(|situation| (&*asked.word, &*asked.operator, &**situation)))
        .collect();
    let cells =
        pairs().flat_map(|(word, operator)| situations(word).iter().map(move |at| (word, operator, *at)));
    let missing: Vec<_> = cells.filter(|cell| !covered.contains(cell)).collect();
    assert_eq!(missing, [], "cells without a fixture: (condition, operator, situation)");
}

#[test]
fn each_condition_holds_and_does_not_with_each_operator() {
    let asked = asked();
    let seen: BTreeSet<_> = asked.iter().map(|asked| (&*asked.word, &*asked.operator, asked.holds)).collect();
    let cells = pairs().flat_map(|(word, operator)| [(word, operator, true), (word, operator, false)]);
    let missing: Vec<_> = cells.filter(|cell| !seen.contains(cell)).collect();
    assert_eq!(missing, [], "never seen: (condition, operator, holds)");
}

#[test]
fn each_situation_is_one_that_its_conditions_know() {
    let unknown = |asked: &Asked| {
        let known = situations(&asked.word);
        asked.covers.iter().any(|situation| !known.contains(&situation.as_str()))
    };
    let wrong: Vec<_> =
        asked().iter().filter(|asked| unknown(asked)).map(|asked| asked.word.clone()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}
