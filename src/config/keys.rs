//! The list of keys.

use super::read::{Config, LogTarget};
use super::{TrustBundle, issue, lmtp, programs, submission, value};
use crate::crypto::{Classical, Profile};
use crate::engine::{
    AttachmentPolicy, CertificateSource, Choice, CrlPolicy, Expired, InboxPolicy, MissingCertificate, Naming,
    OpenPgp, SealedToOthers, Trust, Unusable,
};
use crate::mail::HeaderPolicy;
use crate::rules::RulesAllowed;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

/// A key of the file.
pub(super) struct Key {
    /// As it is spelled.
    pub(super) name: &'static str,
    /// One line of help.
    pub(super) doc: &'static str,
    /// Its value if the file says nothing, in TOML.
    pub(super) default: &'static str,
    /// What it may be, in words.
    pub(super) allowed: fn() -> String,
    /// Writes the value into the config; nothing if it is not allowed.
    pub(super) read: fn(&mut Config, &DeValue<'_>) -> Option<()>,
}

/// RSA keys that anybody can still be asked to seal to, and the largest that we can use.
const RSA_BITS: std::ops::RangeInclusive<u64> = 1024..=16_384;
/// Postfix kills a pipe(8) command after 1000 s by default and bounces the mail.
pub const LONGEST_DEADLINE: Duration = Duration::from_secs(900);
/// The default of `memory-limit`, for verbs that need no store.
pub const MEMORY_LIMIT: &str = "32M";

/// Replies are remembered that long.
const LONGEST_INTERVAL_DAYS: u64 = 366;
/// Fewer stop honest mail, more stop nothing.
const HOPS: std::ops::RangeInclusive<u64> = 5..=1000;

/// Every key, in the order of the file that `init` writes.
pub(super) static KEYS: &[Key] = &[
    Key {
        name: "recipient-delimiter",
        doc: "what separates a detail from the local part (bob+lists@…); empty: nothing does",
        default: "\"+\"",
        allowed: || "one punctuation character that an address may hold, or \"\"".into(),
        read: |config, given| {
            config.settings.recipient_delimiter = value::delimiter(given)?;
            Some(())
        },
    },
    Key {
        name: "max-message",
        doc: "the largest message that is taken; K, M, G are of 1024",
        default: "\"256M\"",
        allowed: || "a size like \"100M\"".into(),
        read: |config, given| {
            config.settings.max_message = value::size(given)?;
            Some(())
        },
    },
    Key {
        name: "memory-limit",
        doc: "a larger message is sealed as it is written, and held in memory only if a rule needs the whole of it",
        default: "\"32M\"",
        allowed: || "a size like \"32M\"".into(),
        read: |config, given| {
            config.memory_limit = value::size(given)?;
            Some(())
        },
    },
    Key {
        name: "deadline",
        doc: "after this long a delivery gives up and the MTA tries again; below the MTA's own limit",
        default: "\"120s\"",
        allowed: || "a time from \"1s\" to \"15m\"".into(),
        read: |config, given| {
            let deadline = value::duration(given)?;
            config.deadline = Some(deadline).filter(|time| !time.is_zero() && *time <= LONGEST_DEADLINE)?;
            Some(())
        },
    },
    Key {
        name: "inbox",
        doc: "how the INBOX copy is stored; \"plain\" is a consent to clear text",
        default: "\"seal\"",
        allowed: InboxPolicy::allowed,
        read: |config, given| {
            config.settings.inbox = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "attachments",
        doc: "how the files are stored that rules copy out of messages; \"plain\" is a consent to clear text",
        default: "\"seal\"",
        allowed: AttachmentPolicy::allowed,
        read: |config, given| {
            config.settings.attachments = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "profile",
        doc: "which algorithms; \"compatible\" is read by every S/MIME client",
        default: "\"compatible\"",
        allowed: Profile::allowed,
        read: |config, given| {
            config.settings.profile = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "also-classical",
        doc: "with the profile \"post-quantum\": may RSA and EC keys stand beside ML-KEM? They can be broken later",
        default: "\"no\"",
        allowed: Classical::allowed,
        read: |config, given| {
            config.settings.also_classical = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "name-recipients",
        doc: "how messages name who can open them; gpgsm and some others know \"certificate\" only",
        default: "\"certificate\"",
        allowed: Naming::allowed,
        read: |config, given| {
            config.settings.naming = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "headers",
        doc: "what of a sealed message's header is hidden; today's mail programs show [...] where the subject is",
        default: "\"keep\"",
        allowed: HeaderPolicy::allowed,
        read: |config, given| {
            config.settings.headers = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "trust",
        doc: "\"pinned\": what the directory holds is trusted; \"chain\": what chains to a trusted authority",
        default: "\"pinned\"",
        allowed: Trust::allowed,
        read: |config, given| {
            config.settings.certificates.trust = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "trust-bundle",
        doc: "the authorities that everybody trusts: those of the operating system, nobody, or those of a file in PEM",
        default: "\"system\"",
        allowed: || "\"system\", \"none\", a path with a leading /".into(),
        read: |config, given| {
            config.trust_bundle = TrustBundle::named(given.as_str()?)?;
            Some(())
        },
    },
    Key {
        name: "expired",
        doc: "a certificate past its end and right otherwise",
        default: "\"seal\"",
        allowed: Expired::allowed,
        read: |config, given| {
            config.settings.certificates.expired = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "not-yet-valid",
        doc: "a certificate before its begin and right otherwise",
        default: "\"seal\"",
        allowed: Expired::allowed,
        read: |config, given| {
            config.settings.certificates.not_yet_valid = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "unusable",
        doc: "an account whose certificates are revoked, of wrong usage or address, broken or too weak; \"domain-key\": the \
              domain's administrator can read its mail",
        default: "\"defer\"",
        allowed: Unusable::allowed,
        read: |config, given| {
            config.settings.certificates.unusable = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "crl",
        doc: "a certificate whose revocation list is missing or old: \"soft\" seals to it and warns, \"hard\" defers",
        default: "\"soft\"",
        allowed: CrlPolicy::allowed,
        read: |config, given| {
            config.settings.certificates.crl = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "missing-certificate",
        doc: "an account without a certificate; \"domain-key\": the domain's administrator can read its mail; \"plain\" is a \
              consent to clear text",
        default: "\"defer\"",
        allowed: MissingCertificate::allowed,
        read: |config, given| {
            config.settings.certificates.missing_certificate = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "openpgp",
        doc: "a message that its sender encrypted with OpenPGP",
        default: "\"keep\"",
        allowed: OpenPgp::allowed,
        read: |config, given| {
            config.settings.openpgp = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "sealed-to-others",
        doc: "what sealpost mailbox encrypt does with a message that is sealed to others: leave it, or wrap it once more",
        default: "\"leave\"",
        allowed: SealedToOthers::allowed,
        read: |config, given| {
            config.settings.sealed_to_others = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "create-mailboxes",
        doc: "may a rule create a mailbox of its own account?",
        default: "true",
        allowed: || "true, false".into(),
        read: |config, given| {
            config.settings.create_mailboxes = given.as_bool()?;
            Some(())
        },
    },
    Key {
        name: "time-zone",
        doc: "the zone of the hours and days in rules, as in the IANA database; \"system\": the machine's",
        default: "\"system\"",
        allowed: || "\"system\", or a name like \"Europe/Berlin\"".into(),
        read: |config, given| {
            config.settings.time_zone = value::time_zone(given)?;
            Some(())
        },
    },
    programs::EXECUTE,
    programs::EXECUTE_TIMEOUT,
    programs::FILTERS,
    programs::FILTER_TIMEOUT,
    Key {
        name: "rules-allowed",
        doc: "which rules the owner of an account may install: none, such as sort, seal, mark and refuse, all but programs, any",
        default: "\"filter-only\"",
        allowed: RulesAllowed::allowed,
        read: |config, given| {
            config.settings.rules_allowed = value::choice(given)?;
            Some(())
        },
    },
    Key {
        name: "outgoing-from",
        doc: "in whose name rules of the server send mail; empty: postmaster@ the domain that the message is for",
        default: "\"\"",
        allowed: || "an address, or \"\"".into(),
        read: |config, given| {
            config.settings.outgoing.from = value::address(given)?;
            Some(())
        },
    },
    Key {
        name: "reply-interval",
        doc: "a rule answers the same sender once in this time; \"0s\": each message",
        default: "\"7d\"",
        allowed: || format!("a time from \"0s\" to \"{LONGEST_INTERVAL_DAYS}d\"; s, m, h, d"),
        read: |config, given| {
            let longest = Duration::from_secs(LONGEST_INTERVAL_DAYS * 86_400);
            config.settings.outgoing.reply_interval =
                value::long_duration(given).filter(|interval| *interval <= longest)?;
            Some(())
        },
    },
    Key {
        name: "hop-limit",
        doc: "a message that went over more servers is redirected, forwarded, mirrored and answered no more",
        default: "50",
        allowed: || format!("a number from {} to {}", HOPS.start(), HOPS.end()),
        read: |config, given| {
            let hops = value::integer(given).filter(|hops| HOPS.contains(hops))?;
            config.settings.outgoing.hop_limit = usize::try_from(hops).ok()?;
            Some(())
        },
    },
    Key {
        name: "minimum-rsa-bits",
        doc: "smaller RSA keys are too weak to seal to",
        default: "2048",
        allowed: || format!("a number from {} to {}", RSA_BITS.start(), RSA_BITS.end()),
        read: |config, given| {
            let bits = value::integer(given).filter(|bits| RSA_BITS.contains(bits))?;
            config.settings.minimum_rsa_bits = usize::try_from(bits).ok()?;
            Some(())
        },
    },
    Key {
        name: "certificates-from-mail",
        doc: "does a signed message from an account to itself offer a certificate? It waits until it is accepted",
        default: "true",
        allowed: || "true, false".into(),
        read: |config, given| {
            config.certificates_from_mail = given.as_bool()?;
            Some(())
        },
    },
    Key {
        name: "trusted-certificate-sources",
        doc: "certificates from here need nobody's consent; \"mail\" only with a chain to a trusted authority",
        default: "[]",
        allowed: || format!("a list of {}", CertificateSource::allowed()),
        read: |config, given| {
            config.trusted_sources = value::choices(given)?;
            Some(())
        },
    },
    Key {
        name: "mail-root",
        doc: "where the Maildirs lie: below the root, or anywhere with a leading /",
        default: "\"mail/{domain}/{local}/Maildir\"",
        allowed: || "a path with {domain} and {local}, without \".\" and \"..\"".into(),
        read: |config, given| {
            config.mail_root = value::template(given)?;
            Some(())
        },
    },
    Key {
        name: "files-root",
        doc: "where the files lie that rules copy out of messages: below the root, or anywhere with a leading /",
        default: "\"files/{domain}/{local}\"",
        allowed: || "a path with {domain} and {local}, without \".\" and \"..\"".into(),
        read: |config, given| {
            config.files_root = value::template(given)?;
            Some(())
        },
    },
    submission::TO,
    submission::TLS,
    submission::USER,
    submission::PASSWORD_FILE,
    submission::HELO,
    submission::LIFETIME,
    lmtp::LISTEN,
    lmtp::SOCKET_MODE,
    lmtp::SOCKET_GROUP,
    lmtp::SESSIONS,
    lmtp::MEMORY,
    Key {
        name: "log",
        doc: "where deliveries are logged: \"syslog\", \"none\", or a file with a leading /",
        default: "\"syslog\"",
        allowed: || "\"syslog\", \"none\", a path with a leading /".into(),
        read: |config, given| {
            config.log = match given.as_str()? {
                "syslog" => LogTarget::Syslog,
                "none" => LogTarget::None,
                path => LogTarget::File(Some(PathBuf::from(path)).filter(|path| path.is_absolute())?),
            };
            Some(())
        },
    },
    Key {
        name: "log-level",
        doc: "how much of it",
        default: "\"info\"",
        allowed: || "\"error\", \"warn\", \"info\", \"debug\"".into(),
        read: |config, given| {
            config.log_level = match given.as_str()? {
                "error" => tracing::Level::ERROR,
                "warn" => tracing::Level::WARN,
                "info" => tracing::Level::INFO,
                "debug" => tracing::Level::DEBUG,
                _ => return None,
            };
            Some(())
        },
    },
    issue::DAYS,
    issue::SUBJECT,
    issue::POLICY,
    issue::CRL_URL,
    issue::CRL_DAYS,
];
