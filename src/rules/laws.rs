//! What holds of every evaluation, whatever the message, the envelope, the facts and the rules.

use super::evaluate::testing::{explained, verdict_of};
use super::*;
use crate::mail::{HeaderEdits, Message};
use proptest::prelude::*;
use std::collections::BTreeMap;
use time::{OffsetDateTime, UtcOffset};

/// A condition of each word with each of its operators, as it stands in a rule file.
fn conditions(scope: ScopeKind) -> Vec<String> {
    let words = CONDITIONS.iter().filter(|word| word.scopes.contains(&scope));
    words.flat_map(|word| every_way(word, scope)).collect()
}

fn every_way(word: &ConditionWord, scope: ScopeKind) -> Vec<String> {
    let with = |operator: &Operator| {
        let parameter = match (word.name, operator.takes_list()) {
            ("Time Of Day", true) => r#"["22:00-06:00", "12:00-12:01"]"#,
            ("Time Of Day", false) => "\"12:00\"",
            ("Current Date", _) => "2026-11-26",
            ("Current Day", true) => r#"["Mon", "Sun"]"#,
            ("Current Day", false) => "\"Thu\"",
            ("Message Size", _) => "\"1K\"",
            (_, true) if scope == ScopeKind::Server => r#"["*a*", "b*"]"#,
            (_, true) => r##"["*a*", "#Friends"]"##,
            (_, false) => "\"*a*\"",
        };
        format!("[\"{}\", \"{operator}\", {parameter}]", word.name)
    };
    match word.operators {
        [] => vec![format!("[\"{}\"]", word.name)],
        operators => operators.iter().map(with).collect(),
    }
}

/// One rule: its condition, its actions, its priority.
#[derive(Debug, Clone)]
struct Written {
    name: usize,
    when: String,
    then: &'static str,
    priority: u8,
}

fn program(rules: &[Written], scope: ScopeKind) -> Program {
    let write = |rule: &Written| {
        let Written { name, when, then, priority } = rule;
        format!("[[rule]]\nname = \"{name}\"\npriority = {priority}\nwhen = [{when}]\nthen = [{then}]\n")
    };
    let text: String = rules.iter().map(write).collect();
    let set = RuleSet::from_toml("f.toml", &text, scope).unwrap_or_else(|faults| panic!("{faults}"));
    Program::new(vec![(scope, set)])
}

/// A program that asks every condition that this scope has, in every way.
fn curious(scope: ScopeKind) -> Program {
    let rule = |(name, when)| Written { name, when, then: "[\"Mark\", \"Seen\"]", priority: 5 };
    program(&conditions(scope).into_iter().enumerate().map(rule).collect::<Vec<_>>(), scope)
}

/// Everything that an evaluation looks at.
#[derive(Debug, Clone)]
struct World {
    mail: Vec<u8>,
    envelope: Envelope,
    facts: Facts,
}

impl World {
    fn judge<T>(&self, program: &Program, judge: impl FnOnce(&Program, Input<'_>) -> T) -> T {
        let (message, edits) = (Message::new(&self.mail), HeaderEdits::default());
        judge(
            program,
            Input { message: &message, envelope: &self.envelope, facts: &self.facts, edits: &edits },
        )
    }
}

fn mails() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec![
        "From",
        "Sender",
        "To",
        "Cc",
        "Reply-To",
        "Subject",
        "Message-ID",
        "Content-Type",
        "Precedence",
        "X",
    ]);
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "(a@b\\.example|=\\?utf-8\\?q\\?a\\?=|[<>(),:;@\"\\\\ ]|\r\n |a){0,12}".prop_map(String::into_bytes),
    ];
    let field = (name, value).prop_map(|(name, value)| [name.as_bytes(), b": ", &value, b"\r\n"].concat());
    let body = prop::collection::vec(any::<u8>(), 0..80);
    (prop::collection::vec(field, 0..6), body)
        .prop_map(|(fields, body)| [&fields.concat(), &b"\r\n"[..], &body].concat())
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("\\PC{0,12}|a@b\\.example|[\u{0}-\u{1f}]{1,3}", 0..4)
}

