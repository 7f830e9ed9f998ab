//! Runs beside clients of a live Dovecot: nothing is lost, nothing comes back, no session breaks.

use super::served::{BOB, FIRST, Lying, Served, date_of, is_letter};
use super::verbs::events_of;
use crate::support::{find, path, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MAILBOXES: [&str; 3] = ["", ".Archive", ".Copies"];
/// Runs at most until each kind of act fell into one.
const ATTEMPTS: usize = 5;
const KINDS: [&str; 6] = ["flag", "keyword", "move", "copy", "expunge", "append"];

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
        Confirmed::read(&serde_json::from_str(&text).unwrap())
    }
}

/// A deed of a client, with the times at which it began and ended.
struct Act {
    kind: String,
    number: u64,
    began: SystemTime,
    ended: SystemTime,
}

struct Confirmed {
    acts: Vec<Act>,
    flags: Vec<(u64, String)>,
    /// Expunged, and a file of that number was there when the server had answered.
    left: BTreeSet<u64>,
    /// How many messages went before the eyes of the one that listens.
    told: u64,
}

impl Confirmed {
    fn read(said: &Value) -> Confirmed {
        let all = |what: &str| said[what].as_array().unwrap().iter();
        let number = |value: &Value| value.as_u64().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let time = |value: &Value| UNIX_EPOCH + Duration::from_secs_f64(value.as_f64().unwrap());
        let act = |act: &Value| Act {
            kind: text(&act[0]),
            number: number(&act[1]),
            began: time(&act[2]),
            ended: time(&act[3]),
        };
        Confirmed {
            acts: all("acts").map(act).collect(),
            flags: all("flags").map(|pair| (number(&pair[0]), text(&pair[1]))).collect(),
            left: all("left").map(number).collect(),
            told: number(&said["told"]),
        }
    }

    fn of(&self, kind: &str) -> BTreeSet<u64> {
        self.acts.iter().filter(|act| act.kind == kind).map(|act| act.number).collect()
    }

