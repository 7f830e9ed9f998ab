//! From text to a checked config.

use super::fault::Lines;
use super::issue::IssueSettings;
use super::keys::{KEYS, Key};
use super::lmtp::{self, LmtpSettings};
use super::{ConfigError, ConfigFaults, FILE, Fault, TrustBundle, programs};
use crate::crypto::{Classical, Profile};
use crate::engine::{
    AttachmentPolicy, CertificatePolicy, CertificateSource, HelperSettings, InboxPolicy, Naming, OpenPgp,
    Outgoing, SealedToOthers, Settings, SubmissionSettings, TimeZone, Trust,
};
use crate::mail::HeaderPolicy;
use crate::rules::RulesAllowed;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where the log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// The machine's syslog, facility mail.
    Syslog,
    /// The end of this file.
    File(PathBuf),
    /// Nowhere.
    None,
}

/// Who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// This line of the file.
    Line(usize),
}

/// One value as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: &'static str,
    /// The value in TOML.
    pub value: String,
    /// Who said so.
    pub origin: Origin,
}

/// What the site wants, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the engine obeys.
    pub settings: Settings,
    /// The built-in set of trusted authorities.
    pub trust_bundle: TrustBundle,
    /// How long a delivery may take.
    pub deadline: Duration,
    /// Bytes; a larger message is not held in memory if it can be helped.
    pub memory_limit: u64,
    /// The place of an account's Maildir, with `{domain}` and `{local}`; below the root unless it begins with `/`.
    pub mail_root: String,
    /// The same for the files that rules copy out of messages.
    pub files_root: String,
    /// Where the log goes.
    pub log: LogTarget,
    /// How much of it.
    pub log_level: tracing::Level,
    /// May a signed message that an account sends to itself offer a certificate?
    pub certificates_from_mail: bool,
    /// Certificates from here need nobody's consent.
    pub trusted_sources: Vec<CertificateSource>,
    /// The programs that rules may call.
    pub programs: HelperSettings,
    /// What domains write into the certificates and lists that they sign.
    pub issue: IssueSettings,
    /// How mail leaves the site.
    pub submission: SubmissionSettings,
    /// How mail comes over LMTP.
    pub lmtp: LmtpSettings,
    entries: Vec<Entry>,
}

impl Default for Config {
    fn default() -> Config {
        let mut config = Config::blank();
        for key in KEYS {
            let parsed = DeValue::parse(key.default);
            let read = parsed.ok().and_then(|value| (key.read)(&mut config, value.get_ref()));
            debug_assert!(read.is_some(), "the default of {} is not allowed", key.name);
            let value = key.default.to_owned();
            config.entries.push(Entry { key: key.name, value, origin: Origin::Default });
        }
        config
    }
}

