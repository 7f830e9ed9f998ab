//! What every verb may ask for: the root, and what lies in it.

use super::failure::{Code, Failure};
use crate::config::{Config, ConfigError, LogTarget};
use crate::directory::{AdminError, SqliteDirectory, SqliteOutbox};
use crate::engine::{BuiltInError, DirectoryError, Engine, RuleCache};
use crate::helper::SitePrograms;
use crate::store::MaildirStore;
use crate::system::{self, IdentityError, SystemClock, SystemEntropy};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where a store is unless somebody says otherwise.
pub(super) const DEFAULT_ROOT: &str = "/var/lib/sealpost";
/// The variable of the environment that says otherwise.
pub(super) const ROOT: &str = "SEALPOST_ROOT";
/// They stand apart from what a verb itself takes.
const GLOBAL: &str = "Options of every command";

/// Options of every verb.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Global {
    /// The folder of the store: configuration, directory, mail
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = ROOT,
        default_value = DEFAULT_ROOT,
        help_heading = GLOBAL
    )]
    pub(super) root: PathBuf,
    /// Print JSON for a program to read
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(super) json: bool,
}

/// Opens what a verb needs, when it needs it.
pub(super) struct Context {
    root: PathBuf,
}

impl Context {
    pub(super) fn new(global: Global) -> Context {
        Context { root: global.root }
    }

    /// For a store that the command itself names.
    pub(super) fn at(root: &Path) -> Context {
        Context { root: root.to_owned() }
    }

    /// The folder of the store.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Becomes the owner of the store, so that no file in it ever belongs to somebody else.
    pub(super) fn become_owner(&self) -> Result<(), Failure> {
        Ok(system::become_owner(&self.root)?)
    }

    /// The configuration.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        self.become_owner()?;
        Ok(Config::load(&self.root)?)
    }

    /// Sends the log from now on where the configuration says.
    pub(super) fn start_log(&self, config: &Config) -> Result<(), Failure> {
        match &config.log {
            LogTarget::Syslog => system::log::start_syslog(config.log_level),
            LogTarget::File(path) => {
                let path = self.root.join(path);
                let started = system::log::start_file(&path, config.log_level);
                started.map_err(|error| Failure::io("open the log", path.display(), &error))?;
            }
            LogTarget::None => (),
        }
        Ok(())
    }

    /// The mail store.
    pub(super) fn store(&self, config: &Config) -> Result<MaildirStore, Failure> {
        let store = MaildirStore::new(&self.root, &config.mail_root);
        let store = store.and_then(|store| store.with_files_below(&self.root, &config.files_root));
        store.map_err(|error| Failure::new(Code::Config, error.to_string()))
    }

    /// The directory, for changes. Files that only the caller may read are read before.
    pub(super) fn directory(&self) -> Result<SqliteDirectory, Failure> {
        self.become_owner()?;
        Ok(SqliteDirectory::open(&self.root)?)
    }

    /// The directory, for looking only.
    pub(super) fn directory_for_reading(&self) -> Result<SqliteDirectory, Failure> {
        self.become_owner()?;
        Ok(SqliteDirectory::open_for_reading(&self.root)?)
    }

    /// The same for a command that can do without: nothing if the usual place holds no store.
    pub(super) fn directory_if_there(&self) -> Result<Option<SqliteDirectory>, Failure> {
        if SqliteDirectory::exists(&self.root) {
            return self.directory_for_reading().map(Some);
        }
        if self.root == Path::new(DEFAULT_ROOT) {
            return Ok(None);
        }
        let text = format!("there is no store in {} that you may read", self.root.display());
        Err(Failure::new(Code::NotFound, text))
    }
}

/// The queue of outgoing mail. Nothing is opened before a rule sends something.
pub(super) fn outbox<'d>(directory: &'d SqliteDirectory, config: &'d Config) -> SqliteOutbox<'d> {
    SqliteOutbox::new(directory, &SystemEntropy, config.submission.to.as_ref())
}

