//! Conditions that never hold, always hold, or say less than they seem to. Only what can be proved.

use super::spans::Left;
use super::{Warning, warn};
use crate::rules::datum::Node;
use crate::rules::folded::Folded;
use crate::rules::model::Condition;
use crate::rules::picture::Picture;
use crate::rules::{Operator, Rule, Source};
use std::collections::{BTreeMap, BTreeSet};

/// All that is odd in the conditions of one rule.
pub(super) fn odd(rule: &Rule) -> Vec<Warning> {
    let mut warnings = repeated(rule);
    for condition in &rule.conditions {
        let texts = odd_pictures(condition).into_iter().chain(odd_list(condition));
        warnings.extend(texts.map(|text| warn(rule, condition.line, text)));
    }
    warnings.extend(contradiction(rule).map(|(line, text)| warn(rule, line, text)));
    warnings
}

/// The same condition once more.
fn repeated(rule: &Rule) -> Vec<Warning> {
    let mut lines = BTreeMap::new();
    let mut warnings = Vec::new();
    for condition in &rule.conditions {
        match lines.get(&condition.node) {
            Some(first) => {
                let text = format!("this condition stands in line {first} already");
                warnings.push(warn(rule, condition.line, text));
            }
            None => drop(lines.insert(&condition.node, condition.line)),
        }
    }
    warnings
}

/// The pictures of a condition; none if it has none. `#Name` names a dataset and is none.
fn pictures(condition: &Condition) -> Vec<&str> {
    let parameter = parameter(condition);
    let texts = match parameter.and_then(Node::as_list) {
        Some(list) => list.iter().filter_map(Node::as_text).collect(),
        None => Vec::from_iter(parameter.and_then(Node::as_text)),
    };
    texts.into_iter().filter(|text| !text.starts_with('#')).collect()
}

fn odd_pictures(condition: &Condition) -> Vec<String> {
    let odd = match condition.name {
        "From" | "Sender" | "Return-Path" | "To" | "Cc" | "Reply-To" | "Any To or Cc" | "Each To or Cc"
        | "Any Recipient" | "Each Recipient" => odd_address,
        "Header Field" => odd_field,
        "Preference" => odd_preference,
        "Message-ID" => odd_message_id,
        "Security" => odd_security,
        "Source" => odd_source,
        "Submit Address" => odd_client,
        _ => return Vec::new(),
    };
    pictures(condition).into_iter().filter_map(odd).collect()
}

