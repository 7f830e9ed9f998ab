//! What `doctor --postfix` asks Postfix: are the lines of `init --postfix` there, and do they mean this store?

mod daemon;

use super::failure::{Code, Failure};
use super::handover::next_hop;
use crate::config::Listen;
use crate::engine::Domain;
use crate::system::User;
use daemon::Client;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program that prints Postfix's settings.
const POSTCONF: &str = "postconf";

/// What must be the same here and there.
pub(super) struct Expected<'e> {
    pub(super) root: &'e Path,
    pub(super) owner: &'e User,
    pub(super) domains: &'e [Domain],
    /// Where the daemon listens.
    pub(super) daemon: &'e [Listen],
}

/// Everything that keeps Postfix from handing mail to this store, each with the line that mends it.
pub(super) fn look(expected: &Expected<'_>) -> Result<Vec<String>, Failure> {
    let transport = ask(&["-xh", "virtual_transport"])?;
    let (name, hop) = transport.trim().split_once(':').unwrap_or((transport.trim(), ""));
    let named = service(name)?;
    let mut found = match Client::of(&named) {
        Some(client) => {
            client.faults(hop, Path::new(ask(&["-xh", "queue_directory"])?.trim()), expected.daemon)
        }
        None => faults_without_client(name, expected)?,
    };
    found.extend(domain_faults(&ask(&["-xh", "virtual_mailbox_domains"])?, expected.domains));
    Ok(found)
}

/// A service of master.cf as postconf prints it; empty if there is none.
fn service(name: &str) -> Result<String, Failure> {
    if name.is_empty() { Ok(String::new()) } else { ask(&["-M", &format!("{name}/unix")]) }
}

/// What is wrong where mail for our domains does not go to an LMTP client: then it should go to the hook, unless the site has
/// a daemon.
fn faults_without_client(transport: &str, expected: &Expected<'_>) -> Result<Vec<String>, Failure> {
    let line = service("sealpost")?;
    let is_hook = !line.trim().is_empty() && Client::of(&line).is_none();
    let mut found = Vec::new();
    let wanted = match expected.daemon.first() {
        Some(to) if !is_hook => format!("sealpost:{}", next_hop(to)),
        _ => {
            if ask(&["-h", "sealpost_destination_recipient_limit"])?.trim() != "1" {
                found.push("main.cf must say sealpost_destination_recipient_limit = 1".to_owned());
            }
            "sealpost".to_owned()
        }
    };
    if is_hook || expected.daemon.is_empty() {
        found.extend(service_faults(&line, expected));
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

/// Neither hook nor client.
const NO_SERVICE: &str = "master.cf has no service sealpost: sealpost init --postfix prints it";

fn ask(args: &[&str]) -> Result<String, Failure> {
    let asked = Command::new(POSTCONF).args(args).stderr(Stdio::null()).output();
    let output = asked.map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Failure::new(Code::Unavailable, format!("{POSTCONF} is not installed, or not in PATH"))
                .hint("it comes with Postfix; without it there is no --postfix")
        }
        _ => Failure::io("run", POSTCONF, &error),
    })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `line` is the service as postconf prints it, on one line or several.
fn service_faults(line: &str, expected: &Expected<'_>) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.is_empty() {
        return vec![NO_SERVICE.to_owned()];
    }
    let mut faults = Vec::new();
    let user = format!("user={}", expected.owner.name());
    if !words.iter().any(|word| word.split(':').next() == Some(&user)) {
        faults.push(format!("the service sealpost in master.cf must say {user}: who owns the store"));
    }
    let root = expected.root.display().to_string();
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

/// A list with a map in it can hold any name: then nothing is said.
fn domain_faults(list: &str, domains: &[Domain]) -> Vec<String> {
    let listed: Vec<&str> = list.split([',', ' ', '\t', '\n']).filter(|name| !name.is_empty()).collect();
    if listed.iter().any(|name| name.contains([':', '/'])) {
        return Vec::new();
    }
    let names = domains.iter().flat_map(|domain| std::iter::once(&domain.name).chain(&domain.aliases));
    let missing = names.filter(|name| !listed.iter().any(|listed| listed.eq_ignore_ascii_case(name)));
    missing.map(|name| format!("main.cf does not name {name} in virtual_mailbox_domains")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_must_mean_this_store() {
        let owner = User::current();
        let expected = Expected { root: Path::new("/srv/mail"), owner: &owner, domains: &[], daemon: &[] };
        let line = |user: &str, root: &str| {
            format!(
                "sealpost unix - n n - 4 pipe flags=DORXhu user={user} null_sender= argv=/bin/sealpost --root {root} \
                 deliver --sender=${{sender}} --recipient=${{recipient}}"
            )
        };
        assert!(service_faults(&line(owner.name(), "/srv/mail"), &expected).is_empty());
        assert_eq!(service_faults(&line("eve", "/srv/other"), &expected).len(), 2);
        assert_eq!(service_faults("", &expected).len(), 1);
    }

    #[test]
    fn every_name_of_every_domain_is_looked_for() {
        let domain = Domain {
            name: "north.example".into(),
            aliases: vec!["alias.example".into()],
            mode: crate::engine::DomainMode::Enabled,
            catch_all: None,
            overrides: crate::engine::DomainOverrides::default(),
            authorities: Vec::new(),
            sealing: None,
            recovery: None,
            trust: crate::engine::DomainTrust::default(),
        };
        let faults = |list: &str| domain_faults(list, std::slice::from_ref(&domain)).len();
        assert_eq!(faults("North.example, alias.example"), 0);
        assert_eq!(faults("north.example"), 1);
        assert_eq!(faults(""), 2);
        assert_eq!(faults("hash:/etc/postfix/domains"), 0);
    }
}
