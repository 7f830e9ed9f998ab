//! Rules as array text: one rule a line, in the one form that every text with the same meaning comes to.

use super::data::{Value, What};
use super::moment;
use super::shape::{self, Shape, value};
use crate::rules::datum::{Key, Node};
use crate::rules::{Rule, names};
use encodify::base64;

/// The rules in the order of the file, in one array.
pub(in crate::rules) fn write<'r>(rules: impl Iterator<Item = &'r Rule>) -> String {
    let lines: Vec<String> = rules.map(|rule| format!("  {}", text(&array_of(rule)))).collect();
    if lines.is_empty() {
        return "()\n".to_owned();
    }
    format!("(\n{}\n)\n", lines.join(",\n"))
}

fn array_of(rule: &Rule) -> Value {
    let word = |text: &str| value(What::Text(text.to_owned()));
    let (name, priority, comment, when, then) = rule.said();
    let mut parts = vec![word(&priority.to_string()), word(name)];
    parts.push(value(What::Array(when.into_iter().map(condition).collect())));
    parts.push(value(What::Array(then.into_iter().map(action).collect())));
    parts.extend(comment.map(word));
    value(What::Array(parts))
}

fn condition(element: &Node) -> Value {
    let parts = element.as_list().unwrap_or_default();
    let word = |at: usize| parts.get(at).and_then(Node::as_text);
    let shape = shape::of_condition(word(0).unwrap_or_default(), word(1).and_then(names::operator));
    let shapes = [Shape::Plain, Shape::Plain].into_iter().chain(std::iter::repeat(shape));
    array(parts, shapes)
}

fn action(element: &Node) -> Value {
    let parts = element.as_list().unwrap_or_default();
    let word = parts.first().and_then(Node::as_text).unwrap_or_default();
    array(parts, [Shape::Plain, shape::of_action(word)].into_iter().chain(std::iter::repeat(Shape::Plain)))
}

fn array(parts: &[Node], shapes: impl Iterator<Item = Shape>) -> Value {
    value(What::Array(parts.iter().zip(shapes).map(|(part, shape)| shape.write(part)).collect()))
}

/// As deep as the value is, which the reader's limits bound.
fn text(value: &Value) -> String {
    match &value.what {
        What::Text(text) => word(text),
        What::Block(text) => format!("[{}]", base64::STANDARD.encode(text)),
        What::Number(number) => format!("#{number}"),
        What::Date(date) => format!("#T{}", moment::write(date)),
        What::Null | What::Other(_) => "#NULL#".to_owned(),
        What::Array(list) => format!("({})", list.iter().map(text).collect::<Vec<_>>().join(",")),
        What::Dictionary(entries) => {
            let entry = |(key, value): &(Key, Value)| format!("{}={};", word(&key.name), text(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<String>())
        }
    }
}

/// An atom where letters and digits are all, else a quoted string.
fn word(text: &str) -> String {
    if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\e"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_ascii_control() => quoted.push_str(&format!("\\{:03}", u32::from(control))),
            control if control.is_control() => quoted.push_str(&format!("\\u'{:X}'", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
