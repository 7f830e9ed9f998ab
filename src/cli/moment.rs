//! A moment as an argument.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

/// A day (its first moment, UTC) or a moment of RFC 3339.
pub(super) fn moment(text: &str) -> Result<OffsetDateTime, String> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    day.map(|day| day.midnight().assume_utc())
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339).map(|time| time.to_offset(UtcOffset::UTC)))
        .map_err(|_| "a time is written as 2027-03-01 or 2027-03-01T08:00:00Z".to_owned())
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
}
