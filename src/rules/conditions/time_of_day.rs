//! `Time Of Day`: what the clock shows in the site's zone.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::arguments::Arguments;
use crate::rules::warnings::{Left, Unit, compared};
use crate::rules::{Needs, Operator, ScopeKind};
use std::ops::Range;
use std::sync::Arc;
use time::OffsetDateTime;

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Time Of Day",
    operators: Operator::TIMES,
    scopes: ScopeKind::ALL,
    doc: "The hour and minute in the site's time zone. `in` takes ranges, each up to its end and without it; one may go over midnight.",
    example: r#"["Time Of Day", "in", ["22:00-06:00", "12:00-13:00"]]"#,
    parse: |arguments| {
        let operator = arguments.operator?;
        match operator {
            Operator::In => Some(Arc::new(Between(ranges(arguments)?))),
            _ => Some(Arc::new(Compared { operator, limit: minute(arguments)? })),
        }
    },
};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

#[derive(Debug)]
struct Compared {
    operator: Operator,
    limit: u16,
}

#[derive(Debug)]
struct Between(Vec<Span>);

/// Minutes from the begin up to the end, which is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    begin: u16,
    end: u16,
}

impl Span {
    fn contains(self, minute: u16) -> bool {
        match self.begin < self.end {
            true => (self.begin..self.end).contains(&minute),
            false => minute >= self.begin || minute < self.end,
        }
    }
}

impl Test for Compared {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        self.operator.compares(shown(evidence.facts.now, witness), self.limit)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.now = true;
    }
}

impl Test for Between {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        let minute = shown(evidence.facts.now, witness);
        self.0.iter().any(|span| span.contains(minute))
    }

    fn needs(&self, needs: &mut Needs) {
        needs.now = true;
    }
}

/// The minute of the day; the witness sees it as `hh:mm`.
fn shown(now: OffsetDateTime, witness: &mut dyn Witness) -> u16 {
    witness.value(&format_args!("{:02}:{:02}", now.hour(), now.minute()));
    u16::from(now.hour()) * 60 + u16::from(now.minute())
}

const TIME_HINT: &str = "two digits for the hour and two for the minute, from \"00:00\" to \"23:59\"";
const RANGE_HINT: &str = "begin and end, for example \"09:00-17:00\", \"22:00-06:00\" or \"18:00-24:00\"";

fn minute(arguments: &mut Arguments<'_, '_>) -> Option<u16> {
    let (text, span) = arguments.text("a time")?;
    let minute = read_minute(text);
    if minute.is_none() {
        arguments.faults.add(span, format!("\"{text}\" is no time of day"), TIME_HINT.to_owned());
    }
    minute
}

fn ranges(arguments: &mut Arguments<'_, '_>) -> Option<Vec<Span>> {
    let texts = arguments.filled_list("a range of times")?;
    let ranges: Vec<_> = texts.into_iter().map(|(text, span)| range(arguments, text, span)).collect();
    ranges.into_iter().collect()
}

fn range(arguments: &mut Arguments<'_, '_>, text: &str, place: Range<usize>) -> Option<Span> {
    let span = read_range(text);
    let fault = match span {
        None => format!("\"{text}\" is no range of times"),
        Some(Span { begin, end }) if begin == end => {
            format!("the range \"{text}\" ends where it begins; all of a day is \"00:00-24:00\"")
        }
        found => return found,
    };
    arguments.faults.add(place, fault, RANGE_HINT.to_owned());
    None
}

fn read_range(text: &str) -> Option<Span> {
    let (begin, end) = text.split_once('-')?;
    let end = if end == "24:00" { DAY } else { read_minute(end)? };
    Some(Span { begin: read_minute(begin)?, end })
}

/// The minutes that a comparison with a time leaves.
pub(in crate::rules) fn minutes_left(operator: Operator, text: &str) -> Option<Left> {
    let minute = i128::from(read_minute(text)?);
    let span = compared(operator, minute..minute + 1, 0..i128::from(DAY))?;
    Some(Left { unit: Unit::Minutes, span })
}

/// `hh:mm`
fn read_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |text: &str| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::testing::holds_at;
    use time::macros::datetime;

    fn holds(rest: &str, (hour, minute): (u8, u8)) -> bool {
        let now =
            datetime!(2026-07-01 00:00:59 +2).replace_hour(hour).unwrap().replace_minute(minute).unwrap();
        holds_at(&format!("[\"Time Of Day\", {rest}]"), now)
    }

    #[test]
    fn a_minute_is_a_minute_to_its_last_second() {
        for (rest, before, at, after) in [
            (r#""is", "09:30""#, false, true, false),
            (r#""less than", "09:30""#, true, false, false),
            (r#""greater than", "09:30""#, false, false, true),
        ] {
            let found = [(9, 29), (9, 30), (9, 31)].map(|time| holds(rest, time));
            assert_eq!(found, [before, at, after], "{rest}");
        }
    }

    #[test]
    fn a_range_has_its_begin_and_not_its_end() {
        let day = r#""in", "09:00-17:00""#;
        let found = [(8, 59), (9, 0), (16, 59), (17, 0)].map(|time| holds(day, time));
        assert_eq!(found, [false, true, true, false]);
        let night = r#""in", ["22:00-06:00"]"#;
        let found = [(21, 59), (22, 0), (23, 59), (0, 0), (5, 59), (6, 0)].map(|time| holds(night, time));
        assert_eq!(found, [false, true, true, true, true, false]);
        let two = r#""in", ["06:00-07:00", "18:00-24:00"]"#;
        let found = [(0, 0), (6, 30), (12, 0), (23, 59)].map(|time| holds(two, time));
        assert_eq!(found, [false, true, false, true]);
        assert!(holds(r#""in", "00:00-24:00""#, (0, 0)) && holds(r#""in", "00:00-24:00""#, (23, 59)));
        assert!(!holds(r#""in", "00:01-00:00""#, (0, 0)) && holds(r#""in", "00:01-00:00""#, (0, 1)));
    }

    #[test]
    fn a_time_is_written_with_four_digits() {
        assert_eq!(read_minute("00:00"), Some(0));
        assert_eq!(read_minute("23:59"), Some(DAY - 1));
        for wrong in
            ["", "9:30", "24:00", "09:60", "0930", "09:30:00", " 9:30", "+9:30", "09:3\u{663}", "09-30"]
        {
            assert_eq!(read_minute(wrong), None, "{wrong}");
        }
        for wrong in ["09:00", "09:00-", "-09:00", "24:00-06:00", "09:00-17:00-18:00", "09:00 - 17:00"] {
            assert_eq!(read_range(wrong), None, "{wrong}");
        }
    }
}
