//! Dates in the three spellings that meet here: `#T22-10-2009_15:24:45` of the data syntax, `22 Oct 2009 15:24:45 +0200` of
//! real rules (RFC 5322 section 3.3 with the zone left out), and RFC 3339, in which the rule language has them.

use toml::value::Datetime;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What stands behind `#T`, in the words of RFC 3339. CommuniGate's times are UTC; RFC 3339 itself is taken too *(ours)*.
pub(super) fn read(text: &str) -> Option<String> {
    let communigate = || {
        let (day, time) = text.split_once('_').map_or((text, None), |(day, time)| (day, Some(time)));
        let mut parts = day.split('-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && (day.len(), month.len(), year.len()) == (2, 2, 4);
        let time = time.map_or(String::new(), |time| format!("T{time}Z"));
        is_whole.then(|| format!("{year}-{month}-{day}{time}"))
    };
    rfc3339(&communigate().unwrap_or_else(|| text.to_owned()))
}

/// A date of RFC 3339 as it stands behind `#T`.
pub(super) fn write(date: &str) -> String {
    let communigate = || {
        let (day, time) = date.split_at_checked(10)?;
        let (year, rest) = day.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let time = match time {
            "" => String::new(),
            time => format!("_{}", time.strip_prefix('T')?.strip_suffix('Z')?),
        };
        Some(format!("{day}-{month}-{year}{time}"))
    };
    let shorter = communigate().filter(|text| read(text).as_deref() == Some(date));
    shorter.unwrap_or_else(|| date.to_owned())
}

/// `[Thu,] 22 Oct 2009 [15:24[:45]] [+0200]` in the words of RFC 3339.
pub(super) fn from_mail_date(text: &str) -> Option<String> {
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let mut words = text.split_ascii_whitespace();
    let day: u8 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))? + 1;
    let year = words.next().filter(|year| year.len() == 4)?;
    let (time, zone) = (words.next().map(clock), words.next().map(offset));
    if words.next().is_some() {
        return None;
    }
    let time = time.map_or(Some(String::new()), |time| {
        Some(format!("T{}{}", time?, zone.unwrap_or(Some(String::new()))?))
    })?;
    rfc3339(&format!("{year}-{month:02}-{day:02}{time}"))
}

/// The spelling of real rules, if it says the same.
pub(super) fn to_mail_date(date: &str) -> Option<String> {
    let (day, rest) = date.split_at_checked(10)?;
    let mut parts = day.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
    let month = MONTHS.get(month.checked_sub(1)?)?;
    let rest = rest.strip_prefix('T').unwrap_or(rest);
    let (time, zone) = rest.split_at_checked(8).unwrap_or((rest, ""));
    let zone = if zone == "Z" { "+0000".to_owned() } else { zone.replace(':', "") };
    let text = format!("{day} {month} {year} {time} {zone}").trim_end().to_owned();
    (from_mail_date(&text).as_deref() == Some(date)).then_some(text)
}

fn clock(text: &str) -> Option<String> {
    match text.split(':').count() {
        2 => Some(format!("{text}:00")),
        3 => Some(text.to_owned()),
        _ => None,
    }
}

fn offset(text: &str) -> Option<String> {
    match text {
        "GMT" | "UTC" | "UT" | "Z" | "+0000" => Some("Z".to_owned()),
        _ => text.split_at_checked(3).map(|(hours, minutes)| format!("{hours}:{minutes}")),
    }
}

/// The same as TOML reads and shows it, if there is such a time.
fn rfc3339(text: &str) -> Option<String> {
    text.parse::<Datetime>().ok().map(|date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_data_syntax() {
        for (text, date) in [
            ("22-10-2009_15:24:45", "2009-10-22T15:24:45Z"),
            ("22-10-2009", "2009-10-22"),
            ("2009-10-22T15:24:45+02:00", "2009-10-22T15:24:45+02:00"),
            ("2009-10-22T15:24:45", "2009-10-22T15:24:45"),
            ("07:32:00", "07:32:00"),
        ] {
            assert_eq!(read(text).as_deref(), Some(date), "{text}");
            assert_eq!(write(date), text);
        }
        for wrong in ["", "31-02-2009", "22-10-2009_25:00:00", "22-10-09", "1-2-3-4", "22-10-2009_"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_as_real_rules_have_them() {
        for (text, date) in [
            ("11 Dec 2013 23:24:00", "2013-12-11T23:24:00"),
            ("01 Jan 2026", "2026-01-01"),
            ("22 Oct 2009 15:24:45 +0200", "2009-10-22T15:24:45+02:00"),
            ("22 Oct 2009 15:24:45 +0000", "2009-10-22T15:24:45Z"),
        ] {
            assert_eq!(from_mail_date(text).as_deref(), Some(date), "{text}");
            assert_eq!(to_mail_date(date).as_deref(), Some(text));
        }
        assert_eq!(from_mail_date("Thu, 2 oct 2009 15:24 GMT").as_deref(), Some("2009-10-02T15:24:00Z"));
        for wrong in [
            "2009-10-22",
            "tomorrow",
            "31 Feb 2009",
            "22 Oct 09",
            "22 Oct 2009 3pm",
            "22 Oct 2009 15:24 +1 x",
        ] {
            assert_eq!(from_mail_date(wrong), None, "{wrong}");
        }
        assert_eq!(to_mail_date("2009-10-22T15:24:45.5Z"), None);
        assert_eq!(to_mail_date("07:32:00"), None);
    }
}
