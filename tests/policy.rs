//! What configuration, directory and rules make of a message, end to end through the hook.

mod arrived;
mod authorities;
mod bench;
mod certificates;
mod domain_key;
mod headers;
mod lists;
mod table;
mod watch;

use crate::hook::{assert_answer, assert_doubt};
use crate::support::{Ended, Identity, Program, Store, crlf, path, tools};
use std::path::PathBuf;

const MESSAGE: &[u8] = b"From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\n\
The word is xyzzy-plugh-4711.\n";
const CLEAR: &[u8] = b"xyzzy-plugh-4711";

impl Store {
    fn config(&self, text: &str) {
        std::fs::write(self.root().join("sealpost.toml"), text).unwrap();
    }

    fn hook(&self, words: &str) -> Ended {
        self.command(&format!("deliver {words}")).input(MESSAGE).run()
    }

    /// A rule of that name without conditions.
    fn rule(&self, scope: &str, then: &str) {
        let text = format!("[[rule]]\nname = \"The rule\"\npriority = 5\nwhen = []\nthen = [{then}]\n");
        let file = self.file("rule.toml");
        std::fs::write(&file, text).unwrap();
        self.command("rules install").args([path(&file)]).words(scope).run().ok();
    }

    /// A further account with a certificate.
    fn join(&self, name: &str) -> Identity {
        let person = self.authority.rsa(name);
        self.command(&format!("account add {}", person.address)).run().ok();
        self.certify(&person);
        person
    }

    /// What is visible in a mailbox, flags and all: path below the Maildir, and bytes.
    fn visible(&self, local: &str) -> Vec<(String, Vec<u8>)> {
        let maildir = self.root().join(format!("mail/north.example/{local}/Maildir"));
        let below = |file: PathBuf| file.strip_prefix(&maildir).ok().map(|file| path(file).to_owned());
        let found = self.stored().into_iter().filter_map(|(file, bytes)| Some((below(file)?, bytes)));
        found.filter(|(file, _)| file.contains("new/") || file.contains("cur/")).collect()
    }
}

fn opens(person: &Identity, sealed: &[u8]) -> bool {
    let args = ["open", "--key", path(&person.key), "--cert", path(&person.certificate)];
    let ended = Program::sealpost().args(args).input(sealed).run();
    ended.code == Some(0) && ended.stdout == crlf(MESSAGE)
}

#[test]
fn alias_detail_and_catch_all_lead_to_the_account() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("domain set north.example --alias alias.example").run().ok();
    store.command("account set bob@north.example --alias robert@north.example").run().ok();
    let names =
        ["robert@north.example", "BOB@alias.example", "bob+lists@north.example", "robert+x@alias.example"];
    for (number, name) in names.iter().enumerate() {
        assert_answer(&store.hook(&format!("--recipient={name}")), 0, "2.0.0");
        assert_eq!(store.inbox().len(), number + 1, "{name}");
    }
    assert_answer(&store.hook("--recipient=eve@north.example"), 67, "5.1.1");
    store.command("domain set north.example --catch-all bob@north.example").run().ok();
    assert_answer(&store.hook("--recipient=eve@north.example"), 0, "2.0.0");
    assert_answer(&store.hook("--recipient=eve@alias.example"), 0, "2.0.0");
    assert_eq!(store.inbox().len(), names.len() + 2);
    // One account, one copy, however many of its names the envelope holds.
    assert_answer(
        &store.hook("--recipient=robert@north.example --recipient=bob+a@north.example"),
        0,
        "2.0.0",
    );
    assert_eq!(store.inbox().len(), names.len() + 3);
}

#[test]
fn the_delimiter_is_what_the_configuration_says() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.config("recipient-delimiter = \"-\"\n");
    assert_answer(&store.hook("--recipient=bob-lists@north.example"), 0, "2.0.0");
    assert_answer(&store.hook("--recipient=bob+lists@north.example"), 67, "5.1.1");
    store.config("recipient-delimiter = \"\"\n");
    assert_answer(&store.hook("--recipient=bob-lists@north.example"), 67, "5.1.1");
    assert_eq!(store.inbox().len(), 1);
}

#[test]
fn options_take_empty_values_and_values_that_begin_with_a_hyphen() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let words = "--recipient=bob@north.example --sender= --original-recipient= --client= --queue-id=";
    assert_answer(&store.hook(words), 0, "2.0.0");
    let words = "--recipient=bob@north.example --sender=-x@y.example --original-recipient=-z --queue-id=-1";
    assert_answer(&store.hook(words), 0, "2.0.0");
    assert_answer(&store.hook("--recipient=-eve@north.example"), 67, "5.1.1");
    assert_eq!(store.inbox().len(), 2);
}

