//! `rules explain`: rule by rule why, and what would be done, at this or another time.

use crate::support::{Ended, Site, path};
use time::{Duration, OffsetDateTime};

const SERVER: &str = r#"
[[rule]]
name = "audit"
priority = 5
when = [["Any Recipient", "is", "bob@*"]]
then = [["Add Header", "X-Seen: yes"]]
"#;
const BOB: &str = r#"
[[rule]]
name = "night"
priority = 5
when = [
  ["Time Of Day", "in", ["22:00-06:00"]],
  ["Header Field", "is", "X-Seen: yes"],
  ["Subject", "is", "x*"],
]
then = [
  ["Store Encrypted in", "Night"],
  ["Remember 'From' in", "People"],
  ["Discard"],
]
[[rule]]
name = "rest"
priority = 1
then = [["Mark", "Seen"]]
"#;

fn site() -> Site {
    let (site, _) = Site::certified();
    std::fs::write(site.root().join("sealpost.toml"), "time-zone = \"UTC\"\n").unwrap();
    for (text, holder) in [(SERVER, "--server"), (BOB, "--account bob@north.example")] {
        let file = site.write("r.toml", text);
        site.run(&format!("rules install {} {holder}", path(&file))).ok();
    }
    site
}

/// Tomorrow at that hour: the certificate was issued today.
fn explain(site: &Site, hour: u8, subject: &str, more: &str) -> Ended {
    let day = (OffsetDateTime::now_utc() + Duration::DAY).date();
    let words = format!("rules explain --recipient bob@north.example --at {day}T{hour:02}:00:00Z {more}");
    let message = format!("From: carol@far.example\nSubject: {subject}\n\nhello\n");
    site.program(&words).input(message).run()
}

#[test]
fn each_condition_stands_beside_what_it_looked_at() {
    let site = site();
    let night = explain(&site, 23, "xyz", "");
    assert_eq!(night.code, Some(0), "{}", night.stderr);
    let expected = "\
Rules of the server:
\"audit\" (server, priority 5) matches
    yes  [\"Any Recipient\", \"is\", \"bob@*\"]  looked at: \"bob@north.example\"
    ->   Add Header X-Seen: yes

Rules of bob@north.example (domain and account):
\"night\" (account, priority 5) matches
    yes  [\"Time Of Day\", \"in\", [\"22:00-06:00\"]]  looked at: \"23:00\"
    yes  [\"Header Field\", \"is\", \"X-Seen: yes\"]   looked at: \"X-Seen: yes\"
    yes  [\"Subject\", \"is\", \"x*\"]                 looked at: \"xyz\"
    ->   Store Encrypted in Night
    ->   Remember 'From' in People
    ->   Discard
\"rest\" (account, priority 1) is not reached

What would be stored:
mailbox                  rule   how                                            to
~bob@north.example/Night  night  ";
    let (begin, _) = expected.split_once("mailbox ").unwrap();
    assert!(night.text().starts_with(begin), "{}", night.text());
    let end = "\
What would be done besides:
for                rule   action              what
the server         audit  Add Header          X-Seen: yes
bob@north.example  night  Remember 'From' in  People

The MTA would be told: 2.0.0 stored
";
    assert!(night.text().ends_with(end), "{}", night.text());
}

#[test]
fn it_can_be_asked_how_it_would_be_at_another_time() {
    let site = site();
    let day = explain(&site, 12, "xyz", "").text();
    let told = "    no   [\"Time Of Day\", \"in\", [\"22:00-06:00\"]]  looked at: \"12:00\"\n\"rest\"";
    assert!(day.contains(told), "{day}");
    let refused = site.refused("rules explain --recipient bob@north.example --at noon");
    assert_eq!((refused.0, refused.1.contains("2027-03-01T08:00:00Z")), (64, true), "{}", refused.1);
}

/// What a sender writes neither steers the terminal nor fills it.
#[test]
fn a_hostile_subject_is_shown_harmless_and_short() {
    let site = site();
    let subject = format!("x=?utf-8?Q?=1B]0;owned=07?= {}", "long ".repeat(20_000));
    let shown = explain(&site, 23, &subject, "");
    assert_eq!(shown.code, Some(0), "{}", shown.stderr);
    assert!(!shown.text().contains(['\u{1b}', '\u{7}']));
    assert!(shown.text().lines().all(|line| line.chars().count() < 300), "{}", shown.text());
    assert!(shown.text().contains("…"), "{}", shown.text());
}

#[test]
fn a_program_reads_the_same() {
    let site = site();
    let json: serde_json::Value = serde_json::from_slice(&explain(&site, 23, "xyz", "--json").ok()).unwrap();
    let condition = &json["programs"][1]["trace"]["rules"][0]["conditions"][2];
    let expected = serde_json::json!({
        "condition": "[\"Subject\", \"is\", \"x*\"]", "tested": ["xyz"], "values": 1, "holds": true,
    });
    assert_eq!(condition, &expected);
    let effect = serde_json::json!({
        "account": "bob@north.example", "rule": "night", "action": "Remember 'From' in", "parameter": "People",
    });
    assert_eq!(json["effects"][1], effect);
    assert_eq!(json["mails"], serde_json::json!([]));
}
