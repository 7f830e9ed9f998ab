//! Rule files: those that ship, those of `fixtures/rules` with what they must do, and the wrong ones of
//! `fixtures/rules-bad` with the exact text of their refusal (`SEALPOST_BLESS=1` writes the texts anew).

mod clock;
mod facts;
mod matrix;

use sealpost::cms::RecipientId;
use sealpost::mail::{HeaderEdits, Message};
use sealpost::rules::{
    ACTIONS, Answer, CONDITIONS, Ending, Envelope, Evaluation, Facts, Input, Outcome, Program, Progress,
    RuleSet, ScopeKind, Source, Verdict,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let listing = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut entries: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    assert!(!entries.is_empty(), "{folder} is empty");
    entries
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The scope that a rule file's first line states: `# scope: account`.
fn scope(file: &Path) -> ScopeKind {
    let text = text(file);
    let first = text.lines().next().and_then(|line| line.strip_prefix("# scope: "));
    let named = |name: &str| ScopeKind::ALL.iter().find(|scope| scope.name() == name);
    let found = first.and_then(named);
    *found.unwrap_or_else(|| panic!("{}: the first line states no scope", file.display()))
}

fn compiled(file: &Path) -> RuleSet {
    let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
    RuleSet::from_toml(name, &text(file), scope(file)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn only_files(folder: &Path, names: &[&str]) {
    let found: BTreeSet<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted: BTreeSet<_> = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, wanted, "{}", folder.display());
}

#[test]
fn every_rule_file_that_ships_is_right_and_without_a_warning() {
    for file in entries("rules") {
        assert_eq!(compiled(&file).warnings(), [], "{}", file.display());
    }
}

#[test]
fn the_example_of_every_word_is_right_in_every_scope_it_names() {
    let check = |name: &str, scopes: &[ScopeKind], when: &str, then: &str| {
        for scope in scopes {
            let then = if *scope == ScopeKind::Server {
                then.replace("in\", \"", "in\", \"~hr/")
            } else {
                then.into()
            };
            let text = format!("[[rule]]\nname = \"r\"\npriority = 1\nwhen = [{when}]\nthen = [{then}]\n");
            let set = RuleSet::from_toml(name, &text, *scope).unwrap_or_else(|faults| panic!("{faults}"));
            assert_eq!(set.rules().count(), 1);
        }
    };
    for word in CONDITIONS {
        assert!(word.example.starts_with(&format!("[\"{}\"", word.name)), "{}", word.example);
        assert!(word.doc.ends_with('.'), "{}", word.doc);
        check(word.name, word.scopes, word.example, r#"["Discard"]"#);
    }
    for word in ACTIONS {
        assert!(word.example.starts_with(&format!("[\"{}\"", word.name)), "{}", word.example);
        assert!(word.doc.ends_with('.'), "{}", word.doc);
        check(word.name, word.scopes, "", word.example);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeFile {
    sender: Option<String>,
    recipients: Vec<String>,
    /// The subject key identifier of the account's certificate, in hexadecimal.
    owner_key_id: Option<String>,
    /// `trusted`, `authenticated`, `lmtp`, or `pipe`, which is what it is if nothing is said.
    source: Option<String>,
    client: Option<String>,
    /// With the offset of the site's zone at that moment.
    now: Option<toml::value::Datetime>,
    #[serde(default)]
    routes: Vec<String>,
    #[serde(default)]
    mailboxes: Vec<String>,
    #[serde(default)]
    preferences: BTreeMap<String, String>,
    #[serde(default)]
    datasets: BTreeMap<String, Vec<String>>,
}

impl EnvelopeFile {
    fn read(path: &Path) -> EnvelopeFile {
        toml::from_str(&text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn source(&self) -> Source {
        match self.source.as_deref() {
            None | Some("pipe") => Source::Pipe,
            Some("trusted") => Source::Trusted,
            Some("authenticated") => Source::Authenticated,
            Some("lmtp") => Source::Lmtp,
            Some(other) => panic!("no source: {other}"),
        }
    }

    fn envelope(&self) -> Envelope {
        let (sender, recipients) = (self.sender.clone(), self.recipients.clone());
        Envelope { sender, recipients, source: self.source(), client: self.client.clone() }
    }

    fn facts(&self) -> Facts {
        let owner_id = self.owner_key_id.as_ref().map(|id| RecipientId::SubjectKeyIdentifier(hex(id)));
        let now = self.now.map(|now| OffsetDateTime::parse(&now.to_string(), &Rfc3339).unwrap());
        Facts {
            owner_ids: owner_id.into_iter().collect(),
            mailboxes: self.mailboxes.clone(),
            datasets: self.datasets.clone(),
            preferences: self.preferences.clone().into_iter().collect(),
            routes: self.routes.clone(),
            now: now.unwrap_or(OffsetDateTime::UNIX_EPOCH),
        }
    }
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// The situations of what the conditions look at; see `matrix`.
    #[serde(default)]
    covers: Vec<String>,
    /// The rules that match, in the order in which they run.
    matches: Vec<String>,
    /// `rule: action` of every step.
    steps: Vec<String>,
    /// `inbox`, `discard`, or `reject: text`.
    ending: String,
    ended_by: Option<String>,
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> =
        text.chars().map(|digit| digit.to_digit(16).expect("a hexadecimal digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn ending(verdict: &Verdict) -> String {
    match &verdict.ending {
        Ending::Inbox => "inbox".into(),
        Ending::Discard => "discard".into(),
        Ending::Reject(text) => format!("reject: {text}"),
    }
}

fn run(folder: &Path) -> Expectation {
    let rules = folder.join("rule.toml");
    let program = Program::new(vec![(scope(&rules), compiled(&rules))]);
    let mail = fs::read(folder.join("message.eml")).unwrap();
    let file = EnvelopeFile::read(&folder.join("envelope.toml"));
    let (envelope, facts) = (file.envelope(), file.facts());
    let (message, edits) = (Message::new(&mail), HeaderEdits::default());
    let input = Input { message: &message, envelope: &envelope, facts: &facts, edits: &edits };
    let mut evaluation = Evaluation::traced(&program, input);
    let verdict = loop {
        match evaluation.run() {
            Progress::Done(verdict) => break verdict,
            Progress::Ask(_) => evaluation.answer(Answer::Accept),
        }
    };
    let trace = evaluation.into_trace();
    let matched = trace.rules.iter().filter(|rule| rule.outcome == Outcome::Matched);
    Expectation {
        covers: Vec::new(),
        matches: matched.map(|rule| rule.rule.clone()).collect(),
        steps: verdict.steps.iter().map(|step| format!("{}: {}", step.rule, step.action)).collect(),
        ending: ending(&verdict),
        ended_by: verdict.ended_by,
    }
}

#[test]
fn every_fixture_does_what_it_says() {
    for folder in entries("fixtures/rules") {
        only_files(&folder, &["envelope.toml", "expect.toml", "message.eml", "rule.toml"]);
        let expected: Expectation = toml::from_str(&text(&folder.join("expect.toml")))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let found = Expectation { covers: expected.covers.clone(), ..run(&folder) };
        assert_eq!(found, expected, "{}", folder.display());
    }
}

#[test]
fn every_word_has_a_fixture() {
    let rules: Vec<_> =
        entries("fixtures/rules").iter().map(|folder| text(&folder.join("rule.toml"))).collect();
    let seen = |word: &str| rules.iter().any(|rule| rule.contains(&format!("[\"{word}\"")));
    let names = CONDITIONS.iter().map(|word| word.name).chain(ACTIONS.iter().map(|word| word.name));
    let missing: Vec<_> = names.filter(|name| !seen(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_wrong_file_is_refused_with_its_exact_text() {
    let bless = std::env::var_os("SEALPOST_BLESS").is_some();
    for folder in entries("fixtures/rules-bad") {
        let rules = folder.join("rule.toml");
        let faults = RuleSet::from_toml("rule.toml", &text(&rules), scope(&rules)).expect_err("a wrong file");
        let shown = format!("{faults}\n");
        if bless {
            fs::write(folder.join("expect.txt"), &shown).unwrap();
        }
        only_files(&folder, &["expect.txt", "rule.toml"]);
        assert_eq!(shown, text(&folder.join("expect.txt")), "{}", folder.display());
        let mut places: Vec<_> = faults.faults().iter().map(|fault| (fault.line, fault.column)).collect();
        assert!(places.is_sorted(), "{}: {places:?}", folder.display());
        places.retain(|(line, column)| !shown.contains(&format!(" rule.toml:{line}:{column}\n")));
        assert_eq!(places, [], "{}: each place is in the text", folder.display());
    }
}
