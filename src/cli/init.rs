//! `sealpost init`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::Output;
use crate::config::{Config, FILE};
use crate::directory::SqliteDirectory;
use crate::engine::Domain;
use crate::system::{self, User};
use serde_json::json;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Make the store, and print the lines for Postfix
///
/// Makes what is missing of folder, directory and sealpost.toml, and never changes what is there. One user owns the
/// store: the hook, Dovecot and every command of an administrator work as that user.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudo sealpost init --owner vmail --postfix
  sealpost --root ./try init")]
pub(super) struct Init {
    /// The user of the machine who owns the store; you, if it is not given
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Print the lines for Postfix's main.cf and master.cf
    #[arg(long)]
    postfix: bool,
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
        let lines = self.postfix.then(|| postfix(&root, &owner, &directory)).transpose()?;
        if let Some(lines) = &lines {
            out.line(format!("\n{}\n{}", lines.main, lines.master))?;
        }
        let (main, master) = lines.map(|lines| (lines.main, lines.master)).unzip();
        out.json(json!({
            "root": root,
            "owner": owner.name(),
            "made": made,
            "main_cf": main,
            "master_cf": master,
        }))
    }
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

/// Lines to paste.
struct Lines {
    main: String,
    master: String,
}

fn postfix(root: &Path, owner: &User, directory: &SqliteDirectory) -> Result<Lines, Failure> {
    let binary = std::env::current_exe().map_err(|error| Failure::io("find", "this program", &error))?;
    let domains = directory.domains()?;
    let root_word = if owner.is_root() {
        "# Postfix runs no pipe(8) command as root: make the store with init --owner USER.\n"
    } else {
        ""
    };
    let main = format!(
        "# --- main.cf ---\n\
         # The copies of one call are one unit: one recipient a call.\n\
         sealpost_destination_recipient_limit = 1\n\
         # Postfix bounces what runs longer; sealpost answers \"try again\" long before.\n\
         sealpost_time_limit = 1000s\n\
         {}\n\
         virtual_transport = sealpost\n\
         # Mail for an unknown local part is bounced after it was taken. A list in virtual_mailbox_maps (sealpost\n\
         # account list) refuses it at the door, and so sends no bounces to forged senders.\n",
        domain_line(&domains)
    );
    let master = format!(
        "# --- master.cf ---\n{root_word}\
         sealpost  unix  -       n       n       -       4       pipe\n  \
         flags=DORXhu user={} null_sender=\n  \
         argv={} --root {} deliver\n    \
         --sender=${{sender}} --recipient=${{recipient}} --original-recipient=${{original_recipient}}\n    \
         --client=${{client_address}} --queue-id=${{queue_id}}\n",
        owner.name(),
        word(&binary),
        word(root)
    );
    Ok(Lines { main, master })
}

/// All names of all domains; Postfix has no comments after a value, so that an empty list is a comment altogether.
fn domain_line(domains: &[Domain]) -> String {
    let names: Vec<&str> = domains
        .iter()
        .flat_map(|domain| std::iter::once(&domain.name).chain(&domain.aliases))
        .map(String::as_str)
        .collect();
    if names.is_empty() {
        "# virtual_mailbox_domains = your domains, after: sealpost domain add NAME".to_owned()
    } else {
        format!("virtual_mailbox_domains = {}", names.join(", "))
    }
}

/// One argument of pipe(8): braces keep blanks together (Postfix 3.0).
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) { format!("{{{text}}}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_with_a_blank_stays_one() {
        assert_eq!(word(Path::new("/a/b")), "/a/b");
        assert_eq!(word(Path::new("/a b")), "{/a b}");
    }
}
