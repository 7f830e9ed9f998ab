//! What of a header stays readable beside an encrypted message: Header Confidentiality Policies (RFC 9788 3).

use super::{Address, Field};
use time::format_description::well_known::Rfc2822;
use time::{OffsetDateTime, UtcOffset};

/// A Header Confidentiality Policy (RFC 9788 3.1). A later one hides whatever an earlier one hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum HeaderPolicy {
    /// As received: `hcp_no_confidentiality` (RFC 9788 3.2.3), and no header protection at all.
    #[default]
    Keep,
    /// `hcp_baseline` (RFC 9788 3.2.1). What repeats the subject goes too.
    HideSubject,
    /// `hcp_shy` (RFC 9788 3.2.2), and more as RFC 9788 3.4.1 allows: every field of addresses is left without names, and
    /// an address or a date that cannot be read goes.
    HideMost,
}

/// What a policy leaves of a field outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// The field, octet by octet.
    AsReceived,
    /// The field with this value: ASCII, without the space after the colon, each fold an LF and a space.
    Rewritten(String),
    /// Nothing.
    Removed,
}

impl HeaderPolicy {
    /// Every policy, in the order of how much it hides.
    pub const ALL: [HeaderPolicy; 3] =
        [HeaderPolicy::Keep, HeaderPolicy::HideSubject, HeaderPolicy::HideMost];

    /// Its word in rules, configuration and options.
    pub fn name(self) -> &'static str {
        match self {
            HeaderPolicy::Keep => "keep",
            HeaderPolicy::HideSubject => "hide-subject",
            HeaderPolicy::HideMost => "hide-most",
        }
    }

    /// The policy of a word.
    pub fn parse(word: &str) -> Option<HeaderPolicy> {
        HeaderPolicy::ALL.into_iter().find(|policy| policy.name() == word)
    }

    /// What stays outside of a field that describes no body (a Non-Structural Header Field, RFC 9787 1.1.1).
    pub fn outside(self, field: &Field<'_>) -> Outside {
        let row = HIDDEN.iter().find(|row| row.policy <= self && (row.covers)(field));
        row.map_or(Outside::AsReceived, |row| (row.value)(field).map_or(Outside::Removed, Outside::Rewritten))
    }
}

/// Fields that do not stay as they are.
struct Hidden {
    /// The first policy that hides them.
    policy: HeaderPolicy,
    covers: fn(&Field<'_>) -> bool,
    /// What stands in their place, if anything does.
    value: fn(&Field<'_>) -> Option<String>,
}

/// What is hidden, each with its reason.
static HIDDEN: [Hidden; 6] = [
    // RFC 9788 3.2.1: for people only. Filters may object to a message without a subject, so one stays.
    Hidden {
        policy: HeaderPolicy::HideSubject,
        covers: |field| is_one_of(field, &["Subject"]),
        value: |_| Some("[...]".to_owned()),
    },
    // RFC 9788 3.2.1: for people only.
    Hidden {
        policy: HeaderPolicy::HideSubject,
        covers: |field| is_one_of(field, &["Comments", "Keywords"]),
        value: |_| None,
    },
    // The subject again: what a filter replaced, and what programs group a conversation by.
    Hidden { policy: HeaderPolicy::HideSubject, covers: repeats_subject, value: |_| None },
    // The subject again, and names: RFC 6376 3.5 copies fields into the tag `z` of a signature.
    Hidden { policy: HeaderPolicy::HideSubject, covers: copies_fields, value: |_| None },
    // RFC 9788 3.2.2: names are for people only. It has From, To and Cc; the other fields tell the same names.
    Hidden {
        policy: HeaderPolicy::HideMost,
        covers: |field| is_one_of(field, &ADDRESS_FIELDS),
        value: addresses,
    },
    // RFC 9788 3.2.2: the time zone tells where the author was.
    Hidden {
        policy: HeaderPolicy::HideMost,
        covers: |field| is_one_of(field, &["Date", "Resent-Date"]),
        value: date,
    },
];

/// RFC 5322 3.6.2, 3.6.3 and 3.6.6, and where else a mail program writes names: RFC 9057, RFC 8098, and replies to lists.
const ADDRESS_FIELDS: [&str; 15] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Author",
    "Disposition-Notification-To",
    "Mail-Followup-To",
    "Mail-Reply-To",
];

fn is_one_of(field: &Field<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| field.name().eq_ignore_ascii_case(name))
}