#[test]
fn a_server_rule_stores_once_for_each_queue_id() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let archive = store.join("archive");
    store.rule("--server", "[\"Store Encrypted in\", \"~archive/INBOX\"]");
    let hook =
        |id: &str| assert_answer(&store.hook(&format!("--recipient=bob@north.example{id}")), 0, "2.0.0");
    hook(" --queue-id=4cLx");
    hook(" --queue-id=4cLx");
    let copies = store.visible("archive");
    assert_eq!((copies.len(), store.inbox().len()), (1, 2));
    // The server acts for nobody: its copy is for the owner of the mailbox alone.
    assert!(opens(&archive, &copies[0].1) && !opens(&store.bob, &copies[0].1));
    hook(" --queue-id=4cLy");
    assert_eq!(store.visible("archive").len(), 2);
    hook("");
    hook("");
    assert_eq!(store.visible("archive").len(), 4, "without an id each call is a message");
    assert!(!store.holds(CLEAR));
}

#[test]
fn a_server_rule_that_names_no_owner_is_refused() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let file = store.file("rule.toml");
    let rule =
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"Box\"]]\n";
    std::fs::write(&file, rule).unwrap();
    let ended = store.command("rules install").args([path(&file), "--server"]).run();
    assert_eq!((ended.code, ended.text().as_str()), (Some(65), ""));
    assert!(ended.stderr.contains("rule.toml:5:32") && ended.stderr.contains('~'), "{}", ended.stderr);
    assert_eq!(store.command("rules list").run().ok().iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn a_foreign_mailbox_needs_the_right_and_the_mailbox_and_is_for_both() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let hr = store.join("hr");
    store.rule("--account bob@north.example", "[\"Store Encrypted in\", \"~hr/Payroll\"], [\"Discard\"]");
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    store.command("acl grant --mailbox ~hr/Payroll --account bob@north.example").run().ok();
    // The right is there, the mailbox is not, and a rule does not make one for somebody else.
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    assert!(store.stored().is_empty());
    store.command("acl grant --mailbox ~hr/Payroll --account bob@north.example --create").run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let stored = store.visible("hr");
    assert_eq!((stored.len(), store.inbox().len()), (1, 0));
    assert!(stored[0].0.starts_with(".Payroll/new/"), "{}", stored[0].0);
    assert!(opens(&hr, &stored[0].1) && opens(&store.bob, &stored[0].1));
    store.command("acl revoke --mailbox ~hr/Payroll --account bob@north.example").run().ok();
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    assert_eq!(store.visible("hr").len(), 1);
}

#[test]
fn a_full_mailbox_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let maildir = store.root().join("mail/north.example/bob/Maildir");
    let quota = maildir.join("maildirsize");
    std::fs::write(&quota, "4000S\n").unwrap();
    let mut delivered = 1;
    let full = loop {
        let ended = store.deliver(MESSAGE);
        if ended.code != Some(0) {
            break ended;
        }
        delivered += 1;
        assert!(delivered < 10, "4000 bytes are never full");
    };
    assert_answer(&full, 75, "4.2.2");
    assert_eq!(store.inbox().len(), delivered);
    let bytes: usize = store.inbox().iter().map(Vec::len).sum();
    assert!(bytes <= 4000, "{bytes}");
    let text = std::fs::read_to_string(&quota).unwrap();
    assert!(text.starts_with("4000S\n") && text.ends_with('\n'), "{text}");
    assert_eq!(std::fs::read_dir(maildir.join("tmp")).unwrap().count(), 0);
}

#[test]
fn marks_stand_in_the_name_of_every_later_copy() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.rule(
        "--account bob@north.example",
        "[\"Store Encrypted in\", \"Before\"], [\"Mark\", [\"Seen\", \"Flagged\", \"work\"]]",
    );
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let names: Vec<String> = store.visible("bob").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with(".Before/new/") && !names[0].contains(':'), "{names:?}");
    assert!(names[1].starts_with("cur/") && names[1].ends_with(":2,FSa"), "{names:?}");
    assert!(names.iter().all(|name| name.contains(",S=") && name.contains(",W=")), "{names:?}");
    let maildir = store.root().join("mail/north.example/bob/Maildir");
    assert_eq!(std::fs::read_to_string(maildir.join("dovecot-keywords")).unwrap(), "0 work\n");
    assert!(maildir.join(".Before/maildirfolder").is_file());
}

