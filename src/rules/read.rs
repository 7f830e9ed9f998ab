//! Reads a TOML rule file with the place of every word.

use super::arguments::Arguments;
use super::conditions::Test;
use super::datum::{Key, Node, entry, table_of};
use super::fault::Faults;
use super::model::{Condition, PlannedAction};
use super::warnings::Warning;
use super::words::{Refused, nearest, quoted, reason};
use super::{
    ACTIONS, CONDITIONS, Operator, Rule, RuleFaults, RuleSet, ScopeKind, actions, array, conditions, names,
};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeTable;

/// A larger file is no rule file. Ours.
pub(super) const LARGEST_FILE: usize = 1 << 20;

/// More rules are no rule set, and more conditions or actions no rule: what compares them is bounded so. Ours.
pub(super) const MOST_RULES: usize = 10_000;
const MOST_ELEMENTS: usize = 256;

const KEYS: [&str; 5] = ["name", "priority", "when", "then", "comment"];

/// Reads the file; on any fault the whole file is refused.
pub(super) fn read(file: &str, text: &str, scope: ScopeKind) -> Result<RuleSet, RuleFaults> {
    let mut reader = Reader::new(Faults::new(file, text), scope);
    let rules = match text.len() > LARGEST_FILE {
        true => reader.refuse_size(text),
        false => reader.document(text),
    };
    match reader.faults.finish() {
        Some(faults) => Err(faults),
        None => Ok(RuleSet { rules: rules.into_iter().map(Arc::new).collect(), notes: reader.notes }),
    }
}

