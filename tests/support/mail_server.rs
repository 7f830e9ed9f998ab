//! A server that speaks SMTP or LMTP as a script says, on loopback, and keeps what it was told.

use super::wait_for;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What it does in place of a good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// This line, without its end.
    Say(String),
    /// Hang up.
    Drop,
    /// These octets, again and again, until the client goes.
    Flood(&'static str),
    /// One octet of it after another, each after a while.
    Drip(&'static str),
    /// Nothing, for so many seconds.
    Wait(u64),
}

/// At which word of the client: `connect`, `EHLO`, `MAIL`, `RCPT`, `DATA`, `.`, or a line that begins so.
pub(crate) type Script = Vec<(&'static str, Act)>;

/// A message that was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) message: String,
}

/// What it was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) lines: Vec<String>,
    pub(crate) taken: Vec<Taken>,
    /// How many connections are open.
    open: usize,
}

/// Runs until the test ends.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    told: Arc<Mutex<Told>>,
}

/// One stream for reading and writing in turns.
#[derive(Clone)]
struct Encrypted(Arc<Mutex<StreamOwned<ServerConnection, TcpStream>>>);

impl Read for Encrypted {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap().read(octets)
    }
}

impl Write for Encrypted {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().flush()
    }
}

trait Connection: Read + Write + Send {
    fn both(self) -> (Box<dyn BufRead + Send>, Box<dyn Write + Send>);
}

impl Connection for TcpStream {
    fn both(self) -> (Box<dyn BufRead + Send>, Box<dyn Write + Send>) {
        let other = self.try_clone().unwrap();
        (Box::new(BufReader::new(other)), Box::new(self))
    }
}

impl Connection for UnixStream {
    fn both(self) -> (Box<dyn BufRead + Send>, Box<dyn Write + Send>) {
        let other = self.try_clone().unwrap();
        (Box::new(BufReader::new(other)), Box::new(self))
    }
}

impl MailServer {
    /// With these lines behind the greeting in answer to EHLO or LHLO.
    pub(crate) fn start(extensions: &'static [&'static str], script: Script) -> MailServer {
        MailServer::over(extensions, script, None)
    }

    /// The same, and STARTTLS works if it is asked for.
    pub(crate) fn with_tls(
        extensions: &'static [&'static str],
        script: Script,
        tls: Arc<ServerConfig>,
    ) -> MailServer {
        MailServer::over(extensions, script, Some(tls))
    }

    fn over(
        extensions: &'static [&'static str],
        script: Script,
        tls: Option<Arc<ServerConfig>>,
    ) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, told) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Told>>::default());
        let kept = Arc::clone(&told);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (told, script, tls) = (Arc::clone(&told), script.clone(), tls.clone());
                let tls = tls.map(|tls| (tls, socket.try_clone().unwrap()));
                told.lock().unwrap().open += 1;
                thread::spawn(move || {
                    let mut session = Session::new(socket, Arc::clone(&told), script, extensions);
                    session.tls = tls;
                    let _ = session.serve();
                    told.lock().unwrap().open -= 1;
                });
            }
        });
        MailServer { port, told: kept }
    }

    /// The same on a socket of the machine.
    pub(crate) fn on_socket(path: &Path, script: Script) -> MailServer {
        let listener = UnixListener::bind(path).unwrap();
        let told = Arc::<Mutex<Told>>::default();
        let kept = Arc::clone(&told);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (told, script) = (Arc::clone(&told), script.clone());
                thread::spawn(move || Session::new(socket, told, script, &["8BITMIME"]).serve());
            }
        });
        MailServer { port: 0, told: kept }
    }

    /// Whoever was connected has gone, and what they said was heard.
    pub(crate) fn wait_until_alone(&self) {
        // Who was there before is let in before.
        let mut last = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        last.read_exact(&mut [0]).unwrap();
        drop(last);
        wait_for("the others to be heard", 60, || (self.told.lock().unwrap().open == 0).then_some(()));
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.told.lock().unwrap().taken.clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.told.lock().unwrap().lines.clone()
    }
}

struct Session {
    input: Box<dyn BufRead + Send>,
    output: Box<dyn Write + Send>,
    told: Arc<Mutex<Told>>,
    script: Script,
    extensions: &'static [&'static str],
    mail: Taken,
    is_lmtp: bool,
    tls: Option<(Arc<ServerConfig>, TcpStream)>,
}

