//! Installed rules and their history: who may change them, and what of them runs meanwhile.

use crate::support::{Site, path};
use std::path::PathBuf;

fn rule(name: &str, then: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\npriority = 5\nwhen = [[\"Human Generated\"]]\nthen = [{then}]\n")
}

/// A site with bob, and one file for each text.
fn site() -> (Site, PathBuf, PathBuf) {
    let site = Site::furnished();
    let one = site.write("one.toml", &rule("one", "[\"Mark\", \"Seen\"]"));
    let two = site.write("two.toml", &rule("two", "[\"Mark\", \"Flagged\"]"));
    (site, one, two)
}

const BOB: &str = "--account bob@north.example";

fn install(site: &Site, file: &std::path::Path, more: &str) -> String {
    let output = site.program("rules install").args([path(file)]).words(more).run();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.text()
}

/// The day and the hour differ from run to run; the user from machine to machine.
fn history(site: &Site) -> String {
    let ended = site.run("rules list --history");
    let user = site.json("rules list --history")["rules"][0]["by"].as_str().unwrap().to_owned();
    let wide = format!("{user:<4}");
    let text = String::from_utf8(ended.ok()).unwrap();
    let lines = text.lines().map(|line| match line.find("20") {
        Some(at) if line.len() > at + 16 && line[at + 4..].starts_with('-') => {
            format!("{}2026-11-26 00:40{}", &line[..at], line[at + 16..].replacen(&wide, "root", 1))
        }
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn each_version_is_kept_and_comes_back() {
    let (site, one, two) = site();
    assert_eq!(
        install(&site, &one, BOB),
        "one.toml: 1 rule installed for account bob@north.example (version 1)\n"
    );
    install(&site, &two, BOB);
    install(&site, &one, "--server");
    let back = site.run(&format!("rules rollback {BOB}")).text();
    let said = "one.toml: 1 rule of version 1 installed again for account bob@north.example (version 3)\n";
    assert_eq!(back, said);
    let ended = site.run(&format!("rules remove {BOB}")).text();
    assert_eq!(
        ended,
        "no rules run for account bob@north.example any more (version 4)\n\
         to bring them back: sealpost rules rollback --account bob@north.example\n"
    );
    let expected = "\
for                        version  runs  change         rules  when              by    as             file
server                           1  yes   install            1  2026-11-26 00:40  root  administrator  one.toml
account bob@north.example        1  -     install            1  2026-11-26 00:40  root  administrator  one.toml
account bob@north.example        2  -     install            1  2026-11-26 00:40  root  administrator  two.toml
account bob@north.example        3  -     rollback to 1      1  2026-11-26 00:40  root  administrator  one.toml
account bob@north.example        4  -     remove             -  2026-11-26 00:40  root  administrator  -
";
    assert_eq!(history(&site), expected);
    assert_eq!(site.run(&format!("rules rollback {BOB}")).code, Some(0), "what ran before it was ended");
    let shown = |more: &str| site.run(&format!("rules show {BOB}{more}")).text();
    assert_eq!(shown(""), rule("one", "[\"Mark\", \"Seen\"]"));
    assert_eq!(shown(" --version 2"), rule("two", "[\"Mark\", \"Flagged\"]"));
    let none = site.json("rules list --domain north.example");
    assert_eq!(none["rules"].as_array().unwrap().len(), 0);
    assert_eq!(
        site.run("rules list --domain north.example").text(),
        "no rules are installed for domain north.example\n"
    );
}

/// One rollback after the other goes back further, and never to a removal.
#[test]
fn rollback_walks_back() {
    let (site, one, two) = site();
    let three = site.write("three.toml", &rule("three", "[\"Discard\"]"));
    install(&site, &one, BOB);
    install(&site, &two, BOB);
    site.run(&format!("rules remove {BOB}")).ok();
    install(&site, &three, BOB);
    let back = || site.json(&format!("rules rollback {BOB}"))["restores"].as_u64();
    assert_eq!((back(), back()), (Some(2), Some(1)));
    let (code, text) = site.refused(&format!("rules rollback {BOB}"));
    let see = "  see: sealpost rules list --history --account bob@north.example\n";
    assert_eq!(
        (code, text),
        (66, format!("sealpost: account bob@north.example has no earlier rules\n{see}"))
    );
    for (more, code, said) in [
        ("--to 9", 66, "account bob@north.example has no version 9"),
        ("--to 3", 1, "version 3 for account bob@north.example holds no rules: with it they were ended"),
        ("--to 6", 1, "version 6 runs for account bob@north.example already"),
    ] {
        let refused = site.refused(&format!("rules rollback {BOB} {more}"));
        assert_eq!(refused, (code, format!("sealpost: {said}\n{see}")));
    }
    let refused = site.refused("rules remove --server");
    assert_eq!(refused, (66, "sealpost: no rules run for server\n".into()));
    let refused = site.refused("rules show --server");
    let see = "  see: sealpost rules list --history --server\n";
    assert_eq!(refused, (66, format!("sealpost: no rules run for server\n{see}")));
}

/// A text may have been right for the sealpost of its day only.
#[test]
fn what_is_not_right_any_more_does_not_come_back() {
    let (site, one, two) = site();
    install(&site, &one, BOB);
    install(&site, &two, BOB);
    let directory = rusqlite::Connection::open(site.root().join("directory.sqlite")).unwrap();
    directory
        .execute("UPDATE rule_sets SET rules = replace(rules, '\"Mark\"', '\"Murk\"') WHERE version = 1", [])
        .unwrap();
    let (code, text) = site.refused(&format!("rules rollback {BOB}"));
    assert_eq!(code, 65);
    let begin = "error: no action is called \"Murk\"\n --> one.toml (version 1):5:10\n";
    assert!(text.starts_with(begin), "{text}");
    let end =
        "\n\nsealpost: version 1 for account bob@north.example is not right any more; nothing was changed\n";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(site.json("rules list")["rules"][0]["version"], 2);
    let broken = &site.json("rules list --history")["rules"][0];
    assert_eq!((&broken["version"], &broken["rules"]), (&1.into(), &serde_json::Value::Null));
    assert!(site.run("rules list --history").text().contains("broken"));
}

#[test]
fn a_dry_run_installs_nothing() {
    let (site, one, _) = site();
    let said = "one.toml: 1 rule would be installed for domain north.example; nothing was done (--dry-run)\n";
    assert_eq!(install(&site, &one, "--domain north.example --dry-run"), said);
    assert_eq!(site.json("rules list --history")["rules"].as_array().unwrap().len(), 0);
    let wrong = site.write("wrong.toml", "x = 1\n");
    assert_eq!(site.refused(&format!("rules install {} --server --dry-run", path(&wrong))).0, 65);
    assert_eq!(site.refused(&format!("rules install {} --domain east.example --dry-run", path(&one))).0, 66);
}

/// Only the rules that his account, its domain or the site permits.
#[test]
fn an_owner_installs_what_he_may() {
    let (site, one, two) = site();
    let mine = format!("{BOB} --by-owner");
    install(&site, &one, &mine);
    let list = &site.json("rules list")["rules"][0];
    assert_eq!((&list["as"], &list["version"]), (&"owner".into(), &1.into()));
    site.run("domain set north.example --rules-allowed none").ok();
    let refused = |words: &str| site.refused(words);
    let text = "sealpost: the owner of bob@north.example may not change his rules: rules-allowed is none (its domain's)\n";
    let allow = "  to allow it: sealpost account set bob@north.example --rules-allowed filter-only\n";
    let rule = "  rule \"two\", line 5: \"Mark\" needs filter-only\n";
    for dry in ["", " --dry-run"] {
        let said = refused(&format!("rules install {} {mine}{dry}", path(&two)));
        assert_eq!(said, (77, format!("{text}{rule}{allow}")));
    }
    assert_eq!(refused(&format!("rules remove {mine}")), (77, format!("{text}{allow}")));
    // What he installed before goes on, and an administrator is not limited.
    assert_eq!(site.json("rules list")["rules"][0]["version"], 1);
    install(&site, &two, BOB);
    site.run("account set bob@north.example --rules-allowed filter-only").ok();
    // He could have installed it himself, so that he may replace it.
    install(&site, &one, &mine);
    site.run(&format!("rules rollback {mine}")).ok();
    site.run(&format!("rules remove {mine}")).ok();
    let owners: Vec<_> = site.json("rules list --history")["rules"].as_array().unwrap().clone();
    let told: Vec<_> = owners.iter().map(|set| set["as"].as_str().unwrap()).collect();
    assert_eq!(told, ["owner", "administrator", "owner", "owner", "owner"]);
}

/// They go on, and the doctor says so.
#[test]
fn the_doctor_names_what_an_owner_may_have_no_more() {
    let (site, one, _) = site();
    install(&site, &one, &format!("{BOB} --by-owner"));
    let of_rules = || {
        let ended = site.run("doctor --json");
        let told: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        let findings = told["findings"].as_array().unwrap().clone();
        findings
            .into_iter()
            .filter(|one| one["about"].as_str().unwrap().starts_with("rules "))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_rules(), Vec::<serde_json::Value>::new());
    site.run("account set bob@north.example --rules-allowed none").ok();
    let expected = serde_json::json!([{
        "severity": "warning",
        "about": "rules account bob@north.example",
        "finding": "the owner installed them (version 1), and rules-allowed is none by now, which does not permit \"Mark\": they go on",
        "mend": "sealpost rules remove --account bob@north.example, or account set bob@north.example --rules-allowed filter-only",
    }]);
    assert_eq!(serde_json::Value::from(of_rules()), expected);
    install(&site, &one, BOB);
    assert_eq!(of_rules(), Vec::<serde_json::Value>::new(), "an administrator's rules are nobody's fault");
}

#[test]
fn only_an_account_has_an_owner() {
    let (site, one, _) = site();
    for holder in ["--server", "--domain north.example"] {
        assert_eq!(
            site.refused(&format!("rules install {} {holder} --by-owner", path(&one))).0,
            64,
            "{holder}"
        );
    }
}

#[test]
fn the_site_says_what_owners_may_unless_somebody_nearer_does() {
    let (site, one, _) = site();
    let by_owner = format!("rules install {} {BOB} --by-owner", path(&one));
    std::fs::write(site.root().join("sealpost.toml"), "rules-allowed = \"none\"\n").unwrap();
    let (code, text) = site.refused(&by_owner);
    assert_eq!((code, text.contains("rules-allowed is none (the site's)")), (77, true), "{text}");
    assert_eq!(site.json("domain show north.example")["effective"]["rules_allowed"]["value"], "none");
    site.run("domain set north.example --rules-allowed any").ok();
    site.run(&by_owner).ok();
    site.run("account set bob@north.example --rules-allowed none").ok();
    let (code, text) = site.refused(&by_owner);
    assert_eq!((code, text.contains("rules-allowed is none (its own)")), (77, true), "{text}");
    assert_eq!(site.json("account show bob@north.example")["rules_allowed"], "none");
    assert!(site.run("account show bob@north.example").text().contains("rules-allowed   none"));
    site.run("account set bob@north.example --rules-allowed inherit").ok();
    site.run(&by_owner).ok();
    std::fs::write(site.root().join("sealpost.toml"), "rules-allowed = \"most\"\n").unwrap();
    assert_eq!(site.refused(&by_owner).0, 78, "an owner's limit is not guessed");
}

/// Each gets its number, none is lost, and one of them runs.
#[test]
fn installs_at_once_are_versions_one_after_the_other() {
    let site = Site::furnished();
    let each = |at: usize| site.write(&format!("{at}.toml"), &rule(&at.to_string(), "[\"Mark\", \"Seen\"]"));
    let files: Vec<_> = (0..8).map(each).collect();
    std::thread::scope(|scope| {
        for file in &files {
            let site = &site;
            scope.spawn(move || install(site, file, "--domain north.example"));
        }
    });
    let list = site.json("rules list --history");
    let sets = list["rules"].as_array().unwrap();
    let versions: Vec<_> = sets.iter().map(|set| set["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 8]);
    let running: Vec<_> = sets.iter().filter(|set| set["running"] == true).collect();
    assert_eq!(running.len(), 1);
    assert_eq!(running[0]["version"], 8);
}

/// The old rules or the new ones, never a mixture and never none.
#[test]
fn deliveries_see_the_old_rules_or_the_new_ones() {
    let (site, _) = Site::certified();
    std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
    let box_of = |name: &str| {
        let then = format!(
            "[\"Store Encrypted in\", \"{name}1\"], [\"Store Encrypted in\", \"{name}2\"], [\"Discard\"]"
        );
        let all = format!("[[rule]]\nname = \"r\"\npriority = 5\nthen = [{then}]\n");
        site.write(&format!("{name}.toml"), &all)
    };
    let files = [box_of("a"), box_of("b")];
    install(&site, &files[0], "--domain north.example");
    let deliver = || {
        let message = "From: a@b.example\nSubject: x\n\nhello\n";
        let ended = site.program("deliver --sender= --recipient=bob@north.example").input(message).run();
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"));
    };
    std::thread::scope(|scope| {
        let hooks: Vec<_> = (0..3).map(|_| scope.spawn(|| (0..8).for_each(|_| deliver()))).collect();
        (0..12).for_each(|at| drop(install(&site, &files[at % 2], "--domain north.example")));
        hooks.into_iter().for_each(|hook| hook.join().unwrap());
    });
    let maildir = site.root().join("mail/north.example/bob/Maildir");
    let count = |name: &str| std::fs::read_dir(maildir.join(name)).map_or(0, Iterator::count);
    assert_eq!((count(".a1/new"), count(".b1/new")), (count(".a2/new"), count(".b2/new")));
    assert_eq!(count(".a1/new") + count(".b1/new"), 24);
    assert_eq!(count("new"), 0);
}

#[test]
fn a_clear_copy_beside_a_sealed_one_is_told_where_the_inbox_is_plain() {
    let site = Site::furnished();
    let file = site.write("r.toml", &rule("r", "[\"Store Encrypted in\", \"Vault\"]"));
    let warnings = || site.json(&format!("rules install {} {BOB}", path(&file)))["warnings"].clone();
    assert_eq!(warnings(), serde_json::json!([]));
    site.run("domain set north.example --inbox plain").ok();
    let text = "a clear INBOX copy follows beside the sealed one of \"Store Encrypted in Vault\", because inbox is plain here: \
                end the rule with \"Discard\"";
    assert_eq!(warnings(), serde_json::json!([{"line": 5, "rule": "r", "text": text}]));
    site.run("account set bob@north.example --inbox seal").ok();
    assert_eq!(warnings(), serde_json::json!([]));
}

/// The rule, the action, and the command that permits it.
#[test]
fn an_owner_may_not_send_mail_unless_he_is_permitted() {
    let site = Site::furnished();
    let file =
        site.write("r.toml", &rule("on", "[\"Mark\", \"Seen\"], [\"Redirect to\", \"x@far.example\"]"));
    let by_owner = format!("rules install {} {BOB} --by-owner", path(&file));
    let expected = "\
sealpost: the owner of bob@north.example may not install these rules: rules-allowed is filter-only (default)
  rule \"on\", line 5: \"Redirect to\" needs all-but-exec
  to allow it: sealpost account set bob@north.example --rules-allowed all-but-exec
";
    assert_eq!(site.refused(&by_owner), (77, expected.to_owned()));
    // An administrator may, and then the owner may not take it away.
    site.run(&by_owner.replace(" --by-owner", "")).ok();
    let user = site.json("rules list")["rules"][0]["by"].as_str().unwrap().to_owned();
    let expected = format!(
        "sealpost: what runs for bob@north.example was installed by an administrator (version 1, {user}), and its owner may \
         not have it himself, so that he may not replace it: rules-allowed is filter-only (default)\n  \
         rule \"on\", line 5: \"Redirect to\" needs all-but-exec\n  \
         to allow it: sealpost account set bob@north.example --rules-allowed all-but-exec\n  \
         to end it: sealpost rules remove --account bob@north.example\n"
    );
    assert_eq!(site.refused(&format!("rules remove {BOB} --by-owner")), (77, expected));
    site.run("account set bob@north.example --rules-allowed all-but-exec").ok();
    site.run(&by_owner).ok();
}

#[test]
fn the_words_of_the_language_are_shown() {
    let site = Site::bare();
    let expected = "\
action          Discard
parameter       -
scopes          server domain account
class           filter (rules-allowed filter-only or more)
example         [\"Discard\"]
what it is for  Ends the rules without an INBOX copy; copies that were asked for before stay. Where there is none, and mail that was to go on to others cannot leave, the INBOX copy follows all the same.
";
    assert_eq!(site.run("rules words discard").text(), expected);
    let refused = site.refused("rules words freebusy");
    let said = "sealpost: \"FreeBusy\" is refused: not in this product: it needs a calendar, and Sealpost keeps none\n";
    assert_eq!(refused, (1, said.into()));
    let unknown = "sealpost: no condition and no action is called \"Burn\"\n  see: sealpost rules words\n";
    assert_eq!(site.refused("rules words Burn"), (66, unknown.into()));
    let near = "sealpost: no condition and no action is called \"Subjet\"\n  did you mean \"Subject\"?\n  see: sealpost rules words\n";
    assert_eq!(site.refused("rules words Subjet"), (66, near.into()));
    for (word, name) in
        [("Store Encrypted", "Store Encrypted in"), ("'From Name'", "'From' Name"), ("size", "Message Size")]
    {
        let shown = site.program("rules words --json").args([word]).run().text();
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["words"][0]["name"], name, "{word}");
    }
    let all = site.json("rules words");
    let count = sealpost::rules::CONDITIONS.len() + sealpost::rules::ACTIONS.len();
    assert_eq!(all["words"].as_array().unwrap().len(), count);
    assert_eq!(site.run("rules words").text().lines().count(), count + 1);
}