/// What this process compiled.
static RULES: OnceLock<RuleCache> = OnceLock::new();

/// The engine over this machine's clock and randomness.
pub(super) fn engine<'e>(
    directory: &'e SqliteDirectory,
    store: &'e MaildirStore,
    outbox: &'e SqliteOutbox<'e>,
    config: &'e Config,
    programs: &'e SitePrograms,
) -> Engine<'e> {
    Engine {
        directory,
        store,
        clock: &SystemClock,
        entropy: &SystemEntropy,
        built_in: &config.trust_bundle,
        outbox,
        helpers: programs,
        rules: RULES.get_or_init(RuleCache::default),
        settings: &config.settings,
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Failure {
        let code = match &error {
            AdminError::Directory(DirectoryError::Busy)
            | AdminError::KeysChanged(_)
            | AdminError::RulesChanged(_) => Code::TryAgain,
            AdminError::Directory(DirectoryError::FullDataset { .. }) => Code::No,
            AdminError::Directory(_) | AdminError::Io { .. } => Code::Io,
            AdminError::NoStore(_)
            | AdminError::NoDomain(_)
            | AdminError::NoAccount(_)
            | AdminError::NoAlias { .. }
            | AdminError::NoKey(_)
            | AdminError::NoCertificate(_)
            | AdminError::NotIssued { .. }
            | AdminError::NoChain(_)
            | AdminError::NoMail(_)
            | AdminError::NoRules(_)
            | AdminError::NoGrant(_) => Code::NotFound,
            AdminError::AuthorityChanged(_) | AdminError::MailBusy { .. } => Code::TryAgain,
            AdminError::DomainName { .. } => Code::Usage,
            AdminError::WrongMode { .. }
            | AdminError::NewerSchema { .. }
            | AdminError::QueueKey { .. }
            | AdminError::QueueKeyGone { .. }
            | AdminError::OtherQueueKey { .. } => Code::Config,
            AdminError::Pki(_) | AdminError::OtherKey { .. } | AdminError::NoBackup { .. } => Code::Data,
            _ => Code::No,
        };
        let failure = Failure::new(code, error.to_string());
        match error {
            AdminError::NoDomain(_) => failure.hint("see: sealpost domain list"),
            AdminError::NoAccount(_) => failure.hint("see: sealpost account list"),
            AdminError::NoMail(_) | AdminError::SeveralMails(_) => failure.hint("see: sealpost queue list"),
            AdminError::MailBusy { .. } => failure.hint("try again then"),
            AdminError::QueueKey { .. } => {
                failure.hint("put the right one back; without it: take this one away, then sealpost queue remove --unreadable")
            }
            AdminError::NotIssued { domain, .. } => {
                failure.hint(format!("see: sealpost cert issued --domain {domain}"))
            }
            AdminError::Revoked { reason: "certificate-hold", .. } => {
                failure.hint("it is on hold: sealpost cert release")
            }
            AdminError::Revoked { .. } => failure
                .hint("that stays. A new key gets a new certificate: sealpost key generate, then cert issue"),
            AdminError::KeysWouldBeLost { .. } => {
                failure.hint("to lose them, name each: --forget FINGERPRINT")
            }
            AdminError::DomainName { name, .. } => {
                Failure::new(code, format!("\"{name}\" is no domain name; one looks like north.example"))
            }
            _ => failure,
        }
    }
}

impl From<BuiltInError> for Failure {
    fn from(error: BuiltInError) -> Failure {
        Failure::new(Code::Config, error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        match &error {
            ConfigError::Faults(faults) => Failure::rendered(Code::Config, faults.to_string()),
            ConfigError::Read { .. } => Failure::new(Code::Config, error.to_string()),
        }
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Failure {
        let code = match error {
            IdentityError::NotOwner { .. } => Code::NoPermission,
            IdentityError::NoUser(_) => Code::NotFound,
            IdentityError::Network(_) => Code::Config,
            _ => Code::Io,
        };
        Failure::new(code, error.to_string())
    }
}
