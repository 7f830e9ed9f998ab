//! What an administrator hears about rules that are right and would do him no good where they run.

use crate::support::{Site, path};
use serde_json::{Value, json};

fn rule(name: &str, then: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\npriority = 5\nwhen = [[\"Human Generated\"]]\nthen = [{then}]\n")
}

fn for_all(name: &str, priority: u8, then: &str) -> String {
    format!("[[rule]]\nname = \"{name}\"\npriority = {priority}\nthen = [{then}]\n")
}

const BOB: &str = "--account bob@north.example";

/// The texts of the warnings of an installation.
fn warnings(site: &Site, text: &str, holder: &str) -> Vec<String> {
    let file = site.write("r.toml", text);
    let told = site.json(&format!("rules install {} {holder}", path(&file)));
    let texts = told["warnings"].as_array().unwrap().iter();
    texts.map(|warning| warning["text"].as_str().unwrap().to_owned()).collect()
}

/// What the doctor says of rules, with what mends it.
fn of_rules(site: &Site) -> Vec<(String, String, String)> {
    let told: Value = serde_json::from_slice(&site.run("doctor --json").stdout).unwrap();
    let findings = told["findings"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let of_rules = findings.filter(|one| text(one, "about").starts_with("rules "));
    of_rules.map(|one| (text(one, "severity"), text(one, "finding"), text(one, "mend"))).collect()
}

const NOBODY: &str =
    "mail waits, because there is no account hr@north.example: sealpost account add hr@north.example";
const NO_BOX: &str = "mail waits, because hr@north.example has no mailbox Payroll, and bob@north.example may not store in it: \
    sealpost acl grant --mailbox '~hr@north.example/Payroll' --account bob@north.example --create";
const NO_RIGHT: &str = "mail waits, because bob@north.example may not store in ~hr@north.example/Payroll: \
    sealpost acl grant --mailbox '~hr@north.example/Payroll' --account bob@north.example";

/// Each warning ends with the command that mends it, and so the next one is the last.
#[test]
fn mailboxes_that_rules_cannot_use_are_told_with_what_mends_them() {
    let site = Site::furnished();
    let text = rule("r", "[\"Store Encrypted in\", \"~hr/Payroll\"], [\"Discard\"]");
    assert_eq!(warnings(&site, &text, BOB), [NOBODY]);
    let told = "rule \"r\": mail waits, because there is no account hr@north.example";
    let problem = |text: &str, mend: &str| vec![("problem".to_owned(), text.to_owned(), mend.to_owned())];
    assert_eq!(of_rules(&site), problem(told, "sealpost account add hr@north.example"));
    site.run("account add hr@north.example").ok();
    assert_eq!(warnings(&site, &text, BOB), [NO_BOX]);
    let (_, command) = NO_BOX.split_once(": sealpost ").unwrap();
    site.run(&command.replace('\'', "")).ok();
    assert_eq!(warnings(&site, &text, BOB), Vec::<String>::new());
    assert_eq!(of_rules(&site), []);
    site.run("acl revoke --mailbox ~hr@north.example/Payroll --account bob@north.example").ok();
    assert_eq!(warnings(&site, &text, BOB), [NO_RIGHT]);
    let (_, command) = NO_RIGHT.split_once(": ").unwrap();
    let told = "rule \"r\": mail waits, because bob@north.example may not store in ~hr@north.example/Payroll";
    assert_eq!(of_rules(&site), problem(told, command));
}

/// What is said agrees with what a delivery says.
#[test]
fn a_rule_without_a_warning_stores_and_one_with_it_waits() {
    let (site, _) = Site::certified();
    let deliver = || {
        let mail = "From: a@b.example\n\nhi\n";
        site.program("deliver --sender=a@b.example --recipient=bob@north.example").input(mail).run()
    };
    let text = rule("r", "[\"Store in\", \"~hr/Payroll\"]");
    for waits in [true, true, false] {
        assert_eq!(warnings(&site, &text, BOB).is_empty(), !waits);
        assert_eq!(deliver().text().starts_with("4.3.5"), waits, "{}", deliver().text());
        let added = site.run("account add hr@north.example");
        if added.code != Some(0) {
            let grant = "acl grant --mailbox ~hr@north.example/Payroll --account bob@north.example --create";
            site.run(grant).ok();
        }
    }
}

#[test]
fn mailboxes_of_the_account_itself_count_where_rules_make_none() {
    let site = Site::furnished();
    let text =
        rule("r", "[\"Store in\", \"Lists\"], [\"Store in\", \"INBOX\"], [\"Store in\", \"~bob/Lists\"]");
    let set = |line: &str| std::fs::write(site.root().join("sealpost.toml"), line).unwrap();
    assert_eq!(
        warnings(&site, &rule("r", "[\"Store in\", \"Lists\"], [\"Discard\"]"), BOB),
        Vec::<String>::new()
    );
    set("create-mailboxes = false\n");
    let waits: Vec<_> =
        warnings(&site, &text, BOB).into_iter().filter(|one| one.starts_with("mail waits")).collect();
    let expected = "mail waits, because there is no mailbox Lists of bob@north.example, and create-mailboxes is false: a rule \
                    makes none: sealpost acl grant --mailbox '~bob@north.example/Lists' --account bob@north.example --create";
    assert_eq!(waits, [expected, expected], "by either name");
    site.run("acl grant --mailbox ~bob@north.example/Lists --account bob@north.example --create").ok();
    assert_eq!(of_rules(&site), []);
}

#[test]
fn rules_of_a_domain_and_of_the_server() {
    let site = Site::furnished();
    for name in ["ann", "bea", "cid", "hr"] {
        site.run(&format!("account add {name}@north.example")).ok();
    }
    let text = rule("r", "[\"Store in\", \"~hr/Box\"]");
    let expected = "mail waits, because hr@north.example has no mailbox Box, and ann@north.example, bea@north.example, \
                    bob@north.example and 1 more account may not store in it: sealpost acl grant --mailbox \
                    '~hr@north.example/Box' --account ann@north.example --create";
    assert_eq!(warnings(&site, &text, "--domain north.example"), [expected]);
    // Of the server's rules ~owner is somebody in the domain of the message.
    site.run("domain add west.example").ok();
    site.run("account add zoe@west.example").ok();
    let no_box = "mail waits, because hr@north.example has no mailbox Box, and a rule makes none for somebody else: \
                  sealpost acl grant --mailbox '~hr@north.example/Box' --account hr@north.example --create";
    assert_eq!(warnings(&site, &text, "--server"), [no_box], "it may be for north.example only");
    let nobody =
        "mail waits, because there is no account hr@west.example: sealpost account add hr@west.example";
    assert_eq!(
        warnings(&site, &for_all("all", 5, "[\"Store in\", \"~hr/Box\"]"), "--server"),
        [no_box, nobody]
    );
    let inbox = rule("r", "[\"Store in\", \"~hr@north.example/INBOX\"]");
    assert_eq!(warnings(&site, &inbox, "--server"), Vec::<String>::new());
}

#[test]
fn an_account_that_goes_leaves_no_rule_behind_unsaid() {
    let site = Site::furnished();
    site.run("account add hr@north.example --alias staff@north.example").ok();
    warnings(&site, &rule("copy", "[\"Store in\", \"~staff/Box\"]"), BOB);
    warnings(&site, &rule("all", "[\"Store in\", \"~hr@alias.example/INBOX\"]"), "--server");
    warnings(
        &site,
        &rule("own", "[\"Store in\", \"Box\"], [\"Store in\", \"~hr/Box\"]"),
        "--account hr@north.example",
    );
    let expected = "\
account hr@north.example removed; its mail stays where it is
warning: rule \"all\" of server stores in ~hr@alias.example/INBOX: mail that this rule is for waits from now on
warning: rule \"copy\" of account bob@north.example stores in ~staff/Box: mail that this rule is for waits from now on
";
    assert_eq!(site.run("account remove hr@north.example").text(), expected);
    assert_eq!(site.json("account remove bob@north.example")["rules"], json!([]));
}

#[test]
fn a_file_without_a_rule_is_refused() {
    let site = Site::furnished();
    let good = site.write("good.toml", &rule("r", "[\"Mark\", \"Seen\"]"));
    site.run(&format!("rules install {} {BOB}", path(&good))).ok();
    for (name, text) in [("empty.toml", ""), ("comment.toml", "# [[rule]]\n"), ("array.txt", "()")] {
        let file = site.write(name, text);
        let said = format!(
            "sealpost: {name} holds no rule; to end the rules there: sealpost rules remove --account bob@north.example\n"
        );
        assert_eq!(site.refused(&format!("rules install {} {BOB}", path(&file))), (65, said));
    }
    assert_eq!(site.json("rules list")["rules"][0]["version"], 1);
}

#[test]
fn what_runs_already_is_no_new_version() {
    let site = Site::furnished();
    let install = |name: &str, then: &str, more: &str| {
        let file = site.write(name, &rule("r", then));
        site.run(&format!("rules install {} {BOB}{more}", path(&file))).text()
    };
    let (seen, flagged) = ("[\"Mark\", \"Seen\"]", "[\"Mark\", \"Flagged\"]");
    install("one.toml", seen, "");
    install("two.toml", flagged, "");
    let said = "two.toml: runs already for account bob@north.example (version 2)\n";
    assert_eq!(install("two.toml", flagged, ""), said);
    assert_eq!(install("two.toml", flagged, " --dry-run"), said);
    // Back is what ran before.
    assert_eq!(site.json(&format!("rules rollback {BOB}"))["restores"], 1);
    assert_eq!(
        install("one.toml", seen, ""),
        "one.toml: runs already for account bob@north.example (version 3)\n"
    );
    let by_owner = "one.toml: 1 rule installed for account bob@north.example (version 4)\n";
    assert_eq!(install("one.toml", seen, " --by-owner"), by_owner, "whose wish it is matters");
    site.run(&format!("rules remove {BOB}")).ok();
    let again = "one.toml: 1 rule installed for account bob@north.example (version 6)\n";
    assert_eq!(install("one.toml", seen, " --by-owner"), again, "what was ended does not run");
}

#[test]
fn a_line_that_names_another_scope_is_told() {
    let site = Site::furnished();
    let text = format!("# Scope: Server\n{}", rule("r", "[\"Mark\", \"Seen\"]"));
    let told = "the file says that it is for scope server; it is installed for scope account";
    assert_eq!(warnings(&site, &text, BOB), [told]);
    assert_eq!(warnings(&site, &text, "--server"), Vec::<String>::new());
    let odd = text.replace("Server", "servr");
    let unknown = "\"servr\" is no scope: server, domain, account";
    assert_eq!(warnings(&site, &odd, BOB), [unknown]);
    let file = site.write("odd.toml", &odd);
    let said = site.run(&format!("rules check {}", path(&file))).text();
    let expected = format!("F: 1 rule, right for scope account\nF:1: warning: {unknown}\n");
    assert_eq!(said.replace(path(&file), "F"), expected);
    let file = site.write("server.toml", &text);
    let checked = site.json(&format!("rules check {}", path(&file)));
    assert_eq!((&checked["scope"], &checked["warnings"]), (&"server".into(), &json!([])));
}

#[test]
fn a_rule_of_the_domain_may_keep_all_of_the_accounts_from_running() {
    let site = Site::furnished();
    assert_eq!(
        warnings(
            &site,
            &for_all("end", 5, "[\"Store in\", \"All\"], [\"Stop Processing\"]"),
            "--domain north.example"
        ),
        Vec::<String>::new()
    );
    let told = "the rule never runs: \"end\" of domain north.example (priority 5) has no condition and ends the rules";
    let text = [6, 5, 1].map(|at| for_all(&format!("r{at}"), at, "[\"Mark\", \"Seen\"]")).concat();
    assert_eq!(warnings(&site, &text, BOB), [told, told]);
    site.run("rules remove --domain north.example").ok();
    assert_eq!(warnings(&site, &text.replace("Seen", "Flagged"), BOB), Vec::<String>::new());
}

#[test]
fn mail_that_would_wait_or_never_be_sent_is_told() {
    let site = Site::furnished();
    let from = |address: &str| rule("r", &format!("[\"Reply with\", \"+From: {address}\\n\\nAway.\"]"));
    let nowhere = "mail waits, because \"Reply with\" sends and the site says nowhere to: set `submission` in sealpost.toml";
    assert_eq!(warnings(&site, &from("robert@north.example"), BOB), [nowhere]);
    std::fs::write(site.root().join("sealpost.toml"), "submission = \"smtp://127.0.0.1:9\"\n").unwrap();
    for own in ["robert@north.example", "Bob <bob@alias.example>", "bob+away@north.example"] {
        assert_eq!(warnings(&site, &from(own), BOB), Vec::<String>::new(), "{own}");
    }
    let foreign = "\"Reply with\" is never sent: its From is bea@north.example, which is no address of bob@north.example";
    assert_eq!(warnings(&site, &from("bea@north.example"), BOB), [foreign]);
    assert_eq!(
        warnings(&site, &from("bea@north.example"), "--server"),
        Vec::<String>::new(),
        "the server is anybody"
    );
    // Who catches all of the domain answers as whom the mail was for.
    site.run("domain set north.example --catch-all bob@north.example").ok();
    assert_eq!(warnings(&site, &from("bea@north.example"), BOB), Vec::<String>::new());
}
