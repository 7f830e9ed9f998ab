//! Rules as the TOML that people write.

use super::Rule;
use super::datum::{Datum, Key, Node};

/// The rules in the order of the file.
pub(super) fn write<'r>(rules: impl Iterator<Item = &'r Rule>) -> String {
    rules.map(rule).collect::<Vec<_>>().join("\n")
}

fn rule(rule: &Rule) -> String {
    let (name, priority, comment, when, then) = rule.said();
    let mut text = format!("[[rule]]\nname = {}\npriority = {priority}\n", single_line(name));
    if !when.is_empty() {
        text.push_str(&list("when", &when));
    }
    text.push_str(&list("then", &then));
    if let Some(comment) = comment {
        text.push_str(&format!("comment = {}\n", string(comment)));
    }
    text
}

fn list(key: &str, elements: &[&Node]) -> String {
    if elements.is_empty() {
        return format!("{key} = []\n");
    }
    let lines: String = elements.iter().map(|element| format!("  {},\n", value(element))).collect();
    format!("{key} = [\n{lines}]\n")
}

fn value(node: &Node) -> String {
    match &node.datum {
        Datum::Text(text) => string(text),
        Datum::Integer(number) => number.to_string(),
        Datum::Date(date) => date.clone(),
        Datum::List(list) => format!("[{}]", list.iter().map(value).collect::<Vec<_>>().join(", ")),
        Datum::Table(table) => {
            let entry = |(key, node): &(Key, Node)| format!("{} = {}", bare_key(&key.name), value(node));
            format!("{{{}}}", table.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        // No rule holds it.
        Datum::Other(_) => "false".to_owned(),
    }
}

fn bare_key(name: &str) -> String {
    let is_bare = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
    match !name.is_empty() && name.bytes().all(is_bare) {
        true => name.to_owned(),
        false => single_line(name),
    }
}

/// Text of several lines stands on several lines.
fn string(text: &str) -> String {
    match text.trim_end_matches('\n').contains('\n') {
        true => format!("\"\"\"\n{}\"\"\"", escaped(text, true)),
        false => single_line(text),
    }
}

/// Literal where that spares a backslash.
fn single_line(text: &str) -> String {
    let is_literal = text.contains(['\\', '"']) && !text.contains(|c: char| c == '\'' || c.is_control());
    match is_literal {
        true => format!("'{text}'"),
        false => format!("\"{}\"", escaped(text, false)),
    }
}

fn escaped(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' if lines => out.push('\n'),
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}