/// Any moment that the type can tell, in any zone.
fn moments() -> impl Strategy<Value = OffsetDateTime> {
    let seconds = prop_oneof![-377_705_116_800_i64..=253_402_300_799, 1_700_000_000_i64..1_900_000_000];
    (seconds, -86_399..=86_399).prop_map(|(seconds, offset)| {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let offset = UtcOffset::from_whole_seconds(offset).unwrap();
        moment.checked_to_offset(offset).unwrap_or(moment)
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let pairs = prop::collection::vec(("\\PC{0,8}", "\\PC{0,8}"), 0..4);
    (texts(), texts(), pairs, texts(), moments()).prop_map(
        |(mailboxes, friends, preferences, routes, now)| Facts {
            beyond: None,
            owner_ids: Vec::new(),
            mailboxes,
            datasets: [("Friends".to_owned(), friends)].into(),
            preferences,
            routes,
            now,
        },
    )
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    let sources = vec![Source::Trusted, Source::Authenticated, Source::Lmtp, Source::Pipe];
    let client = prop::option::of("\\PC{0,12}");
    (prop::option::of("\\PC{0,12}"), texts(), prop::sample::select(sources), client)
        .prop_map(|(sender, recipients, source, client)| Envelope { sender, recipients, source, client })
}

fn worlds() -> impl Strategy<Value = World> {
    (mails(), envelopes(), facts()).prop_map(|(mail, envelope, facts)| World { mail, envelope, facts })
}

/// Actions after which nothing is different for the rules behind them.
const PEACEFUL: &[&str] = &[
    "",
    r#"["Store in", "A"]"#,
    r#"["Mark", "Seen"], ["Store Encrypted in", "B"]"#,
    r#"["Store in", "C"], ["Mark", "Flagged"]"#,
];

/// And those that end.
const ENDING: &[&str] = &[
    r#"["Store in", "D"], ["Discard"]"#,
    r#"["Reject with", "No."]"#,
    r#"["Mark", "Seen"], ["Stop Processing"]"#,
];

fn rules(actions: Vec<&'static str>) -> impl Strategy<Value = Vec<Written>> {
    let when = prop_oneof![Just(String::new()), prop::sample::select(conditions(ScopeKind::Account))];
    let rule = (when, prop::sample::select(actions), 0_u8..=10);
    prop::collection::vec(rule, 0..8).prop_map(|rules| {
        let named = rules.into_iter().enumerate();
        named.map(|(name, (when, then, priority))| Written { name, when, then, priority }).collect()
    })
}

fn shuffled(
    rules: impl Strategy<Value = Vec<Written>>,
) -> impl Strategy<Value = (Vec<Written>, Vec<Written>)> {
    rules.prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle()))
}

/// What each rule asked for, in its order.
fn by_rule(verdict: &Verdict) -> BTreeMap<&str, Vec<&Action>> {
    let mut steps = BTreeMap::<_, Vec<_>>::new();
    verdict.steps.iter().for_each(|step| steps.entry(step.rule.as_str()).or_default().push(&step.action));
    steps
}

/// The rules that asked for something, in the order in which they did, each once.
fn asking(verdict: &Verdict) -> Vec<&str> {
    let mut rules: Vec<&str> = verdict.steps.iter().map(|step| step.rule.as_str()).collect();
    rules.dedup();
    rules
}

proptest! {
    #[test]
    fn nothing_makes_it_panic_and_a_trace_changes_nothing(world in worlds()) {
        for scope in [ScopeKind::Server, ScopeKind::Domain, ScopeKind::Account] {
            let program = curious(scope);
            let verdict = world.judge(&program, verdict_of);
            let (told, trace) = world.judge(&program, explained);
            prop_assert_eq!(&told, &verdict);
            let matched = trace.rules.iter().filter(|rule| rule.outcome == Outcome::Matched).count();
            prop_assert_eq!(matched, verdict.steps.len());
            prop_assert!(!trace.to_string().is_empty());
        }
    }

    /// Each operator says the opposite of its negative one, where a condition looks at one value.
    #[test]
    fn is_not_is_the_opposite_of_is(world in worlds(), picture in "[a*@.]{0,4}") {
        for word in ["From", "Sender", "Return-Path", "'From' Name", "Subject", "Message-ID", "Header Field", "Existing Mailbox", "Security", "Source", "Submit Address", "Preference"] {
            let holds = |operator: &str, parameter: &str| {
                let when = format!("[\"{word}\", \"{operator}\", {parameter}]");
                let rule = Written { name: 0, when, then: "[\"Discard\"]", priority: 5 };
                world.judge(&program(&[rule], ScopeKind::Account), verdict_of).ending == Ending::Discard
            };
            let (one, list) = (format!("\"{picture}\""), format!("[\"{picture}\", \"#Friends\"]"));
            prop_assert_ne!(holds("is", &one), holds("is not", &one), "{}", word);
            prop_assert_ne!(holds("in", &list), holds("not in", &list), "{}", word);
        }
    }

    /// Of rules of one priority that do not end and edit nothing, another order is another order of the steps.
    #[test]
    fn peaceful_rules_of_one_priority_commute(
        world in worlds(),
        (mut forth, mut back) in shuffled(rules(PEACEFUL.to_vec())),
    ) {
        forth.iter_mut().chain(&mut back).for_each(|rule| rule.priority = 5);
        let first = world.judge(&program(&forth, ScopeKind::Account), verdict_of);
        let second = world.judge(&program(&back, ScopeKind::Account), verdict_of);
        prop_assert_eq!(by_rule(&first), by_rule(&second));
        prop_assert_eq!((&first.ending, &first.ended_by), (&second.ending, &second.ended_by));
        let place = |name: &str| back.iter().position(|rule| rule.name.to_string() == name);
        prop_assert!(asking(&second).iter().map(|name| place(name)).is_sorted());
    }

    /// Where rules of different priorities stand in the file says nothing.
    #[test]
    fn different_priorities_leave_nothing_to_the_order(
        world in worlds(),
        (forth, back) in shuffled(rules([PEACEFUL, ENDING].concat())),
    ) {
        // The name tells the priority, so that it is the same in both orders and each has its own; 0 is inactive.
        let distinct = |rules: &[Written]| -> Vec<Written> {
            let priority = |rule: &Written| u8::try_from(rule.name).unwrap();
            rules.iter().map(|rule| Written { priority: priority(rule), ..rule.clone() }).collect()
        };
        let first = world.judge(&program(&distinct(&forth), ScopeKind::Account), explained);
        let second = world.judge(&program(&distinct(&back), ScopeKind::Account), explained);
        prop_assert_eq!(first, second);
    }

    /// Rules that are inactive or behind the end of all are as if they were not there.
    #[test]
    fn what_does_not_run_changes_nothing(world in worlds(), written in rules([PEACEFUL, ENDING].concat())) {
        let whole = world.judge(&program(&written, ScopeKind::Account), explained);
        let ran = |rule: &&Written| {
            let found = whole.1.rules.iter().find(|traced| traced.rule == rule.name.to_string());
            found.is_some_and(|traced| traced.outcome == Outcome::Matched)
        };
        let rest: Vec<Written> = written.iter().filter(ran).cloned().collect();
        prop_assert_eq!(world.judge(&program(&rest, ScopeKind::Account), verdict_of), whole.0);
    }
}

