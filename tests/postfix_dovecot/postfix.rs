//! A private Postfix.

use super::wire::{Wire, free_port};
use crate::support::{Program, path, wait_for};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

const MAIN: &str = "compatibility_level = 3.6
queue_directory = FOLDER/spool
data_directory = FOLDER/data
maillog_file = FOLDER/maillog
maillog_file_prefixes = FOLDER
myhostname = mx.test.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.2
relay_domains = north.example
relay_recipient_maps =
transport_maps = inline:{ { north.example = sealpost: } }
default_transport = error:nothing leaves a test
smtpd_relay_restrictions = reject_unauth_destination
alias_maps =
alias_database =
local_recipient_maps =
notify_classes =
";

const MASTER: &str = "127.0.0.1:PORT inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
pickup unix n - n 60 1 pickup
proxymap unix - - n - - proxymap
showq unix n - n - - showq
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
";

/// What Postfix's log says became of a message.
pub(super) struct Fate {
    pub(super) status: String,
    pub(super) dsn: String,
    pub(super) line: String,
}

pub(super) struct Postfix {
    folder: PathBuf,
    port: u16,
}

impl Postfix {
    /// `lines` is what `sealpost init --postfix` printed: the transport for master.cf and its settings for main.cf.
    pub(super) fn start(folder: &Path, lines: &str) -> Postfix {
        for name in ["etc", "spool", "data"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let user = nix::unistd::User::from_name("postfix").unwrap().expect("made by its package");
        chown(folder.join("data"), Some(user.uid.as_raw()), None).unwrap();
        let postfix = Postfix { folder: folder.to_owned(), port: free_port() };
        let (transport, settings) = split(lines);
        let main = MAIN.replace("FOLDER", path(folder)) + &settings;
        let master = MASTER.replace("PORT", &postfix.port.to_string()) + &transport;
        std::fs::write(folder.join("etc/main.cf"), main).unwrap();
        std::fs::write(folder.join("etc/master.cf"), master).unwrap();
        postfix.control("start");
        postfix
    }

    /// Gives the queue id.
    pub(super) fn send(&self, sender: &str, recipient: &str, message: &str) -> String {
        let mut wire = Wire::connect(self.port);
        wire.reply("220");
        for (command, code) in [
            ("EHLO client.test.example".to_owned(), "250"),
            (format!("MAIL FROM:<{sender}>"), "250"),
            (format!("RCPT TO:<{recipient}>"), "250"),
            ("DATA".to_owned(), "354"),
        ] {
            wire.send(&command);
            wire.reply(code);
        }
        for line in message.lines() {
            wire.send(&if line.starts_with('.') { format!(".{line}") } else { line.to_owned() });
        }
        wire.send(".");
        let queued = wire.reply("250");
        wire.send("QUIT");
        queued.trim().rsplit(' ').next().unwrap().to_owned()
    }

    /// Its first fate.
    pub(super) fn fate(&self, id: &str) -> Fate {
        wait_for("the delivery", 60, || self.fates(id).into_iter().next())
    }

    /// Waits until the message has come to this status.
    pub(super) fn wait_for(&self, id: &str, status: &str) {
        wait_for(status, 60, || self.fates(id).into_iter().find(|fate| fate.status == status));
    }

    /// Tries what is deferred again.
    pub(super) fn flush(&self) {
        self.control("flush");
    }

    fn fates(&self, id: &str) -> Vec<Fate> {
        let log = std::fs::read_to_string(self.folder.join("maillog")).unwrap_or_default();
        let of_it = log.lines().filter(|line| line.contains(&format!(" {id}: to=<")));
        let word = |line: &str, name: &str| {
            let (_, rest) = line.split_once(name)?;
            Some(rest.split([',', ' ']).next()?.to_owned())
        };
        let fate = |line: &str| {
            Some(Fate { status: word(line, " status=")?, dsn: word(line, " dsn=")?, line: line.to_owned() })
        };
        of_it.filter_map(fate).collect()
    }

    fn control(&self, verb: &str) {
        Program::new("postfix").args(["-c", path(&self.folder.join("etc")), verb]).run().ok();
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Program::new("postfix").args(["-c", path(&self.folder.join("etc")), "stop"]).run();
    }
}

/// The entry of master.cf (the line `sealpost unix …` and what is indented below it), and the lines of main.cf that
/// set something of the transport.
fn split(lines: &str) -> (String, String) {
    let mut transport = String::new();
    let mut settings = String::new();
    let mut in_entry = false;
    for line in lines.lines() {
        in_entry = line.starts_with("sealpost ")
            || (in_entry && line.starts_with([' ', '\t']) && !line.trim().is_empty());
        if in_entry {
            transport += &format!("{line}\n");
        } else if line.starts_with("sealpost_") {
            settings += &format!("{line}\n");
        }
    }
    assert!(transport.contains("pipe") && transport.contains("argv="), "no transport in: {lines}");
    assert!(settings.contains("sealpost_destination_recipient_limit"), "no recipient limit in: {lines}");
    (transport, settings)
}
