//! `sealpost deliver --batch`, as a person calls it.

use crate::support::{Ended, Program, Site, path, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TO_BOB: &str = "--recipient bob@north.example";

fn mail(subject: &str) -> String {
    format!("From: carol@far.example\nSubject: {subject}\n\nThe secret body of {subject}.\n")
}

/// A folder of messages of these names; each is its own subject.
fn folder(site: &Site, name: &str, names: &[&str]) -> PathBuf {
    let folder = site.folder().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    names.iter().for_each(|name| std::fs::write(folder.join(name), mail(name)).unwrap());
    folder
}

fn deliver(site: &Site, folder: &Path, more: &str) -> Ended {
    site.program("deliver --batch").args([path(folder)]).words(more).run()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).map(Vec::from_iter).unwrap_or_default();
    let mut names: Vec<String> =
        entries.into_iter().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn inbox(site: &Site) -> PathBuf {
    site.root().join("mail/north.example/bob/Maildir/new")
}

/// Lines of JSON: those of messages, and the summary.
fn told(ended: &Ended) -> (Vec<Value>, Value) {
    let mut lines: Vec<Value> =
        ended.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().unwrap();
    assert_eq!(summary["event"], "summary", "{}", ended.stderr);
    (lines, summary)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn row(text: &str, label: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(label)?.trim().parse().ok())
}

#[test]
fn a_folder_is_delivered_in_the_order_of_its_names() {
    let (site, _) = Site::certified();
    let mail_folder = folder(&site, "mail", &["b", "a", "c", ".hidden"]);
    std::fs::create_dir(mail_folder.join("deeper")).unwrap();
    symlink("/etc/passwd", mail_folder.join("link")).unwrap();
    let before = names(&mail_folder);
    let ended = deliver(&site, &mail_folder, TO_BOB);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = ended.text();
    assert_eq!((row(&text, "stored"), row(&text, "  copies sealed")), (Some(3), Some(3)), "{text}");
    assert_eq!((row(&text, "refused"), row(&text, "to be tried again")), (Some(0), Some(0)), "{text}");
    assert_eq!(ended.stderr, "sealpost: 3 entries left out: links, folders, hidden files\n");
    assert_eq!(names(&mail_folder), before, "files stay where they are");
    assert_eq!(names(&inbox(&site)).len(), 3);
    for name in names(&inbox(&site)) {
        let stored = std::fs::read_to_string(inbox(&site).join(name)).unwrap();
        assert!(stored.contains("application/pkcs7-mime") && !stored.contains("secret body"));
    }
}

#[test]
fn a_maildir_is_read_as_one() {
    let (site, _) = Site::certified();
    let maildir = folder(&site, "Maildir", &["dovecot-uidlist", "maildirsize"]);
    folder(&site, "Maildir/cur", &["1.M2P1.host:2,S"]);
    folder(&site, "Maildir/new", &["1.M1P1.host", "1.M3P1.host"]);
    folder(&site, "Maildir/tmp", &["1.M4P1.host"]);
    let ended = deliver(&site, &maildir, &format!("{TO_BOB} --json"));
    let (messages, summary) = told(&ended);
    let files: Vec<&str> = messages.iter().map(|one| one["file"].as_str().unwrap()).collect();
    let file = |name: &str| path(&maildir.join(name)).to_owned();
    assert_eq!(files, [file("new/1.M1P1.host"), file("cur/1.M2P1.host:2,S"), file("new/1.M3P1.host")]);
    assert_eq!(summary["stored"], 3);
}

#[test]
fn json_is_a_line_for_each_message_and_a_summary_of_known_fields() {
    let (site, _) = Site::certified();
    let mail_folder = folder(&site, "mail", &["a", "b"]);
    let (messages, summary) = told(&deliver(&site, &mail_folder, &format!("{TO_BOB} --json")));
    let of_message = "event file number offset outcome status reason bytes copies sealed_to warnings v"
        .split(' ')
        .collect();
    assert_eq!(keys(&messages[0]), of_message);
    assert_eq!((&messages[1]["outcome"], &messages[1]["status"]), (&"stored".into(), &"2.0.0".into()));
    assert_eq!(messages[1]["sealed_to"], serde_json::json!(["bob@north.example"]));
    let of_summary = "event operation whole stored discarded refused to_try_again sealed kept_as_is clear left_out bytes \
                      milliseconds v";
    assert_eq!(keys(&summary), of_summary.split_whitespace().collect());
    let counts = ["stored", "sealed", "clear", "refused"].map(|name| summary[name].as_u64().unwrap());
    assert_eq!((counts, &summary["whole"]), ([2, 2, 0, 0], &true.into()));
}

/// 0 all stored, 1 some refused for good, 75 some to be tried again; each is named with its reason.
#[test]
fn the_exit_code_says_what_the_worst_was() {
    let (site, _) = Site::certified();
    let rules = site.write(
        "rules.toml",
        "[[rule]]\nname = \"no\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"junk\"]]\nthen = [[\"Reject with\", \"no junk\"]]\n",
    );
    site.program("rules install").args([path(&rules), "--account", "bob@north.example"]).run().ok();
    let mail_folder = folder(&site, "mail", &["a", "junk", "z"]);
    let ended = deliver(&site, &mail_folder, TO_BOB);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let line =
        format!("sealpost: {}: refused: rule \"no\" rejects the message", path(&mail_folder.join("junk")));
    assert!(ended.stderr.starts_with(&line), "{}", ended.stderr);
    assert_eq!(row(&ended.text(), "stored"), Some(2));
    site.run("account add eve@north.example").ok();
    let both = format!("{TO_BOB} --recipient eve@north.example");
    let ended = deliver(&site, &mail_folder, &both);
    assert_eq!(ended.code, Some(75), "eve has no certificate: {}", ended.stderr);
    assert_eq!((row(&ended.text(), "stored"), names(&inbox(&site)).len()), (Some(0), 2));
}

#[test]
fn what_is_stored_is_moved_and_not_stored_again() {
    let (site, _) = Site::certified();
    let rules = site.write(
        "rules.toml",
        "[[rule]]\nname = \"no\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"junk\"]]\nthen = [[\"Reject with\", \"no junk\"]]\n",
    );
    site.program("rules install").args([path(&rules), "--account", "bob@north.example"]).run().ok();
    let (mail_folder, done) = (folder(&site, "mail", &["a", "junk", "z"]), folder(&site, "done", &[]));
    let with_done = format!("{TO_BOB} --done {}", path(&done));
    assert_eq!(deliver(&site, &mail_folder, &with_done).code, Some(1));
    assert_eq!((names(&mail_folder), names(&done)), (vec!["junk".into()], vec!["a".into(), "z".into()]));
    assert_eq!(deliver(&site, &mail_folder, &with_done).code, Some(1));
    assert_eq!(names(&inbox(&site)).len(), 2);
    // A name that is taken there: nothing is overwritten, and nothing more is begun.
    std::fs::write(mail_folder.join("a"), mail("other")).unwrap();
    let ended = deliver(&site, &mail_folder, &with_done);
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(ended.stderr.contains("it is stored, and cannot be moved to"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(done.join("a")).unwrap(), mail("a"));
    assert_eq!(std::fs::read_to_string(mail_folder.join("a")).unwrap(), mail("other"));
}

#[test]
fn where_done_may_be() {
    let (site, _) = Site::certified();
    let mail_folder = folder(&site, "mail", &["a"]);
    for (done, text) in [
        (mail_folder.clone(), "--done is a folder that is read"),
        (mail_folder.join("nowhere"), "cannot look at"),
        (mail_folder.join("a"), "is no folder"),
        (PathBuf::from("/proc"), "is not on the file system of"),
    ] {
        let ended = deliver(&site, &mail_folder, &format!("{TO_BOB} --done {}", path(&done)));
        assert_eq!((ended.code, ended.stdout.len()), (Some(75), 0), "{}", ended.stderr);
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
        let is_missing = !done.exists();
        let hint = format!("\n  make it first: mkdir {}\n", path(&done));
        assert_eq!(ended.stderr.contains(&hint), is_missing, "{}", ended.stderr);
    }
    let ended = site.program(&format!("deliver --batch - {TO_BOB} --done")).args([path(&mail_folder)]).run();
    assert!(ended.code == Some(75) && ended.stderr.contains("--done moves files"), "{}", ended.stderr);
    assert_eq!(names(&inbox(&site)), [""; 0]);
}

#[test]
fn an_mbox_comes_on_standard_input() {
    let (site, _) = Site::certified();
    let from = "From carol@far.example Thu Nov 26 03:41:02 2026\n";
    let mbox = format!("{from}{}\n{from}{}\n{from}{}\n", mail("a"), mail("b"), mail("c"));
    let ended = site.program(&format!("deliver --batch - {TO_BOB} --json")).input(mbox).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (messages, summary) = told(&ended);
    let places: Vec<_> =
        messages.iter().map(|one| (one["number"].as_u64(), one["offset"].as_u64())).collect();
    let length = (from.len() + mail("a").len() + 1) as u64;
    assert_eq!(places, [(Some(1), Some(0)), (Some(2), Some(length)), (Some(3), Some(2 * length))]);
    assert_eq!((summary["stored"].as_u64(), names(&inbox(&site)).len()), (Some(3), 3));
    // Counted, not quoted: the body holds a line that looks like the begin of a message.
    let body = format!("\n{from}no message\n");
    let counted = format!("{from}Subject: x\nContent-Length: {}\n\n{body}\n", body.len());
    for (form, stored) in [("mboxcl2", 1), ("mboxrd", 2)] {
        let words = format!("deliver --batch - {TO_BOB} --format {form} --json");
        let (_, summary) = told(&site.program(&words).input(counted.clone()).run());
        assert_eq!(summary["stored"], stored, "{form}");
    }
}

#[test]
fn each_message_may_name_its_recipient() {
    let (site, password) = Site::certified();
    site.run("account add ada@north.example").ok();
    let generate = "key generate --account ada@north.example --type ec-p256 --password-file";
    site.program(generate).args([path(&password)]).run().ok();
    site.run("cert issue --account ada@north.example").ok();
    let mail_folder = folder(&site, "mail", &[]);
    let write = |name: &str, fields: &str| {
        std::fs::write(mail_folder.join(name), format!("{fields}{}", mail(name))).unwrap();
    };
    write("1", "Delivered-To: <ada@north.example>\nDelivered-To: bob@north.example\n");
    write("2", "delivered-to: bob@north.example\n");
    write("3", "");
    write("4", "Delivered-To: nobody at all\n");
    let ended = deliver(&site, &mail_folder, "--recipient-field Delivered-To --json");
    let (messages, summary) = told(&ended);
    assert_eq!((ended.code, &summary["stored"], &summary["refused"]), (Some(1), &2.into(), &2.into()));
    let reasons: Vec<&str> = messages.iter().filter_map(|one| one["reason"].as_str()).collect();
    assert_eq!(
        reasons,
        ["it has no field Delivered-To", "its field Delivered-To holds no address: \"nobody at all\""]
    );
    let ada = site.root().join("mail/north.example/ada/Maildir/new");
    assert_eq!((names(&inbox(&site)).len(), names(&ada).len()), (1, 1));
    let both = deliver(&site, &mail_folder, &format!("{TO_BOB} --recipient-field Delivered-To"));
    assert!(both.code == Some(75) && both.stderr.contains("cannot be used with"), "{}", both.stderr);
}

/// By whatever path: a link or a mount gives a folder many names, and each would seem to be another place.
#[test]
fn done_is_none_of_the_folders_that_are_read() {
    let (site, _) = Site::certified();
    let (real, maildir) = (folder(&site, "real", &["a"]), folder(&site, "maildir", &[]));
    symlink(&real, maildir.join("cur")).unwrap();
    folder(&site, "maildir/new", &["b"]);
    let other = site.folder().join("other");
    symlink(&real, &other).unwrap();
    for (read, done) in [
        (&maildir, real.clone()),
        (&maildir, other.clone()),
        (&maildir, maildir.join("new")),
        (&real, other.clone()),
        (&other, real.clone()),
    ] {
        let ended = deliver(&site, read, &format!("{TO_BOB} --done {}", path(&done)));
        assert_eq!((ended.code, ended.stdout.len()), (Some(75), 0), "{}", ended.stderr);
        assert!(ended.stderr.contains("--done is a folder that is read"), "{}", ended.stderr);
    }
    assert_eq!((names(&real), names(&inbox(&site)).len()), (vec!["a".into()], 0));
    let done = folder(&site, "done", &[]);
    assert_eq!(deliver(&site, &maildir, &format!("{TO_BOB} --done {}", path(&done))).code, Some(0));
    assert_eq!((names(&real).len(), names(&done)), (0, vec!["a".into(), "b".into()]));
}

/// Return-Path says who sent a message, unless the command does.
#[test]
fn rules_see_the_sender() {
    let (site, _) = Site::certified();
    let rules = site.write(
        "rules.toml",
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [[\"Return-Path\", \"is\", \"carol@far.example\"]]\nthen = [[\"Discard\"]]\n",
    );
    site.program("rules install").args([path(&rules), "--account", "bob@north.example"]).run().ok();
    let mail_folder = folder(&site, "mail", &[]);
    std::fs::write(mail_folder.join("1"), format!("Return-Path: <carol@far.example>\n{}", mail("1")))
        .unwrap();
    std::fs::write(mail_folder.join("2"), mail("2")).unwrap();
    let (_, summary) = told(&deliver(&site, &mail_folder, &format!("{TO_BOB} --json")));
    assert_eq!((&summary["stored"], &summary["discarded"]), (&2.into(), &1.into()));
    let (_, summary) =
        told(&deliver(&site, &mail_folder, &format!("{TO_BOB} --sender carol@far.example --json")));
    assert_eq!((&summary["stored"], &summary["discarded"]), (&2.into(), &2.into()));
}

#[test]
fn a_message_that_is_too_large_fails_alone() {
    let (site, _) = Site::certified();
    let config = site.root().join("sealpost.toml");
    std::fs::write(&config, "max-message = \"2K\"\n").unwrap();
    let large = mail(&"x".repeat(3000));
    let mail_folder = folder(&site, "mail", &["a", "z"]);
    std::fs::write(mail_folder.join("large"), &large).unwrap();
    let ended = deliver(&site, &mail_folder, TO_BOB);
    assert_eq!((ended.code, row(&ended.text(), "stored")), (Some(1), Some(2)), "{}", ended.stderr);
    let from = "From carol@far.example Thu Nov 26 03:41:02 2026\n";
    let mbox = format!("{from}{}\n{from}{large}\n{from}{}\n", mail("a"), mail("b"));
    let ended = site.program(&format!("deliver --batch - {TO_BOB} --json")).input(mbox).run();
    let (messages, summary) = told(&ended);
    assert_eq!((ended.code, &summary["stored"], &summary["refused"]), (Some(1), &2.into(), &1.into()));
    let refused = messages.iter().find(|one| one["outcome"] == "refused").unwrap();
    assert_eq!((&refused["number"], &refused["status"]), (&2.into(), &"5.3.4".into()));
}

/// Ctrl-C: what is in hand is stored and told, with a report; the rest is not begun.
#[test]
fn it_can_be_stopped_and_goes_on() {
    let (site, _) = Site::certified();
    let from = "From carol@far.example Thu Nov 26 03:41:02 2026\n";
    let done: Vec<String> = (0..600).map(|number| format!("{from}{}\n", mail(&number.to_string()))).collect();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .args([
            "--root",
            path(&site.root()),
            "deliver",
            "--batch",
            "-",
            "--recipient",
            "bob@north.example",
            "--json",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    done.iter().for_each(|one| input.write_all(one.as_bytes()).unwrap());
    input.flush().unwrap();
    wait_for("the first messages", 60, || (!names(&inbox(&site)).is_empty()).then_some(()));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((output.status.code(), &summary["whole"]), (Some(75), &false.into()));
    let stored = summary["stored"].as_u64().unwrap() as usize;
    assert_eq!(names(&inbox(&site)).len(), stored);
    assert_eq!(text.lines().count(), stored + 1);
    assert!(String::from_utf8(output.stderr).unwrap().contains("stopped: what was not begun is not stored"));
}

#[test]
fn help_and_manual_name_it() {
    let ended = Program::sealpost().words("deliver --help").run();
    let text = ended.text();
    assert!(text.contains("--batch <DIR>") && text.contains("--recipient-field <FIELD>"), "{text}");
}

/// What came after it was read is stored nowhere: the file stays, held or not.
#[test]
fn a_file_that_is_written_to_while_it_is_delivered_stays() {
    for memory_limit in ["100K", "16M"] {
        let (site, _) = Site::certified();
        let config = format!("memory-limit = \"{memory_limit}\"\nexecute = [\"/bin/sh\"]\n");
        std::fs::write(site.root().join("sealpost.toml"), config).unwrap();
        let (mail_folder, done) = (folder(&site, "mail", &["a", "grows"]), folder(&site, "done", &[]));
        let grows = mail_folder.join("grows");
        let read = mail("grows") + &"A line of the body.\n".repeat(10_000);
        std::fs::write(&grows, &read).unwrap();
        let script = site.write("script", &format!("echo more >> {}\n", path(&grows)));
        let rules = site.write(
            "rules.toml",
            &format!(
                "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"grows\"]]\n\
                 then = [[\"Execute\", \"/bin/sh {}\"]]\n",
                path(&script)
            ),
        );
        site.program("rules install").args([path(&rules), "--account", "bob@north.example"]).run().ok();
        let ended = deliver(&site, &mail_folder, &format!("{TO_BOB} --done {}", path(&done)));
        assert_eq!(ended.code, Some(75), "{}", ended.stderr);
        assert!(ended.stderr.contains("it is stored as it was read, and was written to"), "{}", ended.stderr);
        assert_eq!((names(&mail_folder), names(&done)), (vec!["grows".into()], vec!["a".into()]));
        assert_eq!(std::fs::read_to_string(&grows).unwrap(), format!("{read}more\n"));
    }
}