/// Which facts a condition looks at, by its name.
fn needed(word: &str) -> Needs {
    let nothing = Needs::default();
    match word {
        "Security" => Needs { owner_ids: true, ..nothing },
        "Existing Mailbox" => Needs { mailboxes: true, ..nothing },
        "Preference" => Needs { preferences: true, ..nothing },
        "Any Route" | "Each Route" => Needs { routes: true, ..nothing },
        "Any Recipient" | "Each Recipient" => Needs { recipients: true, ..nothing },
        "Time Of Day" | "Current Date" | "Current Day" => Needs { now: true, ..nothing },
        _ => nothing,
    }
}

#[test]
fn a_program_needs_what_its_conditions_look_at_and_nothing_else() {
    for word in CONDITIONS {
        for scope in word.scopes {
            for when in every_way(word, *scope) {
                let mut expected = needed(word.name);
                if when.contains("#Friends") {
                    expected.datasets.insert("Friends".to_owned());
                }
                let rule = |priority| Written { name: 0, when: when.clone(), then: "", priority };
                assert_eq!(program(&[rule(5)], *scope).needs(), expected, "{when}");
                assert_eq!(program(&[rule(0)], *scope).needs(), Needs::default(), "inactive: {when}");
            }
        }
    }
    assert_eq!(program(&[], ScopeKind::Account).needs(), Needs::default());
}

#[test]
fn needs_add_up() {
    let all = Needs {
        owner_ids: true,
        mailboxes: true,
        datasets: ["Friends".to_owned()].into(),
        preferences: true,
        routes: false,
        recipients: true,
        now: true,
    };
    assert_eq!(curious(ScopeKind::Account).needs(), all);
    let of_server = Needs { owner_ids: true, routes: true, recipients: true, now: true, ..Needs::default() };
    assert_eq!(curious(ScopeKind::Server).needs(), of_server);
}

/// Facts that a condition did not ask for are not there: it must not look at them.
#[test]
fn a_condition_looks_at_the_facts_that_it_needs_only() {
    let some = |text: &str| vec![text.to_owned()];
    let full = World {
        mail: b"\n".to_vec(),
        envelope: Envelope { sender: None, recipients: Vec::new(), source: Source::Pipe, client: None },
        facts: Facts {
            owner_ids: Vec::new(),
            mailboxes: some("a"),
            datasets: [("Friends".to_owned(), some(""))].into(),
            preferences: vec![("a".to_owned(), "a".to_owned())],
            routes: some("LOCAL(a)"),
            now: time::macros::datetime!(2026-11-26 12:00 +1),
            beyond: None,
        },
    };
    for scope in ScopeKind::ALL {
        for when in conditions(*scope) {
            let program = program(&[Written { name: 0, when, then: "[\"Discard\"]", priority: 5 }], *scope);
            let (needs, facts) = (program.needs(), full.facts.clone());
            let only = Facts {
                owner_ids: Vec::new(),
                mailboxes: if needs.mailboxes { facts.mailboxes } else { Vec::new() },
                datasets: facts
                    .datasets
                    .into_iter()
                    .filter(|(name, _)| needs.datasets.contains(name))
                    .collect(),
                preferences: if needs.preferences { facts.preferences } else { Vec::new() },
                routes: if needs.routes { facts.routes } else { Vec::new() },
                now: if needs.now { facts.now } else { OffsetDateTime::UNIX_EPOCH },
                beyond: None,
            };
            let poor = World { facts: only, ..full.clone() };
            assert_eq!(poor.judge(&program, explained), full.judge(&program, explained));
        }
    }
}
