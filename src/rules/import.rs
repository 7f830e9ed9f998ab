//! Rule sets out of array text, whole or as far as they can be taken, and back to both texts.

use super::array::{self, BrokenText, Document};
use super::fault::{Fault, Faults};
use super::read::{LARGEST_FILE, MOST_RULES, Reader, too_many_rules};
use super::warnings::Warning;
use super::{Rule, RuleFaults, RuleSet, ScopeKind, toml_text};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The two texts of a rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// What people write.
    Toml,
    /// What CommuniGate Pro keeps.
    Array,
}

impl Syntax {
    /// Array text begins with `(` or `{`, spaces and `/* */` or `//` comments aside; no TOML does.
    pub fn of(text: &str) -> Syntax {
        if array::is_array_text(text) { Syntax::Array } else { Syntax::Toml }
    }
}

/// What was taken of a site's rules.
#[derive(Debug)]
pub struct Import {
    /// The rules that are right, in the order of the text.
    pub rules: RuleSet,
    /// Those that cannot be taken.
    pub refused: Vec<RefusedRule>,
    /// What is worth knowing: words that were read as others, settings that were left aside.
    pub notes: Vec<Warning>,
}

/// A rule that cannot be taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedRule {
    /// Its name; empty if it has none.
    pub name: String,
    /// Where it begins, counted from 1.
    pub line: usize,
    /// Every reason; at most 100.
    pub faults: Vec<Fault>,
}

impl RuleSet {
    /// Reads array text; a wrong text is refused whole, with every fault at once. `file` is the name shown.
    pub fn from_array(file: &str, text: &str, scope: ScopeKind) -> Result<RuleSet, RuleFaults> {
        let (shown, document) = opened(file, text)?;
        let mut reader = Reader::new(faults_of(file, &shown), scope);
        let mut rules = Vec::new();
        for value in &document.rules {
            let node = array::rule(value, &mut reader.faults, &mut reader.notes);
            rules.extend(node.and_then(|node| reader.rule(&node)));
        }
        reader.check_names(&rules);
        let notes = aside(&reader.faults, &document).into_iter().chain(reader.notes).collect();
        match reader.faults.finish() {
            Some(faults) => Err(faults),
            None => Ok(RuleSet { rules: rules.into_iter().map(|(rule, _)| Arc::new(rule)).collect(), notes }),
        }
    }

    /// Reads the text in the syntax that it is in.
    pub fn from_text(file: &str, text: &str, scope: ScopeKind) -> Result<RuleSet, RuleFaults> {
        match Syntax::of(text) {
            Syntax::Toml => RuleSet::from_toml(file, text, scope),
            Syntax::Array => RuleSet::from_array(file, text, scope),
        }
    }

    /// The rules as TOML; reading it gives the same rules.
    pub fn to_toml(&self) -> String {
        toml_text::write(self.rules())
    }

    /// The rules as array text; reading it gives the same rules.
    pub fn to_array(&self) -> String {
        array::write(self.rules())
    }
}

impl Import {
    /// Takes what can be taken of array text. Only a text whose structure is broken is refused whole, with its first fault.
    pub fn from_array(file: &str, text: &str, scope: ScopeKind) -> Result<Import, RuleFaults> {
        let (shown, document) = opened(file, text)?;
        let mut reader = Reader::new(faults_of(file, &shown), scope);
        let mut notes = Vec::from_iter(aside(&reader.faults, &document));
        let (mut rules, mut refused, mut lines) = (Vec::new(), Vec::new(), BTreeMap::new());
        for value in &document.rules {
            let read = array::rule(value, &mut reader.faults, &mut reader.notes);
            let read = read.and_then(|node| reader.rule(&node));
            let rule = read.and_then(|rule| first_of_its_name(rule, &mut lines, &mut reader.faults));
            let (faults, noted) = (reader.faults.take(), std::mem::take(&mut reader.notes));
            match rule.filter(|_| faults.is_empty()) {
                Some(rule) => {
                    rules.push(Arc::new(rule));
                    notes.extend(noted);
                }
                None => refused.push(RefusedRule {
                    name: value.rule_name().unwrap_or_default().to_owned(),
                    line: reader.faults.line(value.start()),
                    faults,
                }),
            }
        }
        Ok(Import { rules: RuleSet { rules, notes: Vec::new() }, refused, notes })
    }
}

/// The text as errors may show it, and its structure.
fn opened(file: &str, text: &str) -> Result<(String, Document), RuleFaults> {
    if text.len() > LARGEST_FILE {
        let found = format!("the file has {} bytes", text.len());
        let allowed = format!("a rule file has {LARGEST_FILE} bytes at most");
        return Err(RuleFaults::one(file, "", 0..0, found, Some(allowed)));
    }
    match array::document(text) {
        Ok(document) => {
            let shown = array::masked(text, &document.hidden);
            match document.rules.get(MOST_RULES) {
                None => Ok((shown, document)),
                Some(surplus) => {
                    let (found, allowed) = too_many_rules(document.rules.len());
                    Err(RuleFaults::one(file, &shown, surplus.start()..surplus.start(), found, Some(allowed)))
                }
            }
        }
        Err(BrokenText { broken, hidden }) => {
            let hint = Some(broken.hint).filter(|hint| !hint.is_empty()).map(str::to_owned);
            let shown = array::masked(text, &hidden);
            Err(RuleFaults::one(file, &shown, broken.span, broken.text, hint))
        }
    }
}

/// For faults of array text.
fn faults_of<'t>(file: &'t str, shown: &'t str) -> Faults<'t> {
    let backslash = r#"array text eats one backslash: write "\\*""#;
    let mut faults = Faults::new(file, shown);
    faults.backslash = backslash;
    faults
}

/// Which settings are no rules, in one remark.
fn aside(faults: &Faults<'_>, document: &Document) -> Option<Warning> {
    let (_, first) = document.aside.first()?;
    let names: Vec<String> = document.aside.iter().map(|(name, _)| format!("{name:?}")).collect();
    let text = format!("left aside, for they are no mail rules: {}", names.join(", "));
    Some(Warning { line: faults.line(first.start), rule: String::new(), text })
}

/// The rule, unless one that was taken has its name.
fn first_of_its_name(
    (rule, place): (Rule, Range<usize>),
    lines: &mut BTreeMap<String, usize>,
    faults: &mut Faults<'_>,
) -> Option<Rule> {
    if let Some(line) = lines.get(&rule.name) {
        let text = format!("a rule with the name \"{}\" begins in line {line} already", rule.name);
        faults.add(place, text, "give every rule of a file a name of its own".to_owned());
        return None;
    }
    if faults.is_empty() {
        lines.insert(rule.name.clone(), rule.line);
    }
    Some(rule)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
