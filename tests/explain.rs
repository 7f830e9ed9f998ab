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

/// bob has this one rule, and the site these settings; its log is a file.
fn house(then: &str, settings: &str) -> Site {
    let (site, _) = Site::certified();
    configure(&site, settings);
    rule(&site, "--account bob@north.example", then);
    site
}

fn rule(site: &Site, holder: &str, then: &str) {
    let text = format!("[[rule]]\nname = \"act\"\npriority = 5\nthen = [{then}]\n");
    let file = site.write("rule.toml", &text);
    site.program(&format!("rules install {holder}")).args([path(&file)]).run().ok();
}

fn configure(site: &Site, settings: &str) {
    let log = site.folder().join("log");
    let _ = std::fs::remove_file(&log);
    std::fs::write(site.root().join("sealpost.toml"), format!("log = {log:?}\n{settings}\n")).unwrap();
}

const MAIL: &str = "From: carol@far.example\nSubject: x\n\nhello\n";

fn asked(site: &Site, more: &str) -> Ended {
    site.program(&format!("rules explain --recipient bob@north.example {more}")).input(MAIL).run()
}

/// What is told is what a delivery says, and why is what stands in its log.
fn assert_as_delivered(site: &Site, cause: &str) {
    assert_as_delivered_from(site, "carol@far.example", cause);
}

fn assert_as_delivered_from(site: &Site, sender: &str, cause: &str) {
    let words = format!("deliver --recipient=bob@north.example --sender={sender}");
    let delivered = site.program(&words).input(MAIL).run();
    let log = std::fs::read_to_string(site.folder().join("log")).unwrap();
    assert_eq!(delivered.code, Some(75), "{log}");
    assert!(log.contains(cause), "{log}");
    let told = asked(site, &format!("--sender={sender}"));
    assert_eq!(told.code, Some(1), "{}", told.text());
    let line = format!("The MTA would be told: {}", delivered.text());
    assert!(told.text().ends_with(&line), "{line}{}", told.text());
    assert!(
        told.stderr.starts_with(&format!("sealpost: it would not be delivered: {cause}")),
        "{}",
        told.stderr
    );
}

#[test]
fn a_command_that_could_not_run_is_no_delivery() {
    let unlisted = "rule \"act\": /bin/ls: the site does not list it: add \"/bin/ls\" to `execute`";
    let site = house("[\"Execute\", \"/bin/ls\"]", "");
    assert_as_delivered(&site, unlisted);
    rule(&site, "--account bob@north.example", "[\"Execute\", \"/no/such/program\"]");
    configure(&site, "execute = [\"/no/such/program\"]");
    assert_as_delivered(&site, "rule \"act\": /no/such/program: /no is not there");
    let file = site.write("script", "#!/bin/sh\n");
    rule(&site, "--account bob@north.example", &format!("[\"Execute\", {file:?}]"));
    configure(&site, &format!("execute = [{file:?}]"));
    let shown = file.display();
    assert_as_delivered(&site, &format!("rule \"act\": {shown}: {shown} is no executable file: chmod 755"));
    rule(&site, "--account bob@north.example", "[\"Execute\", \"[RETPATH] /bin/ls\"]");
    configure(&site, "execute = [\"/bin/ls\"]");
    let cause = "rule \"act\": /bin/ls: the return path of this message cannot be handed";
    assert_as_delivered_from(&site, "a\u{1}@b.example", cause);
    assert_eq!(asked(&site, "--sender=a@b.example").code, Some(0));
}

#[test]
fn mail_that_nobody_would_take_is_no_delivery() {
    let site = house("[\"Redirect to\", \"dan@far.example\"]", "");
    let cause = "the queue of outgoing mail failed: rule \"act\" sends mail, and submission is not set in sealpost.toml";
    assert_as_delivered(&site, cause);
    configure(&site, "submission = \"smtp://127.0.0.1:1\"");
    assert_eq!(asked(&site, "").code, Some(0));
    let key = site.root().join("queue.key");
    assert!(!key.exists(), "who asks makes none");
    std::fs::write(&key, "cut").unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_as_delivered(&site, "the queue of outgoing mail failed: ");
}

