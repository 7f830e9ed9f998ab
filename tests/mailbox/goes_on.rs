//! A run that was stopped, and the same command again; messages that are named.

use super::folders::{Lying, Maildir, contents};
use super::verbs::{events, events_of, number};
use crate::support::{Site, path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";
const MESSAGES: u64 = 1500;

fn full(site: &Site) -> Maildir {
    let maildir = Maildir::of(&site.root(), "bob");
    for number in 0..MESSAGES {
        maildir.put(&format!("cur/15778{number:05}.a.host:2,S"), CLEAR, number);
    }
    maildir
}

fn started(site: &Site, words: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .args(["--root", path(&site.root())])
        .args(words.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts it, and interrupts it as soon as it told of a message. What it told, how it ended and what it complained about.
fn interrupted(site: &Site, words: &str) -> (Vec<serde_json::Value>, Option<i32>, String) {
    let mut child = started(site, words);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    stdout.read_line(&mut told).unwrap();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    stdout.read_to_string(&mut told).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (events_of(&told), child.wait().unwrap().code(), stderr)
}

#[test]
fn what_ctrl_c_stopped_goes_on_where_it_was() {
    let (site, password) = Site::certified();
    let maildir = full(&site);
    let encrypt = "mailbox encrypt --account bob@north.example --all --json";
    let (told, code, stderr) = interrupted(&site, encrypt);
    assert_eq!(code, Some(75), "{stderr}");
    assert!(stderr.contains("\"text\":\"stopped; the same command goes on where it was\""), "{stderr}");
    let first = told.last().unwrap();
    assert!(first["event"] == "summary" && first["stopped"] == true, "{first}");
    let half = maildir.messages();
    assert_eq!(half.len() as u64, MESSAGES, "none is lost and none is there twice");
    let done = half.iter().filter(|lying| lying.is_sealed()).count() as u64;
    assert!(done > 0 && done < MESSAGES, "{done}");
    assert_eq!(first["replaced"], done);
    assert!(maildir.is_tidy());
    let again = events(&site.run(encrypt));
    let second = again.last().unwrap();
    assert!(second["resumed"] == true && second["stopped"] == false, "{second}");
    assert_eq!(second["done_before"], done);
    assert_eq!(second["replaced"], MESSAGES - done, "those that were done are not looked at");
    assert_eq!(second["looked_at"], MESSAGES - done);
    let third = events(&site.run(encrypt));
    assert_eq!(third.last().unwrap()["resumed"], false, "it came to its end");
    let decrypt =
        format!("mailbox decrypt --account bob@north.example --password-file {} --all", path(&password));
    site.run(&decrypt).ok();
    let after = maildir.messages();
    assert!(after.len() as u64 == MESSAGES && after.iter().all(|lying| lying.bytes == CLEAR));
}

/// With other options, or over other certificates, it is another task: messages are looked at anew.
#[test]
fn another_command_does_not_go_on() {
    let (site, _) = Site::certified();
    full(&site);
    let encrypt = "mailbox encrypt --account bob@north.example --all --json";
    let (_, code, _) = interrupted(&site, encrypt);
    assert_eq!(code, Some(75));
    for other in ["--sealed-to-others wrap", "--mailbox INBOX", "--dry-run"] {
        let told = events(&site.run(&format!("{encrypt} {other}")));
        assert_eq!(told.last().unwrap()["resumed"], false, "{other}");
    }
    let new = "key generate --account bob@north.example --type ec-p256 --password-file";
    site.program(new).args([path(&site.folder().join("password"))]).run().ok();
    site.run("cert issue --account bob@north.example --renew").ok();
    let told = events(&site.run(encrypt));
    assert_eq!(told.last().unwrap()["resumed"], false, "another certificate");
}

/// The first one is held up by nobody reading what it tells; the second is told to come again.
#[test]
fn two_runs_at_once_leave_each_message_once() {
    let (site, _) = Site::certified();
    let maildir = full(&site);
    let encrypt = "mailbox encrypt --account bob@north.example --all";
    let mut first = started(&site, &format!("{encrypt} --json"));
    let mut stdout = BufReader::new(first.stdout.take().unwrap());
    let mut told = String::new();
    stdout.read_line(&mut told).unwrap();
    let second = site.run(encrypt);
    assert!(first.try_wait().unwrap().is_none(), "it is at work still");
    assert_eq!((second.code, second.text().as_str()), (Some(75), ""), "{}", second.stderr);
    let busy = "sealpost: another run is at work in the mailboxes of bob@north.example";
    assert!(second.stderr.starts_with(busy), "{}", second.stderr);
    stdout.read_to_string(&mut told).unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_eq!(events_of(&told).last().unwrap()["replaced"], MESSAGES);
    let after = maildir.messages();
    assert!(after.len() as u64 == MESSAGES && after.iter().all(Lying::is_sealed) && maildir.is_tidy());
}

#[test]
fn a_mailbox_in_somebody_elses_hands_is_said() {
    let (site, _) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    let held = std::fs::File::open(site.root().join("mail/north.example/bob/Maildir")).unwrap();
    held.lock().unwrap();
    let ended = site.run("mailbox encrypt --account bob@north.example --all");
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(
        ended.stderr.starts_with("sealpost: another run is at work in the mailboxes of bob@"),
        "{}",
        ended.stderr
    );
    assert_eq!(contents(&maildir.messages()), [CLEAR]);
}

#[test]
fn messages_that_are_named_are_meant_and_those_that_are_not_there_are_said() {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    for name in ["1577836801.a.host", "1577836802.b.host", "1577836803.c.host"] {
        maildir.put(&format!("cur/{name}:2,S"), CLEAR, 1);
    }
    let encrypt = "mailbox encrypt --account bob@north.example";
    let (code, stderr) = site.refused(encrypt);
    assert_eq!(code, 64, "{stderr}");
    let (code, stderr) = site.refused(&format!("{encrypt} 1577836809.x.host"));
    assert_eq!(code, 66, "{stderr}");
    assert!(stderr.contains("1577836809.x.host"), "{stderr}");
    let ended = site.run(&format!("{encrypt} 1577836802.b.host 1577836809.x.host"));
    assert_eq!(ended.code, Some(66), "{}", ended.stderr);
    assert_eq!(number(&ended, "sealed now"), Some(1), "what is there is done");
    let told = "sealpost: no message is called 1577836809.x.host\n";
    assert!(ended.stderr.starts_with(told), "{}", ended.stderr);
    let sealed: Vec<bool> = maildir.messages().iter().map(Lying::is_sealed).collect();
    assert_eq!(sealed, [false, true, false]);
    let again = site.run(&format!("{encrypt} 1577836802.b.host"));
    assert_eq!((again.code, number(&again, "already right")), (Some(0), Some(1)), "{}", again.stderr);
    let decrypt = format!(
        "mailbox decrypt --account bob@north.example --password-file {} 1577836802.b.host",
        path(&password)
    );
    assert_eq!(number(&site.run(&decrypt), "decrypted now"), Some(1), "by the name of before");
}

/// Dovecot may still hold words of what was in the clear: what drops them is said, and nothing of it of what was not.
#[test]
fn what_dovecot_keeps_is_said_after_sealing() {
    let (site, password) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.put("cur/1577836801.a.host:2,S", CLEAR, 1);
    std::fs::write(site.root().join("mail/north.example/bob/Maildir/dovecot.index.cache"), "x").unwrap();
    let encrypt = "mailbox encrypt --account bob@north.example --all";
    let purge = "doveadm mailbox cache purge -u bob@north.example";
    assert!(!site.run(&format!("{encrypt} --dry-run")).stderr.contains(purge));
    let ended = site.run(encrypt);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains(purge), "{}", ended.stderr);
    assert!(!site.run(encrypt).stderr.contains(purge), "nothing was done");
    let decrypt =
        format!("mailbox decrypt --account bob@north.example --password-file {} --all", path(&password));
    assert!(!site.run(&decrypt).stderr.contains(purge));
    let told = events(&site.run(&format!("{encrypt} --json")));
    let of_bob = told.iter().find(|event| event["event"] == "account").unwrap();
    assert!(of_bob["leftovers"]["commands"][0].as_str().unwrap().contains(purge), "{of_bob}");
}