pub(super) struct Reader<'t> {
    pub(super) faults: Faults<'t>,
    pub(super) notes: Vec<Warning>,
    scope: ScopeKind,
    /// Where the TOML breaks first; what comes after may be misread.
    cut: Option<usize>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(faults: Faults<'t>, scope: ScopeKind) -> Reader<'t> {
        Reader { faults, notes: Vec::new(), scope, cut: None }
    }

    pub(super) fn refuse_size(&mut self, text: &str) -> Vec<Rule> {
        let found = format!("the file has {} bytes", text.len());
        self.faults.add(0..0, found, format!("a rule file has {LARGEST_FILE} bytes at most"));
        Vec::new()
    }

    fn document(&mut self, text: &'t str) -> Vec<Rule> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let end = text.len();
        let places: Vec<_> = errors.iter().map(|error| error.span().unwrap_or(end..end)).collect();
        self.cut = places.iter().map(|span| span.start).min();
        let rules = self.rules(&table_of(table.get_ref()));
        if let Some(cut) = self.cut {
            self.faults.forget_from(cut);
        }
        let mut last = None;
        for (error, span) in errors.iter().zip(places) {
            // Further faults of one line only follow from the first.
            if last.replace(self.faults.line(span.start)) != Some(self.faults.line(span.start)) {
                self.faults.add(span, format!("this is no TOML: {}", error.message()), None);
            }
        }
        rules
    }

    fn rules(&mut self, document: &[(Key, Node)]) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (key, value) in document {
            match (key.name.as_str(), value.as_list()) {
                ("rule", Some(array)) if array.len() > MOST_RULES => {
                    let (text, hint) = too_many_rules(array.len());
                    self.faults.add(key.span.clone(), text, hint);
                }
                ("rule", Some(array)) => rules = array.iter().filter_map(|rule| self.rule(rule)).collect(),
                ("rule", None) => {
                    let text = format!("\"rule\" is {}, not a list of rules", value.kind());
                    self.faults.add(key.span.clone(), text, "begin every rule with [[rule]]".to_owned());
                }
                (other, _) => {
                    let text = format!("a rule file has no key \"{other}\"");
                    let hint = "begin every rule with [[rule]]".to_owned();
                    self.faults.add_near(key.span.clone(), text, nearest(other, ["rule"]), hint);
                }
            }
        }
        self.check_names(&rules);
        rules.into_iter().map(|(rule, _)| rule).collect()
    }

    pub(super) fn check_names(&mut self, rules: &[(Rule, Range<usize>)]) {
        let mut seen = BTreeMap::new();
        for (rule, span) in rules {
            if let Some(line) = seen.insert(rule.name.as_str(), rule.line) {
                let text = format!("a rule with the name \"{}\" begins in line {line} already", rule.name);
                self.faults.add(span.clone(), text, "give every rule of a file a name of its own".to_owned());
            }
        }
    }

    /// A rule and the place of its name.
    pub(super) fn rule(&mut self, value: &Node) -> Option<(Rule, Range<usize>)> {
        let Some(table) = value.as_table() else {
            let text = format!("a rule is a table, not {}", value.kind());
            self.faults.add(value.span.clone(), text, "begin every rule with [[rule]]".to_owned());
            return None;
        };
        self.check_keys(table, value.span.clone());
        let (name, span) = self.name(table).unzip();
        let shown = name.clone().unwrap_or_default();
        let (conditions, tests) = self.conditions(table, &shown);
        let rule = Rule {
            priority: self.priority(table).unwrap_or_default(),
            comment: self.comment(table),
            line: self.faults.line(value.span.start),
            conditions,
            tests,
            actions: self.actions(table, &shown),
            name: name?,
        };
        Some((rule, span?))
    }

    fn check_keys(&mut self, table: &[(Key, Node)], header: Range<usize>) {
        for (key, _) in table {
            let name = key.name.as_str();
            if !KEYS.contains(&name) {
                let hint = format!("the keys of a rule are: {}", quoted(KEYS));
                let text = format!("a rule has no key \"{name}\"");
                self.faults.add_near(key.span.clone(), text, nearest(name, KEYS), hint);
            }
        }
        for needed in ["name", "priority", "then"] {
            if self.cut.is_none() && entry(table, needed).is_none() {
                self.faults.add(header.clone(), format!("this rule has no \"{needed}\""), None);
            }
        }
    }

    fn name(&mut self, table: &[(Key, Node)]) -> Option<(String, Range<usize>)> {
        let (_, value) = entry(table, "name")?;
        match value.as_text() {
            Some(name) if !name.trim().is_empty() && !name.contains(char::is_control) => {
                Some((name.to_owned(), value.span.clone()))
            }
            Some(_) => {
                self.faults.add(value.span.clone(), "a rule's name is one line and not empty", None);
                None
            }
            None => {
                let text = format!("a rule's name is a text, not {}", value.kind());
                self.faults.add(value.span.clone(), text, "write it in quotes".to_owned());
                None
            }
        }
    }

    fn priority(&mut self, table: &[(Key, Node)]) -> Option<u8> {
        let (_, value) = entry(table, "priority")?;
        let number = value.as_integer().and_then(|number| u8::try_from(number).ok());
        let priority = number.filter(|number| *number <= 10);
        if priority.is_none() {
            let hint = "a whole number from 0 to 10; 10 runs first, 0 is inactive".to_owned();
            let text = format!("{} is no priority", self.faults.source(&value.span));
            self.faults.add(value.span.clone(), text, hint);
        }
        priority
    }

    fn comment(&mut self, table: &[(Key, Node)]) -> Option<String> {
        let (_, value) = entry(table, "comment")?;
        if value.as_text().is_none() {
            let text = format!("a comment is a text, not {}", value.kind());
            self.faults.add(value.span.clone(), text, "write it in quotes".to_owned());
        }
        value.as_text().map(str::to_owned)
    }

    fn conditions(&mut self, table: &[(Key, Node)], rule: &str) -> (Vec<Condition>, Vec<Arc<dyn Test>>) {
        let list = elements(&mut self.faults, table, "when", r#"when = [["From", "is", "*@north.example"]]"#);
        list.iter().filter_map(|element| self.condition(element, rule)).unzip()
    }

    fn condition(&mut self, element: &Node, rule: &str) -> Option<(Condition, Arc<dyn Test>)> {
        let (first, rest) = self.element(element, "condition", r#"["From", "is", "*@north.example"]"#)?;
        let names = || CONDITIONS.iter().map(|word| word.name);
        let found = CONDITIONS.iter().find(|word| first.as_text() == Some(word.name));
        let Some(word) = found else {
            self.unknown(first, "condition", names, conditions::REFUSED);
            return None;
        };
        self.check_scope(first, word.name, word.scopes);
        let (operator, rest) = self.operator(element, rest, word.name, word.operators)?;
        let mut arguments = self.arguments(element, rule, word.name, operator, rest);
        let test = (word.parse)(&mut arguments);
        arguments.finish();
        let text = self.faults.source(&element.span).to_owned();
        let (line, name) = (self.faults.line(element.span.start), word.name);
        Some((Condition { line, name, operator, text, node: element.clone() }, test?))
    }

    /// The operator, if the condition takes one, and what follows it.
    fn operator<'v>(
        &mut self,
        element: &Node,
        rest: &'v [Node],
        word: &str,
        allowed: &'static [Operator],
    ) -> Option<(Option<Operator>, &'v [Node])> {
        if allowed.is_empty() {
            return Some((None, rest));
        }
        let names = || allowed.iter().map(|operator| operator.name());
        let hint = format!("the operators of \"{word}\" are: {}", quoted(names()));
        let Some((first, rest)) = rest.split_first() else {
            self.faults.add(
                element.span.clone(),
                format!("\"{word}\" needs an operator and a parameter"),
                hint,
            );
            return None;
        };
        let name = first.as_text().unwrap_or_default();
        if let Some(operator) = allowed.iter().find(|operator| operator.name() == name) {
            return Some((Some(*operator), rest));
        }
        let (text, near) = match Operator::ALL.iter().any(|operator| operator.name() == name) {
            true => (format!("\"{name}\" does not go with \"{word}\""), None),
            false => {
                let found = self.faults.source(&first.span);
                (format!("{found} is no operator; \"{word}\" needs one here"), nearest(name, names()))
            }
        };
        self.faults.add_near(first.span.clone(), text, near, hint);
        None
    }

    fn actions(&mut self, table: &[(Key, Node)], rule: &str) -> Vec<PlannedAction> {
        let list = elements(&mut self.faults, table, "then", r#"then = [["Store in", "Box"], ["Discard"]]"#);
        list.iter().filter_map(|element| self.action(element, rule)).collect()
    }

    fn action(&mut self, element: &Node, rule: &str) -> Option<PlannedAction> {
        let (first, rest) = self.element(element, "action", r#"["Store in", "Box"]"#)?;
        let names = || ACTIONS.iter().map(|word| word.name);
        let found = ACTIONS.iter().find(|word| first.as_text() == Some(word.name));
        let Some(word) = found else {
            self.unknown(first, "action", names, actions::REFUSED);
            return None;
        };
        self.check_scope(first, word.name, word.scopes);
        let line = self.faults.line(element.span.start);
        let mut arguments = self.arguments(element, rule, word.name, None, rest);
        let action = (word.parse)(&mut arguments);
        arguments.finish();
        let (name, class, node) = (word.name, word.class, array::settled(word.name, element));
        Some(PlannedAction { line, name, class, node, action: action? })
    }

    fn arguments<'a>(
        &'a mut self,
        element: &Node,
        rule: &'a str,
        word: &'static str,
        operator: Option<Operator>,
        rest: &'a [Node],
    ) -> Arguments<'a, 't> {
        let (faults, notes) = (&mut self.faults, &mut self.notes);
        Arguments { faults, notes, rule, scope: self.scope, word, span: element.span.clone(), operator, rest }
    }

    /// The word of a condition or an action, and what follows it.
    fn element<'v>(
        &mut self,
        element: &'v Node,
        what: &str,
        example: &str,
    ) -> Option<(&'v Node, &'v [Node])> {
        let parts = element.as_list().and_then(|array| array.split_first());
        if parts.is_none() {
            let text = match element.as_list() {
                Some(_) => format!("this {what} is empty"),
                None => format!("{} is no {what}: a list is needed", element.kind()),
            };
            self.faults.add(element.span.clone(), text, format!("for example: {example}"));
        }
        parts
    }

    fn unknown<N>(&mut self, word: &Node, what: &str, names: impl Fn() -> N, refused: Refused)
    where
        N: Iterator<Item = &'static str>,
    {
        if self.faults.is_full() {
            // It is counted only, and thousands of nearest names take time.
            return self.faults.add(word.span.clone(), "", None);
        }
        let hint = format!("the {what}s are: {}", quoted(names()));
        let Some(found) = word.as_text() else {
            let text = format!("{} is no {what}'s name: a text is needed", word.kind());
            return self.faults.add(word.span.clone(), text, hint);
        };
        let meant = names::meant(what, found);
        let reason = [meant.unwrap_or(found), found].iter().find_map(|word| reason(refused, word));
        match reason.or_else(|| names::elsewhere(found)) {
            Some((name, reason)) => self.faults.add(
                word.span.clone(),
                format!("the {what} \"{name}\" is refused: {reason}"),
                hint,
            ),
            None => {
                let text = format!("no {what} is called \"{found}\"");
                let near = names().find(|name| meant == Some(name)).or_else(|| nearest(found, names()));
                self.faults.add_near(word.span.clone(), text, near, hint);
            }
        }
    }

    fn check_scope(&mut self, word: &Node, name: &str, scopes: &[ScopeKind]) {
        if !scopes.contains(&self.scope) {
            let text = format!("\"{name}\" is not allowed in {} scope", self.scope.name());
            let hint = format!("it is allowed in: {}", quoted(scopes.iter().map(|scope| scope.name())));
            self.faults.add(word.span.clone(), text, hint);
        }
    }
}

