//! The date of a `From ` line: ctime(3), RFC 5322, and what programs made of them.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// Zones that have a name (RFC 5322 4.3), in hours. Every other name counts as UTC, as the RFC says.
const ZONES: [(&str, i8); 8] =
    [("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7)];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Does the word begin a date?
pub(super) fn is_weekday(word: &str) -> bool {
    let word = word.strip_suffix(',').unwrap_or(word);
    WEEKDAYS.iter().any(|day| day.eq_ignore_ascii_case(word))
}

/// The moment that these words name, all of them: `Thu Nov 26 03:41:02 2026`, `Thu, 26 Nov 2026 03:41:02 +0100 (CET)`, zones
/// before or behind the year, seconds or none. The outer option: is it a date at all; the inner: is there such a day.
pub(super) fn read(words: &[&str]) -> Option<Option<OffsetDateTime>> {
    let (weekday, rest) = words.split_first()?;
    if !is_weekday(weekday) {
        return None;
    }
    let mut words = rest.iter().copied();
    let (first, second) = (words.next()?, words.next()?);
    let (month, day) = match (month(first), month(second)) {
        (Some(month), _) => (month, number(second, 1, 31)?),
        (None, Some(month)) => (month, number(first, 1, 31)?),
        (None, None) => return None,
    };
    let rest = Rest::read(words)?;
    Some(rest.moment(month, u8::try_from(day).ok()?))
}

/// Time, year and zone, in any order that was seen.
#[derive(Default)]
struct Rest {
    time: Option<(u8, u8, u8)>,
    year: Option<i32>,
    zone: Option<UtcOffset>,
}

impl Rest {
    fn read<'w>(words: impl Iterator<Item = &'w str>) -> Option<Rest> {
        let mut rest = Rest::default();
        for word in words {
            if let (None, Some(time)) = (rest.time, time(word)) {
                rest.time = Some(time);
            } else if let (None, Some(year)) = (rest.year, year(word)) {
                rest.year = Some(year);
            } else if let (None, Some(zone)) = (rest.zone, offset(word)) {
                rest.zone = Some(zone);
            } else if !is_zone_name(word) {
                return None;
            }
        }
        (rest.time.is_some() && rest.year.is_some()).then_some(rest)
    }

    fn moment(&self, month: Month, day: u8) -> Option<OffsetDateTime> {
        let (hour, minute, second) = self.time?;
        let date = Date::from_calendar_date(self.year?, month, day).ok()?;
        let time = Time::from_hms(hour, minute, second).ok()?;
        Some(date.with_time(time).assume_offset(self.zone.unwrap_or(UtcOffset::UTC)))
    }
}

fn month(word: &str) -> Option<Month> {
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(word))?;
    Month::try_from(u8::try_from(at + 1).ok()?).ok()
}

fn number(word: &str, least: u32, most: u32) -> Option<u32> {
    let is_number = (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|number| is_number && (least..=most).contains(number))
}

fn year(word: &str) -> Option<i32> {
    number(word, 1, 9999).filter(|_| word.len() == 4).and_then(|year| i32::try_from(year).ok())
}

/// `hh:mm` or `hh:mm:ss`; a leap second is the one before it.
fn time(word: &str) -> Option<(u8, u8, u8)> {
    let mut parts = word.split(':');
    let mut part = |most| number(parts.next()?, 0, most).and_then(|number| u8::try_from(number).ok());
    let (hour, minute) = (part(23)?, part(59)?);
    let second = if word.matches(':').count() == 2 { part(60)?.min(59) } else { 0 };
    parts.next().is_none().then_some((hour, minute, second))
}

/// `+0100` or a name that RFC 5322 gives a meaning.
fn offset(word: &str) -> Option<UtcOffset> {
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == word) {
        return UtcOffset::from_hms(*hours, 0, 0).ok();
    }
    let (sign, digits) = word.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = number(digits, 0, 2359).filter(|digits| word.len() == 5 && digits % 100 < 60)?;
    let (hours, minutes) = (i8::try_from(digits / 100).ok()?, i8::try_from(digits % 100).ok()?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

/// `MET`, `DST`, `UTC`, `(CET)`.
fn is_zone_name(word: &str) -> bool {
    let name = word.strip_prefix('(').and_then(|name| name.strip_suffix(')')).unwrap_or(word);
    (1..=5).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<Option<i64>> {
        let words: Vec<&str> = text.split_whitespace().collect();
        Some(read(&words)?.map(OffsetDateTime::unix_timestamp))
    }

    #[test]
    fn the_forms_that_were_seen() {
        let moment = Some(Some(1_795_664_462));
        for text in [
            "Thu Nov 26 03:41:02 2026",
            "thu nov 26 03:41:02 2026",
            "Thu Nov 26 03:41:02 UTC 2026",
            "Thu Nov 26 03:41:02 2026 +0000",
            "Thu Nov 26 03:41:02 XYZ 2026",
            "Thu Nov 26 03:41:02 MET DST 2026",
            "Thu Nov 26 04:41:02 +0100 2026",
            "Thu Nov 26 04:41:02 2026 +0100 (CET)",
            "Wed Nov 25 22:41:02 EST 2026",
            "Thu, 26 Nov 2026 03:41:02 +0000",
            "Thu, 26 Nov 2026 03:41:02 GMT",
            "Thu 26 Nov 2026 03:41:02",
        ] {
            assert_eq!(unix(text), moment, "{text}");
        }
        assert_eq!(unix("Thu Nov 26 03:41 2026"), Some(Some(1_795_664_460)));
        assert_eq!(unix("Thu Nov 26 03:41:60 2026"), Some(Some(1_795_664_519)));
        assert_eq!(unix("Thu Jan  1 00:00:00 1970"), Some(Some(0)));
    }

    #[test]
    fn a_day_that_there_is_not_is_a_date_without_a_moment() {
        assert_eq!(unix("Mon Feb 30 03:41:02 2026"), Some(None));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "Thu",
            "Thu Nov",
            "Nov 26 03:41:02 2026",
            "Thu Nov 26 2026",
            "Thu Nov 26 03:41:02",
            "Thu Nov 32 03:41:02 2026",
            "Thu Nov 26 24:00:00 2026",
            "Thu Nov 26 03:41:02:01 2026",
            "Thu Nov 26 3 2026",
            "Thu Nov 26 03:41:02 26",
            "Thu Nov 26 03:41:02 2026 we met",
            "Thu Nov 26 03:41:02 2026 +2460",
            "Thu Nov 26 03:41:02 2026 +ä00",
            "Thu Nov 26 03:41:02 2026 2027",
        ] {
            assert_eq!(unix(text), None, "{text}");
        }
    }
}
