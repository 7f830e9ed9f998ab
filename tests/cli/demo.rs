//! `sealpost demo`: what a newcomer sees first.

use crate::support::{Ended, Program, path};
use std::path::Path;

fn demo(within: &Path, folder: &str) -> Ended {
    let line = format!("cd '{}' && '{}' demo {folder}", path(within), env!("CARGO_BIN_EXE_sealpost"));
    Program::new("sh").args(["-c", &line]).run()
}

#[test]
fn the_demo_shows_what_became_of_each_message() {
    let folder = tempfile::tempdir().unwrap();
    let ended = demo(folder.path(), "");
    let text = ended.text();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let heads = ["message", "rule", "mailbox", "sealed to", "with", "before", "after"];
    let heading = text.lines().find(|line| line.starts_with("message ")).unwrap();
    assert_eq!(heading.split("  ").map(str::trim).filter(|head| !head.is_empty()).collect::<Vec<_>>(), heads);
    for (file, cells) in [
        ("01-offer.eml", "~anna/INBOX anna aes-256-cbc"),
        ("02-payroll.eml", "Payroll to HR ~anna/Payroll anna aes-256-cbc"),
        ("02-payroll.eml", "Payroll to HR ~hr/Payroll hr, anna aes-256-cbc"),
        ("03-list.eml", "~bo/INBOX bo aes-256-cbc"),
        ("04-picture.eml", "~bo/INBOX bo aes-256-cbc"),
        ("05-confidential.eml", "~anna/INBOX anna aes-256-cbc, by its sender"),
        ("06-report.eml", "- not stored"),
        ("07-signed.eml", "~bo/INBOX bo aes-256-cbc"),
    ] {
        let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(
            rows.clone().any(|row| row.starts_with(file) && row.contains(cells)),
            "{file} {cells}:\n{text}"
        );
    }
    // What its sender sealed is kept as it is: the sizes before and after are the same.
    let kept = text.lines().find(|line| line.contains("by its sender")).unwrap();
    let sizes: Vec<&str> = kept.split_whitespace().rev().take(2).collect();
    assert_eq!(sizes[0], sizes[1]);
    assert!(text.contains("06-report.eml: carol@north.example has no active certificate."));
    assert!(text.contains("Opened again with Anna's key: 01-offer.eml is byte for byte what came in ("));
    // Numbers stand to the right: every row ends where the heading ends.
    let rows = text.lines().filter(|line| line.contains(".eml  ") && !line.contains("not stored"));
    assert!(rows.map(str::len).all(|length| length == heading.len()), "{text}");
}

#[test]
fn the_commands_to_try_next_work_as_printed() {
    for name in ["", "'a b'\\''c'"] {
        let folder = tempfile::tempdir().unwrap();
        let text = demo(folder.path(), name).text();
        let (_, commands) = text.split_once("Try next:\n").unwrap();
        let outputs: Vec<String> = commands.lines().map(|command| run(folder.path(), command)).collect();
        assert_eq!(outputs.len(), 3, "{text}");
        assert!(outputs[0].starts_with("structure  sealed: S/MIME EnvelopedData\n"), "{}", outputs[0]);
        assert!(outputs[1].contains("\r\nSubject: "), "{}", outputs[1]);
        assert!(outputs[2].contains("\"Payroll to HR\" (domain, priority 7) matches"), "{}", outputs[2]);
    }
}

fn run(folder: &Path, command: &str) -> String {
    let line = format!("cd '{}' && {command}", path(folder));
    String::from_utf8(Program::new("sh").args(["-c", &line]).run().ok()).unwrap()
}

#[test]
fn a_second_run_replaces_the_first_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    demo(folder.path(), "site").ok();
    let stale = folder.path().join("site/stale");
    std::fs::write(&stale, "").unwrap();
    demo(folder.path(), "site").ok();
    assert!(!stale.exists());
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("letter"), "mine").unwrap();
    let refused = demo(folder.path(), "foreign");
    assert_eq!((refused.code, refused.text().as_str()), (Some(1), ""));
    assert_eq!(
        refused.stderr,
        "sealpost: foreign holds something that no demonstration made\n  name another folder: sealpost demo DIR\n"
    );
    assert_eq!(std::fs::read(foreign.join("letter")).unwrap(), b"mine");
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(demo(folder.path(), "file").code, Some(1));
}

#[test]
fn the_demo_as_json_is_one_object() {
    let folder = tempfile::tempdir().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&demo(folder.path(), "--json").ok()).unwrap();
    assert_eq!((&value["v"], value["deliveries"].as_array().unwrap().len()), (&1.into(), 7));
}