impl Config {
    /// The configuration of the store in `root`: that of its file, or all defaults without one.
    pub fn load(root: &Path) -> Result<Config, ConfigError> {
        let path = root.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Config::parse(&path.display().to_string(), &text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// What is wrong with the built-in set of authorities, where something asks for it.
    pub fn bundle_fault(&self) -> Option<String> {
        let is_asked = self.settings.certificates.trust == Trust::Chain || self.trust_bundle.is_named();
        let fault = self.trust_bundle.set().err().filter(|_| is_asked);
        fault.map(|error| error.to_string())
    }

    /// Reads and checks the text of a file; `file` is the name in the faults.
    pub fn parse(file: &str, text: &str) -> Result<Config, ConfigFaults> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let lines = Lines::of(text);
        let mut faults: Vec<Fault> = errors.iter().map(|error| syntax_fault(&lines, error)).collect();
        let mut faulty: HashSet<usize> = faults.iter().map(|fault| fault.line).collect();
        let mut config = Config::default();
        for (name, value) in table.get_ref() {
            if let Err(fault) = config.take(&lines, name.get_ref(), name.span().start, value)
                && faulty.insert(fault.line)
            {
                faults.push(fault);
            }
        }
        if faults.is_empty() {
            faults = config.contradictions();
        }
        if faults.is_empty() {
            return Ok(config);
        }
        faults.sort();
        Err(ConfigFaults { file: file.to_owned(), faults })
    }

    /// Every value with its origin, in the order of the keys.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file that `init` writes: every key with its default, commented out.
    pub fn template() -> String {
        let head = "# Settings of this store. Every key is shown with its default.\n\
                    # Check with: sealpost config check\n";
        let keys = KEYS.iter().map(|key| {
            let Key { name, doc, default, allowed, .. } = key;
            format!("\n# {doc}\n# allowed: {}\n# {name} = {default}\n", allowed())
        });
        std::iter::once(head.to_owned()).chain(keys).collect()
    }

    /// Keys that are right each by itself: the fault stands where the first of the two is said.
    fn contradictions(&self) -> Vec<Fault> {
        let line = |key: &str| {
            let said = self.entries.iter().find(|entry| entry.key == key && entry.origin != Origin::Default);
            said.map(|entry| entry.origin)
        };
        let late = programs::late(self).into_iter().map(|(key, text)| {
            (
                line(key)
                    .or_else(|| line("deadline"))
                    .or_else(|| line("execute"))
                    .or_else(|| line("filters")),
                text,
            )
        });
        let narrow = lmtp::narrow(self)
            .into_iter()
            .map(|(key, text)| (line(key).or_else(|| line("memory-limit")), text));
        let fault = |(said, text): (Option<Origin>, String)| match said {
            Some(Origin::Line(line)) => Fault { line, column: 1, text },
            Some(Origin::Default) | None => Fault { line: 1, column: 1, text },
        };
        late.chain(narrow).map(fault).collect()
    }

    fn take(
        &mut self,
        lines: &Lines<'_>,
        name: &str,
        at: usize,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), Fault> {
        let fault = |offset, text: String| {
            let (line, column) = lines.position(offset);
            Fault { line, column, text }
        };
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(fault(at, unknown(name)));
        };
        let source = lines.span(value.span());
        if (key.read)(self, value.get_ref()).is_none() {
            let wrong = format!("{name} = {source} is not allowed; allowed: {}", (key.allowed)());
            return Err(fault(value.span().start, wrong));
        }
        let origin = Origin::Line(lines.position(at).0);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == name) {
            *entry = Entry { key: key.name, value: source.to_owned(), origin };
        }
        Ok(())
    }

    /// Before the defaults are read into it.
    fn blank() -> Config {
        Config {
            settings: Settings {
                recipient_delimiter: None,
                max_message: 0,
                inbox: InboxPolicy::default(),
                attachments: AttachmentPolicy::default(),
                profile: Profile::default(),
                also_classical: Classical::default(),
                naming: Naming::default(),
                headers: HeaderPolicy::default(),
                certificates: CertificatePolicy::default(),
                openpgp: OpenPgp::default(),
                sealed_to_others: SealedToOthers::default(),
                create_mailboxes: false,
                minimum_rsa_bits: usize::MAX,
                time_zone: TimeZone::utc(),
                outgoing: Outgoing::default(),
                rules_allowed: RulesAllowed::default(),
            },
            trust_bundle: TrustBundle::default(),
            memory_limit: 0,
            deadline: Duration::ZERO,
            mail_root: String::new(),
            files_root: String::new(),
            log: LogTarget::None,
            log_level: tracing::Level::INFO,
            certificates_from_mail: false,
            trusted_sources: Vec::new(),
            programs: HelperSettings::default(),
            issue: IssueSettings::default(),
            submission: SubmissionSettings::default(),
            lmtp: LmtpSettings::default(),
            entries: Vec::with_capacity(KEYS.len()),
        }
    }
}

fn syntax_fault(lines: &Lines<'_>, error: &toml::de::Error) -> Fault {
    let offset = error.span().map_or(0, |span| span.start);
    let (line, column) = lines.position(offset);
    Fault { line, column, text: error.message().replace('\n', "; ") }
}

fn unknown(name: &str) -> String {
    match nearest(name) {
        Some(nearest) => format!("there is no key {name}; did you mean {nearest}?"),
        None => {
            let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
            format!("there is no key {name}; the keys are {}", names.join(", "))
        }
    }
}

