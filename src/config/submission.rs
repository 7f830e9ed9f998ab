//! How mail leaves the site.

use super::keys::Key;
use super::value;
use crate::engine::{Choice, Submission, SubmissionTls};
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

/// The bounds of RFC 5321 4.5.4.1 are four or five days; a month is what anybody waits.
const LONGEST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SHORTEST_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// `submission`
pub(super) const TO: Key = Key {
    name: "submission",
    doc: "where mail goes that rules send; without it such a rule makes the sender try again",
    default: "\"\"",
    allowed: || Submission::ALLOWED.into(),
    read: |config, given| {
        config.submission.to = to(given)?;
        Some(())
    },
};

/// `submission-tls`
pub(super) const TLS: Key = Key {
    name: "submission-tls",
    doc: "must the way there be encrypted? \"auto\": \"require\", but \"none\" on this machine; \"opportunistic\" can be taken away",
    default: "\"auto\"",
    allowed: SubmissionTls::allowed,
    read: |config, given| {
        config.submission.tls = value::choice(given)?;
        Some(())
    },
};

/// `submission-user`
pub(super) const USER: Key = Key {
    name: "submission-user",
    doc: "who logs in there, never without TLS; empty: nobody",
    default: "\"\"",
    allowed: || "a name, or \"\"".into(),
    read: |config, given| {
        config.submission.user = user(given)?;
        Some(())
    },
};

/// `submission-password-file`
pub(super) const PASSWORD_FILE: Key = Key {
    name: "submission-password-file",
    doc: "the first line of this file is the password; nobody but the owner of the store may read it",
    default: "\"\"",
    allowed: || "a path with a leading /, or \"\"".into(),
    read: |config, given| {
        config.submission.password_file = file(given)?;
        Some(())
    },
};

/// `submission-helo`
pub(super) const HELO: Key = Key {
    name: "submission-helo",
    doc: "how this machine greets there; empty: by its own name",
    default: "\"\"",
    allowed: || "a domain name or an address in brackets, or \"\"".into(),
    read: |config, given| {
        config.submission.helo = helo(given)?;
        Some(())
    },
};

/// `queue-lifetime`
pub(super) const LIFETIME: Key = Key {
    name: "queue-lifetime",
    doc: "a mail that could not be sent in this time has failed, and waits for a person",
    default: "\"5d\"",
    allowed: || "a time from \"5m\" to \"30d\"; s, m, h, d".into(),
    read: |config, given| {
        config.submission.lifetime = lifetime(given)?;
        Some(())
    },
};

/// A server or a program; empty: none.
fn to(given: &DeValue<'_>) -> Option<Option<Submission>> {
    match given.as_str()? {
        "" => Some(None),
        text => Submission::parse(text).map(Some),
    }
}

/// A name without control characters; empty: none.
fn user(given: &DeValue<'_>) -> Option<Option<String>> {
    let text = given.as_str().filter(|text| !text.chars().any(char::is_control))?;
    Some(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A path with a leading `/`; empty: none.
fn file(given: &DeValue<'_>) -> Option<Option<PathBuf>> {
    match given.as_str()? {
        "" => Some(None),
        path => Some(PathBuf::from(path)).filter(|path| path.is_absolute()).map(Some),
    }
}

/// A domain name or an address literal (RFC 5321 4.1.3); empty: none.
fn helo(given: &DeValue<'_>) -> Option<Option<String>> {
    let text = given.as_str().filter(|text| text.len() <= 255)?;
    let fit = text.chars().all(|char| char.is_ascii_alphanumeric() || "-._:[]".contains(char));
    fit.then(|| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// From five minutes to thirty days.
fn lifetime(given: &DeValue<'_>) -> Option<Duration> {
    let bounds = SHORTEST_LIFETIME..=LONGEST_LIFETIME;
    value::long_duration(given).filter(|time| bounds.contains(time))
}
