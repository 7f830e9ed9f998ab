//! A key is lost on purpose only, and with the number of messages that go with it.

use super::{MESSAGE, Vault};
use crate::support::path;

impl Vault {
    /// Three messages in two mailboxes, one of them large, one moved to a folder of another name.
    fn with_mail() -> Vault {
        let vault = Vault::new();
        vault.deliver(MESSAGE);
        vault.deliver(&format!("{MESSAGE}{}", "More of it, and more.\n".repeat(10_000)));
        vault.deliver(MESSAGE);
        let archive = vault.site.root().join("mail/north.example/bob/Maildir/.Entw&APw-rfe.2026/cur");
        std::fs::create_dir_all(&archive).unwrap();
        let moved = &vault.inbox()[0];
        std::fs::rename(moved, archive.join(format!("{}:2,S", moved.file_name().unwrap().to_str().unwrap())))
            .unwrap();
        // What is no mail of ours counts for nothing.
        std::fs::write(archive.join("1.plain"), "From: a@b.example\n\nhello\n").unwrap();
        vault
    }
}

#[test]
fn a_key_that_mail_is_sealed_to_is_lost_by_saying_how_much() {
    let vault = Vault::with_mail();
    let key = &vault.keys()[0];
    let remove = "key remove --account bob@north.example";
    let keep = format!(
        "keep it first, with its owner: sealpost key export --account bob@north.example --key {} --output FILE\n",
        &key[..16]
    );
    let refused = format!(
        "sealpost: what is sealed to a key can never be opened without it; bob@north.example has {key}: \
         3 messages (Entwürfe/2026 1, INBOX 2)\n  {keep}  to lose it say which: --forget {key} --messages 3\n"
    );
    assert_eq!(vault.site.refused(remove), (1, refused.clone()));
    assert_eq!(vault.site.refused("account remove bob@north.example"), (1, refused));
    let counted = format!(
        "sealpost: 3 messages can never be opened again without {key}: Entwürfe/2026 1, INBOX 2\n  {keep}  \
         to lose them all the same say how many: --messages 3\n"
    );
    for words in [format!("{remove} --forget {key}"), format!("{remove} --forget {} --messages 2", &key[..8])]
    {
        assert_eq!(vault.site.refused(&words), (1, counted.clone()), "{words}");
    }
    let (code, text) = vault.site.refused(&format!("{remove} --messages 3"));
    assert_eq!(
        (code, text.starts_with("sealpost: the following required arguments were not provided")),
        (64, true)
    );
    assert_eq!(vault.keys().len(), 1);
    let exported = vault.site.folder().join("bob.p12");
    let export = format!("key export --account bob@north.example --password-file {}", path(&vault.password));
    vault.site.run(&format!("{export} --output {}", path(&exported))).ok();
    let certificate = vault.site.json("cert list --account bob@north.example");
    let certificate = certificate["certificates"][0]["fingerprint"].as_str().unwrap();
    let ended = vault.site.run(&format!("{remove} --forget {key} --messages 3"));
    let text = format!(
        "key {key} of bob@north.example removed\n3 messages can be opened only by who has the key elsewhere\n\
         mail for bob@north.example is still sealed to {certificate}, which has this key; if nobody has the key any more: \
         sealpost cert retire --account bob@north.example --fingerprint {}\n",
        &certificate[..16]
    );
    assert_eq!((ended.code, ended.text()), (Some(0), text));
    // Mail stays, and who kept the key opens it.
    assert_eq!(vault.inbox().len(), 2);
    let opened = vault
        .site
        .program("open --key")
        .args([path(&exported)])
        .args(["--password-file", path(&vault.password)]);
    opened.input(std::fs::read(&vault.inbox()[0]).unwrap()).run().ok();
}

/// What cannot be looked into is named beside the number of what can.
#[test]
fn one_message_that_cannot_be_read_does_not_hide_the_others() {
    let vault = Vault::with_mail();
    let archive = vault.site.root().join("mail/north.example/bob/Maildir/.Entw&APw-rfe.2026/cur");
    std::fs::create_dir(archive.join("2.folder")).unwrap();
    let (code, text) = vault.site.refused("account remove bob@north.example");
    let unread = "; 1 more could not be looked into, because it is not to be read: Entwürfe/2026 1";
    assert_eq!(
        (code, text.contains(&format!("3 messages (Entwürfe/2026 1, INBOX 2){unread}"))),
        (1, true),
        "{text}"
    );
    let lose = format!("key remove --account bob@north.example --forget {} --messages 3", vault.keys()[0]);
    let ended = vault.site.run(&lose);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains(unread.trim_start_matches("; ")), "{}", ended.stderr);
}

#[test]
fn what_another_key_opens_too_is_not_lost() {
    let vault = Vault::new();
    let second = vault.generate(&vault.password);
    vault.site.run("cert issue --account bob@north.example").ok();
    let first = vault.keys()[0].clone();
    vault.deliver(MESSAGE);
    let remove = "key remove --account bob@north.example";
    assert_eq!(
        vault.site.refused(remove),
        (
            1,
            format!(
                "sealpost: what is sealed to a key can never be opened without it; bob@north.example has \
                 {first}: no message, {second}: no message\n  to lose it say which: --forget {first}\n"
            )
        )
    );
    // Both together take it along.
    let (code, text) = vault.site.refused("account remove bob@north.example");
    let hint = format!("to lose it say which: --forget {first} --forget {second} --messages 1\n");
    assert_eq!((code, text.ends_with(&hint)), (1, true), "{text}");
    vault.site.run(&format!("{remove} --forget {first}")).ok();
    let text = format!("sealpost: 1 message can never be opened again without {second}: INBOX 1\n");
    let (code, said) = vault.site.refused(&format!("{remove} --forget {second}"));
    assert_eq!((code, said.starts_with(&text)), (1, true), "{said}");
    vault.open(&vault.inbox()[0], &vault.password).ok();
    let removed =
        vault.site.json(&format!("account remove bob@north.example --forget {second} --messages 1"));
    assert_eq!((&removed["removed"], &removed["messages"]), (&"bob@north.example".into(), &1.into()));
    assert_eq!(vault.inbox().len(), 1, "mail is never removed");
}

#[test]
fn a_certificate_can_go_without_its_key() {
    let vault = Vault::new();
    vault.deliver(MESSAGE);
    vault.site.run("cert retire --account bob@north.example").ok();
    assert_eq!(vault.keys().len(), 1);
    vault.open(&vault.inbox()[0], &vault.password).ok();
    // A retired key counts like any other.
    assert!(vault.site.refused("key remove --account bob@north.example").1.contains("--messages 1\n"));
}

/// Whoever leaves keeps a certificate that everybody believes, until it is taken back.
#[test]
fn what_an_account_was_issued_outlives_it_and_is_told() {
    let vault = Vault::new();
    let key = vault.keys()[0].clone();
    let serial =
        vault.site.json("cert show --account bob@north.example")["certificates"][0]["serial"].clone();
    let revoke = format!(
        "cert revoke --domain north.example --serial {} --reason affiliation-changed",
        serial.as_str().unwrap()
    );
    let removed = vault.site.run(&format!("account remove bob@north.example --forget {key}")).text();
    let text = format!(
        "account bob@north.example removed; its mail stays where it is\n\
         still valid of it: 1 certificate that north.example issued; to take it back:\n  sealpost {revoke}\n"
    );
    assert_eq!(removed, text);
    vault.site.run(&revoke).ok();
}
