//! A moment as an argument.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A day (its first moment, UTC) or a moment of RFC 3339.
pub(super) fn moment(text: &str) -> Result<OffsetDateTime, String> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    day.map(|day| day.midnight().assume_utc())
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339).map(|time| time.to_offset(UtcOffset::UTC)))
        .map_err(|_| "a time is written as 2027-03-01 or 2027-03-01T08:00:00Z".to_owned())
}

/// A moment, or what clocks show somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Everywhere the same.
    Moment(OffsetDateTime),
    /// In a zone that is not known yet.
    Local(PrimitiveDateTime),
}

/// A moment of RFC 3339, or without its offset, or a day (its first moment).
pub(super) fn when(text: &str) -> Result<When, String> {
    let local = format_description!(
        version = 2,
        "[year]-[month]-[day][first [T] [ ]][hour]:[minute][optional [:[second]]]"
    );
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).map(|day| day.midnight());
    let local = day.or_else(|_| PrimitiveDateTime::parse(text, local)).map(When::Local);
    local.or_else(|_| OffsetDateTime::parse(text, &Rfc3339).map(When::Moment)).map_err(|_| {
        "a time is written as 2027-03-01, 2027-03-01T08:00 (in the site's time-zone) or 2027-03-01T08:00:00Z"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn days_and_moments() {
        assert_eq!(moment("2026-11-25"), Ok(datetime!(2026-11-25 0:00 UTC)));
        assert_eq!(moment("2026-11-25T12:00:00+01:00"), Ok(datetime!(2026-11-25 11:00 UTC)));
        for wrong in ["", "today", "2026-02-30", "25.11.2026", "2026-11-25T12:00:00"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_says_no_offset_is_local() {
        let local = |at| Ok(When::Local(at));
        assert_eq!(when("2026-11-25"), local(datetime!(2026-11-25 0:00)));
        assert_eq!(when("2026-11-25T08:30"), local(datetime!(2026-11-25 8:30)));
        assert_eq!(when("2026-11-25 08:30:15"), local(datetime!(2026-11-25 8:30:15)));
        let moment = |at| Ok(When::Moment(at));
        assert_eq!(when("2026-11-25T12:00:00+01:00"), moment(datetime!(2026-11-25 12:00 +1)));
        assert_eq!(when("2026-11-25T12:00:00Z"), moment(datetime!(2026-11-25 12:00 UTC)));
        for wrong in ["", "today", "2026-02-30", "2026-11-25T25:00", "2026-11-25T", "2026-11-25 8"] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
    }
}
