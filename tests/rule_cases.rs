//! `sealpost rules test`: a site's own cases, over files and over what runs.

use crate::support::{Ended, Site, path};
use std::fs;
use std::path::PathBuf;

const RULES: &str = r#"
[[rule]]
name = "lists"
priority = 5
when = [["Header Field", "is", "List-Id: *"]]
then = [["Store in", "Lists"], ["Discard"]]
[[rule]]
name = "boss"
priority = 4
when = [["From", "is", "boss@north.example"]]
then = [["Mark", "Flagged"]]
"#;
const LIST: &str = "matches = [\"lists\"]\nsteps = [\"lists: Store in Lists\"]\nending = \"discard\"\nended_by = \"lists\"\n";

/// A folder `cases` with rules and two cases that are right.
fn cases() -> (Site, PathBuf) {
    let site = Site::bare();
    let cases = site.folder().join("cases");
    fs::create_dir(&cases).unwrap();
    fs::write(cases.join("rules.toml"), RULES).unwrap();
    fs::write(cases.join("README.md"), "ours\n").unwrap();
    case(&cases, "01-list", "List-Id: <x>\n\n", Some(LIST));
    let boss = "matches = [\"boss\"]\nsteps = [\"boss: Mark Flagged\"]\nending = \"inbox\"\n";
    case(&cases, "02-boss", "From: boss@north.example\n\n", Some(boss));
    (site, cases)
}

fn case(cases: &std::path::Path, name: &str, message: &str, expect: Option<&str>) -> PathBuf {
    let folder = cases.join(name);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("message.eml"), message).unwrap();
    fs::write(folder.join("envelope.toml"), "sender = 'a@b.example'\nrecipients = ['bob@north.example']\n")
        .unwrap();
    expect.inspect(|text| fs::write(folder.join("expect.toml"), text).unwrap());
    folder
}

fn run(site: &Site, more: &str) -> Ended {
    site.program("rules test").args([path(&site.folder().join("cases"))]).words(more).run()
}

#[test]
fn cases_that_are_as_expected() {
    let (site, _) = cases();
    let ended = run(&site, "");
    let expected = "ok     01-list\nok     02-boss\n2 cases, all as expected\n";
    assert_eq!((ended.text().as_str(), ended.stderr.as_str(), ended.code), (expected, "", Some(0)));
}

#[test]
fn what_differs_is_shown_key_by_key() {
    let (site, cases) = cases();
    fs::write(cases.join("02-boss/expect.toml"), LIST).unwrap();
    case(&cases, "03-new", "\n", None);
    let ended = run(&site, "");
    let expected = "\
ok     01-list
FAIL   02-boss
       matches   expected  \"lists\"
                 found     \"boss\"
       steps     expected  \"lists: Store in Lists\"
                 found     \"boss: Mark Flagged\"
       ending    expected  \"discard\"
                 found     \"inbox\"
       ended_by  expected  \"lists\"
                 found     nothing
FAIL   03-new
       there is no expect.toml: --bless writes it
";
    let said = "sealpost: 2 of 3 cases not as expected\n";
    assert_eq!((ended.text().as_str(), ended.stderr.as_str(), ended.code), (expected, said, Some(1)));
    let json: serde_json::Value = serde_json::from_slice(&run(&site, "--json").stdout).unwrap();
    assert_eq!((&json["failed"], &json["cases"][0]["ok"]), (&2.into(), &true.into()));
    let ending = serde_json::json!({"key": "ending", "expected": ["discard"], "found": ["inbox"]});
    assert_eq!(json["cases"][1]["differences"][2], ending);
}

/// What is there is written over on a second word only.
#[test]
fn blessing_writes_what_is_missing() {
    let (site, cases) = cases();
    let new = case(&cases, "03-new", "List-Id: <y>\n\n", None);
    let wrong = "covers = [\"why\"]\nmatches = []\nsteps = []\nending = \"inbox\"\n";
    fs::write(cases.join("01-list/expect.toml"), wrong).unwrap();
    let ended = run(&site, "--bless");
    assert_eq!((ended.code, ended.text().contains("wrote  03-new\n")), (Some(1), true), "{}", ended.text());
    assert_eq!(fs::read_to_string(new.join("expect.toml")).unwrap(), LIST);
    assert_eq!(fs::read_to_string(cases.join("01-list/expect.toml")).unwrap(), wrong);
    assert_eq!(run(&site, "--overwrite").code, Some(64), "it needs --bless");
    let ended = run(&site, "--bless --overwrite");
    assert_eq!(ended.text(), "wrote  01-list\nok     02-boss\nok     03-new\n3 cases, all as expected\n");
    let written = fs::read_to_string(cases.join("01-list/expect.toml")).unwrap();
    assert_eq!(written, format!("covers = [\"why\"]\n{LIST}"));
}