/// A command that ran for a delivery that comes to nothing runs again when the sender tries again.
#[test]
fn no_command_runs_for_mail_that_nobody_would_take() {
    let site = house("[\"Discard\"]", "");
    let ran = site.folder().join("ran");
    let script = site.write("script", &format!("echo ran > {ran:?}"));
    let script = path(&script);
    let then = format!("[\"Execute\", \"/bin/sh {script}\"], [\"Redirect to\", \"dan@far.example\"]");
    rule(&site, "--account bob@north.example", &then);
    configure(&site, "execute = [\"/bin/sh\"]");
    assert_as_delivered(
        &site,
        "the queue of outgoing mail failed: rule \"act\" sends mail, and submission is not set",
    );
    assert!(!ran.exists());
    configure(&site, "execute = [\"/bin/sh\"]\nsubmission = \"smtp://127.0.0.1:1\"");
    assert_eq!(asked(&site, "").code, Some(0));
    assert!(!ran.exists());
    site.program("deliver --recipient=bob@north.example").input(MAIL).run().ok();
    assert!(ran.exists(), "the rule does run it");
}

/// What only the MTA knows is told as it tells it.
#[test]
fn conditions_on_the_envelope_see_what_the_options_say() {
    let site = Site::furnished();
    let text = r#"
[[rule]]
name = "ours"
priority = 5
when = [
  ["Source", "is", "authenticated"],
  ["Submit Address", "is", "PIPE*192.0.2.7*"],
  ["Each Recipient", "is", "sales@*"],
]
then = [["Discard"]]
"#;
    let file = site.write("rule.toml", text);
    site.run(&format!("rules install {} --server", path(&file))).ok();
    let all = "--source authenticated --client 192.0.2.7 --original-recipient sales@north.example";
    let shown = asked(&site, all).text();
    assert!(shown.contains("\"ours\" (server, priority 5) matches\n"), "{shown}");
    for without in [
        "--client 192.0.2.7 --original-recipient sales@north.example",
        "--source authenticated --original-recipient sales@north.example",
        "--source authenticated --client 192.0.2.7",
        "--source lmtp --client 192.0.2.7 --original-recipient sales@north.example",
        "--source authenticated --client= --original-recipient=sales@north.example",
    ] {
        let shown = asked(&site, without).text();
        assert!(shown.contains("\"ours\" (server, priority 5) does not match\n"), "{without}: {shown}");
    }
    let words =
        "rules explain --recipient bob@north.example --recipient b@north.example --original-recipient x";
    let refused = site.refused(words);
    assert_eq!(refused.0, 64);
    assert!(
        refused.1.contains("--original-recipient is needed for each --recipient or for none"),
        "{refused:?}"
    );
}

/// A day begins when it begins for rules.
#[test]
fn a_time_without_an_offset_is_in_the_zone_of_the_site() {
    let site = Site::furnished();
    let text = "[[rule]]\nname = \"c\"\npriority = 5\nwhen = [[\"Current Date\", \"less than\", 2001-01-01], [\"Subject\", \"is\", \"x\"]]\nthen = [[\"Discard\"]]\n";
    let file = site.write("rule.toml", text);
    site.run(&format!("rules install {} --domain north.example", path(&file))).ok();
    for (zone, at, seen) in [
        ("Asia/Kolkata", "2026-12-19", "2026-12-19T00:00:00+05:30"),
        ("Asia/Kolkata", "2026-12-19T08:15", "2026-12-19T08:15:00+05:30"),
        ("Asia/Kolkata", "2026-12-19T08:15:00Z", "2026-12-19T13:45:00+05:30"),
        ("UTC", "2026-12-19", "2026-12-19T00:00:00Z"),
    ] {
        configure(&site, &format!("time-zone = \"{zone}\""));
        let shown = asked(&site, &format!("--at {at}")).text();
        assert!(shown.contains(&format!("looked at: \"{seen}")), "{zone} {at}: {shown}");
    }
}

