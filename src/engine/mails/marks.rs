//! `^I ^F ^S ^E ^R ^D` in the texts of automatic mail.

use super::Sending;
use crate::mail::{Message, one_line};
use crate::rules::MARKS;
use time::format_description::well_known::Rfc2822;

/// A text grows to this and no further; marks behind that bring nothing. Ours.
const LARGEST: usize = 256 << 10;

/// What the marks stand for: one line each, without anything that could begin another one.
pub(super) struct Marks {
    /// In the order of [`MARKS`].
    values: [String; MARKS.len()],
}

impl Marks {
    pub(super) fn of(sending: &Sending<'_>) -> Marks {
        let message = sending.message;
        let author = message.fields_named("From").flat_map(|field| field.mailboxes()).next();
        let now = || sending.at.format(&Rfc2822).unwrap_or_default();
        let values = [
            text_of(message, "Message-ID").unwrap_or_default(),
            author.map(|author| author.address).unwrap_or_default(),
            text_of(message, "Subject").unwrap_or_default(),
            sending.request.sender.clone().unwrap_or_default(),
            sending.author.as_sent.join(", "),
            text_of(message, "Date").unwrap_or_else(now),
        ];
        Marks { values: values.map(|value| one_line(&value)) }
    }

    /// The text with everything put in, each value through `escape`. `^^` is one circumflex; before any other letter it
    /// stands for itself.
    pub(super) fn expand(&self, text: &str, escape: fn(&str) -> String) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('^') {
            out.push_str(before);
            rest = after;
            let Some(mark) = after.chars().next() else {
                out.push('^');
                break;
            };
            let value = MARKS.iter().zip(&self.values).find(|(known, _)| **known == mark);
            match value {
                Some((_, value)) if out.len() < LARGEST => out.push_str(&escape(value)),
                Some(_) => {}
                None => out.push('^'),
            }
            if value.is_some() || mark == '^' {
                rest = after.get(mark.len_utf8()..).unwrap_or_default();
            }
        }
        out.push_str(rest);
        out
    }
}

/// The decoded text of the first field of that name.
pub(super) fn text_of(message: &Message<'_>, name: &str) -> Option<String> {
    message.fields_named(name).next().map(|field| field.text())
}

/// As it is.
pub(super) fn as_text(value: &str) -> String {
    value.to_owned()
}

/// For HTML, where the words of a stranger must be no markup.
pub(super) fn as_html(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for char in value.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks { values: MARKS.map(|mark| format!("<{mark}^S>")) }
    }

    #[test]
    fn marks_are_put_in_once() {
        let marks = marks();
        assert_eq!(marks.expand("^I^F ^S", as_text), "<I^S><F^S> <S^S>");
        assert_eq!(marks.expand("2^^3, ^^S, ^^^S", as_text), "2^3, ^S, ^<S^S>");
        assert_eq!(marks.expand("^s ^x ^ü ^ ^", as_text), "^s ^x ^ü ^ ^");
        assert_eq!(marks.expand("", as_text), "");
        assert_eq!(marks.expand("<p>^S", as_html), "<p>&lt;S^S&gt;");
    }

    #[test]
    fn a_text_of_marks_grows_to_a_limit() {
        let marks = Marks { values: MARKS.map(|_| "x".repeat(500)) };
        let out = marks.expand(&"^S".repeat(32 << 10), as_text);
        assert!(out.len() < LARGEST + 500, "{}", out.len());
    }

    #[test]
    fn html_has_no_markup_of_a_stranger() {
        assert_eq!(as_html("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }
}