/// `X-Spam-Prev-Subject`, `X-Original-Subject`, `Thread-Topic` and their like.
fn repeats_subject(field: &Field<'_>) -> bool {
    is_one_of(field, &["Thread-Topic", "Thread-Index"]) || has_end(field.name(), "-Subject")
}

/// `DKIM-Signature` and its like (`ARC-Message-Signature`, RFC 8617 4.1.2), if they have the tag.
fn copies_fields(field: &Field<'_>) -> bool {
    let tags = field.value().split(|&octet| octet == b';');
    let mut names = tags.filter_map(|tag| tag.split(|&octet| octet == b'=').next());
    has_end(field.name(), "-Signature") && names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"z"))
}

fn has_end(name: &str, end: &str) -> bool {
    let start = name.len().saturating_sub(end.len());
    name.get(start..).is_some_and(|found| found.eq_ignore_ascii_case(end))
}

/// The addr-specs, one a line, groups flattened. RFC 9788 3.1 wants ASCII of what a policy writes.
fn addresses(field: &Field<'_>) -> Option<String> {
    let mailboxes = field.mailboxes().into_iter().map(|mailbox| mailbox.address);
    let written = mailboxes.filter(|text| text.is_ascii() && Address::parse(text).is_ok());
    Some(written.collect::<Vec<_>>().join(",\n ")).filter(|list| !list.is_empty())
}