impl Session {
    fn new(
        socket: impl Connection,
        told: Arc<Mutex<Told>>,
        script: Script,
        extensions: &'static [&'static str],
    ) -> Session {
        let (input, output) = socket.both();
        Session { input, output, told, script, extensions, mail: Taken::default(), is_lmtp: false, tls: None }
    }

    /// Until the client goes, or the script hangs up.
    fn serve(&mut self) -> Option<()> {
        self.answer("connect", "220 mail.example at your service")?;
        loop {
            let line = self.line()?;
            self.told.lock().unwrap().lines.push(line.clone());
            let word = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
            match word.as_str() {
                "EHLO" | "LHLO" => {
                    self.is_lmtp = word == "LHLO";
                    let all: Vec<&str> = ["mail.example"].iter().chain(self.extensions).copied().collect();
                    let last = all.len() - 1;
                    let lines = all
                        .iter()
                        .enumerate()
                        .map(|(at, word)| format!("250{}{word}", if at == last { " " } else { "-" }));
                    let text = lines.collect::<Vec<_>>().join("\r\n");
                    self.answer("EHLO", &text)?;
                }
                "MAIL" => {
                    self.mail = Taken { sender: path(&line), ..Taken::default() };
                    self.answer("MAIL", "250 2.1.0 ok")?;
                }
                "RCPT" => {
                    let said = self.answer(&line, "250 2.1.5 ok")?;
                    if said.starts_with('2') {
                        self.mail.recipients.push(path(&line));
                    }
                }
                "DATA" => {
                    if self.answer("DATA", "354 go on")?.starts_with('3') {
                        self.take_message()?;
                    }
                }
                "QUIT" => {
                    self.answer("QUIT", "221 bye")?;
                    return None;
                }
                "STARTTLS" if self.tls.is_some() => {
                    if self.answer("STARTTLS", "220 go on")?.starts_with('2') {
                        self.encrypt()?;
                    }
                }
                "AUTH" => drop(self.answer("AUTH", "235 2.7.0 welcome")?),
                _ => drop(self.answer(&word, "500 what?")?),
            }
        }
    }

    fn encrypt(&mut self) -> Option<()> {
        let (config, socket) = self.tls.take()?;
        let stream = StreamOwned::new(ServerConnection::new(config).ok()?, socket);
        let stream = Encrypted(Arc::new(Mutex::new(stream)));
        (self.input, self.output) = (Box::new(BufReader::new(stream.clone())), Box::new(stream));
        Some(())
    }

    fn take_message(&mut self) -> Option<()> {
        loop {
            let line = self.line()?;
            if line == "." {
                break;
            }
            self.mail.message += line.strip_prefix('.').unwrap_or(&line);
            self.mail.message += "\r\n";
        }
        let mail = std::mem::take(&mut self.mail);
        let each = if self.is_lmtp { mail.recipients.clone() } else { vec![String::new()] };
        self.keep(mail, &each);
        each.iter().try_for_each(|to| self.answer(&format!(".{to}"), "250 2.0.0 taken").map(drop))
    }

    /// Before anybody is told so: who was answered may look at once. Those are left out whom the script refuses; where it hangs up
    /// the mail is taken, and nobody knows it but this server.
    fn keep(&self, mail: Taken, each: &[String]) {
        let refuses = |to: &&String| matches!(self.act(&format!(".{to}")), Some(Act::Say(line)) if !line.starts_with('2'));
        let hangs_up = |to: &String| matches!(self.act(&format!(".{to}")), Some(Act::Drop));
        let heard = each.iter().position(hangs_up).map_or(each, |last| &each[..=last]);
        let got: Vec<String> = heard.iter().filter(|to| !refuses(to)).cloned().collect();
        if got.is_empty() {
            return;
        }
        let recipients = if self.is_lmtp { got } else { mail.recipients.clone() };
        self.told.lock().unwrap().taken.push(Taken { recipients, ..mail });
    }

    /// What the script says in place of a good answer.
    fn act(&self, at: &str) -> Option<Act> {
        self.script.iter().find(|(place, _)| at.starts_with(place)).map(|(_, act)| act.clone())
    }

    /// What was said; nothing if the connection is over.
    fn answer(&mut self, at: &str, good: &str) -> Option<String> {
        match self.act(at) {
            None => self.say(good),
            Some(Act::Say(line)) => self.say(&line),
            Some(Act::Drop) => None,
            Some(Act::Wait(seconds)) => {
                thread::sleep(Duration::from_secs(seconds));
                self.say(good)
            }
            Some(Act::Flood(octets)) => loop {
                self.output.write_all(octets.as_bytes()).ok()?;
            },
            Some(Act::Drip(octets)) => {
                for octet in octets.bytes().cycle() {
                    self.output.write_all(&[octet]).ok()?;
                    thread::sleep(Duration::from_millis(50));
                }
                None
            }
        }
    }

    fn say(&mut self, text: &str) -> Option<String> {
        self.output.write_all(format!("{text}\r\n").as_bytes()).ok()?;
        Some(text.to_owned())
    }

    /// CR LF and nothing else ends it.
    fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            if self.input.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
        }
        line.truncate(line.len() - 2);
        assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "a bare line end: {line:?}");
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

fn path(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>')).map_or("", |(path, _)| path).to_owned()
}
