//! What domains write into the certificates and revocation lists that they sign.

use super::keys::Key;
use super::value;
use crate::engine::Choice;
use const_oid::ObjectIdentifier;
use toml::de::DeValue;

/// CA/Browser Forum, S/MIME Baseline Requirements 6.3.2: the strict and the multipurpose profile.
pub const MOST_ISSUE_DAYS: u32 = 825;

/// Whoever took back a certificate wants the others to know it within a year.
pub const MOST_CRL_DAYS: u32 = 365;

/// What stands as the common name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubjectStyle {
    /// The person's name where one is given, else the address.
    #[default]
    Name,
    /// The address, as in the mailbox-validated profiles of public authorities.
    Address,
}

impl Choice for SubjectStyle {
    const ALL: &'static [SubjectStyle] = &[SubjectStyle::Name, SubjectStyle::Address];

    fn name(self) -> &'static str {
        match self {
            SubjectStyle::Name => "name",
            SubjectStyle::Address => "address",
        }
    }
}

/// What domains write into the certificates and lists that they sign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueSettings {
    /// Days of validity of a certificate.
    pub days: u32,
    /// Its common name.
    pub subject: SubjectStyle,
    /// Its policies.
    pub policies: Vec<ObjectIdentifier>,
    /// Where its revocation list is, with `{domain}` and `{authority}` to be filled in.
    pub crl_url: Option<String>,
    /// Days from one revocation list to the next.
    pub crl_days: u32,
}

/// `issue-days`
pub(super) const DAYS: Key = Key {
    name: "issue-days",
    doc: "how long an issued certificate is valid; the rules for public S/MIME authorities allow 825 days at most",
    default: "730",
    allowed: || format!("a number of days from 1 to {MOST_ISSUE_DAYS}"),
    read: |config, given| {
        config.issue.days = days(given, MOST_ISSUE_DAYS)?;
        Some(())
    },
};

/// `issue-subject`
pub(super) const SUBJECT: Key = Key {
    name: "issue-subject",
    doc: "the common name of an issued certificate: the person's name where one is given, or always the address",
    default: "\"name\"",
    allowed: SubjectStyle::allowed,
    read: |config, given| {
        config.issue.subject = value::choice(given)?;
        Some(())
    },
};

/// `issue-policy`
pub(super) const POLICY: Key = Key {
    name: "issue-policy",
    doc: "OIDs of the policies by which certificates are issued, written into each",
    default: "[]",
    allowed: || "a list of OIDs like [\"2.23.140.1.5.1.2\"]".into(),
    read: |config, given| {
        config.issue.policies = policies(given)?;
        Some(())
    },
};

/// `crl-url`
pub(super) const CRL_URL: Key = Key {
    name: "crl-url",
    doc: "where the revocation list is fetched, written into each certificate; {authority} keeps the lists of several keys apart",
    default: "\"\"",
    allowed: || {
        "a URL that begins with http://, with {domain} and {authority} in it or not; empty: none".into()
    },
    read: |config, given| {
        config.issue.crl_url = url(given)?;
        Some(())
    },
};

/// `crl-days`
pub(super) const CRL_DAYS: Key = Key {
    name: "crl-days",
    doc: "after so many days at the latest comes the next revocation list: sign one more often than that",
    default: "7",
    allowed: || format!("a number of days from 1 to {MOST_CRL_DAYS}"),
    read: |config, given| {
        config.issue.crl_days = days(given, MOST_CRL_DAYS)?;
        Some(())
    },
};

/// From 1 to so many.
fn days(given: &DeValue<'_>, most: u32) -> Option<u32> {
    let days = u32::try_from(value::integer(given)?).ok()?;
    Some(days).filter(|days| (1..=most).contains(days))
}

/// OIDs with their arcs in decimal, each once.
fn policies(given: &DeValue<'_>) -> Option<Vec<ObjectIdentifier>> {
    let mut found = Vec::new();
    for one in given.as_array()? {
        let oid = ObjectIdentifier::new(one.get_ref().as_str()?).ok()?;
        if found.contains(&oid) {
            return None;
        }
        found.push(oid);
    }
    Some(found)
}

/// No URL, or one over HTTP: a list is signed and public, and who fetches it over TLS might need it for that very TLS
/// (RFC 5280 8, Baseline Requirements 7.1.2.3).
fn url(given: &DeValue<'_>) -> Option<Option<String>> {
    let text = given.as_str()?;
    if text.is_empty() {
        return Some(None);
    }
    let rest = text.strip_prefix("http://")?.replace("{domain}", "d").replace("{authority}", "a");
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}\"<>\\^`|".contains(&byte));
    let host = rest.split('/').next().unwrap_or_default();
    (plain && !host.is_empty() && text.len() <= 1024).then(|| Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// What the first fault says, or nothing.
    fn fault(line: &str) -> Option<String> {
        let faults = Config::parse("f", line).err()?;
        Some(faults.to_string().split_once(": ")?.1.to_owned())
    }

    #[test]
    fn what_is_issued_is_bounded() {
        let config =
            Config::parse("f", "issue-days = 825\ncrl-days = 1\nissue-subject = \"address\"\n").unwrap();
        assert_eq!((config.issue.days, config.issue.crl_days), (825, 1));
        assert_eq!(Config::default().issue.days, 730);
        let refused =
            |value| format!("issue-days = {value} is not allowed; allowed: a number of days from 1 to 825");
        assert_eq!(fault("issue-days = 826"), Some(refused("826")));
        assert_eq!(fault("issue-days = 0"), Some(refused("0")));
        assert!(fault("crl-days = 366").is_some() && fault("issue-subject = \"both\"").is_some());
    }

    #[test]
    fn a_list_is_fetched_over_http() {
        for good in ["", "http://crl.north.example/a.crl", "http://n/{domain}/{authority}.crl"] {
            assert_eq!(fault(&format!("crl-url = \"{good}\"")), None, "{good}");
        }
        for bad in [
            "https://n/a",
            "ftp://n/a",
            "http://",
            "http:///a",
            "http://n/{other}",
            "http://n/ä",
            "http://n/ a",
        ] {
            let text = format!(
                "crl-url = \"{bad}\" is not allowed; allowed: a URL that begins with http://, with {{domain}} and \
                 {{authority}} in it or not; empty: none"
            );
            assert_eq!(fault(&format!("crl-url = \"{bad}\"")), Some(text));
        }
    }

    #[test]
    fn policies_are_oids_and_stand_once() {
        assert_eq!(
            Config::parse("f", "issue-policy = [\"2.23.140.1.5.1.2\"]").unwrap().issue.policies.len(),
            1
        );
        for bad in ["[\"1\"]", "[\"9.9.9\"]", "[\"1.2.3\", \"1.2.3\"]", "[1]", "\"1.2.3\""] {
            let text = format!(
                "issue-policy = {bad} is not allowed; allowed: a list of OIDs like [\"2.23.140.1.5.1.2\"]"
            );
            assert_eq!(fault(&format!("issue-policy = {bad}")), Some(text));
        }
    }
}
