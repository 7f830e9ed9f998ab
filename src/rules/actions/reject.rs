//! `Reject with`: the message is refused with 5.7.1 and a text.

use super::{Action, ActionWord, Arguments};
use crate::rules::{Class, ScopeKind};

pub(super) static WORD: ActionWord = ActionWord {
    name: "Reject with",
    parameter: "text for the sender",
    scopes: ScopeKind::ALL,
    class: Class::Filter,
    doc: "Refuses the message with 5.7.1 and that text; nothing is stored.",
    example: r#"["Reject with", "We take no programs by mail."]"#,
    parse,
};

/// A reply line of SMTP has 512 octets (RFC 5321 section 4.5.3.1.5), codes and line end included.
const LONGEST: usize = 480;

fn parse(arguments: &mut Arguments<'_, '_>) -> Option<Action> {
    let (raw, span) = arguments.text("a text for the sender")?;
    let line = one_line(raw);
    let text = without_status_codes(&line);
    if text.is_empty() || text.len() > LONGEST {
        let hint = format!("a text of 1 to {LONGEST} bytes besides the status code");
        arguments.faults.add(span, "\"Reject with\" needs a text that tells the sender why", hint);
        return None;
    }
    if text.len() != line.trim().len() {
        arguments
            .note(&span, "the status code in the text is left out: the answer is always 5.7.1".to_owned());
    }
    Some(Action::Reject(text.to_owned()))
}

/// The text of a rejection as a program gives it: one line without status codes in front, cut where a reply line ends.
/// Nothing if nothing is left.
pub fn rejection_text(raw: &str) -> Option<String> {
    let line = one_line(raw);
    let text = without_status_codes(&line);
    let fits = text.char_indices().take_while(|(at, char)| at + char.len_utf8() <= LONGEST);
    let cut: String = fits.map(|(_, char)| char).collect();
    Some(cut.trim_end().to_owned()).filter(|text| !text.is_empty())
}

fn one_line(raw: &str) -> String {
    let pieces: Vec<_> = raw.split(char::is_control).filter(|piece| !piece.is_empty()).collect();
    pieces.join(" ")
}

/// The text behind any status codes (`4.7.1`, `550 5.7.1`), which an MTA would obey in place of ours.
fn without_status_codes(text: &str) -> &str {
    let mut rest = text.trim();
    loop {
        let after_reply = reply_code(rest).unwrap_or(rest);
        match enhanced_code(after_reply) {
            Some(after) => rest = after.trim_start_matches([' ', ',', ':', ';', '-']),
            None => return rest,
        }
    }
}

/// What follows a reply code (RFC 5321 section 4.2), if the text begins with one.
fn reply_code(text: &str) -> Option<&str> {
    let (code, rest) = text.split_at_checked(3)?;
    let rest = rest.strip_prefix([' ', '-'])?;
    code.bytes().all(|byte| byte.is_ascii_digit()).then(|| rest.trim_start())
}

/// What follows an enhanced status code (RFC 3463 section 2), if the text begins with one.
fn enhanced_code(text: &str) -> Option<&str> {
    let rest = number(text.strip_prefix(['2', '4', '5'])?.strip_prefix('.')?)?;
    let rest = number(rest.strip_prefix('.')?)?;
    let goes_on = rest.starts_with(|next: char| next.is_alphanumeric() || next == '.');
    (!goes_on).then_some(rest)
}

/// What follows one to three digits.
fn number(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit());
    (1..=3).contains(&(text.len() - rest.len())).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, rejection_text};
    use crate::rules::Ending;
    use crate::rules::evaluate::testing::{faults, verdict};

    fn rejected(text: &str) -> String {
        match verdict(
            &format!("then = [[\"Store in\", \"A\"], [\"Reject with\", {}]]", toml::Value::from(text)),
            "\n",
        ) {
            v if !v.steps.is_empty() => panic!("{v:?}"),
            v => match v.ending {
                Ending::Reject(text) => text,
                other => panic!("{other:?}"),
            },
        }
    }

    #[test]
    fn a_status_code_cannot_turn_a_rejection_into_a_retry() {
        assert_eq!(rejected("4.7.1 x"), "x");
        assert_eq!(rejected("5.7.1 4.2.2 x"), "x");
        assert_eq!(rejected("  451 4.7.1 x"), "x");
        assert_eq!(rejected("451-4.7.1 x"), "x");
        assert_eq!(rejected("4.7.1\r\n4.7.1 x"), "x");
        assert_eq!(rejected("\r\n4.7.1 x"), "x");
        assert_eq!(rejected("4.7.1\tx"), "x");
        assert_eq!(rejected("4.7.1: x"), "x");
    }

    #[test]
    fn line_ends_and_control_characters_go() {
        assert_eq!(rejected("no\r\n250 2.0.0 ok"), "no 250 2.0.0 ok");
        assert_eq!(rejected("a\u{7f}b\tc"), "a b c");
    }

    #[test]
    fn numbers_that_are_no_codes_stay() {
        for text in
            ["200 messages a day are enough", "1.2.3 is too old", "5.6.7.8 is listed", "4.10 EUR", "554"]
        {
            assert_eq!(rejected(text), text);
        }
    }

    #[test]
    fn a_program_is_held_to_the_same() {
        assert_eq!(rejection_text("550 5.7.1 4.2.2 No.\t").as_deref(), Some("No."));
        assert_eq!(rejection_text(" 4.7.1 "), None);
        assert_eq!(rejection_text(&"ß".repeat(400)).map(|text| text.len()), Some(LONGEST));
        assert_eq!(
            rejection_text(&format!("x{}", "ß".repeat(400))).map(|text| text.len()),
            Some(LONGEST - 1)
        );
    }

    #[test]
    fn a_text_is_needed() {
        for text in ["", "4.7.1 ", "\r\n", &"x".repeat(481)] {
            let faults = faults(&format!("then = [[\"Reject with\", {text:?}]]"));
            assert_eq!(faults.faults()[0].text, "\"Reject with\" needs a text that tells the sender why");
        }
    }
}
