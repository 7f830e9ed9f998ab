//! A run beside clients of a live Dovecot: nothing is lost, nothing comes back, no session breaks.

use super::served::{BOB, FIRST, Lying, Served, date_of};
use crate::support::{find, path, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const LETTERS: u64 = 300;
const MAILBOXES: [&str; 3] = ["", ".Archive", ".Copies"];

/// Two clients that set flags, move, copy, append and expunge, and one that listens.
struct Clients {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Clients {
    fn start(served: &Served) -> Clients {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mailbox/imap_clients.py");
        let args = [path(&script), &served.dovecot.port().to_string(), BOB, path(&served.maildir())]
            .map(str::to_owned);
        let mut command = Command::new(find("python3").unwrap());
        let pipes = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = pipes.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut ready = String::new();
        said.read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        Clients { process, said }
    }

    /// Ends them and gives what the server confirmed to them.
    fn end(mut self) -> Confirmed {
        drop(self.process.stdin.take());
        let mut text = String::new();
        self.said.read_to_string(&mut text).unwrap();
        assert!(self.process.wait().unwrap().success(), "a session broke");
        Confirmed(serde_json::from_str(&text).unwrap())
    }
}

struct Confirmed(Value);

impl Confirmed {
    fn numbers(&self, what: &str) -> BTreeSet<u64> {
        self.0[what].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
    }

    fn count(&self, what: &str) -> u64 {
        self.0[what].as_u64().unwrap()
    }

    fn flags(&self) -> impl Iterator<Item = (u64, &str)> {
        let flags = self.0["flags"].as_array().unwrap().iter();
        flags.map(|pair| (pair[0].as_u64().unwrap(), pair[1].as_str().unwrap()))
    }
}

/// Every message of every mailbox, by its number and the mailbox.
type Lies = BTreeMap<(u64, &'static str), Vec<Lying>>;

fn all(served: &Served) -> Lies {
    let mut lies = Lies::new();
    for mailbox in MAILBOXES {
        for lying in served.messages(mailbox) {
            lies.entry((served.number(&lying), mailbox)).or_default().push(lying);
        }
    }
    lies
}

fn each_is_where_it_should_be(lies: &Lies, confirmed: &Confirmed) {
    let [moved, copies, expunged, appended] =
        ["moved", "copies", "expunged", "appended"].map(|what| confirmed.numbers(what));
    for number in (FIRST..FIRST + LETTERS).chain(appended) {
        let home = if moved.contains(&number) { ".Archive" } else { "" };
        for mailbox in MAILBOXES {
            let expected = match mailbox {
                ".Copies" => usize::from(copies.contains(&number)),
                _ => usize::from(mailbox == home && !expunged.contains(&number)),
            };
            let found = lies.get(&(number, mailbox)).map_or(0, Vec::len);
            assert_eq!(found, expected, "message {number} in INBOX{mailbox}");
        }
    }
}

fn each_has_its_flags(lies: &Lies, confirmed: &Confirmed) {
    let expunged = confirmed.numbers("expunged");
    for (number, flag) in confirmed.flags().filter(|(number, _)| !expunged.contains(number)) {
        let lying = ["", ".Archive"].iter().find_map(|mailbox| lies.get(&(number, *mailbox))?.first());
        let flags = &lying.expect("it is there").flags;
        assert!(flags.contains(flag), "message {number} lost {flag}: {flags:?}");
    }
    for number in confirmed.numbers("appended") {
        let flags = lies.get(&(number, "")).and_then(|all| all.first()).map(|lying| &lying.flags);
        let kept = flags.is_none_or(|flags| flags.contains("\\Seen") && flags.contains("Work"));
        assert!(kept, "message {number} was appended with others: {flags:?}");
    }
}

fn each_has_its_date(lies: &Lies) {
    for ((number, _), lying) in
        lies.iter().filter(|((number, mailbox), _)| *number < 2_000_000 && mailbox.is_empty())
    {
        assert_eq!(lying[0].date, date_of(*number), "message {number}");
    }
}

#[test]
fn clients_lose_nothing_while_a_run_replaces_messages() {
    if !root(&["openssl", "dovecot", "python3"]) {
        return;
    }
    let served = Served::with_letters(LETTERS);
    let clients = Clients::start(&served);
    sleep(Duration::from_millis(500));
    served.run(&format!("mailbox encrypt --account {BOB} --all")).ok();
    sleep(Duration::from_millis(500));
    let confirmed = clients.end();
    // What was appended after the last look is sealed now.
    served.run(&format!("mailbox encrypt --account {BOB} --all")).ok();
    let lies = all(&served);
    each_is_where_it_should_be(&lies, &confirmed);
    each_has_its_flags(&lies, &confirmed);
    each_has_its_date(&lies);
    for what in ["flags", "moved", "copies", "expunged", "appended"] {
        assert!(!confirmed.0[what].as_array().unwrap().is_empty(), "nothing was tried: {what}");
    }
    assert!(confirmed.count("told") >= LETTERS / 2, "the one that listens was not told");
    let log = served.dovecot.log();
    let faults: Vec<&str> = log
        .lines()
        .filter(|line| ["Error:", "Fatal:", "Panic:"].iter().any(|word| line.contains(word)))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