/// What was found and what is allowed.
pub(super) fn too_many_rules(found: usize) -> (String, String) {
    (format!("the file has {found} rules"), format!("a rule file has {MOST_RULES} rules at most"))
}

/// The elements of `when` or `then`.
fn elements<'v>(faults: &mut Faults<'_>, table: &'v [(Key, Node)], key: &str, example: &str) -> &'v [Node] {
    let Some((_, value)) = entry(table, key) else { return &[] };
    match value.as_list() {
        Some(list) => match list.get(MOST_ELEMENTS) {
            None => list,
            Some(surplus) => {
                let text = format!("\"{key}\" has {} elements", list.len());
                faults.add(surplus.span.clone(), text, format!("a rule has {MOST_ELEMENTS} at most"));
                &[]
            }
        },
        None => {
            let text = format!("\"{key}\" is a list of lists, not {}", value.kind());
            faults.add(value.span.clone(), text, format!("for example: {example}"));
            &[]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::worked_since;
    use proptest::prelude::*;
    use std::time::Duration;

    fn read_any(text: &str) -> Result<RuleSet, RuleFaults> {
        read("f.toml", text, ScopeKind::Account)
    }

    #[test]
    fn an_empty_file_has_no_rules() {
        assert_eq!(read_any("").unwrap().rules().count(), 0);
        assert_eq!(read_any("# only a comment\n").unwrap().rules().count(), 0);
    }

    #[test]
    fn a_rule_keeps_what_it_was_given() {
        let text = "\n[[rule]]\nname = \"a\"\npriority = 10\nthen = []\ncomment = \"why\"\n";
        let set = read_any(text).unwrap();
        let rule = set.rules().next().unwrap();
        let found = (rule.name.as_str(), rule.priority, rule.comment.as_deref(), rule.line);
        assert_eq!(found, ("a", 10, Some("why"), 2));
    }

    #[test]
    fn lines_may_end_with_crlf() {
        let text = "[[rule]]\r\nname = \"a\"\r\npriority = 11\r\nthen = []\r\n";
        let faults = read_any(text).unwrap_err();
        assert_eq!((faults.faults()[0].line, faults.faults()[0].column), (3, 12));
        assert!(!faults.to_string().contains('\r'), "{faults}");
    }

    #[test]
    fn hostile_files_cost_bounded_time() {
        let rule = "[[rule]]\nname = \"r\"\npriority = 5\nthen = ";
        let begun = worked_since(Duration::ZERO);
        for text in [
            format!("{rule}{}", "[".repeat(200_000)),
            format!("{rule}{}", "{a=".repeat(100_000)),
            format!("{rule}[{}]", "[\"Burn\"],".repeat(100_000)),
            format!("{rule}[{}", "[\"Burn\" 5],".repeat(80_000)),
            "=\n".repeat(300_000),
            "x".repeat(LARGEST_FILE + 1),
        ] {
            let faults = read_any(&text).unwrap_err();
            assert!(!faults.to_string().is_empty());
        }
        assert!(worked_since(begun) < Duration::from_secs(20), "{:?}", worked_since(begun));
    }

    #[test]
    fn faults_are_data_too() {
        let faults = read_any("[[rule]]\nname = \"r\"\npriority = 5\nthen = [[\"discard\"]]\n").unwrap_err();
        let json = serde_json::to_value(faults.faults()).unwrap();
        assert_eq!(json[0]["line"], 4);
        assert_eq!(json[0]["column"], 10);
        assert_eq!(json[0]["text"], "no action is called \"discard\"");
        assert_eq!(json[0]["nearest"], "Discard");
        assert!(json[0]["hint"].as_str().unwrap().starts_with("the actions are: \"Store Encrypted in\""));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\PC|\n){0,80}") {
            let _ = read_any(&text).map_err(|faults| faults.to_string());
        }

        #[test]
        fn no_mixture_of_its_own_words_makes_it_panic(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[[rule]]\n", "name = ", "\"ä\"", "\n", "priority = 5\n", "when = ", "then = ", "[", "]", ",",
                    "\"From\"", "\"is\"", "\"in\"", "'\\'", "\"#x\"", "\"Mark\"", "{profile = \"x\"}", "5", "\"Store in\"",
                ]),
                0..40,
            ),
        ) {
            let _ = read_any(&words.concat()).map_err(|faults| faults.to_string());
        }
    }
}
