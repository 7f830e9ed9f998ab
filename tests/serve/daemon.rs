//! A daemon on a socket of its own, and clients of it.

use crate::batch::house::House;
use crate::support::{path, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// No answer takes so long.
const PATIENCE: Duration = Duration::from_secs(90);

pub(super) struct Daemon {
    pub(super) house: House,
    process: Process,
}

/// Killed when nobody waits for it any more.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Its configuration, with the lines of a test.
pub(super) fn configure(house: &House, settings: &str) {
    let folder = house.folder.path();
    let text = format!(
        "lmtp-listen = [\"unix:{}\"]\nlog = \"{}\"\n{settings}\n",
        path(&socket(house)),
        path(&folder.join("log"))
    );
    std::fs::write(folder.join("store/sealpost.toml"), text).unwrap();
}

/// One place more of the configuration.
pub(super) fn listen_also(house: &House, place: &str) {
    let toml = house.folder.path().join("store/sealpost.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("[\"unix", &format!("[\"{place}\", \"unix"))).unwrap();
}

pub(super) fn socket(house: &House) -> PathBuf {
    house.folder.path().join("lmtp")
}

/// `sealpost serve`, as a command that `program` may stand in front of.
pub(super) fn command(house: &House, before: &[&str]) -> Command {
    let words = [env!("CARGO_BIN_EXE_sealpost"), "--root", path(&house.folder.path().join("store")), "serve"]
        .map(str::to_owned);
    let mut words = before.iter().map(|word| (*word).to_owned()).chain(words);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env_remove("SEALPOST_ROOT").stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped());
    command
}

impl Daemon {
    pub(super) fn start(settings: &str) -> Daemon {
        Daemon::of(House::lasting(), settings)
    }

    pub(super) fn of(house: House, settings: &str) -> Daemon {
        configure(&house, settings);
        Daemon::under(house, &[])
    }

    /// With a program in front that runs it.
    pub(super) fn under(house: House, before: &[&str]) -> Daemon {
        let process = Process(command(&house, before).spawn().unwrap());
        let daemon = Daemon { house, process };
        daemon.wait_until_it_listens();
        daemon
    }

    pub(super) fn wait_until_it_listens(&self) {
        wait_for("the daemon", 60, || UnixStream::connect(self.socket()).ok());
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket(&self.house)
    }

    pub(super) fn client(&self) -> Client {
        Client::connect(&self.socket())
    }

    pub(super) fn id(&self) -> Pid {
        Pid::from_raw(self.process.0.id().cast_signed())
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(self.id(), signal).unwrap();
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.house.folder.path().join("log")).unwrap()
    }

    /// Waits for its end.
    pub(super) fn ended(self) -> (House, ExitStatus, String) {
        let Daemon { house, mut process } = self;
        let status = wait_for("its end", 90, || process.0.try_wait().unwrap());
        let mut said = String::new();
        process.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (house, status, said)
    }

    /// Asks it to end and waits.
    pub(super) fn stop(self) -> House {
        self.signal(Signal::SIGTERM);
        let log = self.house.folder.path().join("log");
        let (house, status, said) = self.ended();
        assert_eq!(
            (status.code(), said.as_str()),
            (Some(0), ""),
            "{}",
            std::fs::read_to_string(log).unwrap()
        );
        house
    }

    /// The messages of an account, opened.
    pub(super) fn inbox(&self, local: &str) -> Vec<String> {
        inbox(&self.house, local)
    }
}

/// The messages of an account, opened, by their names.
pub(super) fn inbox(house: &House, local: &str) -> Vec<String> {
    let folder = maildir(house, local).join("new");
    let mut files: Vec<_> = std::fs::read_dir(folder).map(Vec::from_iter).unwrap_or_default();
    files.sort_by_key(|file| file.as_ref().unwrap().file_name());
    let open = |file: io::Result<std::fs::DirEntry>| {
        let sealed = std::fs::read(file.unwrap().path()).unwrap();
        String::from_utf8(house.opened(&sealed)).unwrap()
    };
    files.into_iter().map(open).collect()
}

pub(super) fn maildir(house: &House, local: &str) -> PathBuf {
    house.folder.path().join(format!("store/mail/north.example/{local}/Maildir"))
}

/// A client that knows LMTP.
pub(super) struct Client(BufReader<UnixStream>);

impl Client {
    /// After the greetings of both.
    pub(super) fn connect(socket: &Path) -> Client {
        let mut client = Client::raw(socket);
        assert!(client.reply().unwrap().starts_with("220 "));
        assert!(client.say("LHLO client.example").starts_with("250 "));
        client
    }

    /// The same over a connection that may end at any time.
    pub(super) fn over(stream: UnixStream) -> io::Result<Client> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Client(BufReader::new(stream));
        client.reply()?;
        client.write(b"LHLO client.example\r\n")?;
        client.reply()?;
        Ok(client)
    }

    /// Before any.
    pub(super) fn raw(socket: &Path) -> Client {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(stream))
    }

    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(octets)
    }

    /// The last line of the next reply.
    pub(super) fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.get(3..4) == Some(" ") {
                return Ok(line.trim_end().to_owned());
            }
        }
    }

    pub(super) fn say(&mut self, command: &str) -> String {
        self.write(format!("{command}\r\n").as_bytes()).unwrap();
        self.reply().unwrap()
    }

    /// Up to the 354 of DATA: the replies to RCPT.
    pub(super) fn begin(&mut self, recipients: &[&str]) -> Vec<String> {
        assert_eq!(self.say("MAIL FROM:<carol@far.example>"), "250 2.1.0 sender ok");
        let replies = recipients.iter().map(|to| self.say(&format!("RCPT TO:<{to}>"))).collect();
        assert!(self.say("DATA").starts_with("354 "));
        replies
    }

    /// The rest of a message: one reply for each of those who were accepted.
    pub(super) fn finish(&mut self, message: &str, accepted: usize) -> io::Result<Vec<String>> {
        self.write(format!("{message}\r\n.\r\n").as_bytes())?;
        (0..accepted).map(|_| self.reply()).collect()
    }

    /// One message to those who are known.
    pub(super) fn deliver(&mut self, recipients: &[&str], message: &str) -> Vec<String> {
        self.begin(recipients);
        self.finish(message, recipients.len()).unwrap()
    }

    /// Something waits to be read.
    pub(super) fn has_heard(&mut self) -> bool {
        self.0.get_ref().set_nonblocking(true).unwrap();
        let heard = self.0.fill_buf().is_ok();
        self.0.get_ref().set_nonblocking(false).unwrap();
        heard
    }

    /// Nothing more comes.
    pub(super) fn is_closed(&mut self) -> bool {
        self.0.fill_buf().map_or(true, <[u8]>::is_empty)
    }
}

/// As the daemon stores what [`Client::deliver`] sends.
pub(super) fn stored(message: &str) -> String {
    format!("Return-Path: <carol@far.example>\r\n{message}\r\n")
}

/// A message with this subject.
pub(super) fn message(subject: &str) -> String {
    format!("From: carol@far.example\r\nSubject: {subject}\r\n\r\nThe body of {subject}.")
}

pub(super) const STORED: &str = "250 2.0.0 stored";
