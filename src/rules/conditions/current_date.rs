//! `Current Date`: the day or the moment at which the message is looked at.

use super::{ConditionWord, Evidence, Test, Witness};
use crate::rules::arguments::Arguments;
use crate::rules::warnings::{Left, Unit, compared};
use crate::rules::{Needs, Operator, ScopeKind};
use std::sync::Arc;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

pub(super) static WORD: ConditionWord = ConditionWord {
    name: "Current Date",
    operators: Operator::ORDER,
    scopes: ScopeKind::ALL,
    doc: "Today or now against a date or a date with time (RFC 3339); without an offset it is meant in the site's time zone. A day is neither less nor greater than itself.",
    example: r#"["Current Date", "less than", "2027-01-07"]"#,
    parse: |arguments| {
        let operator = arguments.operator?;
        Some(Arc::new(CurrentDate { operator, limit: limit(arguments)? }))
    },
};

#[derive(Debug)]
struct CurrentDate {
    operator: Operator,
    limit: Limit,
}

/// What the present is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// A day of the calendar in the site's zone.
    Day(Date),
    /// What a clock in the site's zone shows. In the hour that comes twice in autumn it is the same at both times.
    Clock(PrimitiveDateTime),
    /// A moment, the same in every zone.
    Moment(OffsetDateTime),
}

impl Test for CurrentDate {
    fn holds(&self, evidence: &Evidence<'_>, witness: &mut dyn Witness) -> bool {
        // What a second brings counts no more than what a day brings where a day is given.
        let now = evidence.facts.now.replace_nanosecond(0).unwrap_or(evidence.facts.now);
        witness.value(&now.format(&Rfc3339).unwrap_or_default());
        match self.limit {
            Limit::Day(day) => self.operator.compares(now.date(), day),
            Limit::Clock(shown) => {
                self.operator.compares(PrimitiveDateTime::new(now.date(), now.time()), shown)
            }
            Limit::Moment(moment) => self.operator.compares(now, moment),
        }
    }

    fn needs(&self, needs: &mut Needs) {
        needs.now = true;
    }
}

fn limit(arguments: &mut Arguments<'_, '_>) -> Option<Limit> {
    let (text, span) = arguments.date()?;
    let limit = read_limit(text);
    if limit.is_none() {
        let hint = "RFC 3339: \"2026-12-24\", \"2026-12-24T18:00:00\" or \"2026-12-24T18:00:00+01:00\"";
        arguments.faults.add(span, format!("\"{text}\" is no date"), hint.to_owned());
    }
    limit
}

/// The seconds that a comparison with a date leaves. The present has no parts of a second.
pub(in crate::rules) fn date_left(operator: Operator, text: &str) -> Option<Left> {
    const SECOND: i128 = 1_000_000_000;
    let seconds = |nanoseconds: i128| {
        let begin = nanoseconds.div_euclid(SECOND);
        // Between two seconds there is no present: what is greater begins with the next, what is less ends before it.
        match nanoseconds.rem_euclid(SECOND) {
            0 => begin..begin + 1,
            _ => begin + 1..begin + 1,
        }
    };
    let (unit, one) = match read_limit(text)? {
        Limit::Day(day) => {
            let begin = i128::from(day.midnight().assume_utc().unix_timestamp());
            (Unit::ClockSeconds, begin..begin + 86_400)
        }
        Limit::Clock(shown) => (Unit::ClockSeconds, seconds(shown.assume_utc().unix_timestamp_nanos())),
        Limit::Moment(moment) => (Unit::Seconds, seconds(moment.unix_timestamp_nanos())),
    };
    let span = compared(operator, one, i128::MIN..i128::MAX)?;
    Some(Left { unit, span })
}

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const CLOCK: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second][optional [.[subsecond]]]");

fn read_limit(text: &str) -> Option<Limit> {
    // A sign is no part of RFC 3339, and `time` reads one.
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(())?;
    let (day, rest) = text.split_at_checked("2026-12-24".len())?;
    if rest.is_empty() {
        return Date::parse(day, DATE).ok().map(Limit::Day);
    }
    // RFC 3339 5.6: in lower case too, and with a space for people.
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let text = format!("{day}T{}", clock.to_ascii_uppercase());
    let moment = OffsetDateTime::parse(&text, &Rfc3339).ok().map(Limit::Moment);
    moment.or_else(|| PrimitiveDateTime::parse(&text, CLOCK).ok().map(Limit::Clock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::testing::holds_at;
    use time::macros::datetime;

    fn less_and_greater(limit: &str, now: OffsetDateTime) -> (bool, bool) {
        let holds = |operator: &str| holds_at(&format!("[\"Current Date\", \"{operator}\", {limit}]"), now);
        (holds("less than"), holds("greater than"))
    }

    #[test]
    fn a_day_is_neither_less_nor_greater_than_itself() {
        for day in ["\"2026-12-24\"", "2026-12-24"] {
            assert_eq!(less_and_greater(day, datetime!(2026-12-23 23:59:59 +1)), (true, false));
            assert_eq!(less_and_greater(day, datetime!(2026-12-24 00:00 +1)), (false, false));
            assert_eq!(less_and_greater(day, datetime!(2026-12-24 23:59:59 +1)), (false, false));
            assert_eq!(less_and_greater(day, datetime!(2026-12-25 00:00 +1)), (false, true));
        }
    }

    #[test]
    fn a_moment_is_the_same_everywhere_and_a_clock_is_the_sites() {
        for text in ["2026-12-24T18:00:00+01:00", "2026-12-24t17:00:00z", "2026-12-24 17:00:00Z"] {
            let quoted = format!("\"{text}\"");
            assert_eq!(less_and_greater(&quoted, datetime!(2026-12-24 11:59:59 -5)), (true, false));
            assert_eq!(less_and_greater(&quoted, datetime!(2026-12-24 12:00:00 -5)), (false, false));
            assert_eq!(less_and_greater(text, datetime!(2026-12-24 12:00:01 -5)), (false, true));
        }
        for text in ["\"2026-12-24T18:00:00\"", "2026-12-24T18:00:00", "\"2026-12-24 18:00:00.000\""] {
            assert_eq!(less_and_greater(text, datetime!(2026-12-24 17:59:59 -5)), (true, false));
            assert_eq!(less_and_greater(text, datetime!(2026-12-24 18:00:00 -5)), (false, false));
            assert_eq!(less_and_greater(text, datetime!(2026-12-24 18:00:01 +1)), (false, true));
        }
    }

    #[test]
    fn a_second_is_neither_less_nor_greater_than_itself() {
        for limit in ["2026-12-24T18:00:00", "2026-12-24T17:00:00Z"] {
            assert_eq!(less_and_greater(limit, datetime!(2026-12-24 18:00:00.9 +1)), (false, false));
        }
    }

    #[test]
    fn what_is_no_date_of_rfc_3339() {
        for wrong in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-1-01",
            "24.12.2026",
            "+2026-12-24",
            "-026-12-24",
            "2026-12-24T",
            "2026-12-24T18:00",
            "2026-12-24T18:00:00+1",
            "2026-12-24T25:00:00Z",
            "2026-12-24x",
            "2026-12-24  18:00:00",
            "2026-12-2\u{663}",
            "12:00:00",
        ] {
            assert_eq!(read_limit(wrong), None, "{wrong}");
        }
        assert!(read_limit("2028-02-29").is_some());
    }
}
