//! What the options of a selection are written with.

use crate::cli::failure::{Code, Failure};
use crate::cli::filter;
use crate::cli::moment::{When, when};
use crate::cli::words::FingerprintPrefix;
use crate::cms::RecipientId;
use crate::directory::SqliteDirectory;
use crate::engine::{Clock, TimeZone};
use crate::pki::Fingerprint;
use crate::system::SystemClock;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use time::{Duration, OffsetDateTime};

/// A number, or one with K, M or G (of 1024).
pub(super) fn size(text: &str) -> Result<u64, String> {
    let units = [("K", 1u64 << 10), ("M", 1 << 20), ("G", 1 << 30)];
    let unit = units.iter().find_map(|&(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)));
    let (digits, unit) = unit.unwrap_or((text, 1));
    let number = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u64>().ok());
    let size = number.flatten().and_then(|number| number.checked_mul(unit));
    size.ok_or_else(|| "a size is written as 4096, 100K, 5M or 1G".to_owned())
}

/// An argument with its text.
#[derive(Debug, Clone)]
pub(super) struct Written<T>(pub(super) String, pub(super) T);

pub(super) fn written<T: std::str::FromStr<Err = String>>(text: &str) -> Result<Written<T>, String> {
    Ok(Written(text.to_owned(), text.parse()?))
}

/// A moment, or so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    At(When),
    Ago(Duration),
}

impl std::str::FromStr for Past {
    type Err = String;

    fn from_str(text: &str) -> Result<Past, String> {
        let units = [("d", 1), ("w", 7), ("y", 365)];
        let ago = units.iter().find_map(|&(suffix, days)| {
            let digits = text.strip_suffix(suffix)?;
            // A hundred thousand years are enough, and no sum of them overflows.
            let number =
                digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?;
            number.filter(|number| *number <= 100_000).map(|number| Duration::days(i64::from(number) * days))
        });
        match ago {
            Some(time) => Ok(Past::Ago(time)),
            None => when(text).map(Past::At).map_err(|error| format!("{error}, or as 30d, 6w or 1y ago")),
        }
    }
}

impl Past {
    /// With the days of that zone.
    pub(super) fn moment(self, zone: &TimeZone) -> Option<SystemTime> {
        let moment = match self {
            Past::At(When::Moment(at)) => at,
            Past::At(When::Local(shown)) => zone.moment(shown)?,
            Past::Ago(time) => SystemClock.now().checked_sub(time).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        };
        Some(moment.into())
    }
}

/// A certificate that is known here, or that in a file.
pub(super) fn certificate(
    text: &str,
    directory: &SqliteDirectory,
) -> Result<(Fingerprint, HashSet<RecipientId>), Failure> {
    let prefix = text.parse::<FingerprintPrefix>();
    if let (Ok(prefix), false) = (&prefix, Path::new(text).exists()) {
        let known = directory.certificates_beginning(prefix.digits())?;
        let fingerprints: Vec<Fingerprint> = known.keys().copied().collect();
        let one = prefix.among(&fingerprints).map_err(|failure| {
            Failure::new(failure.code, format!("--sealed-to {text}: {}", failure.text))
                .hint("of a certificate that nobody here has, name the file")
        })?;
        return Ok((
            one,
            known.into_iter().filter(|(key, _)| *key == one).flat_map(|(_, ids)| ids).collect(),
        ));
    }
    let [one] = &filter::certificates(&[PathBuf::from(text)])?[..] else {
        return Err(Failure::new(
            Code::Usage,
            format!("--sealed-to {text}: it holds more than one certificate"),
        ));
    };
    Ok((one.fingerprint(), one.recipient_ids().into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!((size("100K"), size("5M"), size("1G")), (Ok(100 << 10), Ok(5 << 20), Ok(1 << 30)));
        for wrong in ["", "K", "-1", "+1", "1.5M", "1k", "18446744073709551615K"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        let ago = |text: &str| text.parse::<Past>();
        assert_eq!(ago("30d"), Ok(Past::Ago(Duration::days(30))));
        assert_eq!(ago("6w"), Ok(Past::Ago(Duration::days(42))));
        assert_eq!(ago("1y"), Ok(Past::Ago(Duration::days(365))));
        for wrong in ["d", "1.5d", "-1d", "30 d", "100001y", "99999999999999999999d", "1m"] {
            assert!(ago(wrong).unwrap_err().ends_with(", or as 30d, 6w or 1y ago"), "{wrong}");
        }
        let long_ago = Past::Ago(Duration::days(365 * 100_000)).moment(&TimeZone::utc());
        assert_eq!(long_ago, Some(SystemTime::UNIX_EPOCH), "before any clock");
    }
}
