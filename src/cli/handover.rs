//! The lines by which an MTA hands mail over: Postfix to the hook or to the daemon, Exim to the daemon.

use crate::config::Listen;
use crate::engine::Domain;
use crate::system::User;
use std::path::Path;

/// Lines to paste into Postfix's files.
pub(super) struct Postfix {
    pub(super) main: String,
    pub(super) master: String,
}

/// What the lines are about.
pub(super) struct Site<'s> {
    /// Where this program is.
    pub(super) binary: &'s Path,
    pub(super) root: &'s Path,
    pub(super) owner: &'s User,
    pub(super) domains: &'s [Domain],
}

/// Mail for an unknown local part is refused at the door only if Postfix knows who is there.
const UNKNOWN: &str = "\
# Mail for an unknown local part is bounced after it was taken. A list in virtual_mailbox_maps (sealpost
# account list) refuses it at the door, and so sends no bounces to forged senders.
";

impl Site<'_> {
    /// Postfix starts the hook for each message and each recipient.
    pub(super) fn pipe(&self) -> Postfix {
        let root_word = if self.owner.is_root() {
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
             virtual_transport = sealpost\n{UNKNOWN}",
            self.domain_line()
        );
        let master = format!(
            "# --- master.cf ---\n{root_word}\
             sealpost  unix  -       n       n       -       4       pipe\n  \
             flags=DORXhu user={} null_sender=\n  \
             argv={} --root {} deliver\n    \
             --sender=${{sender}} --recipient=${{recipient}} --original-recipient=${{original_recipient}}\n    \
             --client=${{client_address}} --queue-id=${{queue_id}}\n",
            self.owner.name(),
            word(self.binary),
            word(self.root)
        );
        Postfix { main, master }
    }

    /// Postfix hands mail to the daemon that listens there. Its client runs outside of a chroot, where an absolute path would
    /// be one below Postfix's queue; who wrote `lmtp:unix:/…` on Debian would not find the socket.
    pub(super) fn lmtp(&self, to: &Listen) -> Postfix {
        let main = format!(
            "# --- main.cf ---\n\
             # Many recipients in one go, each with an answer of its own: sealpost_destination_recipient_limit = 1 was for the hook.\n\
             {}\n\
             virtual_transport = sealpost:{}\n\
             # The daemon is asked at the door whether somebody is there: who is not is refused, and no bounce goes to a forged\n\
             # sender. These two words belong at the end of your restrictions.\n\
             # smtpd_recipient_restrictions = reject_unauth_destination, reject_unverified_recipient\n\
             # unverified_recipient_reject_code = 550\n",
            self.domain_line(),
            next_hop(to)
        );
        let master = "# --- master.cf ---\n\
             # An LMTP client outside of Postfix's chroot, where it finds the socket (flags: Postfix 3.5 and later).\n\
             sealpost  unix  -       -       n       -       -       lmtp\n  \
             flags=X\n";
        Postfix { main, master: master.to_owned() }
    }

    /// A router and a transport of Exim for the daemon that listens there.
    pub(super) fn exim(&self, to: &Listen) -> String {
        let names: Vec<&str> = self.names().collect();
        let domains = if names.is_empty() { "your.domains".to_owned() } else { names.join(" : ") };
        format!(
            "# --- routers: in front of the one that delivers to local users ---\n\
             sealpost:\n  \
             driver = accept\n  \
             domains = {domains}\n  \
             transport = sealpost\n\
             \n\
             # --- transports ---\n\
             sealpost:\n{}",
            exim_transport(to)
        )
    }

    /// All names of all domains; Postfix has no comments after a value, so that an empty list is a comment altogether.
    fn domain_line(&self) -> String {
        let names: Vec<&str> = self.names().collect();
        if names.is_empty() {
            "# virtual_mailbox_domains = your domains, after: sealpost domain add NAME".to_owned()
        } else {
            format!("virtual_mailbox_domains = {}", names.join(", "))
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let each =
            self.domains.iter().flat_map(|domain| std::iter::once(&domain.name).chain(&domain.aliases));
        each.map(String::as_str)
    }
}

/// Where the daemon listens, as Postfix's lmtp(8) names it.
pub(super) fn next_hop(to: &Listen) -> String {
    match to {
        Listen::Unix(path) => format!("unix:{}", path.display()),
        Listen::Tcp(to) => format!("inet:[{}]:{}", to.ip(), to.port()),
    }
}

/// Over a socket its driver is `lmtp`, over TCP `smtp`.
fn exim_transport(to: &Listen) -> String {
    match to {
        Listen::Unix(path) => {
            format!("  driver = lmtp\n  socket = {}\n  batch_max = 100\n", path.display())
        }
        Listen::Tcp(to) => format!(
            "  driver = smtp\n  protocol = lmtp\n  hosts = <; {}\n  port = {}\n  allow_localhost\n  \
             hosts_override\n  max_rcpt = 100\n",
            to.ip(),
            to.port()
        ),
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

    #[test]
    fn each_program_names_a_place_in_its_own_way() {
        let (socket, port) =
            (Listen::Unix("/run/sealpost/lmtp".into()), |text: &str| Listen::Tcp(text.parse().unwrap()));
        assert_eq!(next_hop(&socket), "unix:/run/sealpost/lmtp");
        assert_eq!(next_hop(&port("127.0.0.1:2424")), "inet:[127.0.0.1]:2424");
        assert_eq!(next_hop(&port("[::1]:2424")), "inet:[::1]:2424");
        assert!(exim_transport(&socket).contains("  socket = /run/sealpost/lmtp\n"));
        assert!(exim_transport(&port("[::1]:2424")).contains("  hosts = <; ::1\n  port = 2424\n"));
    }
}
