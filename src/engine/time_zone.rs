//! The zone in which rules tell hours and days.

use jiff::Timestamp;
use time::{OffsetDateTime, UtcOffset};

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
}
