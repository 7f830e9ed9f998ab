//! The zone in which rules tell hours and days.

use jiff::Timestamp;
use jiff::civil;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A zone of the IANA database, with the rules of its past and future.
#[derive(Debug, Clone)]
pub struct TimeZone(jiff::tz::TimeZone);

impl TimeZone {
    /// Coordinated universal time.
    pub fn utc() -> TimeZone {
        TimeZone(jiff::tz::TimeZone::UTC)
    }

    /// A zone that was read by whoever may read files.
    pub fn new(zone: jiff::tz::TimeZone) -> TimeZone {
        TimeZone(zone)
    }

    /// The moment as clocks there show it.
    pub fn local(&self, at: OffsetDateTime) -> OffsetDateTime {
        let known = Timestamp::from_second(at.unix_timestamp()).ok();
        let seconds = known.map_or(0, |moment| self.0.to_offset(moment).seconds());
        at.to_offset(UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC))
    }

    /// The moment at which clocks there show this: of two the earlier; of none, because they were put forward, what they
    /// would have shown (RFC 5545 section 3.3.5). Nothing for years that no zone knows.
    pub fn moment(&self, shown: PrimitiveDateTime) -> Option<OffsetDateTime> {
        let year = i16::try_from(shown.year()).ok()?;
        let small = |number: u8| i8::try_from(number).ok();
        let (month, day) = (small(shown.month().into())?, small(shown.day())?);
        let (hour, minute, second) = (small(shown.hour())?, small(shown.minute())?, small(shown.second())?);
        let shown = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        let moment = self.0.to_ambiguous_timestamp(shown).compatible().ok()?;
        OffsetDateTime::from_unix_timestamp(moment.as_second()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn summer_and_winter_have_their_own_hours() {
        let zone = TimeZone::new(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(zone.local(datetime!(2026-07-01 10:00 UTC)).hour(), 12);
        assert_eq!(zone.local(datetime!(2026-12-31 23:30 UTC)), datetime!(2027-01-01 00:30 +1));
        assert_eq!(TimeZone::utc().local(datetime!(2026-07-01 10:00 +3)).hour(), 7);
    }

    #[test]
    fn what_clocks_show_is_a_moment() {
        let zone = TimeZone::new(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(zone.moment(datetime!(2026-07-01 12:00)), Some(datetime!(2026-07-01 10:00 UTC)));
        assert_eq!(zone.moment(datetime!(2026-12-19 00:00:30)), Some(datetime!(2026-12-18 23:00:30 UTC)));
        assert_eq!(zone.moment(datetime!(2026-10-25 02:30)), Some(datetime!(2026-10-25 00:30 UTC)), "twice");
        assert_eq!(zone.moment(datetime!(2026-03-29 02:30)), Some(datetime!(2026-03-29 01:30 UTC)), "never");
        let first = datetime!(-9999-01-01 00:00);
        assert_eq!(zone.moment(first), None, "before the first second that is known");
    }
}
