//! `sealpost doctor`

mod accounts;
mod authorities;
mod certificates;
mod daemon;
mod finding;
mod postfix;
mod programs;
mod queue;
mod rules;
mod vault;

use super::context::Context;
use super::failure::{Code, Failure};
use super::fitness;
use super::output::Output;
use crate::config::Config;
use crate::directory::SqliteDirectory;
use crate::engine::{
    self, AttachmentPolicy, Choice, Clock, Domain, DomainMode, InboxPolicy, MissingCertificate, Unusable,
};
use crate::pki::{Crl, UnlockedKey};
use crate::system::{self, SystemClock};
use finding::{Finding, Severity, report};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// Look for what keeps mail from being sealed, or soon will
///
/// Accounts that cannot be sealed to, or are sealed to something else than a valid certificate of theirs; certificates of
/// accounts, domains, chains, trusted sets and recovery that end soon; weak keys, and keys without a certificate; old
/// revocation lists, also those of the domains themselves; certificates that wait to be accepted; files that others can read; settings and rules that are wrong; programs that rules
/// call and the site does not list; mail in the queue that has failed, that nobody sends, or that cannot be opened; a daemon that does not answer where
/// sealpost.toml says that it listens; with --postfix also what keeps Postfix from handing mail to this store, and what it does to the addresses of accounts before. Beside each stands what mends it.
///
/// Exits with 0 if nothing is found and with 1 otherwise. A problem keeps mail from being sealed as it should be today; a
/// warning is for soon.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudo sealpost doctor
  sudo sealpost doctor --within 90 --json
  sudo sealpost doctor --postfix")]
pub(super) struct Doctor {
    /// Name certificates that end within this time
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(i64).range(0..=36_500))]
    within: i64,
    /// Ask Postfix too (postconf) whether it hands mail to this store
    #[arg(long)]
    postfix: bool,
}

impl Doctor {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let greeted = daemon::greet_all(context.root());
        let postfix = self.postfix.then(|| postfix::look(context.root())).transpose()?.unwrap_or_default();
        let directory = match context.directory_for_reading() {
            Err(wrong) if wrong.code == Code::Config => {
                return report(out, &[Finding::problem("store", wrong.text)], &[]);
            }
            opened => opened?,
        };
        let now = SystemClock.now();
        let mut round = Round {
            vaults: context.directory_for_reading()?,
            config: Config::default(),
            lists: fitness::lists(&directory)?,
            directory,
            findings: Vec::new(),
            consents: Vec::new(),
            now,
            soon: now.saturating_add(Duration::days(self.within)),
        };
        round.look_at_files(context.root());
        round.look_at_config(context);
        round.look_at_bundle();
        round.look_at_programs();
        round.look_at_daemon(greeted);
        round.look_at_domains()?;
        round.look_at_lists();
        round.look_at_accounts()?;
        round.look_at_rules(context)?;
        round.look_at_queue()?;
        round.findings.extend(postfix.findings);
        round.consents.extend(postfix.consents);
        report(out, &round.findings, &round.consents)
    }
}

/// What the doctor has seen so far.
struct Round {
    directory: SqliteDirectory,
    /// The same once more: it is asked while the other one goes through the accounts.
    vaults: SqliteDirectory,
    config: Config,
    /// The revocation lists that the site was given.
    lists: Vec<Crl>,
    findings: Vec<Finding>,
    /// Where mail is stored in the clear, or goes elsewhere too, because somebody wrote so: no fault, and not to be forgotten.
    consents: Vec<String>,
    now: OffsetDateTime,
    /// What ends before wants renewing.
    soon: OffsetDateTime,
}

