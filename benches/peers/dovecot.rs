//! A private Dovecot on loopback that stores what it is told over LMTP, in clear.
//!
//! Its defaults where nothing is said: it syncs each message and its folder before it answers. Every session delivers to
//! an account of its own, which is the best case: no session waits for another's mailbox.

use crate::sample::site::{folder, text_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Gid, Pid, Uid, User, chown};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
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
    port: u16,
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
    /// Ready for so many sessions at once.
    pub(crate) fn start(sessions: usize) -> Dovecot {
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
        let dovecot = Dovecot { folder, port };
        // The first messages make mailboxes and processes.
        dovecot.deliver(b"Subject: first\r\n\r\nHello.\r\n", sessions, sessions);
        dovecot
    }

    /// So many messages over so many sessions side by side.
    pub(crate) fn deliver(&self, message: &[u8], messages: usize, sessions: usize) {
        let open: Vec<Session> = (0..sessions).map(|number| Session::open(self.port, number)).collect();
        std::thread::scope(|scope| {
            for (number, mut session) in open.into_iter().enumerate() {
                let share = messages / sessions + usize::from(number < messages % sessions);
                scope.spawn(move || (0..share).for_each(|_| session.deliver(message)));
            }
        });
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

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// One client, which waits for each answer.
struct Session {
    input: BufReader<TcpStream>,
    output: TcpStream,
    account: String,
}

impl Session {
    fn open(port: u16, number: usize) -> Session {
        let output = connect(port);
        output.set_nodelay(true).expect("a socket");
        let input = BufReader::new(output.try_clone().expect("a socket"));
        let mut session = Session { input, output, account: format!("user{number}@north.example") };
        session.expect("220");
        session.say("LHLO bench.north.example\r\n", "250");
        session
    }

    fn deliver(&mut self, message: &[u8]) {
        self.say("MAIL FROM:<bo@north.example>\r\n", "250");
        self.say(&format!("RCPT TO:<{}>\r\n", self.account), "250");
        self.say("DATA\r\n", "354");
        self.output.write_all(message).expect("it listens");
        self.say(".\r\n", "250");
    }

    fn say(&mut self, line: &str, answer: &str) {
        self.output.write_all(line.as_bytes()).expect("it listens");
        self.expect(answer);
    }

    /// The last line of an answer, which must begin so.
    fn expect(&mut self, answer: &str) {
        loop {
            let mut line = String::new();
            self.input.read_line(&mut line).expect("it answers");
            assert!(line.starts_with(answer), "{line}");
            if line.as_bytes().get(3) == Some(&b' ') {
                return;
            }
        }
    }
}

/// It needs a moment before it listens.
fn connect(port: u16) -> TcpStream {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < end, "Dovecot does not listen: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
