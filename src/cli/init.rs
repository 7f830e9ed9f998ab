//! `sealpost init`

use super::context::Context;
use super::failure::{Code, Failure};
use super::handover;
use super::output::Output;
use crate::config::{Config, FILE};
use crate::directory::SqliteDirectory;
use crate::system::{self, User};
use serde_json::json;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Make the store, and print the lines for Postfix or Exim
///
/// Makes what is missing of folder, directory and sealpost.toml, and never changes what is there. One user owns the
/// store: the hook, the daemon, Dovecot and every command of an administrator work as that user.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudo sealpost init --owner vmail --postfix
  sudo sealpost init --exim
  sealpost --root ./try init")]
pub(super) struct Init {
    /// The user of the machine who owns the store; you, if it is not given
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Print the lines for Postfix's main.cf and master.cf: for the daemon if sealpost.toml says where it listens, else for the
    /// hook that Postfix starts
    #[arg(long)]
    postfix: bool,
    /// Print a router and a transport for Exim, which hands mail to the daemon
    #[arg(long)]
    exim: bool,
}

impl Init {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let root = context.root();
        let made = make_root(root, self.owner.as_deref())?;
        system::become_owner(root)?;
        system::refuse_network_file_system(root)?;
        let directory = SqliteDirectory::create(root)?;
        let configured = write_config(root)?;
        make_folder(&root.join("mail"))?;
        let root = root.canonicalize().map_err(|error| Failure::io("look at", root.display(), &error))?;
        let owner = User::current();
        let (before, after) = if made { ("made ", "") } else { ("", " is there already and stays as it is") };
        out.line(format!("{before}the store {}{after}; its owner is {}", root.display(), owner.name()))?;
        if configured {
            out.line(format!("{} made: every setting with its default", root.join(FILE).display()))?;
        }
        let lines = self.lines(&root, &owner, &directory)?;
        let (main, master) = lines.postfix.map(|lines| (lines.main, lines.master)).unzip();
        for text in [&main, &master, &lines.exim].into_iter().flatten() {
            out.line(format!("\n{}", text.trim_end()))?;
        }
        out.json(json!({
            "root": root,
            "owner": owner.name(),
            "made": made,
            "main_cf": main,
            "master_cf": master,
            "exim": lines.exim,
        }))
    }

    fn lines(&self, root: &Path, owner: &User, directory: &SqliteDirectory) -> Result<Lines, Failure> {
        if !self.postfix && !self.exim {
            return Ok(Lines::default());
        }
        let binary = std::env::current_exe().map_err(|error| Failure::io("find", "this program", &error))?;
        let domains = directory.domains()?;
        let site = handover::Site { binary: &binary, root, owner, domains: &domains };
        let daemon = Config::load(root)?.lmtp.listen;
        let exim = match (self.exim, daemon.first()) {
            (true, None) => return Err(no_daemon(root)),
            (true, Some(to)) => Some(site.exim(to)),
            (false, _) => None,
        };
        let for_postfix = || daemon.first().map_or_else(|| site.pipe(), |to| site.lmtp(to));
        Ok(Lines { postfix: self.postfix.then(for_postfix), exim })
    }
}

/// Lines to paste.
#[derive(Default)]
struct Lines {
    postfix: Option<handover::Postfix>,
    exim: Option<String>,
}

/// Exim's pipe transport bounces on other codes than Postfix's, so there are no lines for the hook.
fn no_daemon(root: &Path) -> Failure {
    let text = format!(
        "{} does not say where the daemon listens, and Exim hands mail to it",
        root.join(FILE).display()
    );
    Failure::new(Code::Config, text).hint("lmtp-listen = [\"unix:/run/sealpost/lmtp\"]")
}

/// Makes the folder and gives it to its owner; says whether it was missing.
fn make_root(root: &Path, owner: Option<&str>) -> Result<bool, Failure> {
    let owner = owner.map(User::named).transpose()?;
    if root.exists() {
        refuse_other_owner(root, owner.as_ref())?;
        return Ok(false);
    }
    if let Some(owner) = owner.as_ref().filter(|owner| !owner.is_me())
        && !User::current().is_root()
    {
        let text = format!("only root can make a store for {}", owner.name());
        return Err(Failure::new(Code::NoPermission, text).hint(format!(
            "sudo sealpost --root {} init --owner {}",
            root.display(),
            owner.name()
        )));
    }
    make_folder(root)?;
    if let Some(owner) = owner {
        owner.take(root)?;
    }
    Ok(true)
}

fn refuse_other_owner(root: &Path, wanted: Option<&User>) -> Result<(), Failure> {
    let is = User::owning(root)?;
    match wanted {
        Some(wanted) if wanted.name() != is.name() => {
            let text = format!("{} belongs to {}, not to {}", root.display(), is.name(), wanted.name());
            Err(Failure::new(Code::No, text).hint(format!(
                "if that is wrong: chown -R {} {}",
                wanted.name(),
                root.display()
            )))
        }
        _ => Ok(()),
    }
}

/// A folder that nobody else can enter; one that is there stays as it is.
fn make_folder(path: &Path) -> Result<(), Failure> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Failure::io("make", path.display(), &error))
        }
        _ => Ok(()),
    }
}

/// Writes `sealpost.toml` with all defaults commented out, unless there is one.
fn write_config(root: &Path) -> Result<bool, Failure> {
    let path = root.join(FILE);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let written = file.write_all(Config::template().as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| Failure::io("write", path.display(), &error))?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Failure::io("make", path.display(), &error)),
    }
}