impl Round {
    fn find(&mut self, about: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding::problem(about, text));
    }

    /// The same with the command that mends it.
    fn advise(
        &mut self,
        severity: Severity,
        about: impl Into<String>,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (about, text, mend) = (about.into(), text.into(), Some(mend.into()));
        self.findings.push(Finding { severity, about, text, mend });
    }

    fn note_consents(
        &mut self,
        whose: &str,
        inbox: impl Into<Option<InboxPolicy>>,
        attachments: impl Into<Option<AttachmentPolicy>>,
        missing_certificate: Option<MissingCertificate>,
    ) {
        if attachments.into() == Some(AttachmentPolicy::Plain) {
            self.consents.push(format!(
                "{whose} says attachments = plain: copied attachments are stored in the clear"
            ));
        }
        if inbox.into() == Some(InboxPolicy::Plain) {
            self.consents.push(format!("{whose} says inbox = plain: INBOX copies are stored in the clear"));
        }
        if missing_certificate == Some(MissingCertificate::Plain) {
            let text = "missing-certificate = plain: without a certificate mail is stored in the clear";
            self.consents.push(format!("{whose} says {text}"));
        }
    }

    /// Folder and directory themselves were looked at when they were opened.
    fn look_at_files(&mut self, root: &Path) {
        if let Err(error) = system::refuse_network_file_system(root) {
            self.find("store", error.to_string());
        }
        for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let open = entry.metadata().is_ok_and(|data| data.permissions().mode() & 0o077 != 0);
            let is_ours = name.contains(".sqlite") || name == "queue.key";
            if is_ours && open {
                let path = entry.path().display().to_string();
                self.advise(Severity::Problem, name, "others may read it", format!("chmod 600 {path}"));
            }
        }
    }

    fn look_at_config(&mut self, context: &Context) {
        match context.config() {
            Ok(config) => self.config = config,
            Err(wrong) => wrong.text.lines().for_each(|line| self.find("configuration", line)),
        }
        let settings = &self.config.settings;
        let (inbox, missing) = (settings.inbox, settings.certificates.missing_certificate);
        let attachments = settings.attachments;
        self.note_consents("the site", inbox, attachments, Some(missing));
    }

    fn look_at_domains(&mut self) -> Result<(), Failure> {
        let domains = self.directory.domains()?;
        if domains.is_empty() {
            self.find("store", "there is no domain: sealpost domain add NAME");
        }
        for domain in &domains {
            self.look_at_domain(domain)?;
            self.look_at_recovery(domain);
            self.look_at_domain_key(domain)?;
            self.look_at_authorities_of(domain)?;
            self.look_at_own_lists(domain)?;
        }
        self.look_at_authorities()
    }

    fn look_at_domain(&mut self, domain: &Domain) -> Result<(), Failure> {
        let name = &domain.name;
        let own = &domain.overrides;
        self.note_consents(name, own.inbox, own.attachments, own.missing_certificate);
        if domain.mode != DomainMode::Enabled {
            let text = format!("its mode is {}: mail for its accounts waits", domain.mode.name());
            self.advise(Severity::Problem, name, text, format!("sealpost domain set {name} --mode enabled"));
        }
        if self.directory.has_no_account(name)? {
            let mend = format!("sealpost account add NAME@{name}");
            self.advise(Severity::Problem, name, "it has no account: mail for it waits", mend);
        }
        Ok(())
    }

    /// Does its key work, and can it stand in where policy says so?
    fn look_at_domain_key(&mut self, domain: &Domain) -> Result<(), Failure> {
        let name = &domain.name;
        if let Some(key) = self.directory.domain_key(name)? {
            let tested = UnlockedKey::from_pkcs8(key.pkcs8.expose()).and_then(|key| key.test());
            if let Err(error) = tested {
                self.find(name, format!("its key does not work: {error}"));
            }
        }
        let policy = self.config.settings.certificate_policy(domain);
        let stands_in = policy.unusable == Unusable::DomainKey
            || policy.missing_certificate == MissingCertificate::DomainKey;
        let judged = engine::foresee_domain_key(domain, &self.config.settings, &self.lists, self.now);
        if let (true, Err(reason)) = (stands_in, judged) {
            let text = format!("its key cannot stand in for accounts (domain-key): {reason}");
            let mend = format!("sealpost cert self-sign --domain {name} --purpose sealing");
            self.advise(Severity::Problem, name, text, mend);
        }
        Ok(())
    }
}