/// What stands before the first star, and whether there is one.
fn before_star(picture: &str) -> (&str, bool) {
    let mut escaped = false;
    for (at, character) in picture.char_indices() {
        match character {
            '*' if !escaped => return (picture.get(..at).unwrap_or_default(), true),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    (picture, false)
}

/// A picture that no address can match, or addresses of strangers do.
fn odd_address(picture: &str) -> Option<String> {
    let (begin, star) = before_star(picture);
    if picture.is_empty() || picture.contains('@') {
        return None;
    }
    if !star {
        let meant = if picture.contains('.') { format!("*@{picture}") } else { format!("{picture}@*") };
        return Some(format!(
            "\"{picture}\" matches no address: it holds no @ and no *. Probably meant: \"{meant}\""
        ));
    }
    let end = picture.strip_prefix('*').filter(|_| begin.is_empty())?;
    let is_domain =
        end.starts_with(|first: char| first.is_alphanumeric()) && end.contains('.') && !end.contains('*');
    is_domain.then(|| {
        format!(
            "\"{picture}\" matches addresses at any domain that ends so, not{end} too. Probably meant: \"*@{end}\""
        )
    })
}

/// A picture that no header field matches.
fn odd_field(picture: &str) -> Option<String> {
    odd_pair(picture, "field", "Name: text")
}

/// A picture that no preference matches.
fn odd_preference(picture: &str) -> Option<String> {
    odd_pair(picture, "preference", "Name: value")
}

/// A picture that is no name with a text behind it.
fn odd_pair(picture: &str, what: &str, form: &str) -> Option<String> {
    let (begin, star) = before_star(picture);
    match begin.split_once(':') {
        None if star => None,
        None => {
            let text = format!("\"{picture}\" matches no {what}: a {what} is \"{form}\"");
            Some(format!("{text}. Probably meant: \"{picture}: *\""))
        }
        Some((_, after)) if after.starts_with(' ') || (after.is_empty() && star) => None,
        Some((name, after)) => {
            let rest = picture.get(name.len() + 1..).unwrap_or(after);
            let text = format!("\"{picture}\" matches no {what}: a blank follows the colon");
            Some(format!("{text}. Probably meant: \"{name}: {rest}\""))
        }
    }
}

/// A picture without a star that has not the brackets of an identifier.
fn odd_message_id(picture: &str) -> Option<String> {
    let (begin, star) = before_star(picture);
    let may_be = star || begin.is_empty() || (begin.starts_with('<') && begin.ends_with('>'));
    (!may_be).then(|| {
        let bare = picture.trim_matches(['<', '>']);
        format!(
            "\"{picture}\" matches no Message-ID: it stands in angle brackets. Probably meant: \"<{bare}>\""
        )
    })
}

/// A picture that no value of `Security` matches.
fn odd_security(picture: &str) -> Option<String> {
    const VALUES: [&str; 7] = [
        "",
        "signed",
        "encrypted",
        "encrypted-to-owner",
        "encrypted signed",
        "encrypted encrypted-to-owner",
        "encrypted signed encrypted-to-owner",
    ];
    odd_word(picture, VALUES, "encrypted, signed, encrypted-to-owner")
}

/// A picture that no value of `Source` matches.
fn odd_source(picture: &str) -> Option<String> {
    const ALL: [Source; 4] = [Source::Trusted, Source::Authenticated, Source::Lmtp, Source::Pipe];
    odd_word(picture, ALL.map(Source::name), &ALL.map(Source::name).join(", "))
}

/// A picture that matches none of all values.
fn odd_word<const N: usize>(picture: &str, values: [&str; N], words: &str) -> Option<String> {
    let compiled = Picture::compile(picture).ok()?;
    let matched = values.iter().any(|value| compiled.matches(&Folded::new(value)));
    (!matched).then(|| format!("\"{picture}\" matches nothing: the words are {words}"))
}

/// A picture that no value of `Submit Address` matches, which begins and ends as all do.
fn odd_client(picture: &str) -> Option<String> {
    let (begin, star) = before_star(picture);
    if picture.contains('\\') {
        return None;
    }
    let folded = begin.to_lowercase();
    let begins = ["lmtp [", "pipe ["].iter().any(|first| {
        let is_part = star && first.starts_with(&folded);
        is_part || folded.starts_with(first)
    });
    let ends = picture.ends_with([']', '*']);
    (!begins || !ends).then(|| {
        format!("\"{picture}\" matches nothing: a client is \"LMTP [192.0.2.1]\" or \"PIPE [192.0.2.1]\"")
    })
}

fn odd_list(condition: &Condition) -> Option<String> {
    let is_list = condition.operator.is_some_and(Operator::takes_list);
    let pictures = pictures(condition);
    if !is_list || pictures.len() < 2 {
        return None;
    }
    if pictures.iter().any(|picture| !picture.is_empty() && picture.bytes().all(|byte| byte == b'*')) {
        return Some("\"*\" in the list matches everything: the other pictures say nothing".to_owned());
    }
    let mut seen = BTreeSet::new();
    let twice = pictures.iter().find(|picture| !seen.insert(picture.to_lowercase()))?;
    Some(format!("\"{twice}\" stands in the list twice"))
}

/// A condition that holds for no message the others of its rule hold for: where it stands, and why.
fn contradiction(rule: &Rule) -> Option<(usize, String)> {
    let empty = |condition: &&Condition| Left::of(condition).is_some_and(|left| left.is_empty());
    if let Some(never) = rule.conditions.iter().find(empty) {
        let text = match never.name {
            "Time Of Day" => "the rule never matches: a day goes from 00:00 to 23:59",
            _ => "the rule never matches: no size is less than 0",
        };
        return Some((never.line, text.to_owned()));
    }
    let read: Vec<(&Condition, Option<Left>)> =
        rule.conditions.iter().map(|condition| (condition, Left::of(condition))).collect();
    let conflict = |(at, second): (usize, &(&Condition, Option<Left>))| {
        let (first, _) = read.get(..at)?.iter().find(|first| contradict(first, second))?;
        let (second, _) = second;
        let line = first.line;
        let text = format!("the rule never matches: this condition contradicts the one in line {line}");
        let midnight = ". Over midnight goes [\"Time Of Day\", \"in\", [\"22:00-06:00\"]]";
        let hint = if second.name == "Time Of Day" { midnight } else { "" };
        Some((second.line, format!("{text}{hint}")))
    };
    read.iter().enumerate().find_map(conflict)
}

fn contradict((one, left): &(&Condition, Option<Left>), (other, right): &(&Condition, Option<Left>)) -> bool {
    let apart = match (left, right) {
        (Some(left), Some(right)) => left.excludes(right),
        _ => false,
    };
    let exclude = |one, other| is_opposite(one, other) || is_no_human(one, other);
    apart || exclude(one, other) || exclude(other, one)
}

/// `is` and `is not`, or `in` and `not in`, of the same pictures, where the one is the opposite of the other: not where
/// several addresses are asked one by one.
fn is_opposite(one: &Condition, other: &Condition) -> bool {
    const WHOLE: [&str; 9] = [
        "From",
        "Sender",
        "Return-Path",
        "Subject",
        "Message-ID",
        "'From' Name",
        "Header Field",
        "Security",
        "Message Size",
    ];
    let operators = (one.operator, other.operator);
    let opposed = matches!(
        operators,
        (Some(Operator::Is), Some(Operator::IsNot)) | (Some(Operator::In), Some(Operator::NotIn))
    );
    opposed && one.name == other.name && WHOLE.contains(&one.name) && parameter(one) == parameter(other)
}

fn parameter(condition: &Condition) -> Option<&Node> {
    condition.node.as_list()?.get(2)
}

/// No human writes with the null sender.
fn is_no_human(one: &Condition, other: &Condition) -> bool {
    let is_null = one.name == "Return-Path" && one.operator == Some(Operator::Is) && pictures(one) == [""];
    is_null && other.name == "Human Generated"
}

#[cfg(test)]
mod tests {
    use crate::rules::{RuleSet, ScopeKind};

    fn warnings(when: &str) -> Vec<String> {
        let text = format!(
            "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [\n{when}\n]\nthen = [[\"Mark\", \"Seen\"]]\n"
        );
        let set = RuleSet::from_toml("f.toml", &text, ScopeKind::Account)
            .unwrap_or_else(|faults| panic!("{faults}"));
        let told = |warning: crate::rules::Warning| format!("{}: {}", warning.line, warning.text);
        set.warnings().into_iter().map(told).collect()
    }

    #[test]
    fn what_is_meant_is_left_alone() {
        for when in [
            r#"["From", "in", ["*@north.example", "*.north.example", "*north*", "a@*", "*"]]"#,
            r#"["Return-Path", "is", ""]"#,
            r#"["Subject", "is", "invoice"]"#,
            r#"["From", "is", "a\\*@b"]"#,
            r#"["Header Field", "in", ["X-Spam: *", "X-Spam*", "*spam*", "X-Spam:*", "List-Id: x"]]"#,
            r#"["Security", "in", ["", "*signed*", "encrypted*", "ENCRYPTED"]]"#,
            r#"["Message Size", "greater than", "1K"], ["Message Size", "less than", "2K"]"#,
            r#"["Message Size", "greater than", 5], ["Message Size", "less than", 7]"#,
            r#"["To", "is", "a@b.example"], ["To", "is not", "a@b.example"]"#,
            r#"["From", "is", "a@b.example"], ["From", "is not", "*@b.example"]"#,
            r#"["Return-Path", "is", ""], ["Header Field", "is", "Auto-Submitted: *"]"#,
            r#"["Source", "in", ["LMTP", "p*", "authenticated"]]"#,
            r#"["Submit Address", "in", ["lmtp [192.0.2.*]", "*", "*192.0.2.*", "P*", "PIPE [::1]", "* [192.0.2.1]"]]"#,
            r#"["Message-ID", "in", ["<1@b.example>", "*@b.example>", "1@*"]]"#,
            r#"["Preference", "in", ["Language: de*", "Language:*", "*de*"]]"#,
            r#"["Time Of Day", "greater than", "08:59"], ["Time Of Day", "less than", "17:00"]"#,
            r#"["Time Of Day", "greater than", "08:00"], ["Time Of Day", "less than", "08:02"]"#,
            r#"["Current Date", "greater than", "2026-12-23"], ["Current Date", "less than", "2026-12-25"]"#,
            r#"["Current Date", "greater than", 2026-12-24T10:00:00], ["Current Date", "less than", 2026-12-24T10:00:02]"#,
            r#"["Current Date", "greater than", 2026-12-25], ["Current Date", "less than", "2026-12-24T00:00:00Z"]"#,
        ] {
            // Two of the same are alike and not the same.
            assert_eq!(
                warnings(when).len(),
                usize::from(when.contains("\"*\"]]") || when.contains("\"*\", \"*1")),
                "{when}: {:?}",
                warnings(when)
            );
        }
    }

    #[test]
    fn pictures_of_addresses() {
        for (when, text) in [
            (
                r#"["From", "is", "north.example"]"#,
                "5: \"north.example\" matches no address: it holds no @ and no *. Probably meant: \"*@north.example\"",
            ),
            (
                r#"["Any Recipient", "in", ["bob", "ann@north.example"]]"#,
                "5: \"bob\" matches no address: it holds no @ and no *. Probably meant: \"bob@*\"",
            ),
            (
                r#"["To", "is not", "*north.example"]"#,
                "5: \"*north.example\" matches addresses at any domain that ends so, notnorth.example too. Probably \
                 meant: \"*@north.example\"",
            ),
        ] {
            assert_eq!(warnings(when), [text], "{when}");
        }
    }

    #[test]
    fn pictures_of_fields_and_of_security() {
        for (when, text) in [
            (
                r#"["Header Field", "is", "X-Spam"]"#,
                "5: \"X-Spam\" matches no field: a field is \"Name: text\". Probably meant: \"X-Spam: *\"",
            ),
            (
                r#"["Header Field", "in", ["X-Spam:yes*"]]"#,
                "5: \"X-Spam:yes*\" matches no field: a blank follows the colon. Probably meant: \"X-Spam: yes*\"",
            ),
            (
                r#"["Source", "is", "smtp"]"#,
                "5: \"smtp\" matches nothing: the words are trusted, authenticated, lmtp, pipe",
            ),
            (
                r#"["Submit Address", "is", "192.0.2.1"]"#,
                "5: \"192.0.2.1\" matches nothing: a client is \"LMTP [192.0.2.1]\" or \"PIPE [192.0.2.1]\"",
            ),
            (
                r#"["Submit Address", "in", ["SMTP [*"]]"#,
                "5: \"SMTP [*\" matches nothing: a client is \"LMTP [192.0.2.1]\" or \"PIPE [192.0.2.1]\"",
            ),
            (
                r#"["Submit Address", "is not", "*192.0.2.1"]"#,
                "5: \"*192.0.2.1\" matches nothing: a client is \"LMTP [192.0.2.1]\" or \"PIPE [192.0.2.1]\"",
            ),
            (
                r#"["Message-ID", "is", "1@b.example"]"#,
                "5: \"1@b.example\" matches no Message-ID: it stands in angle brackets. Probably meant: \"<1@b.example>\"",
            ),
            (
                r#"["Preference", "is", "Language"]"#,
                "5: \"Language\" matches no preference: a preference is \"Name: value\". Probably meant: \"Language: *\"",
            ),
            (
                r#"["Preference", "is", "Language:de"]"#,
                "5: \"Language:de\" matches no preference: a blank follows the colon. Probably meant: \"Language: de\"",
            ),
            (
                r#"["Security", "is", "encrypted to owner"]"#,
                "5: \"encrypted to owner\" matches nothing: the words are encrypted, signed, encrypted-to-owner",
            ),
        ] {
            assert_eq!(warnings(when), [text], "{when}");
        }
    }

    #[test]
    fn lists() {
        for (when, text) in [
            (r#"["Subject", "in", ["a", "b", "A"]]"#, "5: \"A\" stands in the list twice"),
            (
                r#"["Subject", "not in", ["a", "*"]]"#,
                "5: \"*\" in the list matches everything: the other pictures say nothing",
            ),
        ] {
            assert_eq!(warnings(when), [text], "{when}");
        }
    }

    #[test]
    fn conditions_that_say_the_same_or_the_opposite() {
        let never = "6: the rule never matches: this condition contradicts the one in line 5";
        for (when, text) in [
            ("[\"Human Generated\"],\n[\"Human Generated\"]", "6: this condition stands in line 5 already"),
            ("[\"Message Size\", \"less than\", 5],\n[\"Message Size\", \"greater than\", 4]", never),
            ("[\"Message Size\", \"is\", \"1K\"],\n[\"Message Size\", \"less than\", 1024]", never),
            ("[\"Subject\", \"is\", \"x\"],\n[\"Subject\", \"is not\", \"x\"]", never),
            ("[\"Subject\", \"not in\", [\"x\"]],\n[\"Subject\", \"in\", [\"x\"]]", never),
            ("[\"Human Generated\"],\n[\"Return-Path\", \"is\", \"\"]", never),
            (
                "[\"Current Date\", \"greater than\", \"2026-12-24\"],\n[\"Current Date\", \"less than\", 2026-12-25]",
                never,
            ),
            (
                "[\"Current Date\", \"less than\", 2026-12-24T10:00:01],\n[\"Current Date\", \"greater than\", 2026-12-24T10:00:00]",
                never,
            ),
            (
                "[\"Current Date\", \"less than\", \"2026-12-24T10:00:00Z\"],\n[\"Current Date\", \"greater than\", \"2026-12-24T11:00:00+01:00\"]",
                never,
            ),
            (
                "[\"Time Of Day\", \"greater than\", \"22:00\"],\n[\"Time Of Day\", \"less than\", \"06:00\"]",
                &format!("{never}. Over midnight goes [\"Time Of Day\", \"in\", [\"22:00-06:00\"]]"),
            ),
            (
                "[\"Time Of Day\", \"less than\", \"00:00\"]",
                "5: the rule never matches: a day goes from 00:00 to 23:59",
            ),
            ("[\"Message Size\", \"less than\", 0]", "5: the rule never matches: no size is less than 0"),
        ] {
            assert_eq!(warnings(when), [text], "{when}");
        }
    }
}
