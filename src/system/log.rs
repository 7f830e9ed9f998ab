//! The log: to syslog or to a file, never to standard error, because Postfix sends that to the sender.

use super::reread::FileId;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use time::OffsetDateTime;
use time::macros::format_description;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Where the machine's syslog daemon listens.
const SOCKET: &str = "/dev/log";
/// Facility "mail" (RFC 5424 6.2.1), shifted into its place.
const MAIL: u8 = 2 << 3;
/// What every syslog daemon takes in one message (RFC 5424 6.1).
const LONGEST: usize = 2048;

/// Logs to the machine's syslog from now on. Without one, what is logged is lost: mail goes before logging.
pub fn start_syslog(level: Level) {
    let writer = Syslog { socket: PathBuf::from(SOCKET) };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(writer)
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false);
    let _ = subscriber.without_time().with_level(false).try_init();
}

/// Logs to the end of a file from now on; it is made, and only its owner can read it. One that is moved away, as logrotate(8) does,
/// is followed by a new one of its name.
pub fn start_file(path: &Path, level: Level) -> io::Result<()> {
    let subscriber = tracing_subscriber::fmt().with_writer(LogFile::open(path)?).with_max_level(level);
    let _ = subscriber.with_ansi(false).with_target(false).try_init();
    Ok(())
}

/// An event in one line. Addresses and options come from outside, and a line of theirs must not pass for one of ours:
/// control characters and the line ends of Unicode become spaces.
fn one_line(event: &[u8]) -> String {
    let harmless = |char: char| match char {
        '\u{2028}' | '\u{2029}' => ' ',
        char if char.is_control() => ' ',
        char => char,
    };
    String::from_utf8_lossy(event.trim_ascii_end()).chars().map(harmless).collect()
}

/// Appends one line for each event, in one write.
struct LogFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<LogFile> {
        Ok(LogFile { path: path.to_owned(), file: Mutex::new(append_to(path)?) })
    }

    /// To the file that has the name now; where there can be none, to the one that had it.
    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = self
            .path
            .metadata()
            .is_ok_and(|named| file.metadata().is_ok_and(|open| FileId::of(&open) == FileId::of(&named)));
        if !is_there && let Ok(next) = append_to(&self.path) {
            *file = next;
        }
        file.write_all(line)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { log: self, event: Vec::new() }
    }
}

/// Collects an event and appends it when it is dropped.
struct Line<'a> {
    log: &'a LogFile,
    event: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.event.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        // There is nowhere to say that the log is gone.
        let _ = self.log.append(format!("{}\n", one_line(&self.event)).as_bytes());
    }
}

/// Makes one datagram of each event.
struct Syslog {
    socket: PathBuf,
}

impl<'a> MakeWriter<'a> for Syslog {
    type Writer = Datagram;

    fn make_writer(&'a self) -> Datagram {
        Datagram::new(&self.socket, Level::INFO)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Datagram {
        Datagram::new(&self.socket, *metadata.level())
    }
}

/// Collects an event and sends it when it is dropped.
struct Datagram {
    socket: PathBuf,
    severity: u8,
    text: Vec<u8>,
}

impl Datagram {
    fn new(socket: &Path, level: Level) -> Datagram {
        Datagram { socket: socket.to_owned(), severity: severity(level), text: Vec::new() }
    }

    /// `<PRI>date tag[pid]: text`, as syslog(3) sends it (RFC 3164 4.1 without the host).
    fn layout(&self, now: OffsetDateTime) -> Vec<u8> {
        let date = now
            .format(format_description!("[month repr:short] [day padding:space] [hour]:[minute]:[second]"));
        let head = format!(
            "<{}>{} sealpost[{}]: ",
            MAIL | self.severity,
            date.unwrap_or_default(),
            std::process::id()
        );
        head.into_bytes().into_iter().chain(one_line(&self.text).into_bytes()).take(LONGEST).collect()
    }

    fn send(&self) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to(&self.layout(OffsetDateTime::now_utc()), &self.socket)?;
        Ok(())
    }
}

impl Write for Datagram {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Datagram {
    fn drop(&mut self) {
        // There is nowhere to say that the log is gone.
        let _ = self.send();
    }
}

/// RFC 5424 6.2.1.
fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn an_event_is_one_datagram_and_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let mut datagram = Datagram::new(&path, Level::WARN);
        datagram.write_all(b"one\ntwo\x1b[0m\n").unwrap();
        drop(datagram);
        let mut buffer = [0; 4096];
        let size = daemon.recv(&mut buffer).unwrap();
        let text = String::from_utf8(buffer[..size].to_vec()).unwrap();
        assert!(text.starts_with("<20>"), "{text}");
        assert!(text.ends_with(&format!(" sealpost[{}]: one two [0m", std::process::id())), "{text}");
    }

    #[test]
    fn an_event_is_one_line_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = LogFile::open(&path).unwrap();
        log.make_writer().write_all("a\r\n2026 forged\u{1b}[2J\u{9b}x\u{2028}y\u{7f}\n".as_bytes()).unwrap();
        log.make_writer().write_all(b"next").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a  2026 forged [2J x y \nnext\n");
    }

    #[test]
    fn a_file_that_is_moved_away_is_followed_by_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let [path, moved] = ["log", "log.1"].map(|name| folder.path().join(name));
        let log = LogFile::open(&path).unwrap();
        log.make_writer().write_all(b"one").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.make_writer().write_all(b"two").unwrap();
        log.make_writer().write_all(b"three").unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\nthree\n");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        // Nobody can make it there any more: the file that is open has the rest.
        std::fs::rename(folder.path(), folder.path().with_extension("away")).unwrap();
        log.make_writer().write_all(b"four").unwrap();
        let away = folder.path().with_extension("away");
        assert_eq!(std::fs::read_to_string(away.join("log")).unwrap(), "two\nthree\nfour\n");
        std::fs::rename(away, folder.path()).unwrap();
    }

    #[test]
    fn the_date_is_that_of_rfc_3164() {
        let datagram = Datagram { socket: PathBuf::new(), severity: 6, text: b"x".to_vec() };
        let text = datagram.layout(time::macros::datetime!(2026-11-03 04:05:06 UTC));
        assert!(text.starts_with(b"<22>Nov  3 04:05:06 sealpost["));
    }

    #[test]
    fn a_missing_daemon_is_no_error() {
        let mut datagram = Datagram::new(Path::new("/nonexistent/log"), Level::ERROR);
        datagram.write_all(b"lost").unwrap();
    }
}
