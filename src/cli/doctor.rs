//! `sealpost doctor`

use super::context::Context;
use super::failure::{Code, Failure};
use super::fitness;
use super::output::{Output, Table};
use super::postfix;
use super::words::{self, counted, day};
use crate::config::Config;
use crate::directory::{CertificateUse, SqliteDirectory};
use crate::engine::{Account, Choice, Clock, Domain, DomainMode, InboxPolicy, MissingCertificate};
use crate::pki::{Certificate, UnlockedKey};
use crate::rules::RuleSet;
use crate::system::{self, SystemClock, User};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// A certificate that ends within this time wants renewing.
const SOON: Duration = Duration::days(30);

/// Look for what will keep mail from being sealed
///
/// Accounts that cannot be sealed to, certificates that end within 30 days, weak keys, files that others can read,
/// settings and rules that are wrong; with --postfix also what keeps Postfix from handing mail to this store. Exits with
/// 1 if anything is found.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudo sealpost doctor
  sudo sealpost doctor --postfix")]
pub(super) struct Doctor {
    /// Ask Postfix too (postconf) whether it hands mail to this store
    #[arg(long)]
    postfix: bool,
}

/// One thing that is wrong.
struct Finding {
    about: String,
    text: String,
}

impl Doctor {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let directory = match context.directory_for_reading() {
            Err(wrong) if wrong.code == Code::Config => {
                return report(out, &[Finding { about: "store".to_owned(), text: wrong.text }], &[]);
            }
            opened => opened?,
        };
        let mut round =
            Round { directory, findings: Vec::new(), consents: Vec::new(), now: SystemClock.now() };
        round.look_at_files(context.root());
        let config = match context.config() {
            Ok(config) => config,
            Err(wrong) => {
                wrong.text.lines().for_each(|line| round.find("configuration", line));
                Config::default()
            }
        };
        round.note_consents("the site", config.settings.inbox, Some(config.settings.missing_certificate));
        let domains = round.directory.domains()?;
        if domains.is_empty() {
            round.find("store", "there is no domain: sealpost domain add NAME");
        }
        for domain in &domains {
            round.look_at_domain(domain)?;
        }
        for account in round.directory.all_accounts(None)? {
            round.look_at_account(&account, &config);
        }
        round.look_at_rules()?;
        if self.postfix {
            round.look_at_postfix(context.root(), &domains)?;
        }
        report(out, &round.findings, &round.consents)
    }
}

/// What the doctor has seen so far.
struct Round {
    directory: SqliteDirectory,
    findings: Vec<Finding>,
    /// Where mail is stored in the clear because somebody wrote so: no fault, and not to be forgotten.
    consents: Vec<String>,
    now: OffsetDateTime,
}

impl Round {
    fn find(&mut self, about: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding { about: about.into(), text: text.into() });
    }

    fn note_consents(
        &mut self,
        whose: &str,
        inbox: impl Into<Option<InboxPolicy>>,
        missing_certificate: Option<MissingCertificate>,
    ) {
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
            if name.contains(".sqlite") && open {
                let path = entry.path().display().to_string();
                self.find(name, format!("others may read it: chmod 600 {path}"));
            }
        }
    }

    fn look_at_domain(&mut self, domain: &Domain) -> Result<(), Failure> {
        let name = &domain.name;
        self.note_consents(name, domain.overrides.inbox, domain.overrides.missing_certificate);
        if domain.mode != DomainMode::Enabled {
            let text = format!("its mode is {}: mail for its accounts waits", domain.mode.name());
            self.find(name, text);
        }
        if self.directory.all_accounts(Some(name))?.is_empty() {
            self.find(name, "it has no account: mail for it waits");
        }
        if let Some(key) = self.directory.domain_key(name)? {
            let tested = UnlockedKey::from_pkcs8(key.pkcs8.expose()).and_then(|key| key.test());
            if let Err(error) = tested {
                self.find(name, format!("its key does not work: {error}"));
            }
        }
        for held in self.directory.domain_certificates(name)? {
            let what = format!("its {} certificate", held.purpose.name());
            self.look_at_end(name, &what, &held.certificate);
            if held.purpose == CertificateUse::Smime && domain.mode != DomainMode::Enabled {
                self.find(name, "it has an S/MIME certificate and may not use it");
            }
        }
        Ok(())
    }

    fn look_at_end(&mut self, about: &str, what: &str, certificate: &Certificate) {
        let end = certificate.not_after();
        if end < self.now {
            self.find(about, format!("{what} ended on {}", day(end)));
        } else if end < self.now + SOON {
            self.find(about, format!("{what} ends on {}", day(end)));
        }
    }

    fn look_at_account(&mut self, account: &Account, config: &Config) {
        let address = account.address.to_string();
        self.note_consents(&address, account.overrides.inbox, None);
        let active: Vec<&Certificate> = fitness::active(account).collect();
        if active.is_empty() {
            let missing = account.domain.overrides.missing_certificate;
            let fate = match missing.unwrap_or(config.settings.missing_certificate) {
                MissingCertificate::Reject => "mail for it is rejected",
                MissingCertificate::Plain => "mail for it is stored in the clear",
                MissingCertificate::DomainKey => "mail for it is sealed to the key of its domain",
                MissingCertificate::Defer => "mail for it waits",
            };
            self.find(&address, format!("it has no active certificate: {fate}"));
        }
        for certificate in active {
            let what = format!("certificate {}", words::short(certificate.fingerprint()));
            match fitness::check(account, certificate, &[], config, self.now) {
                Ok(_) => self.look_at_end(&address, &what, certificate),
                Err(reasons) => self.find(&address, format!("{what}: {}", reasons.join("; "))),
            }
        }
    }

    fn look_at_postfix(&mut self, root: &Path, domains: &[Domain]) -> Result<(), Failure> {
        let root = root.canonicalize().map_err(|error| Failure::io("look at", root.display(), &error))?;
        let expected = postfix::Expected { root: &root, owner: &User::current(), domains };
        postfix::look(&expected)?.into_iter().for_each(|fault| self.find("Postfix", fault));
        Ok(())
    }

    fn look_at_rules(&mut self) -> Result<(), Failure> {
        let installed = self.directory.installed_rules()?;
        for set in installed.iter().filter(|set| set.running).map(|set| &set.rules) {
            if let Err(faults) = RuleSet::from_toml(&set.file, &set.text, set.scope) {
                let about = format!("rules {} {}", set.scope.name(), set.holder);
                self.find(about.trim_end(), faults.to_string());
            }
        }
        Ok(())
    }
}

fn report(out: &mut Output, findings: &[Finding], consents: &[String]) -> Result<(), Failure> {
    let rows: Vec<_> = findings.iter().map(|one| json!({"about": one.about, "finding": one.text})).collect();
    out.json(json!({"ok": findings.is_empty(), "findings": rows, "consents": consents}))?;
    consents.iter().try_for_each(|consent| out.line(format!("note: {consent}")))?;
    if findings.is_empty() {
        return out.line("all is well");
    }
    let mut table = Table::new(&["about", "finding"], "");
    findings.iter().for_each(|one| table.row([one.about.clone(), one.text.clone()]));
    out.table(&table)?;
    Err(Failure::new(Code::No, format!("{} found", counted(findings.len(), "problem"))))
}