/// A delivery waits, and this stands in its log.
fn deliver_and_find(site: &Site, cause: &str) {
    let delivered = site.program("deliver --recipient=bob@north.example").input(MAIL).run();
    let log = std::fs::read_to_string(site.folder().join("log")).unwrap();
    assert_eq!(delivered.code, Some(75), "{log}");
    assert!(log.contains(cause), "{log}");
}

#[test]
fn copies_have_their_flags_beside_them_and_no_copy_is_said_to_be_none() {
    let site = house("[\"Mark\", [\"Seen\", \"$Payroll\"]]", "");
    let shown = asked(&site, "").text();
    let copy = shown.lines().find(|line| line.starts_with("~bob@north.example/INBOX")).unwrap();
    assert!(
        copy.contains("sealed, profile compatible, headers ") && copy.contains(", flags: Seen, $Payroll  "),
        "{copy}"
    );
    assert!(!shown.contains("Nothing would be stored."), "{shown}");
    let flags = |more: &str| {
        let json: serde_json::Value = serde_json::from_slice(&asked(&site, more).ok()).unwrap();
        json["copies"][0]["flags"].clone()
    };
    assert_eq!(flags("--json"), serde_json::json!(["Seen", "$Payroll"]));
    rule(&site, "--account bob@north.example", "[\"Discard\"]");
    assert_eq!(flags("--json"), serde_json::Value::Null);
    let shown = asked(&site, "").text();
    let end = "    ->   Discard\n\nNothing would be stored.\n\nThe MTA would be told: 2.0.0 stored\n";
    assert!(shown.ends_with(end), "{shown}");
}

/// What is wrong, in which rule, and what mends it: for who asks and in the log.
#[test]
fn a_mailbox_that_is_not_there_names_its_rule_and_what_to_do() {
    let (site, _) = Site::certified();
    site.run("account add hr@north.example").ok();
    site.run("acl grant --mailbox ~hr/Payroll --account bob@north.example").ok();
    let own = "set create-mailboxes = true in sealpost.toml, or make the mailbox in a mail program";
    let server = "make the mailbox in a mail program: a rule of the server makes none";
    let foreign =
        "sealpost acl grant --mailbox '~hr@north.example/Payroll' --account bob@north.example --create";
    for (holder, then, place, hint, settings) in [
        ("--account bob@north.example", "~hr/Payroll", "~hr@north.example/Payroll", foreign, ""),
        ("--account bob@north.example", "Old", "~bob@north.example/Old", own, "create-mailboxes = false"),
        ("--server", "~bob/Old", "~bob@north.example/Old", server, ""),
    ] {
        configure(&site, settings);
        rule(&site, holder, &format!("[\"Store in\", \"{then}\"]"));
        let cause = format!("rule \"act\" stores in {place}, which does not exist");
        deliver_and_find(&site, &format!("{cause}: {hint}"));
        let told = asked(&site, "");
        let expected = format!("sealpost: it would not be delivered: {cause}\n  {hint}\n");
        assert_eq!(told.stderr, expected);
        assert!(told.text().contains("The MTA would be told: 4.3.5 "), "{}", told.text());
        let told = asked(&site, "--json");
        let json: serde_json::Value = serde_json::from_str(&told.text()).unwrap();
        assert_eq!((&json["cause"], &json["hint"]), (&cause.into(), &hint.into()));
        let json: serde_json::Value = serde_json::from_str(&told.stderr).unwrap();
        assert_eq!(json["error"]["hint"], hint);
    }
    rule(&site, "--server", "[\"Stop Processing\"]");
    configure(&site, "");
    rule(&site, "--account bob@north.example", "[\"Store in\", \"~hr/Payroll\"]");
    let made = foreign.replace('\'', "");
    site.run(made.strip_prefix("sealpost ").unwrap()).ok();
    assert_eq!(asked(&site, "").code, Some(0), "the hint helps");
}
