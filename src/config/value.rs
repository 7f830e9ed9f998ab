//! Values of one key, read out of TOML. Nothing is what the key does not allow.

use crate::engine::{Choice, TimeZone};
use crate::mail::Address;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;

/// A word of a closed list.
pub(super) fn choice<C: Choice>(value: &DeValue<'_>) -> Option<C> {
    C::parse(value.as_str()?)
}

/// Words of a closed list, each once.
pub(super) fn choices<C: Choice>(value: &DeValue<'_>) -> Option<Vec<C>> {
    let mut chosen = Vec::new();
    for word in value.as_array()? {
        let word = choice(word.get_ref())?;
        if chosen.contains(&word) {
            return None;
        }
        chosen.push(word);
    }
    Some(chosen)
}

/// Bytes: a number, or a text with K, M or G (of 1024).
pub(super) fn size(value: &DeValue<'_>) -> Option<u64> {
    if let Some(number) = integer(value) {
        return Some(number).filter(|&size| size > 0);
    }
    size_of(value.as_str()?)
}

/// Bytes as a text: digits, and K, M or G (of 1024).
pub fn size_of(text: &str) -> Option<u64> {
    let (digits, unit) = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)]
        .iter()
        .find_map(|&(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .unwrap_or((text, 1));
    natural(digits)?.checked_mul(unit).filter(|&size| size > 0)
}

/// A text with s or m.
pub(super) fn duration(value: &DeValue<'_>) -> Option<Duration> {
    let text = value.as_str()?;
    let (digits, unit) = match text.strip_suffix('s') {
        Some(digits) => (digits, 1),
        None => (text.strip_suffix('m')?, 60),
    };
    Some(Duration::from_secs(natural(digits)?.checked_mul(unit)?))
}

/// A text with s, m, h or d.
pub(super) fn long_duration(value: &DeValue<'_>) -> Option<Duration> {
    let text = value.as_str()?;
    let units = [("h", 60 * 60), ("d", 24 * 60 * 60)];
    match units.iter().find_map(|&(suffix, unit)| Some((text.strip_suffix(suffix)?, unit))) {
        Some((digits, unit)) => Some(Duration::from_secs(natural(digits)?.checked_mul(unit)?)),
        None => duration(value),
    }
}

/// A whole number that is not negative.
pub(super) fn integer(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Digits and nothing else.
fn natural(digits: &str) -> Option<u64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// No character, or one printable ASCII character that is no letter or digit, nor means something in an address.
pub(super) fn delimiter(value: &DeValue<'_>) -> Option<Option<char>> {
    let mut chars = value.as_str()?.chars();
    match (chars.next(), chars.next()) {
        (None, _) => Some(None),
        (Some(char), None) if char.is_ascii_punctuation() && !"@.\"\\(),:;<>[]".contains(char) => {
            Some(Some(char))
        }
        _ => None,
    }
}

/// An address, or an empty text for none.
pub(super) fn address(value: &DeValue<'_>) -> Option<Option<Address>> {
    match value.as_str()? {
        "" => Some(None),
        text => Address::parse(text).ok().map(Some),
    }
}

/// A path whose only words in braces are `{local}` and `{domain}`, both in it, without `.` and `..`.
pub(super) fn template(value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str()?;
    let rest = text.replace("{local}", "").replace("{domain}", "");
    let plain = !rest.contains(['{', '}', '\0']);
    let levels = !text.split('/').any(|level| level == "." || level == "..");
    let both = text.contains("{local}") && text.contains("{domain}");
    (plain && levels && both).then(|| text.to_owned())
}

/// A zone by its name, or the machine's. A machine that tells none is in UTC. The file of the zone is asked for first: to
/// look for it as the library does is to list all there are.
pub(super) fn time_zone(given: &DeValue<'_>) -> Option<TimeZone> {
    match given.as_str()? {
        "system" => Some(machine_zone()),
        name => {
            let zone = file_of_zone(name).and_then(|file| read_zone(name, &file));
            zone.or_else(|| jiff::tz::TimeZone::get(name).ok()).map(TimeZone::new)
        }
    }
}

/// What `TZ` names (Postfix gives it on to its commands), or `/etc/localtime`.
fn machine_zone() -> TimeZone {
    let file = match std::env::var_os("TZ") {
        Some(name) => name.to_str().and_then(file_of_zone),
        None => Some(PathBuf::from("/etc/localtime")).filter(|_| !is_elsewhere()),
    };
    let zone = file.and_then(|file| read_zone("system", &file));
    TimeZone::new(zone.or_else(|| jiff::tz::TimeZone::try_system().ok()).unwrap_or(jiff::tz::TimeZone::UTC))
}

/// The zones of this machine lie where only the library looks.
fn is_elsewhere() -> bool {
    std::env::var_os("TZDIR").is_some()
}

/// Where a zone lies whose name is written as all are; nothing for other names, which the library may know.
fn file_of_zone(name: &str) -> Option<PathBuf> {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/_+-".contains(&octet);
    let is_plain = name.starts_with(|first: char| first.is_ascii_uppercase()) && name.bytes().all(plain);
    (is_plain && !is_elsewhere()).then(|| Path::new("/usr/share/zoneinfo").join(name))
}

/// Nothing if it is no file in the format of RFC 9636.
fn read_zone(name: &str, file: &Path) -> Option<jiff::tz::TimeZone> {
    jiff::tz::TimeZone::tzif(name, &std::fs::read(file).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_zone_is_one_of_the_database_or_the_machines() {
        let read = |text: &str| time_zone(DeValue::parse(text).unwrap().get_ref()).is_some();
        for name in ["\"system\"", "\"UTC\"", "\"Europe/Berlin\"", "'America/Argentina/Ushuaia'"] {
            assert!(read(name), "{name}");
        }
        for wrong in
            ["\"\"", "\"Europe/Berln\"", "\"+01:00\"", "\"CEST\"", "\"../../etc/passwd\"", "1", "[\"UTC\"]"]
        {
            assert!(!read(wrong), "{wrong}");
        }
    }

    /// Names that the quick way does not take are found all the same.
    #[test]
    fn a_zone_has_the_hours_that_the_library_knows() {
        let winter = time::macros::datetime!(2026-01-15 10:00 UTC);
        for name in ["UTC", "Europe/Berlin", "europe/berlin", "America/Argentina/Ushuaia", "Pacific/Chatham"]
        {
            let text = format!("\"{name}\"");
            let zone = time_zone(DeValue::parse(&text).unwrap().get_ref()).unwrap();
            let library = TimeZone::new(jiff::tz::TimeZone::get(name).unwrap());
            for months in 0..40 {
                let moment = winter + time::Duration::days(31 * months);
                assert_eq!(zone.local(moment).offset(), library.local(moment).offset(), "{name} {moment}");
            }
        }
        let system = TimeZone::new(jiff::tz::TimeZone::try_system().unwrap_or(jiff::tz::TimeZone::UTC));
        assert_eq!(machine_zone().local(winter).offset(), system.local(winter).offset());
    }

    #[test]
    fn a_wrong_zone_is_refused_with_what_is_allowed() {
        let faults = Config::parse("sealpost.toml", "time-zone = \"Europe/Berln\"\n").unwrap_err();
        assert_eq!(
            faults.to_string(),
            "sealpost.toml:1:13: time-zone = \"Europe/Berln\" is not allowed; \
             allowed: \"system\", or a name like \"Europe/Berlin\""
        );
    }
}