#[test]
fn what_is_no_case_is_refused() {
    let (site, cases) = cases();
    let refused = |name: &str, text: &str, code: i32, said: &str| {
        fs::write(cases.join(name), text).unwrap();
        let ended = run(&site, "");
        assert_eq!((ended.code, ended.text()), (Some(code), String::new()), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{name}: {}", ended.stderr);
        fs::remove_file(cases.join(name)).unwrap();
    };
    refused(
        "rule.toml",
        "",
        65,
        "rule.toml is no case: a case is a folder\n  beside the cases lie rules.toml and a README",
    );
    refused(
        "01-list/mesage.eml",
        "",
        65,
        "mesage.eml is no file of a case\n  the files of a case are message.eml",
    );
    fs::remove_file(cases.join("01-list/envelope.toml")).unwrap();
    assert_eq!(run(&site, "").code, Some(66));
    fs::remove_dir_all(&cases).unwrap();
    assert_eq!(run(&site, "").code, Some(66));
    fs::create_dir(&cases).unwrap();
    let ended = run(&site, "");
    assert_eq!(
        (ended.code, ended.stderr.contains("there is no case in ")),
        (Some(66), true),
        "{}",
        ended.stderr
    );
}

/// The others are tried all the same.
#[test]
fn a_case_that_is_not_right_fails_and_the_next_is_tried() {
    let (site, cases) = cases();
    fs::write(cases.join("01-list/envelope.toml"), "sender = ''\nrecipient = 'x'\n").unwrap();
    case(&cases, "03-new", "\n", Some("matches = []\nsteps = []\n"));
    let ended = run(&site, "");
    let expected = "\
FAIL   01-list
       envelope.toml:2: there is no key \"recipient\"; the keys are \"sender\", \"recipients\", \"owner_key_id\", \"source\", \
\"client\", \"now\", \"routes\", \"mailboxes\", \"preferences\", \"datasets\", \"answers\"
ok     02-boss
FAIL   03-new
       expect.toml:1: the key \"ending\" is missing
";
    let said = "sealpost: 2 of 3 cases not as expected\n";
    assert_eq!((ended.text().as_str(), ended.stderr.as_str(), ended.code), (expected, said, Some(1)));
    let json: serde_json::Value = serde_json::from_slice(&run(&site, "--json").stdout).unwrap();
    assert_eq!(
        (&json["cases"][2]["ok"], &json["cases"][2]["fault"]),
        (&false.into(), &"expect.toml:1: the key \"ending\" is missing".into())
    );
    assert_eq!(json["cases"][1]["fault"], serde_json::Value::Null);
}

#[test]
fn rules_come_from_files_from_the_case_or_from_the_store() {
    let (site, cases) = cases();
    fs::remove_file(cases.join("rules.toml")).unwrap();
    let ended = run(&site, "");
    assert_eq!(
        (ended.code, ended.stderr.contains("--rules FILE, --installed, or a file rules.toml")),
        (Some(64), true)
    );
    let file = site.write("r.toml", RULES);
    run(&site, &format!("--rules {}", path(&file))).ok();
    // A case's own rules come first.
    fs::write(
        cases.join("01-list/rule.toml"),
        "# scope: server\n[[rule]]\nname = \"x\"\npriority = 1\nthen = []\n",
    )
    .unwrap();
    let ended = run(&site, &format!("--rules {}", path(&file)));
    assert_eq!((ended.code, ended.text().contains("found     \"x\"")), (Some(1), true), "{}", ended.text());
    fs::remove_file(cases.join("01-list/rule.toml")).unwrap();
    let wrong = site.write("wrong.toml", "x = 1\n");
    assert_eq!(run(&site, &format!("--rules {}", path(&wrong))).code, Some(65));
    assert_eq!(run(&site, &format!("--rules {} --installed", path(&file))).code, Some(64));
    let store = Site::furnished();
    let installed = || store.program("rules test --installed").args([path(&cases)]).run();
    assert_eq!(installed().code, Some(1), "nothing runs there");
    store.run(&format!("rules install {} --domain north.example", path(&file))).ok();
    assert_eq!(installed().text(), "ok     01-list\nok     02-boss\n2 cases, all as expected\n");
    let two = "recipients = ['bob@north.example', 'robert@alias.example']\n";
    fs::write(cases.join("01-list/envelope.toml"), two).unwrap();
    installed().ok();
    store.run("account add eve@north.example").ok();
    fs::write(cases.join("01-list/envelope.toml"), two.replace("robert@alias", "eve@north")).unwrap();
    let said = "sealpost: one case is for one account, not for bob@north.example and eve@north.example\n";
    assert_eq!((installed().code, installed().stderr), (Some(65), said.into()));
    fs::write(cases.join("01-list/envelope.toml"), two.replace("robert@alias", "nobody@north")).unwrap();
    assert_eq!(installed().code, Some(66));
}
