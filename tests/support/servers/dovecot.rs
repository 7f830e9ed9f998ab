//! A private Dovecot that serves the Maildirs of a store over IMAP.

use super::wire::Wire;
use crate::support::{Port, Program, path, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};

const CONFIG: &str = "base_dir = FOLDER/run
state_dir = FOLDER/state
instance_name = sealpost-test
log_path = FOLDER/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:ROOT/mail/%d/%n/Maildir
service imap-login {
  inet_listener imap {
    port = PORT
  }
  inet_listener imaps {
    port = 0
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=OWNER gid=GROUP home=ROOT
}
";

pub(crate) struct Dovecot {
    folder: PathBuf,
    port: Port,
    _keep: tempfile::TempDir,
}

impl Dovecot {
    /// Serves the store under `root`, as its owner.
    pub(crate) fn start(root: &Path, owner: &str) -> Dovecot {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().to_owned();
        // Its unprivileged login processes must reach their sockets.
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let port = Port::reserved();
        let owner = nix::unistd::User::from_name(owner).unwrap().unwrap();
        let values = [
            ("FOLDER", path(&folder).to_owned()),
            ("ROOT", path(root).to_owned()),
            ("PORT", port.number().to_string()),
            ("OWNER", owner.uid.to_string()),
            ("GROUP", owner.gid.to_string()),
        ];
        let config = values.iter().fold(CONFIG.to_owned(), |text, (name, value)| text.replace(name, value));
        let file = folder.join("dovecot.conf");
        std::fs::write(&file, config).unwrap();
        Program::new("dovecot").args(["-c", path(&file)]).daemon();
        Dovecot { folder, port, _keep: keep }
    }

    /// Where it listens on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its `dovecot.conf`.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("dovecot.conf")
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Logs in to the account's INBOX.
    pub(crate) fn session(&self, account: &str) -> Wire {
        let mut wire = Wire::connect(self.port());
        assert!(wire.line().starts_with("* OK"));
        wire.imap(&format!("LOGIN {account} secret"));
        wire.imap("SELECT INBOX");
        wire
    }

    /// The message with this number in the account's INBOX.
    pub(crate) fn fetch(&self, account: &str, number: u32) -> Vec<u8> {
        let mut wire = self.session(account);
        let fetched = wire.imap(&format!("FETCH {number} BODY.PEEK[]"));
        wire.imap("LOGOUT");
        fetched.into_iter().next().expect("the message")
    }

    fn master(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.folder.join("run/master.pid")).ok()?;
        text.trim().parse().ok().map(Pid::from_raw)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let Some(master) = self.master() else { return };
        if kill(master, Signal::SIGTERM).is_ok() {
            wait_for("the end of Dovecot", 60, || self.master().is_none().then_some(()));
        }
    }
}