#[test]
fn rejected_for_one_and_deliverable_for_the_other_is_75_with_the_advice() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.join("carol");
    store.rule("--account bob@north.example", "[\"Reject with\", \"not here\"]");
    let both = "--recipient=carol@north.example --recipient=bob@north.example";
    let ended = store.hook(both);
    assert_answer(&ended, 75, "4.5.3");
    assert!(ended.text().contains("_destination_recipient_limit = 1"), "{}", ended.text());
    assert!(store.stored().is_empty());
    assert_answer(&store.hook("--recipient=bob@north.example"), 65, "5.7.1");
    assert_answer(&store.hook("--recipient=carol@north.example"), 0, "2.0.0");
    store.rule("--domain north.example", "[\"Reject with\", \"nobody here\"]");
    assert_answer(&store.hook(both), 65, "5.7.1");
}

#[test]
fn the_log_tells_the_story_without_the_message() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let log = store.file("log");
    store.config(&format!("log = \"{}\"\nlog-level = \"debug\"\n", path(&log)));
    store.join("carol");
    store.rule("--account carol@north.example", "[\"Reject with\", \"not here\"]");
    store.hook("--recipient=bob@north.example --queue-id=4cLx --client=192.0.2.1");
    store.hook("--recipient=carol@north.example");
    store.hook("--recipient=eve@north.example");
    store.hook("--recipient=bob");
    let text = std::fs::read_to_string(&log).unwrap();
    for told in
        ["4cLx", "192.0.2.1", "bob@north.example", "sealed with", "not here", "eve@north.example", "5.1.1"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    for content in ["xyzzy", "Lunch", "anna@south.example", "Anna"] {
        assert!(!text.contains(content), "{content}: {text}");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&log.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn several_doubts_and_a_rejection_are_one_doubt() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    assert_doubt(&store.hook("--recipient=eve@north.example --recipient=x@elsewhere.example"));
    assert_doubt(&store.hook("--recipient=bob@north.example --recipient=x@elsewhere.example"));
    assert!(store.stored().is_empty());
}

#[test]
fn inbox_has_one_name_in_any_case_and_other_mailboxes_have_not() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.rule(
        "--account bob@north.example",
        "[\"Store Encrypted in\", \"inbox\"], [\"Store Encrypted in\", \"Box/Sub\"], \
         [\"Store Encrypted in\", \"box/Sub\"], [\"Discard\"]",
    );
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let folders: Vec<String> = store.visible("bob").into_iter().map(|(name, _)| name).collect();
    let begins = [".Box.Sub/new/", ".box.Sub/new/", "new/"];
    assert!(
        folders.len() == 3 && folders.iter().zip(begins).all(|(name, begin)| name.starts_with(begin)),
        "{folders:?}"
    );
}

#[test]
fn no_mailbox_is_made_where_the_site_says_so() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.config("create-mailboxes = false\n");
    store.rule("--account bob@north.example", "[\"Store Encrypted in\", \"Box\"], [\"Discard\"]");
    assert_answer(&store.deliver(MESSAGE), 75, "4.3.5");
    assert!(store.stored().is_empty());
    store.config("create-mailboxes = true\n");
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
}

/// The envelope reaches the rules as the hook was told it.
#[test]
fn rules_see_the_envelope_with_what_the_sender_wrote() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let rule = |condition: &str| {
        store.rules(&format!(
            "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [{condition}]\nthen = [[\"Reject with\", \"seen\"]]\n"
        ));
    };
    let alias =
        "--recipient=bob@north.example --original-recipient=rfc822;robert@old.example --sender=x@y.example";
    rule("[\"Any Recipient\", \"is\", \"robert@old.example\"]");
    assert_answer(&store.hook(alias), 65, "5.7.1");
    assert_answer(&store.hook("--recipient=bob@north.example"), 0, "2.0.0");
    rule("[\"Return-Path\", \"is\", \"x@y.example\"]");
    assert_answer(&store.hook(alias), 65, "5.7.1");
    rule("[\"Return-Path\", \"is\", \"\"]");
    assert_answer(&store.hook("--recipient=bob@north.example --sender="), 65, "5.7.1");
    assert_answer(&store.hook(alias), 0, "2.0.0");
}
