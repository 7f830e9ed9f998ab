//! From the array of a rule to the node that `[[rule]]` gives: literal names, lists, and no placeholders.

use super::data::{Value, What};
use super::shape::{self, Shape};
use crate::rules::datum::{Datum, Key, Node};
use crate::rules::fault::Faults;
use crate::rules::names::{self, Named};
use crate::rules::warnings::Warning;
use crate::rules::{ACTIONS, CONDITIONS};

const FORM: &str =
    r#"a rule is (priority, "name", (conditions), (actions)) with a comment behind if there is one"#;
const CONDITION: &str = r#"for example: (From,is,"*@north.example")"#;
const ACTION: &str = r#"for example: ("Store in",Box)"#;

/// What real exports write where a word takes no parameter.
const PLACEHOLDERS: [&str; 2] = ["", "---"];

impl Value {
    /// The name of the rule that this is, if it has one.
    pub(in crate::rules) fn rule_name(&self) -> Option<&str> {
        match &self.what {
            What::Array(list) => list.get(1).and_then(Value::text),
            _ => None,
        }
    }

    /// Where it begins.
    pub(in crate::rules) fn start(&self) -> usize {
        self.span.start
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.what {
            What::Text(text) | What::Block(text) => Some(text),
            _ => None,
        }
    }

    fn is_placeholder(&self) -> bool {
        self.what == What::Null || self.text().is_some_and(|text| PLACEHOLDERS.contains(&text))
    }
}

/// The rule as a table; nothing if it has not the form of one, with the fault on record.
pub(in crate::rules) fn rule(
    value: &Value,
    faults: &mut Faults<'_>,
    notes: &mut Vec<Warning>,
) -> Option<Node> {
    let What::Array(list) = &value.what else {
        let text = format!("a rule is an array, not {}", shape::node(value).kind());
        faults.add(value.span.clone(), text, FORM.to_owned());
        return None;
    };
    let (priority, name, conditions, actions, comment) = match list.as_slice() {
        [priority, name, conditions, actions] => (priority, name, conditions, actions, None),
        [priority, name, conditions, actions, comment] => {
            (priority, name, conditions, actions, Some(comment))
        }
        _ => {
            let text = format!("a rule has four or five elements, this has {}", list.len());
            faults.add(value.span.clone(), text, FORM.to_owned());
            return None;
        }
    };
    let mut reading = Reading { faults, notes, rule: name.text().unwrap_or_default() };
    let when = reading.elements(conditions, "condition", CONDITION, Reading::condition);
    let then = reading.elements(actions, "action", ACTION, Reading::action);
    let comment = comment.filter(|comment| comment.what != What::Null).map(shape::node);
    let parts = [("name", Some(shape::node(name))), ("priority", Some(number(priority)))];
    let parts = parts.into_iter().chain([("when", when), ("then", then), ("comment", comment)]);
    let entry = |(key, node): (&str, Option<Node>)| {
        node.map(|node| (Key { name: key.to_owned(), span: node.span.clone() }, node))
    };
    Some(Node { datum: Datum::Table(parts.filter_map(entry).collect()), span: value.span.clone() })
}

/// A priority is an atom of digits.
fn number(value: &Value) -> Node {
    let digits = value.text().filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(number) => Node { datum: Datum::Integer(number), span: value.span.clone() },
        None => shape::node(value),
    }
}

/// The parts of one rule on their way.
struct Reading<'r, 't> {
    faults: &'r mut Faults<'t>,
    notes: &'r mut Vec<Warning>,
    rule: &'r str,
}

