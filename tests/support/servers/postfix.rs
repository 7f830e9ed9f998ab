//! A private Postfix.

use super::wire::Wire;
use crate::support::{Port, Program, path, wait_for};
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
relay_domains =
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
verify unix - - n - 1 verify
showq unix n - n - - showq
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
";

/// What Postfix's log says became of a message.
pub(crate) struct Fate {
    pub(crate) status: String,
    pub(crate) dsn: String,
    pub(crate) line: String,
}

impl Fate {
    /// Status and DSN.
    pub(crate) fn told(&self) -> (&str, &str) {
        (&self.status, &self.dsn)
    }
}

pub(crate) struct Postfix {
    folder: PathBuf,
    port: Port,
}

impl Postfix {
    /// `lines` is what `sealpost init --postfix` printed: it is pasted as it stands.
    pub(crate) fn start(folder: &Path, lines: &str) -> Postfix {
        for name in ["etc", "spool", "data"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let user = nix::unistd::User::from_name("postfix").unwrap().expect("made by its package");
        chown(folder.join("data"), Some(user.uid.as_raw()), None).unwrap();
        let postfix = Postfix { folder: folder.to_owned(), port: Port::reserved() };
        let (settings, service) = parts(lines);
        assert!(settings.contains("\nvirtual_mailbox_domains = north.example\n"), "{lines}");
        let main = MAIN.replace("FOLDER", path(folder)) + settings;
        let master = MASTER.replace("PORT", &postfix.port.number().to_string()) + service;
        std::fs::write(folder.join("etc/main.cf"), main).unwrap();
        std::fs::write(folder.join("etc/master.cf"), master).unwrap();
        postfix.control("start");
        postfix
    }

    /// Gives the queue id.
    pub(crate) fn send(&self, sender: &str, recipient: &str, message: &str) -> String {
        self.send_to_all(sender, &[recipient], message)
    }

    /// One message for many.
    pub(crate) fn send_to_all(&self, sender: &str, recipients: &[&str], message: &str) -> String {
        let mut wire = self.greeted(sender);
        let recipients = recipients.iter().map(|recipient| (format!("RCPT TO:<{recipient}>"), "250"));
        for (command, code) in recipients.chain([("DATA".to_owned(), "354")]) {
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

    /// What is said at the door to mail for this address.
    pub(crate) fn at_the_door(&self, recipient: &str) -> String {
        let mut wire = self.greeted("anna@south.example");
        wire.send(&format!("RCPT TO:<{recipient}>"));
        let answer = wire.line();
        wire.send("QUIT");
        answer
    }

    fn greeted(&self, sender: &str) -> Wire {
        let mut wire = Wire::connect(self.port.number());
        wire.reply("220");
        for command in ["EHLO client.test.example", &format!("MAIL FROM:<{sender}> BODY=8BITMIME")] {
            wire.send(command);
            wire.reply("250");
        }
        wire
    }

    /// What became of it for one of its recipients.
    pub(crate) fn fate_for(&self, id: &str, recipient: &str) -> Fate {
        let to = format!(": to=<{recipient}>");
        wait_for("the delivery", 60, || self.fates(id).into_iter().find(|fate| fate.line.contains(&to)))
    }

    /// Its first fate.
    pub(crate) fn fate(&self, id: &str) -> Fate {
        wait_for("the delivery", 60, || self.fates(id).into_iter().next())
    }

    /// Waits until the message has come to this status.
    pub(crate) fn wait_for(&self, id: &str, status: &str) {
        wait_for(status, 60, || self.fates(id).into_iter().find(|fate| fate.status == status));
    }

    /// Waits until all of it was delivered or sent back.
    pub(crate) fn wait_until_gone(&self, id: &str) {
        let is_gone = |line: &str| line.ends_with(&format!(" {id}: removed"));
        wait_for("the end of a message", 60, || self.log().lines().any(is_gone).then_some(()));
    }

    /// Tries what is deferred again.
    pub(crate) fn flush(&self) {
        self.control("flush");
    }

    fn fates(&self, id: &str) -> Vec<Fate> {
        let log = self.log();
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

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("maillog")).unwrap_or_default()
    }

    /// Where its configuration lies.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("etc")
    }

    fn control(&self, verb: &str) {
        Program::new("postfix").args(["-c", path(&self.configuration()), verb]).run().ok();
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = Program::new("postfix").args(["-c", path(&self.configuration()), "stop"]).run();
    }
}

/// What is for main.cf, and what is for master.cf.
pub(crate) fn parts(lines: &str) -> (&str, &str) {
    let (_, lines) = lines.split_once("# --- main.cf ---").expect("lines for main.cf");
    lines.split_once("# --- master.cf ---\n").expect("lines for master.cf")
}
