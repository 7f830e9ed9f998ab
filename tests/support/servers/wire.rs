//! Just enough of SMTP and IMAP to talk to a server on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    /// Waits until the server listens.
    pub(super) fn connect(port: u16) -> Wire {
        let stream =
            crate::support::wait_for("the server", 60, || TcpStream::connect(("127.0.0.1", port)).ok());
        stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
        Wire(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// The last line of an SMTP reply; it must begin with the code.
    pub(super) fn reply(&mut self, code: &str) -> String {
        loop {
            let line = self.line();
            assert!(line.starts_with(code), "expected {code}: {line}");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    /// Sends an IMAP command, waits for its OK, and gives the literals that came.
    pub(crate) fn imap(&mut self, command: &str) -> Vec<Vec<u8>> {
        self.send(&format!("a {command}"));
        let mut literals = Vec::new();
        loop {
            let line = self.line();
            let literal = line.trim_end().strip_suffix('}').and_then(|line| line.rsplit_once('{'));
            if let Some((_, size)) = literal {
                let mut bytes = vec![0; size.parse().unwrap()];
                self.0.read_exact(&mut bytes).unwrap();
                literals.push(bytes);
            } else if let Some(answer) = line.strip_prefix("a ") {
                assert!(answer.starts_with("OK"), "{command}: {line}");
                return literals;
            }
            assert!(!line.is_empty(), "{command}: the server hung up");
        }
    }
}
