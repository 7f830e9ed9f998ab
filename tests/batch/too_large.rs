//! What is above `max-message` is refused, whatever stands in front of it, however it comes and wherever it waits.

use crate::hook::assert_answer;
use crate::support::{Ended, Program, Site, path};
use serde_json::Value;
use std::path::{Path, PathBuf};

const LINE: &str = "From carol@far.example Thu Nov 26 03:41:02 2026\n";
const TO_BOB: &str = "--recipient bob@north.example";
const MOST: usize = 1 << 20;

/// So many octets that begin with the line of an mbox.
fn message(octets: usize) -> Vec<u8> {
    let front = format!("{LINE}From: carol@far.example\nSubject: long\n\n");
    let body = "A line of the body.\n".repeat(octets / 20 + 1);
    let mut message = format!("{front}{body}").into_bytes();
    message.truncate(octets);
    message
}

fn site(memory_limit: &str) -> Site {
    let (site, _) = Site::certified();
    let config = format!("memory-limit = \"{memory_limit}\"\nmax-message = \"1M\"\n");
    std::fs::write(site.root().join("sealpost.toml"), config).unwrap();
    site
}

fn stored(site: &Site) -> usize {
    let inbox = site.root().join("mail/north.example/bob/Maildir/new");
    std::fs::read_dir(inbox).map_or(0, Iterator::count)
}

fn status(ended: &Ended) -> Vec<String> {
    let lines = ended.text();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| line["status"].as_str().map(str::to_owned)).collect()
}

/// On standard input that is a file.
fn from_file(site: &Site, file: &Path) -> Ended {
    let line = format!(
        "exec {} --root {} deliver --sender= {TO_BOB} < {}",
        env!("CARGO_BIN_EXE_sealpost"),
        path(&site.root()),
        path(file)
    );
    Program::new("sh").args(["-c", &line]).run()
}

fn folders(site: &Site) -> [PathBuf; 2] {
    ["mail", "done"].map(|name| {
        let folder = site.folder().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    })
}

/// One octet is enough, and what the line takes counts.
#[test]
fn a_line_of_an_mbox_hides_no_octet_from_the_limit() {
    for memory_limit in ["100K", "16M"] {
        let site = site(memory_limit);
        let [mail, done] = folders(&site);
        for octets in [MOST + 1, MOST + LINE.len() + 1, 2 * MOST] {
            let file = mail.join("long");
            std::fs::write(&file, message(octets)).unwrap();
            let pipe = site.program(&format!("deliver --sender= {TO_BOB}")).input(message(octets)).run();
            for ended in [pipe, from_file(&site, &file)] {
                assert_answer(&ended, 65, "5.3.4");
            }
            let words = format!("{TO_BOB} --json --done {}", path(&done));
            let ended = site.program("deliver --batch").args([path(&mail)]).words(&words).run();
            assert_eq!((ended.code, status(&ended)), (Some(1), vec!["5.3.4".into()]), "{octets}");
            assert!(file.exists() && !done.join("long").exists(), "{octets}");
        }
        assert_eq!(stored(&site), 0);
        std::fs::write(mail.join("long"), message(MOST)).unwrap();
        let words = format!("{TO_BOB} --json --done {}", path(&done));
        let ended = site.program("deliver --batch").args([path(&mail)]).words(&words).run();
        assert_eq!((ended.code, status(&ended)), (Some(0), vec!["2.0.0".into()]), "{}", ended.stderr);
        assert!(done.join("long").exists());
        assert_eq!((from_file(&site, &done.join("long")).code, stored(&site)), (Some(0), 2));
    }
}

/// One of an mbox is as large as it was before it came there.
#[test]
fn what_an_mbox_gives_back_is_measured_too() {
    for memory_limit in ["100K", "16M"] {
        let site = site(memory_limit);
        let ours = "Sealpost-Mbox: v=1; eol=crlf\n";
        let body = "a\n".repeat(400_000);
        let mbox = format!("{LINE}{ours}>{LINE}Subject: long\n\n{body}\n{LINE}Subject: next\n\nx\n");
        let ended = site.program(&format!("deliver --batch - --json {TO_BOB}")).input(mbox).run();
        assert_eq!((ended.code, status(&ended)), (Some(1), vec!["5.3.4".into(), "2.0.0".into()]));
        let long = String::from_utf8(message(MOST)).unwrap();
        let mbox = format!("{LINE}>{long}\n\n{LINE}Subject: next\n\nx\n");
        let ended = site.program(&format!("deliver --batch - --json {TO_BOB}")).input(mbox).run();
        assert_eq!((ended.code, status(&ended)), (Some(1), vec!["5.3.4".into(), "2.0.0".into()]));
        assert_eq!(stored(&site), 2);
    }
}