/// Of a long name none: that is no slip, and each comparison takes as long as the two names multiplied.
fn nearest(name: &str) -> Option<&'static str> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let scored = KEYS.iter().map(|key| (strsim::jaro_winkler(key.name, name), key.name));
    let best = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (best.0 > 0.8).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed_and_shown() {
        let config = Config::default();
        assert_eq!(config.entries().len(), KEYS.len());
        assert_eq!(config.settings.recipient_delimiter, Some('+'));
        assert_eq!(config.settings.max_message, 256 << 20);
        assert_eq!(config.memory_limit, 32 << 20);
        assert_eq!(super::super::value::size_of(super::super::MEMORY_LIMIT), Some(config.memory_limit));
        assert_eq!(config.settings.minimum_rsa_bits, 2048);
        assert!(config.settings.create_mailboxes);
        assert_eq!(config.deadline, Duration::from_secs(120));
        assert_eq!(config.mail_root, "mail/{domain}/{local}/Maildir");
        assert_eq!(config.log, LogTarget::Syslog);
        assert!(config.submission.to.is_none() && config.submission.user.is_none());
        assert_eq!(config.submission.lifetime, Duration::from_secs(5 * 24 * 60 * 60));
    }

    /// A damaged file can have names of any length, and as many faults as lines.
    #[test]
    fn a_long_name_is_compared_with_none() {
        let name = format!("max-message{}", "-".repeat(60));
        assert!(strsim::jaro_winkler("max-message", &name) > 0.8, "it would be near");
        assert!(unknown(&name).starts_with(&format!("there is no key {name}; the keys are ")));
        let many: String = (0..3000).map(|number| format!("k{number} = 1\n")).collect();
        let faults = Config::parse("t", &many).unwrap_err().faults;
        let lines: Vec<(usize, usize)> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
        assert_eq!(lines, (1..=3000).map(|line| (line, 1)).collect::<Vec<_>>());
    }

    #[test]
    fn the_template_says_the_defaults() {
        let template = Config::template();
        let live: String = template
            .lines()
            .filter_map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::parse("t", &live).unwrap();
        let shown =
            |config: &Config| config.entries().iter().map(|entry| entry.value.clone()).collect::<Vec<_>>();
        assert_eq!(shown(&config), shown(&Config::default()));
        assert!(Config::parse("t", &template).is_ok());
    }

    #[test]
    fn a_value_knows_its_line() {
        let config =
            Config::parse("t", "# mine\ninbox = 'plain'\nmax-message = 5\nheaders = \"hide-most\"\n")
                .unwrap();
        assert_eq!(config.settings.inbox, InboxPolicy::Plain);
        assert_eq!(config.settings.max_message, 5);
        assert_eq!(config.settings.headers, HeaderPolicy::HideMost);
        let inbox = config.entries().iter().find(|entry| entry.key == "inbox").unwrap();
        assert_eq!(*inbox, Entry { key: "inbox", value: "'plain'".into(), origin: Origin::Line(2) });
    }

    #[test]
    fn all_faults_at_once() {
        let text = "inbox = \"sael\"\nmax_message = 1\n\nminimum-rsa-bits = 512\nzzz = 1\nmail-root = \"../{local}\"\ndeadline = \"2h\"\n";
        let faults = Config::parse("sealpost.toml", text).unwrap_err();
        let expected = "\
sealpost.toml:1:9: inbox = \"sael\" is not allowed; allowed: \"seal\", \"plain\"
sealpost.toml:2:1: there is no key max_message; did you mean max-message?
sealpost.toml:4:20: minimum-rsa-bits = 512 is not allowed; allowed: a number from 1024 to 16384
sealpost.toml:5:1: there is no key zzz; the keys are recipient-delimiter, max-message, memory-limit, deadline, inbox, attachments, profile, also-classical, name-recipients, headers, trust, trust-bundle, expired, not-yet-valid, unusable, crl, missing-certificate, openpgp, sealed-to-others, create-mailboxes, time-zone, execute, execute-timeout, filters, filter-timeout, rules-allowed, outgoing-from, reply-interval, hop-limit, minimum-rsa-bits, certificates-from-mail, trusted-certificate-sources, mail-root, files-root, submission, submission-tls, submission-user, submission-password-file, submission-helo, queue-lifetime, lmtp-listen, lmtp-socket-mode, lmtp-socket-group, lmtp-sessions, lmtp-memory, log, log-level, issue-days, issue-subject, issue-policy, crl-url, crl-days
sealpost.toml:6:13: mail-root = \"../{local}\" is not allowed; allowed: a path with {domain} and {local}, without \".\" and \"..\"
sealpost.toml:7:12: deadline = \"2h\" is not allowed; allowed: a time from \"1s\" to \"15m\"";
        assert_eq!(faults.to_string(), expected);
    }

    #[test]
    fn what_rules_send_is_the_sites_to_say() {
        let default = Config::default().settings.outgoing;
        assert_eq!(default, Outgoing::default(), "one default, said in two places");
        let said = Config::parse(
            "t",
            "outgoing-from = \"Robot@North.example\"\nreply-interval = \"36h\"\nhop-limit = 25\n",
        );
        let outgoing = said.unwrap().settings.outgoing;
        assert_eq!(outgoing.from.unwrap().to_string(), "Robot@north.example");
        assert_eq!((outgoing.reply_interval, outgoing.hop_limit), (Duration::from_secs(36 * 3600), 25));
        for (line, allowed) in [
            ("outgoing-from = \"robot\"", "an address, or \"\""),
            ("reply-interval = \"367d\"", "a time from \"0s\" to \"366d\"; s, m, h, d"),
            ("reply-interval = 7", "a time from \"0s\" to \"366d\"; s, m, h, d"),
            ("hop-limit = 4", "a number from 5 to 1000"),
        ] {
            let faults = Config::parse("t", line).unwrap_err().to_string();
            assert!(faults.ends_with(&format!("{line} is not allowed; allowed: {allowed}")), "{faults}");
        }
        let never = Config::parse("t", "reply-interval = \"0s\"").unwrap().settings.outgoing.reply_interval;
        assert_eq!(never, Duration::ZERO);
    }

    #[test]
    fn broken_toml_is_shown_with_its_place_and_the_other_faults() {
        let text = "inbox = \"seal\"\ninbox = \"seal\"\nlog = \"relative\"\nprofile = \n";
        let faults = Config::parse("t", text).unwrap_err().faults;
        let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 3, 4], "{faults:?}");
    }

    #[test]
    fn sizes_and_times_end_where_they_should() {
        for (text, size) in
            [("\"1K\"", Some(1024)), ("\"2G\"", Some(2 << 30)), ("7", Some(7)), ("\"0\"", None)]
        {
            let value = DeValue::parse(text).unwrap();
            assert_eq!(super::super::value::size(value.get_ref()), size, "{text}");
        }
        for text in ["\"99999999999999999999\"", "\"18446744073709551615G\"", "-1", "\"M\"", "\"+1M\"", "1.5"]
        {
            let value = DeValue::parse(text).unwrap();
            assert_eq!(super::super::value::size(value.get_ref()), None, "{text}");
        }
    }
}
