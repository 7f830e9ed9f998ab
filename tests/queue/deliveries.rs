//! Deliveries whose rules send: what goes when, what a crash leaves, and what the MTA is told.

use super::{WORD, configure};
use crate::support::{Act, Ended, MailServer, Port, Program, Site, path, tools, wait_for, with_more_time};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;
use time::OffsetDateTime;

const STORES: &str =
    "[[\"Store Encrypted in\", \"Kept\"], [\"Redirect to\", [\"anna@far.example\"]], [\"Discard\"]]";
const SENDS: &str = "[[\"Redirect to\", [\"anna@far.example\"]], [\"Discard\"]]";

fn rule(then: &str) -> String {
    format!("[[rule]]\nname = \"Copy to anna\"\npriority = 5\nwhen = []\nthen = {then}\n")
}

/// bob has a certificate, and this rule.
/// Nothing takes so long that does not wait for the server.
const AMPLE: Duration = Duration::from_secs(60);

fn house(then: &str, settings: &str) -> Site {
    let (site, _) = Site::certified();
    let file = site.write("rules.toml", &rule(then));
    site.program("rules install --account bob@north.example").args([path(&file)]).run().ok();
    configure(&site, settings);
    site
}

/// What comes to bob goes to anna, and nowhere else.
pub(super) fn sending_house(settings: &str) -> Site {
    house(SENDS, settings)
}

fn to(port: u16) -> String {
    format!("submission = \"smtp://127.0.0.1:{port}\"")
}

fn message() -> String {
    format!("From: carol@far.example\nMessage-ID: <1@far.example>\nSubject: {WORD}\n\n.{WORD}\nThe end\n")
}

pub(super) fn deliver(site: &Site, more: &str) -> Ended {
    let words = format!("deliver --sender=carol@far.example --recipient=bob@north.example {more}");
    site.program(&words).input(message()).run()
}

fn queue(site: &Site) -> Vec<serde_json::Value> {
    site.json("queue list")["mails"].as_array().unwrap().clone()
}

fn kept(site: &Site) -> usize {
    let maildir = site.root().join("mail/north.example/bob/Maildir/.Kept");
    let count = |part: &str| std::fs::read_dir(maildir.join(part)).map_or(0, Iterator::count);
    count("new") + count("cur")
}

/// Any delivery is over by now, and any lease.
fn let_time_pass(site: &Site) {
    let file = site.root().join("state.sqlite");
    if file.exists() {
        let file = rusqlite::Connection::open(file).unwrap();
        let sql = "UPDATE queue SET enqueued = enqueued - 3600, next = next - 3600, claimed = 0";
        // A hook that died before it made the tables has queued nothing.
        let _ = file.execute(sql, []);
    }
}

#[test]
fn a_delivery_sends_what_its_rules_send() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    for then in [STORES, SENDS] {
        let site = house(then, &to(server.port));
        let before = server.taken().len();
        let ended = deliver(&site, "");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.text());
        let taken = server.taken();
        assert_eq!(taken.len(), before + 1);
        let mail = taken.last().unwrap();
        assert_eq!(mail.recipients, ["anna@far.example"]);
        assert!(mail.message.ends_with(&format!("\r\n\r\n.{WORD}\r\nThe end\r\n")), "{}", mail.message);
        assert!(queue(&site).is_empty());
        assert_eq!(kept(&site), usize::from(then == STORES));
        assert!(!holds(&site, "The end"), "the body lies nowhere in the clear");
    }
}

