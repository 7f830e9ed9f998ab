//! Array text: what is taken of each text of `fixtures/rules-array` (`expect.toml`), what is not and why (`expect.txt`), and that
//! both ways of reading and both texts agree. `SEALPOST_BLESS=1` writes what is expected anew.

use sealpost::rules::{ACTIONS, CONDITIONS, Import, RuleSet, ScopeKind};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules-array");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

/// The scope that a line of the text states, else an account's.
fn scope(text: &str) -> ScopeKind {
    let stated = text.lines().find_map(|line| line.strip_prefix("// scope: "));
    let named = |name: &str| *ScopeKind::ALL.iter().find(|scope| scope.name() == name).unwrap();
    stated.map_or(ScopeKind::Account, named)
}

/// The TOML of what is taken, and what there is to say; empty where there is nothing.
fn outcome(text: &str) -> (String, String) {
    let import = match Import::from_array("rules.txt", text, scope(text)) {
        Ok(import) => import,
        Err(faults) => return (String::new(), format!("{faults}\n")),
    };
    let mut said = String::new();
    for note in &import.notes {
        writeln!(said, "note in line {}, rule {:?}: {}", note.line, note.rule, note.text).unwrap();
    }
    for refused in &import.refused {
        writeln!(said, "not taken: line {}, rule {:?}", refused.line, refused.name).unwrap();
        for fault in &refused.faults {
            let near = fault.nearest.map(|name| format!(" (did you mean \"{name}\"?)")).unwrap_or_default();
            writeln!(said, "  {}:{}: {}{near}", fault.line, fault.column, fault.text).unwrap();
        }
    }
    assert_agrees(text, &import);
    (import.rules.to_toml(), said)
}

/// Reading the text whole refuses what the import does not take, and gives the same rules if it takes all.
fn assert_agrees(text: &str, import: &Import) {
    let whole = RuleSet::from_array("rules.txt", text, scope(text));
    match whole {
        Ok(rules) => assert!(rules == import.rules && import.refused.is_empty()),
        Err(_) => assert!(!import.refused.is_empty()),
    }
    let (toml, array) = (import.rules.to_toml(), import.rules.to_array());
    assert!(RuleSet::from_toml("rules.toml", &toml, scope(text)).unwrap() == import.rules, "{toml}");
    let back =
        RuleSet::from_array("rules.txt", &array, scope(text)).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(back == import.rules, "{array}");
}

fn check(file: &Path, found: &str) {
    if std::env::var_os("SEALPOST_BLESS").is_some() {
        match found {
            "" => drop(fs::remove_file(file)),
            found => fs::write(file, found).unwrap(),
        }
    }
    assert_eq!(fs::read_to_string(file).unwrap_or_default(), found, "{}", file.display());
}

#[test]
fn every_text_gives_what_it_says() {
    for folder in folders() {
        let text = fs::read_to_string(folder.join("rules.txt")).unwrap();
        let (toml, said) = outcome(&text);
        check(&folder.join("expect.toml"), &toml);
        check(&folder.join("expect.txt"), &said);
    }
}

#[test]
fn no_text_that_is_shown_holds_a_password() {
    for folder in folders() {
        let shown = fs::read_to_string(folder.join("expect.txt")).unwrap_or_default();
        for secret in ["horse", "battery", "Änne"] {
            assert!(!shown.contains(secret), "{}", folder.display());
        }
    }
}

fn the_site() -> String {
    let site = folders().into_iter().find(|folder| folder.ends_with("40-a-site-with-forty-rules")).unwrap();
    fs::read_to_string(site.join("rules.txt")).unwrap()
}

#[test]
fn forty_rules_of_a_site_are_taken_or_named() {
    let import = Import::from_array("rules.txt", &the_site(), ScopeKind::Account).unwrap();
    assert_eq!(import.rules.rules().count() + import.refused.len(), 40);
    for refused in &import.refused {
        assert!(!refused.name.is_empty() && !refused.faults.is_empty(), "{refused:?}");
    }
}

#[test]
fn the_site_uses_every_word() {
    let text = the_site();
    let has = |word: &str| text.contains(&format!("({word},")) || text.contains(&format!("(\"{word}\","));
    let words = CONDITIONS.iter().map(|word| word.name).chain(ACTIONS.iter().map(|word| word.name));
    let missing: Vec<_> = words.filter(|word| !has(word)).filter(|word| *word != "Redirect to").collect();
    assert_eq!(missing, Vec::<&str>::new());
}
