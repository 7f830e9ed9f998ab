//! What rules look at outside the message, from the command line to the answer that the MTA gets.

use crate::support::{Site, path};

/// Does a rule of bob's with this condition match? `words` are further ones of the hook.
fn holds(site: &Site, when: &str, words: &str) -> bool {
    let rule = format!(
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [{when}]\nthen = [[\"Reject with\", \"it holds\"]]\n"
    );
    let file = site.write("r.toml", &rule);
    site.run(&format!("rules install {} --account bob@north.example", path(&file))).ok();
    let message = "From: Carol <carol@far.example>\nSubject: x\n\nhello\n";
    let deliver = format!("deliver --sender=carol@far.example --recipient=bob@north.example {words}");
    let ended = site.program(&deliver).input(message).run();
    match (ended.code, ended.text().as_str()) {
        (Some(65), "5.7.1 it holds\n") => true,
        // Bob has no certificate: what no rule refuses waits.
        (Some(75), _) => false,
        other => panic!("{other:?} {}", ended.stderr),
    }
}

#[test]
fn a_dataset_is_the_accounts_own() {
    let site = Site::furnished();
    site.run("account add ada@north.example").ok();
    let friends = r##"["From", "in", "#Friends"]"##;
    assert!(!holds(&site, friends, ""), "there is none");
    site.run("dataset add --account ada@north.example Friends carol@far.example").ok();
    assert!(!holds(&site, friends, ""), "it is another account's");
    site.run("dataset add --account bob@north.example Friends Carol@FAR.example").ok();
    assert!(holds(&site, friends, ""));
    assert!(!holds(&site, r##"["From", "not in", ["x@*", "#Friends"]]"##, ""));
}

#[test]
fn a_preference_is_the_accounts_own() {
    let site = Site::furnished();
    let away = r#"["Preference", "is", "Away: yes"]"#;
    assert!(!holds(&site, away, ""));
    site.run("account preference set bob@north.example Away yes").ok();
    assert!(holds(&site, away, ""));
}

#[test]
fn a_mailbox_is_there_as_soon_as_its_folder_is() {
    let site = Site::furnished();
    let vault = r#"["Existing Mailbox", "is", "Vault/Pay"]"#;
    assert!(!holds(&site, vault, ""));
    assert!(holds(&site, r#"["Existing Mailbox", "is", "inbox"]"#, ""), "before the first message too");
    let folder = site.root().join("mail/north.example/bob/Maildir/.Vault.Pay");
    ["cur", "new", "tmp"].iter().for_each(|part| std::fs::create_dir_all(folder.join(part)).unwrap());
    assert!(holds(&site, vault, ""));
}

#[test]
fn the_hook_says_how_the_message_came_in() {
    let site = Site::furnished();
    let trusted = r#"["Source", "is", "trusted"]"#;
    assert!(holds(&site, trusted, "--source trusted"));
    assert!(!holds(&site, trusted, ""));
    let lmtp = r#"["Submit Address", "is", "LMTP [192.0.2.1]"]"#;
    assert!(holds(&site, lmtp, "--source lmtp --client 192.0.2.1"));
    assert!(!holds(&site, lmtp, "--source lmtp --client="));
    assert!(holds(&site, r#"["Submit Address", "is", "PIPE [192.0.2.1]"]"#, "--client 192.0.2.1"));
}
