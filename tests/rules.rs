//! Rule files: those that ship, those of `fixtures/rules` with what they must do, and the wrong ones of
//! `fixtures/rules-bad` with the exact text of their refusal (`SEALPOST_BLESS=1` writes the texts anew).

mod clock;
mod examples;
mod facts;
mod matrix;
mod page;

use sealpost::rules::{ACTIONS, CONDITIONS, CaseInput, CaseRules, Expected, RuleSet, ScopeKind};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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

/// `rule.toml` of the folder over its message and envelope.
fn run(folder: &Path) -> Expected {
    let rules = folder.join("rule.toml");
    let rules = CaseRules::new(vec![(scope(&rules), compiled(&rules))]);
    let input = CaseInput::parse(&text(&folder.join("envelope.toml")));
    let input = input.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    rules.run(&fs::read(folder.join("message.eml")).unwrap(), &input)
}

fn expected(folder: &Path) -> Expected {
    let expected = Expected::parse(&text(&folder.join("expect.toml")));
    expected.unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

#[test]
fn every_fixture_does_what_it_says() {
    for folder in entries("fixtures/rules") {
        only_files(&folder, &["envelope.toml", "expect.toml", "message.eml", "rule.toml"]);
        assert_eq!(expected(&folder).differences(&run(&folder)), [], "{}", folder.display());
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