fn holds(site: &Site, word: &str) -> bool {
    let mut folders = vec![site.root()];
    let mut files: Vec<PathBuf> = vec![site.folder().join("log")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    let found = |file: &PathBuf| {
        std::fs::read(file).unwrap().windows(word.len()).any(|window| window == word.as_bytes())
    };
    files.iter().any(found)
}

/// The next server changes nothing about the answer.
#[test]
fn a_server_that_is_down_or_refuses_changes_no_answer() {
    let never = MailServer::start(&["8BITMIME"], vec![("RCPT", Act::Say("550 5.1.1 no".into()))]);
    let closed = Port::reserved();
    for (port, state) in [(closed.number(), "waiting"), (never.port, "failed")] {
        let site = house(STORES, &to(port));
        let ended = deliver(&site, "");
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"));
        let mails = queue(&site);
        assert_eq!((mails.len(), &mails[0]["state"], &mails[0]["attempts"]), (1, &state.into(), &1.into()));
        assert!(!holds(&site, "The end"));
    }
}

#[test]
fn a_server_that_keeps_us_waiting_does_not_keep_the_mta() {
    let slow = MailServer::start(&["8BITMIME"], vec![("EHLO", Act::Wait(600))]);
    let site = house(SENDS, &to(slow.port));
    let ended = deliver(&site, "");
    assert_eq!(ended.code, Some(0));
    assert!(ended.took < AMPLE, "{:?}", ended.took);
    assert_eq!(queue(&site)[0]["state"], "waiting");
}

/// Delivers so that it takes until the deadline: on a busy machine it may be over before the mail is on its way, and then the MTA
/// is told to come again. What is told is nobody's doubt.
fn until_the_deadline(site: &Site, message: &str, seconds: u32, settings: &str) -> Option<Ended> {
    configure(site, &format!("deadline = \"{seconds}s\"\n{settings}"));
    let words = "deliver --sender=carol@far.example --recipient=bob@north.example";
    let ended = site.program(words).input(message).run();
    if ended.text() == "4.3.0 the delivery took too long\n" {
        return None;
    }
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"));
    Some(ended)
}

/// Whatever becomes of the hook meanwhile.
#[test]
fn a_program_that_reads_after_the_deadline_gets_the_whole_mail() {
    let large = format!("{}{}", message(), "A line of text.\n".repeat(25_000));
    let (site, input, over) = with_more_time(|seconds| {
        let site = house(SENDS, "");
        let [program, input, over] = ["sendmail", "input", "over"].map(|name| site.folder().join(name));
        let text = format!(
            "#!/bin/sh\nwhile [ ! -e {1} ]; do sleep 0.1; done\ncat >{0}.part\nmv {0}.part {0}\n",
            path(&input),
            path(&over)
        );
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let settings = format!("submission = \"sendmail:{}\"", path(&program));
        let ended = until_the_deadline(&site, &large, seconds, &settings);
        // Whoever waits for it ends.
        if ended.is_none() {
            std::fs::write(&over, "").unwrap();
        }
        ended.map(|_| (site, input, over))
    });
    assert!(!input.exists(), "the hook is over");
    std::fs::write(&over, "").unwrap();
    let read = wait_for("the program", 60, || std::fs::read_to_string(&input).ok());
    assert!(read.ends_with(&large[large.find("\n\n").unwrap()..]), "{} of {}", read.len(), large.len());
    assert_eq!(
        queue(&site)[0]["state"],
        "sending",
        "until its lease ends: nobody heard of the program's end"
    );
}

/// The server has the mail when the hook's hurry is over: to give up on its answer would send the mail twice, each time.
#[test]
fn a_server_that_answers_late_gets_the_mail_once() {
    let slow = MailServer::start(&["8BITMIME"], vec![(".", Act::Wait(7))]);
    let site = house(SENDS, &to(slow.port));
    let ended = deliver(&site, "");
    assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"));
    assert!(queue(&site).is_empty(), "it is known to be sent");
    site.run("queue run").ok();
    assert_eq!(slow.taken().len(), 1);
}

/// The server is waited for until the deadline, then the MTA has its answer, and nobody else sends meanwhile. If anything else
/// ended the wait, it would take ten minutes at least.
#[test]
fn a_server_that_answers_after_the_deadline_keeps_its_claim() {
    let (site, before) = with_more_time(|times| {
        let slow = MailServer::start(&["8BITMIME"], vec![(".", Act::Wait(600))]);
        let site = house(SENDS, "");
        let before = OffsetDateTime::now_utc().unix_timestamp();
        let ended = until_the_deadline(&site, &message(), 3 * times, &to(slow.port))?;
        let deadline = Duration::from_secs(3) * times;
        assert!((deadline..deadline + AMPLE).contains(&ended.took), "{:?}", ended.took);
        // The server has it.
        (!slow.taken().is_empty()).then_some((site, before))
    });
    let told = site.run("queue run").text();
    assert!(told.starts_with("nothing is due\n1 mail claimed until "), "{told}");
    let mail = queue(&site).remove(0);
    assert_eq!((&mail["state"], &mail["attempts"]), (&"sending".into(), &1.into()));
    let file = rusqlite::Connection::open(site.root().join("state.sqlite")).unwrap();
    let claimed: i64 = file.query_row("SELECT claimed FROM queue", [], |row| row.get(0)).unwrap();
    let left = claimed - before;
    assert!((600..700).contains(&left), "the lease covers every time limit: {left}");
}

/// A log that nobody reads any more stops the hook after everything is stored: that is no doubt.
#[test]
fn a_log_that_blocks_does_not_take_the_answer_back() {
    let (site, _) = Site::certified();
    let log = site.folder().join("fifo");
    nix::unistd::mkfifo(&log, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let mut options = std::fs::OpenOptions::new();
    let mut full = options.read(true).write(true).custom_flags(nix::libc::O_NONBLOCK).open(&log).unwrap();
    while full.write(&[b'x'; 4096]).is_ok() {}
    with_more_time(|times| {
        let text = format!("log = \"{}\"\ndeadline = \"{}s\"\n", path(&log), 3 * times);
        std::fs::write(site.root().join("sealpost.toml"), text).unwrap();
        let ended = deliver(&site, "");
        if ended.text() == "4.3.0 the delivery took too long\n" {
            return None;
        }
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"));
        assert!(ended.took > Duration::from_millis(2500) * times, "it blocked: {:?}", ended.took);
        Some(())
    });
}

#[test]
fn without_a_submission_the_sender_tries_again_and_the_doctor_says_why() {
    let site = house(STORES, "");
    let ended = deliver(&site, "");
    assert_eq!(
        (ended.code, ended.text().as_str()),
        (Some(75), "4.3.0 the queue of outgoing mail is not available\n")
    );
    assert_eq!((kept(&site), site.root().join("state.sqlite").exists()), (0, false));
    let log = std::fs::read_to_string(site.folder().join("log")).unwrap();
    assert!(
        log.contains("rule \"Copy to anna\" sends mail, and submission is not set in sealpost.toml"),
        "{log}"
    );
    let said = site.run("doctor").text();
    assert!(
        said.contains("rules account bob@north.example  they send mail, and nothing says where to"),
        "{said}"
    );
}

/// One message for two recipients, handed over for each of them, and once more.
#[test]
fn a_server_rule_sends_once_for_each_queue_id() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = house("[[\"Stop Processing\"]]", &to(server.port));
    let file = site.write("server.toml", &rule("[[\"Mirror to\", [\"anna@far.example\"]]]"));
    site.program("rules install --server").args([path(&file)]).run().ok();
    for _ in 0..3 {
        assert_eq!(deliver(&site, "--queue-id=4ZbK2m").code, Some(0));
    }
    assert_eq!(server.taken().len(), 1);
    assert_eq!(deliver(&site, "--queue-id=4ZbK2n").code, Some(0));
    assert_eq!(server.taken().len(), 2);
}

fn traced(site: &Site, call: &str, what: &str, more: &str) -> Ended {
    let words = format!("deliver --sender=carol@far.example --recipient=bob@north.example {more}");
    Program::new("strace")
        .args([
            "-f",
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={call}"),
            "-e",
            &format!("inject={call}:{what}"),
        ])
        .args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&site.root())])
        .words(&words)
        .input(message())
        .run()
}

