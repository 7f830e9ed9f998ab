//! The text of `Reply with`, `Reply to All with` and `React with`.

use super::{Action, Arguments};
use crate::rules::ReplyKind;
use crate::rules::reply_text::ReplyText;
use std::ops::Range;

pub(super) const PARAMETER: &str =
    "text; behind a leading + stand header fields, an empty line, then the text";

/// The marks that are expanded; `^^` is a circumflex.
pub(crate) const MARKS: [char; 6] = ['I', 'F', 'S', 'E', 'R', 'D'];

/// Reads the text. The action keeps it as it stands: whoever sends reads it again.
pub(super) fn reply(arguments: &mut Arguments<'_, '_>, kind: ReplyKind) -> Option<Action> {
    let (text, span) = arguments.text("a text")?;
    match ReplyText::parse(text) {
        Ok(read) => check(arguments, kind, &read, &span).then(|| Action::Reply(kind, text.to_owned())),
        Err(faults) => {
            faults.into_iter().for_each(|fault| arguments.faults.add(span.clone(), fault.text, fault.hint));
            None
        }
    }
}

fn check(arguments: &mut Arguments<'_, '_>, kind: ReplyKind, read: &ReplyText, span: &Range<usize>) -> bool {
    if kind == ReplyKind::React && read.addressees().next().is_none() {
        let text = format!("\"{}\" does not say who gets the mail", arguments.word);
        let hint =
            "begin with a field To behind a +: \"+To: desk@north.example\\nSubject: ^S\\n\\nMail from ^F.\"";
        arguments.faults.add(span.clone(), text, hint.to_owned());
        return false;
    }
    if read.body.trim().is_empty() {
        arguments.note(
            span,
            "the mail has no text: behind the header fields follows an empty line, then the text".to_owned(),
        );
    }
    for mark in unknown_marks(read) {
        let marks = MARKS.map(|mark| format!("^{mark}")).join(" ");
        arguments.note(span, format!("^{mark} stands for itself; the marks are {marks}, and ^^ for one ^"));
    }
    true
}

/// Letters behind a `^` that nothing is put in for, each once.
fn unknown_marks(read: &ReplyText) -> Vec<char> {
    let fields = read.fields.iter().map(|(_, value)| value);
    let mut unknown = Vec::new();
    for text in read.subject.iter().chain(fields).chain([&read.body]) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let mark = if character == '^' { characters.next() } else { None };
            let is_odd = |mark: &char| mark.is_alphabetic() && !MARKS.contains(mark);
            unknown.extend(mark.filter(is_odd));
        }
    }
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}
