//! Messages of which a field says how long they are.

use super::{CONTEXT, Open, Phase, Place, Splitter, Turn};
use crate::mail::header_fields;
use crate::mail::mbox::FromLine;
use memchr::memmem;

/// Whether a message ends at a place.
pub(super) enum Ending {
    /// It does; the next begins there, behind a line of that many octets, or nothing follows.
    Here(usize, Option<(FromLine, usize)>),
    /// Lines decide.
    Elsewhere,
    /// What follows decides.
    Unknown,
}

impl Splitter {
    /// Finds the end of the header. Where it is too far away to be counted from, lines decide.
    pub(super) fn header(&mut self, open: Open) -> Turn {
        let held = self.held.octets();
        let Some(body) = body_begins(held, self.looked) else {
            self.looked = held.len().saturating_sub(CONTEXT);
            if !self.ended && held.len() <= self.limit.min(self.hold) {
                return Turn::Wait;
            }
            return self.go_on(open, Phase::Lines);
        };
        let length = content_length(held.get(..body).unwrap_or_default());
        let end = length.and_then(|length| body.checked_add(length)).filter(|end| *end <= self.limit);
        self.go_on(open, end.map_or(Phase::Lines, Phase::Counted))
    }

    /// A length is believed where the message can end there. As long as that is not seen, the message goes on in pieces where no
    /// line says otherwise; if one does, all up to there must be held.
    pub(super) fn counted(&mut self, open: Open, end: usize) -> Turn {
        match self.ending(end) {
            Ending::Here(next, begins) => self.give(open, end, next, begins),
            Ending::Elsewhere => self.go_on(open, Phase::Lines),
            Ending::Unknown if self.is_too_much() && self.next_begin(true).is_none() => {
                self.begin_passing(open, Some(end))
            }
            Ending::Unknown => Turn::Wait,
        }
    }

    /// Can the message end there? A message begins, or nothing follows, just there or behind one empty line.
    pub(super) fn ending(&self, end: usize) -> Ending {
        let held = self.held.octets();
        let rest = held.get(end..).unwrap_or_default();
        if !self.ended && rest.len() < 2 {
            return Ending::Unknown;
        }
        let gap = if rest.starts_with(b"\r\n") { 2 } else { usize::from(rest.starts_with(b"\n")) };
        if self.ended && held.len() >= end && rest.len() == gap {
            return Ending::Here(end + gap, None);
        }
        match self.place(end + gap) {
            Place::Unknown => Ending::Unknown,
            Place::Nothing => Ending::Elsewhere,
            Place::Begins(from, line) => Ending::Here(end + gap, Some((from, line))),
        }
    }
}

/// Where the body begins, if the end of the header is there; looked for from `from` on.
fn body_begins(held: &[u8], from: usize) -> Option<usize> {
    if held.starts_with(b"\n") {
        return Some(1);
    }
    if held.starts_with(b"\r\n") {
        return Some(2);
    }
    let rest = held.get(from..)?;
    let lf = memmem::find(rest, b"\n\n").map(|at| from + at + 2);
    let seen = lf.map_or(rest, |end| held.get(from..end).unwrap_or(rest));
    let crlf = memmem::find(seen, b"\n\r\n").map(|at| from + at + 3);
    crlf.or(lf)
}

/// What the first `Content-Length` of a header says.
fn content_length(header: &[u8]) -> Option<usize> {
    let field = header_fields(header).find(|field| field.name().eq_ignore_ascii_case("Content-Length"))?;
    let digits = field.value().trim_ascii();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}