/// The copy cannot be made visible: the sender is told to come back, and what was to be sent is forgotten.
#[test]
fn what_was_rolled_back_is_not_sent() {
    if !tools(&["strace"]) {
        return;
    }
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = house(STORES, &to(server.port));
    assert_eq!(deliver(&site, "").code, Some(0), "the key and the tables are there");
    let ended = traced(&site, "linkat", "error=ENOSPC", "");
    assert_eq!(ended.code, Some(75), "{} {}", ended.text(), ended.stderr);
    assert_eq!((kept(&site), queue(&site).len()), (1, 0));
    let_time_pass(&site);
    site.run("queue run").ok();
    assert_eq!(server.taken().len(), 1);
}

/// The real hook, killed in the n-th of each kind of system call that decides something, for every n. Afterwards whoever runs
/// the queue comes by, and the MTA has not come back yet.
fn kill_everywhere(then: &str) {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = house(then, &to(server.port));
    let stores = then == STORES;
    for call in ["fsync", "linkat", "pwrite64", "sendto"] {
        let mut killed = 0;
        loop {
            let (sent_before, kept_before) = (server.taken().len(), kept(&site));
            let ended = traced(&site, call, &format!("signal=KILL:when={}", killed + 1), "");
            let stored = kept(&site) - kept_before;
            let_time_pass(&site);
            site.run("queue run").ok();
            assert!(queue(&site).is_empty(), "{call} {killed}: what was not dropped is sent");
            // A server may still be busy with what a dead client sent.
            server.wait_until_alone();
            let sent = server.taken().len() - sent_before;
            let at = format!("{call} {killed}: {stored} stored");
            match ended.code {
                Some(0) => {
                    assert_eq!((sent, stored), (1, usize::from(stores)), "{at}");
                    break;
                }
                None if stores && stored > 0 => assert!((1..=2).contains(&sent), "{at}, {sent} sent"),
                None if stores => assert_eq!(sent, 0, "{at}"),
                None => assert!(sent <= 2, "{at}"),
                other => panic!("{at}: {other:?} {}", ended.text()),
            }
            killed += 1;
            assert!(killed < 200, "{call} never ends");
        }
        assert!(
            killed > 0 || call == "sendto" || (call == "linkat" && !stores),
            "{call}: nothing was killed"
        );
    }
}