/// The same moment in UTC.
fn date(field: &Field<'_>) -> Option<String> {
    let date = OffsetDateTime::parse(&field.text(), &Rfc2822).ok()?;
    date.checked_to_offset(UtcOffset::UTC)?.format(&Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Message;
    use proptest::prelude::*;

    /// What stays of one field: its value, or `-`.
    fn outside(policy: HeaderPolicy, field: &str) -> String {
        let message = Message::new(field.as_bytes());
        match policy.outside(&message.fields()[0]) {
            Outside::AsReceived => "as received".to_owned(),
            Outside::Rewritten(value) => value,
            Outside::Removed => "-".to_owned(),
        }
    }

    #[test]
    fn words_and_policies_go_both_ways() {
        for policy in HeaderPolicy::ALL {
            assert_eq!(HeaderPolicy::parse(policy.name()), Some(policy));
        }
        assert_eq!(HeaderPolicy::parse("Keep"), None);
        assert!(HeaderPolicy::ALL.is_sorted());
    }

    #[test]
    fn each_policy_hides_what_it_says() {
        for (field, baseline, shy) in [
            ("Subject: s", "[...]", "[...]"),
            ("SUBJECT:", "[...]", "[...]"),
            ("Comments: c", "-", "-"),
            ("keywords: k", "-", "-"),
            ("Thread-Topic: s", "-", "-"),
            ("Thread-Index: s", "-", "-"),
            ("X-Spam-Prev-Subject: s", "-", "-"),
            ("x-original-subject: s", "-", "-"),
            ("DKIM-Signature: v=1; z=Subject:s; b=x", "-", "-"),
            ("DKIM-Signature: v=1;\n\tz =\n\tSubject:s", "-", "-"),
            ("ARC-Message-Signature: i=1; Z=Subject:s", "-", "-"),
            ("DKIM-Signature: v=1; h=subject; bz=z", "as received", "as received"),
            ("X-Note: v=1; z=x", "as received", "as received"),
            ("From: Anna Lind <a@x.example>", "as received", "a@x.example"),
            ("Date: Sat, 20 Feb 2021 10:13:02 -0500", "as received", "Sat, 20 Feb 2021 15:13:02 +0000"),
        ] {
            assert_eq!(outside(HeaderPolicy::Keep, field), "as received");
            assert_eq!(outside(HeaderPolicy::HideSubject, field), baseline, "{field}");
            assert_eq!(outside(HeaderPolicy::HideMost, field), shy, "{field}");
        }
        for kept in
            ["Return-Path", "Received", "Delivered-To", "ARC-Seal", "Authentication-Results", "List-Id"]
                .into_iter()
                .chain(["Message-ID", "In-Reply-To", "References", "Subjects", "Resubject"])
        {
            assert_eq!(outside(HeaderPolicy::HideMost, &format!("{kept}: x")), "as received");
        }
    }

    #[test]
    fn addresses_lose_their_names() {
        let shy = |field: &str| outside(HeaderPolicy::HideMost, field);
        assert_eq!(
            shy("To: \"Lind, Anna\" <Anna@X.example>,\r\n b@x.example (Bo)"),
            "Anna@X.example,\n b@x.example"
        );
        assert_eq!(shy("Cc: Friends: Bo <b@x.example>, c@x.example;, d@x.example").matches('@').count(), 3);
        assert_eq!(shy("Cc: Friends of Bo:;"), "-");
        assert_eq!(shy("From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>"), "j@x.example");
        assert_eq!(shy("From: Jürgen Groß <j@x.example>"), "j@x.example");
        // Whose mail it is does not change (RFC 9788 3.1.1), whatever the names say.
        for name in [
            "\"bo@x.example\"",
            "\"bo@x.example, <c@x.example>\"",
            "(bo@x.example)",
            "=?utf-8?q?bo=40x.example?=",
        ] {
            assert_eq!(shy(&format!("From: {name} <a@x.example>")), "a@x.example");
        }
        assert_eq!(shy("From: a@x.example (bo@x.example, <c@x.example>)"), "a@x.example");
        // Nothing but ASCII is written, and nothing that is no address.
        assert_eq!(shy("From: Jürgen <jürgen@x.example>"), "-");
        assert_eq!(shy("From: Anna Lind"), "-");
        assert_eq!(shy("Reply-To: Anna <anna at x.example>, <a b@x.example>"), "-");
        for name in ADDRESS_FIELDS {
            assert_eq!(shy(&format!("{name}: Anna <a@x.example>")), "a@x.example");
        }
    }

    #[test]
    fn dates_are_given_in_utc() {
        let shy = |date: &str| outside(HeaderPolicy::HideMost, &format!("Date: {date}"));
        assert_eq!(shy("1 Jan 2021 00:30:00 +0100 (CET)"), "Thu, 31 Dec 2020 23:30:00 +0000");
        assert_eq!(shy("Fri, 01 Jan\r\n 2021 00:30 EST"), "Fri, 01 Jan 2021 05:30:00 +0000");
        assert_eq!(shy("Mon, 20 Feb 2021 10:13:02 -0500"), "Sat, 20 Feb 2021 15:13:02 +0000");
        assert_eq!(outside(HeaderPolicy::HideMost, "Resent-Date: x"), "-");
        for unreadable in ["", "yesterday", "Fri, 31 Dec 9999 23:59:59 -2359", "2021-01-01T00:00:00+02:00"] {
            assert_eq!(shy(unreadable), "-", "{unreadable}");
        }
        assert_eq!(shy(&"(".repeat(100_000)), "-");
    }

    proptest! {
        #[test]
        fn what_is_written_is_printable_ascii(
            name in prop::sample::select(vec!["From", "Date", "Subject"]),
            value in "([=?<>\"(),:;@\\\\ \r\n\0é]|a@b\\.c|=\\?utf-8\\?q\\?|\\?=|=0A|\n |1 Jan 2020 10:00 \\+0100){0,30}",
        ) {
            let text = format!("{name}:{value}");
            let message = Message::new(text.as_bytes());
            if let Outside::Rewritten(value) = HeaderPolicy::HideMost.outside(&message.fields()[0]) {
                let lines: Vec<&str> = value.split("\n ").collect();
                prop_assert!(lines.iter().all(|line| !line.is_empty()));
                prop_assert!(lines.concat().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            }
        }
    }
}
