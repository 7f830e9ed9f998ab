//! What `doctor --postfix` asks Postfix: are the lines of `init --postfix` there, and do they mean this store? Does Postfix's user come
//! to the daemon's socket, and does mail for each account come here at all?

mod addresses;
mod aliases;
mod ask;
mod daemon;
mod destinations;
mod lists;
mod reach;

use super::Finding;
use crate::cli::failure::Failure;
use crate::cli::handover::next_hop;
use crate::config::{Config, LmtpSettings};
use crate::directory::SqliteDirectory;
use crate::engine::{Account, Domain};
use crate::system::{User, as_owner};
use addresses::Reachable;
use ask::{Settings, service};
use daemon::Client;
use reach::Socket;
use std::path::{Path, PathBuf};

/// What findings are about that are about no address and no domain.
const ABOUT: &str = "Postfix";

/// What was seen.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) findings: Vec<Finding>,
    /// Where mail goes besides because somebody wrote so.
    pub(super) consents: Vec<String>,
}

/// Everything that keeps Postfix from handing mail to this store. Asked before root becomes the owner of the store, who may neither read
/// Postfix's maps nor see with the eyes of its user. Of a store that cannot be read others tell.
pub(super) fn look(root: &Path) -> Result<Looked, Failure> {
    let settings = Settings::read()?;
    let Some(site) = as_owner(root, || Site::read(root))? else { return Ok(Looked::default()) };
    let mut looked = Looked::default();
    looked.findings.extend(site.transport_findings(&settings)?);
    site.look_at_addresses(&settings, &mut looked)?;
    Ok(looked)
}

/// What must be the same here and there.
struct Site {
    root: PathBuf,
    owner: User,
    domains: Vec<Domain>,
    accounts: Vec<Reachable>,
    lmtp: LmtpSettings,
    delimiter: Option<char>,
}

impl Site {
    fn read(root: &Path) -> Option<Site> {
        let config = Config::load(root).unwrap_or_default();
        let directory = SqliteDirectory::open_for_reading(root).ok()?;
        let mut accounts = Vec::new();
        let visit = &mut |account: Account| {
            accounts.push(Reachable { addresses: account.addresses(), account: account.address });
        };
        directory.visit_accounts(visit).ok()?;
        Some(Site {
            root: root.canonicalize().ok()?,
            owner: User::owning(root).ok()?,
            domains: directory.domains().ok()?,
            accounts,
            lmtp: config.lmtp,
            delimiter: config.settings.recipient_delimiter,
        })
    }

    /// Every name of every domain.
    fn names(&self) -> Vec<String> {
        let each =
            self.domains.iter().flat_map(|domain| std::iter::once(&domain.name).chain(&domain.aliases));
        each.cloned().collect()
    }

    fn transport_findings(&self, settings: &Settings) -> Result<Vec<Finding>, Failure> {
        let transport = settings.of("virtual_transport");
        let (name, hop) = transport.split_once(':').unwrap_or((transport, ""));
        let named = service(name)?;
        let Some(client) = Client::of(&named, settings.of("compatibility_level")) else {
            return Ok(self.faults_without_client(name, settings)?.into_iter().map(problem).collect());
        };
        let queue = PathBuf::from(settings.of("queue_directory"));
        let queue = queue.canonicalize().unwrap_or(queue);
        let faults = client.faults(hop, &queue, &self.lmtp.listen);
        if faults.is_empty()
            && !client.is_root
            && let Some(way) = client.way(hop, &queue)
        {
            let socket = Socket { root: &self.root, lmtp: &self.lmtp };
            return Ok(socket.look(&way, settings.of("mail_owner"))?.into_iter().collect());
        }
        Ok(faults.into_iter().map(problem).collect())
    }

    /// What is wrong where mail for our domains does not go to an LMTP client: then it should go to the hook, unless the site has
    /// a daemon.
    fn faults_without_client(&self, transport: &str, settings: &Settings) -> Result<Vec<String>, Failure> {
        let line = service("sealpost")?;
        let is_hook = !line.trim().is_empty() && Client::of(&line, "").is_none();
        let mut found = Vec::new();
        let wanted = match self.lmtp.listen.first() {
            Some(to) if !is_hook => format!("sealpost:{}", next_hop(to)),
            _ => {
                if settings.of("sealpost_destination_recipient_limit") != "1" {
                    found.push("main.cf must say sealpost_destination_recipient_limit = 1".to_owned());
                }
                "sealpost".to_owned()
            }
        };
        if is_hook || self.lmtp.listen.is_empty() {
            found.extend(service_faults(&line, &self.root, &self.owner));
        } else if line.trim().is_empty() {
            found.push(NO_SERVICE.to_owned());
        }
        if transport != wanted {
            found.push(format!(
                "main.cf does not say virtual_transport = {wanted} (a transport map may do the same)"
            ));
        }
        Ok(found)
    }
}

fn problem(text: String) -> Finding {
    Finding::problem(ABOUT, text)
}

/// Neither hook nor client.
const NO_SERVICE: &str = "master.cf has no service sealpost: sealpost init --postfix prints it";

/// `line` is the service as postconf prints it, on one line or several.
fn service_faults(line: &str, root: &Path, owner: &User) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.is_empty() {
        return vec![NO_SERVICE.to_owned()];
    }
    let mut faults = Vec::new();
    let user = format!("user={}", owner.name());
    if !words.iter().any(|word| word.split(':').next() == Some(&user)) {
        faults.push(format!("the service sealpost in master.cf must say {user}: who owns the store"));
    }
    let root = root.display().to_string();
    if !line.contains(&format!("--root {root} ")) && !line.contains(&format!("--root={root} ")) {
        faults.push(format!("the service sealpost in master.cf must say --root {root}"));
    }
    for option in ["--recipient=${recipient}", "--sender=${sender}", "null_sender="] {
        if !words.contains(&option) {
            faults.push(format!("the service sealpost in master.cf must say {option}"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_must_mean_this_store() {
        let owner = User::current();
        let faults = |line: &str| service_faults(line, Path::new("/srv/mail"), &owner);
        let line = |user: &str, root: &str| {
            format!(
                "sealpost unix - n n - 4 pipe flags=DORXhu user={user} null_sender= argv=/bin/sealpost --root {root} \
                 deliver --sender=${{sender}} --recipient=${{recipient}}"
            )
        };
        assert!(faults(&line(owner.name(), "/srv/mail")).is_empty());
        assert_eq!(faults(&line("eve", "/srv/other")).len(), 2);
        assert_eq!(faults("").len(), 1);
    }
}
