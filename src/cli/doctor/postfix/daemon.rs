//! Postfix's LMTP client, which hands mail to the daemon.

use super::reach::Way;
use crate::cli::handover::next_hop;
use crate::config::Listen;
use std::path::Path;

/// Postfix's `lmtp_tcp_port`.
const PORT: &str = "24";

/// A service of master.cf whose program is lmtp(8).
pub(super) struct Client<'l> {
    name: &'l str,
    /// Does it see Postfix's queue as the root of all files?
    is_in_chroot: bool,
    /// Does it stay root?
    pub(super) is_root: bool,
}

impl<'l> Client<'l> {
    /// The line as postconf prints it: name, type, private, unpriv, chroot, wakeup, maxproc, command. What is not said of a chroot
    /// is yes where Postfix does as it did before 3.0: where `compatibility_level` begins with 0 or is none.
    pub(super) fn of(line: &'l str, level: &str) -> Option<Client<'l>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, _, _, unpriv, chroot, _, _, "lmtp", ..] = words.as_slice() else { return None };
        let is_old = level.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0) == 0;
        let is_in_chroot = *chroot == "y" || (*chroot == "-" && is_old);
        Some(Client { name, is_in_chroot, is_root: *unpriv == "n" })
    }

    /// Why it does not reach a daemon that listens on these places.
    pub(super) fn faults(&self, hop: &str, queue: &Path, daemon: &[Listen]) -> Vec<String> {
        let name = self.name;
        let Some(first) = daemon.first().map(next_hop) else {
            return vec![format!(
                "main.cf hands mail to the daemon ({name}:{hop}), and sealpost.toml does not say where it listens"
            )];
        };
        let way = self.way(hop, queue);
        let to = match &way {
            Some(way) => Some(format!("unix:{}", way.end.display())),
            None => port(hop),
        };
        let Some(to) = to else {
            return vec![format!("main.cf must say virtual_transport = {name}:{first}")];
        };
        let is_there = |place: &Listen| match (place, &way) {
            (Listen::Unix(path), Some(way)) => way.meets(&from_root(path)),
            (place, _) => next_hop(place) == to,
        };
        if daemon.iter().any(is_there) {
            return Vec::new();
        }
        let chroot = match hop.strip_prefix("unix:").filter(|path| self.is_in_chroot && path.starts_with('/'))
        {
            Some(path) => {
                format!(
                    "; master.cf runs {name} in a chroot (the fifth column): with n there it finds {path}"
                )
            }
            None => String::new(),
        };
        let all: Vec<String> = daemon.iter().map(next_hop).collect();
        vec![format!("Postfix hands mail to {to}, and the daemon listens on {}{chroot}", all.join(", "))]
    }

    /// How it comes to a socket: a path that is not absolute, and in a chroot each, is one below the queue, where it stands.
    pub(super) fn way(&self, hop: &str, queue: &Path) -> Option<Way> {
        let path = Path::new(hop.strip_prefix("unix:").filter(|path| !path.is_empty())?);
        let root = if self.is_in_chroot { queue } else { Path::new("/") };
        Some(Way::follow(root, queue, path))
    }
}

fn from_root(path: &Path) -> Way {
    Way::follow(Path::new("/"), Path::new("/"), path)
}

/// Where a next hop leads that is no socket.
fn port(hop: &str) -> Option<String> {
    let rest = hop.strip_prefix("inet:").unwrap_or(hop);
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.trim_start_matches(':')),
        None => rest.rsplit_once(':').unwrap_or((rest, "")),
    };
    let host = if host.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { host };
    let port = if port.is_empty() { PORT } else { port };
    (!host.is_empty() && host != "unix").then(|| format!("inet:[{host}]:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(line: &str, hop: &str, daemon: &[&str]) -> Vec<String> {
        let place = |text: &&str| match text.strip_prefix("unix:") {
            Some(path) => Listen::Unix(path.into()),
            None => Listen::Tcp(text.parse().unwrap()),
        };
        let daemon: Vec<Listen> = daemon.iter().map(place).collect();
        Client::of(line, "3.6").unwrap().faults(hop, Path::new("/spool"), &daemon)
    }

    const OUTSIDE: &str = "sealpost unix - - n - - lmtp flags=X";
    const CHROOT: &str = "lmtp unix - - y - - lmtp";

    #[test]
    fn only_an_lmtp_client_is_one() {
        assert!(Client::of(OUTSIDE, "3.6").is_some());
        for other in
            ["", "sealpost unix - n n - 4 pipe flags=D argv=/bin/lmtp", "smtp unix - - y - - smtp", "x y"]
        {
            assert!(Client::of(other, "3.6").is_none(), "{other}");
        }
    }

    #[test]
    fn the_place_must_be_one_where_the_daemon_listens() {
        let daemon = ["unix:/run/x/lmtp", "127.0.0.1:2424"];
        for hop in [
            "unix:/run/x/lmtp",
            "inet:127.0.0.1:2424",
            "127.0.0.1:2424",
            "inet:[127.0.0.1]:2424",
            "localhost:2424",
        ] {
            assert_eq!(faults(OUTSIDE, hop, &daemon), [""; 0], "{hop}");
        }
        for hop in ["unix:/run/y/lmtp", "inet:127.0.0.1", "inet:127.0.0.2:2424", "unix:run/x/lmtp"] {
            let [fault] = &faults(OUTSIDE, hop, &daemon)[..] else { panic!("{hop}") };
            assert!(fault.ends_with("listens on unix:/run/x/lmtp, inet:[127.0.0.1]:2424"), "{fault}");
        }
        assert_eq!(
            faults(OUTSIDE, "", &daemon),
            ["main.cf must say virtual_transport = sealpost:unix:/run/x/lmtp"]
        );
        assert!(faults(OUTSIDE, "unix:/run/x/lmtp", &[])[0].contains("does not say where it listens"));
    }

    #[test]
    fn a_path_in_a_chroot_is_one_below_the_queue() {
        assert_eq!(faults(CHROOT, "unix:private/x", &["unix:/spool/private/x"]), [""; 0]);
        assert_eq!(
            faults(CHROOT, "unix:/run/x", &["unix:/run/x"]),
            [
                "Postfix hands mail to unix:/spool/run/x, and the daemon listens on unix:/run/x; master.cf runs lmtp in a \
              chroot (the fifth column): with n there it finds /run/x"
            ]
        );
    }
}