impl Reading<'_, '_> {
    fn elements(
        &mut self,
        value: &Value,
        what: &str,
        example: &str,
        read: fn(&mut Self, &Value, &[Value]) -> Vec<Node>,
    ) -> Option<Node> {
        let What::Array(list) = &value.what else {
            let text = format!("the {what}s are an array of arrays, not {}", shape::node(value).kind());
            self.faults.add(value.span.clone(), text, example.to_owned());
            return Some(Node { datum: Datum::List(Vec::new()), span: value.span.clone() });
        };
        let mut nodes = Vec::new();
        for element in list {
            match &element.what {
                What::Array(parts) if !parts.is_empty() => {
                    let parts = Datum::List(read(self, element, parts));
                    nodes.push(Node { datum: parts, span: element.span.clone() });
                }
                What::Array(_) => {
                    self.faults.add(element.span.clone(), format!("this {what} is empty"), example.to_owned())
                }
                _ => {
                    let text = format!("a {what} is an array, not {}", shape::node(element).kind());
                    self.faults.add(
                        element.span.clone(),
                        text.replace("a action", "an action"),
                        example.to_owned(),
                    );
                }
            }
        }
        Some(Node { datum: Datum::List(nodes), span: value.span.clone() })
    }

    fn condition(&mut self, element: &Value, parts: &[Value]) -> Vec<Node> {
        let Some((first, rest)) = parts.split_first() else { return Vec::new() };
        let name = self.name(first, element, names::condition);
        let known = CONDITIONS.iter().find(|word| name.as_text() == Some(word.name));
        if known.is_some_and(|word| word.operators.is_empty()) {
            return with_name(name, without_placeholders(rest));
        }
        let Some((second, rest)) = rest.split_first() else { return vec![name] };
        let operator = second.text().and_then(names::operator);
        let mut operator_node = shape::node(second);
        if let Some(operator) = operator {
            operator_node.datum = Datum::Text(operator.name().to_owned());
        }
        let shape = shape::of_condition(name.as_text().unwrap_or_default(), operator);
        let rest = rest.iter().map(|value| shape.read(value)).collect();
        with_name(name, with_name(operator_node, rest))
    }

    fn action(&mut self, element: &Value, parts: &[Value]) -> Vec<Node> {
        let Some((first, rest)) = parts.split_first() else { return Vec::new() };
        let name = self.name(first, element, names::action);
        let word = name.as_text().unwrap_or_default();
        if ACTIONS.iter().any(|known| known.name == word && known.parameter.is_empty()) {
            return with_name(name, without_placeholders(rest));
        }
        if word == "Mark" {
            self.note_flags(element, rest);
        }
        let first = shape::of_action(word);
        let shapes = std::iter::once(first).chain(std::iter::repeat(Shape::Plain));
        let rest = rest.iter().zip(shapes).map(|(value, shape)| shape.read(value)).collect();
        with_name(name, rest)
    }

    /// A remark on each flag that the text has another word for.
    fn note_flags(&mut self, element: &Value, rest: &[Value]) {
        let line = self.faults.line(element.span.start);
        for (word, flag) in rest.iter().take(1).flat_map(shape::other_flags) {
            let text = format!("\"{word}\" is read as \"{flag}\"");
            self.notes.push(Warning { line, rule: self.rule.to_owned(), text });
        }
    }

    /// The literal name, and a remark if the text has another word for it.
    fn name(&mut self, value: &Value, element: &Value, find: fn(&str) -> Option<Named>) -> Node {
        let mut node = shape::node(value);
        let Some((word, named)) = value.text().and_then(|word| Some((word, find(word)?))) else {
            return node;
        };
        if named.is_other_word {
            let line = self.faults.line(element.span.start);
            let text = format!("\"{word}\" is read as \"{}\"", named.name);
            self.notes.push(Warning { line, rule: self.rule.to_owned(), text });
        }
        node.datum = Datum::Text(named.name.to_owned());
        node
    }
}

fn with_name(name: Node, rest: Vec<Node>) -> Vec<Node> {
    std::iter::once(name).chain(rest).collect()
}

/// What is left if it says something.
fn without_placeholders(rest: &[Value]) -> Vec<Node> {
    rest.iter().filter(|value| !value.is_placeholder()).map(shape::node).collect()
}