    fn act(&self, kind: &str, number: u64) -> Option<&Act> {
        self.acts.iter().find(|act| act.kind == kind && act.number == number)
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

/// A run beside clients.
struct Beside {
    confirmed: Confirmed,
    /// Of each letter of the INBOX whose old file the run removed itself.
    replaced: BTreeSet<u64>,
    /// When the first and the last letter of the INBOX was staged: acts in between fell into the run.
    window: (SystemTime, SystemTime),
    /// When the run staged its last file. What was in its place before was met by a pass after that, or by that one.
    last: SystemTime,
    /// How everything lay when the run and the clients were done.
    lies: Lies,
}

/// Runs the command beside clients, and once more when they are gone, for what they appended after its last look.
fn beside_clients(served: &Served, command: &str, done: &str) -> Beside {
    let before = SystemTime::now();
    let clients = Clients::start(served);
    sleep(Duration::from_millis(300));
    let ended = served.run(&format!("--json {command}"));
    sleep(Duration::from_millis(300));
    let confirmed = clients.end();
    let replaced = events_of(&ended.text())
        .iter()
        .filter(|event| event["mailbox"] == "INBOX" && event["outcome"] == done)
        .map(|event| event["message"].as_str().unwrap().split_once('.').unwrap().0.parse().unwrap())
        .collect();
    ended.ok();
    let lies = all(served);
    let made = |letters: bool| {
        let mine = move |lying: &&Lying| lying.is_made_by_a_run() && lying.born > before;
        let here = lies
            .iter()
            .filter(move |((number, mailbox), _)| !letters || (is_letter(*number) && mailbox.is_empty()));
        here.flat_map(|(_, lying)| lying).filter(mine).map(|lying| lying.born)
    };
    let window = (made(true).min().unwrap(), made(true).max().unwrap());
    let last = made(false).max().unwrap();
    Beside { confirmed, replaced, window, last, lies }
}

impl Beside {
    fn acts_inside(&self, kind: &str) -> usize {
        let inside =
            |act: &&Act| act.kind == kind && act.began >= self.window.0 && act.ended <= self.window.1;
        self.confirmed.acts.iter().filter(inside).count()
    }

    /// What the run should have made something of and did not was put there after its last look, by this deed.
    fn all_is_done_that_was_there(&self, is_done: fn(&Lying) -> bool) {
        let open = self.lies.iter().filter(|(_, lying)| !lying.iter().all(is_done));
        for ((number, mailbox), _) in open {
            let kind = match *mailbox {
                "" => "append",
                ".Archive" => "move",
                _ => "copy",
            };
            let put = self.confirmed.act(kind, *number);
            let when = put.map(|act| act.ended.duration_since(self.last).is_ok());
            assert_eq!(when, Some(true), "message {number} in INBOX{mailbox} was there and is not done");
        }
    }
}

/// Where a message that the server said it expunged is all the same. Allowed is one case, which IMAP cannot tell apart: the run had
/// removed the old file itself, so that the new one, which bears the mark, was not what the session expunged.
fn raced(lies: &Lies, beside: &Beside) -> BTreeSet<u64> {
    let expunged = beside.confirmed.of("expunge").into_iter();
    let back: BTreeSet<u64> = expunged.filter(|number| lies.contains_key(&(*number, ""))).collect();
    for number in &back {
        let lying = &lies[&(*number, "")];
        assert!(beside.confirmed.left.contains(number), "message {number} was gone and is back");
        assert!(beside.replaced.contains(number), "message {number} was expunged and is back");
        let marked = lying.iter().all(|one| one.flags.contains("\\Deleted") && one.is_made_by_a_run());
        assert!(marked && lying.len() == 1, "message {number} is not the new one");
    }
    back
}

fn each_is_where_it_should_be(letters: u64, lies: &Lies, confirmed: &Confirmed, raced: &BTreeSet<u64>) {
    let [moved, copies, expunged, appended] =
        ["move", "copy", "expunge", "append"].map(|kind| confirmed.of(kind));
    for number in (FIRST..FIRST + letters).chain(appended) {
        let home = if moved.contains(&number) { ".Archive" } else { "" };
        let gone = expunged.contains(&number) && !raced.contains(&number);
        for mailbox in MAILBOXES {
            let expected = match mailbox {
                ".Copies" => usize::from(copies.contains(&number)),
                _ => usize::from(mailbox == home && !gone),
            };
            let found = lies.get(&(number, mailbox)).map_or(0, Vec::len);
            assert_eq!(found, expected, "message {number} in INBOX{mailbox}");
        }
    }
}

fn each_has_its_flags(lies: &Lies, confirmed: &Confirmed) {
    let expunged = confirmed.of("expunge");
    for (number, flag) in confirmed.flags.iter().filter(|(number, _)| !expunged.contains(number)) {
        let lying = ["", ".Archive"].iter().find_map(|mailbox| lies.get(&(*number, *mailbox))?.first());
        let flags = &lying.expect("it is there").flags;
        assert!(flags.contains(flag), "message {number} lost {flag}: {flags:?}");
    }
    for number in confirmed.of("append") {
        let flags = lies.get(&(number, "")).and_then(|all| all.first()).map(|lying| &lying.flags);
        let kept = flags.is_none_or(|flags| flags.contains("\\Seen") && flags.contains("Work"));
        assert!(kept, "message {number} was appended with others: {flags:?}");
    }
}

fn each_has_its_date(lies: &Lies) {
    for ((number, _), lying) in
        lies.iter().filter(|((number, mailbox), _)| is_letter(*number) && mailbox.is_empty())
    {
        assert_eq!(lying[0].date, date_of(*number), "message {number}");
    }
}

/// The whole: a run beside clients, and once more without them.
fn holds_beside_clients(
    served: &Served,
    letters: u64,
    (command, done): (&str, &str),
    is_done: fn(&Lying) -> bool,
) -> Beside {
    let beside = beside_clients(served, command, done);
    beside.all_is_done_that_was_there(is_done);
    served.run(command).ok();
    let lies = all(served);
    let raced = raced(&lies, &beside);
    println!("{} of {} raced", raced.len(), beside.confirmed.of("expunge").len());
    each_is_where_it_should_be(letters, &lies, &beside.confirmed, &raced);
    each_has_its_flags(&lies, &beside.confirmed);
    each_has_its_date(&lies);
    assert!(lies.values().flatten().all(is_done), "the second run left something");
    no_session_complains(served);
    beside
}

fn no_session_complains(served: &Served) {
    let log = served.dovecot.log();
    let faults: Vec<&str> = log
        .lines()
        .filter(|line| ["Error:", "Fatal:", "Panic:"].iter().any(|word| line.contains(word)))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn clients_lose_nothing_while_a_run_replaces_messages() {
    if !root(&["openssl", "dovecot", "python3"]) {
        return;
    }
    let mut met = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        met.extend(kinds_beside_a_run());
        if met.len() == KINDS.len() {
            return;
        }
    }
    panic!("only {met:?} fell into a run, {ATTEMPTS} times");
}

/// The kinds of acts that fell into a run; whether one does is a matter of the machine.
fn kinds_beside_a_run() -> impl Iterator<Item = &'static str> {
    let letters = 600;
    let served = Served::with_letters(letters);
    let command = format!("mailbox encrypt --account {BOB} --all");
    let beside = holds_beside_clients(&served, letters, (&command, "sealed"), Lying::is_sealed);
    assert!(beside.confirmed.told >= letters / 2, "the one that listens was not told");
    KINDS.into_iter().filter(move |kind| {
        let inside = beside.acts_inside(kind);
        println!(
            "{kind}: {} confirmed, {inside} within {:?}",
            beside.confirmed.of(kind).len(),
            beside.window
        );
        inside > 0
    })
}

#[test]
fn clients_lose_nothing_while_messages_are_handed_to_a_new_key() {
    if !root(&["openssl", "dovecot", "python3"]) {
        return;
    }
    let letters = 300;
    let mut served = Served::with_letters(letters);
    served.run(&format!("mailbox encrypt --account {BOB} --all")).ok();
    let old = served.give_new_key();
    let command = format!("mailbox rekey --account {BOB} --key {} --all", path(&old));
    // What a client appends is clear, and no matter of a new key.
    let letters_are_sealed = |lying: &Lying| lying.is_sealed() || lying.bytes.starts_with(b"From: a@south");
    let beside = holds_beside_clients(&served, letters, (&command, "rekeyed"), letters_are_sealed);
    assert!(beside.replaced.len() as u64 >= letters / 2);
}

#[test]
fn clients_lose_nothing_while_messages_are_put_back_into_the_clear() {
    if !root(&["openssl", "dovecot", "python3"]) {
        return;
    }
    let letters = 300;
    let served = Served::with_letters(letters);
    served.run(&format!("mailbox encrypt --account {BOB} --all")).ok();
    let command = format!("mailbox decrypt --account {BOB} --key {} --all", path(served.key()));
    let beside = holds_beside_clients(&served, letters, (&command, "decrypted"), |lying| !lying.is_sealed());
    assert!(beside.replaced.len() as u64 >= letters / 2);
}
