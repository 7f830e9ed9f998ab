//! The password changes, and mail does not.

use super::{MESSAGE, Vault};
use crate::support::{crlf, path};
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn the_password_changes_and_mail_is_not_touched() {
    let vault = Vault::new();
    let (new, third) = (vault.site.write("new", "battery staple\n"), vault.site.write("third", "x y z\n"));
    vault.deliver(MESSAGE);
    // A second key with a certificate; the first is retired and kept for reading. A third has another password.
    let second = vault.generate(&vault.password);
    vault.site.run("cert issue --account bob@north.example").ok();
    let first_certificate = vault.site.json("cert list --account bob@north.example");
    let print = first_certificate["certificates"][0]["fingerprint"].as_str().unwrap();
    vault.site.run(&format!("cert retire --account bob@north.example --fingerprint {print}")).ok();
    vault.deliver(MESSAGE);
    let other = vault.generate(&third);
    let first = vault.keys()[0].clone();
    let before: Vec<_> = vault.inbox().iter().map(|file| std::fs::read(file).unwrap()).collect();

    let change = format!(
        "key password --account robert@north.example --password-file {} --new-password-file {}",
        path(&vault.password),
        path(&new)
    );
    let ended = vault.site.run(&change);
    let account = "robert@north.example";
    let text = format!(
        "key {first} of {account} has the new password\nkey {second} of {account} has the new password\n\
         key {other} has another password than the old one, and keeps it\n"
    );
    assert_eq!((ended.code, ended.text()), (Some(0), text));

    let after: Vec<_> = vault.inbox().iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(before, after, "mail is not touched");
    vault.deliver(MESSAGE);
    assert_eq!(vault.inbox().len(), 3);
    // The right key is found by itself: the retired one for the first message.
    for sealed in vault.inbox() {
        assert_eq!(vault.open(&sealed, &new).ok(), crlf(MESSAGE.as_bytes()));
        assert_eq!(vault.open(&sealed, &vault.password).code, Some(77));
        vault.site.run("account unlock bob@north.example").ok();
    }
    // The other password opens another key, which is no help.
    assert_eq!(vault.open(&vault.inbox()[0], &third).code, Some(64));
    let tested =
        vault.site.run(&format!("key test --account bob@north.example --password-file {}", path(&new)));
    let not = format!("sealpost: not tested, because they have another password: {other}\n");
    assert_eq!((tested.code, tested.stderr), (Some(1), not));
    // And back, for a program.
    let back = format!(
        "key password --account bob@north.example --password-file {} --new-password-file {}",
        path(&new),
        path(&vault.password)
    );
    let json = vault.site.json(&back);
    assert_eq!(json["changed"], serde_json::json!([first, second]));
    assert_eq!((&json["kept"], &json["account"]), (&serde_json::json!([other]), &"bob@north.example".into()));
    // The old record is not left in the write-ahead log.
    let log = std::fs::metadata(vault.site.root().join("directory.sqlite-wal")).unwrap().len();
    assert_eq!(log, 0);
}

#[test]
fn a_new_password_that_is_none_changes_nothing() {
    let vault = Vault::new();
    let (empty, long) = (vault.site.write("empty", "\n"), vault.site.write("long", &"x".repeat(1025)));
    for (file, text) in [
        (path(&empty), "sealpost: the password is empty\n"),
        (path(&long), "sealpost: a Secure Mail password has 1 to 1024 octets; this one has 1025\n"),
    ] {
        let change = format!(
            "key password --account bob@north.example --password-file {} --new-password-file {file}",
            path(&vault.password)
        );
        assert_eq!(vault.site.refused(&change), (64, text.to_owned()));
    }
    vault.deliver(MESSAGE);
    vault.open(&vault.inbox()[0], &vault.password).ok();
    let (code, text) =
        vault.site.refused("key password --account eve@north.example --password-file /dev/null");
    assert_eq!((code, text.starts_with("sealpost: there is no account eve@north.example\n")), (66, true));
}

/// All keys have the old password or all have the new one, whenever the command dies.
#[test]
fn a_change_that_is_killed_is_whole_or_nothing() {
    let vault = Vault::new();
    let new = vault.site.write("new", "battery staple\n");
    vault.generate(&vault.password);
    let (mut old, mut new) = (vault.password.clone(), new);
    for milliseconds in [50, 1_000, 1_700, 2_400] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .args(["--root", path(&vault.site.root()), "key", "password", "--account", "bob@north.example"])
            .args(["--password-file", path(&old), "--new-password-file", path(&new)])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        vault.site.run("account unlock bob@north.example").ok();
        let test =
            |password| format!("key test --account bob@north.example --password-file {}", path(password));
        let with_new = vault.site.run(&test(&new)).code;
        vault.site.run("account unlock bob@north.example").ok();
        let with_old = vault.site.run(&test(&old)).code;
        vault.site.run("account unlock bob@north.example").ok();
        match (with_old, with_new) {
            (Some(0), Some(77)) => {}
            (Some(77), Some(0)) => std::mem::swap(&mut old, &mut new),
            other => panic!("after {milliseconds} ms: {other:?}"),
        }
    }
}

/// Two passwords for one mailbox are seldom meant.
#[test]
fn a_key_under_another_password_than_the_others_is_told() {
    let vault = Vault::new();
    let other = vault.site.write("other", "battery staple\n");
    let first = vault.keys()[0].clone();
    let generate = |password| {
        let words = "key generate --account bob@north.example --type ec-p256 --password-file";
        let ended = vault.site.program(words).args([path(password)]).run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    assert_eq!(generate(&vault.password), "");
    let second = vault.keys()[1].clone();
    let note = |keys: &str| {
        format!(
            "sealpost: bob@north.example needs more than one Secure Mail password from now on: keys with another one: \
             {keys}; to give them the same: sealpost key password --account bob@north.example\n"
        )
    };
    assert_eq!(generate(&other), note(&format!("{}, {}", &first[..16], &second[..16])));
    // It was tried, and so it is counted.
    assert_eq!(vault.wrong(), 1);
    let file = vault.site.folder().join("key.p12");
    let export = format!("key export --account bob@north.example --password-file {}", path(&vault.password));
    vault.site.run(&format!("{export} --key {} --output {}", &first[..16], path(&file))).ok();
    let third = vault.keys()[2].clone();
    vault.site.run(&format!("key remove --account bob@north.example --forget {first}")).ok();
    let import = format!(
        "key import --account bob@north.example --file {} --file-password-file {1} --password-file {1}",
        path(&file),
        path(&vault.password)
    );
    let ended = vault.site.run(&import);
    assert_eq!((ended.code, ended.stderr.clone()), (Some(0), note(&third[..16])));
    // The certificate of that key was there, and mail is sealed to it.
    let print =
        vault.site.json("cert list --account bob@north.example")["certificates"][0]["fingerprint"].clone();
    let already =
        format!("certificate {} stays as it is: mail is sealed to it already\n", print.as_str().unwrap());
    assert!(ended.text().ends_with(&already), "{}", ended.text());
}
