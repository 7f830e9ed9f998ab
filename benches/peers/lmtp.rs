//! The client of both daemons: sessions side by side, each of which waits for every answer.
//!
//! Every session delivers to an account of its own, which is the best case for both: no session waits for another's mailbox.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The local part of the account of a session.
pub(crate) fn account(session: usize) -> String {
    format!("user{session}")
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// So many sessions to a daemon, and how many messages it took of each.
pub(crate) struct Client {
    port: u16,
    taken: Vec<AtomicUsize>,
}

impl Client {
    pub(crate) fn new(port: u16, sessions: usize) -> Client {
        Client { port, taken: (0..sessions).map(|_| AtomicUsize::new(0)).collect() }
    }

    /// So many messages, shared among the sessions.
    pub(crate) fn deliver(&self, message: &[u8], messages: usize) {
        let sessions = self.taken.len();
        let open: Vec<Session> = (0..sessions).map(|number| Session::open(self.port, number)).collect();
        std::thread::scope(|scope| {
            for ((number, mut session), taken) in open.into_iter().enumerate().zip(&self.taken) {
                let share = messages / sessions + usize::from(number < messages % sessions);
                scope.spawn(move || {
                    for _ in 0..share {
                        session.deliver(message);
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
    }

    /// What was answered with 250 lies in the Maildir of its account, and each file is as it should be.
    pub(crate) fn check(&self, maildir: impl Fn(usize) -> PathBuf, is_right: impl Fn(usize, &[u8]) -> bool) {
        for (number, taken) in self.taken.iter().enumerate() {
            let mut files = 0;
            for file in std::fs::read_dir(maildir(number).join("new")).expect("a Maildir") {
                let stored = std::fs::read(file.expect("a file").path()).expect("a file");
                assert!(is_right(number, &stored), "a message of {}", account(number));
                files += 1;
            }
            assert_eq!(files, taken.load(Ordering::Relaxed), "messages of {}", account(number));
        }
    }
}

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
        let mut session = Session { input, output, account: format!("{}@north.example", account(number)) };
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

/// A daemon needs a moment before it listens.
fn connect(port: u16) -> TcpStream {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < end, "nobody listens: {error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