#[test]
fn a_kill_anywhere_forgets_no_mail_of_a_copy_that_is_there() {
    if tools(&["strace"]) {
        kill_everywhere(STORES);
    }
}

#[test]
fn a_kill_anywhere_without_a_copy_sends_once_or_again_or_leaves_it_to_the_mta() {
    if tools(&["strace"]) {
        kill_everywhere(SENDS);
    }
}

/// The MTA comes back after each kill, and then whoever runs the queue comes by.
#[test]
fn a_kill_at_any_sync_and_a_second_call_forget_nothing() {
    if !tools(&["strace"]) {
        return;
    }
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = house("[[\"Store Encrypted in\", \"Kept\"], [\"Discard\"]]", &to(server.port));
    let file = site.write("server.toml", &rule("[[\"Mirror to\", [\"anna@far.example\"]]]"));
    site.program("rules install --server").args([path(&file)]).run().ok();
    let mut killed = 0;
    loop {
        let (sent_before, kept_before) = (server.taken().len(), kept(&site));
        let id = format!("--queue-id=4ZbK{killed}");
        let ended = traced(&site, "fsync", &format!("signal=KILL:when={}", killed + 1), &id);
        if ended.code.is_none() {
            assert_eq!(deliver(&site, &id).code, Some(0), "{killed}");
        }
        let_time_pass(&site);
        site.run("queue run").ok();
        assert!(queue(&site).is_empty(), "{killed}: each mail is decided about");
        server.wait_until_alone();
        let (sent, stored) = (server.taken().len() - sent_before, kept(&site) - kept_before);
        let most = if ended.code.is_none() { 2 } else { 1 };
        assert!((1..=most).contains(&sent), "{killed}: sent {sent} times");
        assert!((1..=most).contains(&stored), "{killed}: stored {stored} times");
        if ended.code == Some(0) {
            break;
        }
        killed += 1;
        assert!(killed < 200, "it never ends");
    }
    assert!(killed > 3, "{killed}");
}
