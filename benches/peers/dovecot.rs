//! A private Dovecot on loopback that stores what it is told over LMTP, in clear.
//!
//! Its defaults where nothing is said: it syncs each message and its folder before it answers.

use super::lmtp::{Client, account, free_port};
use crate::sample::site::{folder, text_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, chown};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// In the table.
pub(crate) const NAME: &str = "Dovecot, in clear";

/// Whom the mail belongs to: every system has him.
const OWNER: &str = "nobody";

const CONFIG: &str = "base_dir = FOLDER/run
state_dir = FOLDER/state
instance_name = sealpost-bench
log_path = FOLDER/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
mail_location = maildir:FOLDER/mail/%n/Maildir
default_process_limit = 256
service lmtp {
  process_min_avail = SESSIONS
  inet_listener lmtp {
    address = 127.0.0.1
    port = PORT
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=OWNER gid=GROUP home=FOLDER/mail/%n allow_all_users=yes
}
";

pub(crate) struct Dovecot {
    folder: tempfile::TempDir,
    client: Client,
}

/// Why there is none here, if so.
pub(crate) fn missing() -> Option<&'static str> {
    if !Uid::effective().is_root() {
        return Some("Dovecot is started by root only");
    }
    let found = Command::new("dovecot").arg("--version").stdout(Stdio::null()).status();
    (!found.is_ok_and(|status| status.success())).then_some("Dovecot is not installed")
}

impl Dovecot {
    /// Ready for so many sessions at once; each of their accounts has the message once.
    pub(crate) fn start(sessions: usize, message: &[u8]) -> Dovecot {
        let folder = folder();
        let owner = User::from_name(OWNER).expect("users").expect("every system has this user");
        let mail = folder.path().join("mail");
        std::fs::create_dir(&mail).expect("a folder");
        chown(&mail, Some(owner.uid), Some(owner.gid)).expect("root may");
        // Its processes without rights must reach their sockets, and the owner his mail.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
        let port = free_port();
        let file = folder.path().join("dovecot.conf");
        std::fs::write(&file, config(&folder, port, (owner.uid, owner.gid), sessions)).expect("a file");
        let mut program = Command::new("dovecot");
        program.arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(program.status().expect("Dovecot starts").success());
        let dovecot = Dovecot { folder, client: Client::new(port, sessions) };
        // The first messages make mailboxes and processes.
        dovecot.deliver(message, sessions);
        dovecot
    }

    /// So many messages over all sessions side by side.
    pub(crate) fn deliver(&self, message: &[u8], messages: usize) {
        self.client.deliver(message, messages);
    }

    /// Every account holds as many whole messages as were taken for it. It stores lines that end with LF.
    pub(crate) fn check(&self, message: &[u8]) {
        let mail = self.folder.path().join("mail");
        let message: Vec<u8> = message.iter().copied().filter(|octet| *octet != b'\r').collect();
        let is_right = |_, stored: &[u8]| stored.ends_with(&message);
        self.client.check(|number| mail.join(account(number)).join("Maildir"), is_right);
    }

    fn master(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.folder.path().join("run/master.pid")).ok()?;
        text.trim().parse().ok().map(Pid::from_raw)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let Some(master) = self.master() else { return };
        let end = Instant::now() + Duration::from_secs(20);
        if kill(master, Signal::SIGTERM).is_ok() {
            while self.master().is_some() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn config(folder: &tempfile::TempDir, port: u16, (owner, group): (Uid, Gid), sessions: usize) -> String {
    let folder: PathBuf = folder.path().canonicalize().expect("it is there");
    let values = [
        ("FOLDER", text_of(&folder).to_owned()),
        ("PORT", port.to_string()),
        ("OWNER", owner.to_string()),
        ("GROUP", group.to_string()),
        ("SESSIONS", sessions.to_string()),
    ];
    values.iter().fold(CONFIG.to_owned(), |text, (name, value)| text.replace(name, value))
}
