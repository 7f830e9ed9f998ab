//! How mail leaves the site.

use super::value;
use crate::engine::Submission;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

/// The bounds of RFC 5321 4.5.4.1 are four or five days; a month is what anybody waits.
const LONGEST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SHORTEST_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A server or a program; empty: none.
pub(super) fn to(given: &DeValue<'_>) -> Option<Option<Submission>> {
    match given.as_str()? {
        "" => Some(None),
        text => Submission::parse(text).map(Some),
    }
}

/// A name without control characters; empty: none.
pub(super) fn user(given: &DeValue<'_>) -> Option<Option<String>> {
    let text = given.as_str().filter(|text| !text.chars().any(char::is_control))?;
    Some(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A path with a leading `/`; empty: none.
pub(super) fn file(given: &DeValue<'_>) -> Option<Option<PathBuf>> {
    match given.as_str()? {
        "" => Some(None),
        path => Some(PathBuf::from(path)).filter(|path| path.is_absolute()).map(Some),
    }
}

/// A domain name or an address literal (RFC 5321 4.1.3); empty: none.
pub(super) fn helo(given: &DeValue<'_>) -> Option<Option<String>> {
    let text = given.as_str().filter(|text| text.len() <= 255)?;
    let fit = text.chars().all(|char| char.is_ascii_alphanumeric() || "-._:[]".contains(char));
    fit.then(|| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// From five minutes to thirty days.
pub(super) fn lifetime(given: &DeValue<'_>) -> Option<Duration> {
    let bounds = SHORTEST_LIFETIME..=LONGEST_LIFETIME;
    value::long_duration(given).filter(|time| bounds.contains(time))
}
